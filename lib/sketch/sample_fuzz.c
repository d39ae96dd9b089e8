/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any octets as a serialised sample sketch. What is accepted writes the same octets again, answers,
 * and merges with itself; what is refused says where.
 */
#include "ns_sample.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool ok)
{
	if (!ok)
		abort();
}

static void use(const struct ns_sample *s)
{
	struct ns_sample_entry e, found;
	uint32_t at = 0, n = 0;

	while (ns_sample_next(s, &at, &e)) {
		need(ns_sample_find(s, e.hash, &found) && found.values == e.values);
		n++;
	}
	need(n == ns_sample_kept(s));
	need(ns_sample_rate(s) > 0 && ns_sample_rate(s) <= 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ns_err e = {{0}};
	struct ns_sample *s = ns_sample_parse(data, size, &e), *other;

	if (s == NULL) {
		need(e.text[0] != '\0');
		return 0;
	}
	uint8_t *out = malloc(ns_sample_write_size(s));

	need(out != NULL && ns_sample_write_size(s) == size);
	need(ns_sample_write(s, out) == size && memcmp(out, data, size) == 0);
	use(s);
	other = ns_sample_parse(out, size, &e);
	need(other != NULL && ns_sample_merge(s, other) == 0);
	use(s);
	ns_sample_reset(s);
	use(s);
	free(out);
	ns_sample_destroy(s);
	ns_sample_destroy(other);
	return 0;
}
