/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <ns_engine.h>

/* What the last epoch said, to print differences. */
struct epoch {
	uint64_t records;
	bool quiet;
};

/* An ns_control_epoch_fn: prints one line for an epoch; ctx is the struct epoch. */
void epoch_tick(void *ctx, struct ns_engine *en, const struct ns_engine_state *state);

/* The conservation report at the end; returns whether the law holds. */
bool epoch_report(struct ns_engine *en);
