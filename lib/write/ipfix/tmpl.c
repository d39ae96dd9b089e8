/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From the field table of a record kind to IPFIX templates, RFC 7011 3.4.
 *
 * An address is an IPv4 or an IPv6 element, so a kind has as many templates as there are
 * combinations of families among its addresses; each is made when the first such record comes.
 * Flows have two in practice, and two more for IPv4 in IPv6 and IPv6 in IPv4. An absent address
 * takes the family of the deciding field and is all zero.
 *
 *	ipfix_kind{ips} ─▶ ipfix_tmpl{v6 = 00, elems, buf} ─▶ ipfix_tmpl{v6 = 11, ...} ─▶ NULL
 *
 * RFC 5103 reverse elements stand before the others: collectors that know reverse counters but not
 * e.g. reverse TCP flags take those for the forward ones, and then the later element wins.
 */
#include "ipfix_priv.h"

#include <stdlib.h>
#include <string.h>

/* Time elements of the IANA registry by the format they have; -1: none that we know. */
static int time_op(uint16_t id, uint32_t pen)
{
	if (pen != 0 && pen != NS_REC_PEN_REVERSE)
		return IPFIX_OP_TIME_NS; /* whose element it is may choose; this loses nothing */
	switch (id) {
	case 150: /* flowStartSeconds, flowEndSeconds */
	case 151:
	case 322: /* observationTimeSeconds */
		return IPFIX_OP_TIME_S;
	case 152: /* flowStartMilliseconds, flowEndMilliseconds */
	case 153:
	case 160: /* systemInitTimeMilliseconds */
	case 258: /* collectionTimeMilliseconds */
	case 323: /* observationTimeMilliseconds */
		return IPFIX_OP_TIME_MS;
	case 154: /* flowStartMicroseconds, flowEndMicroseconds */
	case 155:
	case 324: /* observationTimeMicroseconds */
		return IPFIX_OP_TIME_US;
	case 156: /* flowStartNanoseconds, flowEndNanoseconds */
	case 157:
	case 325: /* observationTimeNanoseconds */
		return IPFIX_OP_TIME_NS;
	default:
		return -1;
	}
}

static bool is_exported(const struct ns_rec_field *f)
{
	return (f->flags & NS_REC_NO_EXPORT) == 0;
}

/*
 * Most kinds that the configuration makes have numbers for which IANA has no element. If a kind has
 * no other field, IPFIX has nothing to say of it; if it has, a field without one was forgotten.
 */
static bool has_elements(const struct ns_rec_kind *k)
{
	for (unsigned i = 0; i < k->fields_n; i++) {
		const struct ns_rec_field *f = &k->fields[i];

		if (is_exported(f) && (f->ipfix_ie != 0 || f->ipfix_ie6 != 0))
			return true;
	}
	return false;
}

static bool has_two_families(const struct ns_rec_kind *k)
{
	return k->ipfix_family_field >= 0 && (unsigned)k->ipfix_family_field < k->fields_n &&
	       k->fields[k->ipfix_family_field].type == NS_REC_IP;
}

struct ipfix_kind *ipfix_kind_create(const struct ns_rec_kind *kind, struct ns_err *e)
{
	struct ipfix_kind *k = calloc(1, sizeof(*k));

	if (k == NULL) {
		ns_fail(e, ENOMEM, "ipfix: no memory for record kind \"%s\"", kind->name);
		return NULL;
	}
	k->kind = kind;
	k->silent = !has_elements(kind);
	if (!has_two_families(kind))
		return k;
	k->ips[k->ips_n++] = kind->fields[kind->ipfix_family_field].offset;
	for (unsigned i = 0; i < kind->fields_n; i++) {
		const struct ns_rec_field *f = &kind->fields[i];

		if (f->type != NS_REC_IP || !is_exported(f) || (int)i == kind->ipfix_family_field)
			continue;
		if (k->ips_n == IPFIX_IP_FIELDS_MAX) {
			free(k);
			ns_fail(e, EINVAL, "ipfix: record kind \"%s\" has more than %d addresses",
				kind->name, IPFIX_IP_FIELDS_MAX);
			return NULL;
		}
		k->ips[k->ips_n++] = f->offset;
	}
	return k;
}

void ipfix_kind_destroy(struct ipfix_kind *k)
{
	if (k == NULL)
		return;
	while (k->tmpls != NULL) {
		struct ipfix_tmpl *t = k->tmpls;

		k->tmpls = t->next;
		free(t->buf);
		free(t);
	}
	free(k);
}

uint32_t ipfix_kind_families(const struct ipfix_kind *k, const uint8_t *rec)
{
	uint32_t v6 = 0;

	for (unsigned i = 0; i < k->ips_n; i++) {
		uint8_t ver = rec[k->ips[i] + offsetof(struct ns_ip, ver)];

		v6 |= (uint32_t)(ver == 6 || (ver != 4 && (v6 & 1) != 0)) << i;
	}
	return v6;
}

/* Length on the wire; -1: the type cannot have the one that the field asks for. */
static int wire_len(const struct ns_rec_field *f)
{
	unsigned len = f->ipfix_len, natural = f->size;

	switch (f->type) {
	case NS_REC_STR:
		return len == 0 || len == 255 ? IPFIX_VARIABLE : (int)len;
	case NS_REC_BYTES:
		return len == 255 ? IPFIX_VARIABLE : len == 0 ? f->size : (int)len;
	case NS_REC_MAC:
		return len == 0 || len == 6 ? 6 : -1;
	case NS_REC_VLANS:
		return len == 0 ? 2 : len >= 2 && len <= 8 ? (int)len : -1;
	case NS_REC_F64:
		return len == 0 ? 8 : len == 4 || len == 8 ? (int)len : -1;
	case NS_REC_TIME:
	case NS_REC_IP:
		return 0; /* given by the element */
	default:
		if (natural != 1 && natural != 2 && natural != 4 && natural != 8)
			return -1;
		return len == 0 ? (int)natural : len <= 8 ? (int)len : -1;
	}
}

static void add(
	struct ipfix_tmpl *t, const struct ns_rec_field *f, enum ipfix_op op, uint16_t id, int len)
{
	size_t max = (size_t)len;

	t->elems[t->elems_n++] = (struct ipfix_elem){
		.op = op,
		.offset = f->offset,
		.size = f->size,
		.id = id,
		.len = (uint16_t)len,
		.pen = f->ipfix_pen,
	};
	if (len == IPFIX_VARIABLE)
		max = f->size < 255 ? 1u + f->size : 3u + f->size;
	t->min_len += len == IPFIX_VARIABLE ? 1 : (size_t)len;
	t->max_len += max;
}

/* An address: the element of its family, or both where no field decides. */
static void add_ip(struct ipfix_tmpl *t, const struct ipfix_kind *k, const struct ns_rec_field *f)
{
	for (unsigned i = 0; i < k->ips_n; i++) {
		if (k->ips[i] != f->offset)
			continue;
		bool v6 = (t->v6 >> i & 1) != 0;
		uint16_t id = v6 ? f->ipfix_ie6 : f->ipfix_ie;

		if (id != 0)
			add(t, f, v6 ? IPFIX_OP_IP6 : IPFIX_OP_IP4, id, v6 ? 16 : 4);
		return;
	}
	if (f->ipfix_ie != 0)
		add(t, f, IPFIX_OP_IP4, f->ipfix_ie, 4);
	if (f->ipfix_ie6 != 0)
		add(t, f, IPFIX_OP_IP6, f->ipfix_ie6, 16);
}

static int add_time(struct ipfix_tmpl *t, const struct ns_rec_field *f, const struct ipfix_conf *c)
{
	int op = time_op(f->ipfix_ie, f->ipfix_pen);

	if (op < 0)
		return op;
	add(t, f, (enum ipfix_op)op, f->ipfix_ie, op == IPFIX_OP_TIME_S ? 4 : 8);
	/* 154..157 are start and end by turns, as 152 and 153 are. */
	if (c->milliseconds && f->ipfix_pen == 0 && f->ipfix_ie >= 154 && f->ipfix_ie <= 157)
		add(t, f, IPFIX_OP_TIME_MS, 152 + (f->ipfix_ie & 1), 8);
	return 0;
}

static int add_field(struct ipfix_tmpl *t, const struct ipfix_kind *k, const struct ns_rec_field *f,
	const struct ipfix_conf *c)
{
	/* Elements like icmpTypeIPv4 and icmpTypeIPv6: one field, two families. */
	uint16_t id = (t->v6 & 1) != 0 && f->ipfix_ie6 != 0 ? f->ipfix_ie6 : f->ipfix_ie;
	int len = wire_len(f);

	if (len < 0 || (f->ipfix_ie == 0 && f->ipfix_ie6 == 0))
		return -1;
	if (f->type == NS_REC_IP) {
		add_ip(t, k, f);
		return 0;
	}
	if (f->type == NS_REC_TIME)
		return add_time(t, f, c);
	if (id == 0)
		return 0;
	switch (f->type) {
	case NS_REC_I64:
		add(t, f, IPFIX_OP_INT, id, len);
		break;
	case NS_REC_F64:
		add(t, f, len == 4 ? IPFIX_OP_F32 : IPFIX_OP_F64, id, len);
		break;
	case NS_REC_MAC:
	case NS_REC_BYTES:
		add(t, f, IPFIX_OP_BYTES, id, len);
		break;
	case NS_REC_STR:
		add(t, f, IPFIX_OP_STR, id, len);
		break;
	case NS_REC_VLANS:
		add(t, f, IPFIX_OP_VLAN, id, len);
		break;
	default:
		add(t, f, IPFIX_OP_UINT, id, len);
	}
	return 0;
}

struct ipfix_tmpl *ipfix_tmpl_create(struct ipfix_kind *k, uint32_t v6, uint16_t id, size_t limit,
	const struct ipfix_conf *c, struct ns_err *e)
{
	const struct ns_rec_kind *kind = k->kind;
	/* A field becomes two elements at most. */
	struct ipfix_tmpl *t = calloc(1, sizeof(*t) + 2 * kind->fields_n * sizeof(t->elems[0]));

	if (t == NULL) {
		ns_fail(e, ENOMEM, "ipfix: no memory for a template of \"%s\"", kind->name);
		return NULL;
	}
	t->v6 = v6;
	t->id = id;
	for (unsigned i = 0; i < 2 * kind->fields_n; i++) {
		unsigned at = i < kind->fields_n ? i : i - kind->fields_n;
		const struct ns_rec_field *f = &kind->fields[at];
		bool reverse = f->ipfix_pen == NS_REC_PEN_REVERSE;

		if (!is_exported(f) || reverse != (i < kind->fields_n))
			continue;
		if (add_field(t, k, f, c) < 0) {
			ns_fail(e, EINVAL,
				"ipfix: record kind \"%s\", field \"%s\": can not be sent as "
				"element %u of %u octets",
				kind->name, f->name, f->ipfix_ie, f->ipfix_len);
			free(t);
			return NULL;
		}
	}
	if (IPFIX_HEAD + IPFIX_SET_HEAD + NS_MAX(ipfix_tmpl_octets(t), t->min_len) > limit) {
		ns_fail(e, EMSGSIZE,
			"ipfix: the template of \"%s\" (%zu octets) or its shortest record (%zu) "
			"does not fit into a message of %zu octets; raise ipfix.mtu",
			kind->name, ipfix_tmpl_octets(t), t->min_len, limit);
		free(t);
		return NULL;
	}
	t->buf = malloc(limit + t->max_len);
	if (t->buf == NULL) {
		ns_fail(e, ENOMEM, "ipfix: no memory for a template of \"%s\"", kind->name);
		free(t);
		return NULL;
	}
	t->next = k->tmpls;
	k->tmpls = t;
	return t;
}

size_t ipfix_tmpl_octets(const struct ipfix_tmpl *t)
{
	size_t n = 4;

	for (unsigned i = 0; i < t->elems_n; i++)
		n += t->elems[i].pen != 0 ? 8 : 4;
	return n;
}

uint8_t *ipfix_tmpl_put(const struct ipfix_tmpl *t, uint8_t *p)
{
	p = ipfix_put_be(p, t->id, 2);
	p = ipfix_put_be(p, t->elems_n, 2);
	for (unsigned i = 0; i < t->elems_n; i++) {
		const struct ipfix_elem *el = &t->elems[i];

		p = ipfix_put_be(p, el->id | (el->pen != 0 ? 0x8000u : 0), 2);
		p = ipfix_put_be(p, el->len, 2);
		if (el->pen != 0)
			p = ipfix_put_be(p, el->pen, 4);
	}
	return p;
}
