/* SPDX-License-Identifier: BSD-3-Clause */
/* What a segment is made of, and whether it still is. See spool_priv.h. */
#include "spool_priv.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void spool_segment_name(char name[16], uint32_t number)
{
	snprintf(name, 16, "%08x.seg", number);
}

static uint32_t header_crc(const struct spool_header *h)
{
	struct spool_header plain = *h;

	plain.crc = 0;
	return ns_crc32c(0, &plain, sizeof(plain));
}

void spool_header_seal(struct spool_header *h)
{
	h->crc = header_crc(h);
}

bool spool_header_sound(const struct spool_header *h)
{
	return h->magic == SPOOL_MAGIC && h->version == SPOOL_VERSION && h->crc == header_crc(h) &&
	       h->number > 0 && h->number <= UINT32_MAX && h->first > 0 &&
	       h->size >= NS_SPOOL_SEGMENT_MIN && h->size <= NS_SPOOL_SEGMENT_MAX;
}

int spool_segment_open(int dir, uint32_t number, int *fd, struct spool_header *h)
{
	char name[16];

	spool_segment_name(name, number);
	*fd = openat(dir, name, O_RDWR | O_CLOEXEC);
	if (*fd < 0)
		return ns_errno_set(errno);
	if (pread(*fd, h, sizeof(*h), 0) == (ssize_t)sizeof(*h) && spool_header_sound(h) &&
		h->number == number)
		return 0;
	close(*fd);
	*fd = -1;
	return ns_errno_set(EBADMSG);
}

bool spool_entry_sound(
	const uint8_t *p, uint64_t n, uint32_t seed, uint64_t skip, uint64_t min, uint64_t *len)
{
	struct spool_entry x;

	if (n < sizeof(x))
		return false;
	memcpy(&x, p, sizeof(x));
	if (x.magic != SPOOL_ENTRY_MAGIC || x.records == 0 || x.length > n - sizeof(x))
		return false;
	if (x.seq < skip || x.seq - skip < min)
		return false;
	*len = spool_align(sizeof(x) + x.length);
	return x.crc == ns_crc32c(ns_crc32c(seed, p, SPOOL_CRC_FROM), p + sizeof(x), x.length);
}

/* All of a file, up to @p max; what can't be read is zero. */
static uint8_t *load(int fd, uint64_t max, uint64_t *n)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return NULL;
	*n = NS_MIN((uint64_t)st.st_size, max);
	uint8_t *p = calloc(1, *n + 1);

	for (uint64_t at = 0; p != NULL && at < *n;) {
		ssize_t got = pread(fd, p + at, NS_MIN(*n - at, (uint64_t)SPOOL_CHUNK), (off_t)at);

		/* a bad block: what is behind it may be good */
		at += got > 0 ? (uint64_t)got : 4096 - at % 4096;
	}
	return p;
}

int spool_segment_scan(
	int fd, const struct spool_header *h, uint64_t *last, uint64_t *end, bool *torn)
{
	uint64_t n = 0, len, at = sizeof(*h);
	uint8_t *p = load(fd, h->size, &n);

	*last = 0;
	*end = sizeof(*h);
	*torn = false;
	if (p == NULL)
		return ns_errno_set(errno);
	while (at < n) {
		struct spool_entry x;

		if (!spool_entry_sound(p + at, n - at, h->crc, h->skip,
			    *last > 0 ? *last + 1 : h->first, &len)) {
			at += 8;
			continue;
		}
		memcpy(&x, p + at, sizeof(x));
		*last = x.seq - h->skip + x.records - 1;
		at = NS_MIN(at + len, n);
		*end = at;
	}
	for (at = *end; at < n && !*torn; at++)
		*torn = p[at] != 0;
	free(p);
	return 0;
}
