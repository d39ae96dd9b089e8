/* SPDX-License-Identifier: BSD-3-Clause */
/* Captures as control sees them: what one needs, its begin, its end; see capture.h. */
#include "capture.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Static_assert(
	TAP_BUFFER_MIN >= 2 * (sizeof(struct tap_rec) + CAPTURE_SNAPLEN), "room for a packet");

void capture_stop(struct capture *c)
{
	__atomic_store_n(&c->stop, true, __ATOMIC_RELEASE);
}

/* Frees all that an ended capture, or one that could not begin, has; waits for its thread. */
static void tidy(struct capture *c)
{
	if (c->threaded)
		pthread_join(c->thread, NULL);
	c->threaded = false;
	tap_filters_destroy(&c->tap);
	free(c->filter);
	tap_rings_destroy(&c->tap);
	capture_file_destroy(c->file);
	memset(c, 0, sizeof(*c));
}

/* A place that was never used, or that of the capture that ended first. */
static struct capture *place(struct ns_engine *en)
{
	struct capture *best = NULL;

	for (unsigned i = 0; i < CAPTURES; i++) {
		struct capture *c = &en->captures->of[i];

		if (c->id == 0)
			return c;
		if (capture_ended(c) && (best == NULL || c->end_mono < best->end_mono))
			best = c;
	}
	return best;
}

static int set_path(struct capture *c, const char *path, struct ns_err *e)
{
	size_t at = 0;

	if (path[0] != '/') {
		if (getcwd(c->path, sizeof(c->path) - 1) == NULL)
			return ns_fail(e, errno, "the engine's directory: %s", strerror(errno));
		at = strlen(c->path);
		c->path[at++] = '/';
	}
	if (at + strlen(path) >= sizeof(c->path))
		return ns_fail(e, ENAMETOOLONG, "%.60s...: the name is too long", path);
	memcpy(c->path + at, path, strlen(path) + 1);
	for (unsigned i = 0; i < CAPTURES; i++) {
		const struct capture *o = &c->en->captures->of[i];

		if (o->id != 0 && !capture_ended(o) && strcmp(o->path, c->path) == 0)
			return ns_fail(e, EBUSY, "capture %u is writing %s", o->id, c->path);
	}
	return 0;
}

/* All that a capture needs; its file comes last, so that a wrong word makes none. */
static int prepare(struct capture *c, const struct capture_args *args, struct ns_err *e)
{
	uint16_t linktype;
	int rc = tap_linktype(c->en, &linktype, e);

	if (rc < 0)
		return rc;
	c->seconds = args->seconds;
	c->packets_max = args->packets;
	c->octets_max = args->octets;
	c->tap.snaplen = args->snaplen == 0 ? CAPTURE_SNAPLEN : args->snaplen;
	if (args->filter != NULL) {
		c->filter = strdup(args->filter);
		if (c->filter == NULL)
			return ns_fail(e, ENOMEM, "no memory for a filter");
	}
	rc = set_path(c, args->path, e);
	if (rc == 0)
		rc = tap_filters_create(&c->tap, c->filter, linktype, e);
	if (rc == 0)
		rc = tap_rings_make(c->en, &c->tap, args->buffer, &c->rings, e);
	if (rc < 0)
		return rc;
	c->file = capture_file_create(c, args, linktype, e);
	if (c->file == NULL)
		return -errno;
	rc = tap_thread(&c->thread, capture_thread, c, e);
	c->threaded = rc == 0;
	return rc;
}

const struct capture *capture_start(
	struct ns_engine *en, const struct capture_args *args, struct ns_err *e)
{
	if (!en->live || en->phase == PHASE_ENDED) {
		ns_fail(e, ENOTSUP, "only packets of a running engine's ports can be captured");
		return NULL;
	}
	if (en->captures == NULL)
		en->captures = calloc(1, sizeof(*en->captures));
	if (en->captures == NULL) {
		ns_fail(e, ENOMEM, "no memory for captures");
		return NULL;
	}
	struct capture *c = place(en);

	if (c == NULL) {
		ns_fail(e, EBUSY, "%u captures run already; stop one first", CAPTURES);
		return NULL;
	}
	tidy(c);
	c->en = en;
	c->place = (unsigned)(c - en->captures->of);
	if (prepare(c, args, e) < 0) {
		int err = errno;

		if (c->tap.rings != NULL)
			tap_rings_empty(&c->tap, c->rings);
		tidy(c);
		return ns_errno_null(err);
	}
	c->id = ++en->captures->last_id;
	c->start_ns = ns_clock_real();
	c->start_mono = ns_clock_mono();
	tap_merge_init(&c->merge, &c->tap, c->rings);
	en->taps[c->place] = &c->tap;
	tap_begin(en, c->place);
	__atomic_store_n(&c->begun, true, __ATOMIC_RELEASE);
	return c;
}

void engine_captures_down(struct ns_engine *en)
{
	if (en->captures == NULL)
		return;
	for (unsigned i = 0; i < CAPTURES; i++) {
		if (en->captures->of[i].id != 0)
			capture_stop(&en->captures->of[i]);
	}
	for (unsigned i = 0; i < CAPTURES; i++)
		tidy(&en->captures->of[i]);
	free(en->captures);
	en->captures = NULL;
}
