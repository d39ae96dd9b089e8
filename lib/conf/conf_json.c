/* SPDX-License-Identifier: BSD-3-Clause */
/* JSON with a line for each member, for people who look into a schema. */
#include "conf_json.h"

#include <ns_text.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void json_line(struct conf_json *s)
{
	conf_buf_str(&s->out, "\n");
	for (unsigned i = 0; i < s->depth; i++)
		conf_buf_str(&s->out, "  ");
}

void conf_json_text(struct conf_json *s, const char *t)
{
	size_t n = strlen(t);
	char *room = ns_conf_mem(NULL, NULL, 6 * n + 2);

	if (room == NULL) {
		s->out.oom = true;
		return;
	}
	conf_buf_str(&s->out, "\"");
	conf_buf_add(&s->out, room, (size_t)(ns_put_json(room, t, n) - room));
	conf_buf_str(&s->out, "\"");
	ns_conf_mem(NULL, room, 0);
}

/* Begins a member of an object, or (NULL) of an array. */
void conf_json_member(struct conf_json *s, const char *key)
{
	if (!s->fresh)
		conf_buf_str(&s->out, ",");
	s->fresh = false;
	json_line(s);
	if (key == NULL)
		return;
	conf_json_text(s, key);
	conf_buf_str(&s->out, ": ");
}

void conf_json_begin(struct conf_json *s, const char *brace)
{
	conf_buf_str(&s->out, brace);
	s->depth++;
	s->fresh = true;
}

void conf_json_end(struct conf_json *s, const char *brace)
{
	s->depth--;
	if (!s->fresh)
		json_line(s);
	conf_buf_str(&s->out, brace);
	s->fresh = false;
}

void conf_json_put(struct conf_json *s, const char *key, const char *raw)
{
	conf_json_member(s, key);
	conf_buf_str(&s->out, raw);
}

void conf_json_put_text(struct conf_json *s, const char *key, const char *value)
{
	conf_json_member(s, key);
	conf_json_text(s, value);
}

void conf_json_put_uint(struct conf_json *s, const char *key, uint64_t v)
{
	char buf[24];

	snprintf(buf, sizeof(buf), "%" PRIu64, v);
	conf_json_put(s, key, buf);
}

/* A default that stands in the tree, on one line. */
void conf_json_node(struct conf_json *s, const struct conf_node *n)
{
	if (n->kind == CONF_SCALAR) {
		if (!n->text_like && n->text[0] != '\0')
			conf_buf_str(&s->out, n->text);
		else if (!n->text_like)
			conf_buf_str(&s->out, "null");
		else
			conf_json_text(s, n->text);
		return;
	}
	conf_buf_str(&s->out, n->kind == CONF_LIST ? "[" : "{");
	for (const struct conf_node *k = n->first; k != NULL; k = k->next) {
		if (k != n->first)
			conf_buf_str(&s->out, ", ");
		if (n->kind == CONF_MAPPING) {
			conf_json_text(s, k->key);
			conf_buf_str(&s->out, ": ");
		}
		conf_json_node(s, k);
	}
	conf_buf_str(&s->out, n->kind == CONF_LIST ? "]" : "}");
}
