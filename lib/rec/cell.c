/* SPDX-License-Identifier: BSD-3-Clause */
/* A field of any record as the text of a cell. JSON and CSV have the exact values. */
#include <ns_cell.h>
#include <ns_text.h>

#include <stdio.h>
#include <string.h>

#define TEXT_MOST 46 /* of a string; an IPv6 prefix has 43 */

bool ns_cell_is_number(const struct ns_rec_field *f)
{
	return f->type <= NS_REC_F64;
}

static bool unit_is(const struct ns_rec_field *f, const char *unit)
{
	return f->unit != NULL && strcmp(f->unit, unit) == 0;
}

/* Quantities are shortened for the eye: what has a unit or a fraction. Ids, ranks and keys are not.
 */
static bool is_quantity(const struct ns_rec_field *f)
{
	bool unit = f->unit != NULL && f->unit[0] != '\0';

	return ns_cell_is_number(f) && (f->flags & NS_REC_KEY) == 0 &&
	       (unit || f->type == NS_REC_F64);
}

/* "1.44 kB" and "100.00 ms" bring their unit along. */
static bool has_unit(const struct ns_rec_field *f)
{
	return is_quantity(f) && (unit_is(f, "octets") || unit_is(f, "ns") || unit_is(f, "s"));
}

/* "packets" is told by "rev_packets", "bit/s" by "bits_per_s". */
static bool is_told(const char *name, const char *unit)
{
	const char *slash = strchr(unit, '/'), *per = strstr(name, "_per_");
	char what[32];

	if (slash == NULL || per == NULL || (size_t)(slash - unit) >= sizeof(what))
		return strstr(name, unit) != NULL;
	memcpy(what, unit, (size_t)(slash - unit));
	what[slash - unit] = '\0';
	return strstr(name, what) != NULL && strcmp(per + strlen("_per_"), slash + 1) == 0;
}

/* The unit that the head must give, or NULL. */
const char *ns_cell_unit(const struct ns_rec_field *f)
{
	if (!ns_cell_is_number(f) || f->unit == NULL || f->unit[0] == '\0' || has_unit(f) ||
		is_told(f->name, f->unit))
		return NULL;
	return f->unit;
}

/* Up to six digits as they are; longer ones, and fractions, with four that count. */
static void put_plain_number(char *text, size_t len, double v, bool whole)
{
	if (v >= 999999.5)
		ns_fmt_count(text, len, NS_MAX(v, 1e6));
	else if (whole || v >= 1000)
		snprintf(text, len, "%.0f", v);
	else
		snprintf(text, len, "%.4g", v);
}

char *ns_cell_duration(char *buf, size_t len, double seconds)
{
	if (seconds > 0)
		return ns_fmt_seconds(buf, len, seconds);
	snprintf(buf, len, "0 s");
	return buf;
}

static void put_quantity(char *text, size_t len, const struct ns_rec_field *f, const void *rec)
{
	uint64_t u = 0;
	double v;

	if (f->type == NS_REC_F64) {
		memcpy(&v, (const uint8_t *)rec + f->offset, sizeof(v));
	} else {
		ns_rec_get_u64(f, rec, &u);
		v = f->type == NS_REC_I64 ? (double)(int64_t)u : (double)u;
	}
	v += 0.0; /* there is no -0 */
	if (v < 0) {
		*text++ = '-';
		len--;
		v = -v;
	}
	if (v >= 1e21) /* no prefix reaches so far */
		snprintf(text, len, "%.4g", v);
	else if (unit_is(f, "octets"))
		ns_fmt_octets(text, len, v);
	else if (unit_is(f, "ns") || unit_is(f, "s"))
		ns_cell_duration(text, len, unit_is(f, "ns") ? v / 1e9 : v);
	else
		put_plain_number(text, len, v, f->type != NS_REC_F64);
}

/* Text comes from the wire: no control characters, and columns are counted in octets. */
static void put_text(char text[NS_CELL], const struct ns_rec_field *f, const void *rec)
{
	struct ns_rec_field cut = *f;
	bool sized = f->type == NS_REC_STR || f->type == NS_REC_BYTES;

	if (f->type == NS_REC_STR)
		cut.size = NS_MIN(f->size, TEXT_MOST + 1);
	else if (f->type == NS_REC_BYTES)
		cut.size = NS_MIN(f->size, TEXT_MOST / 2 + 1);
	char *end = ns_rec_put_text(text, &cut, rec);

	if (sized && end - text > TEXT_MOST)
		end = ns_put_str(text + TEXT_MOST - 2, "..");
	*end = '\0';
	for (char *p = text; p < end; p++)
		*p = *p < 0x20 || *p > 0x7e ? '?' : *p;
}

_Static_assert(NS_CELL > NS_REC_TEXT_MAX && NS_CELL > TEXT_MOST + 2, "a value fits a cell");

void ns_cell_value(char text[NS_CELL], const struct ns_rec_field *f, const void *rec)
{
	uint64_t ns;

	if (ns_rec_is_empty(f, rec))
		strcpy(text, "-");
	else if (is_quantity(f))
		put_quantity(text, NS_CELL, f, rec);
	else if (f->type == NS_REC_TIME && ns_rec_get_u64(f, rec, &ns))
		ns_fmt_time(text, NS_CELL, ns);
	else
		put_text(text, f, rec);
	/* as of TCP flags, of which none is set */
	if (text[0] == '\0')
		strcpy(text, "-");
}
