/* SPDX-License-Identifier: BSD-3-Clause */
#include "sweep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SLICE 2048 /* positions between two looks at the clock: some 200 us */

void sweep_end(struct sweep *s)
{
	free(s->asked);
	*s = (struct sweep){0};
}

bool sweep_begin(struct sweep *s, const struct ns_engine *en, char *asked)
{
	uint64_t now = ns_clock_mono();
	bool same = s->asked != NULL && s->engine == en && !s->done &&
		    strcmp(s->asked, asked) == 0 && now - s->last_ns < SWEEP_FRESH_NS;

	if (same) {
		free(asked);
		return true;
	}
	sweep_end(s);
	s->asked = asked;
	s->engine = en;
	s->last_ns = now;
	return false;
}

struct counting {
	ns_flow_walk_fn *fn;
	void *ctx;
	uint64_t *looked;
};

static int count(void *ctx, struct ns_flow_rec *r, unsigned n)
{
	struct counting *c = ctx;

	*c->looked += n;
	return c->fn(c->ctx, r, n);
}

void sweep_run(struct sweep *s, uint64_t budget_ns, ns_flow_walk_fn *fn, void *ctx)
{
	static const struct timespec moment = {.tv_nsec = 50000};
	struct counting c = {fn, ctx, &s->looked};
	uint64_t begin = ns_clock_mono();

	do {
		int rc = ns_engine_flows(s->engine, &s->at, SLICE, count, &c);

		s->done = rc == 0;
		/* an lcore that does not come on may want this very CPU */
		if (rc == -EAGAIN)
			nanosleep(&moment, NULL);
		s->last_ns = ns_clock_mono();
	} while (!s->done && s->last_ns - begin < budget_ns);
}

void sweep_text(const struct sweep *s, char *buf, size_t len)
{
	uint64_t all = NS_MAX(ns_engine_flows_now(s->engine), s->looked);
	char looked[32], of[32];

	snprintf(buf, len, "%s of %s flows (%u %%)",
		ns_fmt_count(looked, sizeof(looked), (double)s->looked),
		ns_fmt_count(of, sizeof(of), (double)all),
		all > 0 ? (unsigned)(100 * s->looked / all) : 100);
}
