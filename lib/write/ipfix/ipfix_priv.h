/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Inside of the IPFIX writer. A record kind becomes templates (tmpl.c), a record becomes octets by
 * its template (encode.c), octets become messages (ipfix.c), messages go out (out.c).
 */

#include <ns_rec.h>

#include <endian.h>
#include <string.h>

enum {
	IPFIX_VERSION = 10,
	IPFIX_HEAD = 16, /* octets of a message header */
	IPFIX_SET_HEAD = 4, /* octets of a set header */
	IPFIX_SET_TMPL = 2, /* set ids, RFC 7011 3.3.2 */
	IPFIX_SET_OPTIONS = 3,
	IPFIX_ID_STATS = 256, /* options template of the exporter's own counters */
	IPFIX_ID_FIRST = 257, /* templates of record kinds, in the order they are met */
	IPFIX_MSG_MAX = 65535,
	IPFIX_UDP_MAX = 65507,
	IPFIX_VARIABLE = 65535, /* "length" of a variable-length element, RFC 7011 7 */
	IPFIX_IP_FIELDS_MAX = 32,
	IPFIX_PORT = 4739,
};

struct ipfix_conf {
	uint32_t observation_domain;
	uint32_t template_refresh; /* s, UDP */
	uint32_t template_messages; /* UDP */
	uint32_t mtu; /* octets of a UDP message */
	uint32_t timeout; /* s, TCP */
	bool milliseconds;
};

extern const struct ipfix_conf ipfix_conf_defaults;

/* How one element is made from the record's struct. */
enum ipfix_op {
	IPFIX_OP_UINT,
	IPFIX_OP_INT,
	IPFIX_OP_F32,
	IPFIX_OP_F64,
	IPFIX_OP_TIME_S,
	IPFIX_OP_TIME_MS,
	IPFIX_OP_TIME_US,
	IPFIX_OP_TIME_NS,
	IPFIX_OP_IP4,
	IPFIX_OP_IP6,
	IPFIX_OP_VLAN,
	IPFIX_OP_STR,
	IPFIX_OP_BYTES,
};

struct ipfix_elem {
	enum ipfix_op op;
	uint16_t offset; /* in the record's struct */
	uint16_t size;
	uint16_t id;
	uint16_t len; /* octets on the wire or IPFIX_VARIABLE */
	uint32_t pen;
};

/*
 * One template and the records that wait for the next message. buf holds encoded records one
 * behind the other; it has room for a full message and one more record, so that a record is
 * encoded in place before it is known whether it still fits.
 */
struct ipfix_tmpl {
	struct ipfix_tmpl *next;
	uint32_t v6; /* bit i: IP field i of the kind is an IPv6 address */
	uint16_t id;
	bool sent;
	size_t min_len; /* octets of the shortest and the longest record */
	size_t max_len;
	uint8_t *buf;
	size_t used;
	uint32_t n; /* records in buf */
	unsigned elems_n;
	struct ipfix_elem elems[];
};

/* A record kind: where its addresses are, and the templates met so far. */
struct ipfix_kind {
	struct ipfix_kind *next;
	const struct ns_rec_kind *kind;
	bool silent; /* none of its fields has an element: its records are passed over */
	unsigned ips_n;
	uint16_t ips[IPFIX_IP_FIELDS_MAX]; /* offsets; the deciding field first */
	struct ipfix_tmpl *tmpls;
};

/* NULL with errno and a message: a kind that cannot be exported. */
struct ipfix_kind *ipfix_kind_create(const struct ns_rec_kind *kind, struct ns_err *e);
void ipfix_kind_destroy(struct ipfix_kind *k);

/* Families of the record's addresses, as in ipfix_tmpl.v6. */
uint32_t ipfix_kind_families(const struct ipfix_kind *k, const uint8_t *rec);

/* Makes the template and puts it into k->tmpls; @limit: octets of a message. */
struct ipfix_tmpl *ipfix_tmpl_create(struct ipfix_kind *k, uint32_t v6, uint16_t id, size_t limit,
	const struct ipfix_conf *c, struct ns_err *e);
size_t ipfix_tmpl_octets(const struct ipfix_tmpl *t);
uint8_t *ipfix_tmpl_put(const struct ipfix_tmpl *t, uint8_t *p);

/* Writes the record at @p, at most t->max_len octets; returns the place after it. */
uint8_t *ipfix_encode(const struct ipfix_tmpl *t, const uint8_t *rec, uint8_t *p);

/* Copies @n octets; those that are not part of well-formed UTF-8 become '?'. */
void ipfix_copy_utf8(uint8_t *to, const uint8_t *from, size_t n);

/* Writes the low @octets of @v in network order; returns the place after them. */
static inline uint8_t *ipfix_put_be(uint8_t *p, uint64_t v, unsigned octets)
{
	uint64_t be = htobe64(octets == 0 ? 0 : v << (64 - 8 * octets));

	switch (octets) {
	case 1: /* lengths that a compiler turns into one store */
		memcpy(p, &be, 1);
		break;
	case 2:
		memcpy(p, &be, 2);
		break;
	case 4:
		memcpy(p, &be, 4);
		break;
	case 8:
		memcpy(p, &be, 8);
		break;
	default:
		memcpy(p, &be, octets);
	}
	return p + octets;
}

enum ipfix_transport { IPFIX_FILE, IPFIX_UDP, IPFIX_TCP };

struct ipfix_out {
	enum ipfix_transport transport;
	int fd;
	uint64_t lost; /* UDP messages that the network refused; counted, not fatal */
	int lost_errno; /* why the last of them */
	char target[]; /* for messages */
};

/* Whether the form of @target is right, and of a file that it can be written. */
int ipfix_out_check(const char *target, struct ns_err *e);
struct ipfix_out *ipfix_out_open(const char *target, const struct ipfix_conf *c, struct ns_err *e);

/* Sends one whole message. */
int ipfix_out_send(struct ipfix_out *o, const uint8_t *msg, size_t len, struct ns_err *e);

/* Closes and frees; tells when the other side has not taken all. */
int ipfix_out_close(struct ipfix_out *o, struct ns_err *e);
