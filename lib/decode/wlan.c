/* SPDX-License-Identifier: BSD-3-Clause */
/* IEEE 802.11 data frames, bare or behind radiotap, Prism or AVS headers. */
#include "decode_priv.h"
#include "link_priv.h"

static uint32_t le32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

#define FC_TYPE_DATA 2
#define FC0_QOS 0x80
#define FC0_NO_DATA 0x40
#define FC1_TO_DS 0x01
#define FC1_FROM_DS 0x02
#define FC1_PROTECTED 0x40
#define FC1_ORDER 0x80
#define QOS_AMSDU 0x80

static void wlan_frame(struct walk *w, bool padded)
{
	uint32_t size = 24;

	w->p->ethertype = NS_ETHERTYPE_WLAN;
	if (!have(w, w->off, 2)) {
		walk_fault(w, &ns_drop_truncated);
		return;
	}
	const uint8_t *h = w->data + w->off;
	uint8_t type = (h[0] >> 2) & 3;

	/* management, control, empty and encrypted frames carry nothing that we can read */
	if (type != FC_TYPE_DATA || (h[0] & FC0_NO_DATA) != 0 || (h[1] & FC1_PROTECTED) != 0) {
		w->next = NS_NEXT_END;
		return;
	}
	if ((h[1] & FC1_TO_DS) != 0 && (h[1] & FC1_FROM_DS) != 0)
		size += 6;
	uint32_t qos_at = size;

	if ((h[0] & FC0_QOS) != 0) {
		size += 2;
		if ((h[1] & FC1_ORDER) != 0)
			size += 4; /* HT control */
	}
	if (!have(w, w->off, size)) {
		walk_fault(w, &ns_drop_truncated);
		return;
	}
	bool amsdu = (h[0] & FC0_QOS) != 0 && (h[qos_at] & QOS_AMSDU) != 0;

	if (padded)
		size = (size + 3) & ~3u;
	if (amsdu)
		size += 14; /* the first subframe's addresses and length */
	w->off += size;
	walk_llc(w);
}

void walk_wlan(struct walk *w)
{
	wlan_frame(w, false);
}

void walk_radiotap(struct walk *w)
{
	if (!have(w, w->off, 8)) {
		walk_fault(w, &ns_drop_truncated);
		return;
	}
	const uint8_t *h = w->data + w->off;
	uint32_t len = (uint32_t)h[2] | (uint32_t)h[3] << 8;
	uint32_t present = le32(h + 4);
	bool padded = false;

	if (len < 8) {
		walk_fault(w, &ns_drop_bad_link_header);
		return;
	}
	if (!have(w, w->off, len)) {
		walk_fault(w, &ns_drop_truncated);
		return;
	}
	uint32_t at = 8;

	for (uint32_t word = present; (word & UINT32_C(0x80000000)) != 0 && at + 4 <= len; at += 4)
		word = le32(h + at);
	if ((present & 1) != 0) /* TSFT, aligned to 8 */
		at = ((at + 7) & ~7u) + 8;
	if ((present & 2) != 0 && at < len)
		padded = (h[at] & 0x20) != 0;
	w->off += len;
	wlan_frame(w, padded);
}

static void skip_radio(struct walk *w, uint32_t len, uint32_t min)
{
	if (len < min) {
		walk_fault(w, &ns_drop_bad_link_header);
		return;
	}
	if (!have(w, w->off, len)) {
		walk_fault(w, &ns_drop_truncated);
		return;
	}
	w->off += len;
	wlan_frame(w, false);
}

void walk_avs(struct walk *w)
{
	if (!have(w, w->off, 8)) {
		walk_fault(w, &ns_drop_truncated);
		return;
	}
	skip_radio(w, be32(w->data + w->off + 4), 8);
}

/* The length is in the byte order of the capturing machine; some drivers put AVS under this type.
 */
void walk_prism(struct walk *w)
{
	if (!have(w, w->off, 8)) {
		walk_fault(w, &ns_drop_truncated);
		return;
	}
	uint32_t code = be32(w->data + w->off);

	if ((code & 0xfffff000) == 0x80211000) {
		walk_avs(w);
		return;
	}
	uint32_t len = le32(w->data + w->off + 4);

	if (len > 0xffff)
		len = __builtin_bswap32(len);
	skip_radio(w, len, 24);
}
