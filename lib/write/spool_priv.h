/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * One directory:
 *
 *	lock            flock: one process at a time
 *	state           who this spool is, how far the reader is, whether the last end was orderly
 *	00000007.seg    segments, in order of number; the last one grows
 *	00000008.seg
 *	layout-*        of the records in it (spool_layout.c)
 *
 * A segment is preallocated, so that no store into its mapping can find the disk full:
 *
 *	| header 64 | entry | entry | ... | entry | zeros ...                    |
 *	                                  end (atomic, in sp->tail)         size
 *	entry: | magic length seq time records crc | octets | up to 8 | = 32 + length, aligned
 *
 * Two numbers. Records have a number in the log, 1, 2, 3, ..., of which all counts are made: what
 *is missing between two entries is exactly the difference. What sinks see is seq = number + skip.
 * skip grows by 2^32 when the last end was not orderly: a power failure may have taken entries
 * that a sink already has, and their seq must not come again for other records.
 *
 * Writer's thread: makes, fills and unlinks segments; head, tail, its counters. Reader's thread:
 * reads with pread (a bad block is an error there, and a SIGBUS in a mapping), writes state while
 * both run. Both move floor up, by compare and swap: everything up to it is done or lost, and who
 * moved it has counted what it moved.
 *
 * Sources: the log-structured idea is Rosenblum, Ousterhout 1992; single producer, single consumer
 * by positions is Lamport 1983; sequence numbers and an idempotent sink make at-least-once into
 * exactly-once as in Birrell, Nelson 1984.
 */

#include "ns_spool.h"

#define SPOOL_MAGIC UINT64_C(0x314c4f4f5053534e) /* "NSSPOOL1" */
#define SPOOL_VERSION 1u
#define SPOOL_ENTRY_MAGIC 0x4553534eu /* "NSSE" */
#define SPOOL_JUMP (UINT64_C(1) << 32)
#define SPOOL_ID 16
#define SPOOL_CHUNK (256u << 10) /* octets of a pread */
#define SPOOL_RETRY_NS (NS_SEC_NS / 10)

struct spool_header {
	uint64_t magic;
	uint32_t version;
	uint32_t crc; /* of the header with 0 here; entries of another segment don't fit to it */
	uint8_t id[SPOOL_ID];
	uint64_t number;
	uint64_t first; /* number of the first record in it */
	uint64_t skip; /* seq = number of a record + skip */
	uint64_t size;
};
_Static_assert(sizeof(struct spool_header) == 64, "header of a segment");

struct spool_entry {
	uint32_t magic;
	uint32_t length;
	uint64_t seq;
	uint64_t time_ns;
	uint32_t records;
	uint32_t crc; /* of what is before it and of the octets, begun with the segment's crc */
};
_Static_assert(sizeof(struct spool_entry) == 32, "header of an entry");
#define SPOOL_CRC_FROM offsetof(struct spool_entry, crc)

/* A slot of the state file; the one with the greater serial holds. */
struct spool_slot {
	uint64_t serial;
	uint64_t floor; /* the last record that is done */
	uint64_t next; /* orderly: number of the next record */
	uint64_t skip;
	uint32_t orderly;
	uint32_t crc;
};

struct spool_seg {
	uint32_t number;
	uint64_t first;
};

/* Reading place: within the segment, and the number of the record that should be there. */
struct spool_place {
	uint32_t segment;
	uint64_t at;
	uint64_t next;
};

#define SPOOL_LINE __attribute__((aligned(NS_CACHE_LINE)))

struct ns_spool {
	/* read only after open */
	char *path;
	int dir, lock, state;
	uint64_t size; /* of a segment */
	unsigned segs_max;
	enum ns_spool_sync sync;
	uint8_t id[SPOOL_ID];
	char source[2 * SPOOL_ID + 1];
	uint64_t found, torn;
	uint64_t lost_full, lost_damaged; /* found to be lost at open */

	/* atomic; writer: the writer's thread; reader: the other, and statistics */
	uint64_t tail SPOOL_LINE; /* segment << 32 | end */
	uint64_t head; /* number of the last record */

	/* atomic; writers: both */
	uint64_t floor SPOOL_LINE;

	/* the writer's thread's; what begins with n_ is read relaxed by any */
	struct {
		struct spool_seg *segs; /* oldest first */
		unsigned segs_n;
		uint32_t last; /* greatest number given */
		int fd;
		uint8_t *map; /* NULL: no segment to append to */
		uint64_t end, synced;
		uint64_t skip;
		uint32_t seed;
		uint64_t retry_ns, sync_ns; /* monotonic */
		uint64_t n_octets, n_full, n_no_space, n_too_large, n_segments;
		uint32_t n_no_room;
	} w SPOOL_LINE;

	/* the reader's thread's, and the same */
	struct {
		struct spool_place now, done;
		int fd; /* of now.segment, or -1 */
		bool sound; /* its header is */
		uint64_t first, skip, size;
		uint32_t seed;
		uint8_t *buf;
		size_t buf_max;
		uint64_t buf_at, buf_end; /* what of the segment is in buf */
		uint64_t records, damaged; /* read since the last commit */
		uint64_t serial;
		uint64_t n_done, n_damaged, n_saved;
	} r SPOOL_LINE;
};

static inline uint64_t spool_align(uint64_t n)
{
	return (n + 7) & ~UINT64_C(7);
}

static inline uint32_t spool_tail_segment(uint64_t tail)
{
	return (uint32_t)(tail >> 32);
}

/* Moves floor up to @p to; how many records that were. */
uint64_t spool_floor_up(struct ns_spool *sp, uint64_t to);

/* spool_crc.c: without the instruction; crc as it is between two octets (inverted). */
uint32_t spool_crc_table(uint32_t crc, const uint8_t *p, size_t n);

/* spool_segment.c */
void spool_segment_name(char name[16], uint32_t number);
void spool_header_seal(struct spool_header *h);
bool spool_header_sound(const struct spool_header *h);
/*
 * Whether an entry is whole at @p p with @p n octets; *len gets its size with all. Those before
 * record @p min, or past any that there can be, are none.
 */
bool spool_entry_sound(
	const uint8_t *p, uint64_t n, uint32_t seed, uint64_t skip, uint64_t min, uint64_t *len);
/*
 * Looks through a segment from behind its header: the number of the last record (0: none), where
 * its entry ends, and whether there is anything behind it that is not zero. 0 or -errno.
 */
int spool_segment_scan(
	int fd, const struct spool_header *h, uint64_t *last, uint64_t *end, bool *torn);

/* spool_state.c: 0 or -errno. */
int spool_state_open(struct ns_spool *sp, struct spool_slot *slot, struct ns_err *e);
int spool_state_write(struct ns_spool *sp, const struct spool_slot *slot, bool to_disk);

/*
 * spool_find.c: what an earlier run left. The numbers of all segments in order, malloc'ed, or NULL
 * with errno.
 */
uint32_t *spool_list(int dir, unsigned *n);
/* 0 and the header when it is sound, or -errno; *fd is open then. */
int spool_segment_open(int dir, uint32_t number, int *fd, struct spool_header *h);
int spool_find(struct ns_spool *sp, const struct spool_slot *slot, struct ns_err *e);

/* spool_append.c */
void spool_append_end(struct ns_spool *sp);
void spool_reap(struct ns_spool *sp);
