/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * The words that every room uses: errors, time, small macros.
 *
 * Error dialect of the whole project: a function returns 0 or -errno with errno set, a constructor
 * a pointer or NULL with errno set, a burst a count; void where nothing can fail.
 */

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NS_ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define NS_MIN(a, b) ((a) < (b) ? (a) : (b))
#define NS_MAX(a, b) ((a) > (b) ? (a) : (b))
#define ns_likely(x) __builtin_expect(!!(x), 1)
#define ns_unlikely(x) __builtin_expect(!!(x), 0)
#define NS_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define NS_CACHE_LINE 64
#define NS_SEC_NS UINT64_C(1000000000)

/**
 * Adds to a number that one thread writes and others read: a plain add for the writer, never torn
 * for the readers.
 */
static inline void ns_stat_add(uint64_t *v, uint64_t n)
{
	__atomic_store_n(v, *v + n, __ATOMIC_RELAXED);
}

static inline void ns_stat_set(uint64_t *v, uint64_t to)
{
	__atomic_store_n(v, to, __ATOMIC_RELAXED);
}

static inline uint64_t ns_stat_get(const uint64_t *v)
{
	return __atomic_load_n(v, __ATOMIC_RELAXED);
}

/**
 * A message for a person, filled by functions that can fail for reasons that errno cannot say:
 * which file, line, key or packet. Caller's memory; the text is always terminated.
 */
struct ns_err {
	char text[512];
};

/** Sets errno to @p err (positive) and returns -err. */
static inline int ns_errno_set(int err)
{
	errno = err;
	return -err;
}

/** Sets errno to @p err (positive) and returns NULL. */
void *ns_errno_null(int err);

/** As ns_errno_set(), and formats a message into @p e (may be NULL). */
int ns_fail(struct ns_err *e, int err, const char *fmt, ...) NS_PRINTF(3, 4);

/** Monotonic wall time in nanoseconds (CLOCK_MONOTONIC); any thread. */
uint64_t ns_clock_mono(void);

/** Time since 1970-01-01 UTC in nanoseconds (CLOCK_REALTIME); any thread. */
uint64_t ns_clock_real(void);

/** CPU time of the whole process in nanoseconds; any thread. */
uint64_t ns_clock_cpu(void);

/** Seconds and octets for people: writes e.g. "1.2 s", "3.4 MB", "12.3 k"; returns @p buf. */
char *ns_fmt_seconds(char *buf, size_t len, double seconds);
char *ns_fmt_count(char *buf, size_t len, double count);
char *ns_fmt_octets(char *buf, size_t len, double octets);

/** UTC date of @p ns since 1970 as "2026-01-31 12:34:56.123456789"; returns @p buf (>= 32). */
char *ns_fmt_time(char *buf, size_t len, uint64_t ns);
