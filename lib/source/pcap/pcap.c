/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Source "pcap": capture files, by our own reader, since reading is on the packet path. mbufs point
 * at the packets where they lie; a pool of the smallest data room will do (burst.c).
 */
#include "pcap_priv.h"

#include <rte_mbuf.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The shortest record that can be of a flow: a record header and an IP header of 20 octets. */
#define RECORD_SMALLEST (16 + 20)
/* Merged files share this much memory for their blocks. */
#define MERGE_OCTETS ((size_t)64 << 20)

static enum ns_source_status status(const struct ns_source *s)
{
	return __atomic_load_n(&s->status, __ATOMIC_ACQUIRE);
}

static const char *message(const struct ns_source *s)
{
	return s->text;
}

static void stats(struct ns_source *s, struct ns_source_stats *out)
{
	*out = (struct ns_source_stats){
		.packets = __atomic_load_n(&s->stats.packets, __ATOMIC_RELAXED),
		.octets = __atomic_load_n(&s->stats.octets, __ATOMIC_RELAXED),
		.filtered = __atomic_load_n(&s->stats.filtered, __ATOMIC_RELAXED),
		.bytes_read = __atomic_load_n(&s->stats.bytes_read, __ATOMIC_RELAXED),
		.bytes_total = s->stats.bytes_total,
	};
}

static void stop(struct ns_source *s)
{
	__atomic_store_n(&s->stop, true, __ATOMIC_RELAXED);
}

static void close_source(struct ns_source *s)
{
	if (s == NULL)
		return;
	for (unsigned i = 0; i < s->readers_n; i++)
		ns_pcap_reader_destroy(s->readers[i]);
	ns_pcap_mbufs_back(s);
	ns_pcap_filter_free(s);
	ns_pcap_blocks_free(s);
	free(s->readers);
	free(s->heap);
	free(s);
}

/* Blocks no larger than the input asks for: a thousand small files are merged in little memory. */
static size_t block_size(const struct ns_source *s, unsigned targets)
{
	size_t size = ns_pcap_block_octets;

	if (targets > 1)
		size = NS_MAX(NS_MIN(size, MERGE_OCTETS / targets), NS_MIN(size, 16384u));
	return size;
}

static int open_all(struct ns_source *s, const struct ns_source_args *a, struct ns_err *e)
{
	bool sizes_known = true;

	for (unsigned i = 0; i < a->targets_n; i++) {
		struct ns_pcap_stream st;
		int rc = ns_pcap_stream_open(&st, a->targets[i], e);

		if (rc < 0)
			return rc;
		st.stop = &s->stop;
		s->stats.bytes_total += st.size;
		sizes_known &= st.regular;
		s->readers[i] = ns_pcap_reader_create(s, &st,
			strcmp(a->targets[i], "-") == 0 ? "standard input" : a->targets[i], i, e);
		if (s->readers[i] == NULL)
			return -errno;
		s->readers_n++;
	}
	if (!sizes_known)
		s->stats.bytes_total = 0;
	ns_pcap_heap_make(s);
	return ns_pcap_filter_opened(s, e);
}

static struct ns_source *open_source(const struct ns_source_args *a, struct ns_err *e)
{
	struct ns_source *s = calloc(1, sizeof(*s));
	int rc;

	if (s == NULL || a->targets_n == 0) {
		rc = s == NULL ? ENOMEM : EINVAL;
		ns_fail(e, rc, s == NULL ? "no memory" : "no capture file given");
		free(s);
		return ns_errno_null(rc);
	}
	s->pool = a->pool;
	s->hold = a->hold;
	s->filter = a->filter != NULL && a->filter[0] != 0 ? a->filter : NULL;
	s->merge = a->targets_n > 1;
	s->slots_used = a->hold.mark != NULL && !s->merge;
	s->arena = a->hold.mark != NULL && s->merge;
	s->block = block_size(s, a->targets_n);
	s->readers = calloc(a->targets_n, sizeof(struct ns_pcap_reader *));
	s->heap = calloc(a->targets_n, sizeof(struct ns_pcap_reader *));
	if (s->readers == NULL || s->heap == NULL || ns_pcap_mbufs_take(s) < 0)
		rc = ns_fail(e, ENOMEM, "no memory");
	else
		rc = open_all(s, a, e);
	if (rc < 0) {
		close_source(s);
		return ns_errno_null(-rc);
	}
	s->opened = true;
	return s;
}

/* Octets of the file, or 0 when they do not tell how many packets there are. */
static uint64_t plain_size(const char *path)
{
	struct ns_pcap_stream st;
	uint64_t size;

	if (strcmp(path, "-") == 0 || ns_pcap_stream_open(&st, path, NULL) < 0)
		return 0;
	size = st.pack == NS_PCAP_PLAIN ? st.size : 0;
	ns_pcap_stream_close(&st);
	return size;
}

static uint64_t packets_bound(const char *const *targets, unsigned n)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < n; i++) {
		uint64_t size = plain_size(targets[i]);

		if (size == 0)
			return 0;
		sum += size / RECORD_SMALLEST + 1;
	}
	return sum;
}

static const struct ns_source_ops ops = {
	.live = false,
	.open = open_source,
	.burst = ns_pcap_burst,
	.release = ns_pcap_release,
	.status = status,
	.message = message,
	.stats = stats,
	.stop = stop,
	.close = close_source,
	.packets_bound = packets_bound,
};

static const struct ns_plugin pcap = {
	.kind = NS_SOURCE_KIND,
	.name = "pcap",
	.summary = "capture files: pcap, pcapng, plain or .gz or .zst, merged by time; - is stdin",
	.abi = NS_PLUGIN_ABI,
	.ops = &ops,
};
NS_PLUGIN_REGISTER(pcap)
