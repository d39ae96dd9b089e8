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

static const char *digits(const char *s)
{
	return s + strspn(s, "0123456789");
}

/* RFC 8259: true, false, null or a number; "010", "+1" and ".5" are none. */
static bool is_literal(const char *s)
{
	const char *p = s + (s[0] == '-'), *q = digits(p);

	if (strcmp(s, "true") == 0 || strcmp(s, "false") == 0 || strcmp(s, "null") == 0)
		return true;
	if (q == p || (p[0] == '0' && q > p + 1))
		return false;
	if (*q == '.' && digits(q + 1) > q + 1)
		q = digits(q + 1);
	if (*q == 'e' || *q == 'E') {
		p = q + 1 + (q[1] == '+' || q[1] == '-');
		q = digits(p);
		if (q == p)
			return false;
	}
	return *q == '\0';
}

void conf_json_node(struct conf_json *s, const struct conf_node *n)
{
	if (n->kind == CONF_SCALAR) {
		if (!n->text_like && is_literal(n->text))
			conf_buf_str(&s->out, n->text);
		else if (conf_is_blank(n))
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
