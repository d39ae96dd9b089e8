/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcap files (draft-ietf-opsawg-pcap): a header of 24 octets, then records.
 *
 *   | magic | major,minor | zone | sigfigs | snaplen | link type |
 *   | seconds | fraction | caplen | len | (more in modified variants) | octets ... |
 *
 * The magic tells byte order and unit of the fraction. It does not always tell the size of the
 * record header: patched libpcaps of old Linux distributions wrote 24 octets under the standard
 * magic (Red Hat 6.1) or 24 or 28 under 0xa1b2cd34, and Nokia's wrote 20. So the first records are
 * tried with each size, and the one that makes most sense of them is taken.
 */
#include "pcap_priv.h"

#include <string.h>

#define MAGIC_US 0xa1b2c3d4u
#define MAGIC_NS 0xa1b23c4du
#define MAGIC_MODIFIED 0xa1b2cd34u

#define FILE_HEADER 24u
#define RECORD_HEADER 16u
#define PROBE_RECORDS 3
#define ODD 2u
#define WIRELEN_SANE (128u << 20)

/* Captured length and length on the wire of the record header at p, whatever their order. */
static inline __attribute__((always_inline)) void lengths(
	const uint8_t *p, bool swapped, int lens_swapped, uint32_t *caplen, uint32_t *wirelen)
{
	*caplen = ns_pcap_u32(p + 8, swapped);
	*wirelen = ns_pcap_u32(p + 12, swapped);
	if (ns_unlikely(lens_swapped != 0) && (lens_swapped > 0 || *caplen > *wirelen)) {
		uint32_t t = *caplen;

		*caplen = *wirelen;
		*wirelen = t;
	}
}

/* Cuts n records: to recs, or straight to mbufs. */
static inline __attribute__((always_inline)) unsigned cut(struct ns_pcap_reader *r,
	struct ns_pcap_rec *recs, struct rte_mbuf **m, unsigned n, const bool swapped,
	const bool straight)
{
	struct ns_pcap_iface *iface = r->ifaces[0];
	const uint64_t where = ns_pcap_where(iface);
	uint64_t clock = r->s->clock_ns, octets = 0;
	const uint8_t *ahead = r->ahead;
	const uint32_t hdrlen = r->pcap.hdrlen, unit = r->pcap.unit_ns;
	const uint32_t max = r->pcap.caplen_max;
	const signed char lens_swapped = r->pcap.lens_swapped;
	const uint8_t *p = r->pos, *const end = r->end;
	unsigned k;

	for (k = 0; k < n; k++) {
		size_t left = (size_t)(end - p);
		uint32_t caplen, wirelen;
		uint64_t ts;

		ahead = ns_pcap_ahead(ahead, p);
		if (ns_unlikely(left < hdrlen)) {
			r->state = NS_PCAP_STARVED;
			r->need = hdrlen;
			break;
		}
		lengths(p, swapped, lens_swapped, &caplen, &wirelen);
		if (ns_unlikely(caplen - 1 >= max)) { /* none, or too many */
			if (caplen == 0 && !ns_pcap_map_is_there(r, p))
				break;
			if (caplen > max) {
				r->pos = p;
				ns_pcap_reader_damage(r, p,
					"record with %u captured octets, more than %u can't be",
					caplen, max);
				break;
			}
		}
		if (ns_unlikely(left - hdrlen < caplen)) {
			r->state = NS_PCAP_STARVED;
			r->need = (size_t)hdrlen + caplen;
			break;
		}
		ts = ns_pcap_u32(p, swapped) * NS_SEC_NS +
		     (uint64_t)ns_pcap_u32(p + 4, swapped) * unit;
		p += hdrlen;
		if (!straight) {
			recs[k].ts_ns = ts;
			recs[k].data = p;
			recs[k].iface = iface;
			recs[k].wirelen = wirelen;
			recs[k].caplen = NS_MIN(caplen, 65535u);
		} else {
			clock = NS_MAX(clock, ts);
			octets += wirelen;
			ns_pcap_wrap(m[k], p, ts, clock, wirelen, NS_MIN(caplen, 65535u), where);
		}
		p += caplen;
	}
	r->pos = p;
	r->ahead = ahead;
	r->s->clock_ns = clock;
	r->s->octets += octets;
	return k;
}

static unsigned parse(struct ns_pcap_reader *r, struct ns_pcap_rec *recs, unsigned n)
{
	return r->pcap.swapped ? cut(r, recs, NULL, n, true, false)
			       : cut(r, recs, NULL, n, false, false);
}

static unsigned wrap(struct ns_pcap_reader *r, struct rte_mbuf **m, unsigned n)
{
	return r->pcap.swapped ? cut(r, NULL, m, n, true, true) : cut(r, NULL, m, n, false, true);
}

/*
 * How little sense the first records make with this record header; 0: all. That the file ends in a
 * record weighs less than anything else: it happens to usual files more often than others are met.
 */
static unsigned oddity(
	const struct ns_pcap_reader *r, const struct ns_pcap_pcap *v, uint32_t snaplen)
{
	const uint8_t *p = r->pos;
	unsigned odd = 0;

	for (int i = 0; i < PROBE_RECORDS && p < r->end; i++) {
		size_t left = (size_t)(r->end - p);
		uint32_t caplen, wirelen, frac;

		if (left < v->hdrlen)
			return odd + r->st.end;
		frac = ns_pcap_u32(p + 4, v->swapped);
		lengths(p, v->swapped, v->lens_swapped, &caplen, &wirelen);
		odd += ODD * (frac >= NS_SEC_NS / v->unit_ns);
		odd += ODD * (snaplen != 0 && caplen > snaplen);
		odd += ODD * (caplen > wirelen);
		odd += ODD * (wirelen > WIRELEN_SANE);
		if (caplen > NS_PCAP_CAPLEN_MAX)
			return odd + (caplen > v->caplen_max ? 4 * ODD : 0);
		if (left - v->hdrlen < caplen)
			return odd + r->st.end;
		p += v->hdrlen + caplen;
	}
	return odd;
}

/*
 * Brings the first records into the window as they are cut with this record header, one by one, so
 * that a pipe with a first packet need not wait for many more. What oddity() sees then does not
 * depend on the size of blocks.
 */
static void look_ahead(struct ns_pcap_reader *r, const struct ns_pcap_pcap *v)
{
	size_t at = 0;

	for (int i = 0; i < PROBE_RECORDS; i++) {
		uint32_t caplen, wirelen;

		if (ns_pcap_reader_more(r, at + v->hdrlen) < 0 ||
			(size_t)(r->end - r->pos) < at + v->hdrlen)
			return;
		lengths(r->pos + at, v->swapped, v->lens_swapped, &caplen, &wirelen);
		at += v->hdrlen + (size_t)caplen;
		if (caplen > NS_PCAP_CAPLEN_MAX || ns_pcap_reader_more(r, at) < 0)
			return;
	}
}

static void probe(struct ns_pcap_reader *r, uint32_t magic, uint32_t snaplen)
{
	static const uint8_t standard[] = {16, 24, 20}, modified[] = {24, 28};
	const uint8_t *sizes = magic == MAGIC_MODIFIED ? modified : standard;
	size_t n = magic == MAGIC_MODIFIED ? sizeof(modified) : sizeof(standard);
	unsigned best, odd;

	look_ahead(r, &r->pcap);
	best = oddity(r, &r->pcap, snaplen);
	if (best < ODD || r->pcap.unit_ns == 1)
		return;
	for (size_t i = 1; i < n; i++) {
		struct ns_pcap_pcap v = r->pcap;

		v.hdrlen = sizes[i];
		look_ahead(r, &v);
		odd = oddity(r, &v, snaplen);
		if (odd < best) {
			best = odd;
			r->pcap = v;
		}
	}
}

static const struct ns_pcap_format format_pcap = {.parse = parse, .wrap = wrap};

/*
 * AIX wrote version 2.2, interface types of RFC 1573 for link types, and nanoseconds; its lengths
 * stand in the order of today.
 */
static uint16_t aix_linktype(uint32_t type)
{
	switch (type) {
	case 6:
		return 1; /* Ethernet */
	case 9:
		return 6; /* token ring */
	case 15:
		return 10; /* FDDI */
	case 24:
		return 0; /* loopback */
	default:
		return UINT16_MAX;
	}
}

int ns_pcap_file_open(struct ns_pcap_reader *r, struct ns_err *e)
{
	struct ns_pcap_pcap *v = &r->pcap;
	uint32_t magic = ns_pcap_u32(r->pos, false), snaplen, type;
	struct ns_pcap_iface *iface;
	uint16_t major, minor, link;

	if (magic == __builtin_bswap32(MAGIC_US) || magic == __builtin_bswap32(MAGIC_NS) ||
		magic == __builtin_bswap32(MAGIC_MODIFIED)) {
		v->swapped = true;
		magic = __builtin_bswap32(magic);
	}
	if (magic != MAGIC_US && magic != MAGIC_NS && magic != MAGIC_MODIFIED)
		return 0;
	r->format = &format_pcap;
	r->need = FILE_HEADER;
	if (ns_pcap_reader_fill(r) < 0)
		return 1; /* cut short in its header: damaged, and reported so */
	major = ns_pcap_u16(r->pos + 4, v->swapped);
	minor = ns_pcap_u16(r->pos + 6, v->swapped);
	snaplen = ns_pcap_u32(r->pos + 16, v->swapped);
	type = ns_pcap_u32(r->pos + 20, v->swapped);
	/* 543 is what DG/UX wrote. */
	if (major != 2 && major != 543)
		return ns_fail(e, EBADMSG, "%s: octet 4: pcap version %u.%u is not known", r->name,
			major, minor);
	/* Above the link type: 10 reserved bits, then the length of the frame check sequence. */
	if ((type & 0x03ff0000u) != 0)
		return ns_fail(e, EBADMSG,
			"%s: octet 20: reserved bits of the link type are set (0x%08x)", r->name,
			type);
	link = (uint16_t)type;
	v->hdrlen = magic == MAGIC_MODIFIED ? 24 : RECORD_HEADER;
	v->unit_ns = magic == MAGIC_NS ? 1 : 1000;
	if (major == 543 || minor < 3)
		v->lens_swapped = 1;
	else if (minor == 3)
		v->lens_swapped = -1;
	if (major == 2 && minor == 2 && aix_linktype(link) != UINT16_MAX) {
		v->lens_swapped = 0;
		v->unit_ns = 1;
		link = aix_linktype(link);
	}
	v->caplen_max = ns_pcap_caplen_max(link);
	iface = ns_pcap_iface_add(r, link, snaplen);
	if (iface == NULL)
		return ns_fail(e, ENOMEM, "%s: no memory", r->name);
	iface->numbered = true; /* port 0 */
	r->pos += FILE_HEADER;
	probe(r, magic, snaplen);
	return 1;
}
