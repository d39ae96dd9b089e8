/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Plain input goes by large read() straight into the caller's block: no buffer of our own between
 * the page cache and the packets. Compressed input passes through one buffer of compressed octets.
 */
#include "stream.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#define IBUF_OCTETS (256 * 1024)
#define PIPE_OCTETS (1024 * 1024)
#define STOP_LOOK_MS 50

/* A pipe may keep quiet for long: looks now and then whether anybody still wants its octets. */
static bool wait_for_writer(struct ns_pcap_stream *st)
{
	struct pollfd p = {.fd = st->fd, .events = POLLIN};

	while (!__atomic_load_n(st->stop, __ATOMIC_RELAXED)) {
		if (poll(&p, 1, STOP_LOOK_MS) != 0)
			return true; /* octets, the end, or an error that read() tells */
	}
	st->stopped = true;
	return false;
}

/* At most n octets as the input holds them; 0 at its end or on an error. */
static size_t raw_read(struct ns_pcap_stream *st, uint8_t *buf, size_t n)
{
	ssize_t got;

	if (st->head_len > 0) {
		n = NS_MIN(n, st->head_len);
		memcpy(buf, st->head, n);
		memmove(st->head, st->head + n, st->head_len - n);
		st->head_len -= n;
		return n;
	}
	if (!st->regular && st->stop != NULL && !wait_for_writer(st))
		return 0;
	do {
		got = read(st->fd, buf, n);
	} while (got < 0 && errno == EINTR);
	if (got < 0) {
		snprintf(st->error, sizeof(st->error), "cannot be read: %s", strerror(errno));
		return 0;
	}
	st->in += (size_t)got;
	return (size_t)got;
}

static bool more_input(struct ns_pcap_stream *st)
{
	if (st->ipos < st->ilen)
		return true;
	st->ipos = 0;
	st->ilen = raw_read(st, st->ibuf, IBUF_OCTETS);
	if (st->ilen > 0)
		return true;
	if (st->member && st->error[0] == 0)
		snprintf(st->error, sizeof(st->error), "the compressed data end early");
	return false;
}

static size_t gzip_inflate(struct ns_pcap_stream *st, uint8_t *buf, size_t n)
{
	z_stream *z = st->codec;
	int rc;

	n = NS_MIN(n, (size_t)1 << 30);
	z->next_in = st->ibuf + st->ipos;
	z->avail_in = (uInt)(st->ilen - st->ipos);
	z->next_out = buf;
	z->avail_out = (uInt)n;
	rc = inflate(z, Z_NO_FLUSH);
	st->ipos = st->ilen - z->avail_in;
	if (rc == Z_STREAM_END) {
		st->member = false;
	} else if (rc != Z_OK && rc != Z_BUF_ERROR) {
		snprintf(st->error, sizeof(st->error), "the compressed data are damaged: %s",
			z->msg != NULL ? z->msg : "no gzip data");
		st->end = true;
	}
	return n - z->avail_out;
}

/* One step: octets written; 0 with st->end set at the end, 0 without it to be called again. */
static size_t gzip_step(struct ns_pcap_stream *st, uint8_t *buf, size_t n)
{
	/* After a full output zlib may hold octets back: it is asked before more is read. */
	if (st->member && st->ipos == st->ilen) {
		size_t got = gzip_inflate(st, buf, n);

		if (got > 0 || st->end || !st->member)
			return got;
	}
	if (!more_input(st)) {
		st->end = true;
		return 0;
	}
	if (!st->member) {
		/* Members may follow each other; what is no member is padding, or rubbish. */
		if (st->ibuf[st->ipos] != 0x1f) {
			if (st->ibuf[st->ipos] != 0)
				snprintf(st->error, sizeof(st->error),
					"octets that are no gzip follow the compressed data");
			st->end = true;
			return 0;
		}
		inflateReset(st->codec);
		st->member = true;
	}
	return gzip_inflate(st, buf, n);
}

static size_t zstd_step(struct ns_pcap_stream *st, uint8_t *buf, size_t n)
{
	ZSTD_outBuffer out = {.dst = buf, .size = n};
	ZSTD_inBuffer in;
	size_t rc;

	/* As with zlib above. */
	if (st->ipos == st->ilen && st->member) {
		in = (ZSTD_inBuffer){.src = st->ibuf, .size = 0};
		rc = ZSTD_decompressStream(st->codec, &out, &in);
		if (!ZSTD_isError(rc) && out.pos > 0) {
			st->member = rc != 0;
			return out.pos;
		}
	}
	if (!more_input(st)) {
		st->end = true;
		return 0;
	}
	in = (ZSTD_inBuffer){.src = st->ibuf, .size = st->ilen, .pos = st->ipos};
	rc = ZSTD_decompressStream(st->codec, &out, &in);
	if (ZSTD_isError(rc)) {
		snprintf(st->error, sizeof(st->error), "the compressed data are damaged: %s",
			ZSTD_getErrorName(rc));
		st->end = true;
		return out.pos;
	}
	st->ipos = in.pos;
	st->member = rc != 0;
	return out.pos;
}

size_t ns_pcap_stream_read(struct ns_pcap_stream *st, uint8_t *buf, size_t min, size_t max)
{
	size_t done = 0;

	while (done < max && !st->end) {
		size_t got;

		if (done >= min && !st->regular)
			break;
		switch (st->pack) {
		case NS_PCAP_GZIP:
			got = gzip_step(st, buf + done, max - done);
			break;
		case NS_PCAP_ZSTD:
			got = zstd_step(st, buf + done, max - done);
			break;
		default:
			got = raw_read(st, buf + done, max - done);
			st->end = got == 0;
			break;
		}
		done += got;
	}
	return done;
}

static int codec_open(struct ns_pcap_stream *st)
{
	st->ibuf = malloc(IBUF_OCTETS);
	if (st->ibuf == NULL)
		return ns_errno_set(ENOMEM);
	if (st->pack == NS_PCAP_GZIP) {
		z_stream *z = calloc(1, sizeof(*z));

		if (z == NULL || inflateInit2(z, 15 + 16) != Z_OK) {
			free(z);
			return ns_errno_set(ENOMEM);
		}
		st->codec = z;
	} else {
		st->codec = ZSTD_createDCtx();
		if (st->codec == NULL)
			return ns_errno_set(ENOMEM);
	}
	return 0;
}

/* Looks at the first octets: is it compressed? */
static int sniff(struct ns_pcap_stream *st)
{
	uint8_t first[sizeof(st->head)];
	size_t n = 0, got;

	while (n < sizeof(first) && (got = raw_read(st, first + n, sizeof(first) - n)) > 0)
		n += got;
	memcpy(st->head, first, n);
	st->head_len = n;
	if (n >= 2 && first[0] == 0x1f && first[1] == 0x8b)
		st->pack = NS_PCAP_GZIP;
	else if (n == 4 && first[1] == 0xb5 && first[2] == 0x2f && first[3] == 0xfd &&
		 first[0] == 0x28)
		st->pack = NS_PCAP_ZSTD;
	else if (n == 4 && first[1] == 0x2a && first[2] == 0x4d && first[3] == 0x18 &&
		 (first[0] & 0xf0) == 0x50)
		st->pack = NS_PCAP_ZSTD; /* a skippable frame, RFC 8878 3.1.2 */
	return st->pack == NS_PCAP_PLAIN ? 0 : codec_open(st);
}

int ns_pcap_stream_open(struct ns_pcap_stream *st, const char *path, struct ns_err *e)
{
	struct stat sb;
	int rc;

	memset(st, 0, sizeof(*st));
	if (strcmp(path, "-") == 0)
		st->fd = dup(STDIN_FILENO);
	else
		st->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (st->fd < 0 || fstat(st->fd, &sb) < 0) {
		rc = errno;
		ns_pcap_stream_close(st);
		return ns_fail(e, rc, "%s: cannot be opened: %s", path, strerror(rc));
	}
	if (S_ISDIR(sb.st_mode)) {
		ns_pcap_stream_close(st);
		return ns_fail(e, EISDIR, "%s: is a directory, not a capture file", path);
	}
	st->regular = S_ISREG(sb.st_mode);
	if (st->regular) {
		st->size = (uint64_t)sb.st_size;
		posix_fadvise(st->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	} else if (S_ISFIFO(sb.st_mode)) {
		/* fewer turns between the two programs; may be refused */
		(void)fcntl(st->fd, F_SETPIPE_SZ, PIPE_OCTETS);
	}
	rc = sniff(st);
	if (rc == 0 && st->error[0] != 0)
		rc = -EIO;
	if (rc < 0) {
		ns_fail(e, -rc, "%s: %s", path, st->error[0] != 0 ? st->error : strerror(-rc));
		ns_pcap_stream_close(st);
	}
	return rc;
}

void ns_pcap_stream_close(struct ns_pcap_stream *st)
{
	if (st->codec != NULL && st->pack == NS_PCAP_GZIP) {
		inflateEnd(st->codec);
		free(st->codec);
	} else if (st->codec != NULL) {
		ZSTD_freeDCtx(st->codec);
	}
	free(st->ibuf);
	if (st->fd >= 0)
		close(st->fd);
	memset(st, 0, sizeof(*st));
	st->fd = -1;
}
