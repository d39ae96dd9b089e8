/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* Between pcapng.c, which knows blocks, and out.c, which knows files. */

#include <ns_pcapng.h>

#define BUFFER (1u << 20) /* more than the largest block */
#define BLOCK_ENHANCED 6u

struct out {
	int fd;
	int error; /* errno of the first write that failed; 0: none */
	uint64_t written; /* octets in the file, whole blocks */
	uint64_t packets; /* in the file */
	size_t used; /* of the buffer, whole blocks */
	uint64_t waiting; /* packets in the buffer */
	uint64_t delivered[NS_PCAPNG_IFS_MAX]; /* packets of each interface: file and buffer */
	uint8_t *buffer;
};

/** Opens the file; 0 or -errno with a message. */
int out_open(struct out *o, const char *path, bool force, struct ns_err *e);

/** Room for a block of @p n octets; NULL with errno when the file can't be written. */
uint8_t *out_room(struct out *o, size_t n);

/**
 * Writes the buffer. When the disk takes only a part the file is cut back behind a whole block,
 * @p reserve octets further to the front if it can be, where others may then be written.
 */
int out_flush(struct out *o, uint64_t reserve);

/** Tries again after an error: what is put now is short and has its room. */
void out_again(struct out *o);

int out_close(struct out *o);
