/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <ns_engine.h>

/* A line that is rewritten on a terminal: packets, packets/s, share of the input, time left. */
struct progress {
	bool on;
	uint64_t start_ns;
	uint64_t last_packets, last_ns;
	bool shown;
};

void progress_init(struct progress *p, bool on);
/* An ns_engine_tick; ctx is the struct progress. */
void progress_tick(void *ctx, struct ns_engine *en, bool last);
