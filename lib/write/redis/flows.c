/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The largest of the flows that have ended, by octets of both directions: a heap of fixed size
 * whose root is the least, so that a flow that is smaller than all of them costs one comparison.
 */
#include "redis_priv.h"

#include <stdlib.h>
#include <string.h>

int redis_flows_init(struct redis_flows *f, uint32_t max)
{
	*f = (struct redis_flows){.max = max};
	f->heap = calloc(max + (size_t)1, sizeof(*f->heap));
	return f->heap != NULL ? 0 : ns_errno_set(ENOMEM);
}

void redis_flows_fini(struct redis_flows *f)
{
	free(f->heap);
	free(f->records);
	memset(f, 0, sizeof(*f));
}

void redis_flows_clear(struct redis_flows *f)
{
	f->n = 0;
}

static const struct ns_rec_field *field(const struct ns_rec_kind *k, const char *name)
{
	for (unsigned i = 0; i < k->fields_n; i++) {
		if (strcmp(k->fields[i].name, name) == 0)
			return &k->fields[i];
	}
	return NULL;
}

static int set_kind(struct redis_flows *f, const struct ns_rec_kind *k)
{
	uint8_t *records = realloc(f->records, f->max * k->size + 1);

	if (records == NULL)
		return ns_errno_set(ENOMEM);
	f->records = records;
	f->kind = k;
	f->size = k->size;
	f->octets = field(k, "l2_octets");
	f->rev_octets = field(k, "rev_l2_octets");
	f->n = 0;
	return 0;
}

static uint64_t weight_of(const struct redis_flows *f, const void *rec)
{
	uint64_t a = 0, b = 0;

	if (f->octets != NULL)
		ns_rec_get_u64(f->octets, rec, &a);
	if (f->rev_octets != NULL)
		ns_rec_get_u64(f->rev_octets, rec, &b);
	return a + b;
}

static void swap(struct redis_flow *a, struct redis_flow *b)
{
	struct redis_flow t = *a;

	*a = *b;
	*b = t;
}

static void up(struct redis_flows *f, uint32_t i)
{
	for (; i > 0 && f->heap[i].weight < f->heap[(i - 1) / 2].weight; i = (i - 1) / 2)
		swap(&f->heap[i], &f->heap[(i - 1) / 2]);
}

static void down(struct redis_flows *f)
{
	for (uint32_t i = 0, least; 2 * i + 1 < f->n; i = least) {
		least = 2 * i + 1;
		if (least + 1 < f->n && f->heap[least + 1].weight < f->heap[least].weight)
			least++;
		if (f->heap[i].weight <= f->heap[least].weight)
			return;
		swap(&f->heap[i], &f->heap[least]);
	}
}

static void offer(struct redis_flows *f, const uint8_t *rec)
{
	uint64_t weight = weight_of(f, rec);

	if (f->n < f->max) {
		f->heap[f->n] = (struct redis_flow){weight, f->n};
		memcpy(f->records + f->n * f->size, rec, f->size);
		up(f, f->n++);
	} else if (weight > f->heap[0].weight) {
		f->heap[0].weight = weight;
		memcpy(f->records + f->heap[0].slot * f->size, rec, f->size);
		down(f);
	}
}

int redis_flows_put(struct redis_flows *f, const struct ns_batch *b)
{
	const uint8_t *rec = b->records;

	if (f->max == 0)
		return 0;
	if (f->kind != b->kind && set_kind(f, b->kind) < 0)
		return -errno;
	for (uint32_t i = 0; i < b->n; i++, rec += f->size)
		offer(f, rec);
	return 0;
}

static int in_order(const void *a, const void *b)
{
	const struct redis_flow *x = a, *y = b;

	if (x->weight != y->weight)
		return x->weight < y->weight ? -1 : 1;
	return x->slot < y->slot ? 1 : -1;
}

void redis_flows_sort(struct redis_flows *f)
{
	qsort(f->heap, f->n, sizeof(*f->heap), in_order);
}
