/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * An expression over the fields of a record kind: compiled once, asked of many records.
 *
 *	src 10.0.0.0/8 and dst_port 443 and packets > 100
 *	(tcp or udp) and not host 2001:db8::1 and rtt >= 10ms
 *
 *	expression  term { or term }                  also ||
 *	term        factor { and factor }             also &&
 *	factor      not factor | ( expression ) | test    also !
 *	test        NAME [OP] VALUE | NAME | PROTOCOL
 *	OP          = == != < <= > >= ~               none: =
 *
 * NAME is a field, without its "_ns" if one likes, or a word for several:
 *
 *	host, net    any address that is part of the record's key
 *	src, dst     src_ip, dst_ip; also "src host A", "src net N", "src port P"
 *	port         src_port or dst_port; the field of that name, where a kind has both, is "input"
 *	rtt          tcp_rtt_ns
 *
 * A test of several is true when it is of any of them. NAME alone: there is a value, and it is not
 * 0. PROTOCOL is a keyword of IANA (tcp, udp, icmp, ...) of a kind that has a protocol.
 *
 * VALUE by the field's type; a text may stand in quotes, "a b" or 'a b':
 *
 *	numbers      443, 0x1bb; 10k 5M 2G (1000), 10Ki 5Mi 2Gi (1024); durations 5us 10ms 3s 2m 1h
 *	times        ns since 1970, or 2026-01-31, 2026-01-31T12:34:56, UTC
 *	addresses    192.0.2.1, 10.0.0.0/8, 2001:db8::/32: = and != only, as for all that follow
 *	VLANs        100: any of them; 100.200: these two
 *	protocols    tcp, 6
 *	TCP flags    letters of FSRPAUEC, or a number; ~: has all of these
 *	texts        ~: has this in it; octets and MACs: hex
 *
 * A value that is absent (ns_rec_is_empty()) is unequal to everything and neither more nor less.
 */

#include <ns_rec.h>

/** Nested parentheses and "not" at most. */
#define NS_REC_FILTER_DEPTH 64
/** Tests at most, after words for several fields were written out. */
#define NS_REC_FILTER_TESTS 256

struct ns_rec_filter;

/**
 * Compiles @p text (copied) for records of @p k, borrowed until destroyed. NULL with errno EINVAL
 * (the message names the word and its column, from 1), E2BIG or ENOMEM. Any thread.
 */
struct ns_rec_filter *ns_rec_filter_create(
	const struct ns_rec_kind *k, const char *text, struct ns_err *e);
void ns_rec_filter_destroy(struct ns_rec_filter *f);

/** Does the record match? Pure, no recursion, no allocation: any number of threads. */
bool ns_rec_filter_match(const struct ns_rec_filter *f, const void *rec);

/** True when some test reads field @p name; for fields that cost something to fill. */
bool ns_rec_filter_reads(const struct ns_rec_filter *f, const char *name);

/**
 * Offers what may follow the words of an expression: words that begin with the last of them, which
 * may be "". Any thread.
 */
void ns_rec_filter_offer(const struct ns_rec_kind *k, const char *const *words, unsigned n,
	void (*put)(void *ctx, const char *word), void *ctx);
