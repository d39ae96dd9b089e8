/* SPDX-License-Identifier: BSD-3-Clause */
/* The exact table behind a sketch; ns_task_exact.h draws it. */
#include "ns_task_exact.h"
#include "task_priv.h"

struct ns_task_exact ns_task_exact(
	const struct ns_task_build *b, size_t sketch, uint16_t key_len, uint8_t values)
{
	struct ns_task_exact x = {.at = task_align(sketch, NS_CACHE_LINE)};

	if (ns_task_verify(b))
		x.conf = (struct ns_sample_conf){.slots = ns_task_verify_slots(b),
			.key_len = key_len,
			.values = values,
			.seed = ns_task_seed(b)};
	return x;
}

size_t ns_task_exact_size(const struct ns_task_exact *x)
{
	size_t table = x->conf.slots > 0 ? ns_sample_size(&x->conf) : 0;

	return x->at + task_align(table, NS_CACHE_LINE);
}

void ns_task_exact_init(const struct ns_task_exact *x, void *state)
{
	struct ns_sample *s = ns_task_exact_table(x, state);

	if (s != NULL)
		ns_sample_init_zeroed(s, &x->conf);
}

void ns_task_exact_reset(const struct ns_task_exact *x, void *state)
{
	struct ns_sample *s = ns_task_exact_table(x, state);

	if (s != NULL)
		ns_sample_reset(s);
}

int ns_task_exact_merge(const struct ns_task_exact *x, void *into, const void *from)
{
	struct ns_sample *s = ns_task_exact_table(x, into);

	return s != NULL ? ns_sample_merge(s, ns_task_exact_table(x, from)) : 0;
}
