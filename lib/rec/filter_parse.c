/* SPDX-License-Identifier: BSD-3-Clause */
/* An expression becomes a tree, by recursive descent of bounded depth, and the tree tests. */
#include "filter_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOTS 256
/* n tests have n - 1 "and" and "or" above them */
#define NODES (2 * NS_REC_FILTER_TESTS + NOTS)

struct parser {
	const struct ns_rec_kind *kind;
	char *text, *at;
	struct filter_token token; /* the one that comes next */
	struct filter_node nodes[NODES];
	unsigned n, tests, depth;
	struct ns_err *e;
};

static int parse_or(struct parser *p);

static void next(struct parser *p)
{
	p->token = filter_lex(&p->at);
}

static unsigned column(const struct parser *p, const struct filter_token *t)
{
	return (unsigned)(t->at - (t->type == FILTER_QUOTED) - p->text) + 1;
}

/* What is wrong with this token. */
static int wrong(struct parser *p, const struct filter_token *t, int err, const char *what)
{
	if (t->type == FILTER_END)
		return ns_fail(
			p->e, err, "column %u, where the filter ends: %s", column(p, t), what);
	return ns_fail(p->e, err, "column %u, \"%.*s\": %s", column(p, t),
		(int)NS_MIN(t->len, (size_t)40), t->at, what);
}

/* Number of a new node, or -errno. */
static int node(struct parser *p, enum filter_node_type type, int left, int right)
{
	if (p->n == NODES)
		return wrong(p, &p->token, E2BIG, "the filter is too long");
	p->nodes[p->n] = (struct filter_node){
		.type = type, .left = (uint16_t)left, .right = (uint16_t)right};
	return (int)p->n++;
}

static int test(struct parser *p, const struct filter_test *t)
{
	int i;

	if (p->tests == NS_REC_FILTER_TESTS)
		return wrong(p, &p->token, E2BIG, "the filter has too many tests");
	i = node(p, FILTER_TEST, 0, 0);
	if (i >= 0) {
		p->nodes[i].test = *t;
		p->tests++;
	}
	return i;
}

/* What stands behind a name. */
struct compared {
	enum filter_op op;
	bool negated;
	struct filter_token sign, value;
};

static int misfit(struct parser *p, const struct filter_token *sign, const struct ns_rec_field *f)
{
	char what[160];

	snprintf(what, sizeof(what), "%s is %s, which this does not compare", f->name,
		filter_type_name(f->type));
	return wrong(p, sign, EINVAL, what);
}

/* The same test of each of the fields, any of which may be true. */
static int any_of(struct parser *p, const struct ns_rec_field *const *fields, unsigned n,
	const struct compared *c)
{
	int all = -1;

	for (unsigned i = 0; i < n; i++) {
		struct filter_test t = {.field = fields[i], .op = c->op};
		struct filter_token value = c->value;
		struct ns_err why;
		int rc;

		if (!filter_op_fits(fields[i]->type, c->op))
			return misfit(p, &c->sign, fields[i]);
		if (c->op != FILTER_THERE && filter_read(fields[i], &value, &t.v, &why) < 0)
			return wrong(p, &value, EINVAL, why.text);
		rc = test(p, &t);
		if (rc >= 0 && i > 0)
			rc = node(p, FILTER_OR, all, rc);
		if (rc < 0)
			return rc;
		all = rc;
	}
	return c->negated ? node(p, FILTER_NOT, all, 0) : all;
}

static int unknown(struct parser *p, const struct filter_token *name)
{
	char names[360], what[420];

	filter_names(p->kind, names, sizeof(names));
	snprintf(what, sizeof(what), "no such field; there are %s", names);
	return wrong(p, name, EINVAL, what);
}

/* "tcp": of a kind that has a protocol. */
static int protocol(struct parser *p, const struct filter_token *name)
{
	const struct ns_rec_field *f = NULL;
	int proto = filter_proto(name->at, name->len);

	for (unsigned i = 0; i < p->kind->fields_n && f == NULL; i++) {
		if (p->kind->fields[i].type == NS_REC_PROTO)
			f = &p->kind->fields[i];
	}
	if (f == NULL || proto < 0)
		return unknown(p, name);
	return test(p, &(struct filter_test){.field = f, .op = FILTER_IS, .v.u = (uint64_t)proto});
}

static bool is_value(const struct filter_token *t)
{
	return t->type == FILTER_WORD || t->type == FILTER_QUOTED;
}

static int compare(struct parser *p, const struct ns_rec_field *const *fields, unsigned n)
{
	struct compared c = {.op = FILTER_THERE, .sign = p->token};
	bool sign = p->token.type == FILTER_OP;

	if (sign) {
		c.op = p->token.op;
		c.negated = p->token.negated;
		next(p);
	} else if (is_value(&p->token)) {
		c.op = FILTER_IS;
	}
	if (sign && !is_value(&p->token))
		return wrong(p, &p->token, EINVAL, "here a value is to be");
	if (c.op != FILTER_THERE) {
		c.value = p->token;
		next(p);
	}
	return any_of(p, fields, n, &c);
}

static int parse_test(struct parser *p)
{
	const struct ns_rec_field *fields[FILTER_FIELDS];
	struct filter_token name = p->token;
	unsigned n;

	next(p);
	n = filter_pair_fields(p->kind, &name, &p->token, fields);
	if (n > 0)
		next(p);
	else
		n = filter_fields(p->kind, name.at, name.len, fields);
	return n > 0 ? compare(p, fields, n) : protocol(p, &name);
}

static int parse_factor(struct parser *p)
{
	struct filter_token t = p->token;
	int rc;

	if (t.type == FILTER_WORD)
		return parse_test(p);
	if (t.type == FILTER_BAD && (*t.at == '"' || *t.at == '\''))
		return wrong(p, &t, EINVAL, "the quote is not closed");
	if (t.type != FILTER_WORD_NOT && t.type != FILTER_OPEN)
		return wrong(p, &t, EINVAL, "here the name of a field is to be");
	if (p->depth == NS_REC_FILTER_DEPTH)
		return wrong(p, &t, E2BIG, "too deep in parentheses and \"not\"");
	p->depth++;
	next(p);
	if (t.type == FILTER_WORD_NOT) {
		rc = parse_factor(p);
		rc = rc < 0 ? rc : node(p, FILTER_NOT, rc, 0);
	} else {
		rc = parse_or(p);
		if (rc >= 0 && p->token.type != FILTER_CLOSE)
			return wrong(
				p, &p->token, EINVAL, "here \"and\", \"or\" or \")\" is to be");
		next(p);
	}
	p->depth--;
	return rc;
}

static int parse_and(struct parser *p)
{
	int all = parse_factor(p);

	while (all >= 0 && p->token.type == FILTER_WORD_AND) {
		next(p);
		int rc = parse_factor(p);

		all = rc < 0 ? rc : node(p, FILTER_AND, all, rc);
	}
	return all;
}

static int parse_or(struct parser *p)
{
	int all = parse_and(p);

	while (all >= 0 && p->token.type == FILTER_WORD_OR) {
		next(p);
		int rc = parse_and(p);

		all = rc < 0 ? rc : node(p, FILTER_OR, all, rc);
	}
	return all;
}

/*
 * Puts the tests of a node in front of those that are there, so that what they go on to is known;
 * returns the first. Depth: at most that of the tree, which the number of nodes bounds.
 */
static int emit(
	const struct parser *p, struct filter_test *tests, int *first, int i, int yes, int no)
{
	const struct filter_node *n = &p->nodes[i];
	int right;

	switch (n->type) {
	case FILTER_TEST:
		tests[--*first] = n->test;
		tests[*first].yes = (int16_t)yes;
		tests[*first].no = (int16_t)no;
		return *first;
	case FILTER_NOT:
		return emit(p, tests, first, n->left, no, yes);
	default:
		right = emit(p, tests, first, n->right, yes, no);
		return n->type == FILTER_AND ? emit(p, tests, first, n->left, right, no)
					     : emit(p, tests, first, n->left, yes, right);
	}
}

static struct ns_rec_filter *finish(struct parser *p, int root)
{
	struct ns_rec_filter *f = malloc(sizeof(*f) + p->tests * sizeof(f->tests[0]));
	int first = (int)p->tests;

	if (f == NULL) {
		ns_fail(p->e, ENOMEM, "no memory for a filter");
		return NULL;
	}
	f->text = p->text;
	f->n = p->tests;
	emit(p, f->tests, &first, root, FILTER_YES, FILTER_NO);
	return f;
}

struct ns_rec_filter *ns_rec_filter_create(
	const struct ns_rec_kind *k, const char *text, struct ns_err *e)
{
	struct parser *p = calloc(1, sizeof(*p));
	struct ns_rec_filter *f = NULL;
	int err, root;

	if (p != NULL)
		p->text = strdup(text);
	if (p == NULL || p->text == NULL) {
		free(p);
		ns_fail(e, ENOMEM, "no memory for a filter");
		return NULL;
	}
	p->kind = k;
	p->e = e;
	p->at = p->text;
	next(p);
	root = parse_or(p);
	if (root >= 0 && p->token.type != FILTER_END)
		root = wrong(p, &p->token, EINVAL, "here \"and\" or \"or\" is to be");
	if (root >= 0)
		f = finish(p, root);
	err = errno;
	if (f == NULL)
		free(p->text);
	free(p);
	if (f == NULL)
		errno = err;
	return f;
}
