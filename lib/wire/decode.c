/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A message of any origin. protobuf-c checks the octets; here is checked what it can't know: that a
 * packed body is one, and that all columns of a table have values for all of its rows.
 */
#include "wire_priv.h"

#include <zstd.h>

static struct ns_wire_msg *bad(pb_envelope *m, struct ns_err *e, const char *why)
{
	if (m != NULL)
		netspectra__v1__envelope__free_unpacked(m, NULL);
	ns_fail(e, EBADMSG, "no message: %s", why);
	return NULL;
}

/* Unpacks the body of @m in its place; NULL, or why it can't be. */
static const char *unpack_body(pb_envelope *m)
{
	unsigned long long n = ZSTD_getFrameContentSize(m->packed.data, m->packed.len);

	if (m->compression != NETSPECTRA__V1__COMPRESSION__COMPRESSION_ZSTD)
		return "its body is packed in a way not known here";
	if (n == ZSTD_CONTENTSIZE_ERROR || n == ZSTD_CONTENTSIZE_UNKNOWN || n > NS_WIRE_BODY_MAX)
		return "its body has no size, or is too large";
	uint8_t *buf = malloc(n + 1);

	if (buf == NULL)
		return "no memory";
	size_t got = ZSTD_decompress(buf, n, m->packed.data, m->packed.len);
	pb_envelope *body = got == n ? netspectra__v1__envelope__unpack(NULL, n, buf) : NULL;

	free(buf);
	if (body == NULL)
		return "its body is damaged";
	if (body->body_case == NETSPECTRA__V1__ENVELOPE__BODY_PACKED) {
		netspectra__v1__envelope__free_unpacked(body, NULL);
		return "its body is packed twice";
	}
	free(m->packed.data);
	m->body_case = body->body_case;
	m->epoch = body->body_case == NETSPECTRA__V1__ENVELOPE__BODY__NOT_SET ? NULL : body->epoch;
	body->body_case = NETSPECTRA__V1__ENVELOPE__BODY__NOT_SET;
	netspectra__v1__envelope__free_unpacked(body, NULL);
	return NULL;
}

/* Which values a column of the type has. */
static Netspectra__V1__Column__ValuesCase case_of(Netspectra__V1__Type type)
{
	switch (type) {
	case NETSPECTRA__V1__TYPE__TYPE_UINT:
	case NETSPECTRA__V1__TYPE__TYPE_PROTOCOL:
	case NETSPECTRA__V1__TYPE__TYPE_TCP_FLAGS:
		return NETSPECTRA__V1__COLUMN__VALUES_UINTS;
	case NETSPECTRA__V1__TYPE__TYPE_INT:
		return NETSPECTRA__V1__COLUMN__VALUES_INTS;
	case NETSPECTRA__V1__TYPE__TYPE_DOUBLE:
		return NETSPECTRA__V1__COLUMN__VALUES_DOUBLES;
	case NETSPECTRA__V1__TYPE__TYPE_TIME:
		return NETSPECTRA__V1__COLUMN__VALUES_TIMES;
	case NETSPECTRA__V1__TYPE__TYPE_IP:
	case NETSPECTRA__V1__TYPE__TYPE_MAC:
	case NETSPECTRA__V1__TYPE__TYPE_BYTES:
		return NETSPECTRA__V1__COLUMN__VALUES_BYTES;
	case NETSPECTRA__V1__TYPE__TYPE_STRING:
	case NETSPECTRA__V1__TYPE__TYPE_VLANS:
	case NETSPECTRA__V1__TYPE__TYPE_PREFIX:
		return NETSPECTRA__V1__COLUMN__VALUES_STRINGS;
	default:
		return NETSPECTRA__V1__COLUMN__VALUES__NOT_SET;
	}
}

/* All wrappers begin {base, n_v, v}; table.c asserts it. */
static size_t count_of(const pb_column *c)
{
	return c->uints->n_v;
}

static bool sound(const pb_table *t)
{
	for (size_t i = 0; i < t->n_columns; i++) {
		const pb_column *c = t->columns[i];

		if (c->values_case == NETSPECTRA__V1__COLUMN__VALUES__NOT_SET ||
			c->values_case != case_of(c->type))
			return false;
		if (count_of(c) != t->rows && (count_of(c) != 1 || t->rows == 0))
			return false;
	}
	return true;
}

static const pb_table *table_of(const pb_envelope *m)
{
	if (m->body_case == NETSPECTRA__V1__ENVELOPE__BODY_FLOWS)
		return m->flows->records;
	if (m->body_case == NETSPECTRA__V1__ENVELOPE__BODY_TASK)
		return m->task->rows;
	return NULL;
}

static void look_at_task(struct ns_wire_msg *m, const Netspectra__V1__TaskResult *t)
{
	m->body = NS_WIRE_TASK;
	m->task = t->task;
	m->epoch = t->epoch;
	m->start_ns = t->start_ns;
	m->end_ns = t->end_ns;
	m->part = t->part;
	m->more = t->more;
	m->sketches = t->sketches.data;
	m->sketches_len = t->sketches.len;
}

static void look_at_body(struct ns_wire_msg *m, const pb_envelope *pb)
{
	switch (pb->body_case) {
	case NETSPECTRA__V1__ENVELOPE__BODY_EPOCH:
		m->body = NS_WIRE_EPOCH;
		m->epoch = pb->epoch->epoch;
		break;
	case NETSPECTRA__V1__ENVELOPE__BODY_FLOWS:
		m->body = NS_WIRE_FLOWS;
		break;
	case NETSPECTRA__V1__ENVELOPE__BODY_TASK:
		look_at_task(m, pb->task);
		break;
	case NETSPECTRA__V1__ENVELOPE__BODY_HEALTH:
		m->body = NS_WIRE_HEALTH;
		m->epoch = pb->health->epoch;
		m->lcores_n = (unsigned)pb->health->n_lcores;
		m->writers_n = (unsigned)pb->health->n_writers;
		break;
	default:
		break;
	}
}

static void look_at(struct ns_wire_msg *m, pb_envelope *pb)
{
	const pb_table *t = table_of(pb);

	m->pb = pb;
	m->version = pb->version;
	m->node = pb->node;
	m->boot = pb->boot;
	m->topic = pb->topic;
	m->seq = pb->seq;
	m->time_ns = pb->time_ns;
	m->replayed = pb->replayed != 0;
	look_at_body(m, pb);
	if (t != NULL) {
		m->kind = t->kind;
		m->kind_version = t->version;
		m->rows = t->rows;
		m->columns_n = (unsigned)t->n_columns;
	}
}

struct ns_wire_msg *ns_wire_decode(const void *data, size_t len, struct ns_err *e)
{
	pb_envelope *pb = netspectra__v1__envelope__unpack(NULL, len, data);
	const char *why = NULL;

	if (pb == NULL)
		return bad(NULL, e, "its octets are none of protobuf, or there is no memory");
	bool packed = pb->body_case == NETSPECTRA__V1__ENVELOPE__BODY_PACKED;

	if (packed)
		why = unpack_body(pb);
	if (why != NULL)
		return bad(pb, e, why);
	const pb_table *t = table_of(pb);

	if (t != NULL && !sound(t))
		return bad(pb, e, "the columns of its table do not fit");
	struct ns_wire_msg *m = calloc(1, sizeof(*m));

	if (m == NULL) {
		netspectra__v1__envelope__free_unpacked(pb, NULL);
		ns_fail(e, ENOMEM, "no memory for a message");
		return NULL;
	}
	m->packed = packed;
	look_at(m, pb);
	return m;
}

void ns_wire_free(struct ns_wire_msg *m)
{
	if (m == NULL)
		return;
	netspectra__v1__envelope__free_unpacked(m->pb, NULL);
	free(m);
}

static const pb_column *column_at(const struct ns_wire_msg *m, unsigned i)
{
	const pb_table *t = table_of(m->pb);

	return t != NULL && i < t->n_columns ? t->columns[i] : NULL;
}

bool ns_wire_column(const struct ns_wire_msg *m, unsigned i, struct ns_wire_column *to)
{
	const pb_column *c = column_at(m, i);

	if (c == NULL)
		return false;
	*to = (struct ns_wire_column){
		c->name, c->unit, (enum ns_wire_type)c->type, c->zero_absent != 0};
	return true;
}

int ns_wire_column_of(const struct ns_wire_msg *m, const char *name)
{
	const pb_column *c;

	for (unsigned i = 0; (c = column_at(m, i)) != NULL; i++) {
		if (strcmp(c->name, name) == 0)
			return (int)i;
	}
	return ns_errno_set(ENOENT);
}

bool ns_wire_value(
	const struct ns_wire_msg *m, unsigned column, uint32_t row, struct ns_wire_value *v)
{
	const pb_column *c = column_at(m, column);

	*v = (struct ns_wire_value){0};
	if (c == NULL || row >= m->rows)
		return false;
	size_t i = count_of(c) == 1 ? 0 : row;

	switch (c->values_case) {
	case NETSPECTRA__V1__COLUMN__VALUES_UINTS:
	case NETSPECTRA__V1__COLUMN__VALUES_TIMES:
		v->u64 = c->uints->v[i];
		break;
	case NETSPECTRA__V1__COLUMN__VALUES_INTS:
		v->i64 = c->ints->v[i];
		break;
	case NETSPECTRA__V1__COLUMN__VALUES_DOUBLES:
		v->f64 = c->doubles->v[i];
		break;
	case NETSPECTRA__V1__COLUMN__VALUES_BYTES:
		v->bytes = c->bytes->v[i].data;
		v->len = c->bytes->v[i].len;
		break;
	case NETSPECTRA__V1__COLUMN__VALUES_STRINGS:
		v->bytes = (const uint8_t *)c->strings->v[i];
		v->len = strlen(c->strings->v[i]);
		break;
	default:
		return false;
	}
	return true;
}
