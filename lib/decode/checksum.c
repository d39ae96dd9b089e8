/* SPDX-License-Identifier: BSD-3-Clause */
/* RFC 1071 checksums of whole, unfragmented packets; what can't be checked counts as right. */
#include "decode_priv.h"

static uint32_t sum(const uint8_t *p, uint32_t n, uint32_t acc)
{
	uint64_t s = acc;

	for (; n > 1; n -= 2, p += 2)
		s += be16(p);
	if (n > 0)
		s += (uint32_t)p[0] << 8;
	while (s >> 16 != 0)
		s = (s & 0xffff) + (s >> 16);
	return (uint32_t)s;
}

bool checksums_ok(const struct walk *w, const struct ip_info *ip)
{
	const uint8_t *h = w->data + ip->l3_off;

	if (ip->ver == 4) {
		uint32_t hlen = (uint32_t)(h[0] & 15) * 4;

		if (have(w, ip->l3_off, hlen) && sum(h, hlen, 0) != 0xffff)
			return false;
	}
	if ((w->p->flags & NS_PKT_FRAG) != 0 || ip->end > w->len || ip->end <= ip->l4_off)
		return true;
	if (ip->rerouted)
		return true;
	const uint8_t *l4 = w->data + ip->l4_off;
	uint32_t len = ip->end - ip->l4_off, field;

	switch (ip->proto) {
	case 6:
		field = 16;
		break;
	case 17:
		field = 6;
		/* 0 is "none" over IPv4 (RFC 768); a UDP length that is not the rest can't be
		 * checked */
		if (len < 8 || be16(l4 + 6) == 0 || be16(l4 + 4) != len)
			return true;
		break;
	case 1:
	case 58:
		field = 2;
		break;
	default:
		return true;
	}
	if (len < field + 2)
		return true;
	uint32_t acc = 0;

	if (ip->proto != 1) { /* pseudo header */
		unsigned alen = ip->ver == 4 ? 8 : 32;

		acc = sum(ip->ver == 4 ? h + 12 : h + 8, alen, 0) + ip->proto + len;
	}
	return sum(l4, len, acc) == 0xffff;
}
