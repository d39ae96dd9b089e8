/* SPDX-License-Identifier: BSD-3-Clause */
/* Community IDs that others computed. */
#include "community_priv.h"

#include <ns_flow.h>
#include <ns_test.h>
#include <ns_text.h>

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <string.h>

static uint8_t address(const char *text, uint8_t out[16])
{
	memset(out, 0, 16);
	if (inet_pton(AF_INET, text, out) == 1)
		return 4;
	return inet_pton(AF_INET6, text, out) == 1 ? 6 : 0;
}

/* Both ways. */
static bool is(
	const char *want, const char *src, int sport, const char *dst, int dport, uint8_t proto)
{
	uint8_t a[16], b[16];
	uint8_t ver = address(src, a);
	char id[31], back[31];
	bool ports = sport >= 0;

	CU_ASSERT_EQUAL_FATAL(ver, address(dst, b));
	CU_ASSERT_FATAL(ver != 0);
	ns_community_id(id, ver, a, b, (uint16_t)sport, (uint16_t)dport, proto, ports);
	ns_community_id(back, ver, b, a, (uint16_t)dport, (uint16_t)sport, proto, ports);
	return strcmp(id, want) == 0 && strcmp(back, want) == 0;
}

/* From the baseline of the specification. */
static void baseline(void)
{
	CU_ASSERT(is("1:LQU9qZlK+B5F3KDmev6m5PMibrg=", "128.232.110.120", 34855, "66.35.250.204",
		80, 6));
	CU_ASSERT(is("1:d/FP5EW3wiY1vCndhwleRRKHowQ=", "192.168.1.52", 54585, "8.8.8.8", 53, 17));
	CU_ASSERT(is("1:X0snYXpgwiv9TZtqg64sgzUn6Dk=", "192.168.0.89", 8, "192.168.0.1", 0, 1));
	CU_ASSERT(is("1:dGHyGvjMfljg6Bppwm3bg0LO8TY=", "fe80::200:86ff:fe05:80da", 135,
		"fe80::260:97ff:fe07:69ea", 136, 58));
	CU_ASSERT(is(
		"1:jQgCxbku+pNGw8WPbEc/TS/uTpQ=", "192.168.170.8", 7, "192.168.170.56", 80, 132));
}

static void equal_addresses(void)
{
	char a[31], b[31];
	static const uint8_t lo[16] = {127, 0, 0, 1};

	ns_community_id(a, 4, lo, lo, 1, 2, 6, true);
	ns_community_id(b, 4, lo, lo, 2, 1, 6, true);
	CU_ASSERT_STRING_EQUAL(a, b);
	ns_community_id(b, 4, lo, lo, 2, 2, 6, true);
	CU_ASSERT_STRING_NOT_EQUAL(a, b);
	ns_community_id(b, 4, lo, lo, 1, 2, 6, false);
	CU_ASSERT_STRING_NOT_EQUAL(a, b);
}

/* Columns of the line, in place; an empty one stays. */
static unsigned columns(char *line, char *col[], unsigned max)
{
	unsigned n = 0;

	line[strcspn(line, "\r\n")] = '\0';
	for (char *p = line; p != NULL && n < max;)
		col[n++] = strsep(&p, "\t");
	return n;
}

static int column(char *const col[], unsigned n, const char *name)
{
	for (unsigned i = 0; i < n; i++) {
		if (strcmp(col[i], name) == 0)
			return (int)i;
	}
	return -1;
}

/*
 * Where both addresses are the same, Suricata 6 compares the ports as its CPU reads them in network
 * order, on x86 the wrong way round; the specification, Zeek and this compare the numbers.
 */
static bool suricata_differs(const char *src, int sport, const char *dst, int dport)
{
	uint16_t s = (uint16_t)sport, d = (uint16_t)dport;

	return strcmp(src, dst) == 0 && (s < d) != (htons(s) < htons(d));
}

/*
 * What Suricata says of many captures. ICMP is left out: the list names no types, and so are errors
 * that it counts to the flow that they are about. So are protocols without ports: it hashes two
 * zeros for them, and half of the SPI for ESP, where the specification has nothing.
 */
static void of_suricata(void)
{
	static const struct {
		const char *name;
		uint8_t proto;
	} protos[] = {{"TCP", 6}, {"UDP", 17}, {"SCTP", 132}};
	const char *env = getenv("NS_CORPUS"), *src = getenv("NS_SOURCE_ROOT");
	char path[4096], line[4096], *col[32];
	unsigned checked = 0, wrong = 0, differs = 0;

	if (env != NULL)
		snprintf(path, sizeof(path), "%s/ref/suricata_flows.tsv", env);
	else
		snprintf(path, sizeof(path), "%s/../shared/corpus/ref/suricata_flows.tsv",
			src != NULL ? src : ".");
	FILE *f = fopen(path, "r");

	if (f == NULL) {
		printf("\nSKIP: no list of flows at %s, set NS_CORPUS\n", path);
		return;
	}
	CU_ASSERT_PTR_NOT_NULL_FATAL(fgets(line, sizeof(line), f));
	unsigned n = columns(line, col, NS_ARRAY_LEN(col));
	int proto = column(col, n, "proto"), sip = column(col, n, "src_ip"),
	    sport = column(col, n, "src_port"), dip = column(col, n, "dst_ip"),
	    dport = column(col, n, "dst_port"), id = column(col, n, "community_id");

	CU_ASSERT_FATAL(proto >= 0 && sip >= 0 && sport >= 0 && dip >= 0 && dport >= 0 && id >= 0);
	while (fgets(line, sizeof(line), f) != NULL) {
		if (columns(line, col, NS_ARRAY_LEN(col)) != n)
			continue;
		for (unsigned i = 0; i < NS_ARRAY_LEN(protos); i++) {
			if (strcmp(col[proto], protos[i].name) != 0)
				continue;
			int from = atoi(col[sport]);
			int to = atoi(col[dport]);
			bool equal = is(col[id], col[sip], from, col[dip], to, protos[i].proto);

			checked++;
			if (suricata_differs(col[sip], from, col[dip], to) == !equal) {
				differs += !equal;
				continue;
			}
			if (wrong++ < 5)
				printf("\n  %s %s %s %s %s: %s\n", col[proto], col[sip], col[sport],
					col[dip], col[dport], col[id]);
		}
	}
	fclose(f);
	CU_ASSERT(checked > 1000);
	CU_ASSERT_EQUAL(wrong, 0);
	printf("\n  %u flows of Suricata's, of which %u between equal addresses differ ", checked,
		differs);
}

static uint64_t seed = UINT64_C(0x9e3779b97f4a7c15);

static uint64_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static void random_octets(uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)rnd();
}

/* Every way there is on this CPU, lane by lane, against a library's SHA-1 and base64. */
static void lanes(void)
{
	community_fn ways[3] = {community_plain};
	unsigned n = 1;

#ifdef __x86_64__
	if (__builtin_cpu_supports("avx2"))
		ways[n++] = community_avx2;
	if (__builtin_cpu_supports("avx512vl"))
		ways[n++] = community_avx512;
#endif
	for (unsigned round = 0; round < 3000; round++) {
		uint8_t in[COMMUNITY_LANES][64] = {{0}}, md[20];
		union community_block block;
		union community_text text;
		unsigned wrong = 0;
		char want[29];

		for (unsigned l = 0; l < COMMUNITY_LANES; l++) {
			size_t len = rnd() % 56;

			random_octets(in[l], len);
			in[l][len] = 0x80;
			in[l][62] = (uint8_t)(8 * len >> 8);
			in[l][63] = (uint8_t)(8 * len);
			for (unsigned w = 0; w < 16; w++) {
				uint32_t v;

				memcpy(&v, in[l] + 4 * (size_t)w, 4);
				block.word[w][l] = ntohl(v);
			}
		}
		ways[round % n](&block, &text);
		for (unsigned l = 0; l < COMMUNITY_LANES; l++) {
			size_t len = ((size_t)in[l][62] << 8 | in[l][63]) / 8;

			CU_ASSERT_EQUAL_FATAL(
				EVP_Digest(in[l], len, md, NULL, EVP_sha1(), NULL), 1);
			ns_put_base64(want, md, sizeof(md));
			for (unsigned g = 0; g < 7; g++)
				wrong += memcmp(&text.quad[g][l], want + 4 * (size_t)g,
						 g < 6 ? 4 : 3) != 0;
		}
		CU_ASSERT_EQUAL(wrong, 0);
	}
	printf("\n  %u ways ", n);
}

/* The text of the specification, octet by octet. */
static void by_the_book(
	char out[31], const struct ns_flow_rec *r, uint16_t sport, uint16_t dport, bool ports)
{
	unsigned len = r->src.ver == 4 ? 4 : 16, n = 0;
	int order = memcmp(r->src.addr, r->dst.addr, len);
	bool swap = order > 0 || (order == 0 && ports && sport > dport);
	uint8_t in[64] = {0, 0}, md[20];

	n = 2;
	memcpy(in + n, swap ? r->dst.addr : r->src.addr, len);
	n += len;
	memcpy(in + n, swap ? r->src.addr : r->dst.addr, len);
	n += len;
	in[n++] = r->proto;
	in[n++] = 0;
	if (ports) {
		uint16_t first = htons(swap ? dport : sport), second = htons(swap ? sport : dport);

		memcpy(in + n, &first, 2);
		memcpy(in + n + 2, &second, 2);
		n += 4;
	}
	CU_ASSERT_EQUAL_FATAL(EVP_Digest(in, n, md, NULL, EVP_sha1(), NULL), 1);
	memcpy(out, "1:", 2);
	*ns_put_base64(out + 2, md, sizeof(md)) = '\0';
}

/* Crowds of every size up to some whole blocks; what is not theirs stays. */
static void crowds(void)
{
	for (unsigned n = 0; n <= 3 * COMMUNITY_LANES + 1; n++) {
		struct ns_flow_rec r[3 * COMMUNITY_LANES + 2];
		char want[3 * COMMUNITY_LANES + 1][31], one[31];
		unsigned wrong = 0;

		memset(r, 0xa5, sizeof(r));
		for (unsigned i = 0; i < n; i++) {
			uint16_t sport = (uint16_t)rnd(), dport = (uint16_t)rnd();
			bool v4 = (rnd() & 1) != 0, ports = (rnd() & 3) != 0;

			r[i].src = r[i].dst = (struct ns_ip){.ver = v4 ? 4 : 6};
			random_octets(r[i].src.addr, v4 ? 4 : 16);
			random_octets(r[i].dst.addr, v4 ? 4 : 16);
			if ((rnd() & 3) == 0)
				r[i].dst = r[i].src;
			if ((rnd() & 7) == 0)
				dport = sport;
			r[i].proto = (uint8_t)rnd();
			by_the_book(want[i], &r[i], sport, dport, ports);
			ns_community_id(one, r[i].src.ver, r[i].src.addr, r[i].dst.addr, sport,
				dport, r[i].proto, ports);
			wrong += strcmp(one, want[i]) != 0;
			ns_community_id_later(r[i].community_id, sport, dport, ports);
			wrong += r[i].community_id[0] != '\0';
		}
		ns_flow_record_ids(r, n);
		for (unsigned i = 0; i < n; i++)
			wrong += memcmp(r[i].community_id, want[i], 31) != 0;
		CU_ASSERT_EQUAL(wrong, 0);
		for (size_t i = n * sizeof(r[0]); i < sizeof(r); i++)
			CU_ASSERT_FATAL(((const uint8_t *)r)[i] == 0xa5);
	}
}

NS_TEST_MAIN({"baseline of the specification", baseline}, {"equal addresses", equal_addresses},
	{"lanes", lanes}, {"crowds", crowds}, {"the same as Suricata's", of_suricata})
