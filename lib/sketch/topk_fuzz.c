/* SPDX-License-Identifier: BSD-3-Clause */
/* Top-k from any octets: refused with a message, or a sketch that works and writes itself. */
#include "ns_topk.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

#define THINGS 40

static void need(bool ok)
{
	if (!ok)
		abort();
}

static void works(struct ns_topk *t, const uint8_t *in, size_t len)
{
	static const uint8_t keys[THINGS * 128];
	uint64_t hash[THINGS], unlisted = ns_topk_unlisted(t);
	struct ns_topk_entry list[20], e;
	uint8_t *out = malloc(len);
	struct ns_topk *again;
	struct ns_err err;
	int n = ns_topk_list(t, list, 20);

	need(out != NULL && ns_topk_write_size(t) == len && ns_topk_write(t, out) == len);
	need(memcmp(in, out, len) == 0);
	for (int i = 0; i < n; i++) {
		need(list[i].error <= list[i].count && list[i].count <= ns_topk_total(t));
		need(i == 0 || list[i - 1].count >= list[i].count);
		need(ns_topk_query(t, list[i].hash, &e) && memcmp(&e, &list[i], sizeof(e)) == 0);
	}
	need(n == 20 || unlisted == 0 || (uint32_t)n == ns_topk_capacity(t));
	again = ns_topk_parse(out, len, &err);
	need(again != NULL && ns_topk_merge(t, again) == 0);
	need(ns_topk_list(t, list, 20) == n);
	for (uint64_t i = 0; i < THINGS; i++)
		hash[i] = ns_hash64(&i, sizeof(i), 0);
	ns_topk_add_bulk(t, hash, keys, 128, hash, NULL, THINGS);
	/* each weighs what was added at least, listed or not */
	for (unsigned i = 0; i < THINGS; i++) {
		ns_topk_query(t, hash[i], &e);
		need(e.count >= hash[i]);
	}
	free(out);
	ns_topk_destroy(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	struct ns_err e = {0};
	struct ns_topk *t = ns_topk_parse(in, len, &e);

	if (t != NULL)
		works(t, in, len);
	else
		need(e.text[0] != '\0');
	ns_topk_destroy(t);
	return 0;
}
