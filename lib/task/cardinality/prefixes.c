/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The longest of some prefixes that an address is in.
 *
 * In a key all addresses are of 128 bits, IPv4 as ::ffff:a.b.c.d. The prefixes cut their line into
 * ranges in which the answer is the same, at most two more than twice as many as there are
 * prefixes, and a binary search finds the range:
 *
 *	10/8                   |-------------------|
 *	10.1/16                      |-----|
 *	slot           0       |  1  |  2  |   1   |   0
 *
 * ::ffff:0:0/96 is always one of them, for "none": no prefix of IPv6 catches an IPv4 address.
 */
#include "cardinality_priv.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define V4_LEN 96
#define V4_BASE ((card_addr)0xffff << 32)

static card_addr load(const uint8_t *octets)
{
	uint64_t w[2];

	memcpy(w, octets, sizeof(w));
	return (card_addr)__builtin_bswap64(w[0]) << 64 | __builtin_bswap64(w[1]);
}

/* Addresses behind the first of a prefix of that length. */
static card_addr span(unsigned len)
{
	return len == 0 ? ~(card_addr)0 : (((card_addr)1 << (128 - len)) - 1);
}

/* A prefix on the line. */
struct part {
	card_addr first;
	unsigned len;
	uint16_t slot;
};

static struct part on_line(const struct ns_prefix *p, uint16_t slot)
{
	struct part part = {.len = p->len, .slot = slot};

	if (p->ip.ver == 4) {
		uint32_t v4;

		memcpy(&v4, p->ip.addr, sizeof(v4));
		part.first = V4_BASE | __builtin_bswap32(v4);
		part.len += V4_LEN;
	} else {
		part.first = load(p->ip.addr);
	}
	return part;
}

int card_prefix_parse(const char *text, struct ns_prefix *p, struct ns_err *e)
{
	size_t n = strcspn(text, "/");
	char addr[INET6_ADDRSTRLEN];
	unsigned max, len;

	memset(p, 0, sizeof(*p));
	if (n >= sizeof(addr))
		goto bad;
	memcpy(addr, text, n);
	addr[n] = '\0';
	if (inet_pton(AF_INET, addr, p->ip.addr) == 1)
		p->ip.ver = 4;
	else if (inet_pton(AF_INET6, addr, p->ip.addr) == 1)
		p->ip.ver = 6;
	else
		goto bad;
	len = max = p->ip.ver == 4 ? 32 : 128;
	if (text[n] == '/') {
		char *end;

		if (!isdigit((unsigned char)text[n + 1]) || strlen(text + n + 1) > 3)
			goto bad;
		len = (unsigned)strtoul(text + n + 1, &end, 10);
		if (*end != '\0' || len > max)
			goto bad;
	}
	p->len = (uint8_t)len;
	struct part part = on_line(p, 0);

	if ((part.first & span(part.len)) != 0)
		return ns_fail(e, EINVAL, "\"%s\" has bits set behind the first %u", text, len);
	if (p->ip.ver == 6 && part.len >= V4_LEN && part.first >> 32 == 0xffff)
		return ns_fail(e, EINVAL, "\"%s\": write IPv4 as IPv4", text);
	return 0;
bad:
	return ns_fail(e, EINVAL,
		"\"%.60s\" is no prefix, as \"10.0.0.0/8\" or \"2001:db8::/32\" is", text);
}

static int in_order(const void *a, const void *b)
{
	const card_addr *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* The slot of the longest prefix around an address; 0.0.0.0/0 stands behind the one for "none". */
static uint16_t longest(const struct part *parts, unsigned n, card_addr addr)
{
	const struct part *best = NULL;

	for (unsigned i = 0; i < n; i++) {
		if (addr - parts[i].first <= span(parts[i].len) &&
			(best == NULL || parts[i].len >= best->len))
			best = &parts[i];
	}
	return best != NULL ? best->slot : 0;
}

void card_ranges_init(struct card_ranges *r, const struct ns_prefix *prefixes, unsigned n)
{
	struct part parts[CARD_PREFIXES_MAX + 1] = {{V4_BASE, V4_LEN, 0}};
	card_addr at[NS_ARRAY_LEN(r->first)] = {0};
	unsigned m = 1;

	for (unsigned i = 0; i < n; i++)
		parts[i + 1] = on_line(&prefixes[i], (uint16_t)(i + 1));
	for (unsigned i = 0; i <= n; i++) {
		at[m++] = parts[i].first;
		at[m++] = parts[i].first + span(parts[i].len) + 1; /* 0 behind the last */
	}
	qsort(at, m, sizeof(at[0]), in_order);
	r->n = 0;
	for (unsigned i = 0; i < m; i++) {
		uint16_t slot = longest(parts, n + 1, at[i]);

		if (r->n > 0 && slot == r->slot[r->n - 1])
			continue;
		r->first[r->n] = at[i];
		r->slot[r->n++] = slot;
	}
}

unsigned card_ranges_find(const struct card_ranges *r, const uint8_t *key)
{
	card_addr addr = load(key);
	unsigned at = 0;

	/* the last that begins at or before it; the first begins at 0 */
	for (unsigned n = r->n; n > 1;) {
		unsigned half = n / 2;

		at = r->first[at + half] <= addr ? at + half : at;
		n -= half;
	}
	return r->slot[at];
}
