/* SPDX-License-Identifier: BSD-3-Clause */
/* Replays as control sees them: what one needs, its begin, its end; see replay_priv.h. */
#include "replay_priv.h"

#include <ns_engine.h>
#include <ns_registry.h>

#include <rte_errno.h>
#include <rte_mbuf.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SOURCE "pcap"
#define SOURCE_MBUFS 255 /* of no room: they point at where the file was read to */

/* DPDK's ports are the process's, and so are these. Control's. */
static struct {
	struct replay of[REPLAYS];
	uint32_t last_id;
} replays;

void replay_stop(struct replay *r)
{
	__atomic_store_n(&r->stop, true, __ATOMIC_RELEASE);
}

struct replay *replay_next(uint32_t after)
{
	struct replay *best = NULL;

	for (unsigned i = 0; i < REPLAYS; i++) {
		struct replay *r = &replays.of[i];

		if (r->id > after && (best == NULL || r->id < best->id))
			best = r;
	}
	return best;
}

/* Frees all that an ended replay, or one that could not begin, has; waits for its thread. */
static void tidy(struct replay *r)
{
	if (r->threaded)
		pthread_join(r->thread, NULL);
	else
		ns_send_close(r->out);
	if (r->source != NULL)
		r->ops->close(r->source);
	rte_mempool_free(r->pool);
	ns_quantile_destroy(r->late);
	memset(r, 0, sizeof(*r));
}

/* A place that was never used, or that of the replay that ended first. */
static struct replay *place(void)
{
	struct replay *best = NULL;

	for (unsigned i = 0; i < REPLAYS; i++) {
		struct replay *r = &replays.of[i];

		if (r->id == 0)
			return r;
		if (replay_ended(r) && (best == NULL || r->end_mono < best->end_mono))
			best = r;
	}
	return best;
}

/* A pipe would keep control waiting for who writes it. */
static int check_file(struct replay *r, const char *path, struct ns_err *e)
{
	struct stat st;

	if (strlen(path) >= sizeof(r->path))
		return ns_fail(e, ENAMETOOLONG, "%.60s...: the name is too long", path);
	memcpy(r->path, path, strlen(path) + 1);
	if (stat(path, &st) < 0)
		return ns_fail(e, errno, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return ns_fail(e, EINVAL, "%s: is no regular file", path);
	return 0;
}

static int make_memory(struct replay *r, struct ns_err *e)
{
	static const struct ns_quantile_conf exact = {.error = 0.01};
	const struct ns_plugin *p = ns_plugin_find(NS_SOURCE_KIND, SOURCE);
	char name[RTE_MEMPOOL_NAMESIZE];

	if (p == NULL)
		return ns_fail(e, ENOTSUP, "this program has no source \"" SOURCE "\"");
	r->ops = p->ops;
	snprintf(name, sizeof(name), "ns_replay%u", (unsigned)(r - replays.of));
	r->pool = rte_pktmbuf_pool_create(name, SOURCE_MBUFS, 0, NS_PACKET_PRIV, 0, SOCKET_ID_ANY);
	r->late = ns_quantile_create(&exact);
	if (r->pool == NULL || r->late == NULL)
		return ns_fail(e, ENOMEM, "no memory for a replay (engine.memory)");
	return 0;
}

/* Signals are the main thread's, but for that of a file that was made shorter. */
static int start_thread(struct replay *r, struct ns_err *e)
{
	sigset_t most, old;

	sigfillset(&most);
	sigdelset(&most, SIGBUS);
	pthread_sigmask(SIG_SETMASK, &most, &old);
	int rc = pthread_create(&r->thread, NULL, replay_thread, r);

	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc != 0)
		return ns_fail(e, rc, "no thread for a replay: %s", strerror(rc));
	r->threaded = true;
	return 0;
}

static int prepare(struct replay *r, const struct replay_args *args, struct ns_err *e)
{
	char who[32], device[NS_PORT_NAME];
	uint16_t port = 0;
	int rc = ns_port_find(args->to, &port, e);

	if (rc == 0)
		rc = check_file(r, args->path, e);
	if (rc == 0)
		rc = make_memory(r, e);
	if (rc == 0)
		rc = replay_open(r, e);
	if (rc < 0)
		return rc;
	ns_port_names(port, r->to, device);
	r->pace = (struct pace){.how = args->how, .speed = args->speed, .pps = args->pps};
	r->loops = args->loops;
	r->cut = args->cut;
	snprintf(who, sizeof(who), "replay %u", replays.last_id + 1);
	r->out = ns_send_open(port, who, e);
	if (r->out == NULL)
		return -errno;
	r->claim = ns_send_claim(r->out);
	r->id = replays.last_id + 1;
	return start_thread(r, e);
}

const struct replay *replay_start(
	struct ns_engine *en, const struct replay_args *args, struct ns_err *e)
{
	struct replay *r = place();

	if (ns_engine_stopping(en)) {
		ns_fail(e, ESHUTDOWN, "the engine is ending");
		return NULL;
	}
	if (r == NULL) {
		ns_fail(e, EBUSY, "%u replays run already; stop one first", REPLAYS);
		return NULL;
	}
	tidy(r);
	r->en = en;
	if (prepare(r, args, e) < 0) {
		int err = errno;

		tidy(r);
		return ns_errno_null(err);
	}
	replays.last_id = r->id;
	return r;
}

void ns_replay_end(void)
{
	for (unsigned i = 0; i < REPLAYS; i++)
		replay_stop(&replays.of[i]);
	for (unsigned i = 0; i < REPLAYS; i++)
		tidy(&replays.of[i]);
}
