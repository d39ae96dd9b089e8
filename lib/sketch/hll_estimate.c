/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How many things a sketch has seen, by maximum likelihood (Ertl 2017, arXiv 1702.01284; 2023,
 * arXiv 2308.16862).
 *
 * Let x things fall to each register on average, as a Poisson process. Rank k < K = 65 - p has the
 * probability 2^-k; the last one, K, takes what is left: 2^-(K-1). So ranks come independently, k
 * is there with probability 1 - exp(-x 2^-k), and a register tells for each rank that it was there,
 * that it was not, or nothing:
 *
 *   u, and u-1, u-2 by their bits   there: b_k counts them over all registers
 *   above u; u-1, u-2 by their bits not there: their probabilities add up to a, over all registers
 *   below u-2                       unknown, and no part of what follows
 *
 *   log-likelihood   -x a + sum_k b_k log(1 - exp(-x 2^-k))
 *   its root         0 = g(x) = sum_k b_k h(x 2^-k) - x a,   h(y) = y / (e^y - 1)
 *
 * h falls and is convex, so g is too, and Newton's method from 0 climbs to the only root without
 * ever passing it.
 */
#include "hll_priv.h"

#include <math.h>

#define ERROR 0.7608621 /* times 1 / sqrt(2^p): from the Fisher information, Ertl 2023 */
#define BIAS 0.48147377 /* times 1 / 2^p: first-order bias of the root, Ertl 2023 */

/* g and its slope. Where y is small the fraction is 0/0: h = 1 - y/2 + y^2/12 - ... */
static double equation(const double *b, double a, unsigned ranks, double x, double *slope)
{
	double g = -x * a, d = -a;

	for (unsigned k = 1; k <= ranks; k++) {
		double w = ldexp(1, -(int)k), y = x * w, h, h1;

		if (b[k] == 0 || y > 700)
			continue;
		if (y < 1e-3) {
			h = 1 - y / 2 + y * y / 12;
			h1 = -0.5 + y / 6;
		} else {
			double e = expm1(y);

			h = y / e;
			h1 = (1 - h * (e + 1)) / e;
		}
		g += b[k] * h;
		d += b[k] * h1 * w;
	}
	*slope = d;
	return g;
}

static double most_likely(const double *b, double a, unsigned ranks)
{
	double x = 0;

	for (unsigned i = 0; i < 100; i++) {
		double slope, g = equation(b, a, ranks, x, &slope), step = -g / slope;

		x += step;
		if (!(step > x * 1e-11))
			break;
	}
	return x;
}

static double estimate_dense(const struct ns_hll *h)
{
	uint32_t have[256] = {0};
	double b[66] = {0}, a = 0, m = ldexp(1, h->p);
	unsigned last = ns_hll_rank_max(h->p);

	for (size_t i = 0; i < (size_t)1 << h->p; i++)
		have[h->area[i]]++;
	a = have[0];
	for (unsigned r = 8; r < 256; r++) {
		unsigned u = (r >> 2) - 1;
		double n = have[r];

		if (n == 0)
			continue;
		b[u] += n;
		if (u < last)
			a += n * ldexp(1, -(int)u);
		for (unsigned back = 1; back <= 2 && back < u; back++) {
			if (r >> (2 - back) & 1)
				b[u - back] += n;
			else
				a += n * ldexp(1, -(int)(u - back));
		}
	}
	/* The last rank is as likely as the one before it. */
	b[last - 1] += b[last];
	if (a == 0)
		return 0x1p64; /* all registers are full: as many as there are hashes */
	return fmin(m * most_likely(b, a, last - 1) / (1 + BIAS / m), 0x1p64);
}

double ns_hll_estimate(const struct ns_hll *h)
{
	return h->dense ? estimate_dense(h) : h->count;
}

double ns_hll_error(const struct ns_hll *h)
{
	return h->dense ? ERROR / sqrt(ldexp(1, h->p)) : 0;
}

/*
 * The logarithm of the estimate is spread as a normal distribution more nearly than the estimate
 * itself, which matters where registers are few. A dense sketch has seen more than a sparse one
 * may hold, whatever it estimates.
 */
double ns_hll_interval(const struct ns_hll *h, double confidence, double *low, double *high)
{
	double n = ns_hll_estimate(h), wide = ns_sketch_z(confidence) * ns_hll_error(h);

	*low = *high = n;
	if (h->dense) {
		double least = ns_hll_keep(h->p) + 1.0;

		n = fmax(n, least);
		*low = fmax(n * exp(-wide), least);
		*high = n * exp(wide);
	}
	return n;
}

uint8_t ns_hll_p(double error)
{
	uint8_t p = NS_HLL_P_MIN;

	while (p < NS_HLL_P_MAX && !(ERROR / sqrt(ldexp(1, p)) <= error))
		p++;
	return p;
}
