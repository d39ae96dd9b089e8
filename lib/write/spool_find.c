/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What an earlier run left, however it ended. Headers tell where the numbers of each segment
 * begin, so only the last segment is looked through: behind its last whole entry it is cut. Nothing
 * is ever appended to a segment of an earlier run.
 */
#include "spool_priv.h"

#include <ns_log.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

NS_LOG_TYPE("spool");

static int by_number(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* "0000001f.seg", nothing more and nothing less. */
static bool is_segment(const char *name, uint32_t *number)
{
	char again[16];

	if (sscanf(name, "%8x.seg", number) != 1 || *number == 0)
		return false;
	spool_segment_name(again, *number);
	return strcmp(name, again) == 0;
}

uint32_t *spool_list(int dir, unsigned *n)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	uint32_t *all = malloc(sizeof(*all)), number;
	bool ok = d != NULL && all != NULL;
	unsigned room = 1;

	*n = 0;
	if (d == NULL && fd >= 0)
		close(fd);
	for (struct dirent *x; ok && (x = readdir(d)) != NULL;) {
		if (!is_segment(x->d_name, &number))
			continue;
		if (*n == room) {
			uint32_t *more = realloc(all, 2 * (size_t)room * sizeof(*all));

			ok = more != NULL;
			if (!ok)
				break;
			all = more;
			room *= 2;
		}
		all[(*n)++] = number;
	}
	if (d != NULL)
		closedir(d);
	if (!ok) {
		free(all);
		*n = 0;
		return NULL;
	}
	qsort(all, *n, sizeof(*all), by_number);
	return all;
}

/* Whatever the segment held is lost; how many records that were says the gap that it leaves. */
static void remove_damaged(struct ns_spool *sp, uint32_t number, bool fresh)
{
	char name[16];

	spool_segment_name(name, number);
	/* the last one may only just have been made when a crash came */
	if (!fresh)
		NS_LOG(ERR, "%s/%s: damaged, removed", sp->path, name);
	unlinkat(sp->dir, name, 0);
}

struct found {
	struct spool_header last; /* the last sound one */
	bool damaged; /* one or more were not, before the first sound one */
	uint64_t next; /* number of the next record, as far as segments tell */
};

static int look(struct ns_spool *sp, const uint32_t *numbers, unsigned n, struct found *f)
{
	for (unsigned i = 0; i < n; i++) {
		struct spool_header h = {0};
		int fd, rc = spool_segment_open(sp->dir, numbers[i], &fd, &h);

		if (rc < 0 && rc != -EBADMSG)
			return rc;
		if (rc == 0)
			close(fd);
		sp->w.last = numbers[i];
		if (rc < 0 || memcmp(h.id, sp->id, SPOOL_ID) != 0 || h.first < f->last.first ||
			h.skip < f->last.skip) {
			bool fresh = i + 1 == n && h.magic == 0;

			f->damaged = f->damaged || (sp->w.segs_n == 0 && !fresh);
			remove_damaged(sp, numbers[i], fresh);
			continue;
		}
		sp->w.segs[sp->w.segs_n++] = (struct spool_seg){numbers[i], h.first};
		f->last = h;
	}
	return 0;
}

/* The segment that was being written: what is behind its last whole entry is cut off. */
static int cut(struct ns_spool *sp, struct found *f)
{
	struct spool_seg *s = &sp->w.segs[sp->w.segs_n - 1];
	struct spool_header h;
	uint64_t last, end;
	char name[16];
	bool torn;
	int fd, rc = spool_segment_open(sp->dir, s->number, &fd, &h);

	if (rc < 0)
		return rc;
	rc = spool_segment_scan(fd, &h, &last, &end, &torn);
	if (rc == 0 && torn) {
		sp->torn++;
		NS_LOG(WARNING, "%s: an entry that was being written is cut off", sp->path);
	}
	if (rc == 0 && ftruncate(fd, (off_t)end) < 0)
		rc = ns_errno_set(errno);
	close(fd);
	if (rc < 0)
		return rc;
	f->next = NS_MAX(last + 1, h.first);
	sp->tail = (uint64_t)s->number << 32 | end;
	if (last == 0) {
		spool_segment_name(name, s->number);
		unlinkat(sp->dir, name, 0);
		sp->w.segs_n--;
	}
	return 0;
}

/* Segments before the first one went, or can't be read: their records are lost. */
static void gap(struct ns_spool *sp, const struct spool_slot *slot, bool damaged, uint64_t next)
{
	uint64_t first = sp->w.segs_n > 0 ? sp->w.segs[0].first : next;
	uint64_t lost = spool_floor_up(sp, first - 1);

	if (slot->serial == 0)
		return; /* the state is lost: what was before may well be done */
	if (damaged)
		sp->lost_damaged = lost;
	else
		sp->lost_full = lost;
}

/* Where the reader begins: in the segment that has the first record that is not done. */
static void place(struct ns_spool *sp)
{
	unsigned i = 0;

	while (i + 1 < sp->w.segs_n && sp->w.segs[i + 1].first <= sp->floor + 1)
		i++;
	sp->r.now.segment = i < sp->w.segs_n ? sp->w.segs[i].number : sp->w.last;
	sp->r.now.next = sp->floor + 1;
	sp->r.done = sp->r.now;
}

int spool_find(struct ns_spool *sp, const struct spool_slot *slot, struct ns_err *e)
{
	struct found f = {.next = 1};
	unsigned n = 0;
	uint32_t *numbers = spool_list(sp->dir, &n);
	bool fresh = slot->serial == 0 && n == 0, orderly;
	int rc = numbers != NULL ? 0 : -errno;

	sp->w.segs = calloc(NS_MAX(n, sp->segs_max) + 1, sizeof(*sp->w.segs));
	if (rc == 0 && sp->w.segs == NULL)
		rc = ns_errno_set(ENOMEM);
	if (rc == 0)
		rc = look(sp, numbers, n, &f);
	free(numbers);
	if (rc == 0 && sp->w.segs_n > 0)
		rc = cut(sp, &f);
	if (rc < 0)
		return ns_fail(e, -rc, "spool %s: %s", sp->path, strerror(-rc));
	sp->floor = slot->floor;
	orderly = slot->orderly != 0 && slot->next >= f.next;
	f.next = NS_MAX(f.next, NS_MAX(slot->floor + 1, slot->next));
	sp->w.skip = NS_MAX(slot->skip, f.last.skip) + (fresh || orderly ? 0 : SPOOL_JUMP);
	sp->head = f.next - 1;
	gap(sp, slot, f.damaged, f.next);
	place(sp);
	sp->found = sp->head - sp->floor;
	sp->w.n_segments = sp->w.segs_n;
	spool_reap(sp);
	return 0;
}
