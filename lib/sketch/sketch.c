/* SPDX-License-Identifier: BSD-3-Clause */
/* What the sketches share: heads of serialised forms, memory, the normal distribution. */
#include "ns_sketch.h"

#include <math.h>
#include <stdlib.h>

static const uint8_t magic[4] = {'N', 'S', 'S', 'K'};

uint8_t *ns_sketch_head_put(uint8_t *out, const struct ns_sketch_head *h)
{
	memcpy(out, magic, sizeof(magic));
	out[4] = h->type;
	out[5] = h->version;
	out[6] = out[7] = 0;
	out = ns_le_put64(out + 8, h->seed);
	return ns_le_put64(out, h->body);
}

int ns_sketch_head_get(struct ns_sketch_head *h, const uint8_t *in, size_t len, uint8_t type,
	uint8_t version, struct ns_err *e)
{
	if (len < NS_SKETCH_HEAD)
		return ns_fail(
			e, EBADMSG, "sketch: %zu octets, a head has %d", len, NS_SKETCH_HEAD);
	if (memcmp(in, magic, sizeof(magic)) != 0)
		return ns_fail(e, EBADMSG, "sketch: octet 0: no \"NSSK\"");
	h->type = in[4];
	h->version = in[5];
	h->seed = ns_le_get64(in + 8);
	h->body = ns_le_get64(in + 16);
	if (h->type != type)
		return ns_fail(e, EBADMSG, "sketch: octet 4: type %u, expected %u", h->type, type);
	if (h->version == 0 || h->version > version)
		return ns_fail(e, EBADMSG, "sketch: octet 5: version %u, known are 1 to %u",
			h->version, version);
	if (in[6] != 0 || in[7] != 0)
		return ns_fail(e, EBADMSG, "sketch: octet 6: not zero");
	if (h->body != len - NS_SKETCH_HEAD)
		return ns_fail(e, EBADMSG, "sketch: octet 16: a body of %llu octets, there are %zu",
			(unsigned long long)h->body, len - NS_SKETCH_HEAD);
	return 0;
}

void *ns_sketch_alloc(size_t size)
{
	size_t whole = (size + NS_CACHE_LINE - 1) & ~(size_t)(NS_CACHE_LINE - 1);

	return whole < size ? ns_errno_null(ENOMEM) : aligned_alloc(NS_CACHE_LINE, whole);
}

uint64_t ns_hash64(const void *key, size_t len, uint64_t seed)
{
	const uint8_t *p = key;
	uint64_t last = 0, h = seed;
	size_t whole = len / 8;

	if (len % 8 == 0)
		return ns_hash_words(key, (unsigned)whole, seed);
	memcpy(&last, p + whole * 8, len % 8);
	if (whole > 0)
		h = ns_hash_words(key, (unsigned)whole, seed);
	return ns_hash_fold(h ^ last ^ NS_HASH_P2, NS_HASH_P0 ^ (uint64_t)len);
}

/* Acklam's rational approximation of the inverse normal distribution, |error| < 1.2e-9. */
double ns_sketch_z(double confidence)
{
	static const double a[] = {-3.969683028665376e+01, 2.209460984245205e+02,
		-2.759285104469687e+02, 1.383577518672690e+02, -3.066479806614716e+01,
		2.506628277459239e+00};
	static const double b[] = {-5.447609879822406e+01, 1.615858368580409e+02,
		-1.556989798598866e+02, 6.680131188771972e+01, -1.328068155288572e+01};
	static const double c[] = {-7.784894002430293e-03, -3.223964580411365e-01,
		-2.400758277161838e+00, -2.549732539343734e+00, 4.374664141464968e+00,
		2.938163982698783e+00};
	static const double d[] = {7.784695709041462e-03, 3.224671290700398e-01,
		2.445134137142996e+00, 3.754408661907416e+00};
	double p = 1 - (1 - confidence) / 2, q, r;

	if (!(confidence > 0))
		return 0;
	if (confidence >= 1)
		return HUGE_VAL;
	if (p <= 1 - 0.02425) {
		q = p - 0.5;
		r = q * q;
		return (((((a[0] * r + a[1]) * r + a[2]) * r + a[3]) * r + a[4]) * r + a[5]) * q /
		       (((((b[0] * r + b[1]) * r + b[2]) * r + b[3]) * r + b[4]) * r + 1);
	}
	q = sqrt(-2 * log(1 - p));
	return -(((((c[0] * q + c[1]) * q + c[2]) * q + c[3]) * q + c[4]) * q + c[5]) /
	       ((((d[0] * q + d[1]) * q + d[2]) * q + d[3]) * q + 1);
}
