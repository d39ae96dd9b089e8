/* SPDX-License-Identifier: BSD-3-Clause */
#include "grid.h"

#include <ns_base.h>

#include <stdarg.h>
#include <string.h>

#define GAP 2

void grid_head(struct grid *g, unsigned left, const char *const *names, unsigned n)
{
	memset(g, 0, sizeof(*g));
	g->cols = n;
	g->left = (1u << left) - 1;
	g->in = GAP;
	for (unsigned i = 0; i < n; i++)
		grid_cell(g, i, "%s", names[i]);
	g->rows = 1;
}

void grid_cell(struct grid *g, unsigned col, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(g->cell[g->rows][col], GRID_CELL, fmt, args);
	va_end(args);
}

void grid_octets(struct grid *g, unsigned col, uint64_t octets)
{
	ns_fmt_octets(g->cell[g->rows][col], GRID_CELL, (double)octets);
}

void grid_share(struct grid *g, unsigned col, uint64_t part, uint64_t all)
{
	grid_cell(g, col, "%.1f %%", all == 0 ? 0 : 100.0 * (double)part / (double)all);
}

/* What goes before the first column of a row. */
static unsigned indent(const struct grid *g, unsigned row, unsigned col)
{
	return col == 0 && (row > 0 || g->titled) ? g->in : 0;
}

static unsigned widths(const struct grid *g, unsigned width[GRID_COLS])
{
	unsigned all = 0;

	for (unsigned c = 0; c < g->cols; c++) {
		width[c] = 0;
		for (unsigned r = 0; r < g->rows; r++) {
			unsigned in = indent(g, r, c);

			width[c] = NS_MAX(width[c], (unsigned)strlen(g->cell[r][c]) + in);
		}
		all += width[c] + (c > 0 ? GAP : 0);
	}
	return all;
}

unsigned grid_width(const struct grid *g)
{
	unsigned width[GRID_COLS];

	return widths(g, width);
}

void grid_print(struct rbuf *b, const struct grid *g)
{
	unsigned width[GRID_COLS] = {0};

	widths(g, width);
	if (!g->titled)
		rbuf_str(b, "\n");
	for (unsigned r = 0; r < g->rows; r++) {
		unsigned last = g->cols;

		/* nothing ends in blanks */
		while (last > 0 && g->cell[r][last - 1][0] == '\0')
			last--;
		for (unsigned c = 0; c < last; c++) {
			unsigned in = indent(g, r, c);
			int pad = (int)(width[c] - in);

			if ((g->left >> c & 1) != 0)
				pad = c + 1 < last ? -pad : 0;
			rbuf_printf(b, "%*s%*s", (int)(c == 0 ? in : GAP), "", pad, g->cell[r][c]);
		}
		rbuf_str(b, "\n");
	}
}
