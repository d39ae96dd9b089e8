/* SPDX-License-Identifier: BSD-3-Clause */
/* The engine, its control loop, and what serves people beside it: up in order, down in reverse. */
#include "live.h"

#include "beat.h"
#include "epoch.h"
#include "reload.h"
#include "terminal.h"

#include <ns_console.h>
#include <ns_control.h>
#include <ns_metrics.h>
#include <ns_replay.h>
#include <ns_stage.h>

#include <stdio.h>

#define WRITERS_MAX 80

struct live {
	const struct live_args *args;
	struct ns_engine *en;
	struct ns_control *control;
	struct ns_metrics *metrics;
	struct epoch epoch;
	struct beat beat;
	const char *writers[WRITERS_MAX];
	struct ns_console *console; /* NULL: none */
	struct terminal terminal;
};

static bool wants_console(const struct live *l)
{
	const struct ns_console_conf *conf = ns_conf_get(l->args->conf, "console");

	return conf->enabled || l->args->terminal;
}

static int up_reload(void *ctx, struct ns_err *e)
{
	const struct live *l = ctx;
	struct reload_args args = {.path = l->args->path,
		.overrides = l->args->overrides,
		.overrides_n = l->args->overrides_n};

	return reload_init(&args, e);
}

static void down_reload(void *ctx)
{
	reload_fini();
}

static int up_engine(void *ctx, struct ns_err *e)
{
	struct live *l = ctx;
	struct ns_engine_args args = {
		.conf = l->args->conf,
		.source = "ethdev",
		.targets = l->args->targets,
		.targets_n = l->args->targets_n,
		.writers = l->writers,
	};

	while (args.writers_n < l->args->writers_n && args.writers_n + 1 < WRITERS_MAX) {
		l->writers[args.writers_n] = l->args->writers[args.writers_n];
		args.writers_n++;
	}
	if (wants_console(l))
		l->writers[args.writers_n++] = NS_CONSOLE_WRITER;
	l->en = ns_engine_create(&args, e);
	return l->en != NULL ? 0 : -errno;
}

static void down_engine(void *ctx)
{
	struct live *l = ctx;

	ns_engine_destroy(l->en);
}

static int up_control(void *ctx, struct ns_err *e)
{
	struct live *l = ctx;

	l->control = ns_control_create(l->en, e);
	if (l->control == NULL)
		return -errno;
	ns_control_on_reload(l->control, reload_at_signal, NULL);
	return 0;
}

static void down_control(void *ctx)
{
	struct live *l = ctx;

	ns_control_destroy(l->control);
}

static struct ns_engine *engine_of(void *ctx)
{
	struct live *l = ctx;

	return l->en;
}

static int up_console(void *ctx, struct ns_err *e)
{
	struct live *l = ctx;
	struct ns_console_args args = {.conf = l->args->conf, .engine = engine_of, .ctx = l};

	if (!wants_console(l))
		return 0;
	l->console = ns_console_open(ns_control_loop(l->control), &args, e);
	if (l->console == NULL && errno != 0)
		return -errno;
	if (l->console == NULL && l->args->terminal)
		return ns_fail(e, ENOENT, "-i needs a console (section console)");
	return 0;
}

static void down_console(void *ctx)
{
	struct live *l = ctx;

	ns_console_close(l->console);
	l->console = NULL;
}

static void terminal_ended(void *ctx)
{
	struct live *l = ctx;

	ns_engine_stop(l->en);
}

static int up_terminal(void *ctx, struct ns_err *e)
{
	struct live *l = ctx;

	if (!l->args->terminal)
		return 0;
	return terminal_start(&l->terminal, ns_control_loop(l->control),
		ns_console_path(l->console), terminal_ended, l, e);
}

/* It ends when its console does, and gives the terminal back. */
static void down_terminal(void *ctx)
{
	struct live *l = ctx;

	down_console(l);
	terminal_end(&l->terminal);
}

static int up_lines(void *ctx, struct ns_err *e)
{
	struct live *l = ctx;

	l->epoch = (struct epoch){.quiet = l->args->quiet || l->args->terminal};
	if (ns_control_on_epoch(l->control, epoch_tick, &l->epoch) < 0)
		return ns_fail(e, errno, "too many listen to epochs");
	return 0;
}

static int up_beat(void *ctx, struct ns_err *e)
{
	struct live *l = ctx;
	const struct ns_engine_conf *c = ns_conf_get(l->args->conf, "engine");

	return beat_up(&l->beat, l->control, c->epoch_ms, e);
}

static void publish_metrics(void *ctx, struct ns_engine *en, const struct ns_engine_state *state)
{
	ns_metrics_epoch(ctx, state);
}

static int up_metrics(void *ctx, struct ns_err *e)
{
	struct live *l = ctx;

	l->metrics = ns_metrics_create(l->args->conf, e);
	if (l->metrics == NULL)
		return -errno;
	if (ns_control_on_epoch(l->control, publish_metrics, l->metrics) == 0)
		return 0;
	ns_metrics_destroy(l->metrics);
	return ns_fail(e, ENOSPC, "too many listen to epochs");
}

static void down_metrics(void *ctx)
{
	struct live *l = ctx;

	ns_metrics_destroy(l->metrics);
}

static int up_replay(void *ctx, struct ns_err *e)
{
	return 0; /* commands begin them */
}

static void down_replay(void *ctx)
{
	ns_replay_end();
}

/* What is below is up before what stands above it needs it. */
static const struct ns_stage stages[] = {
	{"configuration", up_reload, down_reload},
	{"engine", up_engine, down_engine},
	{"replays", up_replay, down_replay},
	{"control", up_control, down_control},
	{"epoch lines", up_lines, NULL},
	{"metrics", up_metrics, down_metrics},
	{"notify", up_beat, NULL},
	{"console", up_console, down_console},
	{"terminal", up_terminal, down_terminal},
};

static int fail(const struct ns_err *e)
{
	fprintf(stderr, "ns-engine: %s\n", e->text);
	return 1;
}

int live_run(const struct live_args *args)
{
	struct live l = {.args = args};
	struct ns_err e = {""};

	if (ns_stages_up(stages, NS_ARRAY_LEN(stages), &l, &e) < 0)
		return fail(&e);
	if (!args->quiet && !args->terminal) {
		puts("ns-engine: running; SIGINT or SIGTERM stops it");
		fflush(stdout);
	}
	int rc = ns_control_run(l.control, &e);

	down_terminal(&l); /* the report is written where it was */
	bool holds = epoch_report(l.en);

	if (ns_engine_input_message(l.en)[0] != '\0')
		fprintf(stderr, "ns-engine: %s\n", ns_engine_input_message(l.en));
	ns_stages_down(stages, NS_ARRAY_LEN(stages), &l);
	if (rc < 0)
		return fail(&e);
	return holds ? 0 : 1;
}
