/* SPDX-License-Identifier: BSD-3-Clause */
/* Quantiles from any octets: refused with a message, or a sketch that works and writes itself. */
#include "ns_quantile.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

static void need(bool ok)
{
	if (!ok)
		abort();
}

static void works(struct ns_quantile *q, const uint8_t *in, size_t len)
{
	static const double p[] = {0, 0.001, 0.5, 0.75, 0.999, 1};
	double v[NS_ARRAY_LEN(p)], min = (double)ns_quantile_min(q),
				   max = (double)ns_quantile_max(q);
	uint64_t count = ns_quantile_count(q);
	uint8_t *out = malloc(len);
	struct ns_quantile *again;
	struct ns_err e;

	need(out != NULL && ns_quantile_write_size(q) == len && ns_quantile_write(q, out) == len);
	need(memcmp(in, out, len) == 0);
	ns_quantile_values(q, p, v, NS_ARRAY_LEN(p));
	for (unsigned i = 0; i < NS_ARRAY_LEN(p); i++)
		need(v[i] >= min && v[i] <= max && (i == 0 || v[i - 1] <= v[i]));
	/* the mean is rounded, the sum is checked bucket by bucket */
	need(ns_quantile_mean(q) >= min * (1 - 1e-9) / 1.13 && ns_quantile_mean(q) <= max * 1.13);
	again = ns_quantile_parse(out, len, &e);
	need(again != NULL);
	if (ns_quantile_merge(q, again) == 0)
		need(ns_quantile_count(q) == 2 * count);
	else
		need(errno == EOVERFLOW && ns_quantile_count(q) == count);
	free(out);
	ns_quantile_destroy(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	struct ns_err e = {0};
	struct ns_quantile *q = ns_quantile_parse(in, len, &e);

	if (q != NULL)
		works(q, in, len);
	else
		need(e.text[0] != '\0');
	ns_quantile_destroy(q);
	return 0;
}
