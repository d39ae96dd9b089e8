/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Messages whose fields have names of their own (Epoch, Lcore, Writer), from records whose fields
 * are named alike: this room needs to know neither.
 */
#include "wire_priv.h"

/* Fields of these messages are plain ones: no oneof, nothing repeated but the maps. */
static int set(struct wire_arena *a, ProtobufCMessage *m, const ProtobufCFieldDescriptor *d,
	const struct ns_rec_field *f, const void *rec)
{
	uint8_t *to = (uint8_t *)m + d->offset;
	uint64_t v = 0;

	if (d->type == PROTOBUF_C_TYPE_STRING) {
		char *s = f->type == NS_REC_STR ? wire_string(a, f, rec) : NULL;

		if (f->type != NS_REC_STR)
			return 0;
		if (s == NULL)
			return ns_errno_set(ENOMEM);
		memcpy(to, &s, sizeof(s));
		return 0;
	}
	if (d->type == PROTOBUF_C_TYPE_DOUBLE) {
		if (f->type == NS_REC_F64)
			memcpy(to, (const uint8_t *)rec + f->offset, sizeof(double));
		return 0;
	}
	if (!ns_rec_get_u64(f, rec, &v))
		return 0;
	if (d->type == PROTOBUF_C_TYPE_UINT64)
		memcpy(to, &v, sizeof(v));
	else if (d->type == PROTOBUF_C_TYPE_UINT32)
		memcpy(to, &(uint32_t){(uint32_t)v}, sizeof(uint32_t));
	else if (d->type == PROTOBUF_C_TYPE_BOOL)
		memcpy(to, &(protobuf_c_boolean){v != 0}, sizeof(protobuf_c_boolean));
	return 0;
}

int wire_fill(struct wire_arena *a, ProtobufCMessage *m, const struct ns_rec_kind *kind,
	const void *record)
{
	for (unsigned i = 0; i < kind->fields_n; i++) {
		const ProtobufCFieldDescriptor *d = protobuf_c_message_descriptor_get_field_by_name(
			m->descriptor, kind->fields[i].name);

		if (d == NULL || d->label == PROTOBUF_C_LABEL_REPEATED)
			continue;
		int rc = set(a, m, d, &kind->fields[i], record);

		if (rc < 0)
			return rc;
	}
	return 0;
}
