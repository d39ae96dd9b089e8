/* SPDX-License-Identifier: BSD-3-Clause */
/* The spool before a writer that takes, refuses for a while, or breaks. */
#include "spool_writer.h"

#include <ns_registry.h>
#include <ns_test.h>
#include <ns_test_rec.h>

#include <string.h>
#include <unistd.h>

/* As "flow" of ns_test_rec.h, under a name that no room has. */
static const struct ns_rec_kind every = {.name = "every",
	.version = 3,
	.size = sizeof(struct ns_test_rec),
	.fields = ns_test_fields,
	.fields_n = NS_ARRAY_LEN(ns_test_fields),
	.help = "every type",
	.ipfix_family_field = -1};
NS_REC_REGISTER(every)

static char dir[] = "/tmp/ns-deliver-XXXXXX";

/* What the writer behind the spool does, and what it has seen; test and delivery thread. */
static struct {
	int open_err, put_err, flush_err; /* atomic */
	uint64_t last; /* seq of the last record that was flushed for good */
	uint64_t seen; /* ... or put */
	uint64_t records, doubles, disorder, opens, closes, flushes;
} sink;

static int told(const int *err, struct ns_err *e)
{
	int v = __atomic_load_n(err, __ATOMIC_ACQUIRE);

	return v != 0 ? ns_fail(e, v, "the sink says %d", v) : 0;
}

static struct ns_writer *sink_open(const struct ns_writer_args *args, struct ns_err *e)
{
	if (told(&sink.open_err, e) < 0)
		return NULL;
	CU_ASSERT_STRING_EQUAL(args->target, "there");
	ns_stat_add(&sink.opens, 1);
	sink.seen = sink.last;
	return (struct ns_writer *)&sink;
}

static int sink_put(struct ns_writer *w, const struct ns_batch *b, struct ns_err *e)
{
	(void)w;
	if (told(&sink.put_err, e) < 0) {
		sink.seen = sink.last;
		return -errno;
	}
	if (b->seq == 0 || b->source == NULL || b->kind != &every)
		ns_stat_add(&sink.disorder, 1);
	if (b->seq <= sink.seen)
		ns_stat_add(&sink.doubles, 1);
	sink.seen = b->seq + b->n - 1;
	return 0;
}

static int sink_flush(struct ns_writer *w, struct ns_err *e)
{
	(void)w;
	if (told(&sink.flush_err, e) < 0) {
		sink.seen = sink.last; /* what was not flushed is forgotten */
		return -errno;
	}
	ns_stat_add(&sink.flushes, 1);
	ns_stat_add(&sink.records, sink.seen - sink.last);
	sink.last = sink.seen;
	return 0;
}

static int sink_close(struct ns_writer *w, struct ns_err *e)
{
	(void)w;
	(void)e;
	ns_stat_add(&sink.closes, 1);
	return 0;
}

static const struct ns_writer_ops sink_ops = {
	.open = sink_open, .put = sink_put, .flush = sink_flush, .close = sink_close};
static const struct ns_plugin sink_plugin = {
	NS_WRITER_KIND, "sink", "for tests", NS_PLUGIN_ABI, &sink_ops};
NS_PLUGIN_REGISTER(sink_plugin)

static struct ns_conf *conf;
static const struct ns_writer_ops *ops;

static struct ns_writer *start(bool live, struct ns_err *e)
{
	const struct ns_writer_args args = {.conf = conf, .live = live};

	e->text[0] = '\0';
	return ns_writer_open("spool+sink@10s:there", &args, &ops, e);
}

static void begin(const char *more)
{
	char yaml[256], cmd[128];
	struct ns_err e;

	CU_ASSERT_EQUAL_FATAL(ns_registry_seal(&e), 0);
	if (strcmp(dir + sizeof(dir) - 7, "XXXXXX") == 0)
		CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	snprintf(cmd, sizeof(cmd), "rm -rf %s/*", dir);
	CU_ASSERT_EQUAL(system(cmd), 0);
	memset(&sink, 0, sizeof(sink));
	snprintf(yaml, sizeof(yaml), "spool: {directory: %s, linger: 200ms%s}", dir, more);
	ns_conf_destroy(conf);
	conf = ns_conf_parse(yaml, strlen(yaml), "test", NULL, 0, &e);
	if (conf == NULL)
		printf("%s\n", e.text);
	CU_ASSERT_PTR_NOT_NULL_FATAL(conf);
}

static void put(struct ns_writer *w, unsigned n)
{
	struct ns_batch b = {.kind = &every, .n = 2, .records = (uint8_t *)ns_test_recs};

	for (unsigned i = 0; i < n; i++)
		CU_ASSERT_EQUAL(ops->put(w, &b, NULL), 0);
}

static bool eventually(const uint64_t *v, uint64_t want)
{
	for (unsigned i = 0; i < 2000 && ns_stat_get(v) != want; i++)
		usleep(5000);
	return ns_stat_get(v) == want;
}

static bool down(struct ns_writer *w, uint32_t want)
{
	for (unsigned i = 0; i < 2000; i++) {
		if (__atomic_load_n(&ops->stats(w)->down, __ATOMIC_ACQUIRE) == want)
			return true;
		usleep(5000);
	}
	return false;
}

static void set(int *err, int to)
{
	__atomic_store_n(err, to, __ATOMIC_RELEASE);
}

static void delivers(void)
{
	struct ns_err e;

	begin("");
	struct ns_writer *w = start(true, &e);

	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	put(w, 100);
	CU_ASSERT_TRUE(eventually(&sink.records, 200));
	put(w, 10000);
	ops->idle(w);
	CU_ASSERT_EQUAL(ops->flush(w, &e), 0);
	CU_ASSERT_EQUAL(ops->stats(w)->down, 0);
	CU_ASSERT_EQUAL(ops->close(w, &e), 0);
	CU_ASSERT_EQUAL(sink.records, 20200);
	CU_ASSERT_EQUAL(sink.doubles + sink.disorder, 0);
	CU_ASSERT_EQUAL(sink.opens, sink.closes);
	/* in transactions, not one by one */
	CU_ASSERT_TRUE(sink.flushes < 50);
}

/* put says not now, then flush does: all comes, once and in order, when they stop. */
static void not_now(void)
{
	struct ns_err e;

	begin("");
	struct ns_writer *w = start(true, &e);

	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	for (unsigned i = 0; i < 2; i++) {
		set(i == 0 ? &sink.put_err : &sink.flush_err, EAGAIN);
		put(w, 100);
		CU_ASSERT_TRUE(down(w, 1));
		CU_ASSERT_STRING_EQUAL(ops->stats(w)->message, "the sink says 11");
		put(w, 100);
		set(i == 0 ? &sink.put_err : &sink.flush_err, 0);
		CU_ASSERT_TRUE(eventually(&sink.records, 400 * (i + 1)));
		CU_ASSERT_TRUE(down(w, 0));
		CU_ASSERT_TRUE(eventually(&ops->stats(w)->reconnects, i + 1));
	}
	CU_ASSERT_EQUAL(ops->stats(w)->lost, 0);
	CU_ASSERT_EQUAL(ops->close(w, &e), 0);
	CU_ASSERT_EQUAL(sink.doubles + sink.disorder, 0);
}

/* It does not stop: what is left waits for the next run. It may not even be there at first. */
static void next_run(void)
{
	struct ns_err e;

	begin("");
	struct ns_writer *w = start(true, &e);

	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	put(w, 10);
	CU_ASSERT_TRUE(eventually(&sink.records, 20));
	set(&sink.flush_err, EAGAIN);
	put(w, 40);
	CU_ASSERT_EQUAL(ops->close(w, &e), 0);
	CU_ASSERT_EQUAL(sink.records, 20);
	set(&sink.flush_err, 0);
	set(&sink.open_err, ECONNREFUSED);
	w = start(true, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	put(w, 50);
	CU_ASSERT_EQUAL(ops->stats(w)->down, 1);
	set(&sink.open_err, 0);
	CU_ASSERT_TRUE(eventually(&sink.records, 200));
	CU_ASSERT_EQUAL(ops->close(w, &e), 0);
	CU_ASSERT_EQUAL(sink.doubles + sink.disorder, 0);
	/* what can't be is refused at once */
	set(&sink.open_err, ENOENT);
	CU_ASSERT_PTR_NULL(start(true, &e));
	CU_ASSERT_EQUAL(errno, ENOENT);
	CU_ASSERT_STRING_EQUAL(e.text, "the sink says 2");
}

/* Broken for good: it is told once, records wait for the next start. */
static void breaks(void)
{
	struct ns_err e;

	begin("");
	set(&sink.put_err, EINVAL);
	struct ns_writer *w = start(true, &e);

	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	put(w, 10);
	CU_ASSERT_TRUE(down(w, 1));
	put(w, 10);
	CU_ASSERT_EQUAL(ops->close(w, &e), -EIO);
	CU_ASSERT_STRING_EQUAL(e.text, "the sink says 22");
	set(&sink.put_err, 0);
	w = start(true, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	CU_ASSERT_TRUE(eventually(&sink.records, 40));
	CU_ASSERT_EQUAL(ops->close(w, &e), 0);
}

/* A file is read no faster than the writer takes it; live, the oldest is lost and counted. */
static void full(void)
{
	struct ns_err e;

	begin(", max: 128 KiB, segment: 64 KiB");
	struct ns_writer *w = start(false, &e);

	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	put(w, 5000);
	CU_ASSERT_EQUAL(ops->close(w, &e), 0);
	CU_ASSERT_EQUAL(sink.records, 10000);
	begin(", max: 128 KiB, segment: 64 KiB");
	set(&sink.put_err, EAGAIN);
	w = start(true, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	put(w, 5000);
	CU_ASSERT_TRUE(down(w, 1));
	set(&sink.put_err, 0);
	CU_ASSERT_TRUE(down(w, 0));
	CU_ASSERT_TRUE(eventually(&sink.last, 10000));
	uint64_t lost = spool_lost(w);

	CU_ASSERT_TRUE(lost > 5000);
	/* this sink does not know of gaps */
	CU_ASSERT_EQUAL(ops->close(w, &e), 0);
	CU_ASSERT_EQUAL(sink.doubles + sink.disorder, 0);
}

static void refuses(void)
{
	static const char *const bad[] = {", max: 16 MiB", ", segment: 4 KiB", ", segment: 65537",
		", segment: 2 GiB, max: 8 GiB", ", sync: now", ", linger: 1d", ", max: much"};
	struct ns_err e;
	char yaml[256];

	begin("");
	for (size_t i = 0; i < NS_ARRAY_LEN(bad); i++) {
		snprintf(yaml, sizeof(yaml), "spool: {directory: x%s}", bad[i]);
		CU_ASSERT_PTR_NULL(ns_conf_parse(yaml, strlen(yaml), "test", NULL, 0, &e));
	}
	/* two engines, one directory */
	struct ns_writer *w = start(true, &e);

	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	CU_ASSERT_PTR_NULL(start(true, &e));
	CU_ASSERT_EQUAL(errno, EBUSY);
	CU_ASSERT_EQUAL(ops->close(w, &e), 0);
	CU_ASSERT_PTR_NULL(
		ns_writer_open("spool+nosuch:x", &(struct ns_writer_args){.conf = conf}, &ops, &e));
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "writer \"nosuch:x\": no such writer"));
	CU_ASSERT_PTR_NULL(
		ns_writer_open("spool+sink", &(struct ns_writer_args){.conf = conf}, &ops, &e));
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "sink:TARGET"));
}

static void last(void)
{
	begin("");
	ns_conf_destroy(conf);
	CU_ASSERT_EQUAL(rmdir(dir), 0);
}

NS_TEST_MAIN({"delivers", delivers}, {"not now", not_now}, {"next run", next_run},
	{"breaks", breaks}, {"full", full}, {"refuses", refuses}, {"nothing is left", last})
