/* SPDX-License-Identifier: BSD-3-Clause */
/* Lines of CSV, by the steps that csv_steps.c makes. */
#include "csv_priv.h"

#include <ns_text.h>

#define WIDE CSV_WIDE
#define TRY_AGAIN 4096 /* lines */

typedef int8_t octets __attribute__((vector_size(WIDE)));

char *ns_rec_put_csv_head(char *p, const struct ns_rec_kind *k)
{
	for (unsigned i = 0; i < k->fields_n; i++) {
		if (i > 0)
			*p++ = ',';
		p = ns_put_str(p, k->fields[i].name);
	}
	*p++ = '\n';
	return p;
}

/* RFC 4180, 2.6 and 2.7: quotes only where a comma, a quote or a line break asks for them. */
static bool asks_for_quotes(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i] == ',' || s[i] == '"' || s[i] == '\n' || s[i] == '\r')
			return true;
	}
	return false;
}

static char *put_quoted(char *p, const char *s, size_t n)
{
	*p++ = '"';
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '"')
			*p++ = '"';
		*p++ = s[i];
	}
	*p++ = '"';
	return p;
}

char *ns_rec_put_csv(char *p, const struct ns_rec_kind *k, const void *rec)
{
	const struct ns_rec_field *end = k->fields + k->fields_n;

	for (const struct ns_rec_field *f = k->fields; f < end; f++) {
		const char *s = (const char *)rec + f->offset;
		size_t n = f->type == NS_REC_STR ? strnlen(s, f->size) : 0;

		if (asks_for_quotes(s, n))
			p = put_quoted(p, s, n);
		else
			p = ns_rec_put_text(p, f, rec);
		*p++ = ',';
	}
	/* the last comma becomes the end of the line */
	if (k->fields_n > 0)
		p--;
	*p++ = '\n';
	return p;
}

/* How many octets from s on are neither the end of a string nor ask for quotes; 16: all. */
static inline unsigned plain(octets x)
{
	uint64_t half[2];

	x = (x == '\0') | (x == ',') | (x == '"') | (x == '\n') | (x == '\r');
	memcpy(half, &x, sizeof(half));
	if (ns_likely((half[0] | half[1]) == 0))
		return WIDE;
	/* the first octet in memory */
	return (unsigned)(half[0] != 0 ? __builtin_ctzll(half[0]) : 64 + __builtin_ctzll(half[1])) /
	       8;
}

/* A string of at most @p size octets, of which @p mapped can be read. */
static inline char *put_str(char *p, const char *s, size_t size, size_t mapped)
{
	char *begin = p;
	size_t i = 0;

	if (s[0] == '\0')
		return p;
	for (; i < size; i += WIDE) {
		size_t left = size - i;
		octets x = {0};

		if (ns_likely(mapped - i >= WIDE))
			memcpy(&x, s + i, WIDE);
		else
			memcpy(&x, s + i, left);
		unsigned n = plain(x);

		memcpy(p, &x, WIDE);
		if (left <= n)
			return p + left;
		if (n < WIDE) {
			if (ns_likely(s[i + n] == '\0'))
				return p + n;
			return put_quoted(begin, s, strnlen(s, size));
		}
		p += WIDE;
	}
	return p;
}

static void try_all(struct ns_rec_csv *c)
{
	for (unsigned i = 0; i < c->kind->fields_n; i++)
		c->steps[i].zeros = c->steps[i].longest;
}

static void name_second(struct second *s, uint64_t value)
{
	char text[24];

	s->value = value;
	s->len = (uint8_t)(ns_put_u64_wide(text, value) - text);
	memcpy(s->text, text, sizeof(s->text));
}

static inline char *put_time(char *p, struct ns_rec_csv *c, uint64_t v)
{
	const uint32_t e8 = 100000000;
	uint64_t sec = v / NS_SEC_NS;
	uint32_t ns = (uint32_t)(v - sec * NS_SEC_NS);
	struct second *s = &c->seconds[sec % SECONDS];

	if (sec == 0)
		return ns_put_u64_wide(p, v);
	if (ns_unlikely(s->value != sec))
		name_second(s, sec);
	memcpy(p, s->text, sizeof(s->text));
	p += s->len;
	*p++ = (char)('0' + ns / e8);
	return ns_put_all_digits8(p, ns_digits8(ns % e8));
}

static inline bool all_zero(const struct zeros *z, const void *rec)
{
	uint64_t x[SPAN / 8], any = 0;

	memcpy(x, (const uint8_t *)rec + z->from, sizeof(x));
	for (unsigned i = 0; i < NS_ARRAY_LEN(x); i++)
		any |= x[i] & z->mask[i];
	return any == 0;
}

char *ns_rec_csv_put(struct ns_rec_csv *c, char *p, const void *rec)
{
	static const void *const to[] = {[STEP_U8] = &&u8,
		[STEP_U16] = &&u16,
		[STEP_U32] = &&u32,
		[STEP_U64] = &&u64,
		[STEP_TIME] = &&time,
		[STEP_TCP_FLAGS] = &&tcp_flags,
		[STEP_IP] = &&ip,
		[STEP_VLANS] = &&vlans,
		[STEP_STR] = &&str,
		[STEP_OTHER] = &&other,
		[STEP_END] = &&end};
	struct step *s = c->steps;
	const uint8_t *m;
	const struct zeros *z;
	uint16_t v16;
	uint32_t v32;
	uint64_t v;

	if (c->lines++ % TRY_AGAIN == 0)
		try_all(c);

/* a jump of each step's own, as the next step depends on this one */
#define GO                                            \
	do {                                          \
		m = (const uint8_t *)rec + s->offset; \
		goto *to[s->type];                    \
	} while (0)
#define NEXT                \
	do {                \
		*p++ = ','; \
		s++;        \
		GO;         \
	} while (0)

	GO;
u8:
	if (*m == 0)
		goto zero;
	p = ns_put_octet_wide(p, *m);
	NEXT;
u16:
	memcpy(&v16, m, sizeof(v16));
	v = v16;
	if (v == 0)
		goto zero;
	p = ns_put_digits8(p, ns_digits8(v16));
	NEXT;
u32:
	memcpy(&v32, m, sizeof(v32));
	v = v32;
	goto number;
u64:
	memcpy(&v, m, sizeof(v));
number:
	if (v == 0)
		goto zero;
	p = ns_put_u64_wide(p, v);
	NEXT;
time:
	memcpy(&v, m, sizeof(v));
	if (v == 0)
		goto zero;
	p = put_time(p, c, v);
	NEXT;
tcp_flags:
	if (*m == 0)
		goto zero;
	p = ns_put_tcp_flags(p, *m);
	NEXT;
ip:
	if (*m == 0)
		goto zero;
	p = ns_put_ip(p, (const struct ns_ip *)m);
	NEXT;
vlans:
	memcpy(&v16, m, sizeof(v16));
	if (v16 == 0)
		goto zero;
	p = ns_rec_put_text(p, s->field, rec);
	NEXT;
str:
	if (*m == 0)
		goto zero;
	p = put_str(p, (const char *)m, s->size, c->kind->size - s->offset);
	NEXT;
other:
	p = ns_rec_put_text(p, s->field, rec);
	NEXT;
zero:
	z = s->zeros;
	if (z != NULL) {
		if (ns_likely(all_zero(z, rec))) {
			memcpy(p, z->text, sizeof(z->text));
			p += z->len;
			s += z->columns;
			GO;
		}
		s->zeros = z != s->shortest ? z - 1 : NULL;
	}
	*p = '0';
	p += s->zero;
	NEXT;
end:
	/* the last comma becomes the end of the line */
	if (c->kind->fields_n > 0)
		p--;
	*p++ = '\n';
	return p;
#undef NEXT
#undef GO
}
