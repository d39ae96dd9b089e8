/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "report_priv.h"

/*
 * JSON (RFC 8259) written by hand: objects and arrays are pretty-printed with two spaces; a row is
 * an object on one line. Keys are ours and need no escapes; a NULL key stands for an array's
 * element.
 *
 * Where we are: @c depth objects deep, and whether something stands in the innermost already.
 * Inside a row nothing breaks the line.
 */
struct json {
	struct rbuf b;
	unsigned depth;
	bool some, row;
};

void json_begin(struct json *j, int err);
int json_end(struct json *j, FILE *out);

void json_open(struct json *j, const char *key, char bracket);
void json_close(struct json *j, char bracket);
void json_row(struct json *j);
void json_row_end(struct json *j);

/* The key alone: the value is put into json.b next. */
void json_key(struct json *j, const char *key);
void json_u64(struct json *j, const char *key, uint64_t v);
void json_bool(struct json *j, const char *key, bool v);
/* NULL is null; octets that are no UTF-8 become U+FFFD. */
void json_str(struct json *j, const char *key, const char *v);
void json_text(struct json *j, const char *key, const char *v, size_t n);
/* What can not be told is null. */
void json_double(struct json *j, const char *key, bool known, double v);
