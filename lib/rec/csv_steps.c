/* SPDX-License-Identifier: BSD-3-Clause */
/* Steps of the lines of a kind: see csv_priv.h. */
#include "csv_priv.h"

#include <stdlib.h>
#include <string.h>

static enum step_type step_type(const struct ns_rec_field *f)
{
	switch (f->type) {
	case NS_REC_U8:
		return STEP_U8;
	case NS_REC_U16:
		return STEP_U16;
	case NS_REC_U32:
		return STEP_U32;
	case NS_REC_U64:
		return STEP_U64;
	case NS_REC_TIME:
		return STEP_TIME;
	case NS_REC_TCP_FLAGS:
		return STEP_TCP_FLAGS;
	case NS_REC_IP:
		return STEP_IP;
	case NS_REC_VLANS:
		return STEP_VLANS;
	case NS_REC_STR:
		return f->size > 0 ? STEP_STR : STEP_OTHER;
	default:
		return STEP_OTHER;
	}
}

/* Octets of a field that make it a zero, all together; 0: it has a text of its own. */
static unsigned octets_of_zero(const struct step *s)
{
	static const uint8_t n[] = {[STEP_U8] = 1,
		[STEP_U16] = 2,
		[STEP_U32] = 4,
		[STEP_U64] = 8,
		[STEP_TCP_FLAGS] = 1,
		[STEP_IP] = 1, /* the version */
		[STEP_VLANS] = 2, /* their number */
		[STEP_STR] = 1,
		[STEP_END] = 0};

	return n[s->type];
}

/* The run of @p columns from @p s on; false: they are not near each other, or no run. */
static bool run(struct zeros *z, const struct step *s, unsigned columns, size_t record)
{
	uint8_t *mask = (uint8_t *)z->mask;
	char *p = z->text;

	memset(z, 0, sizeof(*z));
	if (record < SPAN)
		return false;
	z->from = (uint16_t)NS_MIN((size_t)s->offset, record - SPAN);
	z->columns = (uint8_t)columns;
	for (unsigned i = 0; i < columns; i++, s++) {
		unsigned n = octets_of_zero(s);

		if (n == 0 || s->offset < z->from || s->offset + n > z->from + (size_t)SPAN ||
			p - z->text + 2 > CSV_WIDE)
			return false;
		memset(mask + s->offset - z->from, 0xff, n);
		*p = '0';
		p += s->zero;
		*p++ = ',';
	}
	z->len = (uint8_t)(p - z->text);
	return true;
}

/* Fills @p z with all runs of two columns and more, or only counts them. */
static size_t runs(struct ns_rec_csv *c, struct zeros *z)
{
	unsigned fields = c->kind->fields_n;
	struct zeros one;
	size_t n = 0;

	for (unsigned i = 0; i < fields; i++) {
		struct step *s = &c->steps[i];

		for (unsigned columns = 2; i + columns <= fields; columns++) {
			if (!run(&one, s, columns, c->kind->size))
				break;
			if (z != NULL) {
				z[n] = one;
				s->shortest = columns == 2 ? &z[n] : s->shortest;
				s->longest = &z[n];
			}
			n++;
		}
	}
	return n;
}

struct ns_rec_csv *ns_rec_csv_create(const struct ns_rec_kind *k)
{
	struct ns_rec_csv *c = calloc(1, sizeof(*c) + (k->fields_n + 1) * sizeof(c->steps[0]));

	if (c == NULL)
		return ns_errno_null(ENOMEM);
	c->kind = k;
	for (unsigned i = 0; i < k->fields_n; i++) {
		const struct ns_rec_field *f = &k->fields[i];
		struct step *s = &c->steps[i];

		*s = (struct step){.type = (uint8_t)step_type(f),
			.offset = f->offset,
			.size = f->size,
			.field = f};
		s->zero = (f->flags & NS_REC_EMPTY_ZERO) == 0 && s->type <= STEP_TIME;
	}
	c->steps[k->fields_n].type = STEP_END;
	for (unsigned i = 0; i < SECONDS; i++)
		c->seconds[i].value = UINT64_MAX;
	size_t n = runs(c, NULL);

	c->zeros = calloc(n + 1, sizeof(*c->zeros));
	if (c->zeros == NULL) {
		free(c);
		return ns_errno_null(ENOMEM);
	}
	runs(c, c->zeros);
	return c;
}

void ns_rec_csv_destroy(struct ns_rec_csv *c)
{
	if (c == NULL)
		return;
	free(c->zeros);
	free(c);
}
