/* SPDX-License-Identifier: BSD-3-Clause */
/* All readings as JSON. */
#include "perf_bench.h"

#include <inttypes.h>
#include <string.h>

static void json_text(const char *s, FILE *f)
{
	fputc('"', f);
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			fputc('\\', f);
		if ((unsigned char)*s >= ' ')
			fputc(*s, f);
	}
	fputc('"', f);
}

static void json_line(const struct perf_answers *a, const struct perf_line *l, FILE *f)
{
	const struct perf_line *sum = perf_like(a, l, "floor");
	const struct perf_line *loop = perf_like(a, l, "floor in one loop");

	fputs("  {\"name\": ", f);
	json_text(l->name, f);
	fputs(", \"traffic\": ", f);
	json_text(l->traffic, f);
	fprintf(f,
		", \"stage\": %s, \"flows\": %" PRIu32 ", \"new\": %" PRIu64
		", \"draw\": \"%s\", \"ns\": %.3f, \"least\": %.3f",
		l->stage ? "true" : "false", l->flows, l->rate, perf_draw_names[l->draw],
		perf_median(l), perf_least(l));
	if (sum != NULL && loop != NULL)
		fprintf(f, ", \"x_floor\": %.4f, \"x_floor_loop\": %.4f", perf_ratio(l, sum),
			perf_ratio(l, loop));
	fputs(", \"rounds\": [", f);
	for (unsigned i = 0; i < l->n; i++)
		fprintf(f, "%s%.3f", i > 0 ? ", " : "", l->v[i]);
	fputs("]}", f);
}

static void json_value(const struct perf_value *v, FILE *f)
{
	fputs("  {\"name\": ", f);
	json_text(v->name, f);
	fprintf(f, ", \"unit\": \"%s\", \"value\": %.4f", v->unit, v->value);
	if (v->kind != PERF_NO_BAR)
		fprintf(f, ", \"%s\": %.4f, \"met\": %s",
			v->kind == PERF_AT_MOST ? "at_most" : "at_least", v->bar,
			perf_met(v) ? "true" : "false");
	fputc('}', f);
}

int perf_json(const struct perf_bench *b, struct ns_err *e)
{
	const struct perf_answers *a = &b->a;
	const char *file = b->o.json;
	FILE *f = strcmp(file, "-") == 0 ? stdout : fopen(file, "we");

	if (f == NULL)
		return ns_fail(e, errno, "%s: %s", file, strerror(errno));
	fprintf(f,
		"{\n \"program\": \"ns-perf\", \"version\": \"%s\", \"rounds\": %u, \"packets\": %" PRIu64
		", \"ring\": %" PRIu32 ", \"pps\": %.0f,\n \"interrupted\": %" PRIu64
		", \"measured\": %" PRIu64 ",\n \"lines\": [\n",
		NS_VERSION, b->o.rounds, b->o.packets, b->o.ring, b->o.pps, b->l.interrupted,
		b->l.rounds);
	for (unsigned i = 0; i < a->n; i++) {
		json_line(a, &a->line[i], f);
		fputs(i + 1 < a->n ? ",\n" : "\n", f);
	}
	fputs(" ],\n \"values\": [\n", f);
	for (unsigned i = 0; i < a->values_n; i++) {
		json_value(&a->value[i], f);
		fputs(i + 1 < a->values_n ? ",\n" : "\n", f);
	}
	fputs(" ]\n}\n", f);
	if (f == stdout ? fflush(f) != 0 : fclose(f) != 0)
		return ns_fail(e, errno, "%s: %s", file, strerror(errno));
	return 0;
}
