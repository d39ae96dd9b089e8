/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * How often was this thing seen? Count-Min (Cormode, Muthukrishnan 2005) with conservative update
 * (Estan, Varghese 2002), 64-bit counts.
 *
 * Never too low; too high by more than the bound with a probability of at most 1 - confidence.
 * With conservative update the order of adding matters within the bound, and a merged sketch (sum
 * of counters) is never too low either. Counters stop at 2^64 - 1.
 *
 * Which layout: rows give the smaller error in the same memory, above all the rarer large ones; a
 * line of d counters costs the same for every d, and in cache about 0.6 of three rows and 0.8 of
 * two, also when it gets the memory it needs for the same mean error, 1.3 to 1.6 times as much.
 * Where counters nearly suffice for one a thing it needs 2 to 10 times as much, and does not pay.
 * Measured by ns-bench-sketch --tables: 1 M things by Zipf's law over 1 M keys, d = 3, error in
 * things, ns of CPU time an add on one core of an AMD EPYC (Zen 4):
 *
 *               rows                       blocked, same memory    blocked, same mean error
 *     KiB    mean    p99  ns/add          mean    p99  ns/add       KiB    p99  ns/add
 *      64   100.0    116     3.8         126.6    296     2.4        80    246     2.4
 *     256    18.4     29     4.0          25.8     76     2.4       353     55     2.6
 *    1024     2.7      7     4.2           4.4     18     2.8      1472     12     2.5
 *    4096    0.20      2     6.4          0.57      5     4.3      8528      2     6.0
 *   16384    0.01      0    11.0          0.08      1     8.1    128192      0    10.1
 *
 * That is with AVX-512. At 1 MiB a line costs 3.2 ns with AVX2 alone and 5.2 without, where it does
 * not pay; rows need neither. So rows are for small errors in small memory and for any processor,
 * lines for many sketches on the packet path of a new one.
 */

#include <ns_sketch.h>

enum ns_cms_layout {
	NS_CMS_ROWS, /**< a counter in each of d rows: d cache lines a thing */
	NS_CMS_BLOCKED, /**< d counters of one cache line: one line a thing, larger error */
};

struct ns_cms;

struct ns_cms_conf {
	size_t memory; /**< octets of counters; rounded down to what the layout can use */
	uint8_t rows; /**< d, 1..8 */
	enum ns_cms_layout layout;
	bool plain; /**< add to each counter instead of conservative update: then order never
		     * matters */
	uint64_t seed;
};

/** Memory and rows for "at most @p error × total too high with @p confidence"; NS_CMS_ROWS. */
struct ns_cms_conf ns_cms_for_error(double error, double confidence, uint64_t seed);

size_t ns_cms_size(const struct ns_cms_conf *c);
struct ns_cms *ns_cms_init(void *mem, const struct ns_cms_conf *c);
/** As ns_cms_init() in memory that is all zeros: touches the head only. */
struct ns_cms *ns_cms_init_zeroed(void *mem, const struct ns_cms_conf *c);
struct ns_cms *ns_cms_create(const struct ns_cms_conf *c);
void ns_cms_destroy(struct ns_cms *s);
void ns_cms_reset(struct ns_cms *s);

void ns_cms_add(struct ns_cms *s, uint64_t hash, uint64_t weight);
/** @p weight NULL: 1 each. */
void ns_cms_add_bulk(struct ns_cms *s, const uint64_t *hash, const uint64_t *weight, unsigned n);

/** Counters add up; -EINVAL when configurations differ. */
int ns_cms_merge(struct ns_cms *into, const struct ns_cms *from);

/** Upper estimate of the weight of @p hash. */
uint64_t ns_cms_query(const struct ns_cms *s, uint64_t hash);
uint64_t ns_cms_total(const struct ns_cms *s);
/** How many counters are not 0; *@p all is how many there are. Reads them all. */
uint64_t ns_cms_used(const struct ns_cms *s, uint64_t *all);

/**
 * By how much a query can be too high, with *confidence that it is not by more. Rows: e / width of
 * the total, 1 - exp(-rows). Blocked: read from up to 16 384 lines, which takes about a
 * millisecond, 0.99; below 1536 lines from the total alone, 0.95, and much larger. cms_bound.c
 * derives both.
 */
uint64_t ns_cms_bound(const struct ns_cms *s, double *confidence);

size_t ns_cms_write_size(const struct ns_cms *s);
size_t ns_cms_write(const struct ns_cms *s, uint8_t *out);
struct ns_cms *ns_cms_parse(const uint8_t *in, size_t len, struct ns_err *e);
