/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcapng files (draft-ietf-opsawg-pcapng): blocks, each with its length in front and behind.
 *
 *   | type | length | body, padded to 4 ... | length |
 *
 * A section header block opens a section with a byte order and interfaces of its own; interface
 * blocks number from 0 in each section. Packets come in enhanced, simple and (obsolete) packet
 * blocks. Everything else is passed over.
 */
#include "pcap_priv.h"

#include <string.h>

#define BLOCK_SECTION 0x0a0d0d0au /* the same in both byte orders */
#define BLOCK_INTERFACE 1u
#define BLOCK_PACKET 2u
#define BLOCK_SIMPLE 3u
#define BLOCK_ENHANCED 6u
#define BYTE_ORDER_MAGIC 0x1a2b3c4du

#define BLOCK_MIN 12u
#define BLOCK_MAX (NS_PCAP_CAPLEN_HUGE + (1u << 20))

#define OPT_END 0
#define OPT_IF_TSRESOL 9
#define OPT_IF_TSOFFSET 14

/* if_tsresol: bit 7 clear: 10^-v seconds, set: 2^-v. */
static void set_resolution(struct ns_pcap_iface *f, uint8_t tsresol)
{
	unsigned v = tsresol & 0x7f;

	f->mul = 1;
	f->div = 1;
	f->pow2 = (tsresol & 0x80) != 0;
	if (f->pow2) {
		f->shift = (uint8_t)v;
		return;
	}
	for (; v < 9; v++)
		f->mul *= 10;
	/* A unit below 10^-28 s: 64 bits of it do not make a nanosecond. */
	for (v = NS_MIN(v, 28u); v > 9; v--)
		f->div *= 10;
	f->units_max = UINT64_MAX / f->mul;
}

static uint64_t to_ns(const struct ns_pcap_iface *f, uint64_t units)
{
	uint64_t ns, off;

	if (ns_likely(!f->pow2)) {
		ns = units <= f->units_max ? units * f->mul : UINT64_MAX;
		if (f->div != 1)
			ns /= f->div;
	} else {
		unsigned __int128 wide = (unsigned __int128)units * NS_SEC_NS >> f->shift;

		ns = wide > UINT64_MAX ? UINT64_MAX : (uint64_t)wide;
	}
	if (ns_likely(f->offset_s == 0))
		return ns;
	off = f->offset_s < 0 ? -(uint64_t)f->offset_s : (uint64_t)f->offset_s;
	if (off > UINT64_MAX / NS_SEC_NS)
		return f->offset_s < 0 ? 0 : UINT64_MAX;
	off *= NS_SEC_NS;
	if (f->offset_s < 0)
		return ns < off ? 0 : ns - off;
	return ns > UINT64_MAX - off ? UINT64_MAX : ns + off;
}

static void section_block(struct ns_pcap_reader *r, const uint8_t *p)
{
	uint16_t major = ns_pcap_u16(p + 12, r->ng.swapped);
	uint16_t minor = ns_pcap_u16(p + 14, r->ng.swapped);

	/* 1.2 is what some writers of 1.0 put there. */
	if (major != 1 || (minor != 0 && minor != 2))
		ns_pcap_reader_damage(r, p, "pcapng version %u.%u is not known", major, minor);
	r->ng.first = r->ifaces_n;
}

static void interface_block(struct ns_pcap_reader *r, const uint8_t *p, uint32_t len)
{
	const bool sw = r->ng.swapped;
	const uint8_t *o = p + 16, *const end = p + len - 4;
	struct ns_pcap_iface *f;

	if (len < BLOCK_MIN + 8) {
		ns_pcap_reader_damage(r, p, "interface block of %u octets is too short", len);
		return;
	}
	f = ns_pcap_iface_add(r, ns_pcap_u16(p + 8, sw), ns_pcap_u32(p + 12, sw));
	if (f == NULL) {
		ns_pcap_reader_damage(r, p, "more than %u interfaces", r->ifaces_n);
		return;
	}
	/*
	 * In the order of the file. When files are merged, how far each has been cut depends on
	 * blocks; there the first packet that is given out tells the order.
	 */
	if (!r->s->merge)
		ns_pcap_iface_number(r->s, f);
	set_resolution(f, 6);
	while (end - o >= 4) {
		uint16_t code = ns_pcap_u16(o, sw), olen = ns_pcap_u16(o + 2, sw);

		o += 4;
		if (code == OPT_END || olen > end - o)
			break;
		if (code == OPT_IF_TSRESOL && olen >= 1) {
			set_resolution(f, o[0]);
		} else if (code == OPT_IF_TSOFFSET && olen == 8) {
			uint64_t v;

			memcpy(&v, o, sizeof(v));
			f->offset_s = (int64_t)(sw ? __builtin_bswap64(v) : v);
		}
		o += NS_MIN((olen + 3) & ~3, (int)(end - o));
	}
}

/* Fills *rec from a packet block of any kind; false: damaged. */
static bool packet_block(struct ns_pcap_reader *r, const uint8_t *p, uint32_t type, uint32_t len,
	struct ns_pcap_rec *rec)
{
	const bool sw = r->ng.swapped;
	const uint32_t fixed = type == BLOCK_SIMPLE ? 12 : 28;
	uint32_t id, caplen, wirelen;
	struct ns_pcap_iface *f;

	if (ns_unlikely(len < fixed + 4)) {
		ns_pcap_reader_damage(r, p, "packet block of %u octets is too short", len);
		return false;
	}
	if (ns_likely(type == BLOCK_ENHANCED))
		id = ns_pcap_u32(p + 8, sw);
	else
		id = type == BLOCK_PACKET ? ns_pcap_u16(p + 8, sw) : 0;
	if (ns_unlikely(id >= r->ifaces_n - r->ng.first)) {
		ns_pcap_reader_damage(r, p, "packet of interface %u, the section has %u", id,
			r->ifaces_n - r->ng.first);
		return false;
	}
	f = r->ifaces[r->ng.first + id];
	if (ns_likely(type != BLOCK_SIMPLE)) {
		uint64_t units = (uint64_t)ns_pcap_u32(p + 12, sw) << 32 | ns_pcap_u32(p + 16, sw);

		caplen = ns_pcap_u32(p + 20, sw);
		wirelen = ns_pcap_u32(p + 24, sw);
		r->ng.last_ts = to_ns(f, units);
	} else {
		wirelen = ns_pcap_u32(p + 8, sw);
		caplen = f->snaplen != 0 ? NS_MIN(wirelen, f->snaplen) : wirelen;
	}
	if (ns_unlikely(caplen > len - fixed - 4)) {
		ns_pcap_reader_damage(r, p, "packet of %u octets in a block of %u", caplen, len);
		return false;
	}
	if (ns_unlikely(caplen > NS_PCAP_CAPLEN_MAX) && caplen > ns_pcap_caplen_max(f->linktype)) {
		ns_pcap_reader_damage(r, p, "packet with %u captured octets, more than %u can't be",
			caplen, ns_pcap_caplen_max(f->linktype));
		return false;
	}
	rec->ts_ns = r->ng.last_ts;
	rec->data = p + fixed;
	rec->iface = f;
	rec->wirelen = wirelen;
	rec->caplen = NS_MIN(caplen, 65535u);
	return true;
}

/* Some writers leave the padding out of the length, but not out of the file. */
static inline size_t padded(uint32_t len)
{
	return ((size_t)len + 3) & ~(size_t)3;
}

/*
 * The head of the block at p: *len and *type; false: more octets are needed or it is damaged.
 * A section header also sets the byte order, which its own length is already written in.
 */
static inline bool block_head(
	struct ns_pcap_reader *r, const uint8_t *p, size_t left, uint32_t *type, uint32_t *len)
{
	uint32_t behind;

	if (ns_unlikely(left < BLOCK_MIN)) {
		r->state = NS_PCAP_STARVED;
		r->need = BLOCK_MIN;
		return false;
	}
	*type = ns_pcap_u32(p, r->ng.swapped);
	if (ns_unlikely(*type == BLOCK_SECTION)) {
		uint32_t magic = ns_pcap_u32(p + 8, false);

		if (magic != BYTE_ORDER_MAGIC && magic != __builtin_bswap32(BYTE_ORDER_MAGIC)) {
			ns_pcap_reader_damage(r, p, "section header without byte-order magic");
			return false;
		}
		r->ng.swapped = magic != BYTE_ORDER_MAGIC;
	}
	*len = ns_pcap_u32(p + 4, r->ng.swapped);
	if (ns_unlikely(*len < BLOCK_MIN || *len > BLOCK_MAX ||
			(*type == BLOCK_SECTION && *len < 28))) {
		ns_pcap_reader_damage(r, p, "block of type 0x%08x with length %u", *type, *len);
		return false;
	}
	if (ns_unlikely(left < padded(*len))) {
		r->state = NS_PCAP_STARVED;
		r->need = padded(*len);
		return false;
	}
	behind = ns_pcap_u32(p + padded(*len) - 4, r->ng.swapped);
	if (ns_unlikely(behind != *len)) {
		ns_pcap_reader_damage(
			r, p, "block with length %u in front and %u behind", *len, behind);
		return false;
	}
	return true;
}

static unsigned parse(struct ns_pcap_reader *r, struct ns_pcap_rec *recs, unsigned n)
{
	unsigned k = 0;

	while (k < n) {
		const uint8_t *p = r->pos;
		uint32_t type, len;

		r->ahead = ns_pcap_ahead(r->ahead, p);
		if (!block_head(r, p, (size_t)(r->end - p), &type, &len))
			break;
		switch (type) {
		case BLOCK_ENHANCED:
		case BLOCK_SIMPLE:
		case BLOCK_PACKET:
			k += packet_block(r, p, type, len, &recs[k]);
			break;
		case BLOCK_SECTION:
			section_block(r, p);
			break;
		case BLOCK_INTERFACE:
			interface_block(r, p, len);
			break;
		default:
			break;
		}
		if (r->state != NS_PCAP_READY)
			break;
		r->pos = p + padded(len);
	}
	return k;
}

static const struct ns_pcap_format format_pcapng = {.parse = parse};

int ns_pcap_ng_open(struct ns_pcap_reader *r, struct ns_err *e)
{
	uint16_t major, minor;
	uint32_t magic;
	bool sw;

	if (ns_pcap_u32(r->pos, false) != BLOCK_SECTION)
		return 0;
	/* Four octets that are also a text of line ends: what follows must fit. */
	if (ns_pcap_reader_more(r, 16) < 0)
		return ns_fail(e, ENOMEM, "%s: no memory", r->name);
	r->format = &format_pcapng;
	if (r->end - r->pos < 16)
		return 1; /* parse() says where it ends */
	magic = ns_pcap_u32(r->pos + 8, false);
	if (magic != BYTE_ORDER_MAGIC && magic != __builtin_bswap32(BYTE_ORDER_MAGIC)) {
		r->format = NULL;
		return 0;
	}
	sw = magic != BYTE_ORDER_MAGIC;
	major = ns_pcap_u16(r->pos + 12, sw);
	minor = ns_pcap_u16(r->pos + 14, sw);
	if (major != 1 || (minor != 0 && minor != 2))
		return ns_fail(e, EBADMSG, "%s: octet 12: pcapng version %u.%u is not known",
			r->name, major, minor);
	return 1;
}
