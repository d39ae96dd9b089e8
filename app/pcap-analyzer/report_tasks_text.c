/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The results of tasks for people: a table for each, whatever its fields are. A table that is too
 * wide for the page gives up what is missed least, one thing after the other:
 *
 *   units beside the names  ─▶  units below them  ─▶  what is the same in all rows in a line below
 *   ─▶  the last numbers in a second line, below those before them  ─▶  long keys too
 *   ─▶  the last columns are left out and named
 */
#include "grid.h"

#include <string.h>

#define WIDTH 100
#define INDENT 4
#define STACK_MOST 4 /* lines of a row */

struct column {
	const struct ns_rec_field *f;
	bool same; /* all rows have one value, and it is no key */
};

/* The rows to show and how. */
struct view {
	const struct report_task *t;
	uint32_t first, n;
	struct column cols[GRID_COLS];
	unsigned cols_n;
	bool units_below, same_below, stacked;
	unsigned folded; /* numbers that stand below others */
	unsigned dropped; /* of the last columns */
	char not_shown[WIDTH -
		       48]; /* names of fields for which there is no room, if there is for them */
	unsigned not_shown_more; /* those whose names are not there */
};

static const uint8_t *view_row(const struct view *v, uint32_t i)
{
	return report_task_row(v->t, v->first + i);
}

/* Whether any row has a value in the field, and whether all have the same. */
static bool look(const struct view *v, const struct ns_rec_field *f, bool *same)
{
	char first[GRID_CELL] = "", text[GRID_CELL] = "";
	bool any = false;

	*same = v->n > 1 && (f->flags & NS_REC_KEY) == 0;
	for (uint32_t i = 0; i < v->n; i++) {
		ns_cell_value(i == 0 ? first : text, f, view_row(v, i));
		any |= !ns_rec_is_empty(f, view_row(v, i));
		*same &= i == 0 || strcmp(first, text) == 0;
	}
	return any;
}

static void not_shown(struct view *v, const struct ns_rec_field *f)
{
	size_t n = strlen(v->not_shown);

	if (n + 2 + strlen(f->name) < sizeof(v->not_shown))
		snprintf(v->not_shown + n, sizeof(v->not_shown) - n, "%s%s", n > 0 ? ", " : "",
			f->name);
	else
		v->not_shown_more++;
}

static void choose_columns(struct view *v)
{
	const struct ns_rec_kind *k = v->t->kind;

	for (unsigned i = 0; i < k->fields_n; i++) {
		const struct ns_rec_field *f = &k->fields[i];
		bool same;

		if (report_is_interval(f) || !look(v, f, &same))
			continue;
		if (v->cols_n < GRID_COLS)
			v->cols[v->cols_n++] = (struct column){f, same};
		else
			not_shown(v, f);
	}
}

static bool is_long(const struct ns_rec_field *f)
{
	return f->type == NS_REC_IP || f->type == NS_REC_PREFIX || f->type == NS_REC_STR;
}

/* Where column i stands: the grid's column and, of several above each other, the line. */
struct place {
	int col; /* -1: not in the table */
	unsigned line;
};

static bool in_table(const struct view *v, unsigned i)
{
	return i < v->cols_n - v->dropped && !(v->same_below && v->cols[i].same);
}

/* The columns, but the last @c folded ones in the table; returns how many the grid has. */
static unsigned place_base(const struct view *v, struct place places[GRID_COLS], unsigned *lines)
{
	unsigned used = 0, left = 0;
	int stack = -1;

	for (unsigned i = 0; i < v->cols_n; i++)
		left += in_table(v, i);
	*lines = 1;
	for (unsigned i = 0; i < v->cols_n; i++) {
		bool is_wide = is_long(v->cols[i].f);

		places[i] = (struct place){-1, 0};
		if (!in_table(v, i) || left-- <= v->folded)
			continue;
		if (v->stacked && is_wide && stack >= 0 && *lines < STACK_MOST) {
			places[i] = (struct place){stack, (*lines)++};
			continue;
		}
		if (is_wide && stack < 0)
			stack = (int)used;
		places[i].col = (int)used++;
	}
	return used;
}

/*
 * Puts the folded columns, in order, below the last numbers before them, but not below a rank that
 * goes before the keys. False: there are too few, or it is no number that is to be folded.
 */
static bool place_folded(const struct view *v, struct place places[GRID_COLS], unsigned *lines)
{
	unsigned below[GRID_COLS] = {0}, n = 0;

	for (unsigned i = 0; i < v->cols_n; i++) {
		if (is_long(v->cols[i].f) && places[i].line == 0)
			n = 0;
		else if (places[i].col >= 0 && places[i].line == 0)
			below[n++] = (unsigned)places[i].col;
	}
	if (n < v->folded)
		return false;
	n -= v->folded;
	for (unsigned i = 0; i < v->cols_n; i++) {
		if (!in_table(v, i) || places[i].col >= 0)
			continue;
		if (is_long(v->cols[i].f))
			return false;
		places[i] = (struct place){(int)below[n++], 1};
		*lines = NS_MAX(*lines, 2u);
	}
	return true;
}

/* Names, line by line as in the rows; below each line the units, if they stand below. */
static void fill_head(struct grid *g, const struct view *v, const struct place *places)
{
	for (unsigned line = 0; line < STACK_MOST; line++) {
		unsigned names = g->rows;
		bool any = false, units = false;

		for (unsigned i = 0; i < v->cols_n; i++) {
			const struct ns_rec_field *f = v->cols[i].f;
			const char *unit = ns_cell_unit(f);

			if (places[i].col < 0 || places[i].line != line)
				continue;
			char(*cell)[GRID_CELL] = &g->cell[names][places[i].col];

			any = true;
			if (unit != NULL && !v->units_below)
				snprintf(*cell, GRID_CELL, "%s (%s)", f->name, unit);
			else
				snprintf(*cell, GRID_CELL, "%s", f->name);
			if (unit != NULL && v->units_below) {
				units = true;
				snprintf(
					g->cell[names + 1][places[i].col], GRID_CELL, "(%s)", unit);
			}
			if (!ns_cell_is_number(f))
				g->left |= 1u << places[i].col;
		}
		g->rows += any + units;
	}
}

/* False: it can't be folded that often. */
static bool fill(struct grid *g, const struct view *v)
{
	struct place places[GRID_COLS];
	unsigned lines, cols = place_base(v, places, &lines);

	if (!place_folded(v, places, &lines))
		return false;
	memset(g, 0, sizeof(*g));
	g->titled = true;
	g->in = INDENT;
	g->cols = cols;
	fill_head(g, v, places);
	for (uint32_t row = 0; row < v->n; row++) {
		for (unsigned i = 0; i < v->cols_n; i++) {
			if (places[i].col >= 0)
				ns_cell_value(g->cell[g->rows + places[i].line][places[i].col],
					v->cols[i].f, view_row(v, row));
		}
		g->rows += lines;
	}
	return true;
}

/* With as few columns folded as fit, or none; whether it fits. */
static bool fits(struct grid *g, struct view *v)
{
	for (v->folded = 0; fill(g, v); v->folded++) {
		if (grid_width(g) <= WIDTH)
			return true;
	}
	v->folded = 0;
	fill(g, v);
	return false;
}

static void fit(struct grid *g, struct view *v)
{
	bool *const steps[] = {&v->units_below, &v->same_below};

	fill(g, v);
	for (unsigned i = 0; i < NS_ARRAY_LEN(steps) && grid_width(g) > WIDTH; i++) {
		*steps[i] = true;
		fill(g, v);
	}
	while (!fits(g, v)) {
		if (!v->stacked)
			v->stacked = true;
		else if (v->dropped + 1 < v->cols_n)
			v->dropped++;
		else
			return;
	}
}

static void put_same(struct rbuf *b, const struct view *v)
{
	bool any = false;

	for (unsigned i = 0; v->same_below && i < v->cols_n - v->dropped; i++) {
		char text[GRID_CELL];
		const struct ns_rec_field *f = v->cols[i].f;
		const char *unit = ns_cell_unit(f);

		if (!v->cols[i].same)
			continue;
		ns_cell_value(text, f, view_row(v, 0));
		rbuf_printf(b, "%s%s %s%s%s", any ? ", " : "    each: ", f->name, text,
			unit != NULL ? " " : "", unit != NULL ? unit : "");
		any = true;
	}
	if (any)
		rbuf_str(b, "\n");
}

/* "2023-11-14 22:13:20", with a fraction where there is one. */
static char *put_time(char text[40], uint64_t ns)
{
	ns_fmt_time(text, 40, ns);
	if (ns % NS_SEC_NS == 0)
		text[19] = '\0';
	return text;
}

static void put_interval(struct rbuf *b, const struct report_task *t)
{
	const struct ns_rec_field *start = report_field(t->kind, "start_ns");
	const struct ns_rec_field *end = report_field(t->kind, "end_ns");
	const uint8_t *row = report_task_row(t, report_task_last(t));
	char from[40], to[40];
	uint64_t a, z;

	if (t->intervals < 2)
		return;
	rbuf_printf(b, "    the last of %llu intervals", (unsigned long long)t->intervals);
	if (start != NULL && end != NULL && ns_rec_get_u64(start, row, &a) &&
		ns_rec_get_u64(end, row, &z))
		rbuf_printf(b, ", %s to %s UTC", put_time(from, a), put_time(to, z));
	rbuf_str(b, "\n");
}

static void put_rows(struct rbuf *b, const struct report_task *t, uint32_t max)
{
	struct view v = {.t = t, .first = report_task_last(t)};
	uint32_t rows = t->n - v.first;
	struct grid g;

	v.n = NS_MIN(rows, (uint32_t)REPORT_ROWS);
	choose_columns(&v);
	if (v.cols_n > 0) {
		fit(&g, &v);
		grid_print(b, &g);
		put_same(b, &v);
	}
	for (unsigned i = v.cols_n - v.dropped; i < v.cols_n; i++)
		not_shown(&v, v.cols[i].f);
	if (v.not_shown[0] != '\0')
		rbuf_printf(b, "    not shown, for want of room: %s", v.not_shown);
	if (v.not_shown_more > 0)
		rbuf_printf(b, " and %u more", v.not_shown_more);
	if (v.not_shown[0] != '\0')
		rbuf_str(b, "\n");
	if (rows > v.n)
		rbuf_printf(b, "    ... and %u more\n", rows - v.n);
	if (t->left_out > 0)
		rbuf_printf(b,
			"    %llu further rows are not in this report, which keeps %u of a task\n",
			(unsigned long long)t->left_out, max);
}

struct tasks {
	struct rbuf *b;
	const struct report *r;
	bool any;
};

static void put_task(void *ctx, const struct ns_rec_kind *kind, const struct report_task *t)
{
	struct tasks *all = ctx;
	const char *help = kind->help != NULL ? kind->help : "";

	rbuf_str(all->b, all->any ? "\n  " : "\nTasks\n  ");
	all->any = true;
	rbuf_plain(all->b, kind->name, strlen(kind->name));
	if (help[0] != '\0')
		rbuf_str(all->b, ": ");
	rbuf_plain(all->b, help, strlen(help));
	rbuf_str(all->b, "\n");
	if (t == NULL || t->n == 0) {
		rbuf_str(all->b, "    nothing\n");
		return;
	}
	put_interval(all->b, t);
	put_rows(all->b, t, all->r->task_rows);
}

void report_text_tasks(struct rbuf *b, const struct report *r, const struct report_input *in)
{
	struct tasks all = {.b = b, .r = r};

	report_tasks_each(r, in, put_task, &all);
}
