/* SPDX-License-Identifier: BSD-3-Clause */
/* The writer that the engine sees. What happens behind the disk is in deliver.c. */
#include "spool_writer.h"

#include <ns_log.h>
#include <ns_registry.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

NS_LOG_TYPE("write.spool");

typedef unsigned long long ull;

/*
 * "spool/sqlite-1f2e3d4c5b6a7988": a folder for each writer and target. Not the target itself,
 * which may have a password in it; and without the interval, which changes nothing of where to.
 */
static char *path_of(struct ns_writer *w, const char *directory)
{
	const char *spec = w->args.target, *target = spec + strcspn(spec, ":");
	size_t len = strcspn(spec, "@:+");
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	char *path;

	snprintf(w->name, sizeof(w->name), "%.*s", (int)NS_MIN(len, (size_t)32), spec);
	for (const char *p = w->name; *p != '\0'; p++)
		h = (h ^ (uint8_t)*p) * UINT64_C(0x100000001b3);
	for (const char *p = target; *p != '\0'; p++)
		h = (h ^ (uint8_t)*p) * UINT64_C(0x100000001b3);
	if (asprintf(&path, "%s/%s-%016llx", directory, w->name, (ull)h) < 0)
		return NULL;
	return path;
}

static int open_spool(struct ns_writer *w, const struct spool_conf *c, struct ns_err *e)
{
	struct ns_spool_args args = {.sync = c->sync};

	if (ns_conf_size(c->max, &args.max, e) < 0 ||
		ns_conf_size(c->segment, &args.segment, e) < 0 ||
		ns_conf_duration(c->linger, &w->linger_ns, e) < 0)
		return -errno;
	w->max = args.max;
	w->path = path_of(w, c->directory);
	if (w->path == NULL)
		return ns_fail(e, ENOMEM, "no memory for a spool");
	args.directory = w->path;
	w->sp = ns_spool_open(&args, e);
	if (w->sp == NULL)
		return -errno;
	w->encoder = ns_spool_encoder_create(w->sp);
	w->decoder = ns_spool_decoder_create(ns_spool_directory(w->sp), ns_spool_source(w->sp));
	return w->encoder != NULL && w->decoder != NULL
		       ? 0
		       : ns_fail(e, ENOMEM, "%s: no memory", w->path);
}

/* A sink that is not there yet is what a spool is for; one that can't be is not. */
static int open_inner(struct ns_writer *w, struct ns_err *e)
{
	int rc = spool_inner_open(w, e);

	if (rc != -EAGAIN)
		return rc;
	NS_LOG(WARNING, "%s: %s; its records wait in %s", w->name, e->text, w->path);
	snprintf(w->stats.message, sizeof(w->stats.message), "%.127s", e->text);
	w->stats.down = 1;
	w->wait_ns = NS_SEC_NS / 20;
	return 0;
}

static int start_thread(struct ns_writer *w, struct ns_err *e)
{
	sigset_t all, old;

	/* signals are the main thread's */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int rc = pthread_create(&w->thread, NULL, spool_deliver, w);

	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return rc == 0 ? 0 : ns_fail(e, rc, "%s: no thread: %s", w->path, strerror(rc));
}

static void release(struct ns_writer *w)
{
	ns_spool_encoder_destroy(w->encoder);
	ns_spool_decoder_destroy(w->decoder);
	ns_spool_close(w->sp);
	free(w->path);
	free(w);
}

static int start(struct ns_writer *w, const struct spool_conf *c, struct ns_err *e)
{
	struct ns_spool_stats s;
	int rc = open_spool(w, c, e);

	if (rc == 0)
		rc = open_inner(w, e);
	if (rc < 0)
		return rc;
	ns_spool_stats(w->sp, &s);
	if (s.found > 0)
		NS_LOG(NOTICE, "%s: %llu records of an earlier run wait for %s", w->path,
			(ull)s.found, w->name);
	rc = start_thread(w, e);
	if (rc < 0 && w->inner != NULL)
		w->ops->close(w->inner, NULL);
	return rc;
}

static struct ns_writer *spool_open(const struct ns_writer_args *args, struct ns_err *e)
{
	const struct spool_conf *c = args->conf != NULL ? ns_conf_get(args->conf, "spool") : NULL;
	size_t size = (sizeof(struct ns_writer) + NS_CACHE_LINE - 1) & ~(size_t)(NS_CACHE_LINE - 1);
	struct ns_writer *w = aligned_alloc(NS_CACHE_LINE, size);

	if (w == NULL) {
		ns_fail(e, ENOMEM, "spool: no memory");
		return NULL;
	}
	memset(w, 0, size);
	w->args = *args;
	int rc = start(w, c != NULL ? c : &spool_conf_defaults, e);

	if (rc < 0) {
		release(w);
		return ns_errno_null(-rc);
	}
	spool_shown(w);
	return w;
}

/* What can't be kept is counted; the engine need not know, and must not stop. */
static int spool_put(struct ns_writer *w, const struct ns_batch *b, struct ns_err *e)
{
	uint64_t uncounted = 0;

	(void)e;
	/* of a file nothing is lost only because it is read fast */
	while (!w->args.live && ns_spool_full(w->sp, ns_spool_put_size(b)) &&
		!__atomic_load_n(&w->failed, __ATOMIC_ACQUIRE))
		nanosleep(&(struct timespec){.tv_nsec = NS_SEC_NS / 1000}, NULL);
	ns_spool_put(w->encoder, b, &uncounted);
	ns_stat_add(&w->n_no_layout, uncounted);
	return 0;
}

static void spool_idle(struct ns_writer *w)
{
	ns_spool_sync(w->sp);
}

static int spool_flush(struct ns_writer *w, struct ns_err *e)
{
	(void)e;
	ns_spool_sync(w->sp);
	return 0;
}

static const struct ns_writer_stats *spool_stats(const struct ns_writer *w)
{
	return &w->stats;
}

static void report(const struct ns_writer *w)
{
	struct ns_spool_decoded d;
	struct ns_spool_stats s;

	ns_spool_stats(w->sp, &s);
	ns_spool_decoded(w->decoder, &d);
	NS_LOG(NOTICE,
		"%s: %llu records appended, %llu found, %llu delivered, %llu wait; lost: %llu full, "
		"%llu no_space, %llu damaged, %llu layout, %llu too_large; %llu torn, %llu "
		"converted",
		w->path, (ull)(s.appended - s.found), (ull)s.found, (ull)(s.done - d.skipped),
		(ull)s.waiting, (ull)s.full, (ull)(s.no_space + ns_stat_get(&w->n_no_layout)),
		(ull)s.damaged, (ull)d.skipped, (ull)s.too_large, (ull)s.torn, (ull)d.converted);
}

static int spool_close(struct ns_writer *w, struct ns_err *e)
{
	struct ns_err own = {""};
	int rc = 0;

	spool_hidden(w);
	__atomic_store_n(&w->stop, true, __ATOMIC_RELEASE);
	pthread_join(w->thread, NULL);
	if (w->inner != NULL)
		rc = w->ops->close(w->inner, &own);
	w->inner = NULL;
	report(w);
	if (w->failed)
		rc = ns_fail(e, EIO, "%s", w->err.text);
	else if (rc < 0)
		rc = ns_fail(e, -rc, "%s", own.text);
	release(w);
	return rc;
}

static const struct ns_writer_ops spool_ops = {.wants = NS_WRITER_WRAPS,
	.section = "spool",
	.open = spool_open,
	.put = spool_put,
	.idle = spool_idle,
	.stats = spool_stats,
	.flush = spool_flush,
	.close = spool_close,
	.check = ns_writer_check};

static const struct ns_plugin spool = {.kind = NS_WRITER_KIND,
	.name = "spool",
	.summary =
		"before another writer, as spool+sqlite:FILE: records wait on disk until it has them",
	.abi = NS_PLUGIN_ABI,
	.ops = &spool_ops};

NS_PLUGIN_REGISTER(spool)
