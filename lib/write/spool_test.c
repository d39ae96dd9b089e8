/* SPDX-License-Identifier: BSD-3-Clause */
#include "spool_test_util.h"

#include <ns_test_alloc.h>

#include <signal.h>
#include <sys/resource.h>

static void checksum(void)
{
	static const uint8_t zeros[32];
	uint8_t all[257];

	/* RFC 3720 B.4, and the usual check value */
	CU_ASSERT_EQUAL(ns_crc32c(0, "123456789", 9), 0xe3069283u);
	CU_ASSERT_EQUAL(ns_crc32c(0, zeros, 32), 0x8a9136aau);
	for (unsigned i = 0; i < sizeof(all); i++)
		all[i] = (uint8_t)(i * 7 + 3);
	for (unsigned n = 0; n < sizeof(all); n++) {
		uint32_t crc = ns_crc32c(0, all, n);

		CU_ASSERT_EQUAL(crc, ~spool_crc_table(~0u, all, n));
		CU_ASSERT_EQUAL(crc, ns_crc32c(ns_crc32c(0, all, n / 3), all + n / 3, n - n / 3));
	}
}

static void in_order(void)
{
	uint64_t n = 1, got = 1;

	wipe();
	struct ns_spool *sp = start(64, 65536);

	CU_ASSERT_EQUAL(next(sp), 0);
	for (unsigned i = 0; i < 500; i++) {
		uint32_t records = 1 + i % 7;

		CU_ASSERT_EQUAL(add(sp, n, records, 16 + i), 0);
		n += records;
		if (i % 3 == 0) {
			uint64_t first = next(sp);

			CU_ASSERT_EQUAL(first, got);
			got += 1 + i / 3 % 7;
		}
	}
	CU_ASSERT_EQUAL(stats(sp).waiting, n - 1);
	for (uint64_t first; (first = next(sp)) != 0;) {
		CU_ASSERT_TRUE(first >= got);
		got = first;
	}
	CU_ASSERT_EQUAL(ns_spool_commit(sp), 0);
	CU_ASSERT_EQUAL(stats(sp).done, n - 1);
	CU_ASSERT_EQUAL(stats(sp).waiting, 0);
	CU_ASSERT_EQUAL(ns_spool_append(sp, NULL, 0, 0, 0), -EINVAL);
	ns_spool_close(sp);
}

/* What was read and not committed comes again, with the same numbers; also after a restart. */
static void again(void)
{
	struct ns_spool_entry a, b;

	wipe();
	struct ns_spool *sp = start(4, 65536);

	for (uint64_t i = 1; i <= 10; i++)
		add(sp, i, 1, 100);
	CU_ASSERT_EQUAL(ns_spool_read(sp, &a), 1);
	CU_ASSERT_EQUAL(a.seq, 1);
	ns_spool_rewind(sp);
	CU_ASSERT_EQUAL(next(sp), 1);
	CU_ASSERT_EQUAL(next(sp), 2);
	CU_ASSERT_EQUAL(ns_spool_commit(sp), 0);
	CU_ASSERT_EQUAL(ns_spool_read(sp, &a), 1);
	ns_spool_rewind(sp);
	CU_ASSERT_EQUAL(stats(sp).waiting, 8);

	char source[40];

	strcpy(source, ns_spool_source(sp));
	CU_ASSERT_EQUAL(strlen(source), 32);
	ns_spool_close(sp);
	sp = start(4, 65536);
	CU_ASSERT_STRING_EQUAL(ns_spool_source(sp), source);
	CU_ASSERT_EQUAL(stats(sp).found, 8);
	CU_ASSERT_EQUAL(ns_spool_read(sp, &b), 1);
	CU_ASSERT_EQUAL(a.seq, b.seq);
	/* an orderly end leaves no gap in the numbers */
	add(sp, 11, 1, 100);
	for (uint64_t i = 4; i <= 11; i++)
		CU_ASSERT_EQUAL(next(sp), i);
	ns_spool_rewind(sp);
	while (ns_spool_read(sp, &b) == 1)
		a = b;
	CU_ASSERT_EQUAL(a.seq, 11);
	CU_ASSERT_EQUAL(ns_spool_commit(sp), 0);
	ns_spool_close(sp);
	/* all done: no segment is left */
	sp = start(4, 65536);
	CU_ASSERT_EQUAL(stats(sp).found, 0);
	CU_ASSERT_EQUAL(stats(sp).segments, 0);
	ns_spool_close(sp);
}

/* After a crash the numbers of new records are others than any that may have been given. */
static void never_twice(void)
{
	struct ns_spool_entry x;
	uint64_t last = 0;

	wipe();
	for (unsigned run = 0; run < 5; run++) {
		struct ns_spool *sp = start(4, 65536);

		add(sp, 10 * run + 1, 10, 100);
		CU_ASSERT_EQUAL(ns_spool_read(sp, &x), 1);
		CU_ASSERT_TRUE(x.seq > last + (run > 0 ? 1000000 : 0));
		last = x.seq + 9;
		CU_ASSERT_EQUAL(ns_spool_commit(sp), 0);
		crash(sp);
	}
}

static void oldest_goes(void)
{
	wipe();
	struct ns_spool *sp = start(4, 4096);

	/* three fit into a segment */
	for (uint64_t i = 0; i < 12; i++)
		add(sp, 2 * i + 1, 2, 1200);
	CU_ASSERT_EQUAL(stats(sp).full, 0);
	CU_ASSERT_TRUE(ns_spool_full(sp, 1200));
	CU_ASSERT_EQUAL(next(sp), 1);
	add(sp, 25, 2, 1200);
	CU_ASSERT_EQUAL(stats(sp).full, 6);
	CU_ASSERT_EQUAL(stats(sp).segments, 4);
	/* the reader was in the segment that went, and has it open: what it got after all is no
	 * loss */
	CU_ASSERT_EQUAL(ns_spool_commit(sp), 0);
	CU_ASSERT_EQUAL(stats(sp).full, 4);
	CU_ASSERT_EQUAL(stats(sp).done, 2);
	CU_ASSERT_EQUAL(next(sp), 7);
	CU_ASSERT_EQUAL(next(sp), 9);
	for (uint64_t i = 13; i < 30; i++)
		add(sp, 2 * i + 1, 2, 1200);
	ns_spool_rewind(sp);
	uint64_t n = 0;

	while (next(sp) != 0)
		n++;
	CU_ASSERT_EQUAL(stats(sp).waiting, 2 * n);
	CU_ASSERT_EQUAL(ns_spool_commit(sp), 0);
	CU_ASSERT_EQUAL(stats(sp).damaged, 0);
	CU_ASSERT_EQUAL(stats(sp).done + stats(sp).full, 60);
	ns_spool_sync(sp);
	CU_ASSERT_EQUAL(stats(sp).segments, 1);
	ns_spool_close(sp);
	/* lost while nobody read, and then a crash: still counted */
	wipe();
	sp = start(2, 4096);
	for (uint64_t i = 1; i <= 12; i++)
		add(sp, i, 1, 1200);
	CU_ASSERT_EQUAL(stats(sp).full, 6);
	crash(sp);
	sp = start(2, 4096);
	CU_ASSERT_EQUAL(stats(sp).full, 6);
	CU_ASSERT_EQUAL(next(sp), 7);
	ns_spool_close(sp);
}

static void too_large(void)
{
	static uint8_t data[5000];
	struct iovec part = {data, 4096 - 64 - 32};

	wipe();
	struct ns_spool *sp = start(4, 4096);

	CU_ASSERT_EQUAL(ns_spool_append(sp, &part, 1, 3, 0), 0);
	part.iov_len++;
	CU_ASSERT_EQUAL(ns_spool_append(sp, &part, 1, 3, 0), -EMSGSIZE);
	CU_ASSERT_EQUAL(stats(sp).too_large, 3);
	CU_ASSERT_EQUAL(stats(sp).appended, 3);
	ns_spool_close(sp);
}

/* The disk takes no more: counted, nothing breaks, and it goes on when there is room. */
static void no_space(void)
{
	struct rlimit old, tight = {1000, RLIM_INFINITY};

	wipe();
	struct ns_spool *sp = start(4, 4096);

	for (uint64_t i = 1; i <= 3; i++)
		CU_ASSERT_EQUAL(add(sp, i, 1, 1200), 0);
	CU_ASSERT_EQUAL(getrlimit(RLIMIT_FSIZE, &old), 0);
	tight.rlim_max = old.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	CU_ASSERT_EQUAL(setrlimit(RLIMIT_FSIZE, &tight), 0);
	for (uint64_t i = 4; i <= 100; i++)
		CU_ASSERT_TRUE(add(sp, i, 1, 1200) < 0);
	CU_ASSERT_EQUAL(stats(sp).no_space, 97);
	CU_ASSERT_EQUAL(stats(sp).no_room, 1);
	CU_ASSERT_EQUAL(stats(sp).segments, 1);
	CU_ASSERT_EQUAL(setrlimit(RLIMIT_FSIZE, &old), 0);
	signal(SIGXFSZ, SIG_DFL);
	usleep(SPOOL_RETRY_NS / 1000 + 1000);
	CU_ASSERT_EQUAL(add(sp, 4, 1, 1200), 0);
	CU_ASSERT_EQUAL(stats(sp).no_room, 0);
	for (uint64_t i = 1; i <= 4; i++)
		CU_ASSERT_EQUAL(next(sp), i);
	CU_ASSERT_EQUAL(next(sp), 0);
	ns_spool_close(sp);
}

static struct ns_spool *try(const char *where, uint64_t max, uint64_t segment, struct ns_err *e)
{
	struct ns_spool_args a = {where, max, segment, NS_SPOOL_SYNC_EACH};

	e->text[0] = '\0';
	return ns_spool_open(&a, e);
}

static void refuses(void)
{
	struct ns_err e;
	char path[128], pid[16];

	wipe();
	struct ns_spool *sp = try(dir, 8192, 4096, &e);

	CU_ASSERT_PTR_NOT_NULL_FATAL(sp);
	CU_ASSERT_EQUAL(add(sp, 1, 1, 100), 0);
	CU_ASSERT_PTR_NULL(try(dir, 8192, 4096, &e));
	CU_ASSERT_EQUAL(errno, EBUSY);
	snprintf(pid, sizeof(pid), "process %d", (int)getpid());
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, pid));
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, dir));
	ns_spool_close(sp);
	CU_ASSERT_PTR_NULL(try(dir, 8191, 4096, &e));
	CU_ASSERT_EQUAL(errno, EINVAL);
	CU_ASSERT_PTR_NULL(try(dir, 8192, 2048, &e));
	CU_ASSERT_PTR_NULL(try(dir, 8192, 4097, &e));
	CU_ASSERT_PTR_NULL(try("/proc/no/such", 8192, 4096, &e));
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "/proc/no/such"));
	snprintf(path, sizeof(path), "%s/state", dir);
	int fd = open(path, O_WRONLY);

	CU_ASSERT_EQUAL(pwrite(fd, &(uint32_t){9}, 4, 8), 4);
	close(fd);
	CU_ASSERT_PTR_NULL(try(dir, 8192, 4096, &e));
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "version 9"));
	ns_spool_close(NULL);
}

static void no_memory(void)
{
	struct ns_err e;
	bool done = false;

	for (unsigned n = 1; !done; n++) {
		wipe();
		struct ns_spool *sp = start(4, 4096);

		for (uint64_t i = 1; i <= 10; i++)
			add(sp, i, 1, 1200);
		crash(sp);
		ns_test_alloc_fail(n);
		sp = try(dir, 16384, 4096, &e);
		done = ns_test_alloc_done();
		CU_ASSERT_TRUE(sp != NULL || errno == ENOMEM);
		/* whatever failed, nothing is lost by it */
		ns_spool_close(sp);
		sp = start(4, 4096);
		CU_ASSERT_EQUAL(stats(sp).found, 10);
		ns_spool_close(sp);
	}
}

NS_TEST_MAIN({"checksum", checksum}, {"in order", in_order}, {"again", again},
	{"never twice", never_twice}, {"the oldest goes", oldest_goes}, {"too large", too_large},
	{"no space", no_space}, {"refuses", refuses}, {"no memory", no_memory},
	{"nothing is left", remove_root})
