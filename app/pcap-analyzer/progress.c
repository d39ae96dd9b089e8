/* SPDX-License-Identifier: BSD-3-Clause */
#include "progress.h"

#include <stdio.h>

void progress_init(struct progress *p, bool on)
{
	*p = (struct progress){.on = on, .start_ns = ns_clock_mono()};
	p->last_ns = p->start_ns;
}

void progress_tick(void *ctx, struct ns_engine *en, bool last)
{
	struct progress *p = ctx;
	static struct ns_engine_stats s; /* large; main thread only */
	char packets[32], rate[32], left[32], share[48] = "";

	if (!p->on)
		return;
	if (last) {
		if (p->shown)
			fputs("\r\033[K", stderr);
		p->shown = false;
		return;
	}
	ns_engine_stats(en, &s);
	uint64_t now = ns_clock_mono();
	double dt = (double)(now - p->last_ns) / 1e9;
	double elapsed = (double)(now - p->start_ns) / 1e9;
	double pps = dt > 0 ? (double)(s.received - p->last_packets) / dt : 0;

	if (s.bytes_total > 0 && s.bytes_read > 0 && s.bytes_read <= s.bytes_total) {
		double done = (double)s.bytes_read / (double)s.bytes_total;

		snprintf(share, sizeof(share), " · %.0f %% · %s left", done * 100,
			ns_fmt_seconds(left, sizeof(left), elapsed * (1 - done) / done));
	}
	fprintf(stderr, "\r\033[K%s packets · %s packets/s%s",
		ns_fmt_count(packets, sizeof(packets), (double)s.received),
		ns_fmt_count(rate, sizeof(rate), pps), share);
	fflush(stderr);
	p->last_packets = s.received;
	p->last_ns = now;
	p->shown = true;
}
