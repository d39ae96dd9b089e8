/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bursts of mbufs that point at packets where they lie, in a block or in the mapped file.
 *
 * All that is the same for every packet is written once, when the source opens: from then on until
 * it is closed the pool's mbufs are its own, point anywhere, and are made whole again at the end.
 * Who gives packets back hands over pointers and touches no mbuf.
 *
 *   with a hold      pool ─▶ burst ─▶ dispatch ─▶ other lcores ─▶ pool
 *   without one      everything is done when the next burst is asked for: always the same mbufs,
 *                    which stay in the first-level cache
 *
 * buf_iova is left alone: no device ever sees these packets.
 *
 * A burst ends early when a file must bring new octets to a block: only at the beginning of a burst
 * is everything that earlier bursts gave out accounted for (see ns_source_hold). Nothing moves in a
 * mapping.
 */
#include "pcap_priv.h"

#include <rte_mbuf.h>

#include <stdlib.h>

#define HAND_MAX 256 /* the largest burst */

static void prepare(struct rte_mempool *pool, void *ctx, void *obj, unsigned i)
{
	struct rte_mbuf *m = obj;

	m->data_off = 0;
	m->buf_len = UINT16_MAX; /* captured octets end sooner, and nobody appends */
	rte_mbuf_refcnt_set(m, 1);
	m->nb_segs = 1;
	m->next = NULL;
	m->port = RTE_MBUF_PORT_INVALID;
	m->ol_flags = 0;
	m->packet_type = 0;
}

/* Takes up to n mbufs, fewer when the pool is short. */
static unsigned take(struct ns_source *s, struct rte_mbuf **m, unsigned n)
{
	while (n > 0 && rte_mempool_get_bulk(s->pool, (void **)m, n) != 0)
		n /= 2;
	return n;
}

int ns_pcap_mbufs_take(struct ns_source *s)
{
	rte_mempool_obj_iter(s->pool, prepare, NULL);
	if (s->hold.mark != NULL)
		return 0;
	s->hand = calloc(HAND_MAX, sizeof(struct rte_mbuf *));
	if (s->hand == NULL)
		return -ENOMEM;
	for (unsigned got = 1; got > 0 && s->hand_n < HAND_MAX; s->hand_n += got)
		got = take(s, s->hand + s->hand_n, HAND_MAX - s->hand_n);
	return s->hand_n > 0 ? 0 : -ENOMEM;
}

void ns_pcap_mbufs_back(struct ns_source *s)
{
	if (s->hand_n > 0)
		rte_mempool_put_bulk(s->pool, (void **)s->hand, s->hand_n);
	s->hand_n = 0;
	free(s->hand);
	s->hand = NULL;
	rte_mempool_obj_iter(s->pool, rte_pktmbuf_init, NULL);
}

/* mbufs for a burst of up to n; what is not used goes to spare(). */
static unsigned mbufs(struct ns_source *s, struct rte_mbuf **m, unsigned n)
{
	if (s->hand == NULL)
		return take(s, m, n);
	n = NS_MIN(n, s->hand_n);
	memcpy(m, s->hand, n * sizeof(struct rte_mbuf *));
	return n;
}

static void spare(struct ns_source *s, struct rte_mbuf **m, unsigned n)
{
	if (n > 0 && s->hand == NULL)
		rte_mempool_put_bulk(s->pool, (void **)m, n);
}

void ns_pcap_release(struct ns_source *s, struct rte_mbuf **m, uint16_t n)
{
	spare(s, m, n);
}

static inline void wrap_rec(
	struct ns_source *s, struct rte_mbuf *m, const struct ns_pcap_rec *rec, const uint8_t *data)
{
	s->clock_ns = NS_MAX(s->clock_ns, rec->ts_ns);
	s->octets += rec->wirelen;
	ns_pcap_wrap(m, data, rec->ts_ns, s->clock_ns, rec->wirelen, rec->caplen,
		ns_pcap_where(rec->iface));
}

static void ended(struct ns_source *s)
{
	enum ns_source_status st = NS_SOURCE_END;

	for (unsigned i = 0; i < s->readers_n; i++)
		if (s->readers[i]->damaged)
			st = NS_SOURCE_DAMAGED;
	__atomic_store_n(&s->status, st, __ATOMIC_RELEASE);
}

/* The file was lost while it was cut up: how many of n packets are still what it held. */
static unsigned still_good(struct ns_pcap_reader *r, struct rte_mbuf **m, unsigned n)
{
	unsigned k = 0;

	while (k < n && ns_pcap_map_good(r, ns_packet_data(m[k]), m[k]->data_len))
		k++;
	for (unsigned i = k; i < n; i++)
		r->s->octets -= ns_packet(m[i])->wirelen;
	ns_pcap_map_end(r);
	return k;
}

/* Cuts straight into mbufs; 0: no more in this burst. @p fresh: nothing of it is given out yet. */
static unsigned cut_into(struct ns_pcap_reader *r, struct rte_mbuf **m, unsigned n, bool fresh)
{
	unsigned k = 0;

	while (k == 0 && r->state != NS_PCAP_ENDED) {
		if (r->state == NS_PCAP_STARVED &&
			((!fresh && r->map.base == NULL) || ns_pcap_reader_fill(r) < 0))
			break;
		k = r->format->wrap(r, m, n);
		if (ns_pcap_map_lost(r))
			k = still_good(r, m, k);
	}
	return k;
}

static unsigned from_recs(struct ns_pcap_reader *r, struct rte_mbuf **m, unsigned n)
{
	const struct ns_pcap_rec *rec = &r->recs[r->head];

	n = NS_MIN(n, r->count - r->head);
	for (unsigned i = 0; i < n; i++)
		wrap_rec(r->s, m[i], &rec[i], rec[i].data);
	r->head += n;
	return n;
}

static unsigned burst_single(struct ns_source *s, struct rte_mbuf **m, unsigned n)
{
	struct ns_pcap_reader *r = s->readers[0];
	bool straight = s->filter == NULL && r->format->wrap != NULL;
	unsigned done = 0;

	while (done < n) {
		unsigned k;

		if (r->head < r->count) {
			k = from_recs(r, m + done, n - done);
		} else if (straight) {
			k = cut_into(r, m + done, n - done, done == 0);
		} else {
			k = done > 0 && r->map.base == NULL ? ns_pcap_reader_cut(r)
							    : ns_pcap_reader_next(r);
			if (k > 0)
				continue;
		}
		if (k == 0)
			break;
		done += k;
	}
	return done;
}

static inline bool earlier(const struct ns_pcap_reader *a, const struct ns_pcap_reader *b)
{
	uint64_t ta = a->recs[a->head].ts_ns, tb = b->recs[b->head].ts_ns;

	return ta < tb || (ta == tb && a->index < b->index);
}

/* The root of the heap has another first packet: it sinks to its place. */
static void sink(struct ns_source *s, unsigned at)
{
	struct ns_pcap_reader *r = s->heap[at];

	for (;;) {
		unsigned child = 2 * at + 1;

		if (child >= s->heap_n)
			break;
		if (child + 1 < s->heap_n && earlier(s->heap[child + 1], s->heap[child]))
			child++;
		if (!earlier(s->heap[child], r))
			break;
		s->heap[at] = s->heap[child];
		at = child;
	}
	s->heap[at] = r;
}

/*
 * The root has no packet left in its queue: cuts more or brings octets (@p fresh: nothing of this
 * burst is given out yet). False: not now.
 */
static bool root_next(struct ns_source *s, bool fresh)
{
	struct ns_pcap_reader *r = s->heap[0];

	if ((fresh || r->map.base != NULL ? ns_pcap_reader_next(r) : ns_pcap_reader_cut(r)) == 0) {
		if (r->state != NS_PCAP_ENDED)
			return false;
		s->heap[0] = s->heap[--s->heap_n];
	}
	if (s->heap_n > 0)
		sink(s, 0);
	return true;
}

/* Where the octets of a merged packet may stay; NULL: not in this burst. */
static const uint8_t *keep(
	const struct ns_pcap_reader *r, const struct ns_pcap_rec *rec, bool fresh)
{
	struct ns_source *s = r->s;
	uint8_t *to;

	if (!s->arena || ns_pcap_mapped(r, rec->data))
		return rec->data;
	to = ns_pcap_arena_get(s, rec->caplen);
	if (to == NULL) {
		if (!fresh || ns_pcap_arena_turn(s, rec->caplen) < 0)
			return NULL;
		to = ns_pcap_arena_get(s, rec->caplen);
	}
	memcpy(to, rec->data, rec->caplen);
	return to;
}

static unsigned burst_merge(struct ns_source *s, struct rte_mbuf **m, unsigned n)
{
	unsigned done = 0;

	while (done < n && s->heap_n > 0) {
		struct ns_pcap_reader *r = s->heap[0];
		const struct ns_pcap_rec *rec;
		const uint8_t *data;

		if (r->head == r->count) {
			if (!root_next(s, done == 0))
				break;
			continue;
		}
		rec = &r->recs[r->head];
		data = keep(r, rec, done == 0);
		if (data == NULL)
			break;
		if (ns_unlikely(!rec->iface->numbered))
			ns_pcap_iface_number(s, rec->iface);
		wrap_rec(s, m[done++], rec, data);
		if (++r->head < r->count)
			sink(s, 0);
	}
	return done;
}

void ns_pcap_heap_make(struct ns_source *s)
{
	for (unsigned i = 0; i < s->readers_n; i++)
		if (ns_pcap_reader_next(s->readers[i]) > 0 || s->readers[i]->state != NS_PCAP_ENDED)
			s->heap[s->heap_n++] = s->readers[i];
	for (unsigned i = s->heap_n / 2; i-- > 0;)
		sink(s, i);
}

static bool over(const struct ns_source *s)
{
	const struct ns_pcap_reader *r = s->readers[0];

	if (s->merge)
		return s->heap_n == 0;
	return r->head == r->count && r->state == NS_PCAP_ENDED;
}

uint16_t ns_pcap_burst(struct ns_source *s, unsigned queue, struct rte_mbuf **m, uint16_t n)
{
	unsigned have, done;

	if (s->status != NS_SOURCE_MORE)
		return 0;
	s->octets = 0;
	have = mbufs(s, m, n);
	done = s->merge ? burst_merge(s, m, have) : burst_single(s, m, have);
	spare(s, m + done, have - done);
	ns_pcap_account(s, done, s->octets);
	if (done == 0 && over(s))
		ended(s);
	return (uint16_t)done;
}
