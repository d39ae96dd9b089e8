/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A log on disk between one thread that appends and one that reads: what the reader has not
 * committed is read again after a crash, in order. Bounded: when it is full the oldest segment
 * goes, and its records are counted.
 *
 * An entry is some octets that stand for one or more records. Records are numbered from 1 without a
 * gap; what is given to a sink is a sequence number, which never comes back for another record, not
 * even after a power failure that took the end of the log (ns_spool_entry.seq).
 *
 * Threads: open, close: any, alone. append, sync: the writer's. read, commit, rewind: the reader's.
 * stats, source, directory: any. doc/spool.md has the layout and what is promised.
 */

#include <ns_base.h>

#include <sys/uio.h>

enum ns_spool_sync {
	NS_SPOOL_SYNC_EACH, /**< on disk before append returns */
	NS_SPOOL_SYNC_INTERVAL, /**< about each second */
	NS_SPOOL_SYNC_NONE, /**< when the kernel likes */
};

#define NS_SPOOL_SEGMENT_MIN (UINT64_C(4) << 10)
#define NS_SPOOL_SEGMENT_MAX (UINT64_C(1) << 30)
#define NS_SPOOL_SEGMENTS_MIN 2u

struct ns_spool_args {
	const char *directory; /**< made when it is not there; this spool's alone */
	uint64_t max; /**< octets of all segments together */
	uint64_t segment; /**< octets of one; max is at least two of them */
	enum ns_spool_sync sync;
};

struct ns_spool;

/** Records since open, unless it says otherwise. appended = done + waiting + full + damaged. */
struct ns_spool_stats {
	uint64_t appended; /**< with those that waited at open */
	uint64_t done; /**< read and committed */
	uint64_t waiting; /**< appended and neither committed nor lost */
	uint64_t found; /**< waited at open */
	uint64_t full; /**< lost: in the oldest segment when there was no room */
	uint64_t damaged; /**< lost: their entries can't be read any more */
	uint64_t no_space; /**< lost, never appended: the disk is full, or refuses */
	uint64_t too_large; /**< lost, never appended: the entry is larger than a segment */
	uint64_t torn; /**< entries cut off at open: a crash came while they were written */
	uint64_t octets; /**< appended since open, with headers */
	uint64_t segments; /**< that there are */
	uint32_t no_room; /**< 1: the last append found no room on disk */
};

/** One entry; data are valid until the next ns_spool_read(). */
struct ns_spool_entry {
	uint64_t seq; /**< of its first record; the others follow */
	uint64_t time_ns; /**< as given to append */
	uint32_t records;
	const uint8_t *data; /**< aligned to 8 */
	size_t len;
};

/**
 * Opens or makes the spool in a directory and finds what an earlier run left. Returns what
 * ns_spool_close() frees, or NULL with errno and a message that names the directory: EBUSY (another
 * process has it), EINVAL (sizes, or it is no spool), ENOMEM, ENOSPC, EACCES, ...
 */
struct ns_spool *ns_spool_open(const struct ns_spool_args *args, struct ns_err *e);

/** Marks the end as orderly, gives back what is not used, frees; NULL is fine. */
void ns_spool_close(struct ns_spool *sp);

/**
 * Appends one entry of @p n parts, one behind the other, that stands for @p records (at least 1).
 * May drop the oldest segment. 0, or -errno when it could not be kept, which is counted: -ENOSPC
 * and what else the disk says (tried again at most each tenth of a second), -EMSGSIZE.
 */
int ns_spool_append(struct ns_spool *sp, const struct iovec *parts, unsigned n, uint32_t records,
	uint64_t time_ns);

/** Whether an entry of @p len octets would cost the oldest segment. Writer's thread. */
bool ns_spool_full(struct ns_spool *sp, size_t len);

/** Puts on disk what is due and gives back segments that are done. Call now and then when idle. */
void ns_spool_sync(struct ns_spool *sp);

/**
 * The next entry. 1, 0 when there is none now, or -errno when a segment can't be opened (EMFILE,
 * EACCES, ...): try again. What is damaged is skipped and counted.
 */
int ns_spool_read(struct ns_spool *sp, struct ns_spool_entry *out);

/** All that was read is done, and is not read again. 0, or -errno: then it may be, after a crash.
 */
int ns_spool_commit(struct ns_spool *sp);

/** What was read and not committed is read again. */
void ns_spool_rewind(struct ns_spool *sp);

void ns_spool_stats(const struct ns_spool *sp, struct ns_spool_stats *s);

/** 32 hexadecimal digits, drawn when the spool was made: whose the sequence numbers are. */
const char *ns_spool_source(const struct ns_spool *sp);

/** Descriptor of the directory, for files beside the segments; not to be closed. */
int ns_spool_directory(const struct ns_spool *sp);

/** CRC32C (Castagnoli, RFC 3720 B.4) of @p n octets, going on from @p crc (0 at first). */
uint32_t ns_crc32c(uint32_t crc, const void *data, size_t n);
