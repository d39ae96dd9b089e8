/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "report_priv.h"

/*
 * A table of text: the first row is the head, its first cell names the table, unless that has a
 * title of its own above it. Columns are as wide as their widest cell.
 */
#define GRID_COLS 16
#define GRID_ROWS (4 * REPORT_ROWS + 8)
#define GRID_CELL 80
struct grid {
	unsigned cols, rows;
	unsigned left; /* bit i: column i is flush left; the others right */
	unsigned in; /* how far the rows stand in */
	bool titled; /* so does the head, and no empty line goes before it */
	char cell[GRID_ROWS][GRID_COLS][GRID_CELL];
};

/* The first @c left columns are flush left. */
void grid_head(struct grid *g, unsigned left, const char *const *names, unsigned n);

/* Fills cells of the row that grid.rows points at; the caller counts the row when it is full. */
void grid_cell(struct grid *g, unsigned col, const char *fmt, ...) NS_PRINTF(3, 4);
void grid_octets(struct grid *g, unsigned col, uint64_t octets);
void grid_share(struct grid *g, unsigned col, uint64_t part, uint64_t all);

/*
 * The value of a field: "-" where there is none. Quantities (numbers with a unit, fractions) are
 * shortened: "1.44 kB", "100.00 ms", "12.35 M", up to six digits before the point as they are, else
 * four that count. Keys and numbers without a unit (ids, ranks) are whole. Text is plain ASCII and
 * cut when it is long.
 */
void grid_value(char text[GRID_CELL], const struct ns_rec_field *f, const void *rec);
/* The unit that the head must give, as neither the value nor the field's name has it; or NULL. */
const char *grid_unit(const struct ns_rec_field *f);
/* A number is flush right. */
bool grid_is_number(const struct ns_rec_field *f);

/* Columns that it would take on paper. */
unsigned grid_width(const struct grid *g);
void grid_print(struct rbuf *b, const struct grid *g);
