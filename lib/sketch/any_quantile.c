/* SPDX-License-Identifier: BSD-3-Clause */
/* A quantile sketch for those who hand on sketches of any type. */
#include "any_priv.h"
#include "quantile_priv.h"

#include <math.h>
#include <stdio.h>

unsigned any_quantile_params(const void *s, struct ns_sketch_param *param)
{
	const struct ns_quantile *q = s;

	param[0] = (struct ns_sketch_param){"seed", q->seed};
	param[1] = (struct ns_sketch_param){"k", q->k};
	return 2;
}

void any_quantile_facts(const void *s, struct ns_sketch_facts *f)
{
	const struct ns_quantile *q = s;
	double error = ns_quantile_error(q);

	f->octets = quantile_size(q->k);
	f->cell = "counters";
	f->cells = q->buckets;
	for (uint32_t i = 0; i < q->buckets; i++) {
		f->used += q->counter[i] != 0;
		f->saturated += q->counter[i] == UINT64_MAX;
	}
	f->of = "median";
	f->estimate = ns_quantile_value(q, 0.5);
	f->low = fmax(f->estimate / (1 + error), (double)ns_quantile_min(q));
	f->high = fmin(f->estimate / (1 - error), (double)q->max);
	snprintf(f->bound, sizeof(f->bound), "within %.3g %% of a value of that rank, always",
		100 * error);
}
