/* SPDX-License-Identifier: BSD-3-Clause */
/* Names of fields, and words that stand for several of them. */
#include "filter_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A word is known of a kind that has one of these. */
static const struct alias {
	const char *word;
	const char *fields[2];
} aliases[] = {
	{"src", {"src_ip", NULL}},
	{"dst", {"dst_ip", NULL}},
	{"port", {"src_port", "dst_port"}},
	{"input", {"port", NULL}},
	{"rtt", {"tcp_rtt_ns", NULL}},
	{"flags", {"tcp_flags", "rev_tcp_flags"}},
};

/* Protocols that are offered; all others are taken too. */
static const char *const protos[] = {"tcp", "udp", "icmp", "ipv6-icmp", "sctp", "gre", "esp"};

static bool is(const char *name, size_t len, const char *word)
{
	return strlen(word) == len && memcmp(name, word, len) == 0;
}

static const struct ns_rec_field *field(const struct ns_rec_kind *k, const char *name, size_t len)
{
	for (unsigned i = 0; i < k->fields_n; i++) {
		if (is(name, len, k->fields[i].name))
			return &k->fields[i];
	}
	return NULL;
}

/* rtt_ns may be called rtt. */
static const struct ns_rec_field *field_ns(
	const struct ns_rec_kind *k, const char *name, size_t len)
{
	for (unsigned i = 0; i < k->fields_n; i++) {
		const char *have = k->fields[i].name;

		if (strlen(have) == len + 3 && memcmp(have, name, len) == 0 &&
			strcmp(have + len, "_ns") == 0)
			return &k->fields[i];
	}
	return NULL;
}

static bool is_addr(const struct ns_rec_field *f)
{
	return f->type == NS_REC_IP || f->type == NS_REC_PREFIX;
}

/* Addresses that have these flags. */
static unsigned addrs_of(const struct ns_rec_kind *k, uint32_t flags,
	const struct ns_rec_field *fields[FILTER_FIELDS])
{
	unsigned n = 0;

	for (unsigned i = 0; i < k->fields_n && n < FILTER_FIELDS; i++) {
		const struct ns_rec_field *f = &k->fields[i];

		if (is_addr(f) && (f->flags & flags) == flags)
			fields[n++] = f;
	}
	return n;
}

/* Addresses of the key, or all where none is. */
static unsigned addrs(const struct ns_rec_kind *k, const struct ns_rec_field *fields[FILTER_FIELDS])
{
	unsigned n = addrs_of(k, NS_REC_KEY, fields);

	return n > 0 ? n : addrs_of(k, 0, fields);
}

unsigned filter_fields(const struct ns_rec_kind *k, const char *name, size_t len,
	const struct ns_rec_field *fields[FILTER_FIELDS])
{
	unsigned n = 0;

	if (is(name, len, "host") || is(name, len, "net"))
		n = addrs(k, fields);
	for (unsigned i = 0; i < NS_ARRAY_LEN(aliases); i++) {
		for (unsigned j = 0; j < 2 && is(name, len, aliases[i].word); j++) {
			const char *f = aliases[i].fields[j];

			fields[n] = f != NULL ? field(k, f, strlen(f)) : NULL;
			n += fields[n] != NULL;
		}
	}
	if (n > 0)
		return n;
	fields[0] = field(k, name, len);
	if (fields[0] == NULL)
		fields[0] = field_ns(k, name, len);
	return fields[0] != NULL;
}

unsigned filter_pair_fields(const struct ns_rec_kind *k, const struct filter_token *first,
	const struct filter_token *second, const struct ns_rec_field *fields[FILTER_FIELDS])
{
	bool src = filter_token_is(first, "src");
	const char *name;

	if (!src && !filter_token_is(first, "dst"))
		return 0;
	if (filter_token_is(second, "port"))
		name = src ? "src_port" : "dst_port";
	else if (filter_token_is(second, "host") || filter_token_is(second, "net"))
		name = src ? "src_ip" : "dst_ip";
	else
		return 0;
	fields[0] = field(k, name, strlen(name));
	return fields[0] != NULL;
}

int filter_proto(const char *name, size_t len)
{
	for (unsigned i = 0; i < 256; i++) {
		const char *have = ns_proto_name((uint8_t)i);

		if (have != NULL && is(name, len, have))
			return (int)i;
	}
	return -1;
}

/* Name number i of all that there are; NULL behind the last, "" for one that this kind lacks. */
static const char *nth(const struct ns_rec_kind *k, unsigned i)
{
	static const char *const hosts[] = {"host", "net"};
	const struct ns_rec_field *fields[FILTER_FIELDS];

	if (i < NS_ARRAY_LEN(hosts))
		return addrs(k, fields) > 0 ? hosts[i] : "";
	i -= NS_ARRAY_LEN(hosts);
	if (i < NS_ARRAY_LEN(aliases)) {
		const char *w = aliases[i].word;

		/* a field of this name comes in its own turn */
		return field(k, w, strlen(w)) == NULL && filter_fields(k, w, strlen(w), fields) > 0
			       ? w
			       : "";
	}
	i -= NS_ARRAY_LEN(aliases);
	return i < k->fields_n ? k->fields[i].name : NULL;
}

void filter_names(const struct ns_rec_kind *k, char *buf, size_t size)
{
	const char *name;
	size_t at = 0;

	buf[0] = '\0';
	for (unsigned i = 0; (name = nth(k, i)) != NULL; i++) {
		if (name[0] == '\0')
			continue;
		if (at + strlen(name) + sizeof(", ...") >= size) {
			snprintf(buf + at, size - at, ", ...");
			return;
		}
		at += (size_t)snprintf(buf + at, size - at, "%s%s", at > 0 ? ", " : "", name);
	}
}

/* What may come next, by the tokens so far. */
enum state { OPERAND, NAMED, VALUE, JOIN };

struct offering {
	void (*offer)(void *ctx, const char *word);
	void *ctx;
	const char *begin; /* of the last word: what it already has */
	const char *glued; /* parentheses before it */
	size_t glued_n;
};

static void offer(const struct offering *o, const char *word)
{
	char whole[128];

	if (word[0] == '\0' || strncmp(word, o->begin, strlen(o->begin)) != 0)
		return;
	snprintf(whole, sizeof(whole), "%.*s%s", (int)NS_MIN(o->glued_n, (size_t)32), o->glued,
		word);
	o->offer(o->ctx, whole);
}

struct context {
	enum state state;
	unsigned open;
	struct filter_token name; /* NAMED, VALUE: of what */
};

static void step(const struct ns_rec_kind *k, struct context *c, const struct filter_token *t)
{
	const struct ns_rec_field *fields[FILTER_FIELDS];

	switch (t->type) {
	case FILTER_OPEN:
		c->open++;
		c->state = OPERAND;
		break;
	case FILTER_CLOSE:
		c->open -= c->open > 0;
		c->state = JOIN;
		break;
	case FILTER_WORD_AND:
	case FILTER_WORD_OR:
	case FILTER_WORD_NOT:
		c->state = OPERAND;
		break;
	case FILTER_OP:
		c->state = VALUE;
		break;
	default:
		if (c->state == NAMED && filter_pair_fields(k, &c->name, t, fields) > 0)
			break;
		if (c->state == OPERAND && filter_fields(k, t->at, t->len, fields) > 0) {
			c->name = *t;
			c->state = NAMED;
		} else {
			c->state = JOIN;
		}
	}
}

static void offer_values(
	const struct ns_rec_kind *k, const struct context *c, const struct offering *o, bool named)
{
	const struct ns_rec_field *fields[FILTER_FIELDS];
	static const char *const ops[] = {"=", "!=", "<", "<=", ">", ">=", "~"};
	static const enum filter_op meant[] = {FILTER_IS, FILTER_IS, FILTER_LESS, FILTER_LESS_IS,
		FILTER_MORE, FILTER_MORE_IS, FILTER_HAS};

	/* an operator may stand where no name was */
	if (c->name.len == 0 || filter_fields(k, c->name.at, c->name.len, fields) == 0)
		return;
	if (fields[0]->type == NS_REC_PROTO) {
		for (unsigned i = 0; i < NS_ARRAY_LEN(protos); i++)
			offer(o, protos[i]);
	}
	for (unsigned i = 0; named && i < NS_ARRAY_LEN(ops); i++) {
		if (filter_op_fits(fields[0]->type, meant[i]))
			offer(o, ops[i]);
	}
	if (named && (filter_token_is(&c->name, "src") || filter_token_is(&c->name, "dst"))) {
		offer(o, "host");
		offer(o, "net");
		offer(o, "port");
	}
}

static void offer_operands(const struct ns_rec_kind *k, const struct offering *o)
{
	const char *name;
	bool proto = false;

	for (unsigned i = 0; (name = nth(k, i)) != NULL; i++)
		offer(o, name);
	for (unsigned i = 0; i < k->fields_n; i++)
		proto = proto || k->fields[i].type == NS_REC_PROTO;
	for (unsigned i = 0; proto && i < NS_ARRAY_LEN(protos); i++)
		offer(o, protos[i]);
	offer(o, "not");
}

void ns_rec_filter_offer(const struct ns_rec_kind *k, const char *const *words, unsigned n,
	void (*put)(void *ctx, const char *word), void *ctx)
{
	struct context c = {.state = OPERAND};
	const char *last = n > 0 ? words[n - 1] : "";
	struct offering o = {put, ctx, last, last, strspn(last, "(!")};

	for (unsigned i = 0; i + 1 < n; i++) {
		char *p = (char *)(uintptr_t)words[i]; /* is only read */

		for (struct filter_token t; (t = filter_lex(&p)).type != FILTER_END;)
			step(k, &c, &t);
	}
	for (size_t i = 0; i < o.glued_n; i++) {
		c.open += last[i] == '(';
		c.state = OPERAND;
	}
	o.begin += o.glued_n;
	if (c.state == OPERAND)
		offer_operands(k, &o);
	else if (c.state == NAMED || c.state == VALUE)
		offer_values(k, &c, &o, c.state == NAMED);
	if (c.state == JOIN || c.state == NAMED) {
		offer(&o, "and");
		offer(&o, "or");
		if (c.open > 0)
			offer(&o, ")");
	}
}
