/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * HyperLogLog's serialised form, version 1. The body, behind the head of ns_sketch.h:
 *
 *   0    1      2       4        8
 *   | p  | form | zero  | count  | ...
 *
 *   form 0   count hashes of 8 octets, ascending
 *   form 1   count 0, then 2^p registers as hll_priv.h draws them
 *
 * Equal sets of hashes have equal octets.
 */
#include "hll_priv.h"

#include <stdlib.h>

#define VERSION 1
#define FIXED 8

static size_t body_size(const struct ns_hll *h)
{
	return FIXED + (h->dense ? (size_t)1 << h->p : (size_t)h->count * sizeof(uint64_t));
}

size_t ns_hll_write_size(const struct ns_hll *h)
{
	return NS_SKETCH_HEAD + body_size(h);
}

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

size_t ns_hll_write(const struct ns_hll *h, uint8_t *out)
{
	struct ns_sketch_head head = {
		.type = NS_SKETCH_HLL, .version = VERSION, .seed = h->seed, .body = body_size(h)};
	uint64_t hash[NS_HLL_KEEP_MAX];
	uint8_t *p = ns_sketch_head_put(out, &head);

	*p++ = h->p;
	*p++ = h->dense;
	*p++ = 0;
	*p++ = 0;
	p = ns_le_put32(p, h->count);
	if (h->dense) {
		memcpy(p, h->area, (size_t)1 << h->p);
	} else {
		uint32_t n = ns_hll_hashes(h, hash);

		qsort(hash, n, sizeof(hash[0]), by_value);
		for (uint32_t i = 0; i < n; i++)
			p = ns_le_put64(p, hash[i]);
	}
	return NS_SKETCH_HEAD + (size_t)head.body;
}

/* Why an octet can't be a register; NULL when it can. */
static const char *register_wrong(uint8_t reg, unsigned rank_max)
{
	unsigned u1 = reg >> 2;

	if (reg == 0)
		return NULL;
	if (u1 < 2)
		return "a rank of 0";
	if (u1 - 1 > rank_max)
		return "a rank above the largest";
	if ((u1 == 2 && (reg & 3) != 0) || (u1 == 3 && (reg & 1) != 0))
		return "a rank below 1";
	return NULL;
}

static int parse_registers(struct ns_hll *h, const uint8_t *in, struct ns_err *e)
{
	size_t n = (size_t)1 << h->p, used = 0;

	for (size_t i = 0; i < n; i++) {
		const char *wrong = register_wrong(in[i], ns_hll_rank_max(h->p));

		if (wrong != NULL)
			return ns_fail(e, EBADMSG, "hll: octet %zu: a register with %s",
				NS_SKETCH_HEAD + FIXED + i, wrong);
		used += in[i] != 0;
	}
	if (used == 0)
		return ns_fail(e, EBADMSG, "hll: octet %d: registers, but nothing in them",
			NS_SKETCH_HEAD + FIXED);
	h->dense = true;
	memcpy(h->area, in, n);
	return 0;
}

static int parse_hashes(struct ns_hll *h, const uint8_t *in, uint32_t n, struct ns_err *e)
{
	uint64_t hash, last = 0;

	for (uint32_t i = 0; i < n; i++, last = hash) {
		hash = ns_le_get64(in + (size_t)i * 8);
		if (i > 0 && hash <= last)
			return ns_fail(e, EBADMSG, "hll: octet %zu: hashes do not ascend",
				NS_SKETCH_HEAD + FIXED + (size_t)i * 8);
		ns_hll_add(h, hash);
	}
	return 0;
}

struct ns_hll *ns_hll_parse(const uint8_t *in, size_t len, struct ns_err *e)
{
	struct ns_sketch_head head;
	const uint8_t *body = in + NS_SKETCH_HEAD;
	struct ns_hll_conf c;
	struct ns_hll *h;
	uint64_t want;
	uint32_t n;
	int rc;

	if (ns_sketch_head_get(&head, in, len, NS_SKETCH_HLL, VERSION, e) < 0)
		return NULL;
	if (head.body < FIXED) {
		ns_fail(e, EBADMSG, "hll: octet 16: a body of %llu octets, it has at least %d",
			(unsigned long long)head.body, FIXED);
		return NULL;
	}
	c = (struct ns_hll_conf){.p = body[0], .seed = head.seed};
	n = ns_le_get32(body + 4);
	if (c.p < NS_HLL_P_MIN || c.p > NS_HLL_P_MAX) {
		ns_fail(e, EBADMSG, "hll: octet 24: p is %u, it can be %d to %d", c.p, NS_HLL_P_MIN,
			NS_HLL_P_MAX);
		return NULL;
	}
	if (body[1] > 1 || body[2] != 0 || body[3] != 0) {
		ns_fail(e, EBADMSG, "hll: octet 25: form %u %u %u, known are 0 0 0 and 1 0 0",
			body[1], body[2], body[3]);
		return NULL;
	}
	if (n > (body[1] ? 0 : ns_hll_keep(c.p))) {
		ns_fail(e, EBADMSG, "hll: octet 28: %u hashes, there can be %u", n,
			body[1] ? 0 : ns_hll_keep(c.p));
		return NULL;
	}
	want = FIXED + (body[1] ? UINT64_C(1) << c.p : (uint64_t)n * 8);
	if (head.body != want) {
		ns_fail(e, EBADMSG, "hll: octet 16: a body of %llu octets, expected %llu",
			(unsigned long long)head.body, (unsigned long long)want);
		return NULL;
	}
	h = ns_hll_create(&c);
	if (h == NULL) {
		ns_fail(e, ENOMEM, "hll: no memory");
		return NULL;
	}
	rc = body[1] ? parse_registers(h, body + FIXED, e) : parse_hashes(h, body + FIXED, n, e);
	if (rc < 0) {
		ns_hll_destroy(h);
		return ns_errno_null(EBADMSG);
	}
	return h;
}
