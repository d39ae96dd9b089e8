/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The state file: who this spool is, and two slots that are written in turn, so that one of them is
 * whole whenever a crash comes.
 *
 *	0    | magic version crc id |
 *	64   | slot 0               |
 *	128  | slot 1               |
 */
#include "spool_priv.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC UINT64_C(0x54534c4f4f50534e) /* "NSPOOLST" */
#define SLOT_AT(serial) (off_t)(64 + 64 * ((serial) % 2))

struct head {
	uint64_t magic;
	uint32_t version;
	uint32_t crc; /* of id */
	uint8_t id[SPOOL_ID];
};

static uint32_t slot_crc(const struct spool_slot *s, const uint8_t *id)
{
	return ns_crc32c(ns_crc32c(0, id, SPOOL_ID), s, offsetof(struct spool_slot, crc));
}

int spool_state_write(struct ns_spool *sp, const struct spool_slot *slot, bool to_disk)
{
	struct spool_slot s = *slot;

	s.serial = ++sp->r.serial;
	s.crc = slot_crc(&s, sp->id);
	ssize_t n = pwrite(sp->state, &s, sizeof(s), SLOT_AT(s.serial));

	if (n != (ssize_t)sizeof(s))
		return ns_errno_set(n < 0 ? errno : EIO);
	return to_disk && fdatasync(sp->state) < 0 ? ns_errno_set(errno) : 0;
}

static int make(struct ns_spool *sp, const uint8_t *id)
{
	uint8_t page[192] = {0};
	struct head h = {MAGIC, SPOOL_VERSION, 0, {0}};

	if (id != NULL)
		memcpy(h.id, id, SPOOL_ID);
	else if (getrandom(h.id, SPOOL_ID, 0) != SPOOL_ID)
		return ns_errno_set(EIO);
	h.crc = ns_crc32c(0, h.id, SPOOL_ID);
	memcpy(page, &h, sizeof(h));
	memcpy(sp->id, h.id, SPOOL_ID);
	ssize_t n = pwrite(sp->state, page, sizeof(page), 0);

	return n == (ssize_t)sizeof(page) ? 0 : ns_errno_set(n < 0 ? errno : ENOSPC);
}

/* The segments know whose they are when the state file is lost. */
static const uint8_t *id_of_segments(int dir, struct spool_header *h)
{
	const uint8_t *id = NULL;
	unsigned n = 0;
	uint32_t *numbers = spool_list(dir, &n);
	int fd;

	for (unsigned i = 0; i < n && id == NULL; i++) {
		if (spool_segment_open(dir, numbers[i], &fd, h) == 0) {
			close(fd);
			id = h->id;
		}
	}
	free(numbers);
	return id;
}

int spool_state_open(struct ns_spool *sp, struct spool_slot *slot, struct ns_err *e)
{
	struct spool_header segment;
	struct head h = {0};
	int rc = 0;

	memset(slot, 0, sizeof(*slot));
	sp->state = openat(sp->dir, "state", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (sp->state < 0)
		return ns_fail(e, errno, "spool %s: state: %s", sp->path, strerror(errno));
	ssize_t n = pread(sp->state, &h, sizeof(h), 0);

	if (n == (ssize_t)sizeof(h) && h.magic == MAGIC && h.version != SPOOL_VERSION)
		return ns_fail(e, EINVAL, "spool %s: has version %u, this program's is %u",
			sp->path, h.version, SPOOL_VERSION);
	if (n != (ssize_t)sizeof(h) || h.magic != MAGIC || h.crc != ns_crc32c(0, h.id, SPOOL_ID))
		rc = make(sp, id_of_segments(sp->dir, &segment));
	else
		memcpy(sp->id, h.id, SPOOL_ID);
	for (unsigned i = 0; rc == 0 && i < 2; i++) {
		struct spool_slot s;

		if (pread(sp->state, &s, sizeof(s), SLOT_AT(i)) == (ssize_t)sizeof(s) &&
			s.crc == slot_crc(&s, sp->id) && s.serial > slot->serial)
			*slot = s;
	}
	sp->r.serial = slot->serial;
	return rc < 0 ? ns_fail(e, -rc, "spool %s: state: %s", sp->path, strerror(-rc)) : 0;
}
