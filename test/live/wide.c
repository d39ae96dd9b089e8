/* SPDX-License-Identifier: BSD-3-Clause */
/* A task whose rows are as long as it is told: what an engine that runs has no room for. */
#include <ns_registry.h>
#include <ns_task.h>

#include <stdlib.h>

struct wide_conf {
	struct ns_task_conf task;
	uint16_t width; /* octets of its one column */
};

static const cyaml_schema_field_t fields[] = {NS_TASK_CONF_FIELDS(struct wide_conf),
	CYAML_FIELD_UINT("width", CYAML_FLAG_OPTIONAL, struct wide_conf, width), CYAML_FIELD_END};
static const struct wide_conf defaults = {.width = 8};
static const struct ns_conf_doc docs[] = {
	NS_TASK_CONF_DOCS, {"width", "octets of a row's text"}, {NULL, NULL}};

static int check(const void *values, const char **key, struct ns_err *e)
{
	const struct wide_conf *c = values;

	return ns_task_check(&c->task, key, e);
}

static struct ns_conf_variant variant = {.section = "tasks",
	.type = "wide",
	.summary = "one wide row",
	.fields = fields,
	.size = sizeof(struct wide_conf),
	.defaults = &defaults,
	.docs = docs,
	.check = check};
NS_CONF_VARIANT_REGISTER(variant)

static void *create(struct ns_task_build *b, const void *conf, struct ns_err *e)
{
	const struct wide_conf *c = conf;
	const struct ns_rec_field text = {.name = "text", .type = NS_REC_STR, .size = c->width};
	int *at = calloc(1, sizeof(*at));

	if (at == NULL)
		return ns_errno_null(ENOMEM);
	ns_task_any_packet(b);
	*at = ns_task_col(b, &text, e);
	if (*at >= 0)
		return at;
	free(at);
	return ns_errno_null(EINVAL);
}

static void destroy(void *task)
{
	free(task);
}

static size_t size(const void *task)
{
	(void)task;
	return sizeof(uint64_t);
}

static void init(const void *task, void *state)
{
	(void)task;
	(void)state;
}

static void feed(const void *task, void *state, const struct ns_task_cols *c)
{
	(void)task;
	*(uint64_t *)state += c->n;
}

static int merge(const void *task, void *into, const void *from)
{
	(void)task;
	*(uint64_t *)into += *(const uint64_t *)from;
	return 0;
}

static void reset(const void *task, void *state)
{
	(void)task;
	*(uint64_t *)state = 0;
}

static int result(const void *task, const void *state, struct ns_task_out *o)
{
	uint8_t *row = ns_task_row(o);

	(void)state;
	row[*(const int *)task] = 'x';
	ns_task_row_end(o);
	return 0;
}

static const struct ns_task_ops ops = {.create = create,
	.destroy = destroy,
	.size = size,
	.init = init,
	.feed = feed,
	.merge = merge,
	.reset = reset,
	.result = result};
static const struct ns_plugin wide = {.kind = NS_TASK_KIND,
	.name = "wide",
	.summary = "one wide row",
	.abi = NS_PLUGIN_ABI,
	.ops = &ops};
NS_PLUGIN_REGISTER(wide)
