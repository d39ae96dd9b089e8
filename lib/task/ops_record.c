/* SPDX-License-Identifier: BSD-3-Clause */
/* The fields of flow records: all that the record's description names, brought into columns. */
#include "task_ops.h"

static inline const uint8_t *rec(const void *src, unsigned i)
{
	return (const uint8_t *)((const struct ns_flow_rec *)src + i);
}

static void put_octets(
	const struct task_op *op, const void *src, unsigned n, uint8_t *key, unsigned stride)
{
	key += op->at;
	for (unsigned i = 0; i < n; i++, key += stride)
		memcpy(key, rec(src, i) + op->offset, op->size);
}

static void put_ip(
	const struct task_op *op, const void *src, unsigned n, uint8_t *key, unsigned stride)
{
	static const uint64_t none[2] = {0, TASK_NO_ADDR};

	key += op->at;
	for (unsigned i = 0; i < n; i++, key += stride) {
		const struct ns_ip *ip = (const struct ns_ip *)(rec(src, i) + op->offset);

		if (ip->ver == 4 || ip->ver == 6)
			task_put_addr(key, ip->addr, ip->ver, op->mask.on ? &op->mask : NULL);
		else
			memcpy(key, none, sizeof(none));
	}
}

static void put_vlans(
	const struct task_op *op, const void *src, unsigned n, uint8_t *key, unsigned stride)
{
	key += op->at;
	for (unsigned i = 0; i < n; i++, key += stride) {
		uint16_t id[2] = {0, 0};
		struct ns_vlans v;

		memcpy(&v, rec(src, i) + op->offset, sizeof(v));
		for (unsigned j = 0; j < NS_MIN(v.n, 2); j++)
			id[j] = (uint16_t)(v.id[j] + 1);
		memcpy(key, id, sizeof(id));
	}
}

#define GET(type)                                                                                  \
	static void get_##type(const struct task_op *op, const void *src, unsigned n, uint64_t *v) \
	{                                                                                          \
		for (unsigned i = 0; i < n; i++) {                                                 \
			type x;                                                                    \
                                                                                                   \
			memcpy(&x, rec(src, i) + op->offset, sizeof(x));                           \
			v[i] = x;                                                                  \
		}                                                                                  \
	}

GET(uint8_t)
GET(uint16_t)
GET(uint32_t)
GET(uint64_t)

static inline uint64_t duration(const void *src, unsigned i)
{
	const struct ns_flow_rec *r = (const struct ns_flow_rec *)src + i;

	return r->end_ns > r->start_ns ? r->end_ns - r->start_ns : 0;
}

static void get_duration(const struct task_op *op, const void *src, unsigned n, uint64_t *v)
{
	(void)op;
	for (unsigned i = 0; i < n; i++)
		v[i] = duration(src, i);
}

static void put_duration(
	const struct task_op *op, const void *src, unsigned n, uint8_t *key, unsigned stride)
{
	key += op->at;
	for (unsigned i = 0; i < n; i++, key += stride) {
		uint64_t v = duration(src, i);

		memcpy(key, &v, sizeof(v));
	}
}

const struct task_field task_record_duration = {
	.name = "duration_ns",
	.type = NS_REC_U64,
	.size = 8,
	.octets = 8,
	.flags = TASK_FIELD_VALUE,
	.unit = "ns",
	.help = "from the first packet to the last",
	.put = put_duration,
	.get = get_duration,
};

bool task_record_field(const struct ns_rec_field *r, struct task_field *f)
{
	*f = (struct task_field){
		.name = r->name,
		.type = r->type,
		.size = r->size,
		.octets = r->size,
		.offset = r->offset,
		.rec_flags = r->flags & NS_REC_EMPTY_ZERO,
		.unit = r->unit != NULL ? r->unit : "",
		.help = r->help != NULL ? r->help : "",
		.put = put_octets,
	};
	switch (r->type) {
	case NS_REC_U8:
		f->get = get_uint8_t;
		break;
	case NS_REC_U16:
		f->get = get_uint16_t;
		break;
	case NS_REC_U32:
		f->get = get_uint32_t;
		break;
	case NS_REC_U64:
		f->get = get_uint64_t;
		break;
	case NS_REC_IP:
		f->octets = 16;
		f->code = TASK_CODE_IP;
		f->put = put_ip;
		break;
	case NS_REC_VLANS:
		f->octets = 4;
		f->code = TASK_CODE_VLAN;
		f->put = put_vlans;
		break;
	case NS_REC_PREFIX:
		return false;
	default:
		break;
	}
	if (f->octets != 1 && f->octets != 2 && f->octets != 4)
		f->octets = (uint16_t)task_align(f->octets, 8);
	if (f->get != NULL)
		f->flags |= TASK_FIELD_VALUE;
	return true;
}
