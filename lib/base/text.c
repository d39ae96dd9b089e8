/* SPDX-License-Identifier: BSD-3-Clause */
#include <ns_text.h>

static const char digits2[201] = "00010203040506070809101112131415161718192021222324"
				 "25262728293031323334353637383940414243444546474849"
				 "50515253545556575859606162636465666768697071727374"
				 "75767778798081828384858687888990919293949596979899";

char *ns_put_u64(char *p, uint64_t v)
{
	char tmp[20];
	char *t = tmp + sizeof(tmp);

	while (v >= 100) {
		t -= 2;
		memcpy(t, digits2 + 2 * (v % 100), 2);
		v /= 100;
	}
	if (v >= 10) {
		t -= 2;
		memcpy(t, digits2 + 2 * v, 2);
	} else {
		*--t = (char)('0' + v);
	}
	size_t n = (size_t)(tmp + sizeof(tmp) - t);
	memcpy(p, t, n);
	return p + n;
}

char *ns_put_i64(char *p, int64_t v)
{
	if (v < 0) {
		*p++ = '-';
		return ns_put_u64(p, -(uint64_t)v);
	}
	return ns_put_u64(p, (uint64_t)v);
}

char *ns_put_hex(char *p, const uint8_t *bytes, size_t n)
{
	static const char hex[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		*p++ = hex[bytes[i] >> 4];
		*p++ = hex[bytes[i] & 15];
	}
	return p;
}

#define ONE(u)                 \
	{                      \
		{'0' + (u)}, 1 \
	}
#define TWO(t, u)                         \
	{                                 \
		{'0' + (t), '0' + (u)}, 2 \
	}
#define THREE(h, t, u)                               \
	{                                            \
		{'0' + (h), '0' + (t), '0' + (u)}, 3 \
	}
#define TEN(t)                                                                                  \
	TWO(t, 0), TWO(t, 1), TWO(t, 2), TWO(t, 3), TWO(t, 4), TWO(t, 5), TWO(t, 6), TWO(t, 7), \
		TWO(t, 8), TWO(t, 9)
#define SIX_OF(h, t)                                                                    \
	THREE(h, t, 0), THREE(h, t, 1), THREE(h, t, 2), THREE(h, t, 3), THREE(h, t, 4), \
		THREE(h, t, 5)
#define TEN_OF(h, t) SIX_OF(h, t), THREE(h, t, 6), THREE(h, t, 7), THREE(h, t, 8), THREE(h, t, 9)
#define FIFTY_OF(h) TEN_OF(h, 0), TEN_OF(h, 1), TEN_OF(h, 2), TEN_OF(h, 3), TEN_OF(h, 4)

const struct ns_octet_text ns_octet_text[256] = {ONE(0), ONE(1), ONE(2), ONE(3), ONE(4), ONE(5),
	ONE(6), ONE(7), ONE(8), ONE(9), TEN(1), TEN(2), TEN(3), TEN(4), TEN(5), TEN(6), TEN(7),
	TEN(8), TEN(9), FIFTY_OF(1), TEN_OF(1, 5), TEN_OF(1, 6), TEN_OF(1, 7), TEN_OF(1, 8),
	TEN_OF(1, 9), FIFTY_OF(2), SIX_OF(2, 5)};

char *ns_put_ipv4(char *p, const uint8_t a[4])
{
	for (int i = 0; i < 3; i++) {
		p = ns_put_octet_wide(p, a[i]);
		*p++ = '.';
	}
	const struct ns_octet_text *last = &ns_octet_text[a[3]];

	/* the fourth octet of the table would be behind the room of the longest address */
	memcpy(p, last->text, sizeof(last->text));
	return p + last->len;
}

/* Four digits without zeros before them; no branch, for who knows what the next group has. */
static inline char *put_group(char *p, uint32_t v)
{
	uint32_t x = v >> 12 | (v & 0xf00) | (v & 0xf0) << 12 | (v & 0xf) << 24;
	uint32_t letters = (x + 0x06060606) >> 4 & 0x01010101;
	unsigned zeros = (unsigned)__builtin_ctz(x | 1u << 24) / 8;

	x = (x + 0x30303030 + letters * ('a' - '0' - 10)) >> 8 * zeros;
	memcpy(p, &x, sizeof(x));
	return p + 4 - zeros;
}

/* RFC 5952: the longest run of two or more zero groups, the first of equals, becomes "::". */
char *ns_put_ipv6(char *p, const uint8_t a[16])
{
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	int best = -1, best_len = 1;

	if (memcmp(a, mapped, sizeof(mapped)) == 0) {
		p = ns_put_str(p, "::ffff:");
		return ns_put_ipv4(p, a + 12);
	}
	for (int i = 0; i < 8;) {
		int n = 0;

		while (i + n < 8 && a[2 * (i + n)] == 0 && a[2 * (i + n) + 1] == 0)
			n++;
		if (n > best_len) {
			best = i;
			best_len = n;
		}
		i += n > 0 ? n : 1;
	}
	for (int i = 0; i < 8; i++) {
		if (i == best) {
			*p++ = ':';
			*p++ = ':';
			i += best_len - 1;
			continue;
		}
		if (i > 0 && i != best + best_len)
			*p++ = ':';
		else if (i > 0 && best < 0)
			*p++ = ':';
		p = put_group(p, (unsigned)a[2 * i] << 8 | a[2 * i + 1]);
	}
	return p;
}

char *ns_put_base64(char *p, const uint8_t *b, size_t n)
{
	static const char set[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t i = 0;

	for (; i + 2 < n; i += 3) {
		uint32_t v = (uint32_t)b[i] << 16 | (uint32_t)b[i + 1] << 8 | b[i + 2];

		*p++ = set[v >> 18];
		*p++ = set[(v >> 12) & 63];
		*p++ = set[(v >> 6) & 63];
		*p++ = set[v & 63];
	}
	if (i < n) {
		uint32_t v = (uint32_t)b[i] << 16 | (i + 1 < n ? (uint32_t)b[i + 1] << 8 : 0);

		*p++ = set[v >> 18];
		*p++ = set[(v >> 12) & 63];
		*p++ = i + 1 < n ? set[(v >> 6) & 63] : '=';
		*p++ = '=';
	}
	return p;
}

/* Length of the well-formed UTF-8 sequence at s (RFC 3629), 0 when it is none. */
static size_t utf8_len(const uint8_t *s, size_t n)
{
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	size_t len = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;

	if (n < len)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
		(s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return len;
}

char *ns_put_json(char *p, const char *str, size_t n)
{
	const uint8_t *s = (const uint8_t *)str;

	for (size_t i = 0; i < n;) {
		uint8_t c = s[i];

		if (c == '"' || c == '\\') {
			*p++ = '\\';
			*p++ = (char)c;
			i++;
		} else if (c < 0x20 || c == 0x7f) {
			p = ns_put_str(p, "\\u00");
			p = ns_put_hex(p, &c, 1);
			i++;
		} else if (c < 0x80) {
			*p++ = (char)c;
			i++;
		} else {
			size_t len = utf8_len(s + i, n - i);

			if (len == 0) {
				p = ns_put_str(p, "\xef\xbf\xbd");
				i++;
			} else {
				memcpy(p, s + i, len);
				p += len;
				i += len;
			}
		}
	}
	return p;
}

char *ns_put_utf8(char *p, const char *str, size_t n)
{
	const uint8_t *s = (const uint8_t *)str;

	for (size_t i = 0; i < n;) {
		size_t len = s[i] < 0x80 ? 1 : utf8_len(s + i, n - i);

		if (len == 0) {
			p = ns_put_str(p, "\xef\xbf\xbd");
			i++;
		} else {
			memcpy(p, s + i, len);
			p += len;
			i += len;
		}
	}
	return p;
}

size_t ns_text_fit(const char *text, size_t room)
{
	size_t n = strlen(text);

	if (n <= room)
		return n;
	for (n = room; n > 0 && text[n] != ' ';)
		n--;
	while (n > 0 && text[n - 1] == ' ')
		n--;
	return n > 0 ? n : room;
}
