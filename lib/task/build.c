/* SPDX-License-Identifier: BSD-3-Clause */
/* What a plug-in asks for at create(): keys, values, columns of its rows. */
#include "task_priv.h"

#include <ns_registry.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for the exact answer: as many things as can come, as far as memory is reasonable. */
#define VERIFY_MIN 1024u
#define VERIFY_LIVE (1u << 20)
#define VERIFY_MAX (1u << 24)

static int no_memory(const struct ns_task_build *b, struct ns_err *e)
{
	return ns_fail(e, ENOMEM, "task \"%s\": no memory", b->conf->name);
}

int ns_task_key(struct ns_task_build *b, char *const *fields, unsigned n, struct ns_err *e)
{
	unsigned bad;

	if (b->keys_n == TASK_KEYS_MAX)
		return ns_fail(e, ENOSPC, "more than %u keys", (unsigned)TASK_KEYS_MAX);
	struct task_key *k = malloc(sizeof(*k));

	if (k == NULL)
		return no_memory(b, e);
	if (task_key_parse(k, b->conf->of, fields, n, &bad, e) < 0) {
		free(k);
		return -errno;
	}
	b->keys[b->keys_n] = k;
	return (int)b->keys_n++;
}

uint16_t ns_task_key_len(const struct ns_task_build *b, unsigned key)
{
	return key < b->keys_n ? b->keys[key]->len : 0;
}

int ns_task_value(struct ns_task_build *b, const char *field, struct ns_err *e)
{
	if (b->values_n == TASK_VALUES_MAX)
		return ns_fail(e, ENOSPC, "more than %u values", (unsigned)TASK_VALUES_MAX);
	if (task_value_parse(&b->values[b->values_n], b->conf->of, field, e) < 0)
		return -errno;
	return (int)b->values_n++;
}

bool ns_task_value_empty(const struct ns_task_build *b, unsigned value)
{
	return value < b->values_n && (b->values[value].field.rec_flags & NS_REC_EMPTY_ZERO) != 0;
}

void ns_task_idempotent(struct ns_task_build *b)
{
	b->idempotent = true;
}

void ns_task_any_packet(struct ns_task_build *b)
{
	b->any = true;
}

uint64_t ns_task_seed(const struct ns_task_build *b)
{
	return b->seed;
}

bool ns_task_verify(const struct ns_task_build *b)
{
	return b->verify;
}

uint32_t ns_task_verify_slots(const struct ns_task_build *b)
{
	return b->verify_slots;
}

void ns_task_help(struct ns_task_build *b, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	free(b->help);
	b->help = strdup(text);
	b->kind.help = b->help; /* NULL: no memory, as task_build() says */
}

const char *ns_task_fields(char buf[NS_TASK_FIELDS_MAX], char *const *fields, unsigned n)
{
	size_t at = 0;

	buf[0] = '\0';
	for (unsigned i = 0; i < n && at < NS_TASK_FIELDS_MAX; i++)
		at += (size_t)snprintf(
			buf + at, NS_TASK_FIELDS_MAX - at, "%s%s", i == 0 ? "" : ", ", fields[i]);
	return buf;
}

/* Octets of a value in a row, and where it may stand. */
static uint16_t size_of(const struct ns_rec_field *f, size_t *align)
{
	*align = 1;
	switch (f->type) {
	case NS_REC_U8:
	case NS_REC_PROTO:
	case NS_REC_TCP_FLAGS:
		return 1;
	case NS_REC_U16:
		*align = 2;
		return 2;
	case NS_REC_U32:
		*align = 4;
		return 4;
	case NS_REC_U64:
	case NS_REC_I64:
	case NS_REC_F64:
	case NS_REC_TIME:
		*align = 8;
		return 8;
	case NS_REC_VLANS:
		*align = 2;
		return sizeof(struct ns_vlans);
	case NS_REC_IP:
		return sizeof(struct ns_ip);
	case NS_REC_PREFIX:
		return sizeof(struct ns_prefix);
	case NS_REC_MAC:
		return 6;
	case NS_REC_STR:
	case NS_REC_BYTES:
		break;
	}
	return f->size;
}

static char *copy(const char *s)
{
	return strdup(s != NULL ? s : "");
}

static void free_column(struct ns_rec_field *c)
{
	free((char *)(uintptr_t)c->name);
	free((char *)(uintptr_t)c->unit);
	free((char *)(uintptr_t)c->help);
}

int ns_task_col(struct ns_task_build *b, const struct ns_rec_field *f, struct ns_err *e)
{
	struct ns_rec_field *c = &b->cols[b->kind.fields_n];
	size_t align, at;

	if (b->kind.fields_n == TASK_COLS_MAX)
		return ns_fail(e, ENOSPC, "more than %u columns", (unsigned)TASK_COLS_MAX);
	for (unsigned i = 0; i < b->kind.fields_n; i++) {
		if (strcmp(b->cols[i].name, f->name) == 0)
			return ns_fail(e, EEXIST, "the rows have a column \"%s\" already", f->name);
	}
	*c = *f;
	c->size = size_of(f, &align);
	at = task_align(b->kind.size, align);
	if (c->size == 0 || at + c->size > UINT16_MAX)
		return ns_fail(e, EINVAL, "column \"%s\" of %u octets", f->name, c->size);
	c->name = copy(f->name);
	c->unit = copy(f->unit);
	c->help = copy(f->help);
	if (c->name == NULL || c->unit == NULL || c->help == NULL) {
		free_column(c);
		return no_memory(b, e);
	}
	b->kind.fields_n++;
	c->offset = (uint16_t)at;
	if (f->ipfix_ie == 0)
		c->flags |= NS_REC_NO_EXPORT;
	b->kind.size = at + c->size;
	return (int)at;
}

int ns_task_col_key(struct ns_task_build *b, unsigned key, struct ns_err *e)
{
	if (key >= b->keys_n)
		return ns_fail(e, EINVAL, "there is no key %u", key);
	for (unsigned i = 0; i < b->keys[key]->parts_n; i++) {
		const struct task_field *f = &b->keys[key]->parts[i].field;
		int at = ns_task_col(b,
			&(struct ns_rec_field){
				.name = f->name,
				.type = f->type,
				.size = f->size,
				.flags = f->rec_flags | NS_REC_KEY,
				.unit = f->unit,
				.help = f->help,
			},
			e);

		if (at < 0)
			return -errno;
		b->part_at[key][i] = (uint16_t)at;
	}
	return 0;
}

int ns_task_col_estimate(struct ns_task_build *b, enum ns_rec_type type, const char *unit,
	struct ns_task_estimate *c, struct ns_err *e)
{
	bool whole = type == NS_REC_U64;
	const struct ns_rec_field fields[] = {
		{.name = "estimate", .type = type, .unit = unit, .help = "the result"},
		{.name = "lower",
			.type = type,
			.unit = unit,
			.help = "the true value is not below"},
		{.name = "upper",
			.type = type,
			.unit = unit,
			.help = "the true value is not above"},
		{.name = "confidence",
			.type = NS_REC_F64,
			.help = "probability with which lower and upper hold"},
		{.name = "exact",
			.type = type,
			.flags = whole ? NS_REC_EMPTY_ZERO : NS_REC_EMPTY_NAN,
			.unit = unit,
			.help = "the true value, computed beside it"},
		{.name = "error",
			.type = NS_REC_F64,
			.flags = NS_REC_EMPTY_NAN,
			.help = "true error: (estimate - exact) / exact"},
	};
	int *const offsets[] = {
		&c->estimate, &c->lower, &c->upper, &c->confidence, &c->exact, &c->error};

	*c = (struct ns_task_estimate){.type = type, .exact = -1, .error = -1};
	if (type != NS_REC_U64 && type != NS_REC_F64)
		return ns_fail(e, EINVAL, "an estimate is an integer or a real number");
	for (unsigned i = 0; i < (b->verify ? 6u : 4u); i++) {
		*offsets[i] = ns_task_col(b, &fields[i], e);
		if (*offsets[i] < 0)
			return -errno;
	}
	return 0;
}

static int head_columns(struct ns_task_build *b, struct ns_err *e)
{
	static const struct ns_rec_field head[TASK_COLS_HEAD] = {
		{.name = "start_ns",
			.type = NS_REC_TIME,
			.flags = NS_REC_KEY,
			.unit = "ns",
			.help = "begin of the time that the row is about"},
		{.name = "end_ns",
			.type = NS_REC_TIME,
			.unit = "ns",
			.help = "end of it, which does not belong to it"},
		{.name = "epoch", .type = NS_REC_U64, .help = "number of the last epoch in it"},
	};

	for (unsigned i = 0; i < NS_ARRAY_LEN(head); i++) {
		if (ns_task_col(b, &head[i], e) < 0)
			return -errno;
	}
	return 0;
}

/* Whether the task asked for what its packets have. */
static int check_any(const struct ns_task_build *b, struct ns_err *e)
{
	const char *name;

	if (!b->any || b->conf->of != NS_TASK_OF_PACKETS)
		return 0;
	for (unsigned i = 0; i < b->keys_n; i++) {
		if (!task_key_has(b->keys[i], TASK_FIELD_ANY, &name))
			return ns_fail(e, EINVAL, "packets that are not IP have no \"%s\"", name);
	}
	for (unsigned i = 0; i < b->values_n; i++) {
		if ((b->values[i].field.flags & TASK_FIELD_ANY) == 0)
			return ns_fail(e, EINVAL, "packets that are not IP have no \"%s\"",
				b->values[i].field.name);
	}
	return 0;
}

static uint32_t verify_slots(const struct ns_tasks_args *args)
{
	uint64_t n = VERIFY_MAX;

	if (args->live)
		n = VERIFY_LIVE;
	else if (args->bound != 0)
		n = NS_MIN(args->bound, VERIFY_MAX);
	return (uint32_t)NS_MAX(n, VERIFY_MIN);
}

int task_build(struct ns_task_build *b, const struct ns_conf_item *item,
	const struct ns_tasks_args *args, struct ns_err *e)
{
	const struct ns_plugin *p;

	b->conf = item->values;
	b->seed = args->seed;
	b->verify = args->verify || b->conf->verify;
	b->verify_slots = verify_slots(args);
	b->kind = (struct ns_rec_kind){
		.name = b->conf->name,
		.version = 1,
		.help = item->variant->summary,
		.fields = b->cols,
		.ipfix_family_field = -1,
	};
	b->shown = &b->kind;
	p = ns_plugin_find(NS_TASK_KIND, b->conf->type);
	if (p == NULL)
		return ns_fail(e, ENOENT, "task \"%s\": no plug-in for the type \"%s\"",
			b->conf->name, b->conf->type);
	b->ops = p->ops;
	if (head_columns(b, e) < 0)
		return -errno;
	errno = 0;
	b->self = b->ops->create(b, item->values, e);
	if (b->self == NULL)
		return ns_errno_set(errno != 0 ? errno : EINVAL);
	if (b->kind.help == NULL)
		return no_memory(b, e);
	if (check_any(b, e) < 0)
		return -errno;
	b->kind.size = task_align(b->kind.size, 8);
	b->state_size = b->ops->size(b->self);
	return 0;
}

void task_build_fini(struct ns_task_build *b)
{
	if (b->self != NULL)
		b->ops->destroy(b->self);
	for (unsigned i = 0; i < b->keys_n; i++)
		free(b->keys[i]);
	for (unsigned i = 0; i < b->kind.fields_n; i++)
		free_column(&b->cols[i]);
	free(b->help);
}
