/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Octets of one input, whatever holds them: a plain file, a gzip or zstd file (known by its first
 * octets, not by its name), or standard input.
 */

#include <ns_base.h>

enum ns_pcap_pack { NS_PCAP_PLAIN, NS_PCAP_GZIP, NS_PCAP_ZSTD };

struct ns_pcap_stream {
	int fd; /**< -1: closed */
	bool regular; /**< a regular file: reads never wait for a writer */
	bool end; /**< nothing more will come: end of input, or error is set */
	bool member; /**< gzip, zstd: inside a member or frame */
	enum ns_pcap_pack pack;
	uint64_t in; /**< octets taken from the file, compressed ones if it is compressed */
	uint64_t size; /**< of the regular file; 0: not known */
	uint8_t head[4]; /**< octets looked at to know what the file is */
	size_t head_len;
	uint8_t *ibuf; /**< compressed octets */
	size_t ipos;
	size_t ilen;
	void *codec; /**< z_stream or ZSTD_DCtx */
	const bool *stop; /**< atomic: wait for a writer no longer; NULL: never asked for */
	bool stopped; /**< the input ended because of that */
	char error[128]; /**< why the input ended early; "" when it did not */
};

/** Opens @p path ("-": standard input). 0 or -errno with a message naming the path. */
int ns_pcap_stream_open(struct ns_pcap_stream *st, const char *path, struct ns_err *e);

/**
 * Writes at least @p min octets to @p buf, fewer only at the end, and up to @p max when they can be
 * had without waiting for a writer. Returns the count; st->end and st->error tell of the end.
 */
size_t ns_pcap_stream_read(struct ns_pcap_stream *st, uint8_t *buf, size_t min, size_t max);

/** Closes; fine on a zeroed struct whose fd is -1. */
void ns_pcap_stream_close(struct ns_pcap_stream *st);
