/* SPDX-License-Identifier: BSD-3-Clause */
#include "ns_blob.h"

#define F(m, ...) NS_REC_FIELD(struct ns_blob_rec, m, .name = #m, __VA_ARGS__)
#define NO_IE .flags = NS_REC_NO_EXPORT

static const struct ns_rec_field fields[] = {
	F(task, .type = NS_REC_STR, .flags = NS_REC_KEY | NS_REC_NO_EXPORT, .help = "its name"),
	F(type, .type = NS_REC_STR, NO_IE, .help = "its type"),
	F(start_ns, .type = NS_REC_TIME, NO_IE, .unit = "ns",
		.help = "begin of the time that the sketches are about"),
	F(end_ns, .type = NS_REC_TIME, NO_IE, .unit = "ns",
		.help = "end of it, which does not belong to it"),
	F(epoch, .type = NS_REC_U64, NO_IE, .help = "number of the last epoch in it"),
	F(octets, .type = NS_REC_U64, NO_IE, .unit = "octets", .help = "of the serialised form"),
};

const struct ns_rec_kind ns_blob_rec_kind = {
	.name = "sketches",
	.version = 1,
	.size = sizeof(struct ns_blob_rec),
	.fields = fields,
	.fields_n = NS_ARRAY_LEN(fields),
	.help = "the serialised sketches of a task",
	.ipfix_family_field = -1,
};
