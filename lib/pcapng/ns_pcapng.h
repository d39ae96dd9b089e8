/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Writes pcapng files (draft-ietf-opsawg-pcapng): one section, interfaces as they are named,
 *packets with times in nanoseconds, and statistics of each interface at the end.
 *
 *	SHB  IDB...  EPB...  (IDB EPB...)  ISB...
 *
 * One writer is used by one thread at a time. All goes through a buffer; when the disk takes no
 *more the file is cut back behind its last whole block, so that what it has can be read.
 */

#include <ns_base.h>

struct ns_pcapng;

/** An interface; strings are borrowed for the call, NULL: left out. */
struct ns_pcapng_if {
	const char *name; /**< if_name: what the system calls it */
	const char *description; /**< if_description */
	const char *filter; /**< if_filter: expression that its packets match */
	uint16_t linktype; /**< LINKTYPE_* */
	uint32_t snaplen; /**< octets that are kept of a packet at most; 0: all */
};

struct ns_pcapng_packet {
	unsigned iface; /**< number that ns_pcapng_interface() gave */
	uint64_t ts_ns; /**< since 1970 */
	const void *data; /**< borrowed for the call */
	uint32_t caplen; /**< octets at data; at most NS_PCAPNG_CAPLEN_MAX */
	uint32_t wirelen; /**< octets that it had */
	uint64_t dropped; /**< epb_dropcount: lost between the one before and this one */
	const char *comment; /**< NULL or "": none; at most NS_PCAPNG_COMMENT_MAX octets are kept */
};

#define NS_PCAPNG_CAPLEN_MAX 262144u
#define NS_PCAPNG_COMMENT_MAX 4096u

#define NS_PCAPNG_IFS_MAX 256u

/** What is said of an interface at the end, beside how many of its packets are in the file. */
struct ns_pcapng_stats {
	uint64_t received; /**< isb_ifrecv: seen */
	uint64_t accepted; /**< isb_filteraccept: of them, matched by the filter */
	uint64_t dropped; /**< isb_osdrop: of them, lost for lack of room */
};

/**
 * Makes the file @p path, readable for its owner alone, and begins its section; @p application says
 * who writes it. A file that is there is refused (EEXIST) unless @p force, which overwrites it.
 * What is neither a file nor a character device is refused (EINVAL). NULL with errno and a message
 * that names the file. Does not wait for a disk but to open.
 */
struct ns_pcapng *ns_pcapng_create(
	const char *path, const char *application, bool force, struct ns_err *e);

/** Adds an interface; *id gets its number, from 0. 0, or -errno as ns_pcapng_packet(); -E2BIG. */
int ns_pcapng_interface(struct ns_pcapng *w, const struct ns_pcapng_if *f, unsigned *id);

/**
 * Adds a packet. 0, or -errno when the file can't be written (ENOSPC, EFBIG, EIO, ...), from then
 * on always; -EINVAL for an interface that was not named, or a packet that is too long.
 */
int ns_pcapng_packet(struct ns_pcapng *w, const struct ns_pcapng_packet *k);

/** Octets that ns_pcapng_packet() adds to the file. */
uint32_t ns_pcapng_packet_size(const struct ns_pcapng_packet *k);

/** Octets of the statistics that ns_pcapng_close() adds for @p n interfaces. */
uint64_t ns_pcapng_stats_size(unsigned n);

/** Writes what waits in the buffer; 0 or -errno. */
int ns_pcapng_flush(struct ns_pcapng *w);

/** Octets and packets so far: in the file and on their way to it. */
uint64_t ns_pcapng_octets(const struct ns_pcapng *w);
uint64_t ns_pcapng_packets(const struct ns_pcapng *w);

/**
 * Adds statistics of @p n interfaces, from the first on (@p n 0: none), from @p start_ns to @p
 * end_ns since 1970, and writes what is left. From then on octets and packets are those in the
 * file. 0, or -errno with a message that names the file and what is missing. No more packets after
 * it.
 */
int ns_pcapng_end(struct ns_pcapng *w, const struct ns_pcapng_stats *stats, unsigned n,
	uint64_t start_ns, uint64_t end_ns, struct ns_err *e);

/** Closes the file and frees all, as it is; NULL is fine. 0 or -errno, when the file system says so
 * only now. */
int ns_pcapng_close(struct ns_pcapng *w);
