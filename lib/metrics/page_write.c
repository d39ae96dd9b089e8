/* SPDX-License-Identifier: BSD-3-Clause */
#include "page_write.h"

#include <inttypes.h>
#include <math.h>

#define PREFIX "netspectra_"

void page_family(const struct page *p, const char *name, enum page_type type, const char *help)
{
	static const char *const types[] = {
		[PAGE_COUNTER] = "counter", [PAGE_GAUGE] = "gauge", [PAGE_SUMMARY] = "summary"};

	fprintf(p->f, "# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s %s\n", name, help, name,
		types[type]);
}

/* Octets of the UTF-8 sequence at @s (RFC 3629), 0 when it is none. */
static unsigned utf8_length(const uint8_t *s)
{
	unsigned n = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;

	if (s[0] > 0xf4)
		return 0;
	for (unsigned i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	if (n == 3 && ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f)))
		return 0;
	if (n == 4 && ((s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f)))
		return 0;
	return n;
}

/* One octet that is not UTF-8 would make a server refuse the whole page. */
static void put_value(FILE *f, const char *text)
{
	const uint8_t *s = (const uint8_t *)text;

	while (*s != '\0') {
		unsigned n = utf8_length(s);

		if (*s == '\\' || *s == '"')
			putc('\\', f);
		if (*s == '\n')
			fputs("\\n", f);
		else if (n == 0)
			putc('?', f);
		else
			fwrite(s, 1, n, f);
		s += NS_MAX(n, 1);
	}
}

static void put_label(FILE *f, const char *key, const char *value)
{
	if (key == NULL)
		return;
	fprintf(f, ",%s=\"", key);
	put_value(f, value);
	putc('"', f);
}

void page_sample(const struct page *p, const char *name, const char *key, const char *value,
	const char *key2, const char *value2)
{
	fprintf(p->f, PREFIX "%s{node=\"", name);
	put_value(p->f, p->node);
	putc('"', p->f);
	put_label(p->f, key, value);
	put_label(p->f, key2, value2);
	fputs("} ", p->f);
}

void page_u64(const struct page *p, uint64_t v)
{
	fprintf(p->f, "%" PRIu64 "\n", v);
}

void page_i64(const struct page *p, int64_t v)
{
	fprintf(p->f, "%" PRId64 "\n", v);
}

void page_seconds(const struct page *p, uint64_t ns)
{
	fprintf(p->f, "%" PRIu64 ".%09" PRIu64 "\n", ns / NS_SEC_NS, ns % NS_SEC_NS);
}

void page_f64(const struct page *p, double v)
{
	if (!isfinite(v) || fabs(v) > 1e12) {
		page_nan(p);
		return;
	}

	int64_t millionths = llround(fabs(v) * 1e6);

	fprintf(p->f, "%s%" PRId64 ".%06" PRId64 "\n", v < 0 && millionths != 0 ? "-" : "",
		millionths / 1000000, millionths % 1000000);
}

void page_nan(const struct page *p)
{
	fputs("NaN\n", p->f);
}
