/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The filter of a source whose packets may be of several link types: one program for each, made by
 * the room's ns_filter when the link type first appears, never per packet.
 */
#include "pcap_priv.h"

#include <ns_filter.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ns_pcap_prog {
	struct ns_pcap_prog *next;
	struct ns_filter *filter; /* NULL: does not compile for this link type, nothing matches */
	uint16_t linktype;
};

/* Where the numbers in files and those of libpcap on Linux differ (pcap/dlt.h). */
static const struct {
	uint16_t linktype;
	int dlt;
} differ[] = {
	{100, DLT_ATM_RFC1483},
	{101, DLT_RAW},
	{102, DLT_SLIP_BSDOS},
	{103, DLT_PPP_BSDOS},
	{106, DLT_ATM_CLIP},
};

uint16_t ns_pcap_dlt_to_linktype(int dlt)
{
	for (size_t i = 0; i < NS_ARRAY_LEN(differ); i++)
		if (differ[i].dlt == dlt)
			return differ[i].linktype;
	return ns_pcap_linktype_canon((uint16_t)dlt);
}

uint16_t ns_pcap_linktype_canon(uint16_t linktype)
{
	switch (linktype) {
	case 11: /* DLT_ATM_RFC1483 as some systems wrote it to files */
		return 100;
	case 12: /* DLT_RAW of most systems */
	case 14: /* DLT_RAW of OpenBSD */
		return 101;
	default:
		return linktype;
	}
}

struct ns_pcap_prog *ns_pcap_filter_get(struct ns_source *s, uint16_t linktype)
{
	struct ns_pcap_prog *prog;
	struct ns_err e = {.text = ""};

	if (s->filter == NULL)
		return NULL;
	for (prog = s->progs; prog != NULL; prog = prog->next)
		if (prog->linktype == linktype)
			return prog;
	prog = calloc(1, sizeof(*prog));
	if (prog == NULL)
		return NULL; /* as a filter that matches nothing */
	prog->linktype = linktype;
	prog->next = s->progs;
	s->progs = prog;
	/* Packets keep up to 65535 octets here, whatever the snapshot length of the file was. */
	prog->filter = ns_filter_create(s->filter, linktype, 0, &e);
	if (prog->filter != NULL)
		s->filter_ok = true;
	else if (s->opened)
		ns_pcap_note(s, "link type %u: %s; its packets are filtered out", linktype, e.text);
	else if (s->filter_err[0] == 0)
		snprintf(
			s->filter_err, sizeof(s->filter_err), "link type %u: %s", linktype, e.text);
	return prog;
}

int ns_pcap_filter_opened(struct ns_source *s, struct ns_err *e)
{
	if (s->filter == NULL)
		return 0;
	/* No interface in any file: the expression can still be wrong, and is said to be. */
	if (s->progs == NULL)
		ns_pcap_filter_get(s, NS_LINKTYPE_ETHERNET);
	if (!s->filter_ok)
		return ns_fail(e, EINVAL, "%s", s->filter_err);
	if (s->filter_err[0] != 0)
		ns_pcap_note(s, "%s; its packets are filtered out", s->filter_err);
	return 0;
}

unsigned ns_pcap_filter_run(struct ns_source *s, struct ns_pcap_rec *recs, unsigned n)
{
	unsigned kept = 0;
	uint64_t octets = 0;

	for (unsigned i = 0; i < n; i++) {
		const struct ns_pcap_prog *prog = recs[i].iface->prog;

		if (prog != NULL && prog->filter != NULL &&
			ns_filter_match(
				prog->filter, recs[i].data, recs[i].caplen, recs[i].wirelen))
			recs[kept++] = recs[i];
		else
			octets += recs[i].wirelen;
	}
	if (kept < n) {
		ns_pcap_account(s, n - kept, octets);
		__atomic_store_n(
			&s->stats.filtered, s->stats.filtered + (n - kept), __ATOMIC_RELAXED);
	}
	return kept;
}

void ns_pcap_filter_free(struct ns_source *s)
{
	while (s->progs != NULL) {
		struct ns_pcap_prog *prog = s->progs;

		s->progs = prog->next;
		ns_filter_destroy(prog->filter);
		free(prog);
	}
}
