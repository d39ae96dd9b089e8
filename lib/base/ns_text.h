/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Text made by hand where printf would be the most costly thing in sight: a record has some twenty
 * fields and a capture may have millions of records.
 *
 * Every ns_put_*() writes at @p p, without a terminating zero, and returns the place after the last
 * character. The caller sees to the room: the longest output of each is given.
 */

#include <ns_base.h>

#include <string.h>

/** Decimal, at most 20 characters. */
char *ns_put_u64(char *p, uint64_t v);

_Static_assert(
	__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first character is the lowest octet");

/* Eight digits of v < 10^8, one an octet, the first in the lowest: halves, quarters, eighths. */
static inline uint64_t ns_digits8(uint32_t v)
{
	uint64_t x = v / 10000 | (uint64_t)(v % 10000) << 32;
	uint64_t q = (x * 10486 >> 20) & UINT64_C(0x0000007f0000007f);

	x = q | (x - 100 * q) << 16;
	q = (x * 103 >> 10) & UINT64_C(0x000f000f000f000f);
	return q | (x - 10 * q) << 8;
}

#define NS_DIGITS8_ASCII UINT64_C(0x3030303030303030)

/* The text of x from ns_digits8() without zeros before it; writes eight octets. */
static inline char *ns_put_digits8(char *p, uint64_t x)
{
	unsigned zeros = (unsigned)__builtin_ctzll(x | UINT64_C(1) << 56) / 8;

	x = (x >> 8 * zeros) + NS_DIGITS8_ASCII;
	memcpy(p, &x, sizeof(x));
	return p + 8 - zeros;
}

static inline char *ns_put_all_digits8(char *p, uint64_t x)
{
	x += NS_DIGITS8_ASCII;
	memcpy(p, &x, sizeof(x));
	return p + 8;
}

/**
 * As ns_put_u64() without a branch that depends on the number of digits below 10^8. What is behind
 * the text may be overwritten, up to 20 characters from @p p.
 */
static inline char *ns_put_u64_wide(char *p, uint64_t v)
{
	const uint32_t e8 = 100000000;

	if (ns_likely(v < e8))
		return ns_put_digits8(p, ns_digits8((uint32_t)v));
	uint64_t high = v / e8;
	uint64_t low = ns_digits8((uint32_t)(v - high * e8));

	if (high < e8)
		return ns_put_all_digits8(ns_put_digits8(p, ns_digits8((uint32_t)high)), low);
	uint64_t top = high / e8;

	p = ns_put_digits8(p, ns_digits8((uint32_t)top));
	p = ns_put_all_digits8(p, ns_digits8((uint32_t)(high - top * e8)));
	return ns_put_all_digits8(p, low);
}

/** 0 to 255 as text. */
struct ns_octet_text {
	char text[3];
	uint8_t len;
};
extern const struct ns_octet_text ns_octet_text[256];

/** Decimal of an octet, at most 3 characters; writes 4. */
static inline char *ns_put_octet_wide(char *p, uint8_t v)
{
	const struct ns_octet_text *t = &ns_octet_text[v];

	memcpy(p, t, sizeof(*t));
	return p + t->len;
}

/** Decimal with sign, at most 20 characters. */
char *ns_put_i64(char *p, int64_t v);

/** Lower-case hexadecimal of exactly 2 * @p n digits. */
char *ns_put_hex(char *p, const uint8_t *bytes, size_t n);

/** Dotted quad of 4 bytes in network order, at most 15 characters. */
char *ns_put_ipv4(char *p, const uint8_t addr[4]);

/** RFC 5952 text of 16 bytes in network order, at most 45 characters. */
char *ns_put_ipv6(char *p, const uint8_t addr[16]);

/** Base64 (RFC 4648) of @p n bytes: 4 * ceil(n / 3) characters. */
char *ns_put_base64(char *p, const uint8_t *bytes, size_t n);

static inline char *ns_put_str(char *p, const char *s)
{
	size_t n = strlen(s);

	memcpy(p, s, n);
	return p + n;
}

/**
 * How many octets of @p text make a line of at most @p room: up to a blank, if there is one; blanks
 * there are not counted. The next line begins at ns_text_next().
 */
size_t ns_text_fit(const char *text, size_t room);
static inline const char *ns_text_next(const char *text, size_t fit)
{
	return text + fit + strspn(text + fit, " ");
}

/** JSON string body of @p n bytes (no quotes); bytes that are no UTF-8 become U+FFFD; <= 6 * n. */
char *ns_put_json(char *p, const char *s, size_t n);

/** @p n bytes as UTF-8: those that are none become U+FFFD; <= 3 * n. */
char *ns_put_utf8(char *p, const char *s, size_t n);
