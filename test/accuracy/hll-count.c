/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hll-count count P SET SEED N...    estimates of ours, one a line
 * hll-count resp SET SEED N...       the same keys as Redis commands: PFADD, and PFCOUNT at each N
 *
 * SET is how keys look, "number" (8 octets) or "address" (text such as 10.1.2.3:80); SEED picks
 * others of them; each N, ascending, is how many different keys have been added by then. Keys of a
 * set are all different.
 */
#include <ns_hll.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define KEY_MAX 32
#define COMMAND 512u /* keys of a PFADD; hll_redis_test.py knows it too */

static size_t make_key(char *out, bool address, uint64_t seed, uint64_t i)
{
	/* Counts up in steps that are odd, so no two of 2^40 are alike. */
	uint64_t k = (i * UINT64_C(0x9e3779b97f4a7c15) + seed * 7919) & ((UINT64_C(1) << 40) - 1);

	if (address)
		return (size_t)snprintf(out, KEY_MAX, "10.%u.%u.%u:%u", (unsigned)(k >> 32 & 255),
			(unsigned)(k >> 24 & 255), (unsigned)(k >> 16 & 255),
			(unsigned)(k & 65535));
	k = seed << 40 | i;
	memcpy(out, &k, sizeof(k));
	return sizeof(k);
}

static int count(uint8_t p, bool address, uint64_t seed, char **at)
{
	struct ns_hll *h = ns_hll_create(&(struct ns_hll_conf){.p = p});
	char key[KEY_MAX];
	uint64_t i = 0;

	if (h == NULL) {
		perror("hll-count");
		return 2;
	}
	for (; *at != NULL; at++) {
		for (uint64_t n = strtoull(*at, NULL, 10); i < n; i++)
			ns_hll_add(h, ns_hash64(key, make_key(key, address, seed, i), 0));
		printf("%.17g\n", ns_hll_estimate(h));
	}
	ns_hll_destroy(h);
	return 0;
}

static int resp(bool address, uint64_t seed, char **at)
{
	char key[KEY_MAX];
	uint64_t i = 0;

	for (; *at != NULL; at++) {
		uint64_t n = strtoull(*at, NULL, 10);

		while (i < n) {
			unsigned keys = n - i < COMMAND ? (unsigned)(n - i) : COMMAND;

			printf("*%u\r\n$5\r\nPFADD\r\n$1\r\nh\r\n", keys + 2);
			for (; keys > 0; keys--, i++) {
				size_t len = make_key(key, address, seed, i);

				printf("$%zu\r\n", len);
				fwrite(key, 1, len, stdout);
				fputs("\r\n", stdout);
			}
		}
		fputs("*2\r\n$7\r\nPFCOUNT\r\n$1\r\nh\r\n", stdout);
	}
	return fflush(stdout) != 0 || ferror(stdout) ? 2 : 0;
}

int main(int argc, char **argv)
{
	if (argc > 5 && strcmp(argv[1], "count") == 0)
		return count((uint8_t)atoi(argv[2]), strcmp(argv[3], "address") == 0,
			strtoull(argv[4], NULL, 10), argv + 5);
	if (argc > 4 && strcmp(argv[1], "resp") == 0)
		return resp(strcmp(argv[2], "address") == 0, strtoull(argv[3], NULL, 10), argv + 4);
	fprintf(stderr, "usage: hll-count count P SET SEED N... | hll-count resp SET SEED N...\n");
	return 2;
}
