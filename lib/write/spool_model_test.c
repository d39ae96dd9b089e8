/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Against a simple list. The model knows what was appended and how far the reader is; after each
 * crash the spool must go on where the model says.
 */
#include "spool_test_util.h"

#include <ns_test_zipf.h>

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

/* Shared with the child that is killed. */
struct model {
	uint64_t intent; /* number of the last record whose append was begun */
	uint64_t appended; /* ... and ended */
	uint64_t committing, committed;
	uint64_t seq; /* the greatest that was read */
	uint64_t faults;
};

static void expect(struct model *m, bool ok)
{
	if (!ok)
		__atomic_add_fetch(&m->faults, 1, __ATOMIC_RELAXED);
}

/* The record that a reader must get next. */
static void look(struct model *m, struct ns_spool *sp, uint64_t *at)
{
	struct ns_spool_entry x;
	uint64_t first;

	if (ns_spool_read(sp, &x) != 1) {
		expect(m, *at == m->appended);
		return;
	}
	memcpy(&first, x.data, sizeof(first));
	expect(m, first == *at + 1);
	*at = first + x.records - 1;
	expect(m, *at <= m->appended);
	if (x.seq > m->seq)
		m->seq = x.seq;
}

/* Random things, for ever. The child's; the parent kills it. */
static void child(struct model *m, uint64_t seed)
{
	struct ns_spool *sp = start(64, 4096);
	uint64_t at = m->committed;

	for (;;) {
		uint64_t dice = ns_test_mix(&seed) % 100;

		if (dice < 55) {
			uint32_t records = 1 + (uint32_t)(dice % 5);

			/* not so far ahead that the oldest goes */
			if (m->appended - m->committed > 200)
				continue;
			m->intent = m->appended + records;
			add(sp, m->appended + 1, records, 16 + ns_test_mix(&seed) % 700);
			m->appended = m->intent;
		} else if (dice < 85) {
			look(m, sp, &at);
		} else if (dice < 95) {
			m->committing = at;
			expect(m, ns_spool_commit(sp) == 0);
			m->committed = at;
		} else {
			ns_spool_rewind(sp);
			at = m->committed;
		}
	}
}

/* What a crash may have left open: an append and a commit that were under way. */
static void settle(struct model *m)
{
	struct ns_spool *sp = start(64, 4096);
	struct ns_spool_stats s = stats(sp);
	uint64_t last = m->committed + s.found;

	CU_ASSERT_TRUE(s.full == 0 && s.damaged == 0 && s.no_space == 0);
	if (s.found != m->appended - m->committed) {
		/* each of the two happened or not */
		uint64_t a = m->intent - m->committed, b = m->appended - m->committing,
			 c = m->intent - m->committing;

		CU_ASSERT_TRUE(s.found == a || s.found == b || s.found == c);
		bool commit = s.found != a && m->committing != m->committed;

		if (commit)
			m->committed = m->committing;
		last = m->committed + s.found;
	}
	m->appended = m->intent = last;
	m->committing = m->committed;
	ns_spool_close(sp);
}

static void killed(void)
{
	struct model *m =
		mmap(NULL, sizeof(*m), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t seed = 11;

	CU_ASSERT_PTR_NOT_EQUAL_FATAL(m, MAP_FAILED);
	wipe();
	fflush(stdout);
	for (unsigned run = 0; run < 150; run++) {
		pid_t pid = fork();

		if (pid == 0)
			child(m, seed + run);
		usleep(1000 + (useconds_t)(ns_test_mix(&seed) % 8000));
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		settle(m);
	}
	CU_ASSERT_EQUAL(m->faults, 0);
	CU_ASSERT_TRUE(m->appended > 1000 && m->committed > 500);
	printf("%llu records appended, %llu committed in 150 lives; ",
		(unsigned long long)m->appended, (unsigned long long)m->committed);
	munmap(m, sizeof(*m));
}

#define RECORDS 200000

static void *write_all(void *arg)
{
	struct ns_spool *sp = arg;

	for (uint64_t i = 1; i <= RECORDS; i++) {
		while (ns_spool_full(sp, 40))
			usleep(50);
		if (add(sp, i, 1, 16 + i % 25) < 0)
			abort();
	}
	return NULL;
}

/* Two threads; the reader forgets now and then, and nothing is lost or comes twice. */
static void two_threads(void)
{
	struct ns_spool_entry x;
	uint64_t at = 0, done = 0, seed = 5;
	pthread_t t;

	wipe();
	struct ns_spool *sp = start(6, 65536);

	CU_ASSERT_EQUAL_FATAL(pthread_create(&t, NULL, write_all, sp), 0);
	while (done < RECORDS) {
		int rc = ns_spool_read(sp, &x);

		CU_ASSERT_TRUE_FATAL(rc >= 0);
		if (rc == 1) {
			CU_ASSERT_EQUAL_FATAL(x.seq, at + 1);
			at++;
		}
		uint64_t dice = ns_test_mix(&seed) % 1000;

		if (dice < 3) {
			ns_spool_rewind(sp);
			at = done;
		} else if (dice < 10 || rc == 0) {
			CU_ASSERT_EQUAL(ns_spool_commit(sp), 0);
			done = at;
		}
	}
	pthread_join(t, NULL);
	CU_ASSERT_EQUAL(stats(sp).done, RECORDS);
	CU_ASSERT_EQUAL(stats(sp).full + stats(sp).damaged, 0);
	ns_spool_close(sp);
}

static void *write_on(void *arg)
{
	for (uint64_t i = 1; i <= RECORDS; i++)
		if (add(arg, i, 1, 16 + i % 25) < 0)
			abort();
	return NULL;
}

/* A writer that does not wait: what comes is in order, what does not is counted, exactly. */
static void overrun(void)
{
	struct ns_spool_entry x;
	uint64_t at = 0, got = 0, seed = 5;
	pthread_t t;

	wipe();
	struct ns_spool *sp = start(3, 4096);

	CU_ASSERT_EQUAL_FATAL(pthread_create(&t, NULL, write_on, sp), 0);
	while (at < RECORDS) {
		int rc = ns_spool_read(sp, &x);

		CU_ASSERT_TRUE_FATAL(rc >= 0);
		if (rc == 1) {
			CU_ASSERT_TRUE_FATAL(x.seq > at);
			at = x.seq;
			got++;
		}
		if (rc == 0 || ns_test_mix(&seed) % 50 == 0)
			CU_ASSERT_EQUAL(ns_spool_commit(sp), 0);
	}
	pthread_join(t, NULL);
	CU_ASSERT_EQUAL(ns_spool_commit(sp), 0);
	CU_ASSERT_EQUAL(stats(sp).done, got);
	CU_ASSERT_EQUAL(stats(sp).full + stats(sp).damaged, RECORDS - got);
	CU_ASSERT_EQUAL(stats(sp).damaged, 0);
	CU_ASSERT_EQUAL(stats(sp).waiting, 0);
	ns_spool_close(sp);
}

NS_TEST_MAIN({"killed", killed}, {"two threads", two_threads}, {"overrun", overrun},
	{"nothing is left", remove_root})
