/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 *	text ── filter_lex.c ──▶ tokens ── filter_parse.c ──▶ tree ── filter.c ──▶ tests
 *	                                      │ names: filter_words.c
 *	                                      │ values: filter_value.c
 *
 * What is asked of records is an array of tests, each of which says where to go on when it is true
 * and when it is not; all targets are behind it, so a match ends, and needs no stack.
 *
 *	a and (b or not c)      0 a: 1, NO    1 b: YES, 2    2 c: NO, YES
 */

#include "ns_rec_filter.h"

#define FILTER_YES (-1)
#define FILTER_NO (-2)
#define FILTER_FIELDS 8 /* that one word stands for */

enum filter_op {
	FILTER_IS,
	FILTER_LESS,
	FILTER_LESS_IS,
	FILTER_MORE,
	FILTER_MORE_IS,
	FILTER_HAS,
	FILTER_THERE, /* no value is compared */
};

/* A value, as the type of its field has it. */
union filter_value {
	uint64_t u;
	int64_t i;
	double f;
	struct {
		uint8_t ver, len;
		uint64_t addr[2], mask[2]; /* network order */
	} net;
	struct ns_vlans vlans;
	struct {
		const char *at; /* in the filter's text */
		size_t len;
	} text;
	struct {
		const uint8_t *at; /* as hex where the text was */
		size_t len;
	} octets;
};

struct filter_test {
	const struct ns_rec_field *field;
	enum filter_op op;
	union filter_value v;
	int16_t yes, no; /* the next test, or FILTER_YES, FILTER_NO */
};

struct ns_rec_filter {
	char *text; /* a copy, that values point into */
	unsigned n;
	struct filter_test tests[];
};

/* A node of the tree: of a test the first member, of all others the second. */
enum filter_node_type { FILTER_TEST, FILTER_NOT, FILTER_AND, FILTER_OR };
struct filter_node {
	enum filter_node_type type;
	struct filter_test test;
	uint16_t left, right;
};

enum filter_token_type {
	FILTER_END,
	FILTER_WORD,
	FILTER_QUOTED,
	FILTER_OPEN,
	FILTER_CLOSE,
	FILTER_OP,
	FILTER_WORD_AND,
	FILTER_WORD_OR,
	FILTER_WORD_NOT,
	FILTER_BAD, /* a quote that is not closed, a character that has no meaning */
};

struct filter_token {
	enum filter_token_type type;
	char *at; /* of a quoted text: behind the quote */
	size_t len;
	enum filter_op op;
	bool negated; /* != */
};

/* filter_lex.c: the token at *p, which gets behind it. */
struct filter_token filter_lex(char **p);
bool filter_token_is(const struct filter_token *t, const char *word);

/* filter_words.c: the fields that a word stands for; 0: none. */
unsigned filter_fields(const struct ns_rec_kind *k, const char *name, size_t len,
	const struct ns_rec_field *fields[FILTER_FIELDS]);
/* "src port": as filter_fields() of src_port, and so on; 0 when that is no pair. */
unsigned filter_pair_fields(const struct ns_rec_kind *k, const struct filter_token *first,
	const struct filter_token *second, const struct ns_rec_field *fields[FILTER_FIELDS]);
/* The number of an IP protocol's keyword, or -1. */
int filter_proto(const char *name, size_t len);
/* The names that there are, for a message. */
void filter_names(const struct ns_rec_kind *k, char *buf, size_t size);

/* filter_value.c: 0, or -EINVAL with what was expected in @p e. */
int filter_read(const struct ns_rec_field *f, const struct filter_token *t, union filter_value *v,
	struct ns_err *e);
/* What the type is called, and whether the operator means something for it. */
const char *filter_type_name(enum ns_rec_type type);
bool filter_op_fits(enum ns_rec_type type, enum filter_op op);
