/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A field of a record as the text of a table's cell, for people: shortened, with its unit. JSON and
 * CSV have the exact values. Pure; any thread.
 */

#include <ns_rec.h>

#define NS_CELL 80 /**< octets that any cell's text takes at most, its end counted */

/**
 * The value of a field: "-" where there is none. Quantities (numbers with a unit, fractions) are
 * shortened: "1.44 kB", "100.00 ms", "12.35 M", up to six digits before the point as they are, else
 * four that count. Keys and numbers without a unit (ids, ranks) are whole. Text is plain ASCII and
 * cut when it is long.
 */
void ns_cell_value(char text[NS_CELL], const struct ns_rec_field *f, const void *rec);

/** The unit that the head must give, as neither the value nor the field's name has it; or NULL. */
const char *ns_cell_unit(const struct ns_rec_field *f);

/** A number is flush right. */
bool ns_cell_is_number(const struct ns_rec_field *f);

/** As ns_fmt_seconds(), and "0 s" for what takes no time. */
char *ns_cell_duration(char *buf, size_t len, double seconds);
