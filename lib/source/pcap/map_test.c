/* SPDX-License-Identifier: BSD-3-Clause */
/* Mapped files: the same packets as by blocks, and what happens when the file changes under us. */
#include "capture_test.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define LEN 250
#define RECORD (16 + LEN)

static struct cap c;
static struct got g, other;

/* The first megabyte is written once, and then again and again. */
static int large(unsigned times, bool ng)
{
	int fd;

	cap_init(&c, false);
	if (ng) {
		ng_section(&c, false, 0);
		ng_interface(&c, 1, 65535, 9, 0);
	} else {
		pcap_head(&c, 0xa1b23c4d, 2, 4, 65535, 1);
	}
	size_t head = c.n;

	for (unsigned i = 0; c.n + 1000 < sizeof(c.b); i++) {
		if (ng)
			ng_enhanced(&c, i, 0, 5000000000 + i, LEN, LEN);
		else
			pcap_record(&c, i, 5, i, LEN, LEN, 0);
	}
	fd = cap_fd(c.b, c.n);
	for (unsigned i = 1; i < times; i++)
		CU_ASSERT_EQUAL_FATAL(write(fd, c.b + head, c.n - head), (ssize_t)(c.n - head));
	return fd;
}

static const char *name_of(int fd)
{
	static char name[32];

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	return name;
}

/* Many windows, alone and merged with itself. */
static void same_as_blocks(void)
{
	static const struct how hows[] = {{.burst = 32}, {.burst = 32, .hold = true},
		{.block = 4096, .burst = 256, .hold = true, .stubborn = 100}};

	for (unsigned k = 0; k < 4; k++) {
		int fd = large(4, k % 2 != 0);
		const char *const path[2] = {name_of(fd), name_of(fd)};
		unsigned n = 1 + k / 2;
		struct how blocks = {.burst = 32, .blocks = true};

		read_paths(&g, path, n, NULL, &blocks);
		CU_ASSERT(g.n > n * 13000);
		CU_ASSERT_EQUAL(g.status, NS_SOURCE_END);
		for (size_t i = 0; i < NS_ARRAY_LEN(hows); i++) {
			read_paths(&other, path, n, NULL, &hows[i]);
			CU_ASSERT_EQUAL(other.n, g.n);
			CU_ASSERT_EQUAL(memcmp(other.p, g.p, sizeof(g.p)), 0);
			CU_ASSERT_EQUAL(other.status, g.status);
			CU_ASSERT_STRING_EQUAL(other.message, "");
			CU_ASSERT_EQUAL(memcmp(&other.stats, &g.stats, sizeof(g.stats)), 0);
			CU_ASSERT_EQUAL(other.stats.bytes_read, other.stats.bytes_total);
		}
		close(fd);
	}
}

/* What is behind is given back: a large file does not have to fit into memory. */
static void little_memory(void)
{
	int fd = large(64, false);
	const char *const path[1] = {name_of(fd)};
	struct ns_source_args a = {.targets = path, .targets_n = 1, .pool = pool()};
	const struct ns_source_ops *ops = pcap_ops();
	struct rte_mbuf *m[32];
	struct ns_err e;
	struct ns_source *s = ops->open(&a, &e);
	size_t most = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	while (s != NULL && ops->burst(s, 0, m, 32) > 0) {
		const struct ns_pcap_map *map = &s->readers[0]->map;

		CU_ASSERT_PTR_NOT_NULL_FATAL(map->base);
		most = NS_MAX(most, map->end - map->dropped);
	}
	CU_ASSERT_EQUAL(ops->status(s), NS_SOURCE_END);
	CU_ASSERT(most > 0);
	CU_ASSERT(most <= (size_t)8 << 20);
	ops->close(s);
	close(fd);
}

/* Opens, reads @p first packets, makes the file @p size octets long and reads the rest. */
static unsigned cut_while_read(int fd, size_t block, unsigned first, size_t size, bool touch)
{
	const char *const path[1] = {name_of(fd)};
	struct ns_source_args a = {.targets = path, .targets_n = 1, .pool = pool()};
	const struct ns_source_ops *ops = pcap_ops();
	size_t usual = ns_pcap_block_octets;
	unsigned n = 0, bad = 0;
	struct rte_mbuf *m[32];
	struct ns_err e;
	uint16_t k;

	ns_pcap_block_octets = block;
	struct ns_source *s = ops->open(&a, &e);

	ns_pcap_block_octets = usual;
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	while ((k = ops->burst(s, 0, m, 32)) > 0) {
		bool now = n <= first && n + k > first;

		if (now)
			CU_ASSERT_EQUAL_FATAL(ftruncate(fd, (off_t)size), 0);
		for (uint16_t i = 0; i < k; i++, n++) {
			const uint8_t *d = ns_packet_data(m[i]);
			/* those in the page that holds the end may be zeros, or what was there */
			bool there = 24 + (uint64_t)(n + 1) * RECORD <= size;

			if (m[i]->data_len != LEN || ns_packet(m[i])->caplen != LEN)
				bad++;
			for (uint32_t j = 0; (there || touch) && j < LEN; j++)
				bad += there && d[j] != pattern(d[0], j);
		}
		ops->release(s, m, k);
	}
	CU_ASSERT_EQUAL(bad, 0);
	g.status = ops->status(s);
	snprintf(g.message, sizeof(g.message), "%s", ops->message(s));
	ops->stats(s, &g.stats);
	CU_ASSERT_EQUAL(g.stats.packets, n);
	CU_ASSERT_EQUAL(g.stats.octets, (uint64_t)n * LEN);
	ops->close(s);
	CU_ASSERT_TRUE(pool_is_whole());
	return n;
}

/* The end comes into sight when the next window is asked for, and is where the file says it is. */
static void shorter_ahead(void)
{
	for (unsigned odd = 0; odd < 2; odd++) {
		int fd = large(4, false);
		size_t size = 24 + 9000 * RECORD + odd * 100;
		unsigned n = cut_while_read(fd, 4096, 2000, size, true);

		CU_ASSERT_EQUAL(n, 9000);
		/* whether the page that holds the end was there already is chance */
		if (odd || g.status != NS_SOURCE_END)
			CU_ASSERT_EQUAL(g.status, NS_SOURCE_DAMAGED);
		if (g.status == NS_SOURCE_DAMAGED)
			CU_ASSERT(strstr(g.message, "ends inside a record: 100 of") != NULL ||
				  strstr(g.message, "became shorter") != NULL);
		close(fd);
	}
}

/* The window is there already and is taken away. */
static void shorter_within(void)
{
	static const size_t sizes[] = {0, 10, 4096, 300000, 400001, 800000};

	for (size_t i = 0; i < NS_ARRAY_LEN(sizes); i++) {
		int fd = large(1, false);
		unsigned n = cut_while_read(fd, 262144, 1200, sizes[i], true);
		unsigned there = (unsigned)(sizes[i] / RECORD);

		CU_ASSERT(n >= NS_MIN(there, 3000u));
		CU_ASSERT(n <= NS_MAX(there + 4096 / RECORD + 2, 1200u + 64));
		CU_ASSERT_EQUAL(g.status, NS_SOURCE_DAMAGED);
		CU_ASSERT_PTR_NOT_NULL(strstr(g.message, "became shorter"));
		close(fd);
	}
}

/* Others' SIGBUS is theirs, while a file is mapped and afterwards. */
static void signals(void)
{
	struct sigaction was, now;
	const char *path[1];
	int fd = large(2, false);
	struct ns_err e;

	path[0] = name_of(fd);
	CU_ASSERT_EQUAL(sigaction(SIGBUS, NULL, &was), 0);
	for (unsigned k = 0; k < 2; k++) {
		struct ns_source_args a = {.targets = path, .targets_n = 1, .pool = pool()};
		struct ns_source *s = pcap_ops()->open(&a, &e);
		int status;

		CU_ASSERT_PTR_NOT_NULL_FATAL(s);
		if (k == 1)
			pcap_ops()->close(s);
		pid_t child = fork();

		if (child == 0) {
			const struct rlimit none = {0};
			int empty = memfd_create("empty", MFD_CLOEXEC);
			volatile uint8_t *p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, empty, 0);

			setrlimit(RLIMIT_CORE, &none);
			_exit(p[0]);
		}
		CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
		CU_ASSERT(WIFSIGNALED(status) || WEXITSTATUS(status) != 0);
		if (k == 0)
			pcap_ops()->close(s);
		CU_ASSERT_EQUAL(sigaction(SIGBUS, NULL, &now), 0);
		CU_ASSERT(now.sa_handler == was.sa_handler);
	}
	close(fd);
}

/* Standard input that is a file, read from where it stands. */
static void in_the_middle(void)
{
	static const struct how how = {.burst = 32};
	static const char *const dash[] = {"-"};
	int saved = dup(STDIN_FILENO), fd = large(2, false);
	const char *path[1] = {name_of(fd)};

	read_paths(&g, path, 1, NULL, &how);
	for (unsigned k = 0; k < 2; k++) {
		int in = memfd_create("in", MFD_CLOEXEC);
		struct stat sb;

		CU_ASSERT_EQUAL(ftruncate(in, k * 777), 0);
		CU_ASSERT_EQUAL(lseek(in, 0, SEEK_END), k * 777);
		CU_ASSERT_EQUAL(lseek(fd, 0, SEEK_SET), 0);
		CU_ASSERT_EQUAL(fstat(fd, &sb), 0);
		for (off_t at = 0; at < sb.st_size;) {
			ssize_t n = pread(fd, c.b, sizeof(c.b), at);

			CU_ASSERT_FATAL(n > 0 && write(in, c.b, (size_t)n) == n);
			at += n;
		}
		CU_ASSERT_EQUAL(lseek(in, k * 777, SEEK_SET), k * 777);
		dup2(in, STDIN_FILENO);
		close(in);
		read_paths(&other, dash, 1, NULL, &how);
		CU_ASSERT_EQUAL(other.n, g.n);
		CU_ASSERT_EQUAL(memcmp(other.p, g.p, sizeof(g.p)), 0);
		CU_ASSERT_EQUAL(other.status, NS_SOURCE_END);
	}
	dup2(saved, STDIN_FILENO);
	close(saved);
	close(fd);
}

NS_TEST_MAIN({"the same as by blocks", same_as_blocks}, {"little memory", little_memory},
	{"a file made shorter, ahead", shorter_ahead},
	{"a file made shorter, within the window", shorter_within}, {"signals", signals},
	{"from the middle of standard input", in_the_middle})
