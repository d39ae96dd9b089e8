/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A plain file in memory. read() copies what the page cache holds, and the copy is most of what
 * reading costs; a mapping hands out the page cache itself, and packets need no blocks that go
 * round.
 *
 *   base            dropped           pos              end                     size
 *    |  given back    |  packets on their way  |  window  |  not yet asked for   |  guard  |
 *
 * The window is made present before it is cut up, by one call for many pages. What lies behind is
 * given back, so that a file takes some MiB of memory, however large it is: a packet that is still
 * on its way there is fetched again from the page cache when it is touched.
 *
 * README.md has figures: it saves a third to a half where the page cache has large pages, as the
 * kernel's read-ahead makes them, and less where it has small ones.
 *
 * A mapped file that is made shorter, or whose device fails, is told by SIGBUS, to whoever touches
 * it. The handler puts zeros in the place of all that follows, so that it can go on, and the reader
 * ends where the zeros begin. (The last page of a file that became shorter has zeros at its end,
 * and no signal tells: a record of no octets is looked at twice.) Making a window present meets
 * both first, nearly always, and without a signal.
 */
#include "pcap_priv.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22 /* Linux 5.14; EINVAL before */
#endif

#define WINDOW_BLOCKS 8 /* 2 MiB */
#define HUGE_PAGE ((size_t)2 << 20)
#define GUARD ((size_t)128 << 10) /* more than a packet: whoever reads too far meets zeros */
#define AROUND ((size_t)64 << 10)
#define AHEAD 4 /* windows that are asked of the device before they are needed */

bool ns_pcap_mapping = true;

/* All mapped files, of all sources; writers: who opens and closes them. Reader: the handler. */
static struct ns_pcap_map *maps; /* atomic, as is each one's next */
static pthread_mutex_t maps_lock = PTHREAD_MUTEX_INITIALIZER; /* of the writers */
static struct sigaction others;

static void lose(struct ns_pcap_map *m, size_t from)
{
	size_t lost = __atomic_load_n(&m->lost, __ATOMIC_RELAXED);

	while (from < lost && !__atomic_compare_exchange_n(&m->lost, &lost, from, true,
				      __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
}

static void on_sigbus(int sig, siginfo_t *info, void *ctx)
{
	uintptr_t at = (uintptr_t)info->si_addr;
	int err = errno;

	(void)ctx;
	for (struct ns_pcap_map *m = __atomic_load_n(&maps, __ATOMIC_ACQUIRE); m != NULL;
		m = __atomic_load_n(&m->next, __ATOMIC_ACQUIRE)) {
		size_t from = (at - (uintptr_t)m->base) & ~(m->page - 1);

		if (at < (uintptr_t)m->base || at - (uintptr_t)m->base >= m->room)
			continue;
		if (mmap(m->base + from, m->room - from, PROT_READ,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
			break;
		lose(m, from);
		errno = err;
		return;
	}
	/* not ours: it happens again, to whoever was there before */
	sigaction(sig, &others, NULL);
	errno = err;
}

static void link_map(struct ns_pcap_map *m)
{
	const struct sigaction sa = {
		.sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO | SA_NODEFER};

	pthread_mutex_lock(&maps_lock);
	m->next = maps;
	__atomic_store_n(&maps, m, __ATOMIC_RELEASE);
	if (m->next == NULL)
		sigaction(SIGBUS, &sa, &others);
	pthread_mutex_unlock(&maps_lock);
}

static void unlink_map(struct ns_pcap_map *m)
{
	pthread_mutex_lock(&maps_lock);
	for (struct ns_pcap_map **p = &maps; *p != NULL; p = &(*p)->next) {
		if (*p == m) {
			__atomic_store_n(p, m->next, __ATOMIC_RELEASE);
			break;
		}
	}
	if (maps == NULL)
		sigaction(SIGBUS, &others, NULL);
	pthread_mutex_unlock(&maps_lock);
}

/* Asks the device for what comes next, unless it is there already. */
static void ask_ahead(struct ns_pcap_reader *r)
{
	struct ns_pcap_map *m = &r->map;
	uint8_t octet;
	struct iovec to = {&octet, 1};
	size_t at = m->end + AHEAD * m->window;

	if (m->end >= m->size)
		return;
	at = NS_MIN(at, m->size - 1);
	if (preadv2(r->st.fd, &to, 1, (off_t)at, RWF_NOWAIT) < 0 && errno == EAGAIN)
		readahead(r->st.fd, (off_t)m->end, AHEAD * m->window);
}

/*
 * Makes one page present, and by that, since the kernel maps what it has around a page that is
 * missed (fault-around), the others up to the next multiple of AROUND. 0 or -errno.
 */
static int present_page(const struct ns_pcap_map *m, size_t at)
{
	while (madvise(m->base + (at & ~(m->page - 1)), m->page, MADV_POPULATE_READ) < 0) {
		if (errno == EINVAL || errno == ENOSYS)
			return 0; /* page by page then, as they are touched */
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
	}
	return 0;
}

/*
 * Makes the next window present, or as much of it as can be read. Returns how many octets; 0: none,
 * the file has become shorter or the reason is in the stream.
 */
static size_t present(struct ns_pcap_reader *r)
{
	struct ns_pcap_map *m = &r->map;
	size_t until = NS_MIN(m->end + m->window, m->size), at = m->end;
	struct stat sb;

	while (at < until) {
		int rc = present_page(m, at);

		if (rc < 0 && fstat(r->st.fd, &sb) == 0 && (uint64_t)sb.st_size < m->size) {
			m->size = NS_MAX((size_t)sb.st_size, m->end);
			until = NS_MIN(until, m->size);
			continue;
		}
		if (rc < 0) {
			snprintf(r->st.error, sizeof(r->st.error), "cannot be read: %s",
				strerror(rc == -EFAULT ? EIO : -rc));
			until = at;
			break;
		}
		/* the kernel's borders are those of addresses */
		at += AROUND - ((uintptr_t)m->base + at) % AROUND;
	}
	return until - m->end;
}

/* Gives back pages that nobody will ask for. */
static void drop(struct ns_pcap_reader *r)
{
	struct ns_pcap_map *m = &r->map;
	size_t pos = (size_t)(r->pos - m->base);
	size_t until = pos > m->lag ? (pos - m->lag) / m->window * m->window : 0;

	if (until <= m->dropped)
		return;
	madvise(m->base + m->dropped, until - m->dropped, MADV_DONTNEED);
	m->dropped = until;
}

void ns_pcap_map_more(struct ns_pcap_reader *r, size_t n)
{
	struct ns_pcap_map *m = &r->map;

	while ((size_t)(r->end - r->pos) < n && !r->st.end) {
		size_t got;

		drop(r);
		ask_ahead(r);
		got = present(r);
		m->end += got;
		r->end += got;
		r->off_end += got;
		r->s->stats.bytes_read += got;
		r->st.end = m->end == m->size || r->st.error[0] != 0;
	}
}

bool ns_pcap_map_is_there(struct ns_pcap_reader *r, const uint8_t *at)
{
	struct stat sb;

	if (!ns_pcap_mapped(r, at) || fstat(r->st.fd, &sb) < 0 ||
		(uint64_t)sb.st_size > (size_t)(at - r->map.base))
		return true;
	lose(&r->map, (size_t)sb.st_size);
	return false;
}

bool ns_pcap_map_good(const struct ns_pcap_reader *r, const uint8_t *data, size_t len)
{
	size_t lost = __atomic_load_n(&r->map.lost, __ATOMIC_ACQUIRE);

	return !ns_pcap_mapped(r, data) || (size_t)(data - r->map.base) + len <= lost;
}

void ns_pcap_map_end(struct ns_pcap_reader *r)
{
	if (r->state == NS_PCAP_ENDED)
		return;
	ns_pcap_reader_damage(r, r->map.base + NS_MIN(r->map.lost, r->map.end),
		"cannot be read from here on: the file became shorter, or its device fails");
}

/*
 * Room that begins at a multiple of 2 MiB: what the page cache holds in pages of that size is then
 * mapped by one entry of the page table (and by 512 otherwise: 12 against 27 ns/packet).
 */
static uint8_t *reserve(size_t room)
{
	size_t all = room + HUGE_PAGE;
	uint8_t *p = mmap(NULL, all, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	size_t before;

	if (p == MAP_FAILED)
		return NULL;
	before = -(uintptr_t)p & (HUGE_PAGE - 1);
	if (before > 0)
		munmap(p, before);
	if (before < HUGE_PAGE)
		munmap(p + before + room, HUGE_PAGE - before);
	mprotect(p + before, room, PROT_READ);
	return p + before;
}

/* The window moves to the mapping, and every pointer into the block with it. */
void ns_pcap_map_switch(struct ns_pcap_reader *r)
{
	struct ns_pcap_map *m = &r->map;
	const struct ns_pcap_stream *st = &r->st;
	size_t page = (size_t)sysconf(_SC_PAGESIZE), rest = (size_t)(r->end - r->pos);
	uint8_t *base;
	off_t at;

	if (!ns_pcap_mapping || !st->regular || st->pack != NS_PCAP_PLAIN || st->end ||
		st->size > SIZE_MAX / 2 || r->state != NS_PCAP_READY)
		return;
	/* Standard input may begin in the middle of a file. Then, or when the file has grown
	 * shorter already, offsets are not what they seem. */
	at = lseek(st->fd, 0, SEEK_CUR);
	if (at < 0 || (uint64_t)at != r->off_end || r->off_end > st->size)
		return;
	m->room = ((size_t)st->size + GUARD + page - 1) & ~(page - 1);
	base = reserve(m->room);
	if (base == NULL)
		return;
	if (mmap(base, (size_t)st->size, PROT_READ, MAP_SHARED | MAP_FIXED, st->fd, 0) ==
		MAP_FAILED) {
		munmap(base, m->room); /* some file systems can't */
		return;
	}
	(void)madvise(base, (size_t)st->size, MADV_SEQUENTIAL);
	m->base = base;
	m->page = page;
	m->size = (size_t)st->size;
	m->lost = SIZE_MAX;
	m->window = (r->s->block * (r->s->merge ? 1 : WINDOW_BLOCKS) + page - 1) & ~(page - 1);
	m->lag = m->window * (r->s->hold.mark != NULL ? 2 : 1);
	m->end = (size_t)r->off_end;
	r->end = base + m->end;
	r->pos = r->end - rest;
	r->ahead = r->pos;
	m->dropped = 0;
	r->st.end = m->end == m->size;
	link_map(m);
}

void ns_pcap_map_close(struct ns_pcap_reader *r)
{
	struct ns_pcap_map *m = &r->map;

	if (m->base == NULL)
		return;
	unlink_map(m);
	munmap(m->base, m->room);
	m->base = NULL;
}
