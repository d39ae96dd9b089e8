/* SPDX-License-Identifier: BSD-3-Clause */
#include "ns_command_words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int ns_command_number(
	const char *key, const char *text, uint64_t max, uint64_t *v, struct ns_err *e)
{
	static const struct {
		char letter;
		uint64_t times;
	} units[] = {{'k', 1000}, {'M', 1000000}, {'G', 1000000000}};
	char *end = NULL;

	errno = 0;
	*v = text == NULL || text[0] < '0' || text[0] > '9' ? 0 : strtoull(text, &end, 10);
	for (unsigned i = 0; end != NULL && i < NS_ARRAY_LEN(units); i++) {
		if (*end != units[i].letter || *v > UINT64_MAX / units[i].times)
			continue;
		*v *= units[i].times;
		end++;
		break;
	}
	if (text == NULL)
		return ns_fail(e, EINVAL, "%s: a number is missing", key);
	if (end == NULL || *end != '\0' || errno != 0 || *v == 0 || *v > max)
		return ns_fail(e, EINVAL, "%s: \"%.40s\" is not a number from 1 to %llu", key, text,
			(unsigned long long)max);
	return 0;
}

int ns_command_join(const struct ns_command_call *c, unsigned from, unsigned to, const char *key,
	char *out, size_t len, struct ns_err *e)
{
	size_t at = 0;

	out[0] = '\0';
	for (unsigned i = from; i < to; i++) {
		int n = snprintf(out + at, len - at, "%s%s", at > 0 ? " " : "", c->argv[i]);

		if (n < 0 || at + (size_t)n >= len)
			return ns_fail(e, E2BIG, "%s: longer than %zu octets", key, len - 1);
		at += (size_t)n;
	}
	return at > 0 ? 0 : ns_fail(e, EINVAL, "%s: an expression is missing", key);
}

void ns_command_offer(struct ns_command_call *c, const char *word)
{
	const char *begun = c->argv[c->argc - 1];

	if (strncmp(word, begun, strlen(begun)) == 0)
		ns_command_text(c, "%s", word);
}

bool ns_command_means(const char *word, uint32_t id, bool runs)
{
	char number[16];

	if (word == NULL || strcmp(word, "all") == 0)
		return runs;
	snprintf(number, sizeof(number), "%u", id);
	return strcmp(word, number) == 0;
}
