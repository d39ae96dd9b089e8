/* SPDX-License-Identifier: BSD-3-Clause */
/* Count-Min: life, reading, merging; cms_priv.h draws the block, cms_add.c adds. */
#include "cms_priv.h"

#include <math.h>
#include <stdlib.h>

/* The bits of the square roots of the first primes, made odd. */
const uint64_t ns_cms_row[NS_CMS_ROWS_MAX] = {UINT64_C(0x6a09e667f3bcc909),
	UINT64_C(0xbb67ae8584caa73b), UINT64_C(0x3c6ef372fe94f82b), UINT64_C(0xa54ff53a5f1d36f1),
	UINT64_C(0x510e527fade682d1), UINT64_C(0x9b05688c2b3e6c1f), UINT64_C(0x1f83d9abfb41bd6b),
	UINT64_C(0x5be0cd19137e2179)};

/* Counters of a sketch, 0 when the configuration is wrong or too large. */
static size_t counters(const struct ns_cms_conf *c, uint64_t *width)
{
	unsigned each = c->layout == NS_CMS_ROWS ? c->rows : NS_CMS_LINE;

	if (c->rows < 1 || c->rows > NS_CMS_ROWS_MAX || c->layout < NS_CMS_ROWS ||
		c->layout > NS_CMS_BLOCKED || c->memory > SIZE_MAX - 2 * sizeof(struct ns_cms))
		return 0;
	*width = c->memory / sizeof(uint64_t) / each;
	return *width * each;
}

struct ns_cms_conf ns_cms_for_error(double error, double confidence, uint64_t seed)
{
	/* Cormode and Muthukrishnan: e / error counters, ln(1 / (1 - confidence)) rows. */
	double width = ceil(M_E / error), rows = ceil(-log1p(-confidence) - 1e-9);
	struct ns_cms_conf c = {.layout = NS_CMS_ROWS, .seed = seed};

	c.rows = rows > NS_CMS_ROWS_MAX ? NS_CMS_ROWS_MAX : rows > 1 ? (uint8_t)rows : 1;
	/* What no memory is enough for, ns_cms_size() refuses. */
	width = width > 1 ? width : 1;
	c.memory = width < 0x1p54 ? (size_t)width * c.rows * sizeof(uint64_t) : SIZE_MAX;
	return c;
}

size_t ns_cms_size(const struct ns_cms_conf *c)
{
	uint64_t width;
	size_t n = counters(c, &width);

	if (n == 0) {
		errno = EINVAL;
		return 0;
	}
	return sizeof(struct ns_cms) + n * sizeof(uint64_t);
}

struct ns_cms *ns_cms_init_zeroed(void *mem, const struct ns_cms_conf *c)
{
	struct ns_cms *s = mem;
	uint64_t width;

	if (counters(c, &width) == 0)
		return ns_errno_null(EINVAL);
	s->seed = c->seed;
	s->width = width;
	s->rows = c->rows;
	s->layout = (uint8_t)c->layout;
	s->plain = c->plain;
	return s;
}

struct ns_cms *ns_cms_init(void *mem, const struct ns_cms_conf *c)
{
	size_t size = ns_cms_size(c);

	if (size == 0)
		return NULL;
	memset(mem, 0, size);
	return ns_cms_init_zeroed(mem, c);
}

struct ns_cms *ns_cms_create(const struct ns_cms_conf *c)
{
	size_t size = ns_cms_size(c);
	void *mem = size > 0 ? ns_sketch_alloc(size) : NULL;

	return mem != NULL ? ns_cms_init(mem, c) : NULL;
}

void ns_cms_destroy(struct ns_cms *s)
{
	free(s);
}

void ns_cms_reset(struct ns_cms *s)
{
	s->total = 0;
	memset(s->count, 0, ns_cms_counters(s) * sizeof(s->count[0]));
}

int ns_cms_merge(struct ns_cms *into, const struct ns_cms *from)
{
	size_t n = ns_cms_counters(into);

	if (into->seed != from->seed || into->width != from->width || into->rows != from->rows ||
		into->layout != from->layout || into->plain != from->plain)
		return ns_errno_set(EINVAL);
	for (size_t i = 0; i < n; i++)
		into->count[i] = ns_cms_sum(into->count[i], from->count[i]);
	into->total = ns_cms_sum(into->total, from->total);
	return 0;
}

uint64_t ns_cms_query(const struct ns_cms *s, uint64_t hash)
{
	uint64_t least = UINT64_MAX;

	if (s->layout == NS_CMS_ROWS) {
		for (unsigned r = 0; r < s->rows; r++) {
			uint64_t c = s->count[ns_cms_at_row(s, hash, r)];

			least = c < least ? c : least;
		}
	} else {
		const uint64_t *line = &s->count[ns_cms_at_line(s, hash)];

		for (unsigned set = ns_cms_at_set(s->rows, hash); set != 0; set &= set - 1) {
			uint64_t c = line[__builtin_ctz(set)];

			least = c < least ? c : least;
		}
	}
	return least;
}

uint64_t ns_cms_total(const struct ns_cms *s)
{
	return s->total;
}

uint64_t ns_cms_used(const struct ns_cms *s, uint64_t *all)
{
	uint64_t used = 0;

	*all = ns_cms_counters(s);
	for (size_t i = 0; i < *all; i++)
		used += s->count[i] != 0;
	return used;
}
