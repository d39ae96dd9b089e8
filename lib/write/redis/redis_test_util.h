/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* For the tests of the Redis writer: commands as text, and what an engine would hand over. */

#include "redis_priv.h"

#include <ns_node.h>
#include <ns_test.h>
#include <ns_test_kind.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The number behind @p sign at *p, and *p behind its end of line; -1: not as it must be. */
static inline long redis_test_head(const char **p, const char *end, char sign)
{
	char *after;
	long v;

	if (*p >= end || **p != sign || (*p)[1] < '1' || (*p)[1] > '9')
		return sign == '$' && *p + 1 < end && (*p)[0] == '$' && (*p)[1] == '0'
			       ? (*p += 4, 0)
			       : -1;
	v = strtol(*p + 1, &after, 10);
	if (after + 2 > end || memcmp(after, "\r\n", 2) != 0)
		return -1;
	*p = after + 2;
	return v;
}

/* "MULTI\nSET a b\n": a slower reader of RESP than the writer; malloc'ed, "?" where it is not. */
static inline char *redis_test_text(const struct redis_buf *b)
{
	char *text = calloc(1, b->n + 2), *at = text;
	const char *p = b->p, *end = b->p + b->n;

	while (p < end) {
		long words = redis_test_head(&p, end, '*');

		if (words <= 0) {
			strcpy(at, "?");
			return text;
		}
		for (long i = 0; i < words; i++) {
			long n = redis_test_head(&p, end, '$');

			if (n < 0 || p + n + 2 > end || memcmp(p + n, "\r\n", 2) != 0) {
				strcpy(at, "?");
				return text;
			}
			memcpy(at, p, (size_t)n);
			at += n;
			*at++ = i + 1 < words ? ' ' : '\n';
			p += n + 2;
		}
	}
	return text;
}

static inline struct ns_batch redis_test_batch(const struct ns_rec_kind *k, void *recs, uint32_t n)
{
	return (struct ns_batch){.kind = k, .n = n, .max = n, .records = recs};
}

static inline bool redis_test_put(
	struct redis_state *s, const struct ns_rec_kind *k, void *recs, uint32_t n)
{
	struct ns_batch b = redis_test_batch(k, recs, n);

	return redis_state_put(s, &b);
}

static inline struct ns_epoch_rec redis_test_epoch(uint64_t number)
{
	return (struct ns_epoch_rec){.epoch = number,
		.start_ns = UINT64_C(1700000000000000000),
		.end_ns = UINT64_C(1700000001000000000),
		.received = 1000,
		.analysed = 990,
		.dropped = 10};
}

static inline bool redis_test_end(struct redis_state *s, uint64_t number)
{
	struct ns_epoch_rec r = redis_test_epoch(number);

	return redis_test_put(s, &ns_epoch_rec_kind, &r, 1);
}

static struct ns_writer_stats redis_test_stats;

static inline void up(struct redis_state *s, const struct redis_conf *c)
{
	CU_ASSERT_EQUAL_FATAL(ns_node_init("n1", NULL), 0);
	CU_ASSERT_EQUAL_FATAL(redis_state_init(s, c, 1000, &redis_test_stats), 0);
}

/* The lines of the transaction that begin with @p start, without that; malloc'ed. */
static inline char *lines(const struct redis_state *s, const char *start)
{
	char *text = redis_test_text(&s->buf), *all = calloc(1, strlen(text) + 1), *save = NULL;

	for (char *l = strtok_r(text, "\n", &save); l != NULL; l = strtok_r(NULL, "\n", &save)) {
		if (strncmp(l, start, strlen(start)) == 0)
			strcat(strcat(all, l + strlen(start)), "\n");
	}
	free(text);
	return all;
}

static inline void has(const struct redis_state *s, const char *start, const char *want)
{
	char *got = lines(s, start);

	if (strcmp(got, want) != 0)
		fprintf(stderr, "\n%s is\n%snot\n%s", start, got, want);
	CU_ASSERT_STRING_EQUAL(got, want);
	free(got);
}

static inline unsigned count(const struct redis_state *s, const char *start)
{
	char *got = lines(s, start);
	unsigned n = 0;

	for (const char *p = got; *p != '\0'; p++)
		n += *p == '\n';
	free(got);
	return n;
}

#define K "ns:{n1}:"

/* As much of a flow record as the writer looks for. */
struct flow {
	struct ns_ip src_ip, dst_ip;
	uint16_t src_port, dst_port;
	uint8_t proto;
	uint64_t l2_octets, rev_l2_octets;
};

#define F(member, t) NS_REC_FIELD(struct flow, member, .name = #member, .type = t)

static const struct ns_rec_field flow_fields[] = {F(src_ip, NS_REC_IP), F(dst_ip, NS_REC_IP),
	F(src_port, NS_REC_U16), F(dst_port, NS_REC_U16), F(proto, NS_REC_PROTO),
	F(l2_octets, NS_REC_U64), F(rev_l2_octets, NS_REC_U64)};
static const struct ns_rec_kind flow_kind = {.name = "flow",
	.size = sizeof(struct flow),
	.fields = flow_fields,
	.fields_n = NS_ARRAY_LEN(flow_fields)};

static inline struct flow flow(uint8_t host, uint16_t port, uint64_t octets)
{
	return (struct flow){{4, {10, 0, 0, host}}, {4, {10, 0, 0, 99}}, port, 443, 6, octets, 1};
}
