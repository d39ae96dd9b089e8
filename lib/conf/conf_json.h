/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "conf_priv.h"

/* A JSON text that grows. */
struct conf_json {
	struct conf_buf out;
	unsigned depth;
	bool fresh; /* nothing in the innermost braces yet */
};

/* A string with its quotes. */
void conf_json_text(struct conf_json *s, const char *t);
/* Begins a member of an object, or (key NULL) of an array; its value comes next. */
void conf_json_member(struct conf_json *s, const char *key);
void conf_json_begin(struct conf_json *s, const char *brace);
void conf_json_end(struct conf_json *s, const char *brace);
/* A member whole: its value is JSON already, a text, a number. */
void conf_json_put(struct conf_json *s, const char *key, const char *raw);
void conf_json_put_text(struct conf_json *s, const char *key, const char *value);
void conf_json_put_uint(struct conf_json *s, const char *key, uint64_t v);
/* A tree on one line. */
void conf_json_node(struct conf_json *s, const struct conf_node *n);
