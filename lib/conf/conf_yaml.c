/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * YAML text to tree (libyaml reads, which knows line and column) and tree to YAML text. What is
 * written is a small part of YAML that any reader understands the same way: block mappings, lists
 * on one line, and double quotes around all that could be taken for something else.
 */
#include "conf_priv.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

struct reader {
	struct conf_ctx *c;
	yaml_document_t *doc;
	int from;
	unsigned nodes;
	size_t octets; /* of text, aliases expanded */
	int open[CONF_DEPTH_MAX + 1]; /* nodes that are being converted, outermost first */
};

static struct conf_at at_mark(int from, yaml_mark_t m)
{
	return (struct conf_at){from, (unsigned)m.line + 1, (unsigned)m.column + 1};
}

/* A NUL would end the text for every later reader of it, and hide what follows. */
static char *take_text(struct reader *r, const yaml_node_t *n, struct conf_at at)
{
	const char *s = (const char *)n->data.scalar.value;
	char *p;

	if (strlen(s) != n->data.scalar.length) {
		conf_fail(r->c, EINVAL, at, NULL, "text with a NUL character");
		return NULL;
	}
	r->octets += n->data.scalar.length;
	if (r->octets > CONF_TEXT_MAX) {
		conf_fail(r->c, EINVAL, at, NULL, "aliases repeat more than %u octets of text",
			CONF_TEXT_MAX);
		return NULL;
	}
	p = conf_strndup(&r->c->arena, s, n->data.scalar.length);
	if (p == NULL)
		conf_fail(r->c, ENOMEM, at, NULL, "no memory");
	return p;
}

static struct conf_node *convert(
	struct reader *r, int index, unsigned depth, const struct conf_at *used);

static int convert_pair(
	struct reader *r, struct conf_node *map, yaml_node_pair_t pair, unsigned depth)
{
	const yaml_node_t *k = yaml_document_get_node(r->doc, pair.key);
	struct conf_at at = at_mark(r->from, k->start_mark);
	struct conf_node *child, *first;
	char shown[64];
	char *key;

	if (k->type != YAML_SCALAR_NODE)
		return conf_fail(r->c, EINVAL, at, NULL, "a key must be plain text");
	key = take_text(r, k, at);
	if (key == NULL)
		return -errno;
	first = conf_find(map, key, strlen(key));
	if (first != NULL && r->from == CONF_FROM_FILE)
		return conf_fail(r->c, EINVAL, at, NULL,
			"duplicate key \"%s\", first at line %u, column %u",
			conf_show(key, shown, sizeof(shown)), first->key_at.line,
			first->key_at.col);
	if (first != NULL)
		return conf_fail(r->c, EINVAL, at, NULL, "duplicate key \"%s\"",
			conf_show(key, shown, sizeof(shown)));
	child = convert(r, pair.value, depth + 1, &at);
	if (child == NULL)
		return -errno;
	child->key = key;
	child->key_at = at;
	conf_append(map, child);
	return 0;
}

/* Whether it stands before b: an alias does, as the node that it means. */
static bool before(struct conf_at a, const struct conf_at *b)
{
	return a.line < b->line || (a.line == b->line && a.col < b->col);
}

/*
 * Recursion is bounded by CONF_DEPTH_MAX, and aliases that multiply by CONF_NODES_MAX. @used is the
 * place of the key or list that holds the node: of an alias libyaml keeps no other.
 */
static struct conf_node *convert(
	struct reader *r, int index, unsigned depth, const struct conf_at *used)
{
	static const enum conf_kind kinds[] = {[YAML_SCALAR_NODE] = CONF_SCALAR,
		[YAML_SEQUENCE_NODE] = CONF_LIST,
		[YAML_MAPPING_NODE] = CONF_MAPPING};
	const yaml_node_t *y = yaml_document_get_node(r->doc, index);
	struct conf_at at = at_mark(r->from, y->start_mark);
	struct conf_node *n;

	if (used != NULL && before(at, used))
		at = *used;
	for (unsigned i = 0; i < NS_MIN(depth, CONF_DEPTH_MAX); i++) {
		if (r->open[i] == index) {
			conf_fail(r->c, EINVAL, at, NULL, "an alias of what it is a part of");
			return NULL;
		}
	}
	if (depth > CONF_DEPTH_MAX) {
		conf_fail(r->c, EINVAL, at, NULL, "nested deeper than %u levels", CONF_DEPTH_MAX);
		return NULL;
	}
	if (r->nodes++ == CONF_NODES_MAX) {
		conf_fail(r->c, EINVAL, at, NULL, "more than %u values", CONF_NODES_MAX);
		return NULL;
	}
	r->open[depth] = index;
	n = conf_node(&r->c->arena, kinds[y->type], at);
	if (n == NULL) {
		conf_fail(r->c, ENOMEM, at, NULL, "no memory");
		return NULL;
	}
	if (y->type == YAML_SCALAR_NODE) {
		n->text = take_text(r, y, at);
		n->text_like = y->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
		return n->text == NULL ? NULL : n;
	}
	if (y->type == YAML_SEQUENCE_NODE) {
		for (const yaml_node_item_t *i = y->data.sequence.items.start;
			i < y->data.sequence.items.top; i++) {
			struct conf_node *child = convert(r, *i, depth + 1, &at);

			if (child == NULL)
				return NULL;
			conf_append(n, child);
		}
		return n;
	}
	for (const yaml_node_pair_t *p = y->data.mapping.pairs.start; p < y->data.mapping.pairs.top;
		p++) {
		if (convert_pair(r, n, *p, depth) < 0)
			return NULL;
	}
	return n;
}

static int syntax_error(
	struct conf_ctx *c, const yaml_parser_t *p, const char *yaml, size_t len, int from)
{
	struct conf_at at = at_mark(from, p->problem_mark);

	/* when memory runs out, libyaml does not always say so, but then it names no problem */
	if (p->error == YAML_MEMORY_ERROR || p->problem == NULL)
		return conf_fail(c, ENOMEM, at, NULL, "no memory");
	if (p->error == YAML_READER_ERROR) {
		/* libyaml gives an octet offset here */
		at.line = at.col = 1;
		for (size_t i = 0; i < len && i < p->problem_offset; i++) {
			at.line += yaml[i] == '\n';
			at.col = yaml[i] == '\n' ? 1 : at.col + 1;
		}
	}
	if (p->context != NULL)
		return conf_fail(c, EINVAL, at, NULL, "%s (%s)", p->problem, p->context);
	return conf_fail(c, EINVAL, at, NULL, "%s", p->problem);
}

int conf_read(struct conf_ctx *c, const char *yaml, size_t len, int from, struct conf_node **out)
{
	yaml_parser_t parser;
	yaml_document_t doc;
	struct reader r = {.c = c, .doc = &doc, .from = from};
	struct conf_at start = {from, 1, 1};
	const yaml_node_t *root;
	int rc = 0;

	*out = NULL;
	if (len > CONF_TEXT_MAX)
		return conf_fail(c, EINVAL, start, NULL, "longer than %u octets", CONF_TEXT_MAX);
	if (!yaml_parser_initialize(&parser))
		return conf_fail(c, ENOMEM, start, NULL, "no memory");
	yaml_parser_set_input_string(&parser, (const unsigned char *)yaml, len);
	if (!yaml_parser_load(&parser, &doc)) {
		rc = syntax_error(c, &parser, yaml, len, from);
		goto out;
	}
	root = yaml_document_get_root_node(&doc);
	if (root == NULL) {
		yaml_document_delete(&doc);
		goto out;
	}
	*out = convert(&r, 1, 0, NULL);
	rc = *out == NULL ? -errno : 0;
	yaml_document_delete(&doc);
	if (rc < 0)
		goto out;
	if (!yaml_parser_load(&parser, &doc)) {
		rc = syntax_error(c, &parser, yaml, len, from);
		goto out;
	}
	root = yaml_document_get_root_node(&doc);
	if (root != NULL)
		rc = conf_fail(c, EINVAL, at_mark(from, doc.start_mark), NULL,
			"a second document; only one is read");
	yaml_document_delete(&doc);
out:
	yaml_parser_delete(&parser);
	return rc < 0 ? ns_errno_set(-rc) : 0;
}

/* Could another YAML reader take this text for a number, a truth value, a date or null? */
static bool looks_typed(const char *s)
{
	static const char *const words[] = {
		"true", "false", "yes", "no", "on", "off", "null", "~", "y", "n"};

	for (size_t i = 0; i < NS_ARRAY_LEN(words); i++) {
		if (strcasecmp(s, words[i]) == 0)
			return true;
	}
	return strchr("+-.0123456789", s[0]) != NULL;
}

static bool plain_is_safe(const struct conf_node *n)
{
	static const char set[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "0123456789_./+-@";
	const char *s = n->text;

	if (s[0] == '\0' || s[strspn(s, set)] != '\0' || s[0] == '@' || strcmp(s, "-") == 0 ||
		strncmp(s, "---", 3) == 0 || strncmp(s, "...", 3) == 0)
		return false;
	return !n->text_like || !looks_typed(s);
}

/* Length of the UTF-8 sequence at s, which is terminated; 0: none. *cp gets its character. */
static size_t utf8(const unsigned char *s, uint32_t *cp)
{
	size_t len = 0;

	*cp = s[0];
	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] < 0xf5)
		len = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	uint32_t v = s[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		v = v << 6 | (s[i] & 0x3f);
	}
	if (v >= 0x110000 || (v >= 0xd800 && v < 0xe000))
		return 0;
	if (len > 0)
		*cp = v;
	return len;
}

/* Line separators, the byte order mark and non-characters would not survive as they are. */
static bool printable(uint32_t cp)
{
	return (cp >= 0x20 && cp < 0x7f) ||
	       (cp >= 0xa0 && cp < 0xd800 && cp != 0x2028 && cp != 0x2029) ||
	       (cp >= 0xe000 && cp < 0xfffe && cp != 0xfeff) || (cp >= 0x10000 && cp < 0x110000);
}

static void write_scalar(struct conf_buf *b, const struct conf_node *n)
{
	const unsigned char *s = (const unsigned char *)n->text;
	char esc[12];

	if (plain_is_safe(n)) {
		conf_buf_str(b, n->text);
		return;
	}
	conf_buf_str(b, "\"");
	while (*s != '\0') {
		uint32_t cp;
		size_t len = utf8(s, &cp);

		if (*s == '"' || *s == '\\') {
			conf_buf_str(b, "\\");
			conf_buf_add(b, (const char *)s, 1);
		} else if (*s == '\n' || *s == '\t') {
			conf_buf_str(b, *s == '\n' ? "\\n" : "\\t");
		} else if (len > 0 && printable(cp)) {
			conf_buf_add(b, (const char *)s, len);
		} else {
			snprintf(esc, sizeof(esc), cp < 0x100 ? "\\x%02X" : "\\u%04X", cp);
			conf_buf_str(b, esc);
		}
		s += NS_MAX(len, (size_t)1);
	}
	conf_buf_str(b, "\"");
}

void conf_write_flow(struct conf_buf *b, const struct conf_node *n)
{
	if (n->kind == CONF_SCALAR) {
		write_scalar(b, n);
		return;
	}
	conf_buf_str(b, n->kind == CONF_LIST ? "[" : "{");
	for (const struct conf_node *k = n->first; k != NULL; k = k->next) {
		if (k != n->first)
			conf_buf_str(b, ", ");
		if (n->kind == CONF_MAPPING) {
			conf_buf_str(b, k->key);
			conf_buf_str(b, ": ");
		}
		conf_write_flow(b, k);
	}
	conf_buf_str(b, n->kind == CONF_LIST ? "]" : "}");
}

static void write_indent(struct conf_buf *b, unsigned indent)
{
	while (indent-- > 0)
		conf_buf_str(b, "  ");
}

void conf_write_block(struct conf_buf *b, const struct conf_node *mapping, unsigned indent)
{
	for (const struct conf_node *k = mapping->first; k != NULL; k = k->next) {
		write_indent(b, indent);
		conf_buf_str(b, k->key);
		conf_buf_str(b, ":");
		if (k->kind == CONF_MAPPING && k->n > 0) {
			conf_buf_str(b, "\n");
			conf_write_block(b, k, indent + 1);
		} else if (k->kind == CONF_LIST && k->n > 0 && k->first->kind != CONF_SCALAR) {
			conf_buf_str(b, "\n");
			for (const struct conf_node *i = k->first; i != NULL; i = i->next) {
				write_indent(b, indent + 1);
				conf_buf_str(b, "- ");
				conf_write_flow(b, i);
				conf_buf_str(b, "\n");
			}
		} else {
			conf_buf_str(b, " ");
			conf_write_flow(b, k);
			conf_buf_str(b, "\n");
		}
	}
}
