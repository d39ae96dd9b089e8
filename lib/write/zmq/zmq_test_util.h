/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* The writer with a subscriber of libzmq's own in the same program, over a local socket. */

#include "zmq_priv.h"

#include <ns_node.h>
#include <ns_registry.h>
#include <ns_test.h>

#include <unistd.h>

static char dir[] = "/tmp/ns-zmq-test-XXXXXX", target[64];
static void *ctx;

static inline const struct ns_writer_ops *ops(void)
{
	const struct ns_plugin *p = ns_plugin_find(NS_WRITER_KIND, "zmq");

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	return p->ops;
}

/* In a place where no writer was before: numbers begin at 1. */
static inline struct ns_writer *start(const struct ns_conf *c)
{
	static unsigned n;
	const struct ns_writer_args args = {
		.target = target, .live = true, .epoch_ms = 1000, .conf = c};
	struct ns_err e = {{0}};

	unlink(target + strlen("ipc://"));
	snprintf(target, sizeof(target), "ipc://%s/%u", dir, n++);
	struct ns_writer *w = ops()->open(&args, &e);

	CU_ASSERT_STRING_EQUAL(e.text, "");
	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	return w;
}

/* A subscriber whose subscription the writer has seen. */
static inline void *subscriber(struct ns_writer *w, const char *prefix, int hwm)
{
	void *s = zmq_socket(ctx, ZMQ_SUB);
	unsigned before = w->pub.prefixes_n;

	zmq_setsockopt(s, ZMQ_RCVHWM, &hwm, sizeof(hwm));
	zmq_setsockopt(s, ZMQ_RCVTIMEO, &(int){10000}, sizeof(int));
	zmq_setsockopt(s, ZMQ_LINGER, &(int){0}, sizeof(int));
	zmq_setsockopt(s, ZMQ_SUBSCRIBE, prefix, strlen(prefix));
	CU_ASSERT_EQUAL(zmq_connect(s, target), 0);
	for (unsigned i = 0; i < 2000 && w->pub.prefixes_n == before; i++) {
		pub_serve(&w->pub);
		usleep(5000);
	}
	CU_ASSERT_EQUAL_FATAL(w->pub.prefixes_n, before + 1);
	return s;
}

/* The next message, decoded; its topic must be this one. */
static inline struct ns_wire_msg *next(void *s, const char *topic)
{
	static uint8_t data[1 << 20];
	char got[128] = "", want[128];
	int n = zmq_recv(s, got, sizeof(got) - 1, 0);
	struct ns_err e = {{0}};

	snprintf(want, sizeof(want), "ns/%s/%s", ns_node()->name, topic);
	CU_ASSERT_FATAL(n > 0 && n < (int)sizeof(got));
	got[n] = '\0';
	CU_ASSERT_STRING_EQUAL(got, want);
	n = zmq_recv(s, data, sizeof(data), 0);
	CU_ASSERT_FATAL(n > 0 && n <= (int)sizeof(data));
	struct ns_wire_msg *m = ns_wire_decode(data, (size_t)n, &e);

	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	CU_ASSERT_STRING_EQUAL(m->topic, want);
	CU_ASSERT_STRING_EQUAL(m->boot, ns_node()->boot);
	return m;
}

static inline bool silent(void *s)
{
	zmq_pollitem_t item = {.socket = s, .events = ZMQ_POLLIN};

	return zmq_poll(&item, 1, 50) == 0;
}

static inline void put(
	struct ns_writer *w, const struct ns_rec_kind *k, const void *recs, uint32_t n)
{
	struct ns_batch b = {.kind = k, .n = n, .max = n, .records = (uint8_t *)(uintptr_t)recs};
	struct ns_err e;

	CU_ASSERT_EQUAL(ops()->put(w, &b, &e), 0);
}

static inline void stop(struct ns_writer *w, void *s)
{
	struct ns_err e;

	if (s != NULL)
		zmq_close(s);
	CU_ASSERT_EQUAL(ops()->close(w, &e), 0);
}

/* A record with another value in each field. */
static inline void fill(const struct ns_rec_kind *k, uint8_t *rec, unsigned seed)
{
	memset(rec, 0, k->size);
	for (unsigned i = 0; i < k->fields_n; i++) {
		const struct ns_rec_field *f = &k->fields[i];
		uint64_t v = f->type == NS_REC_U8 ? 1 : seed + i;
		double d = seed + i + 0.25;

		if (f->type == NS_REC_STR)
			snprintf((char *)rec + f->offset, f->size, "%s-%u", f->name, seed);
		else
			memcpy(rec + f->offset, f->type == NS_REC_F64 ? (void *)&d : (void *)&v,
				f->size);
	}
}

static const struct ns_counter_rec counters[] = {
	{"ring_full", 1, 7, 7}, {"records_lost", 0, 3, 3}, {"no_mbuf", 1, 2, 2}};

/* Puts an epoch whose records are filled from @p seed. */
static inline void put_epoch(struct ns_writer *w, unsigned seed)
{
	uint8_t lcores[2 * sizeof(struct ns_lcore_rec)];
	struct ns_writer_rec writer;
	struct ns_epoch_rec epoch;

	fill(&ns_lcore_rec_kind, lcores, seed);
	fill(&ns_lcore_rec_kind, lcores + sizeof(struct ns_lcore_rec), seed + 1);
	fill(&ns_writer_rec_kind, (uint8_t *)&writer, seed);
	fill(&ns_epoch_rec_kind, (uint8_t *)&epoch, seed);
	put(w, &ns_counter_rec_kind, counters, 3);
	put(w, &ns_lcore_rec_kind, lcores, 1);
	put(w, &ns_lcore_rec_kind, lcores + sizeof(struct ns_lcore_rec), 1);
	put(w, &ns_writer_rec_kind, &writer, 1);
	put(w, &ns_epoch_rec_kind, &epoch, 1);
}

/* Each test program begins with first() and ends with last(). */
static inline void last(void)
{
	zmq_ctx_term(ctx);
	unlink(target + strlen("ipc://"));
	CU_ASSERT_EQUAL(rmdir(dir), 0);
}

static inline void first(void)
{
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	snprintf(target, sizeof(target), "ipc://%s/sock", dir);
	ctx = zmq_ctx_new();
	CU_ASSERT_EQUAL(ns_registry_seal(NULL), 0);
	CU_ASSERT_EQUAL(ns_node_init("n1", NULL), 0);
}
