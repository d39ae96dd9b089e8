/* SPDX-License-Identifier: BSD-3-Clause */
/* Kinds that are made at start, with elements and without, among flows. */
#include "ipfix_test_util.h"

#include <ns_test_kind.h>

#include <unistd.h>

struct seen_kinds {
	unsigned flows, rows, rank[4];
};

static void on_kinds(struct reader *r, uint16_t tmpl, const struct r_value *v, unsigned n)
{
	struct seen_kinds *seen = r->ctx;

	if (r->tmpl[tmpl].scope > 0)
		return;
	if (r_find(v, n, 0, 7) != NULL) {
		seen->flows++;
		return;
	}
	const struct r_value *src = r_find(v, n, 0, 8);

	CU_ASSERT_EQUAL(n, 2);
	CU_ASSERT_FATAL(src != NULL && src->len == 4 && src->p[3] < 4);
	CU_ASSERT_EQUAL(r_u64(v, n, 0, 1), UINT64_C(5000000000) - src->p[3]);
	seen->rows++;
	seen->rank[src->p[3]]++;
}

/*
 * Kinds that are made at start, among flows: one without an element is passed over, one that names
 * some gets a template of its own, and so does a second one of that name.
 */
static void made_kinds(void)
{
	char path[] = "/tmp/ns_ipfix_XXXXXX";
	int fd = mkstemp(path);
	struct ns_test_kind *mute = ns_test_kind_create("mute"), *top[2];
	const struct ns_writer_ops *ops;
	struct ns_err e = {""};
	struct seen_kinds seen = {0};
	struct reader *r = calloc(1, sizeof(*r));
	struct ns_writer *w = t_open(path, NULL, &ops);

	close(fd);
	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	for (unsigned i = 0; i < 2; i++) {
		top[i] = ns_test_kind_create("top");
		top[i]->kind.ipfix_family_field = 4;
		for (unsigned f = 0; f < top[i]->kind.fields_n; f++)
			top[i]->fields[f].flags |= NS_REC_NO_EXPORT;
		top[i]->fields[4].flags = NS_REC_KEY;
		top[i]->fields[4].ipfix_ie = 8;
		top[i]->fields[4].ipfix_ie6 = 27;
		top[i]->fields[6].flags = 0;
		top[i]->fields[6].ipfix_ie = 1;
	}
	for (uint32_t i = 0; i < 4; i++) {
		struct ns_test_row row = ns_test_row(i);
		struct ns_batch none = {.kind = &mute->kind, .n = 1, .records = (uint8_t *)&row};
		struct ns_batch some = {
			.kind = &top[i & 1]->kind, .n = 1, .records = (uint8_t *)&row};

		CU_ASSERT_EQUAL(ops->put(w, &none, &e), 0);
		CU_ASSERT_EQUAL(ops->put(w, &some, &e), 0);
		CU_ASSERT_EQUAL(t_put(ops, w, i * 10, 10, &e), 0);
	}
	CU_ASSERT_EQUAL(ops->close(w, &e), 0);
	CU_ASSERT_STRING_EQUAL(e.text, "");
	r->record = on_kinds;
	r->ctx = &seen;
	CU_ASSERT_EQUAL(r_file(r, path), 0);
	CU_ASSERT_EQUAL(seen.flows, 40);
	CU_ASSERT_EQUAL(seen.rows, 4);
	for (unsigned i = 0; i < 4; i++)
		CU_ASSERT_EQUAL(seen.rank[i], 1);
	/* two families of flows and the two kinds, each sent once */
	for (uint16_t id = 257; id < 261; id++)
		CU_ASSERT_EQUAL(r->tmpl[id].seen, 1);
	CU_ASSERT_EQUAL(r->tmpl[261].seen, 0);
	free(r);
	free(mute);
	free(top[0]);
	free(top[1]);
	unlink(path);
}

/* sourceIPv4Prefix would be half of a prefix. */
static void prefixes(void)
{
	static const struct ns_rec_field field = {.name = "net",
		.type = NS_REC_PREFIX,
		.size = sizeof(struct ns_prefix),
		.ipfix_ie = 44};
	static const struct ns_rec_kind kind = {.name = "nets",
		.size = sizeof(struct ns_prefix),
		.fields = &field,
		.fields_n = 1,
		.ipfix_family_field = -1};
	struct ns_prefix net = {{4, {10, 0, 0, 0}}, 8};
	struct ns_batch b = {.kind = &kind, .n = 1, .records = (uint8_t *)&net};
	const struct ns_writer_ops *ops;
	struct ns_err e = {""};
	struct ns_writer *w = t_open("/dev/null", NULL, &ops);

	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	CU_ASSERT_EQUAL(ops->put(w, &b, &e), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "\"nets\", field \"net\""));
	CU_ASSERT_EQUAL(ops->close(w, &e), 0);
}

NS_TEST_MAIN({"kinds made at start", made_kinds}, {"prefixes have no element", prefixes})
