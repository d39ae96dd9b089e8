/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any octets as a serialised spread sketch. What is accepted writes the same octets again, answers,
 * and merges with itself; what is refused says where.
 */
#include "ns_spread.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool ok)
{
	if (!ok)
		abort();
}

static void use(const struct ns_spread *s)
{
	struct ns_spread_entry e[5];
	int n = ns_spread_list(s, e, 5, 0.95);

	need(n >= 0 && n <= 5);
	for (int i = 0; i < n; i++) {
		need(e[i].sampled > 0 && e[i].low >= (double)e[i].sampled);
		need(e[i].low <= e[i].peers && e[i].peers <= e[i].high);
		need(i == 0 || e[i - 1].sampled >= e[i].sampled);
	}
	need(ns_spread_pairs(s) >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ns_err e = {{0}};
	struct ns_spread *s = ns_spread_parse(data, size, &e), *other;

	if (s == NULL) {
		need(e.text[0] != '\0');
		return 0;
	}
	uint8_t *out = malloc(ns_spread_write_size(s));

	need(out != NULL && ns_spread_write_size(s) == size);
	need(ns_spread_write(s, out) == size && memcmp(out, data, size) == 0);
	use(s);
	other = ns_spread_parse(out, size, &e);
	need(other != NULL && ns_spread_merge(s, other) == 0);
	use(s);
	ns_spread_reset(s);
	use(s);
	free(out);
	ns_spread_destroy(s);
	ns_spread_destroy(other);
	return 0;
}
