/* SPDX-License-Identifier: BSD-3-Clause */
/* HyperLogLog from any octets: refused with a message, or a sketch that works and writes itself. */
#include "ns_hll.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

static void works(struct ns_hll *h, const uint8_t *in, size_t len)
{
	double low, high, n = ns_hll_interval(h, 0.95, &low, &high);
	uint8_t *out = malloc(len);
	struct ns_hll *again;
	struct ns_err e;

	if (!(n >= 0 && low <= n && n <= high) || out == NULL)
		abort();
	if (ns_hll_write_size(h) != len || ns_hll_write(h, out) != len || memcmp(in, out, len) != 0)
		abort();
	again = ns_hll_parse(out, len, &e);
	if (again == NULL || ns_hll_merge(again, h) < 0 || ns_hll_write_size(again) != len)
		abort();
	ns_hll_write(again, out);
	if (memcmp(in, out, len) != 0)
		abort();
	for (uint64_t i = 0; i < 100; i++)
		ns_hll_add(again, ns_hash64(&i, sizeof(i), 0));
	if (ns_hll_merge(h, again) < 0 || !(ns_hll_estimate(h) >= 1))
		abort();
	free(out);
	ns_hll_destroy(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	struct ns_err e = {0};
	struct ns_hll *h = ns_hll_parse(in, len, &e);

	if (h != NULL)
		works(h, in, len);
	else if (e.text[0] == '\0')
		abort();
	ns_hll_destroy(h);
	return 0;
}
