/* SPDX-License-Identifier: BSD-3-Clause */
/*
 *   hash ──▶ bucket table (512 by default) ──▶ worker ──▶ stage[worker] ──▶ rte_ring (SP/SC)
 *
 * The bucket table is one level of indirection, so that load can be moved later without hashing
 * again.
 *
 * A ring costs the same for one packet as for many: the lines of its head and tail change sides. So
 * while a full ring is waited for (file mode) packets stay in the stage until there is a burst of
 * them or the caller flushes; live, where packets must not grow old, every burst goes on at once.
 *
 * Writer of all fields: the RX lcore that owns it. sent and dropped are read by control; what a
 * lane holds is on lines of its own, so that this takes no line from another lcore.
 */
#include <ns_dispatch.h>

#include <rte_malloc.h>
#include <rte_pause.h>

#include <sched.h>
#include <string.h>
#include <time.h>

NS_DROP_REGISTER(ns_drop_ring_full, "ring_full",
	"the ring to the analysis lcore was full (live sources only)")

#define GATHER 32 /* packets that are worth a ring's while */
#define STAGE (256 + GATHER)
#define NAP_RING 2048 /* rings of this size last longer than a nap */

struct lane {
	struct rte_ring *ring;
	uint64_t sent;
	uint64_t dropped;
	uint32_t n;
	struct rte_mbuf *stage[STAGE] __attribute__((aligned(NS_CACHE_LINE)));
} __attribute__((aligned(NS_CACHE_LINE)));
_Static_assert(offsetof(struct lane, stage) == NS_CACHE_LINE, "numbers in one line");

struct ns_dispatch {
	uint32_t buckets;
	unsigned workers;
	bool wait;
	uint8_t *table;
	struct lane lanes[];
};
_Static_assert(offsetof(struct ns_dispatch, lanes) % NS_CACHE_LINE == 0, "lanes begin lines");

static const struct cyaml_schema_field dispatch_fields[] = {
	CYAML_FIELD_UINT("buckets", CYAML_FLAG_OPTIONAL, struct ns_dispatch_conf, buckets),
	CYAML_FIELD_UINT("ring", CYAML_FLAG_OPTIONAL, struct ns_dispatch_conf, ring),
	CYAML_FIELD_END};

static const struct ns_dispatch_conf dispatch_defaults = {.buckets = 512, .ring = 4096};

static const struct ns_conf_doc dispatch_docs[] = {
	{"buckets",
		"buckets that hashes fall into and lcores are given, a power of two (64-65536)"},
	{"ring", "packets that may wait for one analysis lcore, a power of two (64-1048576)"},
	{NULL, NULL}};

static int dispatch_check(const void *values, const char **key, struct ns_err *e)
{
	const struct ns_dispatch_conf *c = values;

	if (!rte_is_power_of_2(c->buckets) || c->buckets < 64 || c->buckets > 65536) {
		*key = "buckets";
		return ns_fail(e, EINVAL, "%u is no power of two from 64 to 65536", c->buckets);
	}
	if (!rte_is_power_of_2(c->ring) || c->ring < 64 || c->ring > 1048576) {
		*key = "ring";
		return ns_fail(e, EINVAL, "%u is no power of two from 64 to 1048576", c->ring);
	}
	return 0;
}

static struct ns_conf_section dispatch_section = {
	.name = "dispatch",
	.summary = "how packets are spread over analysis lcores",
	.fields = dispatch_fields,
	.size = sizeof(struct ns_dispatch_conf),
	.defaults = &dispatch_defaults,
	.docs = dispatch_docs,
	.check = dispatch_check,
};
NS_CONF_REGISTER(dispatch_section)

struct ns_dispatch *ns_dispatch_create(const struct ns_dispatch_conf *conf,
	struct rte_ring *const *rings, unsigned workers, bool wait)
{
	if (workers == 0 || workers > NS_WORKERS_MAX)
		return ns_errno_null(EINVAL);
	struct ns_dispatch *d = rte_zmalloc(
		"ns_dispatch", sizeof(*d) + workers * sizeof(d->lanes[0]), NS_CACHE_LINE);

	if (d == NULL)
		return ns_errno_null(ENOMEM);
	d->table = rte_zmalloc("ns_buckets", conf->buckets, NS_CACHE_LINE);
	if (d->table == NULL) {
		rte_free(d);
		return ns_errno_null(ENOMEM);
	}
	d->buckets = conf->buckets;
	d->workers = workers;
	d->wait = wait;
	for (uint32_t i = 0; i < conf->buckets; i++)
		d->table[i] = (uint8_t)(i % workers);
	for (unsigned w = 0; w < workers; w++)
		d->lanes[w].ring = rings[w];
	return d;
}

void ns_dispatch_destroy(struct ns_dispatch *d)
{
	if (d == NULL)
		return;
	rte_free(d->table);
	rte_free(d);
}

/*
 * The ring is full: its reader is behind, and may need this very CPU. A long ring is worked off for
 * longer than a nap takes, which leaves the CPU to others; a short one would run dry.
 */
static void wait_a_little(const struct rte_ring *ring, unsigned spins)
{
	static const struct timespec nap = {.tv_nsec = 50000};

	if (spins <= 64)
		rte_pause();
	else if (spins <= 80 || rte_ring_get_capacity(ring) < NAP_RING)
		sched_yield();
	else
		nanosleep(&nap, NULL);
}

/* File mode: waits until all have gone in. */
static void push_all(struct lane *l)
{
	unsigned done = 0;

	/* counted before they go: who waits for them sees them at once */
	ns_stat_add(&l->sent, l->n);
	for (unsigned spins = 0; done < l->n;) {
		unsigned k = rte_ring_sp_enqueue_burst(
			l->ring, (void *const *)(l->stage + done), l->n - done, NULL);

		done += k;
		spins = k == 0 ? spins + 1 : 0;
		if (k == 0)
			wait_a_little(l->ring, spins);
	}
	l->n = 0;
}

/* Live: what does not go in comes back. */
static uint16_t push_some(struct lane *l, struct rte_mbuf **back, struct ns_counters *c)
{
	unsigned k = rte_ring_sp_enqueue_burst(l->ring, (void *const *)l->stage, l->n, NULL);
	uint16_t n = (uint16_t)(l->n - k);

	ns_stat_add(&l->sent, k);
	l->n = 0;
	if (ns_likely(n == 0))
		return 0;
	memcpy(back, l->stage + k, n * sizeof(*back));
	ns_stat_add(&l->dropped, n);
	ns_stat_add(&c->v[ns_drop_ring_full.id], n);
	return n;
}

uint16_t ns_dispatch_burst(
	struct ns_dispatch *d, struct rte_mbuf **m, uint16_t n, struct ns_counters *c)
{
	uint16_t back = 0;

	for (uint16_t i = 0; i < n; i++) {
		struct lane *l = &d->lanes[d->table[ns_bucket(ns_packet(m[i])->hash, d->buckets)]];

		l->stage[l->n++] = m[i];
	}
	for (unsigned w = 0; w < d->workers; w++) {
		struct lane *l = &d->lanes[w];

		if (!d->wait && l->n > 0)
			back += push_some(l, m + back, c);
		else if (l->n >= GATHER)
			push_all(l);
	}
	return back;
}

void ns_dispatch_flush(struct ns_dispatch *d)
{
	for (unsigned w = 0; w < d->workers; w++) {
		if (d->lanes[w].n > 0)
			push_all(&d->lanes[w]);
	}
}

uint64_t ns_dispatch_sent(const struct ns_dispatch *d, unsigned w)
{
	return ns_stat_get(&d->lanes[w].sent);
}

uint64_t ns_dispatch_dropped(const struct ns_dispatch *d, unsigned w)
{
	return ns_stat_get(&d->lanes[w].dropped);
}

unsigned ns_dispatch_worker(const struct ns_dispatch *d, uint32_t bucket)
{
	return d->table[bucket];
}

uint32_t ns_dispatch_share(uint32_t buckets, unsigned workers, unsigned w)
{
	return buckets / workers + (w < buckets % workers);
}
