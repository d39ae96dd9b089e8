/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages: the head, the bodies that are no tables, compressing, and what is no message. */
#include "wire_priv.h"

#include <ns_test.h>
#include <ns_test_alloc.h>
#include <ns_test_kind.h>

/* An account with a few fields of the message Epoch, and one that it does not have. */
struct account {
	uint64_t epoch, received, in_flight, unheard_of;
	uint8_t last;
	char name[8];
};

#define A(member, t) NS_REC_FIELD(struct account, member, .name = #member, .type = t)

static const struct ns_rec_field account_fields[] = {A(epoch, NS_REC_U64), A(received, NS_REC_U64),
	A(in_flight, NS_REC_U64), A(unheard_of, NS_REC_U64), A(last, NS_REC_U8),
	A(name, NS_REC_STR)};

static const struct ns_rec_kind account_kind = {.name = "account",
	.version = 1,
	.size = sizeof(struct account),
	.fields = account_fields,
	.fields_n = NS_ARRAY_LEN(account_fields)};

struct part {
	uint32_t lcore;
	double epoch_busy;
	char role[4], status[4];
	uint64_t lost;
};

#define P(member, t) NS_REC_FIELD(struct part, member, .name = #member, .type = t)

static const struct ns_rec_field part_fields[] = {P(lcore, NS_REC_U32), P(epoch_busy, NS_REC_F64),
	P(role, NS_REC_STR), P(status, NS_REC_STR), P(lost, NS_REC_U64)};

static const struct ns_rec_kind part_kind = {.name = "part",
	.version = 1,
	.size = sizeof(struct part),
	.fields = part_fields,
	.fields_n = NS_ARRAY_LEN(part_fields)};

static const struct ns_wire_head head = {"ns/n1/x", 7, UINT64_C(1700000000000000001)};

static struct ns_wire *encoder(int level)
{
	struct ns_wire_args args = {
		.node = "n1", .boot = "00ff", .zstd_level = level, .zstd_min = 512};
	struct ns_err e;
	struct ns_wire *w = ns_wire_create(&args, &e);

	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	return w;
}

static struct ns_wire_msg *decode(const struct ns_wire_out *o)
{
	struct ns_err e = {{0}};
	struct ns_wire_msg *m = ns_wire_decode(o->data, o->len, &e);

	CU_ASSERT_STRING_EQUAL(e.text, "");
	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	CU_ASSERT_STRING_EQUAL(m->node, "n1");
	CU_ASSERT_STRING_EQUAL(m->boot, "00ff");
	CU_ASSERT_STRING_EQUAL(m->topic, head.topic);
	CU_ASSERT_EQUAL(m->seq, head.seq);
	CU_ASSERT_EQUAL(m->time_ns, head.time_ns);
	CU_ASSERT_EQUAL(m->version, NS_WIRE_VERSION);
	CU_ASSERT_EQUAL(m->packed, o->packed);
	return m;
}

static uint64_t number(const struct ns_wire_msg *m, enum ns_wire_part p, unsigned i, const char *f)
{
	uint64_t v = 12345;

	CU_ASSERT_TRUE(ns_wire_number(m, p, i, f, &v));
	return v;
}

static const struct account account = {
	.epoch = 3, .received = UINT64_MAX, .in_flight = 5, .last = 1, .name = "x"};
static const struct ns_wire_count drops[] = {{"ring_full", 9}, {"no_mbuf", UINT64_MAX}};
static const struct ns_wire_count topics[] = {{"ns/n1/flow", 41}};
static const struct ns_wire_epoch an_epoch = {
	.kind = &account_kind, .record = &account, .drops = {drops, 2}, .topics = {topics, 1}};

static void epoch(void)
{
	struct ns_wire *w = encoder(0);
	struct ns_wire_out o;
	struct ns_wire_count c;
	uint64_t v;

	CU_ASSERT_EQUAL(ns_wire_epoch(w, &head, &an_epoch, &o), 0);
	struct ns_wire_msg *m = decode(&o);

	CU_ASSERT_EQUAL(m->body, NS_WIRE_EPOCH);
	CU_ASSERT_EQUAL(m->epoch, 3);
	CU_ASSERT_FALSE(m->replayed);
	CU_ASSERT_EQUAL(number(m, NS_WIRE_OF_EPOCH, 0, "received"), UINT64_MAX);
	CU_ASSERT_EQUAL(number(m, NS_WIRE_OF_EPOCH, 0, "in_flight"), 5);
	CU_ASSERT_EQUAL(number(m, NS_WIRE_OF_EPOCH, 0, "last"), 1);
	CU_ASSERT_EQUAL(number(m, NS_WIRE_OF_EPOCH, 0, "dropped"), 0);
	CU_ASSERT_FALSE(ns_wire_number(m, NS_WIRE_OF_EPOCH, 0, "unheard_of", &v));
	CU_ASSERT_FALSE(ns_wire_number(m, NS_WIRE_OF_EPOCH, 0, "drops", &v));
	CU_ASSERT_FALSE(ns_wire_number(m, NS_WIRE_OF_LCORE, 0, "lcore", &v));
	CU_ASSERT_TRUE(ns_wire_count(m, NS_WIRE_DROPS, 1, &c));
	CU_ASSERT_STRING_EQUAL(c.name, "no_mbuf");
	CU_ASSERT_EQUAL(c.value, UINT64_MAX);
	CU_ASSERT_FALSE(ns_wire_count(m, NS_WIRE_DROPS, 2, &c));
	CU_ASSERT_FALSE(ns_wire_count(m, NS_WIRE_NOTES, 0, &c));
	CU_ASSERT_TRUE(ns_wire_count(m, NS_WIRE_TOPICS, 0, &c));
	CU_ASSERT_STRING_EQUAL(c.name, "ns/n1/flow");
	CU_ASSERT_EQUAL(c.value, 41);
	ns_wire_free(m);
	ns_wire_destroy(w);
}

static void replayed(void)
{
	struct ns_wire *w = encoder(0);
	struct ns_wire_out o;
	uint8_t again[4096];

	CU_ASSERT_EQUAL(ns_wire_epoch(w, &head, &an_epoch, &o), 0);
	CU_ASSERT_FATAL(o.len + NS_WIRE_REPLAYED_LEN <= sizeof(again));
	memcpy(again, o.data, o.len);
	memcpy(again + o.len, NS_WIRE_REPLAYED, NS_WIRE_REPLAYED_LEN);
	o = (struct ns_wire_out){again, o.len + NS_WIRE_REPLAYED_LEN, false};
	struct ns_wire_msg *m = decode(&o);

	CU_ASSERT_TRUE(m->replayed);
	CU_ASSERT_EQUAL(number(m, NS_WIRE_OF_EPOCH, 0, "received"), UINT64_MAX);
	ns_wire_free(m);
	ns_wire_destroy(w);
}

static const struct part parts[] = {
	{1, 0.5, "rx", {'d', 'o', 'w', 'n'}, 8}, {UINT32_MAX, 1, "\xff", "ok", 0}};

static void health(void)
{
	struct ns_wire *w = encoder(0);
	const struct ns_wire_health h = {
		.epoch = 11, .lcores = {&part_kind, parts, 2}, .writers = {&part_kind, parts, 1}};
	struct ns_wire_out o;
	double d;

	CU_ASSERT_EQUAL(ns_wire_health(w, &head, &h, &o), 0);
	struct ns_wire_msg *m = decode(&o);

	CU_ASSERT_EQUAL(m->body, NS_WIRE_HEALTH);
	CU_ASSERT_EQUAL(m->epoch, 11);
	CU_ASSERT_EQUAL(m->lcores_n, 2);
	CU_ASSERT_EQUAL(m->writers_n, 1);
	CU_ASSERT_EQUAL(number(m, NS_WIRE_OF_LCORE, 1, "lcore"), UINT32_MAX);
	CU_ASSERT_TRUE(ns_wire_real(m, NS_WIRE_OF_LCORE, 0, "epoch_busy", &d));
	CU_ASSERT_EQUAL(d, 0.5);
	/* what is no UTF-8 becomes so, and a full field has an end */
	CU_ASSERT_STRING_EQUAL(ns_wire_text(m, NS_WIRE_OF_LCORE, 1, "role"), "\xef\xbf\xbd");
	CU_ASSERT_STRING_EQUAL(ns_wire_text(m, NS_WIRE_OF_WRITER, 0, "status"), "down");
	CU_ASSERT_EQUAL(number(m, NS_WIRE_OF_WRITER, 0, "lost"), 8);
	CU_ASSERT_PTR_NULL(ns_wire_text(m, NS_WIRE_OF_WRITER, 1, "status"));
	CU_ASSERT_PTR_NULL(ns_wire_text(m, NS_WIRE_OF_WRITER, 0, "lost"));
	ns_wire_free(m);
	ns_wire_destroy(w);
}

#define ROWS 500

static uint64_t noise64(void)
{
	return (uint64_t)random() << 40 ^ (uint64_t)random() << 20 ^ (uint64_t)random();
}

/* Rows of a task; random numbers instead when they shall not shrink. */
static const struct ns_test_row *task_rows(bool noisy)
{
	static struct ns_test_row rows[ROWS];

	srandom(7);
	for (uint32_t i = 0; i < ROWS; i++) {
		rows[i] = ns_test_row(i % 7);
		rows[i].rank = i;
		if (!noisy)
			continue;
		double *const noise[] = {
			&rows[i].estimate, &rows[i].lower, &rows[i].upper, &rows[i].confidence};

		rows[i].dst_net = (struct ns_prefix){{0}, 0};
		rows[i].octets = noise64();
		for (unsigned j = 0; j < NS_ARRAY_LEN(noise); j++)
			memcpy(noise[j], &(uint64_t){noise64()}, sizeof(uint64_t));
		for (int b = 0; b < 4; b++)
			rows[i].src_ip.addr[b] = (uint8_t)random();
	}
	return rows;
}

static void is_rows(const struct ns_wire_msg *m, const struct ns_test_row *rows)
{
	int rank = ns_wire_column_of(m, "rank"), octets = ns_wire_column_of(m, "octets");
	struct ns_wire_value v;

	CU_ASSERT_EQUAL(m->body, NS_WIRE_TASK);
	CU_ASSERT_STRING_EQUAL(m->task, "top");
	CU_ASSERT_STRING_EQUAL(m->kind, "top");
	CU_ASSERT_EQUAL(m->rows, ROWS);
	CU_ASSERT_EQUAL(m->start_ns, 100);
	CU_ASSERT_EQUAL(m->end_ns, 200);
	CU_ASSERT_EQUAL(m->epoch, 7);
	CU_ASSERT_EQUAL(m->part, 2);
	CU_ASSERT_TRUE(m->more);
	CU_ASSERT_EQUAL(ns_wire_column_of(m, "nothing"), -ENOENT);
	CU_ASSERT_FATAL(rank >= 0 && octets >= 0);
	for (uint32_t i = 0; i < ROWS; i++) {
		CU_ASSERT_TRUE(ns_wire_value(m, (unsigned)rank, i, &v) && v.u64 == i);
		CU_ASSERT_TRUE(
			ns_wire_value(m, (unsigned)octets, i, &v) && v.u64 == rows[i].octets);
	}
}

/* Encodes the rows @times times; how often they were packed. */
static unsigned packed_of(struct ns_wire *w, bool noisy, unsigned times)
{
	const struct ns_test_row *rows = task_rows(noisy);
	struct ns_test_kind *k = ns_test_kind_create("top");
	const struct ns_wire_task t = {{&k->kind, rows, ROWS}, 7, 100, 200, 2, true};
	struct ns_wire_out o;
	unsigned packed = 0;

	for (unsigned i = 0; i < times; i++) {
		CU_ASSERT_EQUAL(ns_wire_task(w, &head, &t, &o), 0);
		packed += o.packed;
		struct ns_wire_msg *m = decode(&o);

		is_rows(m, rows);
		ns_wire_free(m);
	}
	free(k);
	return packed;
}

static void compression(void)
{
	struct ns_wire *plain = encoder(0), *w = encoder(1);
	struct ns_wire_out o;

	CU_ASSERT_EQUAL(packed_of(plain, false, 3), 0);
	CU_ASSERT_EQUAL(packed_of(w, false, 3), 3);
	/* what does not shrink is not packed, and not tried again at once: 1 fails, 1 is skipped */
	CU_ASSERT_EQUAL(packed_of(w, true, 1), 0);
	CU_ASSERT_EQUAL(packed_of(w, false, 1), 0);
	CU_ASSERT_EQUAL(packed_of(w, false, 2), 2);
	/* 1, 2, 4 skipped behind failures */
	CU_ASSERT_EQUAL(packed_of(w, true, 1 + 1 + 1 + 2 + 1), 0);
	CU_ASSERT_EQUAL(packed_of(w, false, 6), 2);
	/* other bodies have a count of their own; this one is too small */
	CU_ASSERT_EQUAL(ns_wire_epoch(w, &head, &an_epoch, &o), 0);
	CU_ASSERT_FALSE(o.packed);
	ns_wire_destroy(plain);
	ns_wire_destroy(w);

	struct ns_wire_args args = {.node = "", .boot = "", .zstd_level = 20};
	struct ns_err e;

	CU_ASSERT_PTR_NULL(ns_wire_create(&args, &e));
	CU_ASSERT_EQUAL(errno, EINVAL);
}

static void refused(const void *data, size_t len, const char *says)
{
	struct ns_err e = {{0}};

	CU_ASSERT_PTR_NULL(ns_wire_decode(data, len, &e));
	CU_ASSERT_EQUAL(errno, EBADMSG);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, says));
}

/* Every message that is cut anywhere, or has a wrong octet anywhere, is read or refused. */
static void damaged(int level)
{
	struct ns_test_kind *k = ns_test_kind_create("top");
	const struct ns_wire_task t = {{&k->kind, task_rows(false), 40}, 7, 100, 200, 0, false};
	struct ns_wire *w = encoder(level);
	struct ns_wire_out o;
	struct ns_err e;

	CU_ASSERT_EQUAL(ns_wire_task(w, &head, &t, &o), 0);
	CU_ASSERT_EQUAL(o.packed, level > 0);
	uint8_t *copy = malloc(o.len);

	for (size_t n = 0; n < o.len; n++) {
		memcpy(copy, o.data, n);
		ns_wire_free(ns_wire_decode(copy, n, &e));
		memcpy(copy, o.data, o.len);
		copy[n] ^= (uint8_t)(1 + n % 255);
		ns_wire_free(ns_wire_decode(copy, o.len, &e));
	}
	free(copy);
	free(k);
	ns_wire_destroy(w);
}

static void no_message(void)
{
	pb_envelope m = NETSPECTRA__V1__ENVELOPE__INIT;
	Netspectra__V1__FlowBatch f = NETSPECTRA__V1__FLOW_BATCH__INIT;
	pb_table t = NETSPECTRA__V1__TABLE__INIT;
	pb_column c = NETSPECTRA__V1__COLUMN__INIT, *list = &c;
	Netspectra__V1__Uints u = NETSPECTRA__V1__UINTS__INIT;
	uint64_t v[3] = {1, 2, 3};
	uint8_t buf[512];

	refused("\xff\xff\xff", 3, "none of protobuf");
	m.body_case = NETSPECTRA__V1__ENVELOPE__BODY_PACKED;
	m.packed = (ProtobufCBinaryData){3, (uint8_t *)"abc"};
	refused(buf, netspectra__v1__envelope__pack(&m, buf), "packed in a way");
	m.compression = NETSPECTRA__V1__COMPRESSION__COMPRESSION_ZSTD;
	refused(buf, netspectra__v1__envelope__pack(&m, buf), "has no size");

	m.body_case = NETSPECTRA__V1__ENVELOPE__BODY_FLOWS;
	m.flows = &f;
	f.records = &t;
	t.rows = 2;
	t.n_columns = 1;
	t.columns = &list;
	refused(buf, netspectra__v1__envelope__pack(&m, buf), "do not fit");
	c.type = NETSPECTRA__V1__TYPE__TYPE_UINT;
	c.values_case = NETSPECTRA__V1__COLUMN__VALUES_UINTS;
	c.uints = &u;
	u.v = v;
	u.n_v = 3;
	refused(buf, netspectra__v1__envelope__pack(&m, buf), "do not fit");
	c.type = NETSPECTRA__V1__TYPE__TYPE_STRING;
	u.n_v = 2;
	refused(buf, netspectra__v1__envelope__pack(&m, buf), "do not fit");
	c.type = NETSPECTRA__V1__TYPE__TYPE_UINT;
	ns_wire_free(ns_wire_decode(buf, netspectra__v1__envelope__pack(&m, buf), NULL));
	CU_ASSERT_EQUAL(netspectra__v1__envelope__pack(&m, buf) > 0, 1);
	damaged(0);
	damaged(1);
}

static void no_memory(void)
{
	struct ns_test_kind *k = ns_test_kind_create("top");
	const struct ns_wire_task t = {{&k->kind, task_rows(false), ROWS}, 7, 100, 200, 2, true};
	unsigned n = 1;

	for (;; n++) {
		struct ns_wire_args args = {
			.node = "n1", .boot = "00ff", .zstd_level = 1, .zstd_min = 512};
		struct ns_wire_out o;
		struct ns_err e;
		int rc = -ENOMEM;
		struct ns_wire_msg *m = NULL;

		ns_test_alloc_fail(n);
		struct ns_wire *w = ns_wire_create(&args, &e);

		if (w != NULL)
			rc = ns_wire_task(w, &head, &t, &o);
		if (rc == 0)
			m = ns_wire_decode(o.data, o.len, &e);
		bool done = ns_test_alloc_done();

		CU_ASSERT(rc == 0 || (rc == -ENOMEM && errno == ENOMEM));
		/* and once there is memory again it goes on */
		if (w != NULL) {
			CU_ASSERT_EQUAL(ns_wire_task(w, &head, &t, &o), 0);
			ns_wire_free(m);
			m = ns_wire_decode(o.data, o.len, &e);
			CU_ASSERT_PTR_NOT_NULL_FATAL(m);
			is_rows(m, t.rows.records);
		}
		ns_wire_free(m);
		ns_wire_destroy(w);
		if (done)
			break;
	}
	CU_ASSERT(n > 20);
	free(k);
}

NS_TEST_MAIN({"epoch", epoch}, {"replayed", replayed}, {"health", health},
	{"compression", compression}, {"no message", no_message}, {"no memory", no_memory})
