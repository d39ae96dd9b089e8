/* SPDX-License-Identifier: BSD-3-Clause */
/* Crashes at any point and damage anywhere: what is whole arrives, what is not is counted. */
#include "spool_test_util.h"

#define ENTRIES 9
#define LEN 1200

/* Three segments of three entries of two records, the reader @p done entries on; then a crash. */
static void make(unsigned done)
{
	wipe();
	struct ns_spool *sp = start(8, 4096);

	for (uint64_t i = 0; i < ENTRIES; i++)
		CU_ASSERT_EQUAL(add(sp, 2 * i + 1, 2, LEN), 0);
	for (unsigned i = 0; i < done; i++)
		next(sp);
	CU_ASSERT_EQUAL(ns_spool_commit(sp), 0);
	crash(sp);
}

static void overwrite(uint32_t segment, uint64_t at, const void *what, size_t n)
{
	char path[128];

	segment_path(path, segment);
	int fd = open(path, O_WRONLY);

	CU_ASSERT_TRUE_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(pwrite(fd, what, n, (off_t)at), (ssize_t)n);
	close(fd);
}

static void flip(uint32_t segment, uint64_t at)
{
	char path[128];
	uint8_t octet;

	segment_path(path, segment);
	int fd = open(path, O_RDONLY);

	CU_ASSERT_EQUAL(pread(fd, &octet, 1, (off_t)at), 1);
	close(fd);
	octet ^= 0xa5;
	overwrite(segment, at, &octet, 1);
}

static void cut(uint32_t segment, uint64_t at)
{
	char path[128];

	segment_path(path, segment);
	CU_ASSERT_EQUAL_FATAL(truncate(path, (off_t)at), 0);
}

/* Reads all and appends one more; which entries came, as bits. */
static uint32_t came(struct ns_spool_stats *s)
{
	struct ns_spool *sp = start(8, 4096);
	uint64_t last = 0, first;
	uint32_t bits = 0;

	/* a new entry goes behind whatever is there, and comes last */
	CU_ASSERT_EQUAL(add(sp, 1001, 1, 50), 0);
	while ((first = next(sp)) != 0) {
		CU_ASSERT_TRUE(first > last);
		last = first;
		if (first != 1001)
			bits |= 1u << (first - 1) / 2;
	}
	CU_ASSERT_EQUAL(last, 1001);
	CU_ASSERT_EQUAL(ns_spool_commit(sp), 0);
	*s = stats(sp);
	CU_ASSERT_EQUAL(s->waiting, 0);
	ns_spool_close(sp);
	sp = start(8, 4096);
	CU_ASSERT_EQUAL(stats(sp).found, 0);
	ns_spool_close(sp);
	return bits;
}

#define ENTRY (uint64_t)(32 + LEN)
#define ALL 0777u

/* The last segment ends anywhere: the entries before that place are there, no other. */
static void cut_anywhere(void)
{
	struct ns_spool_stats s;

	for (uint64_t at = 0; at <= 64 + 3 * ENTRY; at += at < 160 ? 1 : 97) {
		uint64_t whole = at < 64 ? 0 : (at - 64) / ENTRY;

		make(0);
		cut(3, at);
		CU_ASSERT_EQUAL(came(&s), (1u << (6 + whole)) - 1);
		/* how many came after the last whole one nobody can know */
		CU_ASSERT_EQUAL(s.damaged, 0);
		CU_ASSERT_EQUAL(s.done, 2 * (6 + whole) + 1);
		CU_ASSERT_EQUAL(s.torn, at > 64 + whole * ENTRY ? 1 : 0);
	}
}

/* A power failure leaves zeros where pages were not written. */
static void zeros_anywhere(void)
{
	static const uint8_t zeros[4096];
	struct ns_spool_stats s;

	for (uint64_t at = 64; at < 64 + 3 * ENTRY; at += 89) {
		uint64_t whole = (at - 64) / ENTRY;

		make(0);
		overwrite(3, at, zeros, 4096 - at);
		CU_ASSERT_EQUAL(came(&s), (1u << (6 + whole)) - 1);
		CU_ASSERT_EQUAL(s.damaged, 0);
		/* zeros from the very end of an entry on can't be told from nothing */
		CU_ASSERT_TRUE(s.torn <= 1);
	}
}

/* One octet is another one: that entry is lost, and counted; all others come. */
static void one_octet(void)
{
	struct ns_spool_stats s;

	for (uint32_t segment = 1; segment <= 3; segment++) {
		for (uint64_t at = 64; at < 64 + 3 * ENTRY; at += 13) {
			unsigned entry = (segment - 1) * 3 + (unsigned)((at - 64) / ENTRY);

			make(0);
			flip(segment, at);
			uint32_t got = came(&s);

			CU_ASSERT_EQUAL(got, ALL & ~(1u << entry));
			/* the very last one: torn, and nobody knows how many it would have been */
			CU_ASSERT_EQUAL(s.damaged, entry == 8 ? 0 : 2);
			CU_ASSERT_EQUAL(s.torn, entry == 8 ? 1 : 0);
		}
	}
}

/* A header that is damaged takes its segment with it. */
static void headers(void)
{
	struct ns_spool_stats s;

	for (uint32_t segment = 1; segment <= 3; segment++) {
		for (uint64_t at = 0; at < 64; at += 5) {
			make(segment == 1 ? 1 : 0);
			flip(segment, at);
			uint32_t got = came(&s);

			CU_ASSERT_EQUAL(
				got, (segment == 1 ? ALL & ~1u : ALL) & ~(7u << 3 * (segment - 1)));
			CU_ASSERT_EQUAL(s.damaged, segment == 1 ? 4 : segment == 2 ? 6 : 0);
			CU_ASSERT_EQUAL(s.full, 0);
		}
	}
}

/* A segment that somebody took away while it runs, or cut short: no signal, counted. */
static void while_it_runs(void)
{
	char path[128];

	wipe();
	struct ns_spool *sp = start(8, 4096);

	for (uint64_t i = 0; i < ENTRIES; i++)
		CU_ASSERT_EQUAL(add(sp, 2 * i + 1, 2, LEN), 0);
	CU_ASSERT_EQUAL(next(sp), 1);
	segment_path(path, 2);
	CU_ASSERT_EQUAL(unlink(path), 0);
	cut(1, 64 + ENTRY + 100);
	ns_spool_rewind(sp);
	CU_ASSERT_EQUAL(next(sp), 1);
	CU_ASSERT_EQUAL(next(sp), 13);
	CU_ASSERT_EQUAL(next(sp), 15);
	CU_ASSERT_EQUAL(next(sp), 17);
	CU_ASSERT_EQUAL(next(sp), 0);
	CU_ASSERT_EQUAL(ns_spool_commit(sp), 0);
	CU_ASSERT_EQUAL(stats(sp).damaged, 10);
	CU_ASSERT_EQUAL(stats(sp).done, 8);
	ns_spool_close(sp);
}

/* Without the state file nothing is known to be done, but whose it is. */
static void no_state(void)
{
	struct ns_spool_stats s;
	char path[128], source[40];

	make(4);
	struct ns_spool *sp = start(8, 4096);

	strcpy(source, ns_spool_source(sp));
	crash(sp);
	snprintf(path, sizeof(path), "%s/state", dir);
	CU_ASSERT_EQUAL(truncate(path, 10), 0);
	sp = start(8, 4096);
	CU_ASSERT_STRING_EQUAL(ns_spool_source(sp), source);
	crash(sp);
	/* the first segment was done and is gone */
	CU_ASSERT_EQUAL(came(&s), ALL & ~7u);
	CU_ASSERT_EQUAL(s.damaged + s.full, 0);
}

/* One of the two slots is always whole; the reader is where one of them says. */
static void torn_state(void)
{
	struct ns_spool_stats s;
	char path[128];

	for (unsigned slot = 0; slot < 2; slot++) {
		for (unsigned at = 0; at < 40; at += 7) {
			make(4);
			snprintf(path, sizeof(path), "%s/state", dir);
			int fd = open(path, O_WRONLY);

			CU_ASSERT_EQUAL(pwrite(fd, "\xa5", 1, 64 + 64 * slot + at), 1);
			close(fd);
			uint32_t got = came(&s);

			CU_ASSERT_TRUE(got == (ALL & ~017u) || got == ALL);
		}
	}
}

/* A segment of another spool under a name of ours is not read. */
static void of_another(void)
{
	struct ns_spool_stats s;
	char path[128], copy[128], cmd[300];

	make(0);
	segment_path(path, 2);
	snprintf(copy, sizeof(copy), "%s/other", root);
	snprintf(cmd, sizeof(cmd), "cp %s %s", path, copy);
	CU_ASSERT_EQUAL(system(cmd), 0);
	make(0);
	CU_ASSERT_EQUAL(rename(copy, path), 0);
	CU_ASSERT_EQUAL(came(&s), ALL & ~070u);
	CU_ASSERT_EQUAL(s.damaged, 6);
}

NS_TEST_MAIN({"cut anywhere", cut_anywhere}, {"zeros anywhere", zeros_anywhere},
	{"one octet", one_octet}, {"headers", headers}, {"while it runs", while_it_runs},
	{"no state", no_state}, {"torn state", torn_state}, {"of another", of_another},
	{"nothing is left", remove_root})
