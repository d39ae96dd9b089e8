/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A module's struct as a tree, by its schema: the defaults at start, and the effective values for
 * a dump. libcyaml's own writer is of no use here: it cuts a float to six digits and stops at a
 * NULL string.
 */
#include "conf_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct conf_at nowhere = {CONF_FROM_DEFAULT, 0, 0};

int64_t conf_int_max(uint32_t size)
{
	return (int64_t)(conf_uint_max(size) >> 1);
}

int64_t conf_int_min(uint32_t size)
{
	return -conf_int_max(size) - 1;
}

uint64_t conf_uint_max(uint32_t size)
{
	return size >= 8 ? UINT64_MAX : (UINT64_C(1) << (8 * size)) - 1;
}

cyaml_schema_value_t conf_mapping_of(
	const cyaml_schema_field_t *fields, size_t size, enum cyaml_flag flags)
{
	return (cyaml_schema_value_t){.type = CYAML_MAPPING,
		.flags = flags,
		.data_size = (uint32_t)size,
		.mapping = {.fields = fields}};
}

static uint64_t read_uint(const void *p, uint32_t size)
{
	uint64_t v = 0;

	/* little-endian, as every machine that DPDK's x86 and arm64 builds run on */
	memcpy(&v, p, NS_MIN(size, 8u));
	return v;
}

static int64_t read_int(const void *p, uint32_t size)
{
	uint64_t v = read_uint(p, size);
	uint64_t sign = UINT64_C(1) << (8 * NS_MIN(size, 8u) - 1);

	return (int64_t)((v ^ sign) - sign);
}

static struct conf_node *scalar(struct conf_arena *a, const char *text, bool text_like)
{
	struct conf_node *n = conf_node(a, CONF_SCALAR, nowhere);

	if (n == NULL)
		return NULL;
	n->text_like = text_like;
	n->text = conf_strndup(a, text, strlen(text));
	return n->text == NULL ? NULL : n;
}

/* The fewest digits that read back as the same number. */
static void put_float(char *buf, size_t len, const void *p, uint32_t size)
{
	float f = 0;
	double d;

	if (size == sizeof(float)) {
		memcpy(&f, p, sizeof(f));
		d = (double)f;
	} else {
		memcpy(&d, p, sizeof(d));
	}
	for (int digits = 6; digits <= 17; digits++) {
		snprintf(buf, len, "%.*g", digits, d);
		if (size == sizeof(float) ? strtof(buf, NULL) == f : strtod(buf, NULL) == d)
			return;
	}
}

static struct conf_node *from_enum(
	struct conf_arena *a, const cyaml_schema_value_t *v, const void *p)
{
	uint64_t mask = conf_uint_max(v->data_size), got = read_uint(p, v->data_size);
	char buf[32];

	for (uint32_t i = 0; i < v->enumeration.count; i++) {
		if ((((uint64_t)v->enumeration.strings[i].val ^ got) & mask) == 0)
			return scalar(a, v->enumeration.strings[i].str, true);
	}
	snprintf(buf, sizeof(buf), "%" PRId64, read_int(p, v->data_size));
	return scalar(a, buf, false);
}

static struct conf_node *from_flags(
	struct conf_arena *a, const cyaml_schema_value_t *v, const void *p)
{
	struct conf_node *list = conf_node(a, CONF_LIST, nowhere), *k;
	uint64_t got = read_uint(p, v->data_size);

	if (list == NULL)
		return NULL;
	for (uint32_t i = 0; i < v->enumeration.count; i++) {
		uint64_t bits = (uint64_t)v->enumeration.strings[i].val;

		if ((got & bits) == 0)
			continue;
		k = scalar(a, v->enumeration.strings[i].str, true);
		if (k == NULL)
			return NULL;
		conf_append(list, k);
		got &= ~bits;
	}
	return list;
}

static struct conf_node *from_bits(
	struct conf_arena *a, const cyaml_schema_value_t *v, const void *p)
{
	struct conf_node *map = conf_node(a, CONF_MAPPING, nowhere), *k;
	uint64_t got = read_uint(p, v->data_size);
	char buf[32];

	if (map == NULL)
		return NULL;
	for (uint32_t i = 0; i < v->bitfield.count; i++) {
		const cyaml_bitdef_t *d = &v->bitfield.bitdefs[i];
		uint64_t mask = d->bits >= 64 ? UINT64_MAX : (UINT64_C(1) << d->bits) - 1;

		snprintf(buf, sizeof(buf), "%" PRIu64, got >> d->offset & mask);
		k = scalar(a, buf, false);
		if (k == NULL)
			return NULL;
		k->key = d->name;
		conf_append(map, k);
	}
	return map;
}

static int from_list(struct conf_arena *a, const cyaml_schema_value_t *v, const char *data,
	uint64_t count, struct conf_node **out)
{
	const cyaml_schema_value_t *entry = v->sequence.entry;
	uint64_t inner = entry->type == CYAML_SEQUENCE_FIXED ? entry->sequence.max : 0;
	size_t stride = entry->data_size;
	struct conf_node *k;

	if (entry->flags & CYAML_FLAG_POINTER)
		stride = sizeof(void *);
	else if (entry->type == CYAML_SEQUENCE_FIXED)
		stride *= inner;
	*out = conf_node(a, CONF_LIST, nowhere);
	if (*out == NULL)
		return -ENOMEM;
	for (uint64_t i = 0; i < count; i++) {
		if (conf_from_struct(a, entry, data + i * stride, inner, &k) < 0)
			return -ENOMEM;
		if (k == NULL)
			k = scalar(a, "", false);
		if (k == NULL)
			return -ENOMEM;
		conf_append(*out, k);
	}
	return 0;
}

static int from_mapping(struct conf_arena *a, const cyaml_schema_value_t *v, const char *data,
	struct conf_node **out)
{
	struct conf_node *k;

	*out = conf_node(a, CONF_MAPPING, nowhere);
	if (*out == NULL)
		return -ENOMEM;
	for (const cyaml_schema_field_t *f = v->mapping.fields; f->key != NULL; f++) {
		uint64_t count = f->value.type == CYAML_SEQUENCE
					 ? read_uint(data + f->count_offset, f->count_size)
					 : f->value.sequence.max;

		if (f->value.type == CYAML_IGNORE)
			continue;
		if (conf_from_struct(a, &f->value, data + f->data_offset, count, &k) < 0)
			return -ENOMEM;
		if (k == NULL)
			continue;
		k->key = f->key;
		conf_append(*out, k);
	}
	return 0;
}

/* What a NULL pointer stands for; *out stays NULL when the key is simply absent. */
static int from_null(struct conf_arena *a, const cyaml_schema_value_t *v, struct conf_node **out)
{
	bool null_str = (v->flags & CYAML_FLAG_POINTER_NULL_STR) == CYAML_FLAG_POINTER_NULL_STR;
	bool null = (v->flags & CYAML_FLAG_POINTER_NULL) == CYAML_FLAG_POINTER_NULL;

	if (v->type == CYAML_SEQUENCE && v->sequence.min == 0)
		*out = conf_node(a, CONF_LIST, nowhere);
	else if (null)
		*out = scalar(a, null_str ? "null" : "", false);
	else
		return 0;
	return *out == NULL ? -ENOMEM : 0;
}

int conf_from_struct(struct conf_arena *a, const cyaml_schema_value_t *v, const void *data,
	uint64_t count, struct conf_node **out)
{
	char buf[64];

	*out = NULL;
	if (v->flags & CYAML_FLAG_POINTER) {
		const void *p;

		memcpy(&p, data, sizeof(p));
		if (p == NULL)
			return from_null(a, v, out);
		data = p;
	}
	switch (v->type) {
	case CYAML_INT:
		snprintf(buf, sizeof(buf), "%" PRId64, read_int(data, v->data_size));
		*out = scalar(a, buf, false);
		break;
	case CYAML_UINT:
		snprintf(buf, sizeof(buf), "%" PRIu64, read_uint(data, v->data_size));
		*out = scalar(a, buf, false);
		break;
	case CYAML_BOOL:
		*out = scalar(a, read_uint(data, v->data_size) != 0 ? "true" : "false", false);
		break;
	case CYAML_FLOAT:
		put_float(buf, sizeof(buf), data, v->data_size);
		*out = scalar(a, buf, false);
		break;
	case CYAML_STRING:
		*out = scalar(a, data, true);
		break;
	case CYAML_ENUM:
		*out = from_enum(a, v, data);
		break;
	case CYAML_FLAGS:
		*out = from_flags(a, v, data);
		break;
	case CYAML_BITFIELD:
		*out = from_bits(a, v, data);
		break;
	case CYAML_SEQUENCE:
	case CYAML_SEQUENCE_FIXED:
		return from_list(a, v, data, count, out);
	case CYAML_MAPPING:
		return from_mapping(a, v, data, out);
	default:
		return 0;
	}
	return *out == NULL ? -ENOMEM : 0;
}

static void expected_text(const cyaml_schema_value_t *v, char *buf, size_t len)
{
	uint32_t max = v->string.max;

	if (!(v->flags & CYAML_FLAG_POINTER))
		max = NS_MIN(max, v->data_size - 1);
	if (max == CYAML_UNLIMITED && v->string.min == 0)
		snprintf(buf, len, "text");
	else if (max == CYAML_UNLIMITED)
		snprintf(buf, len, "text of at least %u octets", v->string.min);
	else if (v->string.min == 0)
		snprintf(buf, len, "text of at most %u octets", max);
	else
		snprintf(buf, len, "text of %u to %u octets", v->string.min, max);
}

static void expected_words(const cyaml_schema_value_t *v, const char *head, char *buf, size_t len)
{
	size_t at = (size_t)snprintf(buf, len, "%s ", head);

	for (uint32_t i = 0; i < v->enumeration.count && at < len; i++)
		at += (size_t)snprintf(buf + at, len - at, "%s%s", i > 0 ? ", " : "",
			v->enumeration.strings[i].str);
}

char *conf_expected(const cyaml_schema_value_t *v, char *buf, size_t len)
{
	char inner[160];

	switch (v->type) {
	case CYAML_INT:
		snprintf(buf, len, "a whole number from %" PRId64 " to %" PRId64,
			conf_int_min(v->data_size), conf_int_max(v->data_size));
		break;
	case CYAML_UINT:
		snprintf(
			buf, len, "a whole number from 0 to %" PRIu64, conf_uint_max(v->data_size));
		break;
	case CYAML_BOOL:
		snprintf(buf, len, "true or false");
		break;
	case CYAML_FLOAT:
		snprintf(buf, len, "a number");
		break;
	case CYAML_STRING:
		expected_text(v, buf, len);
		break;
	case CYAML_ENUM:
		expected_words(v, "one of", buf, len);
		break;
	case CYAML_FLAGS:
		expected_words(v, "a list of any of", buf, len);
		break;
	case CYAML_SEQUENCE:
	case CYAML_SEQUENCE_FIXED:
		snprintf(buf, len, "a list, each %s",
			conf_expected(v->sequence.entry, inner, sizeof(inner)));
		break;
	default:
		snprintf(buf, len, "a mapping (key: value)");
		break;
	}
	return buf;
}
