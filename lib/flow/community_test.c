/* SPDX-License-Identifier: BSD-3-Clause */
/* Community IDs that others computed. */
#include "ns_test.h"

#include <ns_flow.h>

#include <arpa/inet.h>
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

NS_TEST_MAIN({"baseline of the specification", baseline}, {"equal addresses", equal_addresses},
	{"the same as Suricata's", of_suricata})
