/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A packet filter in the language of pcap-filter(7), shared by sources and tasks.
 *
 * libpcap compiles the expression; the classic BPF program is turned into machine code where the
 * result is provably the same and interpreted by libpcap otherwise.
 */

#include <ns_base.h>

struct ns_filter;

/**
 * Compiles @p expr for packets of @p linktype (LINKTYPE_*) cut at @p snaplen octets (0: not cut).
 * Returns a filter owned by the caller, or NULL with errno (EINVAL: bad expression, or one that
 * the link type cannot have; ENOMEM) and libpcap's message. Thread: any, at start. Machine code is
 * only made when EAL is initialised.
 */
struct ns_filter *ns_filter_create(
	const char *expr, unsigned linktype, unsigned snaplen, struct ns_err *e);

/**
 * Whether a packet of @p caplen octets at @p data, @p wirelen on the wire ("len", "greater" and
 * "less" in the expression), matches. Reads @p data only. Any number of lcores at once.
 */
bool ns_filter_match(
	const struct ns_filter *f, const uint8_t *data, uint32_t caplen, uint32_t wirelen);

/** Whether the filter runs as machine code (for reports and tests). */
bool ns_filter_jitted(const struct ns_filter *f);

/** Frees all; NULL is fine. */
void ns_filter_destroy(struct ns_filter *f);
