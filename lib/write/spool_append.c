/* SPDX-License-Identifier: BSD-3-Clause */
/* The writer's side. See spool_priv.h. */
#include "spool_priv.h"

#include <ns_log.h>

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

NS_LOG_TYPE("spool");

static void segment_remove(struct ns_spool *sp)
{
	char name[16];

	spool_segment_name(name, sp->w.segs[0].number);
	if (unlinkat(sp->dir, name, 0) < 0)
		NS_LOG(ERR, "%s/%s: %s", sp->path, name, strerror(errno));
	sp->w.segs_n--;
	memmove(sp->w.segs, sp->w.segs + 1, sp->w.segs_n * sizeof(*sp->w.segs));
	ns_stat_set(&sp->w.n_segments, sp->w.segs_n);
}

static uint64_t oldest_end(const struct ns_spool *sp)
{
	return sp->w.segs_n > 1 ? sp->w.segs[1].first - 1 : ns_stat_get(&sp->head);
}

void spool_reap(struct ns_spool *sp)
{
	unsigned kept = sp->w.map != NULL ? 1 : 0;

	while (sp->w.segs_n > kept &&
		oldest_end(sp) <= __atomic_load_n(&sp->floor, __ATOMIC_ACQUIRE))
		segment_remove(sp);
}

static void drop_oldest(struct ns_spool *sp)
{
	uint64_t lost = spool_floor_up(sp, oldest_end(sp));

	if (lost > 0 && sp->w.n_full == 0)
		NS_LOG(WARNING, "%s: full; the oldest records are lost from now on", sp->path);
	ns_stat_add(&sp->w.n_full, lost);
	segment_remove(sp);
}

static void to_disk(struct ns_spool *sp)
{
	uint64_t from = sp->w.synced & ~UINT64_C(4095);

	if (sp->w.map != NULL && sp->w.end > sp->w.synced &&
		msync(sp->w.map + from, sp->w.end - from, MS_SYNC) == 0)
		sp->w.synced = sp->w.end;
	sp->w.sync_ns = ns_clock_mono();
}

void spool_append_end(struct ns_spool *sp)
{
	if (sp->w.map == NULL)
		return;
	if (sp->sync != NS_SPOOL_SYNC_NONE)
		to_disk(sp);
	munmap(sp->w.map, sp->size);
	close(sp->w.fd);
	sp->w.map = NULL;
	sp->w.fd = -1;
}

/* Blocks for all of it, so that a store never finds the disk full. */
static int take_space(int fd, uint64_t size)
{
	static const uint8_t zeros[4096];

	if (fallocate(fd, 0, 0, (off_t)size) == 0)
		return 0;
	if (errno != EOPNOTSUPP && errno != ENOSYS)
		return ns_errno_set(errno);
	for (uint64_t at = 0; at < size;) {
		ssize_t n =
			pwrite(fd, zeros, NS_MIN(size - at, (uint64_t)sizeof(zeros)), (off_t)at);

		if (n <= 0)
			return ns_errno_set(n < 0 ? errno : ENOSPC);
		at += (uint64_t)n;
	}
	return 0;
}

/* The mapping, or NULL with errno and nothing left. */
static uint8_t *segment_make(struct ns_spool *sp, uint32_t number, int *fd)
{
	char name[16];
	void *map = MAP_FAILED;

	spool_segment_name(name, number);
	*fd = openat(sp->dir, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (*fd < 0)
		return NULL;
	if (take_space(*fd, sp->size) == 0)
		map = mmap(NULL, sp->size, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
	if (map == MAP_FAILED) {
		int err = errno;

		unlinkat(sp->dir, name, 0);
		close(*fd);
		return ns_errno_null(err);
	}
	return map;
}

static int segment_begin(struct ns_spool *sp)
{
	uint32_t number = sp->w.last + 1;
	int fd;
	uint8_t *map = segment_make(sp, number, &fd);

	if (map == NULL)
		return -errno;
	struct spool_header h = {.magic = SPOOL_MAGIC,
		.version = SPOOL_VERSION,
		.number = number,
		.first = ns_stat_get(&sp->head) + 1,
		.skip = sp->w.skip,
		.size = sp->size};

	memcpy(h.id, sp->id, SPOOL_ID);
	spool_header_seal(&h);
	memcpy(map, &h, sizeof(h));
	spool_append_end(sp);
	sp->w.map = map;
	sp->w.fd = fd;
	sp->w.last = number;
	sp->w.end = sizeof(h);
	sp->w.synced = 0;
	sp->w.seed = h.crc;
	sp->w.segs[sp->w.segs_n++] = (struct spool_seg){number, h.first};
	ns_stat_set(&sp->w.n_segments, sp->w.segs_n);
	if (sp->sync != NS_SPOOL_SYNC_NONE) {
		to_disk(sp);
		fsync(sp->dir);
	}
	__atomic_store_n(&sp->tail, (uint64_t)number << 32 | sp->w.end, __ATOMIC_RELEASE);
	return 0;
}

/* A disk that is full is not asked for each entry. */
static int roll(struct ns_spool *sp)
{
	int rc;

	if (sp->w.retry_ns != 0 && ns_clock_mono() < sp->w.retry_ns)
		return ns_errno_set(ENOSPC);
	spool_reap(sp);
	while (sp->w.segs_n >= sp->segs_max)
		drop_oldest(sp);
	rc = segment_begin(sp);
	if (rc < 0 && sp->w.n_no_room == 0)
		NS_LOG(ERR, "%s: no new segment: %s; records are lost until there is room",
			sp->path, strerror(-rc));
	else if (rc == 0 && sp->w.n_no_room != 0)
		NS_LOG(NOTICE, "%s: there is room again", sp->path);
	sp->w.retry_ns = rc < 0 ? ns_clock_mono() + SPOOL_RETRY_NS : 0;
	__atomic_store_n(&sp->w.n_no_room, rc < 0, __ATOMIC_RELAXED);
	return rc;
}

/* The octets first, the header last: one that is there belongs to octets that are. */
static void put(struct ns_spool *sp, const struct iovec *parts, unsigned n, struct spool_entry *x)
{
	uint8_t *at = sp->w.map + sp->w.end, *p = at + sizeof(*x);
	uint32_t crc = ns_crc32c(sp->w.seed, x, SPOOL_CRC_FROM);

	for (unsigned i = 0; i < n; i++) {
		if (parts[i].iov_len == 0)
			continue;
		memcpy(p, parts[i].iov_base, parts[i].iov_len);
		crc = ns_crc32c(crc, p, parts[i].iov_len);
		p += parts[i].iov_len;
	}
	x->crc = crc;
	__atomic_thread_fence(__ATOMIC_RELEASE);
	memcpy(at, x, sizeof(*x));
}

static uint64_t entry_size(const struct iovec *parts, unsigned n, size_t *len)
{
	*len = 0;
	for (unsigned i = 0; i < n; i++)
		*len += parts[i].iov_len;
	return spool_align(sizeof(struct spool_entry) + *len);
}

static bool fits(const struct ns_spool *sp, uint64_t size)
{
	return sp->w.map != NULL && sp->w.end + size <= sp->size;
}

int ns_spool_append(struct ns_spool *sp, const struct iovec *parts, unsigned n, uint32_t records,
	uint64_t time_ns)
{
	size_t len;
	uint64_t size = entry_size(parts, n, &len), head = ns_stat_get(&sp->head);

	if (records == 0)
		return ns_errno_set(EINVAL);
	if (size > sp->size - sizeof(struct spool_header)) {
		ns_stat_add(&sp->w.n_too_large, records);
		return ns_errno_set(EMSGSIZE);
	}
	int rc = fits(sp, size) ? 0 : roll(sp);

	if (rc < 0) {
		ns_stat_add(&sp->w.n_no_space, records);
		return rc;
	}
	struct spool_entry x = {.magic = SPOOL_ENTRY_MAGIC,
		.length = (uint32_t)len,
		.seq = head + 1 + sp->w.skip,
		.time_ns = time_ns,
		.records = records};

	put(sp, parts, n, &x);
	sp->w.end += size;
	ns_stat_add(&sp->w.n_octets, size);
	if (sp->sync == NS_SPOOL_SYNC_EACH)
		to_disk(sp);
	/* statistics: what can be read was appended */
	__atomic_store_n(&sp->head, head + records, __ATOMIC_RELEASE);
	__atomic_store_n(&sp->tail, (uint64_t)sp->w.last << 32 | sp->w.end, __ATOMIC_RELEASE);
	if (sp->sync == NS_SPOOL_SYNC_INTERVAL && ns_clock_mono() - sp->w.sync_ns >= NS_SEC_NS)
		to_disk(sp);
	return 0;
}

bool ns_spool_full(struct ns_spool *sp, size_t len)
{
	if (fits(sp, spool_align(sizeof(struct spool_entry) + len)))
		return false;
	spool_reap(sp);
	return sp->w.segs_n >= sp->segs_max;
}

void ns_spool_sync(struct ns_spool *sp)
{
	if (sp->sync == NS_SPOOL_SYNC_INTERVAL && ns_clock_mono() - sp->w.sync_ns >= NS_SEC_NS)
		to_disk(sp);
	spool_reap(sp);
}
