/* SPDX-License-Identifier: BSD-3-Clause */
/* Mirrors as control sees them: what one needs, its begin, its end; see mirror.h. */
#include "mirror.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void mirror_stop(struct mirror *m)
{
	__atomic_store_n(&m->stop, true, __ATOMIC_RELEASE);
}

/* Frees all that an ended mirror, or one that could not begin, has; waits for its thread. */
static void tidy(struct mirror *m)
{
	if (m->threaded)
		pthread_join(m->thread, NULL);
	else
		ns_send_close(m->out);
	tap_filters_destroy(&m->tap);
	tap_rings_destroy(&m->tap);
	memset(m, 0, sizeof(*m));
}

/* A place that was never used, or that of the mirror that ended first. */
static struct mirror *place(struct ns_engine *en)
{
	struct mirror *best = NULL;

	for (unsigned i = 0; i < MIRRORS; i++) {
		struct mirror *m = &en->mirrors->of[i];

		if (m->id == 0)
			return m;
		if (mirror_ended(m) && (best == NULL || m->end_mono < best->end_mono))
			best = m;
	}
	return best;
}

/* The ports, and the filter for what the first of them receives. */
static int choose(struct mirror *m, const struct mirror_args *args, uint16_t *to, struct ns_err *e)
{
	char device[NS_PORT_NAME];
	uint16_t linktype = 0;
	int rc = ns_port_find(args->from, &m->tap.port, e);

	if (rc == 0)
		rc = ns_port_find(args->to, to, e);
	if (rc == 0)
		rc = tap_linktype(m->en, &linktype, e);
	if (rc < 0)
		return rc;
	m->tap.one_port = true;
	ns_port_names(m->tap.port, m->from, device);
	ns_port_names(*to, m->to, device);
	if (*to == m->tap.port)
		return ns_fail(e, EINVAL, "port \"%s\" can't be mirrored to itself", m->to);
	if (linktype != NS_LINKTYPE_ETHERNET)
		return ns_fail(e, ENOTSUP,
			"port \"%s\": its packets are no Ethernet frames, but of link type %u",
			m->from, linktype);
	memcpy(m->filter, args->filter, sizeof(m->filter));
	return tap_filters_create(&m->tap, m->filter[0] != '\0' ? m->filter : NULL, linktype, e);
}

static int prepare(struct mirror *m, const struct mirror_args *args, struct ns_err *e)
{
	char who[32];
	uint16_t to = 0;
	int rc = choose(m, args, &to, e);

	if (rc < 0)
		return rc;
	snprintf(who, sizeof(who), "mirror %u", m->en->mirrors->last_id + 1);
	m->out = ns_send_open(to, who, e);
	if (m->out == NULL)
		return -errno;
	m->claim = ns_send_claim(m->out);
	/* of a packet that is too long some octets will do to see that */
	m->tap.snaplen = ns_send_frame_max(m->out);
	rc = tap_rings_make(m->en, &m->tap, args->buffer, &m->rings, e);
	if (rc < 0)
		return rc;
	rc = tap_thread(&m->thread, mirror_thread, m, e);
	m->threaded = rc == 0;
	return rc;
}

static int make_all(struct ns_engine *en)
{
	en->mirrors = aligned_alloc(NS_CACHE_LINE, sizeof(*en->mirrors));
	if (en->mirrors == NULL)
		return -ENOMEM;
	memset(en->mirrors, 0, sizeof(*en->mirrors));
	return 0;
}

const struct mirror *mirror_start(
	struct ns_engine *en, const struct mirror_args *args, struct ns_err *e)
{
	if (!en->live || en->phase != PHASE_READING) {
		ns_fail(e, ENOTSUP, "only packets of a running engine's ports can be mirrored");
		return NULL;
	}
	if (en->mirrors == NULL && make_all(en) < 0) {
		ns_fail(e, ENOMEM, "no memory for mirrors");
		return NULL;
	}
	struct mirror *m = place(en);

	if (m == NULL) {
		ns_fail(e, EBUSY, "%u mirrors run already; stop one first", MIRRORS);
		return NULL;
	}
	tidy(m);
	m->en = en;
	m->place = MIRROR_PLACE + (unsigned)(m - en->mirrors->of);
	if (prepare(m, args, e) < 0) {
		int err = errno;

		if (m->tap.rings != NULL)
			tap_rings_empty(&m->tap, m->rings);
		tidy(m);
		return ns_errno_null(err);
	}
	m->id = ++en->mirrors->last_id;
	m->start_mono = ns_clock_mono();
	tap_merge_init(&m->merge, &m->tap, m->rings);
	en->taps[m->place] = &m->tap;
	tap_begin(en, m->place);
	__atomic_store_n(&m->begun, true, __ATOMIC_RELEASE);
	return m;
}

void engine_mirrors_down(struct ns_engine *en)
{
	if (en->mirrors == NULL)
		return;
	for (unsigned i = 0; i < MIRRORS; i++) {
		if (en->mirrors->of[i].id != 0)
			mirror_stop(&en->mirrors->of[i]);
	}
	for (unsigned i = 0; i < MIRRORS; i++)
		tidy(&en->mirrors->of[i]);
	free(en->mirrors);
	en->mirrors = NULL;
}
