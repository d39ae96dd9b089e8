/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Connections whose segments are made of the input, eight octets each: offsets count on without a
 * hole, nothing comes behind an end, and nothing stays in the pool.
 */
#include <ns_stream.h>

#include <stdlib.h>
#include <string.h>

#define SEGMENT 8
#define CONNECTIONS 3

struct went {
	uint64_t next[2];
	bool over[2];
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool on_data(void *ctx, unsigned dir, const struct ns_stream_data *d)
{
	struct went *w = ctx;
	volatile uint8_t sum = 0;

	if (w->over[dir] || d->off != w->next[dir] || d->len == 0)
		abort();
	for (uint32_t i = 0; i < d->len; i++)
		sum = (uint8_t)(sum + d->data[i]);
	w->next[dir] += d->len;
	w->over[dir] = w->next[dir] > 300000;
	return !w->over[dir];
}

static bool on_gap(void *ctx, unsigned dir, uint64_t off, uint64_t len)
{
	struct went *w = ctx;

	if (w->over[dir] || off != w->next[dir] || len == 0)
		abort();
	w->next[dir] += len;
	return true;
}

static void on_end(void *ctx, unsigned dir, uint64_t off, enum ns_stream_end how)
{
	struct went *w = ctx;

	if (w->over[dir] || off != w->next[dir] || how > NS_STREAM_CUT)
		abort();
	w->over[dir] = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct ns_stream_ops ops = {on_data, on_gap, on_end};
	static const uint8_t octets[2048];
	struct ns_stream_conf conf = {.memory = 16 << 10,
		.held = 8 << 10,
		.window = 20000,
		.packets = 6,
		.wait_ms = 50,
		.overlap = size % 2 == 0 ? NS_STREAM_FIRST_WINS : NS_STREAM_LAST_WINS};
	struct ns_stream_pool *p = ns_stream_pool_create(&conf, &ops, false);
	struct ns_stream s[CONNECTIONS];
	struct went w[CONNECTIONS];
	struct ns_stream_stats st;
	uint64_t clock = 0;

	if (p == NULL)
		return 0;
	memset(s, 0, sizeof(s));
	memset(w, 0, sizeof(w));
	for (; size >= SEGMENT; data += SEGMENT, size -= SEGMENT) {
		unsigned i = (data[0] & 0x7f) % CONNECTIONS;
		uint32_t near = (uint32_t)(data[2] << 8 | data[3]);

		clock += data[7];
		struct ns_stream_segment g = {.data = octets,
			.len = (uint32_t)data[4] << (data[5] & 3),
			.seq = (data[1] & 1) != 0 ? near << 16 : near - 0x4000,
			.ack = (uint32_t)data[6] << 8,
			.flags = data[5],
			.dir = data[0] >> 7,
			.ts_ns = clock * 1000000,
			.clock_ns = clock * 1000000};

		g.caplen = (data[1] & 2) != 0 ? g.len / 2 : g.len;
		ns_stream_segment(p, &s[i], &g, &w[i]);
		if ((data[1] & 0xf0) == 0xf0) {
			ns_stream_cut(p, &s[i], &w[i]);
			memset(&w[i], 0, sizeof(w[i]));
		}
	}
	for (unsigned i = 0; i < CONNECTIONS; i++)
		ns_stream_cut(p, &s[i], &w[i]);
	ns_stream_pool_stats(p, &st);
	if (st.chunks_used != 0)
		abort();
	ns_stream_pool_destroy(p);
	return 0;
}
