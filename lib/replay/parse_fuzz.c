/* SPDX-License-Identifier: BSD-3-Clause */
/* Any words behind "replay": what is taken is within its bounds. Words end at blanks. */
#include "replay_priv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *words[NS_COMMAND_ARGS];
	struct ns_command_call c = {.argv = words};
	char *text = calloc(1, size + 1), *rest = NULL;
	struct replay_args a;
	struct ns_err e = {""};

	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	for (char *w = strtok_r(text, " ", &rest); w != NULL && c.argc < NS_COMMAND_ARGS;
		w = strtok_r(NULL, " ", &rest))
		words[c.argc++] = w;

	int rc = replay_parse(&c, &a, &e);

	if ((rc < 0) != (e.text[0] != '\0'))
		abort();
	if (rc == 0 && (a.path == NULL || a.to == NULL || a.loops == 0 ||
			       (a.how == PACE_PPS && (a.pps == 0 || a.pps > 1000000000)) ||
			       (a.how == PACE_SPEED &&
				       (!isfinite(a.speed) || a.speed < 1e-6 || a.speed > 1e6))))
		abort();
	free(text);
	return 0;
}
