/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A walk over all flows for a command, which may not hold control up: a call looks at what it has
 * time for, and the same command again goes on where the last one stopped, until all were looked
 * at. Main thread.
 */

#include <ns_engine.h>

#define SWEEP_NS (60 * NS_SEC_NS / 1000) /* of the tenth of a second that a command may take */
#define SWEEP_FRESH_NS (60 * NS_SEC_NS) /* so long it can be gone on with */

struct sweep {
	char *asked; /* what was asked for; NULL: nothing */
	const struct ns_engine *engine;
	struct ns_engine_flows at;
	uint64_t looked; /* flows */
	uint64_t last_ns; /* monotonic, of the last call */
	bool done;
};

/*
 * True: goes on with what was asked for in these words, of this engine, a short while ago. False:
 * it begins. @p asked is taken, and freed with the sweep.
 */
bool sweep_begin(struct sweep *s, const struct ns_engine *en, char *asked);
/* Nothing is kept. */
void sweep_end(struct sweep *s);
/* Until budget_ns have passed, or all was looked at (s->done). */
void sweep_run(struct sweep *s, uint64_t budget_ns, ns_flow_walk_fn *fn, void *ctx);
/* "1.2 M of 4.0 M flows (30 %)" */
void sweep_text(const struct sweep *s, char *buf, size_t len);
