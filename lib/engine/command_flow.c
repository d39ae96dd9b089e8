/* SPDX-License-Identifier: BSD-3-Clause */
/* show flow: all that is known of one that is in the tables now. */
#include "live_flow.h"
#include "sweep.h"

#include <ns_command.h>

#include <string.h>

/* One that is being looked for. */
static struct sweep search;

struct searching {
	struct ns_command_call *call;
	const char *id;
	uint64_t now;
	unsigned found;
};

static int compare(void *ctx, struct ns_flow_rec *recs, unsigned n)
{
	struct searching *s = ctx;

	ns_flow_record_ids(recs, n);
	for (unsigned i = 0; i < n; i++) {
		struct live_flow l;

		if (strcmp(recs[i].community_id, s->id) != 0)
			continue;
		live_flow_fill(&l, &recs[i], s->now);
		ns_command_record(s->call, live_flow_kind(), &l);
		s->found++;
	}
	return 0;
}

static bool is_id(const char *s)
{
	static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				     "0123456789+/";

	return strlen(s) == 30 && memcmp(s, "1:", 2) == 0 && strspn(s + 2, base64) == 27 &&
	       s[29] == '=';
}

/* All that have this ID: VLANs and tunnels are no part of it. */
static int show_flow(struct ns_command_call *c, struct ns_err *e)
{
	struct searching s = {.call = c};
	char looked[96], *asked;

	if (c->engine == NULL)
		return ns_fail(e, ENOENT, "no engine runs");
	if (c->argc != 1)
		return ns_fail(e, EINVAL, "expected one Community ID");
	s.id = c->argv[0];
	if (!is_id(s.id))
		return ns_fail(e, EINVAL,
			"\"%.40s\" is no Community ID, as "
			"1:wCb3OG7yAFWelaUydu0D+125CLM=",
			s.id);
	asked = strdup(s.id);
	if (asked == NULL)
		return ns_fail(e, ENOMEM, "no memory");
	sweep_begin(&search, c->engine, asked);
	s.now = ns_engine_clock(c->engine);
	sweep_run(&search, SWEEP_NS, compare, &s);
	sweep_text(&search, looked, sizeof(looked));
	bool done = search.done;

	if (done)
		sweep_end(&search);
	else
		ns_command_text(c, "looked at %s, the same command goes on", looked);
	if (done && s.found == 0)
		return ns_fail(e, ENOENT, "no flow that goes on has this Community ID");
	return 0;
}

static struct ns_command flow = {.name = "show flow",
	.args = "COMMUNITY-ID",
	.help = "all that is known of a flow that goes on",
	.run = show_flow};
NS_COMMAND_REGISTER(flow)
