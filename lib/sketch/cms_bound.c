/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Count-Min: by how much an estimate can be too high. Both bounds hold for each thing alone, for a
 * hash that nobody could choose things against, with any weights of the others, for plain and
 * conservative update, and after merging.
 *
 * What they rest on: c are the counters, c' what they would be without thing x of weight w. Adding
 * x raises a counter by no more than w, and whoever is added after that raises it to no more than
 * it would have been, plus w; so the estimate of x is at most w plus what x reads in c'. The place
 * of x is independent of c'.
 *
 * Rows (Cormode, Muthukrishnan 2005). The others bring a counter total / width on average, by
 * Markov's inequality more than e times that with a probability of at most 1/e, in d rows alike
 * with at most exp(-d).
 *
 * Lines. The counters of a thing share a line, so d of them are no d independent tries, and a few
 * heavy things decide. No bound that knows only the total is of use, but the counters themselves
 * tell: as all of c' is below c, x reads more than t in c' no more often than a new thing does in
 * c, which falls to a line and a set evenly. Let F be the share of all lines and sets that read
 * more than t. Lines are negatively associated (each thing falls to one) and their shares rise with
 * what falls to them, so Chernoff's lower tail holds: where the mean of F is more than MEAN,
 *
 *   P(F <= MEAN - s) <= exp(-n s^2 / (2 MEAN))      n lines looked at
 *
 * which is MISS for s = sqrt(2 MEAN ln(1 / MISS) / n). So the smallest t at which F is at most
 * MEAN - s is exceeded with a probability of at most MEAN + MISS. With too few lines for that there
 * is only Markov's inequality: the least of d counters is at most their mean, to which the others
 * bring total * d / (8 lines) on average.
 */
#include "cms_priv.h"

#include <math.h>

#define MEAN 0.009
#define MISS 0.001
#define MARKOV 0.05 /* with too few lines */
#define LINES_MAX 16384u /* looked at: more make the bound only a little tighter */

/* Readings in classes: up to 64 each by itself, then 32 for each power of two. */
#define FINE 32u
#define CLASSES (FINE * 60)

static unsigned class_of(uint64_t v)
{
	unsigned up;

	if (v < 2 * FINE)
		return (unsigned)v;
	up = 58u - (unsigned)__builtin_clzll(v);
	return up * FINE + (unsigned)(v >> up);
}

/* The largest number of a class. */
static uint64_t class_top(unsigned c)
{
	unsigned up = c < 2 * FINE ? 0 : c / FINE - 1;

	return ((uint64_t)(c - up * FINE) << up) + ((UINT64_C(1) << up) - 1);
}

/* Sets of d counters whose least is each counter of a line: those above it fill the others. */
static void line_count(const uint64_t *line, const uint32_t *ways, uint64_t *have)
{
	for (unsigned a = 0; a < NS_CMS_LINE; a++) {
		unsigned above = 0;

		for (unsigned b = 0; b < NS_CMS_LINE; b++)
			above += line[b] > line[a] || (b < a && line[b] == line[a]);
		have[class_of(line[a])] += ways[above];
	}
}

static uint64_t bound_lines(const struct ns_cms *s, double least_share)
{
	uint64_t have[CLASSES] = {0}, n = s->width < LINES_MAX ? s->width : LINES_MAX, left;
	uint32_t ways[NS_CMS_LINE] = {0};
	unsigned d = s->rows, c = 0;

	/* "above over d - 1" by Pascal's rule. */
	for (unsigned above = 0; above < NS_CMS_LINE; above++) {
		double w = 1;

		for (unsigned i = 1; i < d; i++)
			w = w * (above + 1.0 - i) / i;
		ways[above] = above + 1 >= d ? (uint32_t)lrint(w) : 0;
	}
	for (uint64_t i = 0; i < n; i++)
		line_count(&s->count[ns_cms_range(i * (UINT64_MAX / n), s->width) * NS_CMS_LINE],
			ways, have);
	left = n * ns_cms_sets[d] - have[0];
	while ((double)left > least_share * (double)n * ns_cms_sets[d])
		left -= have[++c];
	return class_top(c);
}

/* Upwards, and no more than everything. */
static uint64_t limited(double bound, uint64_t total)
{
	return bound < (double)total ? (uint64_t)ceil(bound) : total;
}

uint64_t ns_cms_bound(const struct ns_cms *s, double *confidence)
{
	double total = (double)s->total, share;
	uint64_t n = s->width < LINES_MAX ? s->width : LINES_MAX, bound;

	if (s->layout == NS_CMS_ROWS) {
		*confidence = -expm1(-(double)s->rows);
		return limited(M_E / (double)s->width * total, s->total);
	}
	share = MEAN - sqrt(2 * MEAN * log(1 / MISS) / (double)n);
	if (share <= 0) {
		*confidence = 1 - MARKOV;
		return limited(
			total * s->rows / (NS_CMS_LINE * (double)s->width) / MARKOV, s->total);
	}
	*confidence = 1 - MEAN - MISS;
	bound = bound_lines(s, share);
	return bound < s->total ? bound : s->total;
}
