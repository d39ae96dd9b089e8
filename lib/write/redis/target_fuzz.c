/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any text as a target: what is accepted is a path or a host that the text holds, and what is
 * refused is refused without being repeated.
 */
#include "redis_priv.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct redis_target t;
	struct ns_err e = {""};

	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (redis_target_parse(text, &t, &e) == 0) {
		need((t.path[0] != '\0') != (t.host[0] != '\0'));
		need(t.path[0] != '\0' ? strcmp(text + 5, t.path) == 0 : t.port != 0);
		need(strstr(text, t.host) != NULL && strchr(t.host, '@') == NULL);
	} else {
		need(e.text[0] != '\0' && errno == EINVAL);
		need(size < 24 || strlen(text) < size || strstr(e.text, text) == NULL);
	}
	free(text);
	return 0;
}
