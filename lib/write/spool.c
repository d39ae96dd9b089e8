/* SPDX-License-Identifier: BSD-3-Clause */
/* A spool's begin and end. See spool_priv.h for its layout. */
#include "spool_priv.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int make_directories(const char *path)
{
	char *copy = strdup(path);
	int rc = copy != NULL ? 0 : -ENOMEM;

	for (char *p = copy; rc == 0 && p != NULL;) {
		p = strchr(p + 1, '/');
		if (p != NULL)
			*p = '\0';
		if (copy[0] != '\0' && mkdir(copy, 0700) < 0 && errno != EEXIST)
			rc = -errno;
		if (p != NULL)
			*p = '/';
	}
	free(copy);
	return rc;
}

/* The lock goes with the process, however it ends. */
static int lock(struct ns_spool *sp, struct ns_err *e)
{
	char pid[16] = "";

	sp->lock = openat(sp->dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (sp->lock < 0)
		return ns_fail(e, errno, "spool %s: lock: %s", sp->path, strerror(errno));
	if (flock(sp->lock, LOCK_EX | LOCK_NB) < 0) {
		ssize_t n = pread(sp->lock, pid, sizeof(pid) - 1, 0);

		pid[n > 0 ? n : 0] = '\0';
		pid[strspn(pid, "0123456789")] = '\0';
		return ns_fail(e, EBUSY,
			"spool %s: is in use (by process %s); give each engine a directory of its own",
			sp->path, pid[0] != '\0' ? pid : "?");
	}
	int n = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());

	/* for people only */
	if (ftruncate(sp->lock, 0) < 0 || pwrite(sp->lock, pid, (size_t)n, 0) != n)
		errno = 0;
	return 0;
}

static int check(const struct ns_spool_args *a, struct ns_err *e)
{
	if (a->segment < NS_SPOOL_SEGMENT_MIN || a->segment > NS_SPOOL_SEGMENT_MAX ||
		a->segment % 4096 != 0)
		return ns_fail(e, EINVAL,
			"spool %s: a segment of %llu octets is not 4 KiB to 1 GiB, in pages of 4 KiB",
			a->directory, (unsigned long long)a->segment);
	if (a->max / a->segment < NS_SPOOL_SEGMENTS_MIN)
		return ns_fail(e, EINVAL, "spool %s: room for less than %u segments", a->directory,
			NS_SPOOL_SEGMENTS_MIN);
	return 0;
}

static int start(struct ns_spool *sp, struct ns_err *e)
{
	struct spool_slot slot;
	int rc = make_directories(sp->path);

	if (rc == 0) {
		sp->dir = open(sp->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		rc = sp->dir >= 0 ? 0 : -errno;
	}
	if (rc < 0)
		return ns_fail(e, -rc, "spool %s: %s", sp->path, strerror(-rc));
	rc = lock(sp, e);
	if (rc == 0)
		rc = spool_state_open(sp, &slot, e);
	if (rc == 0)
		rc = spool_find(sp, &slot, e);
	if (rc < 0)
		return rc;
	for (unsigned i = 0; i < SPOOL_ID; i++)
		snprintf(sp->source + 2 * (size_t)i, 3, "%02x", sp->id[i]);
	slot = (struct spool_slot){.floor = sp->floor, .skip = sp->w.skip};
	/* on disk before the first entry: after this the end is not orderly */
	rc = spool_state_write(sp, &slot, true);
	return rc < 0 ? ns_fail(e, -rc, "spool %s: state: %s", sp->path, strerror(-rc)) : 0;
}

static void release(struct ns_spool *sp)
{
	if (sp->r.fd >= 0)
		close(sp->r.fd);
	if (sp->state >= 0)
		close(sp->state);
	if (sp->lock >= 0)
		close(sp->lock);
	if (sp->dir >= 0)
		close(sp->dir);
	free(sp->r.buf);
	free(sp->w.segs);
	free(sp->path);
	free(sp);
}

struct ns_spool *ns_spool_open(const struct ns_spool_args *args, struct ns_err *e)
{
	int rc = check(args, e);

	if (rc < 0)
		return ns_errno_null(-rc);
	struct ns_spool *sp = aligned_alloc(NS_CACHE_LINE, sizeof(*sp));

	if (sp == NULL) {
		ns_fail(e, ENOMEM, "spool %s: no memory", args->directory);
		return NULL;
	}
	memset(sp, 0, sizeof(*sp));
	sp->dir = sp->lock = sp->state = sp->w.fd = sp->r.fd = -1;
	sp->path = strdup(args->directory);
	sp->size = args->segment;
	sp->segs_max = (unsigned)NS_MIN(args->max / args->segment, (uint64_t)UINT32_MAX / 2);
	sp->sync = args->sync;
	sp->w.sync_ns = ns_clock_mono();
	rc = sp->path != NULL ? start(sp, e) : ns_fail(e, ENOMEM, "no memory for a spool");
	if (rc < 0) {
		release(sp);
		return ns_errno_null(-rc);
	}
	return sp;
}

void ns_spool_close(struct ns_spool *sp)
{
	if (sp == NULL)
		return;
	struct spool_slot slot = {
		.floor = sp->floor, .next = sp->head + 1, .skip = sp->w.skip, .orderly = 1};

	if (sp->w.map != NULL) {
		int fd = dup(sp->w.fd);

		spool_append_end(sp);
		/* what was taken in advance; too long is fine, too */
		if (fd >= 0 && ftruncate(fd, (off_t)sp->w.end) < 0)
			errno = 0;
		if (fd >= 0)
			close(fd);
	}
	spool_reap(sp);
	spool_state_write(sp, &slot, sp->sync != NS_SPOOL_SYNC_NONE);
	release(sp);
}

void ns_spool_stats(const struct ns_spool *sp, struct ns_spool_stats *s)
{
	/* in this order: no number is more than what it is a part of */
	uint64_t saved = ns_stat_get(&sp->r.n_saved), done = ns_stat_get(&sp->r.n_done);
	uint64_t floor = __atomic_load_n(&sp->floor, __ATOMIC_ACQUIRE);
	uint64_t head = __atomic_load_n(&sp->head, __ATOMIC_ACQUIRE);
	uint64_t full = ns_stat_get(&sp->w.n_full);

	*s = (struct ns_spool_stats){.done = done,
		.waiting = head > floor ? head - floor : 0,
		.found = sp->found,
		.full = sp->lost_full + full - NS_MIN(saved, full),
		.damaged = sp->lost_damaged + ns_stat_get(&sp->r.n_damaged),
		.no_space = ns_stat_get(&sp->w.n_no_space),
		.too_large = ns_stat_get(&sp->w.n_too_large),
		.torn = sp->torn,
		.octets = ns_stat_get(&sp->w.n_octets),
		.segments = ns_stat_get(&sp->w.n_segments),
		.no_room = __atomic_load_n(&sp->w.n_no_room, __ATOMIC_RELAXED)};
	s->appended = s->done + s->waiting + s->full + s->damaged;
}

const char *ns_spool_source(const struct ns_spool *sp)
{
	return sp->source;
}

int ns_spool_directory(const struct ns_spool *sp)
{
	return sp->dir;
}
