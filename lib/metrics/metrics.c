/* SPDX-License-Identifier: BSD-3-Clause */
/* The room's owner: copies the state of an epoch, has it rendered, publishes it. Main thread. */
#include "metrics_priv.h"

#include <ns_log.h>
#include <ns_node.h>

#include <rte_version.h>

#include <stdlib.h>
#include <string.h>

NS_LOG_TYPE("metrics");

struct ns_metrics {
	struct http *http; /* NULL: off */
	struct health health; /* written before the thread starts */
	/* where busy seconds are summed up, by place in the state */
	uint64_t busy_ns[NS_ENGINE_LCORES];
	struct stall stall;
	uint64_t stalled; /* of the last epoch */
	uint64_t skipped;
	bool told; /* of a lack of memory */
};

/* One a process: commands of telemetry can't be taken back, and have no context. */
static struct board board;
static struct ns_metrics *only;
static bool ready;

static void copy_free(void *thing)
{
	struct copy *c = thing;

	free(c->page);
	free(c);
}

/* @st and all that it points to, in one allocation; NULL: no memory. */
static struct copy *copy_make(const struct ns_engine_state *st)
{
	size_t counters = st->counters_n * sizeof(*st->counters);
	size_t lcores = st->lcores_n * sizeof(*st->lcores);
	size_t writers = st->writers_n * sizeof(*st->writers);
	struct copy *c = calloc(1, sizeof(*c) + counters + lcores + writers);

	if (c == NULL)
		return NULL;
	uint8_t *at = (uint8_t *)(c + 1);

	c->st = *st;
	c->st.counters = (const struct ns_counter_rec *)at;
	c->st.lcores = (const struct ns_lcore_rec *)(at + counters);
	c->st.writers = (const struct ns_writer_rec *)(at + counters + lcores);
	if (counters > 0)
		memcpy(at, st->counters, counters);
	if (lcores > 0)
		memcpy(at + counters, st->lcores, lcores);
	if (writers > 0)
		memcpy(at + counters + lcores, st->writers, writers);
	c->mono_ns = ns_clock_mono();
	return c;
}

static void sum_busy(struct ns_metrics *m, const struct ns_engine_state *st)
{
	uint64_t span = st->epoch.end_ns - st->epoch.start_ns;

	for (unsigned i = 0; i < NS_MIN(st->lcores_n, NS_ENGINE_LCORES); i++)
		m->busy_ns[i] += (uint64_t)(st->lcores[i].epoch_busy * (double)span);
}

static char *render(const struct ns_metrics *m, const struct ns_engine_state *st, size_t *len)
{
	struct page_args a = {.st = st,
		.node = ns_node()->name,
		.version = NS_VERSION,
		.dpdk = rte_version(),
		.busy_ns = m->busy_ns,
		.epoch_ns = m->health.epoch_ns,
		.stalled = m->stalled,
		.skipped = m->skipped};
	struct proc proc;

	a.counters = ns_counters_all(&a.counters_n);
	a.proc = &proc;
	proc_read(&proc);
	return page_make(&a, len);
}

static void tell(struct ns_metrics *m)
{
	if (!m->told)
		NS_LOG(WARNING, "no memory: the numbers of an epoch are not shown");
	m->told = true;
}

void ns_metrics_epoch(struct ns_metrics *m, const struct ns_engine_state *st)
{
	struct copy *c = copy_make(st);

	sum_busy(m, st);
	m->stalled = health_stalled(&m->stall, &m->health, st, ns_clock_mono());
	if (c != NULL)
		c->stalled = m->stalled;
	if (c != NULL && m->http != NULL) {
		c->page = render(m, st, &c->page_len);
		if (c->page == NULL) {
			copy_free(c);
			c = NULL;
		}
	}
	if (c == NULL) {
		tell(m);
	} else if (board_publish(&board, c) < 0) {
		m->skipped++;
		copy_free(c);
	}
}

struct ns_metrics *ns_metrics_create(const struct ns_conf *conf, struct ns_err *e)
{
	const struct metrics_conf *c = ns_conf_get(conf, "metrics");
	const struct ns_engine_conf *engine = ns_conf_get(conf, "engine");

	if (only != NULL) {
		ns_fail(e, EBUSY, "metrics are there already");
		return NULL;
	}
	struct ns_metrics *m = calloc(1, sizeof(*m));

	if (m == NULL) {
		ns_fail(e, ENOMEM, "no memory");
		return NULL;
	}
	m->health.started_ns = ns_clock_mono();
	m->health.epoch_ns = (uint64_t)engine->epoch_ms * 1000000;
	if (!ready)
		board_init(&board, copy_free);
	ready = true;
	int rc = telemetry_register(&board, e);

	if (rc == 0 && c->listen != NULL && c->listen[0] != '\0') {
		m->http = http_start(c, &board, &m->health, e);
		rc = m->http == NULL ? -errno : 0;
	}
	if (rc < 0) {
		free(m);
		return ns_errno_null(-rc);
	}
	if (m->http != NULL)
		NS_LOG(NOTICE, "http://%s/metrics", http_address(m->http));
	only = m;
	return m;
}

const char *ns_metrics_address(const struct ns_metrics *m)
{
	return m->http != NULL ? http_address(m->http) : "";
}

void ns_metrics_destroy(struct ns_metrics *m)
{
	if (m == NULL)
		return;
	http_stop(m->http); /* its borrowed pages come back */
	board_clear(&board); /* and those of telemetry */
	only = NULL;
	free(m);
}
