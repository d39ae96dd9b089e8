/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <ns_engine.h>

/* What the last epoch said, to print differences. */
struct epoch {
	uint64_t packets, octets, records, drops;
	uint64_t mono_ns;
	bool quiet;
};

/* An ns_engine_tick: prints one line for an epoch; ctx is the struct epoch. */
void epoch_tick(void *ctx, struct ns_engine *en, bool last);

/* The conservation report at the end; returns whether the law holds. */
bool epoch_report(struct ns_engine *en);
