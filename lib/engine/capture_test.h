/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * For the test of captures: a source that makes as many packets as it is told, read by two lcores
 * of an engine, and commands as the console gives them.
 */

#include "capture.h"

#include <ns_command.h>
#include <ns_test.h>

#include <string.h>
#include <unistd.h>

#define QUEUES 2
#define T0 UINT64_C(1700000000000000000)

/* The source: packet i comes from queue i % 2, is i % 1400 + 60 octets long, at T0 + i µs. */
struct ns_source {
	struct rte_mempool *pool;
	uint64_t wanted; /* atomic; writer: the test */
	bool stopping;
	struct {
		uint64_t next; /* writer: the lcore */
		uint64_t done; /* what came before this has been copied; writer: the lcore */
	} LINE queue[QUEUES];
};

static struct ns_source made;
static struct ns_engine *en;
static char dir[] = "/tmp/ns-capture-XXXXXX";

static uint32_t length(uint64_t i)
{
	return (uint32_t)(i % 1400) + 60;
}

static void put_frame(uint8_t *p, uint64_t i)
{
	static const uint8_t head[] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0, 0, 46, 0,
		0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 4, 0, 0, 53, 0, 26, 0, 0};

	memset(p, (int)(i & 255), length(i));
	memcpy(p, head, sizeof(head));
	p[35] = (uint8_t)(i % 10); /* source port 1024 + i % 10 */
}

static struct ns_source *made_open(const struct ns_source_args *args, struct ns_err *e)
{
	(void)e;
	made.pool = args->pool;
	for (unsigned q = 0; q < QUEUES; q++)
		made.queue[q].next = q;
	return &made;
}

static uint16_t made_burst(struct ns_source *s, unsigned queue, struct rte_mbuf **m, uint16_t n)
{
	uint64_t *next = &s->queue[queue].next,
		 wanted = __atomic_load_n(&s->wanted, __ATOMIC_ACQUIRE);
	uint16_t k = 0;

	__atomic_store_n(&s->queue[queue].done, *next, __ATOMIC_RELEASE);

	for (; k < n && *next < wanted; k++, ns_stat_add(next, QUEUES)) {
		m[k] = rte_pktmbuf_alloc(s->pool);
		if (m[k] == NULL)
			break;
		struct ns_packet *p = ns_packet(m[k]);

		put_frame(rte_pktmbuf_mtod(m[k], uint8_t *), *next);
		m[k]->data_len = (uint16_t)length(*next);
		m[k]->pkt_len = length(*next);
		p->ts_ns = p->clock_ns = T0 + *next * 1000;
		p->wirelen = p->caplen = length(*next);
		p->linktype = NS_LINKTYPE_ETHERNET;
		p->port = 7;
		p->flags = 0;
	}
	return k;
}

static enum ns_source_status made_status(const struct ns_source *s)
{
	return __atomic_load_n(&s->stopping, __ATOMIC_ACQUIRE) ? NS_SOURCE_END : NS_SOURCE_MORE;
}

static const char *made_message(const struct ns_source *s)
{
	(void)s;
	return "";
}

static void made_stats(struct ns_source *s, struct ns_source_stats *out)
{
	(void)s;
	*out = (struct ns_source_stats){0};
}

static unsigned made_queues(const struct ns_source *s)
{
	(void)s;
	return QUEUES;
}

static void made_stop(struct ns_source *s)
{
	__atomic_store_n(&s->stopping, true, __ATOMIC_RELEASE);
}

static void made_close(struct ns_source *s)
{
	(void)s;
}

static const struct ns_source_ops made_ops = {
	.live = true,
	.open = made_open,
	.burst = made_burst,
	.status = made_status,
	.message = made_message,
	.stats = made_stats,
	.queues = made_queues,
	.stop = made_stop,
	.close = made_close,
};
static const struct ns_plugin made_source = {
	.kind = NS_SOURCE_KIND, .name = "made", .abi = NS_PLUGIN_ABI, .ops = &made_ops};
NS_PLUGIN_REGISTER(made_source)

static void step(void)
{
	uint64_t wake;

	CU_ASSERT_NOT_EQUAL(ns_engine_step(en, &wake), NS_ENGINE_ENDED);
	usleep(1000);
}

/* Lets the source make n packets, and waits until they are read. */
static void produce(uint64_t n)
{
	uint64_t to = made.wanted + n;

	__atomic_store_n(&made.wanted, to, __ATOMIC_RELEASE);
	for (unsigned q = 0; q < QUEUES; q++) {
		while (__atomic_load_n(&made.queue[q].done, __ATOMIC_ACQUIRE) < to)
			step();
	}
}

/* The answer to the last command: lines, and numbers of its records by name. */
static struct {
	char text[2048];
	unsigned records;
	struct {
		char status[16], file[256], message[256];
		uint64_t id, packets, octets, matched, missed, lost;
	} r[CAPTURES];
} said;

static void hear_text(void *ctx, const char *text)
{
	(void)ctx;
	strncat(said.text, text, sizeof(said.text) - strlen(said.text) - 1);
}

static void hear_record(void *ctx, const struct ns_rec_kind *kind, const void *rec)
{
	(void)ctx;
	for (unsigned i = 0; i < kind->fields_n && said.records < CAPTURES; i++) {
		const struct ns_rec_field *f = &kind->fields[i];
		const char *value = (const char *)rec + f->offset;
		uint64_t v = 0;

		ns_rec_get_u64(f, rec, &v);
#define TAKE(member)                       \
	if (strcmp(f->name, #member) == 0) \
	said.r[said.records].member = v
		TAKE(id);
		TAKE(packets);
		TAKE(octets);
		TAKE(matched);
		TAKE(missed);
		TAKE(lost);
		if (strcmp(f->name, "status") == 0)
			snprintf(said.r[said.records].status, 16, "%s", value);
		if (strcmp(f->name, "file") == 0)
			snprintf(said.r[said.records].file, 256, "%s", value);
		if (strcmp(f->name, "message") == 0)
			snprintf(said.r[said.records].message, 256, "%s", value);
	}
	said.records++;
}

/* Gives a command as the console does; words with one blank between. */
static int command(const char *line)
{
	const struct ns_command_out out = {.record = hear_record, .text = hear_text};
	struct ns_command_call call = {.engine = en, .out = &out};
	const char *words[32];
	char copy[512];
	unsigned n = 0, used;
	struct ns_err e = {""};

	memset(&said, 0, sizeof(said));
	snprintf(copy, sizeof(copy), "%s", line);
	for (char *w = strtok(copy, " "); w != NULL && n < 32; w = strtok(NULL, " "))
		words[n++] = w;
	const struct ns_command *c = ns_command_find(words, n, &used, &e);

	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	call.argc = n - used;
	call.argv = words + used;
	int rc = c->run(&call, &e);

	if (rc < 0)
		snprintf(said.text, sizeof(said.text), "%s", e.text);
	return rc;
}
