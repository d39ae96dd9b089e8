/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Strict check of a tree against a libcyaml schema. It stops at the first fault, in the order of
 * the user's text, and says where it is, what is there and what should be.
 */
#include "conf_priv.h"

#include <ctype.h>
#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

size_t conf_path_push(struct conf_path *p, const char *fmt, ...)
{
	size_t before = p->n;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(p->s + p->n, sizeof(p->s) - p->n, fmt, ap);
	va_end(ap);
	if (n > 0)
		p->n = NS_MIN(p->n + (size_t)n, sizeof(p->s) - 1);
	return before;
}

void conf_path_pop(struct conf_path *p, size_t before)
{
	p->n = before;
	p->s[before] = '\0';
}

/*
 * Edits that make b of a: insert, delete, replace, swap neighbours (optimal string alignment,
 * G. Navarro, "A guided tour to approximate string matching", 2001). Long words count as far.
 */
static unsigned distance(const char *a, const char *b)
{
	enum { MAX = 48 };
	size_t la = strlen(a), lb = strlen(b);
	unsigned d[MAX + 1][MAX + 1];

	if (la > MAX || lb > MAX)
		return MAX;
	for (size_t i = 0; i <= la; i++) {
		for (size_t j = 0; j <= lb; j++) {
			if (i == 0 || j == 0) {
				d[i][j] = (unsigned)(i + j);
				continue;
			}
			unsigned best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);

			best = NS_MIN(best, d[i - 1][j] + 1);
			best = NS_MIN(best, d[i][j - 1] + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				best = NS_MIN(best, d[i - 2][j - 2] + 1);
			d[i][j] = best;
		}
	}
	return d[la][lb];
}

static const char *name_at(const cyaml_schema_value_t *v, size_t i)
{
	if (v->type == CYAML_ENUM)
		return i < v->enumeration.count ? v->enumeration.strings[i].str : NULL;
	if (v->type == CYAML_BITFIELD)
		return i < v->bitfield.count ? v->bitfield.bitdefs[i].name : NULL;
	return v->mapping.fields[i].key;
}

void conf_suggest(const cyaml_schema_value_t *v, const char *word, char hint[80], char list[220])
{
	const size_t len = 220;
	const char *name, *best = NULL;
	unsigned best_d = 4;
	size_t at = 0;

	hint[0] = list[0] = '\0';
	for (size_t i = 0; (name = name_at(v, i)) != NULL; i++) {
		unsigned d = distance(word, name);

		if (d < best_d && d <= (strlen(name) + 2) / 3) {
			best_d = d;
			best = name;
		}
		if (at + strlen(name) + 6 < len)
			at += (size_t)sprintf(list + at, "%s%s", i > 0 ? ", " : "", name);
		else if (at < len) {
			strcpy(list + at, ", ...");
			at = len;
		}
	}
	if (best != NULL)
		snprintf(hint, 80, " (did you mean \"%.48s\"?)", best);
}

static int unknown_key(struct conf_ctx *c, const cyaml_schema_value_t *v, const struct conf_node *n,
	const struct conf_path *path)
{
	char shown[64], list[220], hint[80];

	conf_suggest(v, n->key, hint, list);
	conf_show(n->key, shown, sizeof(shown));
	if (path->n == 0)
		return conf_fail(c, EINVAL, n->key_at, NULL,
			"unknown section \"%s\"%s; there are: %s", shown, hint, list);
	return conf_fail(c, EINVAL, n->key_at, path->s, "unknown key \"%s\"%s; there are: %s",
		shown, hint, list);
}

int conf_is_not(struct conf_ctx *c, const char *expected, const struct conf_node *n,
	const struct conf_path *path)
{
	char shown[64];

	if (n->kind != CONF_SCALAR)
		return conf_fail(c, EINVAL, n->at, path->s, "expected %s, not a %s", expected,
			n->kind == CONF_LIST ? "list" : "mapping");
	if (n->text[0] == '\0')
		return conf_fail(c, EINVAL, n->at, path->s, "expected %s, not nothing", expected);
	return conf_fail(c, EINVAL, n->at, path->s, "expected %s, not \"%s\"", expected,
		conf_show(n->text, shown, sizeof(shown)));
}

static int is_not(struct conf_ctx *c, const cyaml_schema_value_t *v, const struct conf_node *n,
	const struct conf_path *path)
{
	char expected[240];

	return conf_is_not(c, conf_expected(v, expected, sizeof(expected)), n, path);
}

/* Decimal or 0x, without leading zeros: libcyaml would read those as octal. */
static bool number_text(const char *s, bool *zeros)
{
	s += *s == '+' || *s == '-';
	*zeros = s[0] == '0' && isdigit((unsigned char)s[1]);
	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X'))
		return s[2] != '\0' && s[2 + strspn(s + 2, "0123456789abcdefABCDEF")] == '\0';
	return s[0] != '\0' && s[strspn(s, "0123456789")] == '\0';
}

static int check_number(struct conf_ctx *c, const cyaml_schema_value_t *v,
	const struct conf_node *n, const struct conf_path *path)
{
	bool zeros, good = number_text(n->text, &zeros);
	char shown[64];

	if (good && zeros)
		return conf_fail(c, EINVAL, n->at, path->s,
			"\"%s\" starts with a zero, which some read as octal",
			conf_show(n->text, shown, sizeof(shown)));
	errno = 0;
	if (good && v->type == CYAML_INT) {
		long long i = strtoll(n->text, NULL, 0);

		good = errno == 0 && i >= conf_int_min(v->data_size) &&
		       i <= conf_int_max(v->data_size);
	} else if (good) {
		unsigned long long u = strtoull(n->text, NULL, 0);

		good = errno == 0 && n->text[0] != '-' && u <= conf_uint_max(v->data_size);
	}
	return good ? 0 : is_not(c, v, n, path);
}

static int check_float(struct conf_ctx *c, const cyaml_schema_value_t *v, const struct conf_node *n,
	const struct conf_path *path)
{
	double d, max = v->data_size == sizeof(float) ? (double)FLT_MAX : DBL_MAX;
	char *end;

	/* "nan", "inf" and hexadecimal are no settings that a person means */
	if (n->text[0] == '\0' || n->text[strspn(n->text, "0123456789+-.eE")] != '\0')
		return is_not(c, v, n, path);
	d = strtod(n->text, &end);
	return *end == '\0' && fabs(d) <= max ? 0 : is_not(c, v, n, path);
}

static int check_bool(struct conf_ctx *c, const cyaml_schema_value_t *v, struct conf_node *n,
	const struct conf_path *path)
{
	static const char *const words[][2] = {{"false", "true"}, {"no", "yes"}, {"off", "on"}};

	for (size_t i = 0; i < NS_ARRAY_LEN(words); i++) {
		for (size_t truth = 0; truth < 2; truth++) {
			if (strcasecmp(n->text, words[i][truth]) == 0) {
				n->text = words[0][truth];
				return 0;
			}
		}
	}
	return is_not(c, v, n, path);
}

static int check_word(struct conf_ctx *c, const cyaml_schema_value_t *v, const struct conf_node *n,
	const struct conf_path *path)
{
	for (uint32_t i = 0; i < v->enumeration.count; i++) {
		if (strcmp(n->text, v->enumeration.strings[i].str) == 0)
			return 0;
	}
	return is_not(c, v, n, path);
}

static int check_text(struct conf_ctx *c, const cyaml_schema_value_t *v, const struct conf_node *n,
	const struct conf_path *path)
{
	size_t len = strlen(n->text), max = v->string.max;

	if (!(v->flags & CYAML_FLAG_POINTER))
		max = NS_MIN(max, (size_t)v->data_size - 1);
	return len >= v->string.min && len <= max ? 0 : is_not(c, v, n, path);
}

/* Does this text stand for a NULL pointer? */
static bool means_null(const cyaml_schema_value_t *v, const struct conf_node *n)
{
	static const char *const words[] = {"null", "Null", "NULL", "~"};

	if (n->kind != CONF_SCALAR ||
		(v->flags & CYAML_FLAG_POINTER_NULL) != CYAML_FLAG_POINTER_NULL)
		return false;
	if (n->text[0] == '\0')
		return true;
	if ((v->flags & CYAML_FLAG_POINTER_NULL_STR) != CYAML_FLAG_POINTER_NULL_STR)
		return false;
	for (size_t i = 0; i < NS_ARRAY_LEN(words); i++) {
		if (strcmp(n->text, words[i]) == 0)
			return true;
	}
	return false;
}

static int check_list(struct conf_ctx *c, const cyaml_schema_value_t *v, struct conf_node *n,
	struct conf_path *path)
{
	unsigned i = 0;

	if (v->type == CYAML_FLAGS) {
		for (struct conf_node *k = n->first; k != NULL; k = k->next) {
			if (k->kind != CONF_SCALAR)
				return is_not(c, v, k, path);
			if (check_word(c, v, k, path) < 0)
				return -errno;
		}
		return 0;
	}
	if (n->n < v->sequence.min && v->sequence.min == v->sequence.max)
		return conf_fail(
			c, EINVAL, n->at, path->s, "%u entries, must be %u", n->n, v->sequence.min);
	if (n->n < v->sequence.min)
		return conf_fail(c, EINVAL, n->at, path->s, "%u entries, must be at least %u", n->n,
			v->sequence.min);
	if (n->n > v->sequence.max)
		return conf_fail(c, EINVAL, n->at, path->s, "%u entries, must be at most %u", n->n,
			v->sequence.max);
	for (struct conf_node *k = n->first; k != NULL; k = k->next) {
		size_t before = conf_path_push(path, "[%u]", i++);

		/* a list replaces the default as a whole, so nothing else can fill its entries */
		if (conf_check(c, v->sequence.entry, k, path, true) < 0)
			return -errno;
		conf_path_pop(path, before);
	}
	return 0;
}

static int check_bits(struct conf_ctx *c, const cyaml_schema_value_t *v, struct conf_node *n,
	struct conf_path *path)
{
	for (struct conf_node *k = n->first; k != NULL; k = k->next) {
		const cyaml_bitdef_t *d = NULL;
		uint64_t max;
		bool zeros;

		for (uint32_t i = 0; i < v->bitfield.count; i++) {
			if (strcmp(v->bitfield.bitdefs[i].name, k->key) == 0)
				d = &v->bitfield.bitdefs[i];
		}
		if (d == NULL)
			return unknown_key(c, v, k, path);
		max = d->bits >= 64 ? UINT64_MAX : (UINT64_C(1) << d->bits) - 1;
		errno = 0;
		if (k->kind != CONF_SCALAR || !number_text(k->text, &zeros) || zeros ||
			k->text[0] == '-' || strtoull(k->text, NULL, 0) > max || errno != 0) {
			conf_path_push(path, ".%s", k->key);
			return conf_fail(c, EINVAL, k->at, path->s,
				"expected a whole number from 0 to %llu", (unsigned long long)max);
		}
	}
	return 0;
}

static const cyaml_schema_field_t *field_of(const cyaml_schema_value_t *v, const char *key)
{
	for (const cyaml_schema_field_t *f = v->mapping.fields; f->key != NULL; f++) {
		if (strcmp(f->key, key) == 0)
			return f;
	}
	return NULL;
}

static int check_mapping(struct conf_ctx *c, const cyaml_schema_value_t *v, struct conf_node *n,
	struct conf_path *path, bool whole)
{
	for (struct conf_node *k = n->first; k != NULL; k = k->next) {
		const cyaml_schema_field_t *f = field_of(v, k->key);
		const struct conf_part *list;
		size_t before;

		if (f == NULL)
			return unknown_key(c, v, k, path);
		before = conf_path_push(path, "%s%s", path->n > 0 ? "." : "", k->key);
		list = v == c->root ? conf_find_list(c, k->key, strlen(k->key)) : NULL;
		/* entries were given their defaults, and checked as a whole, when they were read */
		if (list != NULL && !whole && conf_check_entries(c, list, k, path) < 0)
			return -errno;
		if (f->value.type == CYAML_SEQUENCE && k->kind == CONF_LIST &&
			k->n > conf_uint_max(f->count_size))
			return conf_fail(c, EINVAL, k->at, path->s,
				"%u entries, must be at most %llu", k->n,
				(unsigned long long)conf_uint_max(f->count_size));
		if (conf_check(c, &f->value, k, path, whole) < 0)
			return -errno;
		conf_path_pop(path, before);
	}
	if (!whole)
		return 0;
	for (const cyaml_schema_field_t *f = v->mapping.fields; f->key != NULL; f++) {
		if (!(f->value.flags & CYAML_FLAG_OPTIONAL) && f->value.type != CYAML_IGNORE &&
			conf_find(n, f->key, strlen(f->key)) == NULL)
			return conf_fail(c, EINVAL, n->key_at, path->s,
				"the key \"%s\" is required", f->key);
	}
	return 0;
}

int conf_check(struct conf_ctx *c, const cyaml_schema_value_t *v, struct conf_node *n,
	struct conf_path *path, bool whole)
{
	static const enum conf_kind kinds[CYAML__TYPE_COUNT] = {[CYAML_MAPPING] = CONF_MAPPING,
		[CYAML_BITFIELD] = CONF_MAPPING,
		[CYAML_FLAGS] = CONF_LIST,
		[CYAML_SEQUENCE] = CONF_LIST,
		[CYAML_SEQUENCE_FIXED] = CONF_LIST};

	if (v->type == CYAML_IGNORE || means_null(v, n))
		return 0;
	if (v->type == CYAML_MAPPING && !whole && conf_is_blank(n))
		return 0; /* "flow:" and nothing below it */
	if (n->kind != kinds[v->type])
		return is_not(c, v, n, path);
	switch (v->type) {
	case CYAML_INT:
	case CYAML_UINT:
		return check_number(c, v, n, path);
	case CYAML_FLOAT:
		return check_float(c, v, n, path);
	case CYAML_BOOL:
		return check_bool(c, v, n, path);
	case CYAML_ENUM:
		return check_word(c, v, n, path);
	case CYAML_STRING:
		return check_text(c, v, n, path);
	case CYAML_MAPPING:
		return check_mapping(c, v, n, path, whole);
	case CYAML_BITFIELD:
		return check_bits(c, v, n, path);
	default:
		return check_list(c, v, n, path);
	}
}
