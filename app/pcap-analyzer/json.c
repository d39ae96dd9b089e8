/* SPDX-License-Identifier: BSD-3-Clause */
#include "json.h"

#include <ns_text.h>

#include <inttypes.h>
#include <string.h>

static void next(struct json *j)
{
	if (j->some)
		rbuf_str(&j->b, j->row ? ", " : ",");
	if (!j->row)
		rbuf_printf(&j->b, "\n%*s", (int)(2 * j->depth), "");
	j->some = true;
}

void json_key(struct json *j, const char *key)
{
	next(j);
	if (key != NULL)
		rbuf_printf(&j->b, "\"%s\": ", key);
}

void json_open(struct json *j, const char *key, char bracket)
{
	json_key(j, key);
	rbuf_printf(&j->b, "%c", bracket);
	j->depth++;
	j->some = false;
}

void json_close(struct json *j, char bracket)
{
	j->depth--;
	if (j->some && !j->row)
		rbuf_printf(&j->b, "\n%*s", (int)(2 * j->depth), "");
	rbuf_printf(&j->b, "%c", bracket);
	j->some = true;
}

void json_row(struct json *j)
{
	json_open(j, NULL, '{');
	j->row = true;
}

void json_row_end(struct json *j)
{
	json_close(j, '}');
	j->row = false;
}

void json_begin(struct json *j, int err)
{
	*j = (struct json){.b = {.err = err}, .depth = 1};
	rbuf_str(&j->b, "{");
}

int json_end(struct json *j, FILE *out)
{
	json_close(j, '}');
	rbuf_str(&j->b, "\n");
	return rbuf_end(&j->b, out);
}

void json_u64(struct json *j, const char *key, uint64_t v)
{
	json_key(j, key);
	rbuf_printf(&j->b, "%" PRIu64, v);
}

void json_bool(struct json *j, const char *key, bool v)
{
	json_key(j, key);
	rbuf_str(&j->b, v ? "true" : "false");
}

void json_text(struct json *j, const char *key, const char *v, size_t n)
{
	json_key(j, key);
	char *p = rbuf_room(&j->b, 6 * n + 2);

	if (p == NULL)
		return;
	*p++ = '"';
	p = ns_put_json(p, v, n);
	*p++ = '"';
	rbuf_took(&j->b, p);
}

void json_str(struct json *j, const char *key, const char *v)
{
	if (v != NULL) {
		json_text(j, key, v, strlen(v));
		return;
	}
	json_key(j, key);
	rbuf_str(&j->b, "null");
}

void json_double(struct json *j, const char *key, bool known, double v)
{
	json_key(j, key);
	if (known)
		rbuf_printf(&j->b, "%.6f", v);
	else
		rbuf_str(&j->b, "null");
}
