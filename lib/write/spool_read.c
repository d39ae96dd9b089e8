/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The reader's side. It goes through the segments by their numbers, and through a segment from one
 * whole entry to the next, whatever is between. It knows the number of the record that should come:
 * what comes instead says how many are missing.
 */
#include "spool_priv.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void leave(struct ns_spool *sp)
{
	if (sp->r.fd >= 0)
		close(sp->r.fd);
	sp->r.fd = -1;
	sp->r.buf_at = sp->r.buf_end = 0;
}

static void go_to(struct ns_spool *sp, uint32_t segment)
{
	leave(sp);
	sp->r.now.segment = segment;
	sp->r.now.at = sizeof(struct spool_header);
}

/* The segment of the place: 1 it is open, 0 it is gone or damaged, or -errno. */
static int enter(struct ns_spool *sp)
{
	struct spool_header h;
	struct stat st;
	int rc;

	if (sp->r.fd >= 0)
		return 1;
	if (sp->r.now.segment == 0)
		return 0;
	rc = spool_segment_open(sp->dir, sp->r.now.segment, &sp->r.fd, &h);
	if (rc == -ENOENT || rc == -EBADMSG)
		return 0;
	if (rc < 0)
		return rc;
	if (memcmp(h.id, sp->id, SPOOL_ID) != 0 || fstat(sp->r.fd, &st) < 0) {
		leave(sp);
		return 0;
	}
	sp->r.first = h.first;
	sp->r.skip = h.skip;
	sp->r.seed = h.crc;
	sp->r.size = NS_MIN((uint64_t)st.st_size, h.size);
	sp->r.now.at = NS_MAX(sp->r.now.at, (uint64_t)sizeof(h));
	return 1;
}

/*
 * At least @p need octets of the segment at @p at, and not past @p end: how many there are. Octets
 * behind end are still being written: they are read again later.
 */
static uint64_t look(
	struct ns_spool *sp, uint64_t at, uint64_t need, uint64_t end, const uint8_t **p)
{
	need = NS_MIN(need, end - at);
	if (at < sp->r.buf_at || at + need > sp->r.buf_end) {
		uint64_t want = NS_MIN(NS_MAX(need, (uint64_t)SPOOL_CHUNK), end - at);

		if (want > sp->r.buf_max) {
			uint8_t *more = realloc(sp->r.buf, want);

			/* without it the entry can't be read: as if it were damaged */
			if (more == NULL)
				return 0;
			sp->r.buf = more;
			sp->r.buf_max = want;
		}
		ssize_t n = pread(sp->r.fd, sp->r.buf, want, (off_t)at);

		sp->r.buf_at = at;
		sp->r.buf_end = at + (n > 0 ? (uint64_t)n : 0);
	}
	*p = sp->r.buf + (at - sp->r.buf_at);
	return sp->r.buf_end - at;
}

/* The next whole entry of the segment before @p end: its place, or end. */
static uint64_t search(struct ns_spool *sp, uint64_t end, const uint8_t **p, uint64_t *len)
{
	uint64_t at = sp->r.now.at;

	while (at + sizeof(struct spool_entry) <= end) {
		struct spool_entry x;
		uint64_t n = look(sp, at, sizeof(x), end, p);

		if (n < sizeof(x)) {
			/* a bad block */
			at = (at | 4095) + 1;
			continue;
		}
		memcpy(&x, *p, sizeof(x));
		if (x.magic == SPOOL_ENTRY_MAGIC && x.length <= end - at - sizeof(x)) {
			n = look(sp, at, sizeof(x) + x.length, end, p);
			if (n >= sizeof(x) + x.length &&
				spool_entry_sound(*p, n, sp->r.seed, sp->r.skip, sp->r.first, len))
				return at;
		}
		at += 8;
	}
	return end;
}

/* What should have come and did not, beyond what is known to be done or lost. */
static void missing(struct ns_spool *sp, uint64_t number)
{
	uint64_t from = NS_MAX(sp->r.now.next, __atomic_load_n(&sp->floor, __ATOMIC_ACQUIRE) + 1);

	if (number > from)
		sp->r.damaged += number - from;
	sp->r.now.next = NS_MAX(number, from);
}

/* An entry at its place: whether it is one that the caller has not had. */
static bool take(struct ns_spool *sp, const uint8_t *p, struct ns_spool_entry *out)
{
	struct spool_entry x;

	memcpy(&x, p, sizeof(x));
	uint64_t number = x.seq - sp->r.skip, last = number + x.records - 1;

	/* a number that the writer has not given out: octets that only look like an entry */
	if (last > __atomic_load_n(&sp->head, __ATOMIC_ACQUIRE))
		return false;
	missing(sp, number);
	if (last < sp->r.now.next)
		return false;
	sp->r.now.next = last + 1;
	sp->r.records += x.records;
	*out = (struct ns_spool_entry){
		x.seq, x.time_ns, x.records, p + sizeof(struct spool_entry), x.length};
	return true;
}

/* 1 an entry, 0 none in this segment before @p end. */
static int read_segment(struct ns_spool *sp, uint64_t end, struct ns_spool_entry *out)
{
	const uint8_t *p;
	uint64_t len = 0;

	while (sp->r.now.at < end) {
		uint64_t at = search(sp, end, &p, &len);
		bool found = at < end;

		sp->r.now.at = NS_MIN(at + (found ? len : 0), end);
		if (found && take(sp, p, out))
			return 1;
	}
	return 0;
}

int ns_spool_read(struct ns_spool *sp, struct ns_spool_entry *out)
{
	for (;;) {
		uint64_t tail = __atomic_load_n(&sp->tail, __ATOMIC_ACQUIRE);
		uint32_t last = spool_tail_segment(tail);
		int rc = enter(sp);

		if (rc < 0)
			return rc;
		if (rc > 0) {
			uint64_t end = sp->r.now.segment == last ? tail & UINT32_MAX : sp->r.size;

			if (read_segment(sp, NS_MIN(end, sp->r.size), out) > 0)
				return 1;
		}
		if (sp->r.now.segment >= last)
			return 0;
		go_to(sp, sp->r.now.segment + 1);
	}
}

uint64_t spool_floor_up(struct ns_spool *sp, uint64_t to)
{
	uint64_t from = __atomic_load_n(&sp->floor, __ATOMIC_RELAXED);

	while (from < to) {
		if (__atomic_compare_exchange_n(
			    &sp->floor, &from, to, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			return to - from;
	}
	return 0;
}

int ns_spool_commit(struct ns_spool *sp)
{
	uint64_t passed = sp->r.records + sp->r.damaged;
	uint64_t moved = spool_floor_up(sp, sp->r.now.next - 1);

	sp->r.done = sp->r.now;
	if (passed == 0 && moved == 0)
		return 0;
	/* what the writer gave up as lost while it was under way has arrived all the same */
	ns_stat_add(&sp->r.n_saved, passed - NS_MIN(moved, passed));
	ns_stat_add(&sp->r.n_done, sp->r.records);
	ns_stat_add(&sp->r.n_damaged, sp->r.damaged);
	sp->r.records = sp->r.damaged = 0;
	struct spool_slot slot = {
		.floor = __atomic_load_n(&sp->floor, __ATOMIC_ACQUIRE), .skip = sp->w.skip};

	return spool_state_write(sp, &slot, false);
}

void ns_spool_rewind(struct ns_spool *sp)
{
	leave(sp);
	sp->r.now = sp->r.done;
	sp->r.records = sp->r.damaged = 0;
}
