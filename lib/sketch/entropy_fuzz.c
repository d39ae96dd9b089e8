/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any octets as a serialised entropy sketch. What is accepted writes the same octets again,
 * answers, and merges with itself; what is refused says where.
 */
#include "ns_entropy.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool ok)
{
	if (!ok)
		abort();
}

static void use(const struct ns_entropy *s)
{
	double low, high, bits = ns_entropy_bits(s, 0.95, &low, &high);

	need(low >= 0 && low <= bits && bits <= high && high <= 64);
	need(ns_entropy_keys(s) >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ns_err e = {{0}};
	struct ns_entropy *s = ns_entropy_parse(data, size, &e), *other;

	if (s == NULL) {
		need(e.text[0] != '\0');
		return 0;
	}
	uint8_t *out = malloc(ns_entropy_write_size(s));

	need(out != NULL && ns_entropy_write_size(s) == size);
	need(ns_entropy_write(s, out) == size && memcmp(out, data, size) == 0);
	use(s);
	other = ns_entropy_parse(out, size, &e);
	need(other != NULL && ns_entropy_merge(s, other) == 0);
	use(s);
	ns_entropy_reset(s);
	use(s);
	free(out);
	ns_entropy_destroy(s);
	ns_entropy_destroy(other);
	return 0;
}
