/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Source "pcap": capture files, by our own block reader, since reading is on the packet path.
 *
 * mbufs come from the pool in bulk and are pointed at the packets where they lie in the block; a
 * pool of the smallest data room will do. release() points them back at their own buffers, so that
 * an mbuf in the pool is always whole. buf_iova is left alone: no device ever sees these packets.
 *
 * A burst ends early when a file must bring new octets: only at the beginning of a burst is
 * everything that earlier bursts gave out accounted for (see ns_source_hold).
 */
#include "pcap_priv.h"

#include <rte_mbuf.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The shortest record that can be of a flow: a record header and an IP header of 20 octets. */
#define RECORD_SMALLEST (16 + 20)
/* Merged files share this much memory for their blocks. */
#define MERGE_OCTETS ((size_t)64 << 20)

/* Takes up to n mbufs, fewer when the pool is short. */
static uint16_t take_mbufs(struct ns_source *s, struct rte_mbuf **m, uint16_t n)
{
	while (n > 0 && rte_mempool_get_bulk(s->pool, (void **)m, n) != 0)
		n /= 2;
	return n;
}

static inline __attribute__((always_inline)) void wrap(
	struct ns_source *s, struct rte_mbuf *m, const struct ns_pcap_rec *rec, const uint8_t *data)
{
	struct ns_packet *p = ns_packet(m);
	uint64_t ts = rec->ts_ns;

	m->buf_addr = (void *)(uintptr_t)data;
	memcpy(&m->rearm_data, &s->rearm, sizeof(s->rearm));
	m->ol_flags = 0;
	m->packet_type = 0;
	m->pkt_len = rec->caplen;
	m->data_len = (uint16_t)rec->caplen;
	m->buf_len = (uint16_t)rec->caplen;
	s->clock_ns = NS_MAX(s->clock_ns, ts);
	p->ts_ns = ts;
	p->clock_ns = s->clock_ns;
	p->wirelen = rec->wirelen;
	p->caplen = rec->caplen;
	p->linktype = rec->iface->linktype;
	p->port = rec->iface->port;
	p->flags = 0;
}

static void ended(struct ns_source *s)
{
	enum ns_source_status st = NS_SOURCE_END;

	for (unsigned i = 0; i < s->readers_n; i++)
		if (s->readers[i]->damaged)
			st = NS_SOURCE_DAMAGED;
	__atomic_store_n(&s->status, st, __ATOMIC_RELEASE);
}

static uint16_t burst_single(struct ns_source *s, struct rte_mbuf **m, uint16_t n)
{
	struct ns_pcap_reader *r = s->readers[0];
	uint64_t octets = 0;
	uint16_t done = 0;

	while (done < n) {
		const struct ns_pcap_rec *rec;
		uint16_t k;

		if (r->head == r->count &&
			(done > 0 ? ns_pcap_reader_cut(r) : ns_pcap_reader_next(r)) == 0)
			break;
		k = take_mbufs(
			s, m + done, (uint16_t)NS_MIN((unsigned)(n - done), r->count - r->head));
		if (k == 0)
			break;
		rec = &r->recs[r->head];
		for (uint16_t i = 0; i < k; i++) {
			wrap(s, m[done + i], &rec[i], rec[i].data);
			octets += rec[i].wirelen;
		}
		r->head += k;
		done += k;
	}
	ns_pcap_account(s, done, octets);
	if (done == 0 && r->head == r->count && r->state == NS_PCAP_ENDED)
		ended(s);
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

	if ((fresh ? ns_pcap_reader_next(r) : ns_pcap_reader_cut(r)) == 0) {
		if (r->state != NS_PCAP_ENDED)
			return false;
		s->heap[0] = s->heap[--s->heap_n];
	}
	if (s->heap_n > 0)
		sink(s, 0);
	return true;
}

/* Where the octets of a merged packet may stay; NULL: not in this burst. */
static const uint8_t *keep(struct ns_source *s, const struct ns_pcap_rec *rec, bool fresh)
{
	uint8_t *to;

	if (!s->arena)
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

static uint16_t burst_merge(struct ns_source *s, struct rte_mbuf **m, uint16_t n)
{
	uint64_t octets = 0;
	uint16_t done = 0;

	n = take_mbufs(s, m, n);
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
		data = keep(s, rec, done == 0);
		if (data == NULL)
			break;
		if (ns_unlikely(!rec->iface->numbered))
			ns_pcap_iface_number(s, rec->iface);
		wrap(s, m[done++], rec, data);
		octets += rec->wirelen;
		if (++r->head < r->count)
			sink(s, 0);
	}
	if (done < n)
		rte_mempool_put_bulk(s->pool, (void **)(m + done), n - done);
	ns_pcap_account(s, done, octets);
	if (s->heap_n == 0 && done == 0)
		ended(s);
	return done;
}

static uint16_t burst(struct ns_source *s, unsigned queue, struct rte_mbuf **m, uint16_t n)
{
	if (s->status != NS_SOURCE_MORE)
		return 0;
	return s->merge ? burst_merge(s, m, n) : burst_single(s, m, n);
}

static void release(struct ns_source *s, struct rte_mbuf **m, uint16_t n)
{
	const uint16_t buf_len = s->buf_len;

	for (uint16_t i = 0; i < n; i++) {
		m[i]->buf_addr = (uint8_t *)m[i] + sizeof(struct rte_mbuf) + m[i]->priv_size;
		m[i]->buf_len = buf_len;
	}
	rte_mempool_put_bulk(s->pool, (void **)m, n);
}

static enum ns_source_status status(const struct ns_source *s)
{
	return __atomic_load_n(&s->status, __ATOMIC_ACQUIRE);
}

static const char *message(const struct ns_source *s)
{
	return s->text;
}

static void stats(struct ns_source *s, struct ns_source_stats *out)
{
	*out = (struct ns_source_stats){
		.packets = __atomic_load_n(&s->stats.packets, __ATOMIC_RELAXED),
		.octets = __atomic_load_n(&s->stats.octets, __ATOMIC_RELAXED),
		.filtered = __atomic_load_n(&s->stats.filtered, __ATOMIC_RELAXED),
		.bytes_read = __atomic_load_n(&s->stats.bytes_read, __ATOMIC_RELAXED),
		.bytes_total = s->stats.bytes_total,
	};
}

static void stop(struct ns_source *s)
{
	__atomic_store_n(&s->stop, true, __ATOMIC_RELAXED);
}

static void close_source(struct ns_source *s)
{
	if (s == NULL)
		return;
	for (unsigned i = 0; i < s->readers_n; i++)
		ns_pcap_reader_destroy(s->readers[i]);
	ns_pcap_filter_free(s);
	ns_pcap_blocks_free(s);
	free(s->readers);
	free(s->heap);
	free(s);
}

/* Blocks no larger than the input asks for: a thousand small files are merged in little memory. */
static size_t block_size(const struct ns_source *s, unsigned targets)
{
	size_t size = ns_pcap_block_octets;

	if (targets > 1)
		size = NS_MAX(NS_MIN(size, MERGE_OCTETS / targets), NS_MIN(size, 16384u));
	return size;
}

static int open_all(struct ns_source *s, const struct ns_source_args *a, struct ns_err *e)
{
	bool sizes_known = true;

	for (unsigned i = 0; i < a->targets_n; i++) {
		struct ns_pcap_stream st;
		int rc = ns_pcap_stream_open(&st, a->targets[i], e);

		if (rc < 0)
			return rc;
		st.stop = &s->stop;
		s->stats.bytes_total += st.size;
		sizes_known &= st.regular;
		s->readers[i] = ns_pcap_reader_create(s, &st,
			strcmp(a->targets[i], "-") == 0 ? "standard input" : a->targets[i], i, e);
		if (s->readers[i] == NULL)
			return -errno;
		s->readers_n++;
	}
	if (!sizes_known)
		s->stats.bytes_total = 0;
	for (unsigned i = 0; i < s->readers_n; i++)
		if (ns_pcap_reader_next(s->readers[i]) > 0 || s->readers[i]->state != NS_PCAP_ENDED)
			s->heap[s->heap_n++] = s->readers[i];
	for (unsigned i = s->heap_n / 2; i-- > 0;)
		sink(s, i);
	return ns_pcap_filter_opened(s, e);
}

static struct ns_source *open_source(const struct ns_source_args *a, struct ns_err *e)
{
	struct rte_mbuf rearm = {.data_off = 0, .nb_segs = 1, .port = RTE_MBUF_PORT_INVALID};
	struct ns_source *s = calloc(1, sizeof(*s));
	int rc;

	if (s == NULL || a->targets_n == 0) {
		rc = s == NULL ? ENOMEM : EINVAL;
		ns_fail(e, rc, s == NULL ? "no memory" : "no capture file given");
		free(s);
		return ns_errno_null(rc);
	}
	rte_mbuf_refcnt_set(&rearm, 1);
	memcpy(&s->rearm, &rearm.rearm_data, sizeof(s->rearm));
	s->pool = a->pool;
	s->buf_len = rte_pktmbuf_data_room_size(a->pool);
	s->hold = a->hold;
	s->filter = a->filter != NULL && a->filter[0] != 0 ? a->filter : NULL;
	s->merge = a->targets_n > 1;
	s->slots_used = a->hold.mark != NULL && !s->merge;
	s->arena = a->hold.mark != NULL && s->merge;
	s->block = block_size(s, a->targets_n);
	s->readers = calloc(a->targets_n, sizeof(struct ns_pcap_reader *));
	s->heap = calloc(a->targets_n, sizeof(struct ns_pcap_reader *));
	if (s->readers == NULL || s->heap == NULL)
		rc = ns_fail(e, ENOMEM, "no memory");
	else
		rc = open_all(s, a, e);
	if (rc < 0) {
		close_source(s);
		return ns_errno_null(-rc);
	}
	s->opened = true;
	return s;
}

/* Octets of the file, or 0 when they do not tell how many packets there are. */
static uint64_t plain_size(const char *path)
{
	struct ns_pcap_stream st;
	uint64_t size;

	if (strcmp(path, "-") == 0 || ns_pcap_stream_open(&st, path, NULL) < 0)
		return 0;
	size = st.pack == NS_PCAP_PLAIN ? st.size : 0;
	ns_pcap_stream_close(&st);
	return size;
}

static uint64_t packets_bound(const char *const *targets, unsigned n)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < n; i++) {
		uint64_t size = plain_size(targets[i]);

		if (size == 0)
			return 0;
		sum += size / RECORD_SMALLEST + 1;
	}
	return sum;
}

static const struct ns_source_ops ops = {
	.live = false,
	.open = open_source,
	.burst = burst,
	.release = release,
	.status = status,
	.message = message,
	.stats = stats,
	.stop = stop,
	.close = close_source,
	.packets_bound = packets_bound,
};

static const struct ns_plugin pcap = {
	.kind = NS_SOURCE_KIND,
	.name = "pcap",
	.summary = "capture files: pcap, pcapng, plain or .gz or .zst, merged by time; - is stdin",
	.abi = NS_PLUGIN_ABI,
	.ops = &ops,
};
NS_PLUGIN_REGISTER(pcap)
