/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A record is a table of fields. One description is the single source for text, CSV, JSON, SQL and
 * IPFIX; a writer never knows a record kind by name.
 *
 * Values live in a plain C struct of the room that makes them; the description says where.
 * All functions here are pure and may be called from any thread.
 */

#include <ns_base.h>

enum ns_rec_type {
	NS_REC_U8,
	NS_REC_U16,
	NS_REC_U32,
	NS_REC_U64,
	NS_REC_I64,
	NS_REC_F64,
	NS_REC_TIME, /**< uint64_t, ns since 1970 */
	NS_REC_IP, /**< struct ns_ip */
	NS_REC_MAC, /**< uint8_t[6] */
	NS_REC_STR, /**< char[size], zero-terminated unless full */
	NS_REC_PROTO, /**< uint8_t, IANA protocol; text is the IANA keyword in lower case */
	NS_REC_TCP_FLAGS, /**< uint8_t; text is letters of FSRPAUEC that are set */
	NS_REC_VLANS, /**< struct ns_vlans; text "100" or "100.200", outermost first */
	NS_REC_BYTES, /**< uint8_t[size]; text is lower-case hex */
	NS_REC_PREFIX, /**< struct ns_prefix; text "10.1.2.0/24" */
};

struct ns_ip {
	uint8_t ver; /**< 4, 6, or 0 for "none" (empty text, NULL in SQL) */
	uint8_t addr[16]; /**< network order; IPv4 in the first four, the rest zero */
};

struct ns_prefix {
	struct ns_ip
		ip; /**< the bits behind the prefix are zero; ver 0: none, as with an address */
	uint8_t len; /**< bits, at most 32 or 128 */
};

struct ns_vlans {
	uint16_t n; /**< 0..2 */
	uint16_t id[2];
};

/** Private enterprise number of RFC 5103 reverse elements. */
#define NS_REC_PEN_REVERSE 29305u

enum {
	NS_REC_EMPTY_ZERO = 1u << 0, /**< 0 means "not known": empty in CSV, null in JSON and SQL */
	NS_REC_KEY = 1u << 1, /**< part of the record's identity; an index in SQL */
	NS_REC_NO_EXPORT = 1u << 2, /**< no IPFIX element: left out of IPFIX */
	/**
	 * NS_REC_F64: a NaN means "not known": empty in CSV, null in JSON and SQL. (A double that
	 * is not finite counts as absent in any case, no output has a word for it; this says that
	 * it is meant.)
	 */
	NS_REC_EMPTY_NAN = 1u << 3,
};

struct ns_rec_field {
	const char *name; /**< snake_case: CSV header, JSON key, SQL column */
	enum ns_rec_type type;
	uint16_t offset;
	uint16_t size; /**< octets in the struct */
	uint32_t flags; /**< NS_REC_EMPTY_ZERO ... */
	uint32_t ipfix_pen; /**< 0 IANA, NS_REC_PEN_REVERSE */
	uint16_t ipfix_ie; /**< element id; NS_REC_IP: the IPv4 one */
	uint16_t ipfix_ie6; /**< the element in IPv6 templates where it is another one; 0: ipfix_ie
			     */
	uint8_t ipfix_len; /**< octets on the wire; 0 takes the type's natural size; 255: variable
			    */
	const char *unit; /**< "packets", "octets", "ns", ... or "" */
	const char *help;
};

#define NS_REC_FIELD(strct, member, ...)                                                 \
	{                                                                                \
		.offset = offsetof(strct, member), .size = sizeof(((strct *)0)->member), \
		__VA_ARGS__                                                              \
	}

/**
 * One kind of record. Static and registered with NS_REC_REGISTER, so that all can be listed; or
 * made at start from the configuration, not registered, and kept until every writer is closed.
 */
struct ns_rec_kind {
	const char *name; /**< "flow": CSV file suffix, JSON "kind", SQL table */
	uint32_t version; /**< grows when fields change meaning or leave */
	size_t size; /**< sizeof the struct */
	const struct ns_rec_field *fields;
	unsigned fields_n;
	const char *help;
	/**
	 * Index of the NS_REC_IP field that decides between the IPv4 and IPv6 IPFIX template, or
	 * -1.
	 */
	int ipfix_family_field;
};

struct ns_rec_link {
	struct ns_rec_link *next;
	const struct ns_rec_kind *kind;
};

void ns_rec_link(struct ns_rec_link *l);

#define NS_REC_REGISTER(ident)                                             \
	static struct ns_rec_link ns_link_##ident = {.kind = &(ident)};    \
	__attribute__((constructor)) static void ns_register_##ident(void) \
	{                                                                  \
		ns_rec_link(&ns_link_##ident);                             \
	}

/** The record kind after @p prev in order of name (NULL: the first); NULL at the end. */
const struct ns_rec_kind *ns_rec_next(const struct ns_rec_kind *prev);
const struct ns_rec_kind *ns_rec_find(const char *name);

/** Longest text of any field but NS_REC_STR and NS_REC_BYTES (those: 6 * size). */
#define NS_REC_TEXT_MAX 64

/**
 * Puts the value of field @p f of @p rec as text at @p p (no terminating zero, no quotes, no
 * escapes) and returns the place after it; an empty value puts nothing.
 */
char *ns_rec_put_text(char *p, const struct ns_rec_field *f, const void *rec);

/** Puts the value as JSON: number, string or null. Integers over 2^53 stay numbers. */
char *ns_rec_put_json(char *p, const struct ns_rec_field *f, const void *rec);

/** Upper bound of what ns_rec_put_json() of all fields with their names can take, in octets. */
size_t ns_rec_line_max(const struct ns_rec_kind *k);

/** Puts a whole CSV line / JSON object (with "kind") and a newline. */
char *ns_rec_put_csv_head(char *p, const struct ns_rec_kind *k);
char *ns_rec_put_csv(char *p, const struct ns_rec_kind *k, const void *rec);
char *ns_rec_put_json_line(char *p, const struct ns_rec_kind *k, const void *rec);

/**
 * Puts many lines of one kind: as ns_rec_put_csv(), but several times as fast. Borrows @p k until
 * ns_rec_csv_destroy(); used by one thread at a time. NULL with errno ENOMEM.
 */
struct ns_rec_csv;
struct ns_rec_csv *ns_rec_csv_create(const struct ns_rec_kind *k);
char *ns_rec_csv_put(struct ns_rec_csv *c, char *p, const void *rec);
void ns_rec_csv_destroy(struct ns_rec_csv *c);

/** Writes all record kinds as Markdown (doc/records.md) to @p fd; 0 or -errno. */
int ns_rec_reference(int fd);

/** Value as an integer for numeric types; returns false for those that have none. */
bool ns_rec_get_u64(const struct ns_rec_field *f, const void *rec, uint64_t *v);

/**
 * True when the value counts as absent: NS_REC_EMPTY_ZERO and zero, no address or prefix, no VLAN,
 * "", a double that is not finite.
 */
bool ns_rec_is_empty(const struct ns_rec_field *f, const void *rec);

/** IANA keyword of an IP protocol in lower case, or NULL where there is none. */
const char *ns_proto_name(uint8_t proto);

/** Puts the keyword or the decimal number; at most 24 characters. */
char *ns_put_proto(char *p, uint8_t proto);

/** Puts the letters of the TCP flags that are set, out of FSRPAUEC; at most 8 characters. */
char *ns_put_tcp_flags(char *p, uint8_t flags);

/** Puts the text of an address; at most 45 characters, none for ver 0. */
char *ns_put_ip(char *p, const struct ns_ip *ip);

/** Puts "10.1.2.0/24" or "2001:db8::/32"; at most 49 characters, none for ver 0. */
char *ns_put_prefix(char *p, const struct ns_prefix *prefix);
