/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Reads one input three times, in different ways that must give the same packets: blocks of the
 * usual size without a hold, tiny blocks with one, so that records straddle them, and mapped from
 * behind a tiny block. All octets are touched.
 */

#include "pcap_priv.h"

#include <rte_eal.h>
#include <rte_mbuf.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void fuzz_mark(void *ctx, unsigned slot)
{
	(void)ctx;
	if (slot >= NS_SOURCE_SLOTS)
		abort();
}

static inline bool fuzz_passed(void *ctx, unsigned slot)
{
	(void)ctx;
	if (slot >= NS_SOURCE_SLOTS)
		abort();
	return true;
}

static inline const struct ns_source_ops *fuzz_ops(struct rte_mempool **pool)
{
	static char *argv[] = {(char *)"fuzz", (char *)"--no-huge", (char *)"--no-pci",
		(char *)"--no-telemetry", (char *)"--no-shconf", (char *)"-m", (char *)"64",
		(char *)"--lcores", (char *)"0@0", (char *)"--log-level", (char *)"error", NULL};
	static const struct ns_source_ops *ops;
	static struct rte_mempool *mp;

	if (ops == NULL) {
		struct ns_err e;

		if (rte_eal_init((int)NS_ARRAY_LEN(argv) - 1, argv) < 0 || ns_registry_seal(&e) < 0)
			abort();
		ops = ns_plugin_find(NS_SOURCE_KIND, "pcap")->ops;
		mp = rte_pktmbuf_pool_create("pool", 511, 0, NS_PACKET_PRIV, 128, 0);
	}
	*pool = mp;
	return ops;
}

struct fuzz_sum {
	bool opened;
	uint64_t packets, filtered, octets, hash;
	enum ns_source_status status;
};

static inline void fuzz_read(struct fuzz_sum *sum, const char *const *paths, unsigned n,
	const char *filter, bool small, bool mapping)
{
	struct ns_source_args a = {.targets = paths, .targets_n = n, .filter = filter};
	const struct ns_source_ops *ops = fuzz_ops(&a.pool);
	struct ns_source_stats stats;
	struct rte_mbuf *m[32];
	struct ns_source *s;
	uint64_t clock = 0;
	struct ns_err e;
	uint16_t k;

	*sum = (struct fuzz_sum){.opened = false};
	if (small)
		a.hold = (struct ns_source_hold){.mark = fuzz_mark, .passed = fuzz_passed};
	ns_pcap_block_octets = small ? 64 : 65536;
	ns_pcap_mapping = mapping;
	s = ops->open(&a, &e);
	if (s == NULL)
		return;
	sum->opened = true;
	while ((k = ops->burst(s, 0, m, small ? 5 : 32)) > 0 || ops->status(s) == NS_SOURCE_MORE) {
		for (uint16_t i = 0; i < k; i++) {
			const struct ns_packet *p = ns_packet(m[i]);
			const uint8_t *d = ns_packet_data(m[i]);

			if (p->caplen > 65535 || p->caplen != m[i]->data_len ||
				p->clock_ns < clock || p->ts_ns > p->clock_ns)
				abort();
			clock = p->clock_ns;
			for (uint32_t j = 0; j < p->caplen; j++)
				sum->hash = sum->hash * 31 + d[j];
			sum->hash += p->ts_ns ^ p->wirelen ^ (uint64_t)p->linktype << 32 ^
				     (uint64_t)p->port << 48;
		}
		sum->packets += k;
		ops->release(s, m, k);
	}
	sum->status = ops->status(s);
	ops->stats(s, &stats);
	sum->filtered = stats.filtered;
	sum->octets = stats.octets;
	if (stats.packets != sum->packets + stats.filtered ||
		(sum->status == NS_SOURCE_DAMAGED && ops->message(s)[0] == 0))
		abort();
	ops->close(s);
}

/* @p size octets at @p data, with @p head in the place of the first head_len when it is not 0. */
static inline void fuzz_both(const uint8_t *data, size_t size, const uint8_t *head, size_t head_len)
{
	static const char *const filters[] = {NULL, NULL, "udp port 53", "ip or greater 100"};
	static const char *path[2];
	static char name[64];
	static int fd = -1;
	struct fuzz_sum sum[3];
	const char *filter = filters[size % NS_ARRAY_LEN(filters)];
	unsigned n = 1 + size / 4 % 2; /* alone, or merged with itself */

	if (fd < 0) {
		fd = memfd_create("fuzz", MFD_CLOEXEC);
		snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
		path[0] = path[1] = name;
	}
	if (fd < 0 || ftruncate(fd, 0) < 0 || pwrite(fd, data, size, 0) != (ssize_t)size ||
		pwrite(fd, head, head_len, 0) != (ssize_t)head_len)
		abort();
	for (unsigned i = 0; i < 3; i++) {
		const struct fuzz_sum *a = &sum[0], *b = &sum[i];

		fuzz_read(&sum[i], path, n, filter, i > 0, i > 1);
		if (a->opened != b->opened || a->packets != b->packets || a->hash != b->hash ||
			a->filtered != b->filtered || a->octets != b->octets ||
			a->status != b->status)
			abort();
	}
}
