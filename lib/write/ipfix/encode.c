/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From a record's struct to octets, RFC 7011 section 6. Every element writes exactly its length, or
 * a length prefix and as many octets as it has (section 7).
 */
#include "ipfix_priv.h"

#include <string.h>

/* Seconds between 1900 (NTP) and 1970. */
#define NTP_OFFSET UINT64_C(2208988800)

/* The value of any unsigned type, by the octets it has in the struct. */
static uint64_t load(const uint8_t *v, unsigned size)
{
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;

	switch (size) {
	case 1:
		return *v;
	case 2:
		memcpy(&u16, v, 2);
		return u16;
	case 4:
		memcpy(&u32, v, 4);
		return u32;
	default:
		memcpy(&u64, v, 8);
		return u64;
	}
}

/* A value too great for the element says "at least this much" rather than something small. */
static uint8_t *put_uint(uint8_t *p, uint64_t v, unsigned len)
{
	if (len < 8 && v >> (8 * len) != 0)
		v = (UINT64_C(1) << (8 * len)) - 1;
	return ipfix_put_be(p, v, len);
}

static uint8_t *put_int(uint8_t *p, int64_t v, unsigned len)
{
	if (len < 8) {
		int64_t max = (INT64_C(1) << (8 * len - 1)) - 1;

		v = NS_MAX(NS_MIN(v, max), -max - 1);
	}
	return ipfix_put_be(p, (uint64_t)v, len);
}

/*
 * NTP format (RFC 7011 6.1.9, 6.1.10). The fraction is rounded up: then whole nanoseconds come back
 * exactly from floor(fraction * 10^9 / 2^32), and from rounding too, because 10^9 < 2^32 / 4.
 */
static uint8_t *put_ntp(uint8_t *p, uint64_t ns, uint32_t mask)
{
	uint64_t frac = (((ns % NS_SEC_NS) << 32) + NS_SEC_NS - 1) / NS_SEC_NS;

	p = ipfix_put_be(p, (uint32_t)(ns / NS_SEC_NS + NTP_OFFSET), 4);
	return ipfix_put_be(p, frac & mask, 4);
}

/* Length of the well-formed UTF-8 sequence at @s (RFC 3629 table 3-7), 0 where there is none. */
static size_t utf8_len(const uint8_t *s, size_t n)
{
	uint8_t lo = 0x80, hi = 0xbf;
	size_t len;

	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		len = 2;
	else if (s[0] >= 0xe0 && s[0] <= 0xef)
		len = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		len = 4;
	else
		return 0;
	if (s[0] == 0xe0)
		lo = 0xa0;
	else if (s[0] == 0xed)
		hi = 0x9f;
	else if (s[0] == 0xf0)
		lo = 0x90;
	else if (s[0] == 0xf4)
		hi = 0x8f;
	if (n < len || s[1] < lo || s[1] > hi)
		return 0;
	for (size_t i = 2; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	return len;
}

void ipfix_copy_utf8(uint8_t *to, const uint8_t *from, size_t n)
{
	for (size_t i = 0; i < n;) {
		size_t len = utf8_len(from + i, n - i);

		if (len == 0) {
			to[i++] = '?';
			continue;
		}
		memcpy(to + i, from + i, len);
		i += len;
	}
}

/* Octets of a string or octet array; a variable one gets its length before it, RFC 7011 7. */
static uint8_t *put_octets(uint8_t *p, const struct ipfix_elem *el, const uint8_t *v)
{
	bool str = el->op == IPFIX_OP_STR;
	size_t n = str ? strnlen((const char *)v, el->size) : el->size;
	size_t len = n;

	if (el->len != IPFIX_VARIABLE) {
		len = el->len;
		n = NS_MIN(n, len);
	} else if (n < 255) {
		*p++ = (uint8_t)n;
	} else {
		*p++ = 255;
		p = ipfix_put_be(p, n, 2);
	}
	if (str)
		ipfix_copy_utf8(p, v, n);
	else
		memcpy(p, v, n);
	memset(p + n, 0, len - n);
	return p + len;
}

static uint8_t *put_ip(uint8_t *p, const uint8_t *v, uint8_t ver, unsigned len)
{
	struct ns_ip ip;

	memcpy(&ip, v, sizeof(ip));
	if (ip.ver == ver)
		memcpy(p, ip.addr, len);
	else
		memset(p, 0, len);
	return p + len;
}

static uint8_t *put_elem(uint8_t *p, const struct ipfix_elem *el, const uint8_t *v)
{
	struct ns_vlans vlans;
	int64_t i64;
	double f64;
	float f32;
	uint64_t bits;
	uint32_t bits32;

	switch (el->op) {
	case IPFIX_OP_UINT:
		return put_uint(p, load(v, el->size), el->len);
	case IPFIX_OP_INT:
		memcpy(&i64, v, sizeof(i64));
		return put_int(p, i64, el->len);
	case IPFIX_OP_F64:
		memcpy(&bits, v, sizeof(bits));
		return ipfix_put_be(p, bits, 8);
	case IPFIX_OP_F32:
		memcpy(&f64, v, sizeof(f64));
		f32 = (float)f64;
		memcpy(&bits32, &f32, sizeof(bits32));
		return ipfix_put_be(p, bits32, 4);
	case IPFIX_OP_TIME_S:
		return ipfix_put_be(p, load(v, 8) / NS_SEC_NS, 4);
	case IPFIX_OP_TIME_MS:
		return ipfix_put_be(p, load(v, 8) / (NS_SEC_NS / 1000), 8);
	case IPFIX_OP_TIME_US: /* the lower 11 bits are zero */
		return put_ntp(p, load(v, 8), ~UINT32_C(0x7ff));
	case IPFIX_OP_TIME_NS:
		return put_ntp(p, load(v, 8), ~UINT32_C(0));
	case IPFIX_OP_IP4:
		return put_ip(p, v, 4, 4);
	case IPFIX_OP_IP6:
		return put_ip(p, v, 6, 16);
	case IPFIX_OP_VLAN:
		memcpy(&vlans, v, sizeof(vlans));
		return put_uint(p, vlans.n > 0 ? vlans.id[0] : 0, el->len);
	case IPFIX_OP_STR:
	case IPFIX_OP_BYTES:
		return put_octets(p, el, v);
	}
	return p;
}

uint8_t *ipfix_encode(const struct ipfix_tmpl *t, const uint8_t *rec, uint8_t *p)
{
	for (unsigned i = 0; i < t->elems_n; i++)
		p = put_elem(p, &t->elems[i], rec + t->elems[i].offset);
	return p;
}
