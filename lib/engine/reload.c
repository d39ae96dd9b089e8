/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Another configuration while packets come: what can change live is made ready whole, and only then
 * takes the place of the old. Control.
 *
 *   compare ─▶ tasks, states ─▶ writers open ─▶ filter ─▶ from here on nothing can fail
 *                                                         next epoch: lcores change plans
 *                                                         it is complete: old writers close
 */
#include "engine_priv.h"

#include <stdio.h>
#include <string.h>

/* Whether they differ in this key, of which they may; all others are the same. */
bool engine_key_differs(const struct ns_conf *a, const struct ns_conf *b, const char *key)
{
	const char *live[NS_CONF_LIVE_MAX];
	unsigned n = ns_conf_live(live), k = 0;
	char first[128];

	for (unsigned i = 0; i < n; i++) {
		if (strcmp(live[i], key) != 0)
			live[k++] = live[i];
	}
	live[k] = NULL;
	/* without memory: as if it did */
	return ns_conf_differs(a, b, live, first, sizeof(first)) != 0;
}

static void list(const char *const *keys, char *text, size_t len)
{
	size_t n = 0;

	for (unsigned i = 0; keys[i] != NULL && n < len; i++)
		n += (size_t)snprintf(text + n, len - n, "%s%s", i > 0 ? ", " : "", keys[i]);
}

static int check(struct ns_engine *en, const struct ns_conf *conf, struct ns_err *e)
{
	const char *live[NS_CONF_LIVE_MAX];
	char key[128], all[300];

	if (!en->live)
		return ns_fail(e, ENOTSUP, "files are read with one configuration");
	if (en->phase != PHASE_READING)
		return ns_fail(e, ESHUTDOWN, "the engine is stopping");
	if (en->planned != NULL || en->wanted != en->plan)
		return ns_fail(e, EBUSY, "the change before this one is not complete: try again");
	ns_conf_live(live);
	int rc = ns_conf_differs(en->args.conf, conf, live, key, sizeof(key));

	if (rc < 0)
		return ns_fail(e, ENOMEM, "no memory to compare configurations");
	list(live, all, sizeof(all));
	if (rc > 0)
		return ns_fail(e, EINVAL,
			"%s can't change while the engine runs: restart it for that; these can: %s",
			key, all);
	return 0;
}

/* What is to change, and what is ready for it. */
struct change {
	const struct ns_conf *conf;
	const char *filter; /* NULL: none */
	bool filters;
	struct roster roster;
	struct plan *plan; /* NULL: the old one does */
};

static int make_plan(struct ns_engine *en, struct change *c, struct ns_err *e)
{
	static const char *const times[] = {
		"flow.idle", "flow.active", "flow.tcp_end", "flow.tcp_linger"};
	bool tasks = engine_key_differs(en->args.conf, c->conf, "tasks"), any = false;

	if (engine_roster_next(en, c->conf, &c->roster, &any, e) < 0)
		return -errno;
	any = any || tasks;
	for (unsigned i = 0; !any && i < NS_ARRAY_LEN(times); i++)
		any = engine_key_differs(en->args.conf, c->conf, times[i]);
	if (!any)
		return 0;
	c->plan = engine_plan_create(en, c->conf, &c->roster, !tasks, e);
	if (c->plan == NULL)
		return -errno;
	/* batches were made at the start */
	if (c->plan->row_max > en->row_room)
		return ns_fail(e, E2BIG,
			"a task's row has %zu octets, there is room for %zu: restart the engine "
			"for that",
			c->plan->row_max, en->row_room);
	return 0;
}

static int make_filter(struct ns_engine *en, struct change *c, struct ns_err *e)
{
	const struct ns_engine_conf *conf = ns_conf_get(c->conf, "engine");

	c->filters = en->args.filter == NULL &&
		     engine_key_differs(en->args.conf, c->conf, "engine.filter");
	c->filter = conf->filter != NULL && conf->filter[0] != '\0' ? conf->filter : NULL;
	if (c->filters && en->sops->filter == NULL)
		return ns_fail(e, ENOTSUP, "this source can't change its filter");
	return 0;
}

/* All that can fail; what was made is undone then. */
static int prepare(struct ns_engine *en, struct change *c, struct ns_err *e)
{
	int rc = make_filter(en, c, e);

	if (rc == 0)
		rc = make_plan(en, c, e);
	if (rc == 0 && c->plan != NULL)
		rc = engine_roster_open(en, &c->roster, c->conf, e);
	if (rc == 0 && c->filters) {
		rc = en->sops->filter(en->source, c->filter, e);
		if (rc < 0 && c->plan != NULL)
			engine_roster_undo(en, &c->roster);
	}
	if (rc < 0)
		engine_plan_destroy(en, c->plan);
	return rc < 0 ? ns_errno_set(-rc) : 0;
}

int ns_engine_reload(struct ns_engine *en, const struct ns_conf *conf, struct ns_err *e)
{
	struct change c = {.conf = conf};

	if (check(en, conf, e) < 0 || prepare(en, &c, e) < 0)
		return -errno;
	if (c.filters)
		en->filter = c.filter;
	if (c.plan != NULL) {
		/* of these control reads its time */
		en->flow.idle = c.plan->flow.idle;
		en->planned = c.plan;
	}
	en->args.conf = conf;
	return 0;
}

const struct ns_conf *ns_engine_conf(const struct ns_engine *en)
{
	return en->args.conf;
}
