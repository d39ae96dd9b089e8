/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "report_priv.h"

#include <ns_cell.h>

/*
 * A table of text: the first row is the head, its first cell names the table, unless that has a
 * title of its own above it. Columns are as wide as their widest cell.
 */
#define GRID_COLS 16
#define GRID_ROWS (4 * REPORT_ROWS + 8)
#define GRID_CELL NS_CELL
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

/* Columns that it would take on paper. */
unsigned grid_width(const struct grid *g);
void grid_print(struct rbuf *b, const struct grid *g);
