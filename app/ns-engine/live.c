/* SPDX-License-Identifier: BSD-3-Clause */
/* The engine, its control loop, and what serves people beside it: up in order, down in reverse. */
#include "live.h"

#include "beat.h"
#include "epoch.h"
#include "reload.h"

#include <ns_control.h>
#include <ns_stage.h>

#include <stdio.h>

struct live {
	const struct live_args *args;
	struct ns_engine *en;
	struct ns_control *control;
	struct epoch epoch;
	struct beat beat;
};

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
		.writers = l->args->writers,
		.writers_n = l->args->writers_n,
	};

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

static int up_lines(void *ctx, struct ns_err *e)
{
	struct live *l = ctx;

	l->epoch = (struct epoch){.quiet = l->args->quiet};
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

/* What is below is up before what stands above it needs it. */
static const struct ns_stage stages[] = {
	{"configuration", up_reload, down_reload},
	{"engine", up_engine, down_engine},
	{"control", up_control, down_control},
	{"epoch lines", up_lines, NULL},
	{"notify", up_beat, NULL},
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
	if (!args->quiet) {
		puts("ns-engine: running; SIGINT or SIGTERM stops it");
		fflush(stdout);
	}
	int rc = ns_control_run(l.control, &e);
	bool holds = epoch_report(l.en);

	if (ns_engine_input_message(l.en)[0] != '\0')
		fprintf(stderr, "ns-engine: %s\n", ns_engine_input_message(l.en));
	ns_stages_down(stages, NS_ARRAY_LEN(stages), &l);
	if (rc < 0)
		return fail(&e);
	return holds ? 0 : 1;
}
