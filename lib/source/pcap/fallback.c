/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any other format that libpcap opens. libpcap reads through a FILE that is our stream, so that the
 * file may be compressed or come from standard input here too. It keeps one packet at a time in a
 * buffer of its own; packets are copied to our blocks.
 */
#include "pcap_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fallback {
	pcap_t *p;
	struct pcap_pkthdr *hdr; /* a packet that waits for room, or NULL */
	const u_char *data;
	uint8_t *head; /* octets that the reader had already taken out of the stream */
	size_t head_at;
	size_t head_len;
	uint64_t in; /* of stats.bytes_read */
	struct ns_pcap_reader *r;
	uint8_t *room; /* free part of the block */
	size_t room_len;
};

static ssize_t cookie_read(void *cookie, char *buf, size_t n)
{
	struct fallback *fb = cookie;
	struct ns_pcap_reader *r = fb->r;
	size_t got;

	if (fb->head_at < fb->head_len) {
		got = NS_MIN(n, fb->head_len - fb->head_at);
		memcpy(buf, fb->head + fb->head_at, got);
		fb->head_at += got;
		return (ssize_t)got;
	}
	if (n == 0)
		return 0;
	got = ns_pcap_stream_read(&r->st, (uint8_t *)buf, 1, n);
	r->off_end += got;
	if (got == 0 && r->st.error[0] != 0) {
		errno = EIO;
		return -1;
	}
	return (ssize_t)got;
}

static unsigned parse(struct ns_pcap_reader *r, struct ns_pcap_rec *recs, unsigned n)
{
	struct fallback *fb = r->fallback;
	unsigned k;

	for (k = 0; k < n; k++) {
		uint32_t caplen;
		int rc;

		if (fb->hdr == NULL) {
			rc = pcap_next_ex(fb->p, &fb->hdr, &fb->data);
			if (rc != 1) {
				fb->hdr = NULL;
				r->state = NS_PCAP_ENDED;
				if (rc != PCAP_ERROR_BREAK)
					ns_pcap_reader_damage(r, r->end, "%s", pcap_geterr(fb->p));
				break;
			}
		}
		caplen = NS_MIN(fb->hdr->caplen, 65535u);
		if (fb->room_len < caplen) {
			r->state = NS_PCAP_STARVED;
			r->need = caplen;
			break;
		}
		recs[k].ts_ns =
			(uint64_t)fb->hdr->ts.tv_sec * NS_SEC_NS + (uint64_t)fb->hdr->ts.tv_usec;
		recs[k].data = fb->room;
		recs[k].iface = r->ifaces[0];
		recs[k].wirelen = fb->hdr->len;
		recs[k].caplen = caplen;
		if (caplen > 0) { /* without a packet there may be no room yet */
			memcpy(fb->room, fb->data, caplen);
			fb->room += caplen;
			fb->room_len -= caplen;
		}
		fb->hdr = NULL;
	}
	return k;
}

static int refill(struct ns_pcap_reader *r)
{
	struct fallback *fb = r->fallback;
	uint8_t *base;
	size_t cap;
	int rc = ns_pcap_block_turn(r, r->need, &base, &cap);

	if (rc == -EAGAIN)
		return rc;
	if (rc < 0) {
		ns_pcap_reader_damage(r, r->end, "no memory for a packet of %zu octets", r->need);
		return rc;
	}
	r->s->stats.bytes_read += r->st.in - fb->in;
	fb->in = r->st.in;
	fb->room = base;
	fb->room_len = cap;
	r->state = NS_PCAP_READY;
	return 0;
}

static void fallback_close(struct ns_pcap_reader *r)
{
	struct fallback *fb = r->fallback;

	if (fb == NULL)
		return;
	if (fb->p != NULL)
		pcap_close(fb->p); /* and the FILE */
	free(fb->head);
	free(fb);
	r->fallback = NULL;
}

static const struct ns_pcap_format format_fallback = {
	.parse = parse,
	.refill = refill,
	.close = fallback_close,
};

int ns_pcap_fallback_open(struct ns_pcap_reader *r, struct ns_err *e)
{
	static const cookie_io_functions_t io = {.read = cookie_read};
	char text[PCAP_ERRBUF_SIZE] = "";
	struct fallback *fb = calloc(1, sizeof(*fb));
	struct ns_pcap_iface *iface;
	FILE *f = NULL;

	if (fb == NULL)
		return ns_fail(e, ENOMEM, "%s: no memory", r->name);
	fb->r = r;
	fb->in = r->st.in;
	fb->head_len = (size_t)(r->end - r->pos);
	fb->head = malloc(fb->head_len);
	if (fb->head != NULL) {
		memcpy(fb->head, r->pos, fb->head_len);
		f = fopencookie(fb, "r", io);
	}
	r->fallback = fb;
	if (f == NULL) {
		fallback_close(r);
		return ns_fail(e, ENOMEM, "%s: no memory", r->name);
	}
	fb->p = pcap_fopen_offline_with_tstamp_precision(f, PCAP_TSTAMP_PRECISION_NANO, text);
	if (fb->p == NULL) {
		fclose(f);
		fallback_close(r);
		return 0; /* libpcap knows it no better: refused with the octets it begins with */
	}
	r->format = &format_fallback;
	r->pos = r->end; /* the block is free for packets; it is turned before the first */
	iface = ns_pcap_iface_add(
		r, ns_pcap_dlt_to_linktype(pcap_datalink(fb->p)), (uint32_t)pcap_snapshot(fb->p));
	if (iface == NULL)
		return ns_fail(e, ENOMEM, "%s: no memory", r->name);
	iface->numbered = true; /* port 0 */
	return 1;
}
