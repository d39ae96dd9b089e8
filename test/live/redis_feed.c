/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * redis-feed TARGET EPOCHS HOSTS EPOCH_MS PACE_MS [KEY=VALUE]...
 *
 * The writer "redis" without an engine: EPOCHS epochs, each with HOSTS hosts that were never seen
 * before, PACE_MS milliseconds apart, whatever EPOCH_MS says. So an hour of epochs takes a minute.
 * Prints a line of JSON at the end.
 */
#include <ns_conf.h>
#include <ns_node.h>
#include <ns_registry.h>
#include <ns_state.h>
#include <ns_write.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BATCH 64
#define LONG_NS 50000000 /* no put may take longer */

struct row {
	uint64_t start_ns, end_ns, epoch;
	struct ns_ip src_ip;
	uint64_t estimate;
};

#define F(member, t, ...) NS_REC_FIELD(struct row, member, .name = #member, .type = t, __VA_ARGS__)

static const struct ns_rec_field fields[] = {F(start_ns, NS_REC_TIME, .unit = "ns"),
	F(end_ns, NS_REC_TIME, .unit = "ns"), F(epoch, NS_REC_U64, .unit = ""),
	F(src_ip, NS_REC_IP, .flags = NS_REC_KEY, .unit = ""),
	F(estimate, NS_REC_U64, .unit = "octets")};

static const struct ns_rec_kind kind = {.name = "sources",
	.version = 1,
	.size = sizeof(struct row),
	.fields = fields,
	.fields_n = NS_ARRAY_LEN(fields),
	.help = "hosts that are never seen again",
	.ipfix_family_field = -1};

static struct {
	const struct ns_writer_ops *ops;
	struct ns_writer *w;
	uint64_t puts, long_puts, longest_ns;
	uint32_t host;
} feed;

static int put(const struct ns_rec_kind *k, void *records, uint32_t n)
{
	struct ns_batch b = {.kind = k, .n = n, .max = n, .records = records};
	uint64_t start = ns_clock_mono(), took;
	int rc = feed.ops->put(feed.w, &b, NULL);

	took = ns_clock_mono() - start;
	feed.puts++;
	feed.long_puts += took > LONG_NS;
	feed.longest_ns = NS_MAX(feed.longest_ns, took);
	return rc;
}

static int put_hosts(uint64_t epoch, unsigned hosts, uint64_t start_ns, uint64_t end_ns)
{
	struct row rows[BATCH];
	int rc = 0;

	for (unsigned i = 0; i < hosts && rc == 0;) {
		unsigned n = 0;

		for (; n < BATCH && i < hosts; n++, i++) {
			uint32_t h = feed.host++;

			rows[n] = (struct row){start_ns, end_ns, epoch,
				{4, {10, (uint8_t)(h >> 16), (uint8_t)(h >> 8), (uint8_t)h}},
				UINT64_C(1000000000) - i};
		}
		rc = put(&kind, rows, n);
	}
	return rc;
}

static int put_epoch(uint64_t epoch, unsigned hosts, unsigned epoch_ms)
{
	struct ns_counter_rec c = {.name = "ring_full", .drop = 1, .value = epoch};
	struct ns_lcore_rec l = {.lcore = 1, .role = "both", .packets = epoch};
	struct ns_writer_rec w = {.name = "redis", .target = "here", .status = "ok"};
	struct ns_epoch_rec e = {.epoch = epoch, .end_ns = ns_clock_real()};

	e.start_ns = e.end_ns - epoch_ms * UINT64_C(1000000);
	if (put_hosts(epoch, hosts, e.start_ns, e.end_ns) < 0)
		return -1;
	if (put(&ns_counter_rec_kind, &c, 1) < 0 || put(&ns_lcore_rec_kind, &l, 1) < 0 ||
		put(&ns_writer_rec_kind, &w, 1) < 0)
		return -1;
	return put(&ns_epoch_rec_kind, &e, 1);
}

static int run(unsigned epochs, unsigned hosts, unsigned epoch_ms, unsigned pace_ms)
{
	for (unsigned i = 0; i < epochs; i++) {
		uint64_t until = ns_clock_mono() + pace_ms * UINT64_C(1000000);

		if (put_epoch(i, hosts, epoch_ms) < 0)
			return 1;
		do {
			feed.ops->idle(feed.w);
			usleep(500);
		} while (ns_clock_mono() < until);
	}
	return 0;
}

static int fail(const struct ns_err *e)
{
	fprintf(stderr, "redis-feed: %s\n", e->text);
	return 1;
}

int main(int argc, char **argv)
{
	char spec[256];
	struct ns_err e;

	if (argc < 6) {
		fputs("usage: redis-feed TARGET EPOCHS HOSTS EPOCH_MS PACE_MS [KEY=VALUE]...\n",
			stderr);
		return 2;
	}
	unsigned epochs = (unsigned)atoi(argv[2]), hosts = (unsigned)atoi(argv[3]);
	struct ns_writer_args args = {.live = true, .epoch_ms = (uint32_t)atoi(argv[4])};

	if (ns_registry_seal(&e) < 0 || ns_node_init("feed", &e) < 0)
		return fail(&e);
	struct ns_conf *conf =
		ns_conf_load(NULL, (const char *const *)(argv + 6), (size_t)argc - 6, &e);

	if (conf == NULL)
		return fail(&e);
	args.conf = conf;
	snprintf(spec, sizeof(spec), "redis:%s", argv[1]);
	feed.w = ns_writer_open(spec, &args, &feed.ops, &e);
	if (feed.w == NULL)
		return fail(&e);
	int rc = run(epochs, hosts, args.epoch_ms, (unsigned)atoi(argv[5]));
	const struct ns_writer_stats *st = feed.ops->stats(feed.w);

	printf("{\"epochs\": %u, \"hosts\": %u, \"puts\": %" PRIu64 ", \"long_puts\": %" PRIu64
	       ", \"longest_us\": %" PRIu64 ", \"lost\": %" PRIu64 ", \"octets\": %" PRIu64
	       ", \"reconnects\": %" PRIu64 "}\n",
		epochs, feed.host, feed.puts, feed.long_puts, feed.longest_ns / 1000, st->lost,
		st->octets, st->reconnects);
	feed.ops->close(feed.w, NULL);
	ns_conf_destroy(conf);
	return rc;
}
