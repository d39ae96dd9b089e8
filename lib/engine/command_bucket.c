/* SPDX-License-Identifier: BSD-3-Clause */
/* show buckets: how the packets of each RX lcore are dealt out. Main thread; reads relaxed. */
#include "command_priv.h"
#include "engine_priv.h"

#include <rte_ring.h>

struct bucket_rec {
	uint32_t rx_lcore, worker, lcore;
	uint32_t buckets;
	double share;
	uint64_t sent, ring_full;
	uint64_t ring_used, ring_size;
};

#define F(m, ...) NS_REC_FIELD(struct bucket_rec, m, .name = #m, __VA_ARGS__)
#define NO_IE .flags = NS_REC_NO_EXPORT
#define IS_KEY .flags = NS_REC_KEY | NS_REC_NO_EXPORT

static const struct ns_rec_field fields[] = {
	F(rx_lcore, .type = NS_REC_U32, IS_KEY, .help = "who deals out"),
	F(worker, .type = NS_REC_U32, IS_KEY, .help = "number among the analysis lcores"),
	F(lcore, .type = NS_REC_U32, NO_IE, .help = "who analyses"),
	F(buckets, .type = NS_REC_U32, NO_IE, .unit = "buckets", .help = "of dispatch.buckets"),
	F(share, .type = NS_REC_F64, NO_IE, .unit = "%", .help = "of this RX lcore's packets"),
	F(sent, .type = NS_REC_U64, NO_IE, .unit = "packets", .help = "since the start"),
	F(ring_full, .type = NS_REC_U64, NO_IE, .unit = "packets",
		.help = "dropped since the start, as there was no room in the ring"),
	F(ring_used, .type = NS_REC_U64, NO_IE, .unit = "packets", .help = "wait in it now"),
	F(ring_size, .type = NS_REC_U64, NO_IE, .unit = "packets", .help = "may wait in it"),
};

static const struct ns_rec_kind bucket_kind = {
	.name = "buckets",
	.version = 1,
	.size = sizeof(struct bucket_rec),
	.fields = fields,
	.fields_n = NS_ARRAY_LEN(fields),
	.help = "what one RX lcore hands to one analysis lcore",
	.ipfix_family_field = -1,
};

static void put(struct ns_command_call *c, const struct lcore *rx, const struct lcore *to)
{
	const struct ns_engine *en = rx->en;
	struct bucket_rec r = {.rx_lcore = rx->id, .worker = to->index, .lcore = to->id};
	uint64_t all = 0;

	for (uint32_t b = 0; b < en->dispatch_conf->buckets; b++)
		r.buckets += ns_dispatch_worker(rx->dispatch, b) == to->index;
	for (unsigned w = 0; w < en->workers; w++)
		all += ns_dispatch_sent(rx->dispatch, w);
	r.sent = ns_dispatch_sent(rx->dispatch, to->index);
	r.share = all > 0 ? 100 * (double)r.sent / (double)all : 0;
	r.ring_full = ns_dispatch_dropped(rx->dispatch, to->index);
	if (to->in[rx->index] != NULL) {
		r.ring_used = ring_fill(to->in[rx->index]);
		r.ring_size = rte_ring_get_capacity(to->in[rx->index]);
	}
	ns_command_record(c, &bucket_kind, &r);
}

static int show_buckets(struct ns_command_call *c, struct ns_err *e)
{
	const struct ns_engine *en = c->engine;

	if (en == NULL)
		return ns_fail(e, ENOENT, "no engine runs");
	if (en->rtc) {
		ns_command_text(
			c, "each lcore reads and analyses its own queue: the port deals out");
		return 0;
	}
	for (unsigned i = 0; i < en->lcores_n; i++) {
		for (unsigned k = 0; k < en->lcores_n; k++) {
			if (en->lcores[i].dispatch != NULL && en->lcores[k].role == ROLE_ANALYSIS)
				put(c, &en->lcores[i], &en->lcores[k]);
		}
	}
	return 0;
}

static struct ns_command buckets = {.name = "show buckets",
	.help = "how RX lcores deal packets out to analysis lcores",
	.run = show_buckets};
NS_COMMAND_REGISTER(buckets)
