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

/** JSON string body of @p n bytes (no quotes); bytes that are no UTF-8 become U+FFFD; <= 6 * n. */
char *ns_put_json(char *p, const char *s, size_t n);
