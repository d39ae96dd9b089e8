/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A file of blocks behind a buffer. Block boundaries in the buffer are found by the blocks' own
 * lengths, so that a file whose disk is full ends with a whole block:
 *
 *	file      | block | block | bl        write() took so much, then failed
 *	buffer    | block | block | block | block |
 *	          | block | block |           cut back; the rest is not in the file, and not counted
 */
#include "pcapng_priv.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int out_open(struct out *o, const char *path, bool force, struct ns_err *e)
{
	int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	struct stat st;

	*o = (struct out){.fd = open(path, flags | (force ? O_TRUNC : O_EXCL), 0600)};
	if (o->fd < 0 && errno == EEXIST)
		return ns_fail(e, EEXIST, "%s is there already", path);
	if (o->fd < 0)
		return ns_fail(e, errno, "%s: %s", path, strerror(errno));
	/* nobody may have to read for us to go on */
	if (fstat(o->fd, &st) < 0 || !(S_ISREG(st.st_mode) || S_ISCHR(st.st_mode))) {
		close(o->fd);
		return ns_fail(e, EINVAL, "%s is not a file", path);
	}
	o->buffer = malloc(BUFFER);
	if (o->buffer == NULL) {
		close(o->fd);
		return ns_fail(e, ENOMEM, "no memory to write %s", path);
	}
	return 0;
}

static uint32_t u32_at(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint32_t block_size(const struct out *o, size_t at)
{
	return u32_at(o->buffer + at + 4);
}

/* What write() took of the buffer before it failed is cut to whole blocks. */
static void cut(struct out *o, size_t taken, uint64_t reserve)
{
	size_t room = taken > reserve ? taken - (size_t)reserve : 0, at = 0;

	for (; at < o->used && at + block_size(o, at) <= room; at += block_size(o, at))
		o->packets += u32_at(o->buffer + at) == BLOCK_ENHANCED;
	o->written += at;
	for (; at < o->used; at += block_size(o, at)) {
		if (u32_at(o->buffer + at) == BLOCK_ENHANCED)
			o->delivered[u32_at(o->buffer + at + 8)]--;
	}
	/* a device can't be cut, and needs not be */
	if (ftruncate(o->fd, (off_t)o->written) == 0)
		(void)lseek(o->fd, (off_t)o->written, SEEK_SET);
}

int out_flush(struct out *o, uint64_t reserve)
{
	size_t taken = 0;

	if (o->error != 0)
		return -o->error;
	while (taken < o->used) {
		ssize_t n = write(o->fd, o->buffer + taken, o->used - taken);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			o->error = n < 0 ? errno : ENOSPC;
			break;
		}
		taken += (size_t)n;
	}
	if (o->error == 0) {
		o->written += o->used;
		o->packets += o->waiting;
	} else {
		cut(o, taken, reserve);
	}
	o->used = 0;
	o->waiting = 0;
	return -o->error;
}

uint8_t *out_room(struct out *o, size_t n)
{
	if (o->error != 0)
		return ns_errno_null(o->error);
	uint8_t *p = o->buffer + o->used;

	o->used += n;
	return p;
}

void out_again(struct out *o)
{
	o->error = 0;
	o->used = 0;
	o->waiting = 0;
}

int out_close(struct out *o)
{
	int rc = close(o->fd) < 0 ? -errno : 0;

	free(o->buffer);
	return rc;
}
