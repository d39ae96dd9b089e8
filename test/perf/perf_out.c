/* SPDX-License-Identifier: BSD-3-Clause */
/* Lines of the answer, kept while rounds go on and printed at the end; and single numbers. */
#include "perf_bench.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool about(const struct perf_line *x, const struct perf_line *y)
{
	return strcmp(x->traffic, y->traffic) == 0 && x->flows == y->flows && x->rate == y->rate &&
	       x->draw == y->draw;
}

const struct perf_line *perf_like(
	const struct perf_answers *a, const struct perf_line *like, const char *name)
{
	for (unsigned i = 0; i < a->n; i++) {
		if (about(&a->line[i], like) && strcmp(a->line[i].name, name) == 0)
			return &a->line[i];
	}
	return NULL;
}

struct perf_line *perf_add(struct perf_answers *a, const char *traffic, const struct perf_bed *b,
	enum perf_draw draw, bool stage, const char *name, double ns)
{
	struct perf_line new = {.stage = stage, .traffic = traffic, .draw = draw};
	struct perf_line *l;

	new.flows = b->flows;
	new.rate = b->rate;
	l = (struct perf_line *)(uintptr_t)perf_like(a, &new, name);
	if (l == NULL) {
		if (a->n == a->room) {
			a->room = a->room * 2 + 64;
			a->line = realloc(a->line, a->room * sizeof(*a->line));
			if (a->line == NULL)
				abort();
		}
		snprintf(new.name, sizeof(new.name), "%s", name);
		l = &a->line[a->n++];
		*l = new;
	}
	if (l->n < PERF_ROUNDS_MAX)
		l->v[l->n++] = ns;
	return l;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double rank(const struct perf_line *l, unsigned at)
{
	double v[PERF_ROUNDS_MAX];

	if (l == NULL || l->n == 0)
		return 0;
	memcpy(v, l->v, l->n * sizeof(v[0]));
	qsort(v, l->n, sizeof(v[0]), by_value);
	return v[at];
}

double perf_median(const struct perf_line *l)
{
	return l == NULL ? 0 : rank(l, l->n / 2);
}

double perf_least(const struct perf_line *l)
{
	return rank(l, 0);
}

double perf_ratio(const struct perf_line *l, const struct perf_line *floor)
{
	struct perf_line r = {.n = NS_MIN(l->n, floor->n)};

	for (unsigned i = 0; i < r.n; i++)
		r.v[i] = l->v[i] / floor->v[i];
	return perf_median(&r);
}

static void head(const struct perf_line *l, FILE *f)
{
	char flows[16], rate[16];

	fprintf(f, "\n%s, %s flows, %s", l->traffic, ns_fmt_count(flows, sizeof(flows), l->flows),
		perf_draw_names[l->draw]);
	if (l->rate > 0)
		fprintf(f, ", %s new a second", ns_fmt_count(rate, sizeof(rate), (double)l->rate));
	fprintf(f, "\n  %-34s %9s %8s %8s %12s %14s\n", "", "ns/packet", "least", "Mpps", "x floor",
		"x floor loop");
}

void perf_print(const struct perf_answers *a, unsigned from, FILE *f)
{
	for (unsigned i = from; i < a->n; i++) {
		const struct perf_line *l = &a->line[i];
		const struct perf_line *sum = perf_like(a, l, "floor");
		const struct perf_line *loop = perf_like(a, l, "floor in one loop");
		double ns = perf_median(l);

		if (i == from || !about(l, l - 1))
			head(l, f);
		fprintf(f, "  %s%-*s %9.1f %8.1f", l->stage ? "  " : "", l->stage ? 32 : 34,
			l->name, ns, perf_least(l));
		if (!l->stage) {
			fprintf(f, " %8.2f", ns > 0 ? 1e3 / ns : 0);
			if (sum != NULL && loop != NULL)
				fprintf(f, " %12.2f %14.2f", perf_ratio(l, sum),
					perf_ratio(l, loop));
		}
		fputc('\n', f);
	}
}

static const char *const kinds[] = {"", "at most", "at least"};

bool perf_met(const struct perf_value *v)
{
	return v->kind == PERF_NO_BAR ||
	       (v->kind == PERF_AT_MOST ? v->value <= v->bar : v->value >= v->bar);
}

void perf_bar(struct perf_answers *a, const char *name, const char *unit, double value, int kind,
	double bar)
{
	if (a->values_n == a->values_room) {
		a->values_room = a->values_room * 2 + 64;
		a->value = realloc(a->value, a->values_room * sizeof(*a->value));
		if (a->value == NULL)
			abort();
	}
	struct perf_value *v = &a->value[a->values_n++];

	*v = (struct perf_value){.unit = unit, .value = value, .bar = bar, .kind = kind};
	snprintf(v->name, sizeof(v->name), "%s", name);
	printf("  %-66s %10.*f %s", v->name, fabs(value) < 1000 ? 2 : 0, value, unit);
	if (kind != PERF_NO_BAR)
		printf("   %s %g%s", kinds[kind], bar, perf_met(v) ? "" : "  MISSED");
	putchar('\n');
	fflush(stdout);
}

void perf_value(struct perf_answers *a, const char *name, const char *unit, double value)
{
	perf_bar(a, name, unit, value, PERF_NO_BAR, 0);
}
