/* SPDX-License-Identifier: BSD-3-Clause */
/* Sets of sketches: order and merging. The serialised form is in set_wire.c. */
#include "ns_sketch_set.h"

#include <inttypes.h>
#include <stdlib.h>

int ns_sketch_part_order(const struct ns_sketch_part *a, const struct ns_sketch_part *b)
{
	uint32_t n = NS_MIN(a->label_len, b->label_len);
	int c = n > 0 ? memcmp(a->label, b->label, n) : 0;

	return c != 0 ? c : (a->label_len > b->label_len) - (a->label_len < b->label_len);
}

static int by_label(const void *a, const void *b)
{
	return ns_sketch_part_order(a, b);
}

int ns_sketch_set_sort(struct ns_sketch_set *s)
{
	qsort(s->parts, s->parts_n, sizeof(s->parts[0]), by_label);
	for (uint32_t i = 1; i < s->parts_n; i++) {
		if (ns_sketch_part_order(&s->parts[i - 1], &s->parts[i]) == 0)
			return ns_errno_set(EEXIST);
	}
	return 0;
}

static struct ns_sketch_part *find(const struct ns_sketch_set *s, const struct ns_sketch_part *p)
{
	return s->parts_n > 0 ? bsearch(p, s->parts, s->parts_n, sizeof(s->parts[0]), by_label)
			      : NULL;
}

/* Whether all that both have can be merged; *news: how many parts only the second has. */
static int alike(const struct ns_sketch_set *a, const struct ns_sketch_set *b, uint32_t *news,
	struct ns_err *e)
{
	if (strcmp(a->type, b->type) != 0)
		return ns_fail(e, EINVAL, "tasks differ in type: %s and %s", a->type, b->type);
	if (strcmp(a->what, b->what) != 0)
		return ns_fail(e, EINVAL,
			"tasks differ in what they count: \"%.80s\" and \"%.80s\"", a->what,
			b->what);
	if (a->seed != b->seed)
		return ns_fail(e, EINVAL,
			"tasks differ in the seed of their hash: %" PRIu64 " and %" PRIu64, a->seed,
			b->seed);
	for (uint32_t i = 0; i < b->parts_n; i++) {
		const struct ns_sketch_part *same = find(a, &b->parts[i]);

		if (same == NULL)
			++*news;
		else if (ns_sketch_alike(&same->sketch, &b->parts[i].sketch, e) < 0)
			return -errno;
	}
	return 0;
}

int ns_sketch_set_merge(struct ns_sketch_set *into, struct ns_sketch_set *from, struct ns_err *e)
{
	uint32_t news = 0, n = into->parts_n;
	int rc = alike(into, from, &news, e);

	if (rc < 0)
		return rc;
	if (news > 0) {
		struct ns_sketch_part *more =
			realloc(into->parts, ((size_t)n + news) * sizeof(*more));

		if (more == NULL)
			return ns_fail(e, ENOMEM, "no memory for %" PRIu32 " sketches", news);
		into->parts = more;
	}
	for (uint32_t i = 0; i < from->parts_n; i++) {
		struct ns_sketch_part *p = &from->parts[i], *same = find(into, p);

		if (same != NULL) {
			rc = ns_sketch_merge(&same->sketch, &p->sketch, e);
			if (rc < 0)
				return rc;
		} else {
			/* behind those that are searched, until all are there */
			into->parts[n++] = *p;
			*p = (struct ns_sketch_part){0};
		}
	}
	into->parts_n = n;
	ns_sketch_set_sort(into);
	into->start_ns = NS_MIN(into->start_ns, from->start_ns);
	into->end_ns = NS_MAX(into->end_ns, from->end_ns);
	into->epoch = NS_MAX(into->epoch, from->epoch);
	return 0;
}
