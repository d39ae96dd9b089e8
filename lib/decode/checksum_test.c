/* SPDX-License-Identifier: BSD-3-Clause */
#include "ns_test_decode.h"

/*
 * Good packets are made with a sum of our own, written another way than the code's; then one octet
 * after the other is spoilt.
 */
static uint16_t complement(const uint8_t *p, size_t n, const uint8_t *pseudo, size_t pseudo_n)
{
	uint32_t s = 0;

	for (size_t i = 0; i < pseudo_n; i++)
		s += i % 2 == 0 ? (uint32_t)pseudo[i] * 256 : pseudo[i];
	for (size_t i = 0; i < n; i++)
		s += i % 2 == 0 ? (uint32_t)p[i] * 256 : p[i];
	s = s % 65535;
	return (uint16_t)(s == 0 ? 0 : 65535 - s);
}

static void put(uint8_t *at, uint16_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

/* Fills the checksums of a frame whose L4 header stands at l4 and has its checksum at l4 + field.
 */
static void fill(uint8_t *f, size_t len, size_t l4, uint8_t proto, size_t field)
{
	uint8_t pseudo[40] = {0};
	size_t n = 0;

	if ((f[14] >> 4) == 4) {
		put(f + 24, complement(f + 14, 20, NULL, 0));
		memcpy(pseudo, f + 26, 8);
		n = 8;
	} else {
		memcpy(pseudo, f + 22, 32);
		n = 32;
	}
	pseudo[n + 1] = proto;
	put(pseudo + n + 2, (uint16_t)(len - l4));
	put(f + l4 + field, complement(f + l4, len - l4, pseudo, proto == 1 ? 0 : n + 4));
}

static const struct ns_counter *verdict(bool verify, const uint8_t *f, size_t len)
{
	struct ns_decoder *d = ns_test_decoder(4, verify);
	struct ns_test_view v = ns_test_decode(d, NS_LINKTYPE_ETHERNET, f, (uint32_t)len);

	ns_decoder_destroy(d);
	return v.why;
}

static void each_octet(uint8_t *f, size_t len, size_t l4, uint8_t proto, size_t field)
{
	fill(f, len, l4, proto, field);
	CU_ASSERT_PTR_NULL(verdict(true, f, len));
	for (size_t i = l4; i < len; i++) {
		if (proto == 17 && (i == l4 + 4 || i == l4 + 5))
			continue; /* another UDP length can't be checked */
		f[i] ^= 0x10;
		CU_ASSERT_PTR_EQUAL(verdict(true, f, len), &ns_drop_bad_checksum);
		CU_ASSERT_PTR_NULL(verdict(false, f, len));
		f[i] ^= 0x10;
	}
	CU_ASSERT_PTR_NULL(verdict(true, f, len));
}

static void good_and_bad(void)
{
	uint8_t tcp4[] = {ETH(0x0800), IP4(6, 43), TCP(1000, 443, 0x18), 1, 2, 3};
	uint8_t udp4[] = {ETH(0x0800), IP4(17, 33), UDP(1000, 2000, 13), 1, 2, 3, 4, 5};
	uint8_t icmp4[] = {ETH(0x0800), IP4(1, 29), 8, 0, 0, 0, 1, 2, 3, 4, 5};
	uint8_t tcp6[] = {ETH(0x86dd), IP6(6, 22), TCP(1000, 443, 0x18), 1, 2};
	uint8_t udp6[] = {ETH(0x86dd), IP6(17, 12), UDP(1000, 2000, 12), 1, 2, 3, 4};
	uint8_t icmp6[] = {ETH(0x86dd), IP6(58, 8), 128, 0, 0, 0, 1, 2, 3, 4};
	uint8_t hop[] = {
		ETH(0x86dd), IP6(0, 16), 58, 0, 5, 2, 0, 0, 1, 0, 131, 0, 0, 0, 1, 2, 3, 4};

	uint8_t ah[] = {ETH(0x0800), IP4(51, 48), 17, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2,
		UDP(1000, 2000, 16), 1, 2, 3, 4, 5, 6, 7, 8};

	each_octet(ah, sizeof(ah), 46, 17, 6);
	each_octet(tcp4, sizeof(tcp4), 34, 6, 16);
	each_octet(udp4, sizeof(udp4), 34, 17, 6);
	each_octet(icmp4, sizeof(icmp4), 34, 1, 2);
	each_octet(tcp6, sizeof(tcp6), 54, 6, 16);
	each_octet(udp6, sizeof(udp6), 54, 17, 6);
	each_octet(icmp6, sizeof(icmp6), 54, 58, 2);
	each_octet(hop, sizeof(hop), 62, 58, 2);
	for (size_t i = 14; i < 34; i++) { /* the IPv4 header: any octet but version and lengths */
		if (i < 15 || i == 16 || i == 17 || (i >= 20 && i <= 21))
			continue;
		tcp4[i] ^= 1;
		CU_ASSERT_PTR_EQUAL(verdict(true, tcp4, sizeof(tcp4)), &ns_drop_bad_checksum);
		tcp4[i] ^= 1;
	}
}

/* What can't be checked counts as right. */
static void unchecked(void)
{
	uint8_t none[] = {ETH(0x0800), IP4(17, 32), UDP(1000, 2000, 12), 1, 2, 3, 4};
	uint8_t frag[] = {
		ETH(0x0800), IP4_FRAG(17, 32, 0x2000), B16(1), B16(2), 0, 12, 9, 9, 1, 2, 3, 4};
	uint8_t cut[] = {ETH(0x0800), IP4(6, 100), TCP(1000, 443, 0x18), 1, 2, 3};
	uint8_t gre[] = {ETH(0x0800), IP4(89, 24), 1, 2, 3, 4};
	uint8_t tiny[] = {ETH(0x0800), IP4(6, 34), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14};
	/* RFC 8200, 8.1: one segment left, so the pseudo header has another destination */
	uint8_t route[] = {ETH(0x86dd), IP6(43, 24 + 8), 58, 2, 0, 1, 0, 0, 0, 0, I6_DST, 128, 0, 9,
		9, 1, 2, 3, 4};
	/* RFC 6275: home address option behind a padding option */
	uint8_t home[] = {ETH(0x86dd), IP6(60, 24 + 8), 58, 2, 1, 2, 0, 0, 0xc9, 16, I6_SRC, 128, 0,
		9, 9, 1, 2, 3, 4};

	put(none + 24, complement(none + 14, 20, NULL, 0));
	put(frag + 24, complement(frag + 14, 20, NULL, 0));
	put(cut + 24, complement(cut + 14, 20, NULL, 0));
	put(gre + 24, complement(gre + 14, 20, NULL, 0));
	put(tiny + 24, complement(tiny + 14, 20, NULL, 0));
	CU_ASSERT_PTR_NULL(verdict(true, none, sizeof(none)));
	CU_ASSERT_PTR_NULL(verdict(true, frag, sizeof(frag)));
	CU_ASSERT_PTR_NULL(verdict(true, cut, sizeof(cut)));
	CU_ASSERT_PTR_NULL(verdict(true, gre, sizeof(gre)));
	CU_ASSERT_PTR_NULL(verdict(true, tiny, sizeof(tiny)));
	CU_ASSERT_PTR_NULL(verdict(true, route, sizeof(route)));
	CU_ASSERT_PTR_NULL(verdict(true, home, sizeof(home)));
	route[57] = 0; /* arrived: checked again */
	CU_ASSERT_PTR_EQUAL(verdict(true, route, sizeof(route)), &ns_drop_bad_checksum);
	home[60] = 0x0b;
	CU_ASSERT_PTR_EQUAL(verdict(true, home, sizeof(home)), &ns_drop_bad_checksum);
	none[41] = 1;
	CU_ASSERT_PTR_EQUAL(verdict(true, none, sizeof(none)), &ns_drop_bad_checksum);
}

NS_TEST_MAIN({"good and bad", good_and_bad}, {"unchecked", unchecked})
