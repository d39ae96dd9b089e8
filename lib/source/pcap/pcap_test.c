/* SPDX-License-Identifier: BSD-3-Clause */
#include "capture_test.h"

static struct cap c;
static struct got g;

static int file_of(unsigned first_id, unsigned step, unsigned packets, uint32_t t0, uint32_t dt)
{
	cap_init(&c, false);
	pcap_head(&c, 0xa1b23c4d, 2, 4, 65535, 1);
	for (unsigned i = 0; i < packets; i++)
		pcap_record(&c, first_id + i * step, 1, t0 + i * dt, 20 + i % 50, 60, 0);
	return cap_fd(c.b, c.n);
}

static void merge_by_time(void)
{
	int fds[3];

	fds[0] = file_of(0, 3, 300, 0, 3);
	fds[1] = file_of(1, 3, 300, 1, 3);
	fds[2] = file_of(2, 3, 300, 2, 3);
	read_fds(&g, fds, 3, NULL);
	CU_ASSERT_EQUAL(g.n, 900);
	CU_ASSERT_EQUAL(g.status, NS_SOURCE_END);
	for (unsigned i = 0; i < 900; i++) {
		CU_ASSERT_EQUAL(g.p[i].id, (uint8_t)i);
		CU_ASSERT_EQUAL(g.p[i].ts_ns, NS_SEC_NS + i);
		CU_ASSERT_EQUAL(g.p[i].clock_ns, NS_SEC_NS + i);
	}
	for (unsigned i = 0; i < 3; i++)
		close(fds[i]);
}

/* Equal times: first file first, and all of it before the second's. */
static void merge_is_stable(void)
{
	int fds[2];

	fds[0] = file_of(0, 1, 100, 7, 0);
	fds[1] = file_of(100, 1, 100, 7, 0);
	read_fds(&g, fds, 2, NULL);
	CU_ASSERT_EQUAL(g.n, 200);
	for (unsigned i = 0; i < 200; i++)
		CU_ASSERT_EQUAL(g.p[i].id, i);
	close(fds[0]);
	close(fds[1]);
}

/* Within a file its own order stands, even when its times go back; the clock does not. */
static void merge_keeps_order_of_files(void)
{
	static const uint32_t t[2][4] = {{10, 5, 20, 15}, {11, 12, 13, 30}};
	static const uint8_t want[] = {0, 1, 10, 11, 12, 2, 3, 13};
	int fds[2];

	for (unsigned f = 0; f < 2; f++) {
		cap_init(&c, false);
		pcap_head(&c, 0xa1b23c4d, 2, 4, 65535, 1);
		for (unsigned i = 0; i < 4; i++)
			pcap_record(&c, 10 * f + i, 1, t[f][i], 20, 60, 0);
		fds[f] = cap_fd(c.b, c.n);
	}
	read_fds(&g, fds, 2, NULL);
	CU_ASSERT_EQUAL(g.n, 8);
	for (unsigned i = 0; i < 8; i++)
		CU_ASSERT_EQUAL(g.p[i].id, want[i]);
	CU_ASSERT_EQUAL(g.p[1].ts_ns, NS_SEC_NS + 5);
	CU_ASSERT_EQUAL(g.p[1].clock_ns, NS_SEC_NS + 10);
	CU_ASSERT_EQUAL(g.p[6].clock_ns, NS_SEC_NS + 20);
	close(fds[0]);
	close(fds[1]);
}

static void merge_many(void)
{
	int fds[120];
	uint64_t last = 0;

	for (unsigned i = 0; i < NS_ARRAY_LEN(fds); i++)
		fds[i] = file_of(i, 0, 20 + i % 3, i * 7 % 120, 120);
	read_fds(&g, fds, NS_ARRAY_LEN(fds), NULL);
	CU_ASSERT_EQUAL(g.n, 120 * 21);
	for (unsigned i = 0; i < g.n; i++) {
		CU_ASSERT_TRUE(g.p[i].ts_ns >= last);
		last = g.p[i].ts_ns;
	}
	for (unsigned i = 0; i < NS_ARRAY_LEN(fds); i++)
		close(fds[i]);
}

/* Interfaces of merged files are numbered as their packets come; pcap has none. */
static void merge_numbers_interfaces(void)
{
	static const uint16_t want[] = {0, 1, 0, 2, 1, 2};
	int fds[3];

	for (unsigned f = 0; f < 2; f++) {
		cap_init(&c, false);
		ng_section(&c, f, 0);
		ng_interface(&c, 1, 0, 9, 0);
		ng_interface(&c, 1, 0, 9, 0);
		if (f == 0) {
			ng_enhanced(&c, 1, 1, 10, 20, 20);
			ng_enhanced(&c, 3, 0, 30, 20, 20);
			ng_enhanced(&c, 5, 0, 50, 20, 20);
		} else {
			ng_enhanced(&c, 2, 0, 20, 20, 20);
			ng_enhanced(&c, 4, 0, 40, 20, 20);
		}
		fds[f] = cap_fd(c.b, c.n);
	}
	cap_init(&c, false);
	pcap_head(&c, 0xa1b23c4d, 2, 4, 65535, 1);
	pcap_record(&c, 0, 0, 25, 20, 60, 0);
	fds[2] = cap_fd(c.b, c.n);
	read_fds(&g, fds, 3, NULL);
	CU_ASSERT_EQUAL(g.n, 6);
	for (unsigned i = 0; i < 6; i++)
		CU_ASSERT_EQUAL(g.p[i].port, want[i]);
	for (unsigned i = 0; i < 3; i++)
		close(fds[i]);
}

/* One of three is cut: the others are read to their ends, the message is about that one. */
static void damaged_among_others(void)
{
	char name[64];
	int fds[3];

	fds[0] = file_of(0, 0, 50, 0, 2);
	fds[1] = file_of(1, 0, 50, 1, 2);
	CU_ASSERT_EQUAL(ftruncate(fds[1], 24 + 16 + 20 + 5), 0);
	fds[2] = file_of(2, 0, 50, 1, 2);
	read_fds(&g, fds, 3, NULL);
	CU_ASSERT_EQUAL(g.n, 101);
	CU_ASSERT_EQUAL(g.status, NS_SOURCE_DAMAGED);
	snprintf(name, sizeof(name), "/proc/self/fd/%d: octet 60: ", fds[1]);
	CU_ASSERT_EQUAL(strncmp(g.message, name, strlen(name)), 0);
	/* Two are cut: a line each. */
	CU_ASSERT_EQUAL(ftruncate(fds[2], 24 + 3), 0);
	read_fds(&g, fds, 3, NULL);
	CU_ASSERT_EQUAL(g.n, 51);
	CU_ASSERT_PTR_NOT_NULL_FATAL(strchr(g.message, '\n'));
	CU_ASSERT_PTR_NOT_NULL(strstr(g.message, "octet 60: "));
	CU_ASSERT_PTR_NOT_NULL(strstr(g.message, "octet 24: "));
	/* What is no capture at all is refused. */
	CU_ASSERT_EQUAL(pwrite(fds[1], "text", 4, 0), 4);
	read_fds(&g, fds, 3, NULL);
	CU_ASSERT_FALSE(g.opened);
	for (unsigned i = 0; i < 3; i++)
		close(fds[i]);
}

/* Messages end at the room there is for them, whole lines only. */
static void many_messages(void)
{
	int fds[200];
	size_t n;

	for (unsigned i = 0; i < NS_ARRAY_LEN(fds); i++) {
		fds[i] = file_of(i, 0, 1, i, 1);
		CU_ASSERT_EQUAL(ftruncate(fds[i], 30), 0);
	}
	read_fds(&g, fds, NS_ARRAY_LEN(fds), NULL);
	CU_ASSERT_EQUAL(g.n, 0);
	CU_ASSERT_EQUAL(g.status, NS_SOURCE_DAMAGED);
	n = strlen(g.message);
	CU_ASSERT_TRUE(n > 7000 && n < 8192);
	CU_ASSERT_PTR_NULL(strstr(g.message, "\n\n"));
	for (unsigned i = 0; i < NS_ARRAY_LEN(fds); i++)
		close(fds[i]);
}

/* Slots go round several times while up to 96 packets are on their way. */
static void blocks_are_held(void)
{
	static const struct how how = {
		.block = 200, .burst = 32, .hold = true, .stubborn = 30000, .blocks = true};
	char name[32];
	const char *path[2] = {name, name};
	int fd;

	cap_init(&c, true);
	pcap_head(&c, 0xa1b2c3d4, 2, 4, 65535, 1);
	for (unsigned i = 0; i < 4000; i++)
		pcap_record(&c, i, i, 0, i * 37 % 150, 60, 0);
	fd = cap_fd(c.b, c.n);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	read_paths(&g, path, 1, NULL, &how);
	CU_ASSERT_EQUAL(g.n, 4000);
	for (unsigned i = 0; i < 4000; i++)
		CU_ASSERT_EQUAL(g.p[i].caplen, i * 37 % 150);
	read_paths(&g, path, 2, NULL, &how);
	CU_ASSERT_EQUAL(g.n, 8000);
	close(fd);
}

static void no_mark(void *ctx, unsigned slot)
{
}

static bool never(void *ctx, unsigned slot)
{
	return false;
}

/*
 * A pool that runs dry delays packets and loses none. With a hold packets may stay out for as long
 * as they like; without one they are done when the next are asked for, and no pool is too small.
 */
static void pool_runs_dry(void)
{
	struct rte_mempool *small = rte_pktmbuf_pool_create("small", 7, 0, NS_PACKET_PRIV, 128, 0);
	const struct ns_source_ops *ops = pcap_ops();
	struct rte_mbuf *m[256];
	char name[32];
	const char *path[2] = {name, name};
	int fd = file_of(0, 1, 100, 0, 1);

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	for (unsigned k = 0; k < 4; k++) {
		unsigned files = 1 + k / 2;
		bool hold = k % 2 != 0;
		struct ns_source_args a = {.targets = path, .targets_n = files, .pool = small};
		struct ns_err e;

		if (hold)
			a.hold = (struct ns_source_hold){.mark = no_mark, .passed = never};
		struct ns_source *s = ops->open(&a, &e);
		unsigned n = 0, have = 0;

		CU_ASSERT_PTR_NOT_NULL_FATAL(s);
		while (ops->status(s) == NS_SOURCE_MORE) {
			uint16_t got = ops->burst(s, 0, m + have, 32);

			n += got;
			have += got;
			CU_ASSERT_TRUE(have <= 7);
			if (got == 0 || !hold) {
				ops->release(s, m, (uint16_t)have);
				have = 0;
			}
		}
		CU_ASSERT_EQUAL(n, 100 * files);
		ops->close(s);
		CU_ASSERT_EQUAL(rte_mempool_avail_count(small), 7);
	}
	rte_mempool_free(small);
	close(fd);
}

static void bound(void)
{
	const struct ns_source_ops *ops = pcap_ops();
	const char *path[2];
	char name[2][32];
	int fds[2];
	uint64_t one;

	fds[0] = file_of(0, 0, 100, 0, 1);
	fds[1] = file_of(0, 0, 50, 0, 1);
	for (unsigned i = 0; i < 2; i++) {
		snprintf(name[i], sizeof(name[i]), "/proc/self/fd/%d", fds[i]);
		path[i] = name[i];
	}
	one = ops->packets_bound(path, 1);
	CU_ASSERT_TRUE(one >= 100 && one < 400);
	CU_ASSERT_TRUE(ops->packets_bound(path, 2) >= one + 50);
	path[1] = "-";
	CU_ASSERT_EQUAL(ops->packets_bound(path, 2), 0);
	path[1] = "/nonexistent";
	CU_ASSERT_EQUAL(ops->packets_bound(path, 2), 0);
	CU_ASSERT_EQUAL(pwrite(fds[0], "\x1f\x8b", 2, 0), 2);
	CU_ASSERT_EQUAL(ops->packets_bound(path, 1), 0);
	close(fds[0]);
	close(fds[1]);
}

static void nothing_to_read(void)
{
	struct ns_source_args a = {.targets_n = 0, .pool = pool()};
	struct ns_err e;

	CU_ASSERT_PTR_NULL(pcap_ops()->open(&a, &e));
	CU_ASSERT_EQUAL(errno, EINVAL);
	pcap_ops()->close(NULL);
	CU_ASSERT_FALSE(pcap_ops()->live);
}

NS_TEST_MAIN({"merge by time", merge_by_time}, {"merge is stable", merge_is_stable},
	{"merge keeps the order of files", merge_keeps_order_of_files}, {"merge many", merge_many},
	{"merge numbers interfaces", merge_numbers_interfaces},
	{"a damaged file among others", damaged_among_others}, {"many messages", many_messages},
	{"blocks are held", blocks_are_held}, {"a pool that runs dry", pool_runs_dry},
	{"bound of packets", bound}, {"nothing to read", nothing_to_read})
