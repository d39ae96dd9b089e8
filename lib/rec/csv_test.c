/* SPDX-License-Identifier: BSD-3-Clause */
/* Lines of CSV that are made in a hurry, against the same fields put one by one. */
#include "ns_rec.h"

#include <ns_test.h>

#include <stdlib.h>
#include <string.h>

static uint64_t seed = UINT64_C(0x9e3779b97f4a7c15);

static uint64_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* Numbers of every length, and those at which something changes. */
static uint64_t number(void)
{
	static const uint64_t edges[] = {0, 1, 9, 10, 99, 100, 255, 256, 9999, 10000, 65535,
		99999999, 100000000, UINT32_MAX, UINT64_C(9999999999999999),
		UINT64_C(10000000000000000), UINT64_C(1700000000123456789), INT64_MAX, UINT64_MAX};

	if ((rnd() & 3) == 0)
		return edges[rnd() % NS_ARRAY_LEN(edges)];
	return rnd() >> (rnd() & 63);
}

#define OCTETS 48

struct row {
	uint8_t u8, proto, flags, maybe8;
	uint16_t u16;
	uint32_t u32, maybe32;
	uint64_t u64, time, maybe64;
	int64_t i64;
	struct ns_ip ip;
	struct ns_prefix prefix;
	struct ns_vlans vlans;
	uint8_t mac[6];
	uint8_t bytes[3];
	char one[1], some[17], last[OCTETS];
};

#define F(member, t, ...) \
	NS_REC_FIELD(struct row, member, .name = #member, .type = t, ##__VA_ARGS__)

static const struct ns_rec_field fields[] = {F(u8, NS_REC_U8), F(proto, NS_REC_PROTO),
	F(flags, NS_REC_TCP_FLAGS), F(maybe8, NS_REC_U8, .flags = NS_REC_EMPTY_ZERO),
	F(u16, NS_REC_U16), F(u32, NS_REC_U32), F(maybe32, NS_REC_U32, .flags = NS_REC_EMPTY_ZERO),
	F(u64, NS_REC_U64), F(time, NS_REC_TIME),
	F(maybe64, NS_REC_U64, .flags = NS_REC_EMPTY_ZERO), F(i64, NS_REC_I64), F(ip, NS_REC_IP),
	F(prefix, NS_REC_PREFIX), F(vlans, NS_REC_VLANS), F(mac, NS_REC_MAC),
	F(bytes, NS_REC_BYTES), F(one, NS_REC_STR), F(some, NS_REC_STR), F(last, NS_REC_STR)};

static struct ns_rec_kind kind = {.name = "row",
	.version = 1,
	.size = sizeof(struct row),
	.fields = fields,
	.fields_n = NS_ARRAY_LEN(fields),
	.help = "",
	.ipfix_family_field = -1};

static struct ns_rec_csv *lines;

/* Characters that mean something, their neighbours, and others. */
static void text(char *p, size_t n)
{
	static const char some[] = "\0,\"\n\r+-/:!#\x0b\x0e\x7f\x80\xff";

	for (size_t i = 0; i < n; i++) {
		p[i] = (char)('a' + rnd() % 26);
		if (rnd() % (n < 16 ? 4 : 24) == 0)
			p[i] = some[rnd() % (sizeof(some) - 1)];
	}
}

static void fill(struct row *r)
{
	uint8_t *octets = (uint8_t *)r;

	for (size_t i = 0; i < sizeof(*r); i++)
		octets[i] = (uint8_t)rnd();
	r->u8 = (uint8_t)number();
	r->maybe8 = (uint8_t)number();
	r->u16 = (uint16_t)number();
	r->u32 = (uint32_t)number();
	r->maybe32 = (uint32_t)number();
	r->u64 = number();
	r->time = number();
	r->maybe64 = number();
	r->i64 = (int64_t)number();
	r->ip.ver = (uint8_t)(rnd() % 8);
	r->prefix.ip.ver = (uint8_t)(rnd() % 8);
	r->vlans.n = (uint16_t)(rnd() % 4);
	text(r->one, sizeof(r->one));
	text(r->some, sizeof(r->some));
	text(r->last, sizeof(r->last));
	/* columns without a value, many together */
	if ((rnd() & 1) != 0) {
		size_t from = rnd() % sizeof(*r), n = rnd() % 80;

		memset(octets + from, 0, NS_MIN(n, sizeof(*r) - from));
	}
}

static char *field(char *p, const struct ns_rec_field *f, const void *rec)
{
	char value[6 * OCTETS + NS_REC_TEXT_MAX];
	size_t n = (size_t)(ns_rec_put_text(value, f, rec) - value);
	bool quote = false;

	for (size_t i = 0; i < n; i++)
		quote = quote || (value[i] != '\0' && strchr(",\"\n\r", value[i]) != NULL);
	if (quote)
		*p++ = '"';
	for (size_t i = 0; i < n; i++) {
		if (value[i] == '"')
			*p++ = '"';
		*p++ = value[i];
	}
	if (quote)
		*p++ = '"';
	return p;
}

static bool same_line(const struct row *r)
{
	size_t max = ns_rec_line_max(&kind);
	/* exactly the room that is promised, and a record with nothing behind it: for ASan */
	char *got = malloc(max), *want = malloc(max), *w = want;
	struct row *copy = malloc(sizeof(*copy));

	CU_ASSERT_FATAL(got != NULL && want != NULL && copy != NULL);
	*copy = *r;
	for (unsigned i = 0; i < kind.fields_n; i++) {
		w = field(w, &fields[i], copy);
		*w++ = i + 1 < kind.fields_n ? ',' : '\n';
	}
	size_t n = (size_t)(ns_rec_put_csv(got, &kind, copy) - got);
	bool same = n == (size_t)(w - want) && memcmp(got, want, n) == 0;

	n = (size_t)(ns_rec_csv_put(lines, got, copy) - got);
	same = same && n == (size_t)(w - want) && memcmp(got, want, n) == 0;

	if (!same)
		fprintf(stderr, "got  %.*swant %.*s", (int)n, got, (int)(w - want), want);
	free(got);
	free(want);
	free(copy);
	return same;
}

static void random_rows(void)
{
	lines = ns_rec_csv_create(&kind);
	CU_ASSERT_PTR_NOT_NULL_FATAL(lines);
	for (unsigned i = 0; i < 20000; i++) {
		struct row r;

		fill(&r);
		CU_ASSERT_FATAL(same_line(&r));
	}
	ns_rec_csv_destroy(lines);
}

/* Strings of every length, and with every character that matters in every place. */
static void strings(void)
{
	static const char special[] = {',', '"', '\n', '\r', '\0', '+'};

	lines = ns_rec_csv_create(&kind);
	CU_ASSERT_PTR_NOT_NULL_FATAL(lines);
	for (size_t len = 0; len <= OCTETS; len++) {
		for (size_t at = 0; at < OCTETS; at++) {
			struct row r = {0};

			memset(r.last, 'x', len);
			r.last[at] = special[(len + at) % sizeof(special)];
			CU_ASSERT_FATAL(same_line(&r));
			memcpy(r.some, r.last, sizeof(r.some));
			CU_ASSERT_FATAL(same_line(&r));
		}
	}
	ns_rec_csv_destroy(lines);
}

/* A kind of one short string: the least room there is. */
static void least_room(void)
{
	static const struct ns_rec_field f = {.name = "a", .type = NS_REC_STR, .size = 1};
	static const struct ns_rec_kind least = {
		.name = "b", .version = 1, .size = 1, .fields = &f, .fields_n = 1};

	lines = ns_rec_csv_create(&least);
	CU_ASSERT_PTR_NOT_NULL_FATAL(lines);
	for (unsigned c = 0; c < 256; c++) {
		size_t max = ns_rec_line_max(&least);
		char *got = malloc(max), *rec = malloc(1), want[8];

		CU_ASSERT_FATAL(got != NULL && rec != NULL);
		*rec = (char)c;
		char *w = field(want, &f, rec);

		*w++ = '\n';
		char *end = ns_rec_csv_put(lines, got, rec);

		CU_ASSERT(end - got == w - want && memcmp(got, want, (size_t)(w - want)) == 0);
		free(got);
		free(rec);
	}
	ns_rec_csv_destroy(lines);
}

static void no_columns(void)
{
	static const struct ns_rec_kind none = {.name = "none", .version = 1, .size = 1};
	char got[8] = "xx";

	lines = ns_rec_csv_create(&none);
	CU_ASSERT_PTR_NOT_NULL_FATAL(lines);
	CU_ASSERT_PTR_EQUAL(ns_rec_csv_put(lines, got, ""), got + 1);
	CU_ASSERT_STRING_EQUAL(got, "\nx");
	ns_rec_csv_destroy(lines);
	ns_rec_csv_destroy(NULL);
}

NS_TEST_MAIN({"random rows", random_rows}, {"strings", strings}, {"least room", least_room},
	{"no columns", no_columns})
