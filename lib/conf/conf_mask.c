/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Passwords in the text of a configuration. Masked is, in block and in flow style,
 *
 *	redis_password: abc           the value of a key that names a secret
 *	{auth_token: "a b", x: 1}     up to what ends it
 *	redis://user:abc@host         what stands before the '@' of a URL, behind its ':'
 */
#include "ns_conf.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define STARS "***"

static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-';
}

/* Whether the key, len octets, is one of a secret. */
static bool is_secret(const char *key, size_t len)
{
	static const char *const ends[] = {
		"password", "passphrase", "secret", "secret_key", "token", "private_key"};

	for (unsigned i = 0; i < NS_ARRAY_LEN(ends); i++) {
		size_t n = strlen(ends[i]);

		if (len >= n && strncasecmp(key + len - n, ends[i], n) == 0)
			return true;
	}
	return false;
}

/* Where the value at @v ends, in a line of a dump. */
static const char *value_end(const char *v, bool flow)
{
	char quote = *v == '"' || *v == '\'' ? *v : 0;

	if (quote == 0)
		return v + strcspn(v, flow ? ",}]\n" : "\n");
	for (v++; *v != '\0' && *v != '\n'; v++) {
		if (quote == '"' && *v == '\\' && v[1] != '\0')
			v++;
		else if (*v == quote && v[1] == quote && quote == '\'')
			v++;
		else if (*v == quote)
			return v + 1;
	}
	return v;
}

/* The secret behind @p of the URL whose "://" ends there: from *from up to the '@'; or NULL. */
static const char *url_secret(const char *p, const char **from)
{
	size_t n = strcspn(p, "/?# ,\"'\n");
	const char *at = memrchr(p, '@', n);
	const char *colon = at != NULL ? memchr(p, ':', (size_t)(at - p)) : NULL;

	*from = colon != NULL ? colon + 1 : NULL;
	return colon != NULL ? at : NULL;
}

/* What is to be masked at @p, which may be a key's first octet: up to *to from *from; or false. */
static bool secret_at(
	const char *text, const char *p, bool flow, const char **from, const char **to)
{
	if (strncmp(p, "://", 3) == 0) {
		*to = url_secret(p + 3, from);
		return *to != NULL;
	}
	if (!is_name(*p) || (p > text && is_name(p[-1])))
		return false;
	const char *end = p;

	while (is_name(*end))
		end++;
	if (strncmp(end, ": ", 2) != 0 || !is_secret(p, (size_t)(end - p)))
		return false;
	*from = end + 2;
	*to = value_end(*from, flow);
	/* none at all is no secret */
	size_t n = (size_t)(*to - *from);

	return n > 0 && !(n == 4 && memcmp(*from, "null", 4) == 0) &&
	       !(n == 2 && memcmp(*from, "\"\"", 2) == 0);
}

char *ns_conf_mask(const char *text)
{
	size_t n = strlen(text);
	/* a value of one octet becomes three */
	char *out = malloc(3 * n + sizeof(STARS)), *o = out;
	unsigned depth = 0;

	if (out == NULL)
		return NULL;
	for (const char *p = text; *p != '\0';) {
		const char *from, *to;

		if (secret_at(text, p, depth > 0, &from, &to)) {
			memcpy(o, p, (size_t)(from - p));
			o += from - p;
			memcpy(o, STARS, sizeof(STARS) - 1);
			o += sizeof(STARS) - 1;
			p = to;
			continue;
		}
		if (*p == '{' || *p == '[')
			depth++;
		else if (*p == '\n' || ((*p == '}' || *p == ']') && depth > 0))
			depth = *p == '\n' ? 0 : depth - 1;
		*o++ = *p++;
	}
	*o = '\0';
	return out;
}
