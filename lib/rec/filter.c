/* SPDX-License-Identifier: BSD-3-Clause */
/* Asking a filter of a record. */
#include "filter_priv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static inline const uint8_t *at(const struct ns_rec_field *f, const void *rec)
{
	return (const uint8_t *)rec + f->offset;
}

static bool ordered(enum filter_op op, int order)
{
	switch (op) {
	case FILTER_LESS:
		return order < 0;
	case FILTER_LESS_IS:
		return order <= 0;
	case FILTER_MORE:
		return order > 0;
	case FILTER_MORE_IS:
		return order >= 0;
	default:
		return order == 0;
	}
}

#define ORDER(a, b) (((a) > (b)) - ((a) < (b)))

static bool match_real(const struct filter_test *t, const void *rec)
{
	double v;

	memcpy(&v, at(t->field, rec), sizeof(v));
	return isfinite(v) && ordered(t->op, ORDER(v, t->v.f));
}

static bool match_number(const struct filter_test *t, const void *rec)
{
	uint64_t v = 0;

	ns_rec_get_u64(t->field, rec, &v);
	if (t->op == FILTER_HAS)
		return (v & t->v.u) == t->v.u;
	if (v == 0 && (t->field->flags & NS_REC_EMPTY_ZERO) != 0)
		return false;
	if (t->field->type == NS_REC_I64)
		return ordered(t->op, ORDER((int64_t)v, t->v.i));
	return ordered(t->op, ORDER(v, t->v.u));
}

static bool match_net(const struct filter_test *t, const void *rec)
{
	const uint8_t *ip = at(t->field, rec);
	uint64_t addr[2];

	_Static_assert(offsetof(struct ns_ip, ver) == 0 && offsetof(struct ns_ip, addr) == 1 &&
			       offsetof(struct ns_prefix, ip) == 0,
		"an address begins with its version");
	memcpy(addr, ip + 1, sizeof(addr));
	if (ip[0] != t->v.net.ver ||
		(((addr[0] & t->v.net.mask[0]) ^ t->v.net.addr[0]) |
			((addr[1] & t->v.net.mask[1]) ^ t->v.net.addr[1])) != 0)
		return false;
	return t->field->type == NS_REC_IP || ip[offsetof(struct ns_prefix, len)] >= t->v.net.len;
}

static bool match_text(const struct filter_test *t, const void *rec)
{
	const char *s = (const char *)at(t->field, rec);
	size_t len = strnlen(s, t->field->size);

	if (t->op == FILTER_HAS)
		return memmem(s, len, t->v.text.at, t->v.text.len) != NULL;
	return len == t->v.text.len && memcmp(s, t->v.text.at, len) == 0;
}

static bool match_vlans(const struct filter_test *t, const void *rec)
{
	const struct ns_vlans *want = &t->v.vlans;
	struct ns_vlans v;

	memcpy(&v, at(t->field, rec), sizeof(v));
	if (want->n == 2)
		return v.n >= 2 && v.id[0] == want->id[0] && v.id[1] == want->id[1];
	return (v.n >= 1 && v.id[0] == want->id[0]) || (v.n >= 2 && v.id[1] == want->id[0]);
}

static bool match_octets(const struct filter_test *t, const void *rec)
{
	return !ns_rec_is_empty(t->field, rec) &&
	       memcmp(at(t->field, rec), t->v.octets.at, t->v.octets.len) == 0;
}

/* There is a value, and it is not 0. */
static bool there(const struct ns_rec_field *f, const void *rec)
{
	uint64_t v;

	if (f->type == NS_REC_F64) {
		double real;

		memcpy(&real, at(f, rec), sizeof(real));
		return isfinite(real) && real != 0;
	}
	if (ns_rec_get_u64(f, rec, &v))
		return v != 0;
	return !ns_rec_is_empty(f, rec);
}

static bool match(const struct filter_test *t, const void *rec)
{
	if (t->op == FILTER_THERE)
		return there(t->field, rec);
	switch (t->field->type) {
	case NS_REC_F64:
		return match_real(t, rec);
	case NS_REC_IP:
	case NS_REC_PREFIX:
		return match_net(t, rec);
	case NS_REC_STR:
		return match_text(t, rec);
	case NS_REC_VLANS:
		return match_vlans(t, rec);
	case NS_REC_MAC:
	case NS_REC_BYTES:
		return match_octets(t, rec);
	default:
		return match_number(t, rec);
	}
}

bool ns_rec_filter_match(const struct ns_rec_filter *f, const void *rec)
{
	int i = 0;

	while (i >= 0)
		i = match(&f->tests[i], rec) ? f->tests[i].yes : f->tests[i].no;
	return i == FILTER_YES;
}

bool ns_rec_filter_reads(const struct ns_rec_filter *f, const char *name)
{
	for (unsigned i = 0; i < f->n; i++) {
		if (strcmp(f->tests[i].field->name, name) == 0)
			return true;
	}
	return false;
}

void ns_rec_filter_destroy(struct ns_rec_filter *f)
{
	if (f == NULL)
		return;
	free(f->text);
	free(f);
}
