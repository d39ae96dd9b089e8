/* SPDX-License-Identifier: BSD-3-Clause */
#include "reload.h"

#include <ns_command.h>
#include <ns_log.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

NS_LOG_TYPE("reload");

#define SETS_MAX 64

/* Configurations that an engine has or had: it borrows all of them. */
struct kept {
	struct kept *next;
	struct ns_conf *conf;
	char *set; /* the override that came with it; NULL: none */
};

static struct {
	const char *path;
	const char **overrides; /* those of the command line, then those of "set" */
	unsigned n, most;
	struct kept *kept;
} r;

int reload_init(const struct reload_args *args, struct ns_err *e)
{
	r.path = args->path;
	r.most = args->overrides_n + SETS_MAX;
	r.overrides = calloc(r.most, sizeof(*r.overrides));
	if (r.overrides == NULL)
		return ns_fail(e, ENOMEM, "no memory for options");
	memcpy(r.overrides, args->overrides, args->overrides_n * sizeof(*r.overrides));
	r.n = args->overrides_n;
	return 0;
}

void reload_fini(void)
{
	struct kept *k;

	while ((k = r.kept) != NULL) {
		r.kept = k->next;
		ns_conf_destroy(k->conf);
		free(k->set);
		free(k);
	}
	free(r.overrides);
	r.overrides = NULL;
	r.n = 0;
}

/* With one more override, taken; it stays only if the engine takes all. */
static int reload(struct ns_engine *en, char *set, struct ns_err *e)
{
	struct kept *k = calloc(1, sizeof(*k));
	int rc = 0;

	if (k == NULL || (set != NULL && r.n == r.most)) {
		free(set);
		free(k);
		return ns_fail(
			e, ENOMEM, "keys were set %d times: write them into the file", SETS_MAX);
	}
	k->set = set;
	if (set != NULL)
		r.overrides[r.n++] = set;
	k->conf = ns_conf_load(r.path, r.overrides, r.n, e);
	if (k->conf == NULL)
		rc = -errno;
	else
		rc = ns_engine_reload(en, k->conf, e);
	if (rc == 0) {
		k->next = r.kept;
		r.kept = k;
		return 0;
	}
	if (set != NULL)
		r.n--;
	ns_conf_destroy(k->conf);
	free(set);
	free(k);
	return ns_errno_set(-rc);
}

void reload_at_signal(void *ctx, struct ns_engine *en)
{
	struct ns_err e = {""};

	if (reload(en, NULL, &e) < 0)
		NS_LOG(ERR, "nothing was changed: %s", e.text);
	else
		NS_LOG(NOTICE, "%s holds from the next epoch on",
			r.path != NULL ? r.path : "the configuration");
}

static int run_reload(struct ns_command_call *c, struct ns_err *e)
{
	if (reload(c->engine, NULL, e) < 0)
		return -errno;
	ns_command_text(c, "%s holds from the next epoch on",
		r.path != NULL ? r.path : "the configuration");
	return 0;
}

static int run_set(struct ns_command_call *c, struct ns_err *e)
{
	char *set;

	if (c->argc != 2)
		return ns_fail(e, EINVAL, "set takes a key and a value: set engine.filter \"tcp\"");
	if (asprintf(&set, "%s=%s", c->argv[0], c->argv[1]) < 0)
		return ns_fail(e, ENOMEM, "no memory");
	if (reload(c->engine, set, e) < 0)
		return -errno;
	ns_command_text(c, "%s=%s holds from the next epoch on, until the engine ends", c->argv[0],
		c->argv[1]);
	return 0;
}

static void complete_set(struct ns_command_call *c)
{
	const char *live[NS_CONF_LIVE_MAX];

	ns_conf_live(live);
	for (unsigned i = 0; c->argc == 1 && live[i] != NULL; i++)
		ns_command_text(c, "%s", live[i]);
}

static struct ns_command reload_command = {.name = "reload",
	.help = "reads the configuration again: takes what may change live, all of it or nothing",
	.changes = true,
	.run = run_reload};
static struct ns_command set_command = {.name = "set",
	.args = "KEY VALUE",
	.help = "sets a key that may change live; Tab lists them",
	.changes = true,
	.run = run_set,
	.complete = complete_set};

NS_COMMAND_REGISTER(reload_command)
NS_COMMAND_REGISTER(set_command)
