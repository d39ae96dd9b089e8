/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory of a load and the tree that lives in it. An arena is a list of chunks, newest first; a
 * load makes at most a few thousand small objects, and all of them die together.
 *
 *	arena ─▶ chunk [used|free] ─▶ chunk [used] ─▶ NULL
 */
#include "conf_priv.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define CHUNK_SIZE 16384u

struct conf_chunk {
	struct conf_chunk *next;
	size_t used, cap;
	alignas(max_align_t) char data[];
};

cyaml_mem_fn_t ns_conf_mem = cyaml_mem;

void *conf_alloc(struct conf_arena *a, size_t size)
{
	struct conf_chunk *c = a->chunks;

	size = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	if (c == NULL || c->cap - c->used < size) {
		size_t cap = NS_MAX(size, CHUNK_SIZE);

		c = ns_conf_mem(NULL, NULL, sizeof(*c) + cap);
		if (c == NULL)
			return ns_errno_null(ENOMEM);
		c->next = a->chunks;
		c->used = 0;
		c->cap = cap;
		a->chunks = c;
	}
	void *p = c->data + c->used;
	c->used += size;
	return memset(p, 0, size);
}

char *conf_strndup(struct conf_arena *a, const char *s, size_t n)
{
	char *p = conf_alloc(a, n + 1);

	return p == NULL ? NULL : memcpy(p, s, n);
}

void conf_arena_free(struct conf_arena *a)
{
	while (a->chunks != NULL) {
		struct conf_chunk *next = a->chunks->next;

		ns_conf_mem(NULL, a->chunks, 0);
		a->chunks = next;
	}
}

void conf_buf_add(struct conf_buf *b, const char *s, size_t n)
{
	if (b->oom)
		return;
	if (b->cap - b->n < n + 1) {
		size_t cap = NS_MAX(2 * b->cap, b->n + n + 256);
		char *p = ns_conf_mem(NULL, b->s, cap);

		if (p == NULL) {
			b->oom = true;
			return;
		}
		b->s = p;
		b->cap = cap;
	}
	memcpy(b->s + b->n, s, n);
	b->n += n;
	b->s[b->n] = '\0';
}

void conf_buf_str(struct conf_buf *b, const char *s)
{
	conf_buf_add(b, s, strlen(s));
}

void conf_buf_free(struct conf_buf *b)
{
	if (b->s != NULL)
		ns_conf_mem(NULL, b->s, 0);
	*b = (struct conf_buf){0};
}

struct conf_node *conf_node(struct conf_arena *a, enum conf_kind kind, struct conf_at at)
{
	struct conf_node *n = conf_alloc(a, sizeof(*n));

	if (n != NULL) {
		n->kind = kind;
		n->at = at;
		n->key_at = at;
		n->text = "";
	}
	return n;
}

void conf_append(struct conf_node *parent, struct conf_node *child)
{
	child->next = NULL;
	if (parent->last != NULL)
		parent->last->next = child;
	else
		parent->first = child;
	parent->last = child;
	parent->n++;
}

struct conf_node *conf_find(const struct conf_node *mapping, const char *key, size_t len)
{
	for (struct conf_node *n = mapping->first; n != NULL; n = n->next) {
		if (strncmp(n->key, key, len) == 0 && n->key[len] == '\0')
			return n;
	}
	return NULL;
}

bool conf_is_blank(const struct conf_node *n)
{
	return n->kind == CONF_SCALAR && !n->text_like && n->text[0] == '\0';
}

void conf_merge(struct conf_node *base, struct conf_node *over)
{
	struct conf_node *next;

	for (struct conf_node *o = over->first; o != NULL; o = next) {
		struct conf_node *b = conf_find(base, o->key, strlen(o->key));

		next = o->next;
		if (b == NULL) {
			conf_append(base, o);
			continue;
		}
		b->at = o->at;
		b->key_at = o->key_at;
		if (b->kind == CONF_MAPPING && o->kind == CONF_MAPPING) {
			conf_merge(b, o);
		} else if (!conf_is_blank(o) || (b->kind != CONF_MAPPING && !b->keep)) {
			/* "flow:" with nothing below it changes nothing */
			b->kind = o->kind;
			b->text_like = o->text_like;
			b->text = o->text;
			b->n = o->n;
			b->first = o->first;
			b->last = o->last;
		}
	}
}

int conf_no_memory(struct ns_err *e)
{
	return ns_fail(e, ENOMEM, "no memory for the configuration");
}

char *conf_show(const char *text, char *buf, size_t len)
{
	size_t n = strlen(text);
	bool cut = n >= len;

	if (cut) {
		n = len - 4;
		while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
			n--; /* not through the middle of a character */
	}
	for (size_t i = 0; i < n; i++)
		buf[i] = (unsigned char)text[i] < 0x20 || text[i] == 0x7f ? '?' : text[i];
	memcpy(buf + n, cut ? "..." : "", cut ? 4 : 1);
	return buf;
}

char *conf_where(const struct conf_ctx *c, struct conf_at at, char *buf, size_t len)
{
	char shown[120];

	if (at.from == CONF_FROM_FILE)
		snprintf(buf, len, "%.160s:%u:%u", c->name, at.line, at.col);
	else if (at.from == CONF_FROM_DEFAULT && at.line > 0)
		snprintf(buf, len, "built-in default:%u:%u", at.line, at.col);
	else if (at.from == CONF_FROM_DEFAULT)
		snprintf(buf, len, "built-in default");
	else
		snprintf(buf, len, "override \"%s\"",
			conf_show(c->overrides[at.from], shown, sizeof(shown)));
	return buf;
}

int conf_fail(
	struct conf_ctx *c, int err, struct conf_at at, const char *path, const char *fmt, ...)
{
	char where[200], text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	conf_where(c, at, where, sizeof(where));
	if (path != NULL && path[0] != '\0')
		return ns_fail(c->err, err, "%s: %s: %s", where, path, text);
	return ns_fail(c->err, err, "%s: %s", where, text);
}
