/* SPDX-License-Identifier: BSD-3-Clause */
#include "table.h"

#include <ns_cell.h>

#include <stdio.h>
#include <string.h>

#define COLS 64
#define GAP 2
#define CELL 168 /* octets of a cell's text, its end counted */

_Static_assert(CELL >= NS_CELL, "a value fits a cell");

#define CUT 24 /* octets that a text keeps at least while a table is too wide */

struct column {
	const struct ns_rec_field *f;
	unsigned widest; /* cell, uncut */
	unsigned width; /* of the column, once all is chosen */
	bool same; /* all rows have one value */
	bool shown;
};

struct table {
	const struct ns_rec_kind *kind;
	const uint8_t *records;
	size_t n;
	unsigned columns;
	struct column cols[COLS];
	unsigned cols_n;
	bool units; /* in the head */
	bool same_above;
	unsigned cut; /* octets of texts */
};

static const uint8_t *row(const struct table *t, size_t i)
{
	return t->records + i * t->kind->size;
}

static bool is_text(const struct ns_rec_field *f)
{
	return f->type == NS_REC_STR || f->type == NS_REC_BYTES;
}

/* Text comes from the wire too: no control characters, and columns are counted in octets. */
static void put_text(
	const struct table *t, const struct ns_rec_field *f, const void *rec, char text[CELL])
{
	struct ns_rec_field part = *f;
	unsigned unit = f->type == NS_REC_BYTES ? 2 : 1; /* octets of text that one makes */

	part.size = (uint16_t)NS_MIN(f->size, (CELL - 1) / unit);
	char *end = ns_rec_put_text(text, &part, rec);

	*end = '\0';
	for (char *p = text; p < end; p++)
		*p = *p < 0x20 || *p > 0x7e ? '?' : *p;
	if ((size_t)(end - text) > t->cut)
		strcpy(text + t->cut - 2, "..");
}

static void cell(const struct table *t, const struct column *c, size_t i, char text[CELL])
{
	if (is_text(c->f) && !ns_rec_is_empty(c->f, row(t, i)))
		put_text(t, c->f, row(t, i), text);
	else
		ns_cell_value(text, c->f, row(t, i));
}

static void head(const struct table *t, const struct column *c, char text[CELL])
{
	const char *unit = t->units ? ns_cell_unit(c->f) : NULL;

	if (unit != NULL)
		snprintf(text, CELL, "%s (%s)", c->f->name, unit);
	else
		snprintf(text, CELL, "%s", c->f->name);
}

/* Whether any row has a value, how wide they are, whether they are all the same. */
static bool look(const struct table *t, struct column *c)
{
	char first[CELL] = "", text[CELL];
	bool any = false;

	c->same = t->n > 1;
	for (size_t i = 0; i < t->n; i++) {
		cell(t, c, i, text);
		if (i == 0)
			strcpy(first, text);
		c->same = c->same && strcmp(first, text) == 0;
		c->widest = NS_MAX(c->widest, (unsigned)strlen(text));
		any |= !ns_rec_is_empty(c->f, row(t, i));
	}
	return any;
}

static void choose(struct table *t)
{
	for (unsigned i = 0; i < t->kind->fields_n && t->cols_n < COLS; i++) {
		struct column *c = &t->cols[t->cols_n];

		*c = (struct column){.f = &t->kind->fields[i], .shown = true};
		t->cols_n += look(t, c);
	}
}

static bool in_table(const struct table *t, const struct column *c)
{
	return c->shown && !(t->same_above && c->same);
}

static unsigned width_of(const struct table *t, const struct column *c)
{
	char name[CELL];

	head(t, c, name);
	return NS_MAX(
		(unsigned)strlen(name), is_text(c->f) ? NS_MIN(c->widest, t->cut) : c->widest);
}

static bool fits(const struct table *t)
{
	unsigned all = 0;

	for (unsigned i = 0; i < t->cols_n; i++) {
		if (in_table(t, &t->cols[i]))
			all += width_of(t, &t->cols[i]) + (all > 0 ? GAP : 0);
	}
	return t->columns == 0 || all <= t->columns;
}

/* False: the keys alone are too wide, or too little else would be left. */
static bool fit(struct table *t)
{
	unsigned shown = 0, left_out = 0;

	if (fits(t))
		return true;
	t->units = false;
	if (fits(t))
		return true;
	if (t->n == 1)
		return false;
	t->same_above = true;
	while (t->cut > CUT && !fits(t))
		t->cut--;
	for (unsigned i = t->cols_n; i-- > 0 && !fits(t);) {
		struct column *c = &t->cols[i];

		if (in_table(t, c) && (c->f->flags & NS_REC_KEY) == 0)
			c->shown = false;
	}
	for (unsigned i = 0; i < t->cols_n; i++) {
		shown += in_table(t, &t->cols[i]);
		left_out += !t->cols[i].shown;
	}
	return fits(t) && shown > left_out / 2;
}

static void put_cell(struct buf *b, const struct column *c, const char *text, bool first, bool last)
{
	int pad = (int)c->width;

	/* nothing ends in blanks */
	if (!ns_cell_is_number(c->f))
		pad = last ? 0 : -pad;
	buf_printf(b, "%*s%*s", first ? 0 : GAP, "", pad, text);
}

static const struct column *last_of(const struct table *t)
{
	const struct column *last = NULL;

	for (unsigned i = 0; i < t->cols_n; i++) {
		if (in_table(t, &t->cols[i]))
			last = &t->cols[i];
	}
	return last;
}

/* Row @p i, or the head. */
static void put_row(struct buf *b, const struct table *t, bool is_head, size_t i)
{
	const struct column *last = last_of(t);
	char text[CELL];
	bool first = true;

	for (unsigned c = 0; c < t->cols_n; c++) {
		if (!in_table(t, &t->cols[c]))
			continue;
		if (is_head)
			head(t, &t->cols[c], text);
		else
			cell(t, &t->cols[c], i, text);
		put_cell(b, &t->cols[c], text, first, &t->cols[c] == last);
		first = false;
	}
	buf_str(b, "\n");
}

/* A list of words in lines of the terminal's width. */
struct line {
	struct buf *b;
	unsigned columns, at;
};

static void put_word(struct line *l, const char *word)
{
	unsigned n = (unsigned)strlen(word);

	if (l->at > 2 && l->columns > 0 && l->at + 1 + n > l->columns) {
		buf_str(l->b, "\n  ");
		l->at = 2;
	} else if (l->at > 2) {
		buf_str(l->b, " ");
		l->at++;
	}
	buf_str(l->b, word);
	l->at += n;
}

static void put_same(struct buf *b, const struct table *t)
{
	struct line l = {b, t->columns, 0};
	char text[CELL], name[CELL], word[2 * CELL + 4];

	for (unsigned i = 0; i < t->cols_n; i++) {
		if (!t->same_above || !t->cols[i].same)
			continue;
		if (l.at == 0)
			put_word(&l, "all:");
		cell(t, &t->cols[i], 0, text);
		head(t, &t->cols[i], name);
		snprintf(word, sizeof(word), "%s %s,", name, text);
		put_word(&l, word);
	}
	if (l.at == 0)
		return;
	b->n -= b->n > 0 && !b->cut; /* the last comma */
	buf_str(b, "\n");
}

static void put_left_out(struct buf *b, const struct table *t)
{
	struct line l = {b, t->columns, 0};

	for (unsigned i = 0; i < t->cols_n; i++) {
		if (t->cols[i].shown)
			continue;
		if (l.at == 0)
			put_word(&l, "not shown (--json does):");
		put_word(&l, t->cols[i].f->name);
	}
	if (l.at > 0)
		buf_str(b, "\n");
}

/* Each record by itself: a line a field. */
static void put_vertical(struct buf *b, struct table *t)
{
	unsigned names = 0;
	char text[CELL];

	t->cut = CELL - 1;
	for (unsigned i = 0; i < t->cols_n; i++)
		names = NS_MAX(names, (unsigned)strlen(t->cols[i].f->name));
	for (size_t r = 0; r < t->n; r++) {
		if (r > 0)
			buf_str(b, "\n");
		for (unsigned i = 0; i < t->cols_n; i++) {
			const struct column *c = &t->cols[i];
			const char *unit = ns_cell_unit(c->f);

			if (ns_rec_is_empty(c->f, row(t, r)))
				continue;
			cell(t, c, r, text);
			buf_printf(b, "%-*s  %s%s%s\n", (int)names, c->f->name, text,
				unit != NULL ? " " : "", unit != NULL ? unit : "");
		}
	}
}

void table_put(struct buf *b, const struct ns_rec_kind *k, const uint8_t *records, size_t n,
	unsigned columns)
{
	struct table t = {.kind = k,
		.records = records,
		.n = n,
		.columns = columns,
		.units = true,
		.cut = CELL - 1};

	if (n == 0)
		return;
	choose(&t);
	if (!fit(&t)) {
		put_vertical(b, &t);
		return;
	}
	for (unsigned i = 0; i < t.cols_n; i++)
		t.cols[i].width = width_of(&t, &t.cols[i]);
	put_same(b, &t);
	put_row(b, &t, true, 0);
	for (size_t i = 0; i < n; i++)
		put_row(b, &t, false, i);
	put_left_out(b, &t);
}
