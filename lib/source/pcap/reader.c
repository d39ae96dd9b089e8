/* SPDX-License-Identifier: BSD-3-Clause */
/* One file: its window, its format, its interfaces, and the messages about it. */
#include "pcap_priv.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * The text grows while another thread may read it: a new line is written behind the terminating
 * zero of the last one, and only then does a newline take the place of that zero.
 */
void ns_pcap_note(struct ns_source *s, const char *fmt, ...)
{
	size_t at = s->text_len == 0 ? 0 : s->text_len + 1;
	va_list ap;
	int n;

	if (sizeof(s->text) - at < 64)
		return; /* so many messages say the same: the input is rubbish */
	va_start(ap, fmt);
	n = vsnprintf(s->text + at + (at == 0), sizeof(s->text) - at - 1, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	n = NS_MIN(n, (int)(sizeof(s->text) - at) - 2);
	if (at == 0) {
		/* The first character is written last, for the same reason. */
		char first = s->text[1];

		memmove(s->text + 1, s->text + 2, (size_t)n);
		__atomic_store_n(&s->text[0], first, __ATOMIC_RELEASE);
	} else {
		__atomic_store_n(&s->text[s->text_len], '\n', __ATOMIC_RELEASE);
	}
	s->text_len = at + (size_t)n;
}

void ns_pcap_reader_damage(struct ns_pcap_reader *r, const uint8_t *at, const char *fmt, ...)
{
	uint64_t off = r->off_end - (uint64_t)(r->end - at);
	char what[256];
	va_list ap;

	r->state = NS_PCAP_ENDED;
	if (r->st.stopped)
		return; /* left where it was: that a record ends there is no damage */
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	r->damaged = true;
	ns_pcap_note(r->s, "%s: octet %" PRIu64 "%s: %s", r->name, off,
		r->st.pack != NS_PCAP_PLAIN ? " (uncompressed)" : "", what);
}

int ns_pcap_reader_more(struct ns_pcap_reader *r, size_t n)
{
	uint64_t in = r->st.in;
	int rc = 0;

	if (r->map.base != NULL) {
		ns_pcap_map_more(r, n);
		return 0;
	}
	while ((size_t)(r->end - r->pos) < n && !r->st.end) {
		size_t rest = (size_t)(r->end - r->pos), got, cap;
		uint8_t *base;

		rc = ns_pcap_block_turn(r, n, &base, &cap);
		if (rc < 0)
			break;
		got = ns_pcap_stream_read(&r->st, base + rest, n - rest, cap - rest);
		r->end += got;
		r->off_end += got;
	}
	r->s->stats.bytes_read += r->st.in - in;
	return rc;
}

int ns_pcap_reader_fill(struct ns_pcap_reader *r)
{
	int rc = ns_pcap_reader_more(r, r->need);
	size_t rest = (size_t)(r->end - r->pos);

	if (rc == -EAGAIN)
		return rc;
	if (rest >= r->need) {
		r->state = NS_PCAP_READY;
		return 0;
	}
	if (rc < 0)
		ns_pcap_reader_damage(r, r->pos, "no memory for a record of %zu octets", r->need);
	else if (r->st.error[0] != 0)
		ns_pcap_reader_damage(r, r->end, "%s", r->st.error);
	else if (rest > 0)
		ns_pcap_reader_damage(r, r->pos,
			"the file ends inside a record: %zu of %zu octets are there", rest,
			r->need);
	r->state = NS_PCAP_ENDED;
	return -1;
}

unsigned ns_pcap_reader_cut(struct ns_pcap_reader *r)
{
	r->head = 0;
	r->count = 0;
	while (r->state == NS_PCAP_READY && r->count == 0) {
		r->count = r->format->parse(r, r->recs, NS_PCAP_QUEUE);
		if (ns_pcap_map_lost(r)) {
			unsigned k = 0;

			while (k < r->count &&
				ns_pcap_map_good(r, r->recs[k].data, r->recs[k].caplen))
				k++;
			r->count = k;
			ns_pcap_map_end(r);
		}
		if (r->s->filter != NULL)
			r->count = ns_pcap_filter_run(r->s, r->recs, r->count);
	}
	return r->count;
}

unsigned ns_pcap_reader_next(struct ns_pcap_reader *r)
{
	while (ns_pcap_reader_cut(r) == 0) {
		int rc;

		if (r->state == NS_PCAP_ENDED)
			return 0;
		rc = r->format->refill != NULL ? r->format->refill(r) : ns_pcap_reader_fill(r);
		if (rc < 0)
			return 0;
	}
	return r->count;
}

struct ns_pcap_iface *ns_pcap_iface_add(
	struct ns_pcap_reader *r, uint16_t linktype, uint32_t snaplen)
{
	struct ns_pcap_iface *f;

	if (r->ifaces_n >= NS_PCAP_IFACES_MAX)
		return NULL;
	if (r->ifaces_n == r->ifaces_cap) {
		uint32_t cap = r->ifaces_cap == 0 ? 4 : r->ifaces_cap * 2;
		void *grown = realloc(r->ifaces, cap * sizeof(struct ns_pcap_iface *));

		if (grown == NULL)
			return NULL;
		r->ifaces = grown;
		r->ifaces_cap = cap;
	}
	f = calloc(1, sizeof(*f));
	if (f == NULL)
		return NULL;
	f->linktype = ns_pcap_linktype_canon(linktype);
	f->snaplen = snaplen;
	f->prog = ns_pcap_filter_get(r->s, f->linktype);
	r->ifaces[r->ifaces_n++] = f;
	return f;
}

uint32_t ns_pcap_caplen_max(uint16_t linktype)
{
	switch (linktype) {
	case 231: /* LINKTYPE_DBUS */
	case 249: /* LINKTYPE_USBPCAP */
	case 279: /* LINKTYPE_EBHSCR */
		return NS_PCAP_CAPLEN_HUGE;
	default:
		return NS_PCAP_CAPLEN_MAX;
	}
}

/* What is in the first octets that no reader knows, for the message. */
static int refuse(struct ns_pcap_reader *r, struct ns_err *e)
{
	size_t n = (size_t)(r->end - r->pos);
	char hex[32] = "";

	if (n == 0 && r->st.error[0] != 0)
		return ns_fail(e, EBADMSG, "%s: octet 0: %s", r->name, r->st.error);
	if (n == 0)
		return ns_fail(
			e, EBADMSG, "%s: octet 0: the file is empty, no capture file", r->name);
	for (size_t i = 0; i < NS_MIN(n, 4u); i++)
		snprintf(hex + 3 * i, sizeof(hex) - 3 * i, " %02x", r->pos[i]);
	return ns_fail(e, EBADMSG,
		"%s: octet 0: no capture file that can be read (pcap, pcapng, plain, .gz or .zst): "
		"it begins with%s",
		r->name, hex);
}

struct ns_pcap_reader *ns_pcap_reader_create(struct ns_source *s, struct ns_pcap_stream *st,
	const char *name, unsigned index, struct ns_err *e)
{
	struct ns_pcap_reader *r = calloc(1, sizeof(*r));
	int rc;

	if (r == NULL) {
		ns_pcap_stream_close(st);
		ns_fail(e, ENOMEM, "%s: no memory", name);
		return NULL;
	}
	r->s = s;
	r->st = *st;
	r->name = name;
	r->index = index;
	r->ahead = (const uint8_t *)(UINTPTR_MAX - NS_CACHE_LINE);
	s->stats.bytes_read += st->in; /* looked at already to know what it is */
	rc = ns_pcap_reader_more(r, 4);
	if (rc < 0) {
		ns_fail(e, -rc, "%s: no memory", name);
	} else if (r->end - r->pos < 4) {
		rc = refuse(r, e);
	} else {
		rc = ns_pcap_file_open(r, e);
		if (rc == 0)
			rc = ns_pcap_ng_open(r, e);
		if (rc == 0)
			rc = ns_pcap_fallback_open(r, e);
		if (rc == 0)
			rc = refuse(r, e);
	}
	if (rc < 0) {
		ns_pcap_reader_destroy(r);
		errno = -rc;
		return NULL;
	}
	if (r->format != NULL && r->format->refill == NULL)
		ns_pcap_map_switch(r);
	return r;
}

void ns_pcap_reader_destroy(struct ns_pcap_reader *r)
{
	if (r == NULL)
		return;
	if (r->format != NULL && r->format->close != NULL)
		r->format->close(r);
	ns_pcap_map_close(r);
	ns_pcap_stream_close(&r->st);
	for (uint32_t i = 0; i < r->ifaces_n; i++)
		free(r->ifaces[i]);
	free(r->ifaces);
	free(r->own.base);
	free(r);
}
