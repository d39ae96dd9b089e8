/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * When a packet is due. Always counted from the begin, never from the packet before, so that no
 * error adds up: who is late sends what is due at once until it is where it should be.
 *
 *	as captured   start + (time in the file - time of the first packet) / speed
 *	packets/s     start + n / pps
 *	max           at once
 *
 * Each loop begins where the one before ended: its first packet is due with the last one of that.
 */

#include <ns_base.h>

enum pace_how { PACE_SPEED, PACE_PPS, PACE_MAX };

struct pace {
	enum pace_how how;
	double speed; /* PACE_SPEED: > 0 */
	uint64_t pps; /* PACE_PPS: > 0 */

	uint64_t start_ns; /* monotonic: what is counted from */
	uint64_t first_ns; /* time in the file of the loop's first packet */
	bool any; /* of this loop */
	uint64_t n; /* packets */
	uint64_t due_ns; /* of the last packet */
};

#define PACE_AT_ONCE 0

static inline void pace_begin(struct pace *p, uint64_t now_ns)
{
	p->start_ns = p->due_ns = now_ns;
	p->any = false;
	p->n = 0;
}

static inline void pace_loop(struct pace *p)
{
	p->start_ns = p->how == PACE_SPEED ? p->due_ns : p->start_ns;
	p->any = false;
}

/* When the next packet, which the file has at @p ts_ns, is due: monotonic time, or PACE_AT_ONCE. */
static inline uint64_t pace_due(struct pace *p, uint64_t ts_ns)
{
	uint64_t off = 0;

	if (p->how == PACE_MAX)
		return PACE_AT_ONCE;
	if (!p->any)
		p->first_ns = ts_ns;
	p->any = true;
	if (p->how == PACE_PPS)
		off = (uint64_t)((unsigned __int128)p->n++ * NS_SEC_NS / p->pps);
	else if (ts_ns > p->first_ns)
		off = (uint64_t)((double)(ts_ns - p->first_ns) / p->speed);
	/* what the file has out of order comes in the order of the file */
	p->due_ns = NS_MAX(p->due_ns, p->start_ns + off);
	return p->due_ns;
}
