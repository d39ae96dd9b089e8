/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Another configuration while packets come: what can change live is made ready whole, and only then
 * takes the place of the old. Control.
 */
#include "engine_priv.h"

#include <string.h>

static int check(struct ns_engine *en, const struct ns_conf *conf, struct ns_err *e)
{
	static const char *const live[] = {"tasks", "engine.filter", NULL};
	char key[128];

	if (!en->live)
		return ns_fail(e, ENOTSUP, "files are read with one configuration");
	if (en->phase != PHASE_READING)
		return ns_fail(e, ESHUTDOWN, "the engine is stopping");
	if (en->planned != NULL || en->wanted != en->plan)
		return ns_fail(e, EBUSY, "the change before this one is not complete: try again");
	int rc = ns_conf_differs(en->args.conf, conf, live, key, sizeof(key));

	if (rc < 0)
		return ns_fail(e, ENOMEM, "no memory to compare configurations");
	if (rc > 0)
		return ns_fail(e, EINVAL,
			"%s can't change while the engine runs: restart it for that; tasks and "
			"engine.filter can",
			key);
	return 0;
}

static bool differs(const struct ns_conf *a, const struct ns_conf *b, const char *but)
{
	const char *const except[] = {but, NULL};
	char key[8];

	/* without memory: as if it did */
	return ns_conf_differs(a, b, except, key, sizeof(key)) != 0;
}

int ns_engine_reload(struct ns_engine *en, const struct ns_conf *conf, struct ns_err *e)
{
	const struct ns_engine_conf *c = ns_conf_get(conf, "engine");
	const char *filter = c->filter != NULL && c->filter[0] != '\0' ? c->filter : NULL;
	struct plan *p = NULL;

	if (check(en, conf, e) < 0)
		return -errno;
	if (differs(en->args.conf, conf, "engine.filter")) {
		p = engine_plan_create(en, conf, e);
		if (p == NULL)
			return -errno;
		/* batches were made at the start */
		if (p->row_max > en->row_room) {
			ns_fail(e, E2BIG,
				"a task's row has %zu octets, there is room for %zu: restart "
				"the engine for that",
				p->row_max, en->row_room);
			engine_plan_destroy(en, p);
			return ns_errno_set(E2BIG);
		}
	}
	if (differs(en->args.conf, conf, "tasks") && en->args.filter == NULL) {
		int rc = en->sops->filter == NULL
				 ? ns_fail(e, ENOTSUP, "this source can't change its filter")
				 : en->sops->filter(en->source, filter, e);

		if (rc < 0) {
			engine_plan_destroy(en, p);
			return ns_errno_set(-rc);
		}
		en->filter = filter;
	}
	en->planned = p;
	en->args.conf = conf;
	return 0;
}

const struct ns_conf *ns_engine_conf(const struct ns_engine *en)
{
	return en->args.conf;
}
