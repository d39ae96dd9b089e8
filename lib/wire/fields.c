/* SPDX-License-Identifier: BSD-3-Clause */
/* The fields of Epoch, Lcore and Writer of a decoded message by their names. */
#include "wire_priv.h"

static const ProtobufCMessage *part_of(const pb_envelope *m, enum ns_wire_part part, unsigned i)
{
	if (m->body_case == NETSPECTRA__V1__ENVELOPE__BODY_EPOCH)
		return part == NS_WIRE_OF_EPOCH && i == 0 ? &m->epoch->base : NULL;
	if (m->body_case != NETSPECTRA__V1__ENVELOPE__BODY_HEALTH)
		return NULL;
	if (part == NS_WIRE_OF_LCORE && i < m->health->n_lcores)
		return &m->health->lcores[i]->base;
	if (part == NS_WIRE_OF_WRITER && i < m->health->n_writers)
		return &m->health->writers[i]->base;
	return NULL;
}

/* Where the field of that name is, if it is one value of that type. */
static const uint8_t *find(const struct ns_wire_msg *m, enum ns_wire_part part, unsigned i,
	const char *name, ProtobufCType *type)
{
	const ProtobufCMessage *of = part_of(m->pb, part, i);
	const ProtobufCFieldDescriptor *d =
		of != NULL ? protobuf_c_message_descriptor_get_field_by_name(of->descriptor, name)
			   : NULL;

	if (d == NULL || d->label == PROTOBUF_C_LABEL_REPEATED)
		return NULL;
	*type = d->type;
	return (const uint8_t *)of + d->offset;
}

bool ns_wire_number(const struct ns_wire_msg *m, enum ns_wire_part part, unsigned i,
	const char *field, uint64_t *v)
{
	ProtobufCType type;
	const uint8_t *at = find(m, part, i, field, &type);
	uint32_t v32;

	if (at == NULL)
		return false;
	switch (type) {
	case PROTOBUF_C_TYPE_UINT64:
		memcpy(v, at, sizeof(*v));
		return true;
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_BOOL: /* protobuf_c_boolean is an int */
		memcpy(&v32, at, sizeof(v32));
		*v = v32;
		return true;
	default:
		return false;
	}
}

_Static_assert(sizeof(protobuf_c_boolean) == sizeof(uint32_t), "read as one");

bool ns_wire_real(const struct ns_wire_msg *m, enum ns_wire_part part, unsigned i,
	const char *field, double *v)
{
	ProtobufCType type;
	const uint8_t *at = find(m, part, i, field, &type);

	if (at == NULL || type != PROTOBUF_C_TYPE_DOUBLE)
		return false;
	memcpy(v, at, sizeof(*v));
	return true;
}

const char *ns_wire_text(
	const struct ns_wire_msg *m, enum ns_wire_part part, unsigned i, const char *field)
{
	ProtobufCType type;
	const uint8_t *at = find(m, part, i, field, &type);
	const char *s;

	if (at == NULL || type != PROTOBUF_C_TYPE_STRING)
		return NULL;
	memcpy(&s, at, sizeof(s));
	return s;
}

bool ns_wire_count(
	const struct ns_wire_msg *m, enum ns_wire_map map, unsigned i, struct ns_wire_count *c)
{
	const pb_envelope *pb = m->pb;

	if (pb->body_case != NETSPECTRA__V1__ENVELOPE__BODY_EPOCH)
		return false;
	const Netspectra__V1__Epoch *ep = pb->epoch;

	if (map == NS_WIRE_DROPS && i < ep->n_drops)
		*c = (struct ns_wire_count){ep->drops[i]->key, ep->drops[i]->value};
	else if (map == NS_WIRE_NOTES && i < ep->n_notes)
		*c = (struct ns_wire_count){ep->notes[i]->key, ep->notes[i]->value};
	else if (map == NS_WIRE_TOPICS && i < ep->n_topics)
		*c = (struct ns_wire_count){ep->topics[i]->key, ep->topics[i]->value};
	else
		return false;
	return true;
}
