/* SPDX-License-Identifier: BSD-3-Clause */
#include "spool_batch.h"
#include "spool_test_util.h"

#include <ns_test_kind.h>
#include <ns_test_rec.h>

/* As "flow" of ns_test_rec.h, under a name that no room has. */
static const struct ns_rec_kind every = {.name = "every",
	.version = 3,
	.size = sizeof(struct ns_test_rec),
	.fields = ns_test_fields,
	.fields_n = NS_ARRAY_LEN(ns_test_fields),
	.help = "every type",
	.ipfix_family_field = -1};
NS_REC_REGISTER(every)

struct both {
	struct ns_spool *sp;
	struct ns_spool_encoder *c;
	struct ns_spool_decoder *d;
};

static struct both open_both(void)
{
	struct both b = {.sp = start(16, 65536)};

	b.c = ns_spool_encoder_create(b.sp);
	b.d = ns_spool_decoder_create(ns_spool_directory(b.sp), ns_spool_source(b.sp));
	CU_ASSERT_PTR_NOT_NULL_FATAL(b.c);
	CU_ASSERT_PTR_NOT_NULL_FATAL(b.d);
	return b;
}

static void close_both(struct both *b)
{
	ns_spool_encoder_destroy(b->c);
	ns_spool_decoder_destroy(b->d);
	ns_spool_close(b->sp);
}

static void put(struct both *b, const struct ns_rec_kind *kind, uint32_t n, const void *rows)
{
	struct ns_batch x = {.kind = kind, .n = n, .max = n, .records = (uint8_t *)(uintptr_t)rows};
	uint64_t uncounted = 0;

	CU_ASSERT_EQUAL(ns_spool_put(b->c, &x, &uncounted), 0);
	CU_ASSERT_EQUAL(uncounted, 0);
}

static int get(struct both *b, struct ns_batch *x)
{
	struct ns_spool_entry e;

	CU_ASSERT_EQUAL_FATAL(ns_spool_read(b->sp, &e), 1);
	return ns_spool_get(b->d, &e, x);
}

static struct ns_spool_decoded decoded(const struct both *b)
{
	struct ns_spool_decoded s;

	ns_spool_decoded(b->d, &s);
	return s;
}

static void there_and_back(void)
{
	struct ns_test_kind *top = ns_test_kind_create("top");
	struct ns_test_row row = ns_test_row(2);
	struct ns_batch x;
	char one[2048], two[2048];

	wipe();
	struct both b = open_both();

	put(&b, &every, 2, ns_test_recs);
	put(&b, &top->kind, 1, &row);
	put(&b, &every, 0, ns_test_recs);
	put(&b, &every, 1, ns_test_recs);
	CU_ASSERT_EQUAL(get(&b, &x), 1);
	/* a registered kind comes back as itself */
	CU_ASSERT_PTR_EQUAL(x.kind, &every);
	CU_ASSERT_EQUAL(x.n, 2);
	CU_ASSERT_EQUAL(x.seq, 1);
	CU_ASSERT_STRING_EQUAL(x.source, ns_spool_source(b.sp));
	CU_ASSERT_EQUAL(memcmp(x.records, ns_test_recs, sizeof(ns_test_recs)), 0);
	/* one that this run has not made is what was written down */
	CU_ASSERT_EQUAL(get(&b, &x), 1);
	CU_ASSERT_PTR_NOT_EQUAL(x.kind, &top->kind);
	CU_ASSERT_EQUAL(x.seq, 3);
	CU_ASSERT_EQUAL(layout_hash(x.kind), layout_hash(&top->kind));
	*ns_rec_put_json_line(one, x.kind, x.records) = '\0';
	*ns_rec_put_json_line(two, &top->kind, &row) = '\0';
	CU_ASSERT_STRING_EQUAL(one, two);
	CU_ASSERT_EQUAL(x.kind->fields[4].flags, NS_REC_KEY);
	CU_ASSERT_STRING_EQUAL(x.kind->fields[0].unit, "ns");
	CU_ASSERT_EQUAL(get(&b, &x), 1);
	CU_ASSERT_EQUAL(x.seq, 4);
	close_both(&b);
	free(top);
}

/* Today's "every" with something about the older one changed; a field more is in front. */
static struct ns_rec_field old_fields[NS_ARRAY_LEN(ns_test_fields) + 1];

static struct ns_rec_kind older(void)
{
	struct ns_rec_kind k = every;

	memcpy(old_fields, ns_test_fields, sizeof(ns_test_fields));
	k.fields = old_fields;
	return k;
}

/* Puts two records of such a kind and gets them as today's: as JSON, "" when they are skipped. */
static void through(const struct ns_rec_kind *k, const void *rows, char *text)
{
	struct ns_batch x;

	wipe();
	struct both b = open_both();

	put(&b, k, 2, rows);
	int rc = get(&b, &x);

	*text = '\0';
	CU_ASSERT_EQUAL(decoded(&b).converted, rc == 1 ? 2 : 0);
	CU_ASSERT_EQUAL(decoded(&b).skipped, rc == 1 ? 0 : 2);
	for (uint32_t i = 0; rc == 1 && i < x.n; i++) {
		CU_ASSERT_PTR_EQUAL(x.kind, &every);
		text = ns_rec_put_json_line(text, x.kind, x.records + i * x.kind->size);
		*text = '\0';
	}
	close_both(&b);
}

static void other_layouts(void)
{
	struct ns_rec_kind k = older();
	struct ns_test_rec recs[2];
	char text[4096];

	memcpy(recs, ns_test_recs, sizeof(recs));
	/* a field that is not known any more, one that is new, two that changed places */
	old_fields[NS_ARRAY_LEN(ns_test_fields) - 1].name = "gone";
	struct ns_rec_field f = old_fields[0];

	old_fields[0] = old_fields[1];
	old_fields[1] = f;
	through(&k, recs, text);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"u8\":255,\"u16\":65535,"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"bytes\":\"dead0001\",\"maybe\":null}"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"ip\":\"2001:db8::1\""));
	/* a number that was narrower, a text that was shorter */
	k = older();
	old_fields[2].type = NS_REC_U16;
	old_fields[2].size = 2;
	old_fields[9].size = 3;
	through(&k, recs, text);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"u32\":65535,"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"str\":\"a,\\\"\","));
	/* an f64 that is missing where that is meant is not known, not 0: here it is not meant */
	k = older();
	old_fields[5].name = "gone";
	through(&k, recs, text);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"f64\":0,"));
}

static void not_to_be_converted(void)
{
	struct ns_rec_kind k = older();
	char text[4096];

	k.version = 2;
	through(&k, ns_test_recs, text);
	CU_ASSERT_STRING_EQUAL(text, "");
	/* part of what a record is */
	k = older();
	old_fields[3].name = "gone";
	through(&k, ns_test_recs, text);
	CU_ASSERT_STRING_EQUAL(text, "");
	/* another meaning of the octets */
	k = older();
	old_fields[4].type = NS_REC_TIME;
	through(&k, ns_test_recs, text);
	CU_ASSERT_STRING_EQUAL(text, "");
	/* a value would be cut */
	k = older();
	old_fields[0].type = NS_REC_U16;
	old_fields[0].size = 2;
	through(&k, ns_test_recs, text);
	CU_ASSERT_STRING_EQUAL(text, "");
}

static void layout_lost(void)
{
	struct ns_test_kind *top = ns_test_kind_create("top");
	struct ns_test_row row = ns_test_row(2);
	struct ns_batch x;
	char cmd[128];

	for (unsigned how = 0; how < 3; how++) {
		wipe();
		struct both b = open_both();

		put(&b, &top->kind, 1, &row);
		put(&b, &every, 1, ns_test_recs);
		snprintf(cmd, sizeof(cmd),
			how == 0   ? "rm %s/layout-*"
			: how == 1 ? "for f in %s/layout-*; do echo x >> $f; done"
				   : "for f in %s/layout-*; do truncate -s 100 $f; done",
			dir);
		CU_ASSERT_EQUAL(system(cmd), 0);
		CU_ASSERT_EQUAL(get(&b, &x), 0);
		CU_ASSERT_EQUAL(decoded(&b).skipped, 1);
		/* a registered kind needs none */
		CU_ASSERT_EQUAL(get(&b, &x), 1);
		close_both(&b);
	}
	free(top);
}

/* Every octet of a layout matters, and what is wrong is refused. */
static void damaged_layout(void)
{
	char name[64], path[160];
	uint64_t hash = layout_hash(&every);
	struct layout_kind *k;
	uint8_t all[4096];

	wipe();
	struct both b = open_both();

	put(&b, &every, 1, ns_test_recs);
	snprintf(name, sizeof(name), "layout-%016llx", (unsigned long long)hash);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, all, sizeof(all));

	close(fd);
	CU_ASSERT_TRUE_FATAL(n > 0);
	k = layout_parse(all, (size_t)n);
	CU_ASSERT_PTR_NOT_NULL_FATAL(k);
	CU_ASSERT_EQUAL(layout_hash(&k->kind), hash);
	layout_free(k);
	for (ssize_t i = 0; i < n; i++) {
		CU_ASSERT_PTR_NULL(layout_parse(all, (size_t)i));
		for (unsigned bit = 0; bit < 8; bit += 3) {
			uint32_t crc;

			all[i] ^= (uint8_t)(1u << bit);
			CU_ASSERT_PTR_NULL(layout_parse(all, (size_t)n));
			/* with a sum that is right, the values themselves are looked at */
			memcpy(&crc, all + n - 4, 4);
			uint32_t right = ns_crc32c(0, all, (size_t)n - 4);

			memcpy(all + n - 4, &right, 4);
			k = layout_parse(all, (size_t)n);
			for (unsigned f = 0; k != NULL && f < k->kind.fields_n; f++)
				CU_ASSERT_TRUE(
					k->fields[f].offset + k->fields[f].size <= k->kind.size);
			layout_free(k);
			memcpy(all + n - 4, &crc, 4);
			all[i] ^= (uint8_t)(1u << bit);
		}
	}
	close_both(&b);
}

/* Entries of somebody else's are skipped. */
static void other_entries(void)
{
	static const uint8_t data[64];
	struct iovec part = {(void *)(uintptr_t)data, 0};
	struct ns_batch x;

	wipe();
	struct both b = open_both();

	for (size_t n = 0; n < sizeof(data); n++) {
		part.iov_len = n;
		CU_ASSERT_EQUAL(ns_spool_append(b.sp, &part, 1, 1, 0), 0);
		CU_ASSERT_EQUAL(get(&b, &x), 0);
	}
	CU_ASSERT_EQUAL(decoded(&b).skipped, sizeof(data));
	close_both(&b);
}

NS_TEST_MAIN({"there and back", there_and_back}, {"other layouts", other_layouts},
	{"not to be converted", not_to_be_converted}, {"layout lost", layout_lost},
	{"damaged layout", damaged_layout}, {"other entries", other_entries},
	{"nothing is left", remove_root})
