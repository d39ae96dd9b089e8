/* SPDX-License-Identifier: BSD-3-Clause */
/* Copies of packets for whoever looks on; see tap.h. */
#include "tap.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ON_LAST 253 /* then octets begin with 1 again */

int tap_rings_create(struct tap *t, unsigned rings, uint64_t size)
{
	t->rings = aligned_alloc(NS_CACHE_LINE, rings * sizeof(*t->rings));
	if (t->rings == NULL)
		return ns_errno_set(ENOMEM);
	memset(t->rings, 0, rings * sizeof(*t->rings));
	for (unsigned i = 0; i < rings; i++) {
		/* an lcore must not wait for the system to find a page */
		void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

		if (p == MAP_FAILED) {
			tap_rings_empty(t, i);
			tap_rings_destroy(t);
			return ns_errno_set(ENOMEM);
		}
		t->rings[i].room = p;
		t->rings[i].size = size;
	}
	return 0;
}

void tap_rings_empty(struct tap *t, unsigned rings)
{
	for (unsigned i = 0; i < rings; i++) {
		munmap(t->rings[i].room, t->rings[i].size);
		t->rings[i].room = NULL;
	}
}

void tap_rings_destroy(struct tap *t)
{
	free(t->rings);
	t->rings = NULL;
}

/* The record at a place in the ring, which counts on without end. */
static struct tap_rec *at(const struct tap_ring *r, uint64_t place)
{
	return (struct tap_rec *)(void *)(r->room + (place & (r->size - 1)));
}

const struct tap_rec *tap_ring_first(struct tap_ring *r)
{
	for (;;) {
		if (r->tail == r->head_seen)
			r->head_seen = __atomic_load_n(&r->head, __ATOMIC_ACQUIRE);
		if (r->tail == r->head_seen)
			return NULL;

		const struct tap_rec *rec = at(r, r->tail);

		if (rec->caplen != TAP_GAP)
			return rec;
		tap_ring_drop(r, rec);
	}
}

void tap_ring_drop(struct tap_ring *r, const struct tap_rec *rec)
{
	__atomic_store_n(&r->tail, r->tail + rec->size, __ATOMIC_RELEASE);
}

uint64_t tap_ring_used(const struct tap_ring *r)
{
	uint64_t tail = __atomic_load_n(&r->tail, __ATOMIC_ACQUIRE);

	return __atomic_load_n(&r->head, __ATOMIC_ACQUIRE) - tail;
}

/* Room for a record of that many octets, all in one piece; NULL: there is none. The lcore. */
static struct tap_rec *room(struct tap_ring *r, uint32_t size)
{
	uint64_t to_end = r->size - (r->at & (r->size - 1));
	uint64_t need = size <= to_end ? size : to_end + size;

	if (r->at + need - r->tail_seen > r->size) {
		r->tail_seen = __atomic_load_n(&r->tail, __ATOMIC_ACQUIRE);
		if (r->at + need - r->tail_seen > r->size)
			return NULL;
	}
	if (size > to_end) {
		struct tap_rec *gap = at(r, r->at);

		gap->size = (uint32_t)to_end;
		gap->caplen = TAP_GAP;
		r->at += to_end;
	}
	struct tap_rec *rec = at(r, r->at);

	rec->size = size;
	r->at += size;
	return rec;
}

static void copy(const struct tap *t, struct tap_ring *r, const struct ns_packet *p,
	const uint8_t *data, struct tap_count *c)
{
	uint32_t n = NS_MIN(p->caplen, t->snaplen);
	struct tap_rec *rec = room(r, (uint32_t)RTE_ALIGN(sizeof(*rec) + n, 8));

	if (ns_unlikely(rec == NULL)) {
		ns_stat_add(&c->missed, 1);
		c->missed_now++;
		return;
	}
	rec->caplen = n;
	rec->ts_ns = p->ts_ns;
	rec->missed = c->missed_now;
	rec->wirelen = p->wirelen;
	rec->port = p->port;
	rec->linktype = p->linktype;
	memcpy(rec->data, data, n);
	c->missed_now = 0;
	if (p->ts_ns > r->newest_ns)
		ns_stat_set(&r->newest_ns, p->ts_ns);
}

void tap_burst(struct lcore *l, uint64_t word, struct rte_mbuf *const *m, uint16_t n)
{
	for (unsigned i = 0; i < TAPS; i++) {
		if (!tap_is_on(word, i))
			continue;
		const struct tap *t = l->en->taps[i];
		struct tap_ring *r = &t->rings[l->index];

		for (uint16_t k = 0; k < n; k++) {
			const struct ns_packet *p = ns_packet(m[k]);
			const uint8_t *data = ns_packet_data(m[k]);
			struct tap_count *c = &r->count[p->port % TAP_PORTS];

			if (t->one_port && p->port != t->port)
				continue;
			ns_stat_add(&c->seen, 1);
			if (!tap_matches(t, p, data))
				continue;
			ns_stat_add(&c->matched, 1);
			copy(t, r, p, data, c);
		}
		__atomic_store_n(&r->head, r->at, __ATOMIC_RELEASE);
	}
}

/* Octets have a writer each, but lcores read them as one word, and so it is written. */
static void set(struct ns_engine *en, unsigned i, uint8_t to)
{
	uint64_t was = __atomic_load_n(&en->tap_word.all, __ATOMIC_RELAXED) >> (8 * i) & 255;

	__atomic_fetch_xor(&en->tap_word.all, (was ^ to) << (8 * i), __ATOMIC_ACQ_REL);
}

void tap_begin(struct ns_engine *en, unsigned i)
{
	uint8_t last = en->tap_last[i];

	en->tap_last[i] = last == 0 || last == ON_LAST ? 1 : (uint8_t)(last + 2);
	set(en, i, en->tap_last[i]);
}

void tap_end(struct ns_engine *en, unsigned i)
{
	set(en, i, (uint8_t)(en->tap_last[i] + 1));
}

bool tap_left(const struct ns_engine *en, unsigned i)
{
	uint8_t want = (uint8_t)(en->tap_last[i] + 1);

	for (unsigned k = 0; k < en->lcores_n; k++) {
		const struct lcore *l = &en->lcores[k];

		if (l->role == ROLE_ANALYSIS || __atomic_load_n(&l->done, __ATOMIC_ACQUIRE))
			continue;
		if ((uint8_t)(__atomic_load_n(&l->tap_seen, __ATOMIC_ACQUIRE) >> (8 * i)) != want)
			return false;
	}
	return true;
}

void tap_off(struct ns_engine *en, unsigned i)
{
	set(en, i, 0);
}
