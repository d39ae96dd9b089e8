/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Blocks of pcapng, in this machine's order of octets, as the section's header says:
 *
 *	| type | length | body | options | length |
 *	option: | code 16 | length 16 | value, padded to 4 |, the last one is code 0
 *
 * Numbers are put with memcpy(): a block begins at a multiple of four only.
 */
#include "pcapng_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#define BLOCK_SECTION 0x0a0d0d0au
#define BLOCK_INTERFACE 1u
#define BLOCK_STATISTICS 5u
#define BYTE_ORDER_MAGIC 0x1a2b3c4du

#define OPT_END 0
#define OPT_COMMENT 1
#define SHB_OS 3
#define SHB_USERAPPL 4
#define IF_NAME 2
#define IF_DESCRIPTION 3
#define IF_TSRESOL 9
#define IF_FILTER 11
#define EPB_DROPCOUNT 4
#define ISB_STARTTIME 2
#define ISB_ENDTIME 3
#define ISB_IFRECV 4
#define ISB_FILTERACCEPT 6
#define ISB_OSDROP 7
#define ISB_USRDELIV 8

#define NANOSECONDS 9 /* if_tsresol: 10^-9 s */
#define TEXT_MAX 4096u /* octets of a text in an option */
#define EPB_BODY 20u
#define U64_OPTION 12u
#define END_OPTION 4u
#define FRAME 12u /* type and both lengths */
#define STATISTICS (FRAME + 12 + 6 * U64_OPTION + END_OPTION)

_Static_assert(
	BUFFER > FRAME + EPB_BODY + NS_PCAPNG_CAPLEN_MAX + NS_PCAPNG_COMMENT_MAX + 64, "room");
_Static_assert(BUFFER > FRAME + 8 + 3 * (TEXT_MAX + 8) + 64, "room");

struct ns_pcapng {
	struct out out;
	unsigned ifaces;
	bool ended;
	char path[];
};

static uint32_t padded(size_t n)
{
	return (uint32_t)((n + 3) & ~(size_t)3);
}

static size_t text_len(const char *s)
{
	return s == NULL ? 0 : NS_MIN(strlen(s), (size_t)TEXT_MAX);
}

static uint32_t text_size(size_t len)
{
	return len == 0 ? 0 : 4 + padded(len);
}

static uint8_t *put16(uint8_t *p, uint16_t v)
{
	memcpy(p, &v, sizeof(v));
	return p + sizeof(v);
}

static uint8_t *put32(uint8_t *p, uint32_t v)
{
	memcpy(p, &v, sizeof(v));
	return p + sizeof(v);
}

static uint8_t *put_padded(uint8_t *p, const void *data, size_t n)
{
	static const uint8_t zeros[4];

	memcpy(p, data, n);
	memcpy(p + n, zeros, padded(n) - n);
	return p + padded(n);
}

static uint8_t *put_option(uint8_t *p, uint16_t code, const void *value, size_t n)
{
	p = put16(p, code);
	p = put16(p, (uint16_t)n);
	return put_padded(p, value, n);
}

static uint8_t *put_text(uint8_t *p, uint16_t code, const char *s)
{
	size_t n = text_len(s);

	return n == 0 ? p : put_option(p, code, s, n);
}

static uint8_t *put_u64(uint8_t *p, uint16_t code, uint64_t v)
{
	return put_option(p, code, &v, sizeof(v));
}

/* A time is two halves, the high one first, in either order of octets. */
static uint8_t *put_time(uint8_t *p, uint64_t ns)
{
	p = put32(p, (uint32_t)(ns >> 32));
	return put32(p, (uint32_t)ns);
}

static uint8_t *put_time_option(uint8_t *p, uint16_t code, uint64_t ns)
{
	p = put16(p, code);
	p = put16(p, 8);
	return put_time(p, ns);
}

/* A block of n octets with its type and lengths; NULL with errno when the file can't be written. */
static uint8_t *begin(struct ns_pcapng *w, uint32_t type, uint32_t n)
{
	if (w->out.used + n > BUFFER && out_flush(&w->out, ns_pcapng_stats_size(w->ifaces)) < 0)
		return ns_errno_null(w->out.error);
	uint8_t *p = out_room(&w->out, n);

	if (p == NULL)
		return NULL;
	put32(p + n - 4, n);
	return put32(put32(p, type), n);
}

static int put_section(struct ns_pcapng *w, const char *application)
{
	struct utsname u;
	char os[2 * sizeof(u.sysname) + 2] = "";

	if (uname(&u) == 0)
		snprintf(os, sizeof(os), "%s %s", u.sysname, u.release);
	uint32_t n = FRAME + 16 + text_size(text_len(os)) + text_size(text_len(application)) +
		     END_OPTION;
	uint8_t *p = begin(w, BLOCK_SECTION, n);

	if (p == NULL)
		return -errno;
	p = put32(p, BYTE_ORDER_MAGIC);
	p = put16(p, 1);
	p = put16(p, 0);
	memset(p, 0xff, 8); /* length of the section: not known */
	p = put_text(p + 8, SHB_OS, os);
	p = put_text(p, SHB_USERAPPL, application);
	put32(p, OPT_END);
	return 0;
}

struct ns_pcapng *ns_pcapng_create(
	const char *path, const char *application, bool force, struct ns_err *e)
{
	size_t n = strlen(path) + 1;
	struct ns_pcapng *w = calloc(1, sizeof(*w) + n);

	if (w == NULL) {
		ns_fail(e, ENOMEM, "no memory to write %s", path);
		return NULL;
	}
	memcpy(w->path, path, n);
	if (out_open(&w->out, path, force, e) < 0) {
		int err = errno;

		free(w);
		return ns_errno_null(err);
	}
	put_section(w, application); /* the buffer is empty: there is room */
	return w;
}

int ns_pcapng_interface(struct ns_pcapng *w, const struct ns_pcapng_if *f, unsigned *id)
{
	static const uint8_t resolution = NANOSECONDS;
	char filter[TEXT_MAX + 1];
	size_t filter_n = text_len(f->filter);

	/* kind 0: an expression as libpcap takes it */
	filter[0] = 0;
	if (filter_n > 0) {
		filter_n = NS_MIN(filter_n, TEXT_MAX);
		memcpy(filter + 1, f->filter, filter_n);
		filter_n++;
	}
	uint32_t n = FRAME + 8 + text_size(text_len(f->name)) +
		     text_size(text_len(f->description)) + 8 + text_size(filter_n) + END_OPTION;
	uint8_t *p =
		w->ifaces < NS_PCAPNG_IFS_MAX ? begin(w, BLOCK_INTERFACE, n) : ns_errno_null(E2BIG);

	if (p == NULL)
		return -errno;
	p = put16(p, f->linktype);
	p = put16(p, 0);
	p = put32(p, f->snaplen);
	p = put_text(p, IF_NAME, f->name);
	p = put_text(p, IF_DESCRIPTION, f->description);
	p = put_option(p, IF_TSRESOL, &resolution, sizeof(resolution));
	if (filter_n > 0)
		p = put_option(p, IF_FILTER, filter, filter_n);
	put32(p, OPT_END);
	*id = w->ifaces++;
	return 0;
}

static size_t comment_len(const struct ns_pcapng_packet *k)
{
	return k->comment == NULL ? 0 : NS_MIN(strlen(k->comment), (size_t)NS_PCAPNG_COMMENT_MAX);
}

uint32_t ns_pcapng_packet_size(const struct ns_pcapng_packet *k)
{
	size_t comment = comment_len(k);
	uint32_t options = text_size(comment) + (k->dropped > 0 ? U64_OPTION : 0);

	return FRAME + EPB_BODY + padded(k->caplen) + options + (options > 0 ? END_OPTION : 0);
}

int ns_pcapng_packet(struct ns_pcapng *w, const struct ns_pcapng_packet *k)
{
	size_t comment = comment_len(k);

	if (k->iface >= w->ifaces || k->caplen > NS_PCAPNG_CAPLEN_MAX || w->ended)
		return ns_errno_set(EINVAL);
	uint8_t *p = begin(w, BLOCK_ENHANCED, ns_pcapng_packet_size(k));

	if (p == NULL)
		return -errno;
	p = put32(p, k->iface);
	p = put_time(p, k->ts_ns);
	p = put32(p, k->caplen);
	p = put32(p, k->wirelen);
	p = put_padded(p, k->data, k->caplen);
	if (comment > 0)
		p = put_option(p, OPT_COMMENT, k->comment, comment);
	if (k->dropped > 0)
		p = put_u64(p, EPB_DROPCOUNT, k->dropped);
	if (comment > 0 || k->dropped > 0)
		put32(p, OPT_END);
	w->out.waiting++;
	w->out.delivered[k->iface]++;
	return 0;
}

uint64_t ns_pcapng_stats_size(unsigned n)
{
	return (uint64_t)n * STATISTICS;
}

int ns_pcapng_flush(struct ns_pcapng *w)
{
	int rc = out_flush(&w->out, ns_pcapng_stats_size(w->ifaces));

	return rc < 0 ? ns_errno_set(-rc) : 0;
}

uint64_t ns_pcapng_octets(const struct ns_pcapng *w)
{
	return w->out.written + w->out.used;
}

uint64_t ns_pcapng_packets(const struct ns_pcapng *w)
{
	return w->out.packets + w->out.waiting;
}

static int put_statistics(struct ns_pcapng *w, unsigned id, const struct ns_pcapng_stats *s,
	uint64_t start_ns, uint64_t end_ns)
{
	uint8_t *p = begin(w, BLOCK_STATISTICS, STATISTICS);

	if (p == NULL)
		return -errno;
	p = put32(p, id);
	p = put_time(p, end_ns);
	p = put_time_option(p, ISB_STARTTIME, start_ns);
	p = put_time_option(p, ISB_ENDTIME, end_ns);
	p = put_u64(p, ISB_IFRECV, s->received);
	p = put_u64(p, ISB_FILTERACCEPT, s->accepted);
	p = put_u64(p, ISB_OSDROP, s->dropped);
	p = put_u64(p, ISB_USRDELIV, w->out.delivered[id]);
	put32(p, OPT_END);
	return 0;
}

int ns_pcapng_end(struct ns_pcapng *w, const struct ns_pcapng_stats *stats, unsigned n,
	uint64_t start_ns, uint64_t end_ns, struct ns_err *e)
{
	int rc = w->ended ? -EINVAL : ns_pcapng_flush(w), second = 0;

	w->ended = true;
	/* a file that was cut back has room for its statistics */
	if (rc < 0)
		out_again(&w->out);
	for (unsigned i = 0; second == 0 && i < NS_MIN(n, w->ifaces); i++)
		second = put_statistics(w, i, &stats[i], start_ns, end_ns);
	if (second == 0)
		second = out_flush(&w->out, 0);
	if (rc < 0)
		return ns_fail(e, -rc, "%s: %s; %llu packets are in it", w->path, strerror(-rc),
			(unsigned long long)w->out.packets);
	if (second < 0)
		return ns_fail(e, -second, "%s: %s; its statistics are missing", w->path,
			strerror(-second));
	return 0;
}

int ns_pcapng_close(struct ns_pcapng *w)
{
	if (w == NULL)
		return 0;
	int rc = out_close(&w->out);

	free(w);
	return rc < 0 ? ns_errno_set(-rc) : 0;
}
