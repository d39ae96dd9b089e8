/* SPDX-License-Identifier: BSD-3-Clause */
/*
 *   hash ──▶ bucket table (512 by default) ──▶ worker ──▶ stage[worker] ──▶ rte_ring (SP/SC)
 *
 * The bucket table is one level of indirection, so that load can be moved later without hashing
 * again. Writer of all fields: the RX lcore that owns it; sent and dropped are read by control.
 */
#include <ns_dispatch.h>

#include <rte_malloc.h>
#include <rte_pause.h>

#include <sched.h>
#include <string.h>

NS_DROP_REGISTER(ns_drop_ring_full, "ring_full",
	"the ring to the analysis lcore was full (live sources only)")

#define STAGE 256

struct lane {
	struct rte_ring *ring;
	uint64_t sent;
	uint64_t dropped;
	uint16_t n;
	struct rte_mbuf *stage[STAGE];
} __attribute__((aligned(NS_CACHE_LINE)));

struct ns_dispatch {
	uint32_t buckets;
	unsigned workers;
	bool wait;
	uint8_t *table;
	struct lane lanes[];
};

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

/* File mode: the source waits until all have gone in. The reader may share its CPU with the
 * workers. */
static void push_all(struct lane *l)
{
	unsigned done = 0;

	for (unsigned spins = 0; done < l->n; spins++) {
		unsigned k = rte_ring_sp_enqueue_burst(
			l->ring, (void *const *)(l->stage + done), l->n - done, NULL);

		done += k;
		if (k == 0 && spins > 64)
			sched_yield();
		else if (k == 0)
			rte_pause();
	}
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
		unsigned k = l->n;

		if (l->n == 0)
			continue;
		/* counted before they go: who waits for them sees them at once */
		if (d->wait) {
			ns_stat_add(&l->sent, k);
			push_all(l);
		} else {
			k = rte_ring_sp_enqueue_burst(l->ring, (void *const *)l->stage, l->n, NULL);
			ns_stat_add(&l->sent, k);
		}
		for (; k < l->n; k++) {
			m[back++] = l->stage[k];
			ns_stat_add(&l->dropped, 1);
			ns_count(c, &ns_drop_ring_full);
		}
		l->n = 0;
	}
	return back;
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
