/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ns_put_json() on any octets: the result keeps to its bound, is well-formed UTF-8 and has no
 * octets that JSON forbids in a string.
 */
#include <ns_text.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(int ok)
{
	if (!ok)
		abort();
}

/* Steps over one character of a JSON string body; a slower reading of RFC 3629 than the code's. */
static const uint8_t *character(const uint8_t *p, const uint8_t *end)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};

	if (*p == '\\') {
		need(end - p >= 2);
		if (p[1] == 'u') {
			need(end - p >= 6);
			return p + 6;
		}
		need(p[1] == '"' || p[1] == '\\');
		return p + 2;
	}
	need(*p >= 0x20 && *p != '"' && *p != 0x7f);
	if (*p < 0x80)
		return p + 1;
	size_t len = *p >= 0xf0 ? 4 : *p >= 0xe0 ? 3 : 2;
	uint32_t code = *p & (0x7fu >> len);

	need(*p >= 0xc0 && *p < 0xf8 && (size_t)(end - p) >= len);
	for (size_t i = 1; i < len; i++) {
		need((p[i] & 0xc0) == 0x80);
		code = code << 6 | (p[i] & 0x3fu);
	}
	need(code >= least[len] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff));
	return p + len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *out = malloc(6 * size + 1);

	if (out == NULL)
		return 0;
	const char *end = ns_put_json(out, (const char *)data, size);

	need((size_t)(end - out) <= 6 * size);
	for (const uint8_t *p = (const uint8_t *)out; p < (const uint8_t *)end;)
		p = character(p, (const uint8_t *)end);
	free(out);
	return 0;
}
