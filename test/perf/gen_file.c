/* SPDX-License-Identifier: BSD-3-Clause */

#include "gen.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PCAP_MAGIC_US 0xa1b2c3d4u
#define FIRST_SECOND 1700000000ull
#define SNAPLEN 65535u
#define FILE_BUFFER (1u << 20)

uint64_t gen_mix(uint64_t x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdull;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53ull;
	return x ^ x >> 33;
}

void gen_seed(struct gen_rng *rng, uint64_t seed)
{
	rng->state = gen_mix(seed + 1);
	if (rng->state == 0)
		rng->state = 1;
}

uint64_t gen_next(struct gen_rng *rng)
{
	uint64_t x = rng->state;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	rng->state = x;
	return x * 0x2545f4914f6cdd1dull;
}

uint32_t gen_below(struct gen_rng *rng, uint32_t n)
{
	return (uint32_t)((gen_next(rng) >> 32) * n >> 32);
}

int gen_zipf_init(struct gen_zipf *z, uint32_t n, double alpha)
{
	double sum = 0;

	z->n = n;
	z->sum = malloc(n * sizeof(*z->sum));
	if (z->sum == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		sum += pow(i + 1.0, -alpha);
		z->sum[i] = sum;
	}
	return 0;
}

uint32_t gen_zipf_draw(const struct gen_zipf *z, struct gen_rng *rng)
{
	double want = (double)(gen_next(rng) >> 11) / (double)(1ull << 53) * z->sum[z->n - 1];
	uint32_t low = 0, high = z->n - 1;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (z->sum[middle] > want)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

void gen_zipf_free(struct gen_zipf *z)
{
	free(z->sum);
	z->sum = NULL;
}

static int complain(const char *name, int err)
{
	fprintf(stderr, "gen-capture: %s: %s\n", name, strerror(err));
	return -err;
}

int gen_open(struct gen_out *out, const char *name, uint32_t linktype)
{
	const uint32_t head[6] = {PCAP_MAGIC_US, 2 | 4 << 16, 0, 0, SNAPLEN, linktype};

	out->name = name;
	out->time_us = FIRST_SECOND * 1000000;
	out->step_us = 1;
	out->file = fopen(name, "wb");
	if (out->file == NULL)
		return complain(name, errno);
	setvbuf(out->file, NULL, _IOFBF, FILE_BUFFER);
	fwrite(head, sizeof(head), 1, out->file);
	return 0;
}

void gen_write(struct gen_out *out, const void *data, size_t len)
{
	const uint32_t head[4] = {(uint32_t)(out->time_us / 1000000),
		(uint32_t)(out->time_us % 1000000), (uint32_t)len, (uint32_t)len};

	fwrite(head, sizeof(head), 1, out->file);
	fwrite(data, len, 1, out->file);
	out->time_us += out->step_us;
}

int gen_close(struct gen_out *out)
{
	int failed = ferror(out->file);

	if (fclose(out->file) != 0 || failed)
		return complain(out->name, errno ? errno : EIO);
	return 0;
}
