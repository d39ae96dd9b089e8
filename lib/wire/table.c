/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Records into columns:
 *
 *	records   | src_ip | packets | ...      Table
 *	          | src_ip | packets | ...  ->    Column src_ip   Bytes {4, 4, 16, ...}
 *	          | src_ip | packets | ...        Column packets  Uints {7, 1, 3, ...}
 *
 * Values of one column are alike: they pack well, and a reader takes those that it knows. A column
 * whose values are all the same has one, which stands for all.
 *
 * Octets and strings are not copied: the message points into the records.
 */
#include "wire_priv.h"

#include <ns_text.h>

_Static_assert((int)NS_WIRE_UINT == NETSPECTRA__V1__TYPE__TYPE_UINT, "numbers of the types");
_Static_assert((int)NS_WIRE_PREFIX == NETSPECTRA__V1__TYPE__TYPE_PREFIX, "numbers of the types");

/* Octets that a column takes besides its name, unit and values: tags, lengths, type. */
#define COLUMN_BOUND 48
#define VARINT_MAX 10

static const uint8_t wire_type[] = {
	[NS_REC_U8] = NS_WIRE_UINT,
	[NS_REC_U16] = NS_WIRE_UINT,
	[NS_REC_U32] = NS_WIRE_UINT,
	[NS_REC_U64] = NS_WIRE_UINT,
	[NS_REC_I64] = NS_WIRE_INT,
	[NS_REC_F64] = NS_WIRE_DOUBLE,
	[NS_REC_TIME] = NS_WIRE_TIME,
	[NS_REC_IP] = NS_WIRE_IP,
	[NS_REC_MAC] = NS_WIRE_MAC,
	[NS_REC_STR] = NS_WIRE_STRING,
	[NS_REC_PROTO] = NS_WIRE_PROTOCOL,
	[NS_REC_TCP_FLAGS] = NS_WIRE_TCP_FLAGS,
	[NS_REC_VLANS] = NS_WIRE_VLANS,
	[NS_REC_BYTES] = NS_WIRE_BYTES,
	[NS_REC_PREFIX] = NS_WIRE_PREFIX,
};

/* What the functions below are asked to do. */
struct job {
	struct wire_arena *arena;
	const struct ns_rec_field *f;
	const uint8_t *at; /* the field of the first record */
	size_t step;
	uint32_t n;
	size_t bound;
};

/* A wrapper {base, n_v, v} of any of the kinds of values with room for all of them. */
struct values {
	ProtobufCMessage base;
	size_t n_v;
	void *v;
};

_Static_assert(offsetof(struct values, v) == offsetof(Netspectra__V1__Strings, v) &&
		       offsetof(struct values, v) == offsetof(Netspectra__V1__Doubles, v) &&
		       sizeof(struct values) == sizeof(Netspectra__V1__Uints),
	"all wrappers are alike");

static struct values *values(struct job *j, const ProtobufCMessageDescriptor *d, size_t size)
{
	struct values *s = wire_alloc(j->arena, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->base.descriptor = d;
	s->n_v = j->n;
	s->v = wire_alloc(j->arena, j->n * size);
	return s->v != NULL ? s : NULL;
}

/* The values of one width; "same" gathers the bits in which any of them differs from the first. */
#define GATHER(type)                                                    \
	do {                                                            \
		for (uint32_t i = 0; i < j->n; i++) {                   \
			type one;                                       \
                                                                        \
			memcpy(&one, j->at + i * j->step, sizeof(one)); \
			v[i] = one;                                     \
			differ |= v[i] ^ v[0];                          \
		}                                                       \
	} while (0)

static struct values *numbers(struct job *j, const ProtobufCMessageDescriptor *d, size_t most)
{
	struct values *s = values(j, d, sizeof(uint64_t));
	uint64_t differ = 0;

	if (s == NULL)
		return NULL;
	uint64_t *v = s->v;

	switch (j->f->type) {
	case NS_REC_U16:
		GATHER(uint16_t);
		break;
	case NS_REC_U32:
		GATHER(uint32_t);
		break;
	case NS_REC_U64:
	case NS_REC_I64:
	case NS_REC_F64:
	case NS_REC_TIME:
		GATHER(uint64_t);
		break;
	default:
		GATHER(uint8_t);
		break;
	}
	if (differ == 0)
		s->n_v = NS_MIN(s->n_v, (size_t)1);
	j->bound += s->n_v * most;
	return s;
}

static bool all_zero(const uint8_t *p, size_t n)
{
	uint8_t any = 0;

	for (size_t i = 0; i < n; i++)
		any |= p[i];
	return any == 0;
}

static size_t bytes_len(const struct ns_rec_field *f, const uint8_t *at)
{
	if (f->type == NS_REC_IP)
		return at[0] == 4 ? 4 : at[0] == 6 ? 16 : 0;
	return (f->flags & NS_REC_EMPTY_ZERO) != 0 && all_zero(at, f->size) ? 0 : f->size;
}

static struct values *octets(struct job *j)
{
	struct values *s =
		values(j, &netspectra__v1__bytes__descriptor, sizeof(ProtobufCBinaryData));
	size_t skip = j->f->type == NS_REC_IP ? offsetof(struct ns_ip, addr) : 0;
	bool same = true;

	if (s == NULL)
		return NULL;
	ProtobufCBinaryData *v = s->v;

	for (uint32_t i = 0; i < j->n; i++) {
		const uint8_t *at = j->at + i * j->step;

		v[i].len = bytes_len(j->f, at);
		v[i].data = (uint8_t *)(uintptr_t)(at + skip);
		j->bound += v[i].len + 6;
		same = same && v[i].len == v[0].len && memcmp(v[i].data, v[0].data, v[0].len) == 0;
	}
	s->n_v = same ? NS_MIN(s->n_v, (size_t)1) : s->n_v;
	return s;
}

static bool ascii(const char *s, size_t n)
{
	uint8_t any = 0;

	for (size_t i = 0; i < n; i++)
		any |= (uint8_t)s[i];
	return any < 0x80;
}

char *wire_string(struct wire_arena *a, const struct ns_rec_field *f, const void *rec)
{
	const char *at = (const char *)rec + f->offset;
	size_t n = strnlen(at, f->size);

	if (n < f->size && ascii(at, n))
		return (char *)(uintptr_t)at;
	char *copy = wire_alloc(a, 3 * n + 1);

	if (copy != NULL)
		ns_put_utf8(copy, at, n);
	return copy;
}

static char *text(struct job *j, const uint8_t *rec)
{
	static char none[] = "";

	if (j->f->type == NS_REC_STR)
		return wire_string(j->arena, j->f, rec);
	if (ns_rec_is_empty(j->f, rec))
		return none;
	char *s = wire_alloc(j->arena, NS_REC_TEXT_MAX + 1);

	if (s != NULL)
		ns_rec_put_text(s, j->f, rec);
	return s;
}

static struct values *strings(struct job *j)
{
	struct values *s = values(j, &netspectra__v1__strings__descriptor, sizeof(char *));
	bool same = true;

	if (s == NULL)
		return NULL;
	char **v = s->v;

	for (uint32_t i = 0; i < j->n; i++) {
		v[i] = text(j, j->at - j->f->offset + i * j->step);
		if (v[i] == NULL)
			return NULL;
		j->bound += strlen(v[i]) + 6;
		same = same && strcmp(v[i], v[0]) == 0;
	}
	s->n_v = same ? NS_MIN(s->n_v, (size_t)1) : s->n_v;
	return s;
}

/* The wrapper and which of the oneof it is. */
static bool fill(pb_column *c, struct job *j)
{
	struct values *s;

	switch (c->type) {
	case NETSPECTRA__V1__TYPE__TYPE_INT:
		s = numbers(j, &netspectra__v1__ints__descriptor, VARINT_MAX);
		c->values_case = NETSPECTRA__V1__COLUMN__VALUES_INTS;
		break;
	case NETSPECTRA__V1__TYPE__TYPE_DOUBLE:
		s = numbers(j, &netspectra__v1__doubles__descriptor, sizeof(double));
		c->values_case = NETSPECTRA__V1__COLUMN__VALUES_DOUBLES;
		break;
	case NETSPECTRA__V1__TYPE__TYPE_TIME:
		s = numbers(j, &netspectra__v1__times__descriptor, sizeof(uint64_t));
		c->values_case = NETSPECTRA__V1__COLUMN__VALUES_TIMES;
		break;
	case NETSPECTRA__V1__TYPE__TYPE_IP:
	case NETSPECTRA__V1__TYPE__TYPE_MAC:
	case NETSPECTRA__V1__TYPE__TYPE_BYTES:
		s = octets(j);
		c->values_case = NETSPECTRA__V1__COLUMN__VALUES_BYTES;
		break;
	case NETSPECTRA__V1__TYPE__TYPE_STRING:
	case NETSPECTRA__V1__TYPE__TYPE_VLANS:
	case NETSPECTRA__V1__TYPE__TYPE_PREFIX:
		s = strings(j);
		c->values_case = NETSPECTRA__V1__COLUMN__VALUES_STRINGS;
		break;
	default:
		s = numbers(j, &netspectra__v1__uints__descriptor, VARINT_MAX);
		c->values_case = NETSPECTRA__V1__COLUMN__VALUES_UINTS;
		break;
	}
	c->uints = (void *)s;
	return s != NULL;
}

static bool column(struct ns_wire *w, pb_column *c, const struct ns_rec_field *f,
	const struct ns_wire_records *r)
{
	struct job j = {.arena = &w->arena,
		.f = f,
		.at = (const uint8_t *)r->records + f->offset,
		.step = r->kind->size,
		.n = r->n,
		.bound = COLUMN_BOUND + strlen(f->name)};

	netspectra__v1__column__init(c);
	c->name = (char *)(uintptr_t)f->name;
	c->type = wire_type[f->type];
	if (f->unit != NULL) {
		c->unit = (char *)(uintptr_t)f->unit;
		j.bound += strlen(f->unit);
	}
	c->zero_absent = (f->flags & NS_REC_EMPTY_ZERO) != 0;
	if (!fill(c, &j))
		return false;
	w->bound += j.bound;
	return true;
}

pb_table *wire_table(struct ns_wire *w, const struct ns_wire_records *r)
{
	unsigned n = r->kind->fields_n;
	pb_table *t = wire_alloc(&w->arena, sizeof(*t));
	pb_column **list = wire_alloc(&w->arena, n * sizeof(*list));
	pb_column *columns = wire_alloc(&w->arena, n * sizeof(*columns));

	if (t == NULL || list == NULL || columns == NULL)
		return NULL;
	netspectra__v1__table__init(t);
	t->kind = (char *)(uintptr_t)r->kind->name;
	t->version = r->kind->version;
	t->rows = r->n;
	t->n_columns = n;
	t->columns = list;
	w->bound += COLUMN_BOUND + strlen(t->kind);
	for (unsigned i = 0; i < n; i++) {
		list[i] = &columns[i];
		if (!column(w, list[i], &r->kind->fields[i], r))
			return NULL;
	}
	return t;
}
