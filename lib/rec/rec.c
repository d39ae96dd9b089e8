/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Records as text. Every output asks the same two questions of a field: is there a value, and how
 * does it read. The answers are here once, so that CSV, JSON and SQL can't disagree.
 *
 *	struct ns_rec_kind "flow"            record of a room (plain struct)
 *	  fields[0] src_ip  IP   offset 0  --> +--------------------+
 *	  fields[1] packets U64  offset 24 --> | ... | packets | ...|
 *
 * Values are read with memcpy: a batch is an array of octets and need not be aligned for all
 * kinds. The list of kinds is filled by constructors before main() and only read afterwards.
 */
#include "ns_rec.h"

#include <ns_text.h>

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static struct ns_rec_link *kinds; /* in order of name */

void ns_rec_link(struct ns_rec_link *l)
{
	struct ns_rec_link **at = &kinds;

	while (*at != NULL && strcmp((*at)->kind->name, l->kind->name) < 0)
		at = &(*at)->next;
	l->next = *at;
	*at = l;
}

const struct ns_rec_kind *ns_rec_next(const struct ns_rec_kind *prev)
{
	const struct ns_rec_link *l = kinds;

	if (prev != NULL) {
		while (l != NULL && l->kind != prev)
			l = l->next;
		if (l != NULL)
			l = l->next;
	}
	return l != NULL ? l->kind : NULL;
}

const struct ns_rec_kind *ns_rec_find(const char *name)
{
	for (const struct ns_rec_link *l = kinds; l != NULL; l = l->next) {
		if (strcmp(l->kind->name, name) == 0)
			return l->kind;
	}
	return NULL;
}

static inline const uint8_t *at(const struct ns_rec_field *f, const void *rec)
{
	return (const uint8_t *)rec + f->offset;
}

/* The value of every type that is a number inside; false for the others. */
static inline bool integer(const struct ns_rec_field *f, const void *rec, uint64_t *v)
{
	const uint8_t *m = at(f, rec);
	uint16_t v16;
	uint32_t v32;

	switch (f->type) {
	case NS_REC_U8:
	case NS_REC_PROTO:
	case NS_REC_TCP_FLAGS:
		*v = *m;
		return true;
	case NS_REC_U16:
		memcpy(&v16, m, sizeof(v16));
		*v = v16;
		return true;
	case NS_REC_U32:
		memcpy(&v32, m, sizeof(v32));
		*v = v32;
		return true;
	case NS_REC_U64:
	case NS_REC_I64:
	case NS_REC_TIME:
		memcpy(v, m, sizeof(*v));
		return true;
	case NS_REC_F64:
	case NS_REC_IP:
	case NS_REC_MAC:
	case NS_REC_STR:
	case NS_REC_VLANS:
	case NS_REC_BYTES:
	case NS_REC_PREFIX:
		break;
	}
	return false;
}

static inline double real(const struct ns_rec_field *f, const void *rec)
{
	double v;

	memcpy(&v, at(f, rec), sizeof(v));
	return v;
}

static inline size_t str_len(const struct ns_rec_field *f, const void *rec)
{
	return strnlen((const char *)at(f, rec), f->size);
}

static inline struct ns_vlans vlans(const struct ns_rec_field *f, const void *rec)
{
	struct ns_vlans v;

	memcpy(&v, at(f, rec), sizeof(v));
	v.n = NS_MIN(v.n, NS_ARRAY_LEN(v.id));
	return v;
}

static bool all_zero(const uint8_t *m, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (m[i] != 0)
			return false;
	}
	return true;
}

bool ns_rec_get_u64(const struct ns_rec_field *f, const void *rec, uint64_t *v)
{
	return integer(f, rec, v);
}

bool ns_rec_is_empty(const struct ns_rec_field *f, const void *rec)
{
	bool zero_is_empty = (f->flags & NS_REC_EMPTY_ZERO) != 0;
	uint64_t v;

	if (integer(f, rec, &v))
		return zero_is_empty && v == 0;
	switch (f->type) {
	case NS_REC_F64:
		/* neither JSON nor SQL has a word for what is not finite */
		return !isfinite(real(f, rec)) || (zero_is_empty && real(f, rec) == 0);
	case NS_REC_IP:
	case NS_REC_PREFIX: /* begins with its address */
		return *at(f, rec) != 4 && *at(f, rec) != 6;
	case NS_REC_STR:
		return str_len(f, rec) == 0;
	case NS_REC_VLANS:
		return vlans(f, rec).n == 0;
	default:
		return zero_is_empty && all_zero(at(f, rec), f->size);
	}
}

/* The shortest decimal that reads back as the same double; the point whatever the locale. */
static char *put_real(char *p, double v)
{
	/* few doubles need more than 15 digits; those with fewer bits may need fewer than that */
	int digits = fabs(v) < DBL_MIN ? 1 : 15;
	char tmp[40];

	if (fabs(v) < 1e9 && v == (double)(int32_t)v)
		return ns_put_i64(p, (int32_t)v);
	for (; digits <= 17; digits++) {
		snprintf(tmp, sizeof(tmp), "%.*g", digits, v);
		if (strtod(tmp, NULL) == v)
			break;
	}
	for (const char *t = tmp; *t != '\0'; t++)
		*p++ = *t == ',' ? '.' : *t;
	return p;
}

static char *put_mac(char *p, const uint8_t *mac)
{
	for (int i = 0; i < 6; i++) {
		if (i > 0)
			*p++ = ':';
		p = ns_put_hex(p, mac + i, 1);
	}
	return p;
}

static char *put_vlans(char *p, struct ns_vlans v)
{
	for (unsigned i = 0; i < v.n; i++) {
		if (i > 0)
			*p++ = '.';
		p = ns_put_u64(p, v.id[i]);
	}
	return p;
}

char *ns_put_tcp_flags(char *p, uint8_t flags)
{
	/* the letters of half an octet, filled up with zeros */
	static const char low[16][4] = {"", "F", "S", "FS", "R", "FR", "SR", "FSR", "P", "FP", "SP",
		"FSP", "RP", "FRP", "SRP", {'F', 'S', 'R', 'P'}};
	static const char high[16][4] = {"", "A", "U", "AU", "E", "AE", "UE", "AUE", "C", "AC",
		"UC", "AUC", "EC", "AEC", "UEC", {'A', 'U', 'E', 'C'}};

	memcpy(p, low[flags & 15], 4);
	p += __builtin_popcount(flags & 15);
	memcpy(p, high[flags >> 4], 4);
	return p + __builtin_popcount(flags >> 4);
}

char *ns_put_ip(char *p, const struct ns_ip *ip)
{
	if (ip->ver == 4)
		return ns_put_ipv4(p, ip->addr);
	return ip->ver == 6 ? ns_put_ipv6(p, ip->addr) : p;
}

char *ns_put_prefix(char *p, const struct ns_prefix *prefix)
{
	unsigned max = prefix->ip.ver == 4 ? 32 : 128;

	if (prefix->ip.ver != 4 && prefix->ip.ver != 6)
		return p;
	p = ns_put_ip(p, &prefix->ip);
	*p++ = '/';
	return ns_put_u64(p, NS_MIN(prefix->len, max));
}

static inline char *put_integer(char *p, const struct ns_rec_field *f, uint64_t v)
{
	switch (f->type) {
	case NS_REC_PROTO:
		return ns_put_proto(p, (uint8_t)v);
	case NS_REC_TCP_FLAGS:
		return ns_put_tcp_flags(p, (uint8_t)v);
	case NS_REC_I64:
		return ns_put_i64(p, (int64_t)v);
	default:
		return ns_put_u64(p, v);
	}
}

char *ns_rec_put_text(char *p, const struct ns_rec_field *f, const void *rec)
{
	uint64_t v;
	size_t n;

	if (integer(f, rec, &v)) {
		if (v == 0 && (f->flags & NS_REC_EMPTY_ZERO) != 0)
			return p;
		return put_integer(p, f, v);
	}
	switch (f->type) {
	case NS_REC_IP:
		return ns_put_ip(p, (const struct ns_ip *)at(f, rec));
	case NS_REC_PREFIX:
		return ns_put_prefix(p, (const struct ns_prefix *)at(f, rec));
	case NS_REC_STR:
		n = str_len(f, rec);
		memcpy(p, at(f, rec), n);
		return p + n;
	case NS_REC_VLANS:
		return put_vlans(p, vlans(f, rec));
	default:
		break;
	}
	if (ns_rec_is_empty(f, rec))
		return p;
	if (f->type == NS_REC_F64)
		return put_real(p, real(f, rec));
	if (f->type == NS_REC_MAC)
		return put_mac(p, at(f, rec));
	return ns_put_hex(p, at(f, rec), f->size);
}

static inline bool is_number(const struct ns_rec_field *f)
{
	return f->type <= NS_REC_TIME;
}

_Static_assert(NS_REC_U8 == 0 && NS_REC_TIME == 6, "the types that are JSON numbers come first");

char *ns_rec_put_json(char *p, const struct ns_rec_field *f, const void *rec)
{
	if (ns_rec_is_empty(f, rec)) {
		memcpy(p, "null", 4);
		return p + 4;
	}
	if (is_number(f))
		return ns_rec_put_text(p, f, rec);
	*p++ = '"';
	if (f->type == NS_REC_STR)
		p = ns_put_json(p, (const char *)at(f, rec), str_len(f, rec));
	else
		p = ns_rec_put_text(p, f, rec);
	*p++ = '"';
	return p;
}

size_t ns_rec_line_max(const struct ns_rec_kind *k)
{
	size_t n = sizeof("{\"kind\":\"\"}\n") + strlen(k->name);

	for (unsigned i = 0; i < k->fields_n; i++) {
		const struct ns_rec_field *f = &k->fields[i];
		bool sized = f->type == NS_REC_STR || f->type == NS_REC_BYTES;

		/* ,"name":"value" */
		n += 6 + strlen(f->name) + (sized ? 6 * (size_t)f->size : NS_REC_TEXT_MAX);
	}
	return n;
}

char *ns_rec_put_json_line(char *p, const struct ns_rec_kind *k, const void *rec)
{
	p = ns_put_str(p, "{\"kind\":\"");
	p = ns_put_str(p, k->name);
	*p++ = '"';
	for (unsigned i = 0; i < k->fields_n; i++) {
		*p++ = ',';
		*p++ = '"';
		p = ns_put_str(p, k->fields[i].name);
		*p++ = '"';
		*p++ = ':';
		p = ns_rec_put_json(p, &k->fields[i], rec);
	}
	*p++ = '}';
	*p++ = '\n';
	return p;
}
