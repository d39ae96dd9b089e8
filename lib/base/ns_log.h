/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Messages to people on standard error: "<program>: <room>: <level>: text".
 * Never called on RX and analysis lcores after start (law 3).
 *
 * Each .c file that logs says once: NS_LOG_TYPE("source.pcap");
 */

#include <ns_base.h>

enum ns_log_level { NS_LOG_ERR, NS_LOG_WARNING, NS_LOG_NOTICE, NS_LOG_INFO, NS_LOG_DEBUG };

#define NS_LOG_TYPE(name) static const char *const ns_log_type = name
#define NS_LOG(level, ...) ns_log(NS_LOG_##level, ns_log_type, __VA_ARGS__)

/** Writes one line when @p level is at or above the threshold (NS_LOG_NOTICE at start). */
void ns_log(enum ns_log_level level, const char *type, const char *fmt, ...) NS_PRINTF(3, 4);

/** Sets the threshold; any thread, before the lcores start. */
void ns_log_set_level(enum ns_log_level level);

/** Name printed before each line; borrows @p name. */
void ns_log_set_program(const char *name);
