/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Flows as commands show them: the record, and what follows from it and from the time of day. Main
 * thread.
 */

#include <ns_engine.h>

struct live_flow {
	struct ns_flow_rec flow;
	uint64_t total_packets, total_octets; /* both directions; octets by IP */
	uint64_t age_ns, idle_ns, duration_ns;
};

#define LIVE_FLOW_FIELDS_MAX 64

/* All fields of flows and those above; not registered, as no writer gets any. */
const struct ns_rec_kind *live_flow_kind(void);

/*
 * A table that people can read: some of the fields, and this one, of live_flow_kind(). For as long
 * as the process, since whoever was given a record may keep its kind.
 */
const struct ns_rec_kind *live_flow_list_kind(const struct ns_rec_field *by);

/* What flows may be put in order by: a number; NULL: it is none, or no name. */
const struct ns_rec_field *live_flow_number(const char *name);
/* Name number i of those, and the short words; NULL behind the last. */
const char *live_flow_number_name(unsigned i);

/* At this time, ns since 1970. */
void live_flow_fill(struct live_flow *l, const struct ns_flow_rec *r, uint64_t now);
