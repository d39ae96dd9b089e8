/* SPDX-License-Identifier: BSD-3-Clause */
/* show tasks, show task: what tasks computed in the last complete epoch. */
#include "console_priv.h"

#include <ns_command.h>
#include <ns_engine.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_SHOWN 20

struct task_rec {
	char name[48];
	char what[120];
	uint64_t epoch;
	uint64_t start_ns, end_ns;
	uint64_t rows;
};

#define F(m, ...) NS_REC_FIELD(struct task_rec, m, .name = #m, __VA_ARGS__)
#define NO_IE .flags = NS_REC_NO_EXPORT

static const struct ns_rec_field fields[] = {
	F(name, .type = NS_REC_STR, .flags = NS_REC_KEY | NS_REC_NO_EXPORT, .help = "its name"),
	F(what, .type = NS_REC_STR, NO_IE, .help = "what it computes"),
	F(rows, .type = NS_REC_U64, NO_IE, .unit = "rows", .help = "in the last complete epoch"),
	F(epoch, .type = NS_REC_U64, NO_IE, .help = "its number"),
	F(start_ns, .type = NS_REC_TIME, .flags = NS_REC_NO_EXPORT | NS_REC_EMPTY_ZERO,
		.unit = "ns", .help = "when it began"),
	F(end_ns, .type = NS_REC_TIME, .flags = NS_REC_NO_EXPORT | NS_REC_EMPTY_ZERO, .unit = "ns",
		.help = "when it ended"),
};

static const struct ns_rec_kind task_kind = {
	.name = "task",
	.version = 1,
	.size = sizeof(struct task_rec),
	.fields = fields,
	.fields_n = NS_ARRAY_LEN(fields),
	.help = "a task of the configuration",
	.ipfix_family_field = -1,
};

static int has_tasks(struct ns_command_call *call, struct ns_err *e)
{
	if (call->engine == NULL)
		return ns_fail(e, ENOENT, "no engine runs");
	return 0;
}

static int tasks(struct ns_command_call *call, struct ns_err *e)
{
	const struct ns_rec_kind *const *all;
	unsigned n;

	if (has_tasks(call, e) < 0)
		return -errno;
	all = ns_engine_task_kinds(call->engine, &n);
	for (unsigned i = 0; i < n; i++) {
		struct task_rec r = {.rows = 0};
		struct console_rows rows;

		snprintf(r.name, sizeof(r.name), "%s", all[i]->name);
		snprintf(r.what, sizeof(r.what), "%s", all[i]->help != NULL ? all[i]->help : "");
		if (console_rows_get(all[i], &rows)) {
			r.rows = rows.n + rows.left_out;
			r.epoch = rows.epoch;
			r.start_ns = rows.start_ns;
			r.end_ns = rows.end_ns;
			console_rows_release();
		}
		ns_command_record(call, &task_kind, &r);
	}
	if (n == 0)
		ns_command_text(call, "there are no tasks (section tasks of the configuration)");
	return 0;
}

static struct ns_command tasks_command = {
	.name = "show tasks", .help = "tasks and what they compute", .run = tasks};
NS_COMMAND_REGISTER(tasks_command)

static const struct ns_rec_kind *task_of(struct ns_command_call *call, struct ns_err *e)
{
	const struct ns_rec_kind *const *all;
	char names[256] = "";
	size_t at = 0;
	unsigned n;

	all = ns_engine_task_kinds(call->engine, &n);
	for (unsigned i = 0; i < n; i++) {
		if (strcmp(all[i]->name, call->argv[0]) == 0)
			return all[i];
		if (at < sizeof(names) - 1)
			at += (size_t)snprintf(names + at, sizeof(names) - at, "%s%s",
				i > 0 ? ", " : "", all[i]->name);
	}
	ns_fail(e, ENOENT, "there is no task \"%.60s\"; there are: %s", call->argv[0], names);
	return NULL;
}

static int rows_wanted(struct ns_command_call *call, size_t *most, struct ns_err *e)
{
	char *end;

	*most = ROWS_SHOWN;
	if (call->argc == 1)
		return 0;
	if (call->argc > 2)
		return ns_fail(e, EINVAL, "\"%.60s\" is one word too many", call->argv[2]);
	if (strcmp(call->argv[1], "all") == 0) {
		*most = SIZE_MAX;
		return 0;
	}
	unsigned long v = strtoul(call->argv[1], &end, 10);

	if (call->argv[1][0] < '0' || call->argv[1][0] > '9' || *end != '\0' || v == 0)
		return ns_fail(e, EINVAL, "\"%.60s\" is neither a number of rows nor \"all\"",
			call->argv[1]);
	*most = v;
	return 0;
}

static int task(struct ns_command_call *call, struct ns_err *e)
{
	struct console_rows r;
	size_t most;

	if (has_tasks(call, e) < 0)
		return -errno;
	if (call->argc == 0)
		return ns_fail(e, EINVAL, "which task? \"show tasks\" lists them");
	const struct ns_rec_kind *k = task_of(call, e);

	if (k == NULL || rows_wanted(call, &most, e) < 0)
		return -errno;
	if (!console_rows_get(k, &r)) {
		ns_command_text(call, "%s: no epoch is complete yet", k->name);
		return 0;
	}
	for (size_t i = 0; i < r.n && i < most; i++)
		ns_command_record(call, k, r.rows + i * k->size);
	if (r.n == 0)
		ns_command_text(
			call, "%s: no row in epoch %llu", k->name, (unsigned long long)r.epoch);
	else if (r.n + r.left_out > most)
		ns_command_text(
			call, "%zu rows in all (\"show task %s all\")", r.n + r.left_out, k->name);
	console_rows_release();
	return 0;
}

static void task_complete(struct ns_command_call *call)
{
	const struct ns_rec_kind *const *all;
	unsigned n = 0;

	if (call->engine == NULL || call->argc > 2)
		return;
	all = ns_engine_task_kinds(call->engine, &n);
	for (unsigned i = 0; call->argc == 1 && i < n; i++)
		ns_command_text(call, "%s", all[i]->name);
	if (call->argc == 2)
		ns_command_text(call, "all");
}

static struct ns_command task_command = {.name = "show task",
	.args = "NAME [N|all]",
	.help = "rows of a task in the last complete epoch; 20 of them, N or all",
	.run = task,
	.complete = task_complete};
NS_COMMAND_REGISTER(task_command)
