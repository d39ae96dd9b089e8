/* SPDX-License-Identifier: BSD-3-Clause */
#include "table.h"

#include <ns_test.h>
#include <ns_test_kind.h>

#include <string.h>

struct fruit {
	char name[32];
	uint32_t rank;
	uint64_t packets, octets, took_ns;
	double share;
	char note[120];
};

#define F(m, ...) NS_REC_FIELD(struct fruit, m, .name = #m, __VA_ARGS__)

static const struct ns_rec_field fields[] = {
	F(name, .type = NS_REC_STR, .flags = NS_REC_KEY),
	F(rank, .type = NS_REC_U32),
	F(packets, .type = NS_REC_U64, .unit = "packets"),
	F(octets, .type = NS_REC_U64, .unit = "octets"),
	F(took_ns, .type = NS_REC_U64, .flags = NS_REC_EMPTY_ZERO, .unit = "ns"),
	F(share, .type = NS_REC_F64, .unit = "%"),
	F(note, .type = NS_REC_STR),
};

static const struct ns_rec_kind kind = {.name = "fruit",
	.version = 1,
	.size = sizeof(struct fruit),
	.fields = fields,
	.fields_n = NS_ARRAY_LEN(fields),
	.help = "",
	.ipfix_family_field = -1};

static const struct fruit fruits[] = {
	{"apple", 1, 1234567, 3400000000, 0, 50, "red"},
	{"pear\033[2J", 2, 5, 64, 0, 50,
		"a note that is longer than others, much longer than they are"},
};

/* What comes out, as it would be printed. */
static const char *put(const void *recs, size_t n, const struct ns_rec_kind *k, unsigned columns)
{
	static char text[65536];
	struct buf b = {.most = sizeof(text) - 1};

	table_put(&b, k, recs, n, columns);
	memcpy(text, b.s != NULL ? b.s : "", b.n);
	text[b.n] = '\0';
	buf_free(&b);
	return text;
}

static void is(const char *got, const char *want)
{
	CU_ASSERT_STRING_EQUAL(got, want);
	if (strcmp(got, want) != 0)
		fprintf(stderr, "got\n%s\nwant\n%s\n", got, want);
}

static void wide(void)
{
	is(put(fruits, 2, &kind, 0),
		"name      rank  packets   octets  share (%)  note\n"
		"apple        1   1.23 M  3.40 GB         50  red\n"
		"pear?[2J     2        5     64 B         50  "
		"a note that is longer than others, much longer than they are\n");
}

static void narrower(void)
{
	is(put(fruits, 2, &kind, 80),
		"all: share 50\n"
		"name      rank  packets   octets  note\n"
		"apple        1   1.23 M  3.40 GB  red\n"
		"pear?[2J     2        5     64 B  a note that is longer than others, much long..\n");
	is(put(fruits, 2, &kind, 42), "all: share 50\n"
				      "name      rank  packets   octets\n"
				      "apple        1   1.23 M  3.40 GB\n"
				      "pear?[2J     2        5     64 B\n"
				      "not shown (--json does): note\n");
}

static void upright(void)
{
	is(put(fruits, 2, &kind, 12),
		"name     apple\n"
		"rank     1\n"
		"packets  1.23 M\n"
		"octets   3.40 GB\n"
		"share    50 %\n"
		"note     red\n"
		"\n"
		"name     pear?[2J\n"
		"rank     2\n"
		"packets  5\n"
		"octets   64 B\n"
		"share    50 %\n"
		"note     a note that is longer than others, much longer than they are\n");
	/* one record alone stands upright as soon as it does not fit */
	is(put(fruits, 1, &kind, 30), "name     apple\n"
				      "rank     1\n"
				      "packets  1.23 M\n"
				      "octets   3.40 GB\n"
				      "share    50 %\n"
				      "note     red\n");
	is(put(fruits, 0, &kind, 80), "");
}

static unsigned widest(const char *text)
{
	unsigned most = 0;

	for (; *text != '\0'; text += strcspn(text, "\n"), text += *text == '\n')
		most = NS_MAX(most, (unsigned)strcspn(text, "\n"));
	return most;
}

/* A table of a task keeps to any terminal as long as its keys fit. */
static void any_width(void)
{
	struct ns_test_kind *k = ns_test_kind_create("top");
	struct ns_test_row rows[9];

	for (uint32_t i = 0; i < NS_ARRAY_LEN(rows); i++)
		rows[i] = ns_test_row(i);
	for (unsigned columns = 48; columns < 220; columns++) {
		const char *text = put(rows, NS_ARRAY_LEN(rows), &k->kind, columns);

		CU_ASSERT_TRUE(widest(text) <= columns);
		CU_ASSERT_PTR_NOT_NULL(strstr(text, "10.0.0.8"));
	}
	free(k);
}

static void bounded(void)
{
	struct buf b = {.most = 100};

	table_put(&b, &kind, (const uint8_t *)fruits, 2, 0);
	CU_ASSERT_TRUE(b.cut);
	CU_ASSERT_TRUE(b.n <= 100);
	buf_free(&b);
}

NS_TEST_MAIN({"wide", wide}, {"narrower", narrower}, {"upright", upright}, {"any width", any_width},
	{"bounded", bounded})
