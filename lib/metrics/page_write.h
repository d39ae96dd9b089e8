/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Prometheus' text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats). Numbers are
 * written from integers: a locale with a decimal comma must not reach the page.
 */

#include <ns_base.h>

#include <stdio.h>

struct page {
	FILE *f;
	const char *node; /* label of every sample */
};

enum page_type { PAGE_COUNTER, PAGE_GAUGE, PAGE_SUMMARY };

/* # HELP and # TYPE. @name without "netspectra_", which all have; it begins a family. */
void page_family(const struct page *p, const char *name, enum page_type type, const char *help);
/* The name and the labels: node, and up to two more; a NULL key is none. The value must follow. */
void page_sample(const struct page *p, const char *name, const char *key, const char *value,
	const char *key2, const char *value2);
/* Without more labels. */
static inline void page_plain(const struct page *p, const char *name)
{
	page_sample(p, name, NULL, NULL, NULL, NULL);
}
void page_u64(const struct page *p, uint64_t v);
void page_i64(const struct page *p, int64_t v);
/* Nanoseconds as seconds. */
void page_seconds(const struct page *p, uint64_t ns);
/* To six places behind the point; not a number: NaN. */
void page_f64(const struct page *p, double v);
/* Summaries' value for "nothing was seen". */
void page_nan(const struct page *p);
