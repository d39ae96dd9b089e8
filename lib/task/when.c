/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * `when`: a filter for every link type that can be decoded. A filter sees the frame from its first
 * octet, so it speaks of the outer headers of tunnelled packets, as pcap-filter(7) does.
 */
#include "task_priv.h"

#include <ns_decode.h>

#include <stdlib.h>
#include <string.h>

struct task_when *task_when_create(const char *text, struct ns_err *e)
{
	struct task_when *w = calloc(1, sizeof(*w));

	if (w != NULL)
		w->filters = calloc(UINT8_MAX, sizeof(*w->filters));
	if (w == NULL || w->filters == NULL) {
		free(w);
		ns_fail(e, ENOMEM, "no memory for filters");
		return NULL;
	}
	w->text = text;
	for (unsigned pass = 0; pass < 2; pass++) {
		/* Ethernet first, whose message is the one that helps */
		for (uint16_t t = 0; t < TASK_LINKTYPES && w->filters_n < UINT8_MAX; t++) {
			struct ns_filter *f;

			if ((t == NS_LINKTYPE_ETHERNET) != (pass == 0) || !ns_linktype_decodable(t))
				continue;
			f = ns_filter_create(text, t, 0, e);
			if (f != NULL) {
				w->filters[w->filters_n++] = f;
				w->by_linktype[t] = (uint8_t)w->filters_n;
			} else if (pass == 0 || errno == ENOMEM) {
				int err = errno;

				task_when_destroy(w);
				errno = err;
				return NULL;
			}
		}
	}
	return w;
}

void task_when_destroy(struct task_when *w)
{
	if (w == NULL)
		return;
	for (unsigned i = 0; i < w->filters_n; i++)
		ns_filter_destroy(w->filters[i]);
	free(w->filters);
	free(w);
}

bool task_when_match(const struct task_when *w, const struct rte_mbuf *m)
{
	const struct ns_packet *p = ns_packet((struct rte_mbuf *)(uintptr_t)m);
	uint8_t i = p->linktype < TASK_LINKTYPES ? w->by_linktype[p->linktype] : 0;

	return i != 0 &&
	       ns_filter_match(w->filters[i - 1], ns_packet_data(m), p->caplen, p->wirelen);
}
