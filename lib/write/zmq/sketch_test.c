/* SPDX-License-Identifier: BSD-3-Clause */
/* Sketches of tasks as subscribers get them. */
#include "zmq_test_util.h"

#include <ns_blob.h>
#include <ns_test_kind.h>

static void put_sketches(struct ns_writer *w, const char *task, uint64_t epoch, size_t len)
{
	struct ns_blob_rec r = {.start_ns = 10, .end_ns = 20, .epoch = epoch, .octets = len};
	uint8_t *octets = calloc(1, len);
	struct ns_batch b = {.kind = &ns_blob_rec_kind,
		.n = 1,
		.max = 1,
		.records = (uint8_t *)&r,
		.blob = octets,
		.blob_len = len};
	struct ns_err e;

	CU_ASSERT_PTR_NOT_NULL_FATAL(octets);
	octets[0] = (uint8_t)epoch;
	snprintf(r.task, sizeof(r.task), "%s", task);
	CU_ASSERT_EQUAL(ops()->put(w, &b, &e), 0);
	free(octets);
}

static void is_sketch(void *s, const char *topic, uint64_t epoch, uint64_t seq, bool replayed)
{
	struct ns_wire_msg *m = next(s, topic);

	CU_ASSERT(m->body == NS_WIRE_TASK && m->epoch == epoch && m->seq == seq);
	CU_ASSERT_EQUAL(m->replayed, replayed);
	CU_ASSERT_STRING_EQUAL(m->task, strrchr(topic, '/') + 1);
	CU_ASSERT_EQUAL_FATAL(m->sketches_len, 1000);
	CU_ASSERT_EQUAL(m->sketches[0], epoch);
	ns_wire_free(m);
}

/* On topics of their own, behind the rows; the last ones are sent again to who comes late. */
static void sketches(void)
{
	struct ns_writer *w = start(NULL);
	void *s = subscriber(w, "ns/", 1000);
	struct ns_test_kind *k = ns_test_kind_create("a");
	struct ns_test_row row = ns_test_row(1);
	struct ns_wire_count c;

	for (uint64_t epoch = 1; epoch <= 2; epoch++) {
		put(w, &k->kind, &row, 1);
		put_sketches(w, "a", epoch, 1000);
		put_sketches(w, "b", epoch, 1000);
		put_epoch(w, (unsigned)epoch);
		struct ns_wire_msg *m = next(s, "task/a");

		CU_ASSERT(m->seq == epoch && m->rows == 1 && m->sketches == NULL);
		ns_wire_free(m);
		is_sketch(s, "sketch/a", epoch, epoch, false);
		is_sketch(s, "sketch/b", epoch, epoch, false);
		ns_wire_free(next(s, "health"));
		m = next(s, "epoch");
		CU_ASSERT_TRUE(ns_wire_count(m, NS_WIRE_TOPICS, 2, &c));
		CU_ASSERT(strstr(c.name, "/sketch/b") != NULL && c.value == epoch);
		ns_wire_free(m);
	}
	void *late = subscriber(w, "ns/n1/sketch/", 1000);

	w->replay_ns = 0;
	ops()->idle(w);
	is_sketch(late, "sketch/a", 2, 2, true);
	is_sketch(late, "sketch/b", 2, 2, true);
	CU_ASSERT_TRUE(silent(late));
	CU_ASSERT_EQUAL(ops()->stats(w)->lost, 0);
	zmq_close(late);
	stop(w, s);
	free(k);
}

/* Who does not read fills its queue with so many octets and no more; the loss is counted. */
static void large_ones(void)
{
	struct ns_writer *w = start(NULL);
	void *s = subscriber(w, "ns/", 1);
	const size_t len = 16u << 20;
	unsigned n = 0;

	while (n < 64 && ops()->stats(w)->lost == 0) {
		put_sketches(w, "a", n, len);
		n++;
	}
	CU_ASSERT(n > PUB_LARGE_MAX / len - 2 && n < PUB_LARGE_MAX / len + 8);
	CU_ASSERT_EQUAL(ops()->stats(w)->lost, 1);
	/* what is small goes on */
	put_epoch(w, 1);
	CU_ASSERT_EQUAL(ops()->stats(w)->lost, 1);
	zmq_close(s);
	/* and when the queue is gone, so do they */
	for (unsigned i = 0; i < 2000 && pub_wanted(&w->pub, "ns/n1/sketch/a"); i++) {
		pub_serve(&w->pub);
		usleep(5000);
	}
	for (unsigned i = 0; i < 500; i++) {
		uint64_t lost = ops()->stats(w)->lost;

		put_sketches(w, "a", n, len);
		if (ops()->stats(w)->lost == lost)
			break;
		usleep(10000);
		CU_ASSERT_NOT_EQUAL(i, 499);
	}
	stop(w, NULL);
}

NS_TEST_MAIN({"first", first}, {"sketches", sketches}, {"large ones", large_ones},
	{"nothing is left", last})
