/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Count-Min's serialised form, version 1. The body, behind the head of ns_sketch.h:
 *
 *   0        1      2       3       8       16      24
 *   | layout | rows | plain | zero  | width | total | counters of 8 octets ...
 *
 * width is the number of counters of a row, or of lines; cms_priv.h has the order of the counters.
 */
#include "cms_priv.h"

#define VERSION 1
#define FIXED 24u

size_t ns_cms_write_size(const struct ns_cms *s)
{
	return NS_SKETCH_HEAD + FIXED + ns_cms_counters(s) * sizeof(uint64_t);
}

size_t ns_cms_write(const struct ns_cms *s, uint8_t *out)
{
	size_t size = ns_cms_write_size(s);
	struct ns_sketch_head head = {.type = NS_SKETCH_CMS,
		.version = VERSION,
		.seed = s->seed,
		.body = size - NS_SKETCH_HEAD};
	uint8_t *p = ns_sketch_head_put(out, &head);

	memset(p, 0, 8);
	p[0] = s->layout;
	p[1] = s->rows;
	p[2] = s->plain;
	p = ns_le_put64(p + 8, s->width);
	p = ns_le_put64(p, s->total);
	for (size_t i = 0, n = ns_cms_counters(s); i < n; i++)
		p = ns_le_put64(p, s->count[i]);
	return size;
}

/* The fixed part, against the length. 0 or -EBADMSG. */
static int parse_fixed(struct ns_cms_conf *c, const uint8_t *body, uint64_t len, struct ns_err *e)
{
	uint64_t width, each;

	if (len < FIXED)
		return ns_fail(e, EBADMSG,
			"cms: octet 16: a body of %llu octets, it has at least %u",
			(unsigned long long)len, FIXED);
	if (body[0] > NS_CMS_BLOCKED)
		return ns_fail(e, EBADMSG, "cms: octet 24: layout %u, known are 0 and 1", body[0]);
	if (body[1] < 1 || body[1] > NS_CMS_ROWS_MAX)
		return ns_fail(e, EBADMSG, "cms: octet 25: %u rows, there can be 1 to %u", body[1],
			NS_CMS_ROWS_MAX);
	if (body[2] > 1)
		return ns_fail(e, EBADMSG, "cms: octet 26: %u, expected 0 or 1", body[2]);
	for (unsigned i = 3; i < 8; i++) {
		if (body[i] != 0)
			return ns_fail(e, EBADMSG, "cms: octet %u: not zero", NS_SKETCH_HEAD + i);
	}
	width = ns_le_get64(body + 8);
	each = (body[0] == NS_CMS_ROWS ? body[1] : NS_CMS_LINE) * sizeof(uint64_t);
	if (width == 0 || width != (len - FIXED) / each || (len - FIXED) % each != 0)
		return ns_fail(e, EBADMSG,
			"cms: octet 32: a width of %llu, which %llu octets of counters are not",
			(unsigned long long)width, (unsigned long long)(len - FIXED));
	*c = (struct ns_cms_conf){.memory = (size_t)(len - FIXED),
		.rows = body[1],
		.layout = body[0] == NS_CMS_ROWS ? NS_CMS_ROWS : NS_CMS_BLOCKED,
		.plain = body[2] == 1};
	return 0;
}

struct ns_cms *ns_cms_parse(const uint8_t *in, size_t len, struct ns_err *e)
{
	const uint8_t *body = in + NS_SKETCH_HEAD;
	struct ns_sketch_head head;
	struct ns_cms_conf c = {0};
	struct ns_cms *s;

	if (ns_sketch_head_get(&head, in, len, NS_SKETCH_CMS, VERSION, e) < 0 ||
		parse_fixed(&c, body, head.body, e) < 0)
		return NULL;
	c.seed = head.seed;
	s = ns_cms_create(&c);
	if (s == NULL) {
		ns_fail(e, ENOMEM, "cms: no memory for %zu octets of counters", c.memory);
		return NULL;
	}
	s->total = ns_le_get64(body + 16);
	for (size_t i = 0, n = ns_cms_counters(s); i < n; i++) {
		s->count[i] = ns_le_get64(body + FIXED + i * 8);
		if (s->count[i] > s->total) {
			ns_cms_destroy(s);
			ns_fail(e, EBADMSG, "cms: octet %zu: a counter above the total",
				NS_SKETCH_HEAD + FIXED + i * 8);
			return NULL;
		}
	}
	return s;
}
