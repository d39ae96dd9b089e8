/* SPDX-License-Identifier: BSD-3-Clause */
/* Values from text, by the type of the field that they are compared with. */
#include "filter_priv.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TEXT_MAX 64 /* of any value but texts and octets */

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit counts[] = {{"k", 1000}, {"M", 1000000}, {"G", 1000000000},
	{"T", UINT64_C(1000000000000)}, {"Ki", UINT64_C(1) << 10}, {"Mi", UINT64_C(1) << 20},
	{"Gi", UINT64_C(1) << 30}, {"Ti", UINT64_C(1) << 40}};
static const struct unit durations[] = {{"ns", 1}, {"us", 1000}, {"ms", 1000000}, {"s", NS_SEC_NS},
	{"m", 60 * NS_SEC_NS}, {"h", 3600 * NS_SEC_NS}, {"d", 86400 * NS_SEC_NS}};

/* What a type is called, what its values are, which operators but = and != there are. */
static const struct type {
	const char *name, *values;
	bool order, has;
} types[] = {
	[NS_REC_U8] = {"a number", "a whole number up to 255", true, false},
	[NS_REC_U16] = {"a number", "a whole number up to 65535", true, false},
	[NS_REC_U32] = {"a number", "a whole number up to 4294967295, as 10, 0x1f, 5M or 2Gi", true,
		false},
	[NS_REC_U64] = {"a number", "a whole number, as 10, 0x1f, 5M or 2Gi", true, false},
	[NS_REC_I64] = {"a number", "a whole number", true, false},
	[NS_REC_F64] = {"a number", "a number", true, false},
	[NS_REC_TIME] = {"a time",
		"a time, as 2026-01-31, 2026-01-31T12:34:56 (UTC) or ns "
		"since 1970",
		true, false},
	[NS_REC_IP] = {"an address", "an address or prefix, as 192.0.2.1 or 2001:db8::/32", false,
		false},
	[NS_REC_MAC] = {"a MAC address", "a MAC address, as 00:11:22:aa:bb:cc", false, false},
	[NS_REC_STR] = {"a text", "a text", false, true},
	[NS_REC_PROTO] = {"a protocol", "a protocol, as tcp or 6", false, false},
	[NS_REC_TCP_FLAGS] = {"TCP flags", "letters of FSRPAUEC, or a number up to 255", false,
		true},
	[NS_REC_VLANS] = {"VLAN ids", "a VLAN id, or two as 100.200", false, false},
	[NS_REC_BYTES] = {"octets", "octets in hexadecimal, as many as the field has", false,
		false},
	[NS_REC_PREFIX] = {"a prefix", "an address or prefix, as 192.0.2.1 or 2001:db8::/32", false,
		false},
};

const char *filter_type_name(enum ns_rec_type type)
{
	return types[type].name;
}

bool filter_op_fits(enum ns_rec_type type, enum filter_op op)
{
	if (op == FILTER_HAS)
		return types[type].has;
	return op == FILTER_IS || op == FILTER_THERE || types[type].order;
}

static bool factor_of(const struct unit *units, size_t n, const char *name, uint64_t *factor)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(name, units[i].name) == 0) {
			*factor = units[i].factor;
			return true;
		}
	}
	return false;
}

/* A whole number, with a unit where the field has one that it may be told in. */
static bool whole(const struct ns_rec_field *f, const char *s, uint64_t max, uint64_t *v)
{
	bool hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X');
	bool ns = f->unit != NULL && strcmp(f->unit, "ns") == 0;
	uint64_t factor = 1;
	char *end;

	if (!isdigit((unsigned char)s[0]) || (hex && !isxdigit((unsigned char)s[2])))
		return false;
	errno = 0;
	*v = strtoull(s, &end, hex ? 16 : 10);
	if (errno != 0)
		return false;
	if (*end != '\0' && !(ns ? factor_of(durations, NS_ARRAY_LEN(durations), end, &factor)
				 : factor_of(counts, NS_ARRAY_LEN(counts), end, &factor)))
		return false;
	return !__builtin_mul_overflow(*v, factor, v) && *v <= max;
}

static bool read_signed(const struct ns_rec_field *f, const char *s, int64_t *v)
{
	bool minus = s[0] == '-';
	uint64_t u;

	if (!whole(f, s + minus, (uint64_t)INT64_MAX + minus, &u))
		return false;
	*v = (int64_t)(minus ? 0 - u : u);
	return true;
}

static bool read_real(const char *s, double *v)
{
	char *end;

	/* no names of what is not finite, no hexadecimal */
	if (s[strspn(s, "0123456789.eE+-")] != '\0' || s[0] == '\0')
		return false;
	errno = 0;
	*v = strtod(s, &end);
	return *end == '\0' && errno == 0;
}

static bool digits(const char **s, unsigned n, int *v)
{
	*v = 0;
	for (unsigned i = 0; i < n; i++, (*s)++) {
		if (!isdigit((unsigned char)**s))
			return false;
		*v = *v * 10 + (**s - '0');
	}
	return true;
}

static bool then(const char **s, char c)
{
	if (**s != c)
		return false;
	(*s)++;
	return true;
}

/* 2026-01-31, 2026-01-31T12:34:56, and a Z behind either; UTC. */
static bool read_date(const char *s, uint64_t *v)
{
	struct tm tm = {0}, back;
	time_t t;

	if (!digits(&s, 4, &tm.tm_year) || !then(&s, '-') || !digits(&s, 2, &tm.tm_mon) ||
		!then(&s, '-') || !digits(&s, 2, &tm.tm_mday))
		return false;
	if (then(&s, 'T') &&
		(!digits(&s, 2, &tm.tm_hour) || !then(&s, ':') || !digits(&s, 2, &tm.tm_min) ||
			!then(&s, ':') || !digits(&s, 2, &tm.tm_sec)))
		return false;
	then(&s, 'Z');
	if (*s != '\0' || tm.tm_year < 1970 || tm.tm_year > 2500)
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	back = tm;
	t = timegm(&back);
	/* a date that there is not comes back as another */
	if (back.tm_mon != tm.tm_mon || back.tm_mday != tm.tm_mday || back.tm_hour != tm.tm_hour ||
		back.tm_min != tm.tm_min || back.tm_sec != tm.tm_sec)
		return false;
	*v = (uint64_t)t * NS_SEC_NS;
	return true;
}

/* A mask of so many leading bits, in network order. */
static void mask_of(uint64_t mask[2], unsigned bits)
{
	uint8_t m[16];

	for (unsigned i = 0; i < sizeof(m); i++) {
		unsigned left = bits > 8 * i ? bits - 8 * i : 0;

		m[i] = left >= 8 ? 0xff : (uint8_t)(0xff00u >> left);
	}
	memcpy(mask, m, sizeof(m));
}

static bool read_net(const char *s, union filter_value *v)
{
	size_t n = strcspn(s, "/");
	char addr[TEXT_MAX];
	uint8_t octets[16] = {0};
	unsigned max, len = 0;

	memcpy(addr, s, n);
	addr[n] = '\0';
	memset(v, 0, sizeof(*v));
	if (inet_pton(AF_INET, addr, octets) == 1)
		v->net.ver = 4;
	else if (inet_pton(AF_INET6, addr, octets) == 1)
		v->net.ver = 6;
	else
		return false;
	max = v->net.ver == 4 ? 32 : 128;
	if (s[n] == '\0')
		len = max;
	for (s += n + (s[n] == '/'); *s != '\0' && len <= max; s++) {
		if (!isdigit((unsigned char)*s))
			return false;
		len = len * 10 + (unsigned)(*s - '0');
	}
	if (len > max || s[-1] == '/')
		return false;
	v->net.len = (uint8_t)len;
	mask_of(v->net.mask, len);
	memcpy(v->net.addr, octets, sizeof(octets));
	v->net.addr[0] &= v->net.mask[0];
	v->net.addr[1] &= v->net.mask[1];
	return true;
}

static bool read_vlans(const char *s, struct ns_vlans *v)
{
	*v = (struct ns_vlans){0};
	do {
		char *end;

		if (v->n == 2 || !isdigit((unsigned char)*s))
			return false;
		unsigned long id = strtoul(s, &end, 10);

		if (id > 4095)
			return false;
		v->id[v->n++] = (uint16_t)id;
		s = end;
	} while (*s++ == '.');
	return s[-1] == '\0';
}

static bool read_flags(const struct ns_rec_field *f, const char *s, uint64_t *v)
{
	static const char letters[] = "FSRPAUEC";

	*v = 0;
	if (isdigit((unsigned char)*s))
		return whole(f, s, UINT8_MAX, v);
	for (; *s != '\0'; s++) {
		const char *l = strchr(letters, *s);

		if (l == NULL)
			return false;
		*v |= UINT64_C(1) << (l - letters);
	}
	return true;
}

static int hex_of(char c)
{
	if (isdigit((unsigned char)c))
		return c - '0';
	return isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10 : -1;
}

/* Puts the octets where their text stands, which is longer; exactly n. */
static bool read_octets(char *at, size_t len, size_t n, bool colons, union filter_value *v)
{
	size_t step = colons ? 3 : 2;

	if (n == 0 || len != step * n - colons)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (colons && i % 3 == 2 ? at[i] != ':' : hex_of(at[i]) < 0)
			return false;
	}
	for (size_t i = 0; i < n; i++)
		at[i] = (char)(16 * hex_of(at[step * i]) + hex_of(at[step * i + 1]));
	v->octets.at = (const uint8_t *)at;
	v->octets.len = n;
	return true;
}

static bool read_number(const struct ns_rec_field *f, const char *s, union filter_value *v)
{
	switch (f->type) {
	case NS_REC_U8:
		return whole(f, s, UINT8_MAX, &v->u);
	case NS_REC_U16:
		return whole(f, s, UINT16_MAX, &v->u);
	case NS_REC_U32:
		return whole(f, s, UINT32_MAX, &v->u);
	case NS_REC_I64:
		return read_signed(f, s, &v->i);
	case NS_REC_F64:
		return read_real(s, &v->f);
	case NS_REC_TIME:
		return read_date(s, &v->u) || whole(f, s, UINT64_MAX, &v->u);
	default:
		return whole(f, s, UINT64_MAX, &v->u);
	}
}

static bool read_proto(const struct ns_rec_field *f, const char *s, union filter_value *v)
{
	int proto = filter_proto(s, strlen(s));

	if (proto < 0)
		return whole(f, s, UINT8_MAX, &v->u);
	v->u = (uint64_t)proto;
	return true;
}

static bool read_short(const struct ns_rec_field *f, const char *s, union filter_value *v)
{
	switch (f->type) {
	case NS_REC_IP:
	case NS_REC_PREFIX:
		return read_net(s, v);
	case NS_REC_PROTO:
		return read_proto(f, s, v);
	case NS_REC_TCP_FLAGS:
		return read_flags(f, s, &v->u);
	case NS_REC_VLANS:
		return read_vlans(s, &v->vlans);
	default:
		return read_number(f, s, v);
	}
}

int filter_read(const struct ns_rec_field *f, const struct filter_token *t, union filter_value *v,
	struct ns_err *e)
{
	char s[TEXT_MAX];
	bool ok = true;

	if (f->type == NS_REC_STR) {
		v->text.at = t->at;
		v->text.len = t->len;
	} else if (f->type == NS_REC_MAC) {
		ok = read_octets(t->at, t->len, 6, true, v);
	} else if (f->type == NS_REC_BYTES) {
		ok = read_octets(t->at, t->len, f->size, false, v);
	} else if (t->len == 0 || t->len >= sizeof(s)) {
		ok = false;
	} else {
		memcpy(s, t->at, t->len);
		s[t->len] = '\0';
		ok = read_short(f, s, v);
	}
	if (ok)
		return 0;
	bool ns = f->type == NS_REC_U64 && f->unit != NULL && strcmp(f->unit, "ns") == 0;

	return ns_fail(e, EINVAL, "%s is %s", f->name,
		ns ? "a duration, as 10ms, 5s or a number of ns" : types[f->type].values);
}
