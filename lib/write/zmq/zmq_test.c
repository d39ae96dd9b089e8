/* SPDX-License-Identifier: BSD-3-Clause */
/* The writer with a subscriber of libzmq's own in the same program, over a local socket. */
#include "zmq_test_util.h"

#include <ns_test_kind.h>
#include <ns_test_rec.h>

/* Each field of the record is in the message, with its value. */
static void is_record(const struct ns_wire_msg *m, enum ns_wire_part part, unsigned at,
	const struct ns_rec_kind *k, const uint8_t *rec)
{
	for (unsigned i = 0; i < k->fields_n; i++) {
		const struct ns_rec_field *f = &k->fields[i];
		uint64_t want = 0, v = 1;
		double d = 0;

		if (f->type == NS_REC_STR) {
			const char *s = ns_wire_text(m, part, at, f->name);

			CU_ASSERT_PTR_NOT_NULL_FATAL(s);
			CU_ASSERT_STRING_EQUAL(s, (const char *)rec + f->offset);
		} else if (f->type == NS_REC_F64) {
			CU_ASSERT_TRUE(ns_wire_real(m, part, at, f->name, &d));
			CU_ASSERT_EQUAL(memcmp(&d, rec + f->offset, sizeof(d)), 0);
		} else {
			CU_ASSERT_TRUE(ns_rec_get_u64(f, rec, &want));
			CU_ASSERT_TRUE(ns_wire_number(m, part, at, f->name, &v));
			CU_ASSERT_EQUAL(v, want);
		}
	}
}

/* proto/netspectra.proto has a field for each field of ns_state.h. */
static void state(void)
{
	struct ns_writer *w = start(NULL);
	void *s = subscriber(w, "ns/", 1000);
	uint8_t rec[1024];
	struct ns_wire_count c;

	for (unsigned seed = 100; seed < 102; seed++) {
		put_epoch(w, seed);
		struct ns_wire_msg *m = next(s, "health");

		CU_ASSERT_EQUAL(m->seq, seed - 99);
		CU_ASSERT_EQUAL(m->epoch, seed);
		CU_ASSERT_EQUAL(m->lcores_n, 2);
		CU_ASSERT_EQUAL(m->writers_n, 1);
		fill(&ns_lcore_rec_kind, rec, seed + 1);
		is_record(m, NS_WIRE_OF_LCORE, 1, &ns_lcore_rec_kind, rec);
		fill(&ns_writer_rec_kind, rec, seed);
		is_record(m, NS_WIRE_OF_WRITER, 0, &ns_writer_rec_kind, rec);
		ns_wire_free(m);
		m = next(s, "epoch");
		CU_ASSERT_EQUAL(m->seq, seed - 99);
		fill(&ns_epoch_rec_kind, rec, seed);
		is_record(m, NS_WIRE_OF_EPOCH, 0, &ns_epoch_rec_kind, rec);
		CU_ASSERT_TRUE(ns_wire_count(m, NS_WIRE_DROPS, 1, &c));
		CU_ASSERT_STRING_EQUAL(c.name, "no_mbuf");
		CU_ASSERT_EQUAL(c.value, 2);
		CU_ASSERT_FALSE(ns_wire_count(m, NS_WIRE_DROPS, 2, &c));
		CU_ASSERT_TRUE(ns_wire_count(m, NS_WIRE_NOTES, 0, &c));
		CU_ASSERT_STRING_EQUAL(c.name, "records_lost");
		CU_ASSERT_TRUE(ns_wire_count(m, NS_WIRE_TOPICS, 0, &c));
		CU_ASSERT_EQUAL(c.value, seed - 99);
		CU_ASSERT_FALSE(ns_wire_count(m, NS_WIRE_TOPICS, 1, &c));
		ns_wire_free(m);
	}
	CU_ASSERT_EQUAL(ops()->stats(w)->lost, 0);
	CU_ASSERT(ops()->stats(w)->octets > 500);
	stop(w, s);
}

static void is_task(
	void *s, const char *topic, uint64_t seq, uint32_t rows, uint32_t part, bool more)
{
	struct ns_wire_msg *m = next(s, topic);

	CU_ASSERT_EQUAL(m->body, NS_WIRE_TASK);
	CU_ASSERT_EQUAL(m->seq, seq);
	CU_ASSERT_EQUAL(m->rows, rows);
	CU_ASSERT_EQUAL(m->part, part);
	CU_ASSERT_EQUAL(m->more, more);
	CU_ASSERT_EQUAL(m->epoch, 7);
	CU_ASSERT_EQUAL(m->end_ns, UINT64_C(1700000060000000000));
	ns_wire_free(m);
}

/* Rows of a task and interval are one message, or parts of one; flows between them do no harm. */
static void rows(void)
{
	struct ns_writer *w = start(NULL);
	void *s = subscriber(w, "ns/", 1000);
	struct ns_test_kind *a = ns_test_kind_create("a"), *b = ns_test_kind_create("b");
	static struct ns_test_row r[6000];

	for (uint32_t i = 0; i < NS_ARRAY_LEN(r); i++)
		r[i] = ns_test_row(i);
	put(w, &a->kind, r, 64);
	put(w, &ns_test_flow, ns_test_recs, 2);
	put(w, &a->kind, r + 64, 10);
	put(w, &b->kind, r, 1);
	put_epoch(w, 7);
	ns_wire_free(next(s, "flow"));
	is_task(s, "task/a", 1, 74, 0, false);
	is_task(s, "task/b", 1, 1, 0, false);
	ns_wire_free(next(s, "health"));
	ns_wire_free(next(s, "epoch"));
	/* another interval of the same task; more rows than a message takes; nothing for b */
	put(w, &a->kind, r, 6000);
	put_epoch(w, 8);
	is_task(s, "task/a", 2, 4096, 0, true);
	is_task(s, "task/a", 3, 1904, 1, false);
	ns_wire_free(next(s, "health"));
	ns_wire_free(next(s, "epoch"));
	/* who comes late gets all parts, the last of b, and no flows */
	void *t = subscriber(w, "", 1000);

	usleep(110000);
	ops()->idle(w);
	is_task(t, "task/a", 2, 4096, 0, true);
	is_task(t, "task/a", 3, 1904, 1, false);
	is_task(t, "task/b", 1, 1, 0, false);
	ns_wire_free(next(t, "health"));
	struct ns_wire_msg *m = next(t, "epoch");

	CU_ASSERT_TRUE(m->replayed);
	CU_ASSERT_EQUAL(m->seq, 2);
	ns_wire_free(m);
	CU_ASSERT_TRUE(silent(t));
	zmq_close(t);
	stop(w, s);
	free(a);
	free(b);
}

/* Numbers go on where nobody listens: who comes back after a while sees that it was away. */
static void numbers(void)
{
	struct ns_writer *w = start(NULL);
	void *s = subscriber(w, "ns/", 1000);
	struct ns_wire_msg *m;

	put(w, &ns_test_flow, ns_test_recs, 1);
	ns_wire_free(next(s, "flow"));
	zmq_close(s);
	for (unsigned i = 0; i < 2000 && pub_wanted(&w->pub, w->flow->name); i++) {
		pub_serve(&w->pub);
		usleep(5000);
	}
	CU_ASSERT_FALSE(pub_wanted(&w->pub, w->flow->name));
	uint64_t octets = w->stats.octets;

	for (int i = 0; i < 5; i++)
		put(w, &ns_test_flow, ns_test_recs, 1);
	CU_ASSERT_EQUAL(w->stats.octets, octets);
	s = subscriber(w, "ns/", 1000);
	put(w, &ns_test_flow, ns_test_recs, 2);
	m = next(s, "flow");
	CU_ASSERT_EQUAL(m->seq, 7);
	CU_ASSERT_EQUAL(m->rows, 2);
	ns_wire_free(m);
	stop(w, s);
}

/* One does not read: what it misses is counted, and the other one has all. */
static void slow(void)
{
	const char *set[] = {"zmq.hwm=64", "zmq.linger=0"};
	struct ns_err e;
	struct ns_conf *c = ns_conf_load(NULL, set, 2, &e);
	struct ns_writer *w = start(c);
	void *s = subscriber(w, "ns/", 1000), *stuck = subscriber(w, "", 1);
	struct ns_test_kind *k = ns_test_kind_create("flow");
	static struct ns_test_row r[1000];

	for (uint32_t i = 0; i < NS_ARRAY_LEN(r); i++)
		r[i] = ns_test_row(i);
	for (uint64_t i = 1; i <= 200; i++) {
		put(w, &k->kind, r, 1000);
		struct ns_wire_msg *m = next(s, "flow");

		CU_ASSERT_EQUAL(m->seq, i);
		ns_wire_free(m);
	}
	CU_ASSERT(ops()->stats(w)->lost >= 1000);
	zmq_close(stuck);
	stop(w, s);
	ns_conf_destroy(c);
	free(k);
}

static void configuration(void)
{
	static const char *const bad[] = {"zmq.hwm=0", "zmq.level=20", "zmq.linger=60001",
		"zmq.topics=[flow, alerts]", "zmq.push=[host]", "zmq.curve_allow=/x",
		"zmq.compression=maybe", "zmq={curve_key: /x, push: [\"tcp://h:1\"]}"};
	static const char *const good[] = {"zmq.hwm=7", "zmq.topics=[epoch, flow]",
		"zmq.push=[\"@tcp://127.0.0.1:1\"]", "zmq.curve_key=/x", "zmq.sketches=[a, b]"};
	struct ns_err e;

	for (size_t i = 0; i < NS_ARRAY_LEN(bad); i++)
		CU_ASSERT_PTR_NULL(ns_conf_load(NULL, &bad[i], 1, &e));
	struct ns_conf *c = ns_conf_load(NULL, good, 5, &e);

	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	const struct zmq_conf *v = ns_conf_get(c, "zmq");

	CU_ASSERT_EQUAL(v->hwm, 7);
	CU_ASSERT_EQUAL(zmq_topics(v), 1u << ZMQ_EPOCH | 1u << ZMQ_FLOW);
	CU_ASSERT_EQUAL(zmq_topics(&zmq_conf_defaults), 15);
	unsigned n;

	CU_ASSERT_STRING_EQUAL(ops()->sketches(c, &n)[1], "b");
	CU_ASSERT_EQUAL(n, 2);
	CU_ASSERT_PTR_NULL(ops()->sketches(NULL, &n));
	CU_ASSERT_EQUAL(n, 0);
	/* a key that is not there is told when the writer is opened */
	const struct ns_writer_args args = {.target = target, .conf = c};

	CU_ASSERT_PTR_NULL(ops()->open(&args, &e));
	CU_ASSERT_EQUAL(errno, ENOENT);
	CU_ASSERT_STRING_EQUAL(e.text, "/x: No such file or directory");
	ns_conf_destroy(c);
}

static void refuses(void)
{
	struct ns_writer *w = start(NULL);
	struct ns_writer_args args = {.target = "tcp://127.0.0.1:nonsense"};
	struct ns_err e;

	CU_ASSERT_PTR_NULL(ops()->open(&args, &e));
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "tcp://127.0.0.1:nonsense: Invalid argument"));
	static const char *const bad[] = {"", "host", "tcp://127.0.0.1:5556,host", "udp://1:1"};

	for (size_t i = 0; i < NS_ARRAY_LEN(bad); i++) {
		args.target = bad[i];
		CU_ASSERT_PTR_NULL(ops()->open(&args, &e));
		CU_ASSERT_EQUAL(errno, EINVAL);
		CU_ASSERT_EQUAL(ops()->check(bad[i], &e), -EINVAL);
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "endpoint"));
	}
	CU_ASSERT_EQUAL(ops()->check("tcp://127.0.0.1:5556,ipc:///x", &e), 0);
	stop(w, NULL);
}

NS_TEST_MAIN({"first", first}, {"state", state}, {"rows", rows}, {"numbers", numbers},
	{"slow", slow}, {"configuration", configuration}, {"refuses", refuses},
	{"nothing is left", last})
