/* SPDX-License-Identifier: BSD-3-Clause */
/* What the words of "replay" ask for. */
#include "replay_priv.h"

#include <ns_command_words.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SPEED_MIN 1e-6
#define SPEED_MAX 1e6
#define PPS_MAX UINT64_C(1000000000)

static int speed(const char *text, struct replay_args *a, struct ns_err *e)
{
	char *end = NULL;

	if (text == NULL)
		return ns_fail(e, EINVAL, "speed: a number is missing, or max");
	a->speed = strtod(text, &end);
	a->how = strcmp(text, "max") == 0 || a->speed == 0.0 ? PACE_MAX : PACE_SPEED;
	if (strcmp(text, "max") == 0)
		return 0;
	if (end == text || *end != '\0' || strchr("+-.0123456789", text[0]) == NULL ||
		!isfinite(a->speed) ||
		(a->how == PACE_SPEED && (a->speed < SPEED_MIN || a->speed > SPEED_MAX)))
		return ns_fail(e, EINVAL,
			"speed: \"%.40s\" is neither max (or 0) nor a number from 0.000001 to "
			"1000000",
			text);
	return 0;
}

/* One word behind the port, and its number. */
static int word(const struct ns_command_call *c, unsigned *i, struct replay_args *a, bool *paced,
	struct ns_err *e)
{
	const char *key = c->argv[(*i)++];
	bool pace = strcmp(key, "speed") == 0 || strcmp(key, "pps") == 0;
	const char *value = *i < c->argc ? c->argv[*i] : NULL;

	if (strcmp(key, "cut") == 0) {
		a->cut = true;
		return 0;
	}
	if (!pace && strcmp(key, "loop") != 0)
		return ns_fail(
			e, EINVAL, "replay: \"%.40s\"? There are speed, pps, loop, cut", key);
	(*i)++;
	if (pace && *paced)
		return ns_fail(e, EINVAL, "replay: one of speed and pps");
	*paced |= pace;
	if (strcmp(key, "speed") == 0)
		return speed(value, a, e);
	if (strcmp(key, "loop") == 0)
		return ns_command_number(key, value, INT64_MAX, &a->loops, e);
	a->how = PACE_PPS;
	return ns_command_number(key, value, PPS_MAX, &a->pps, e);
}

int replay_parse(const struct ns_command_call *c, struct replay_args *a, struct ns_err *e)
{
	bool paced = false;
	int rc = 0;

	*a = (struct replay_args){.how = PACE_SPEED, .speed = 1, .loops = 1};
	if (c->argc == 0)
		return ns_fail(e, EINVAL, "replay: the name of a file is missing");
	if (c->argc < 3 || strcmp(c->argv[1], "to") != 0)
		return ns_fail(
			e, EINVAL, "replay: to which port? (replay %.60s to PORT)", c->argv[0]);
	a->path = c->argv[0];
	a->to = c->argv[2];
	for (unsigned i = 3; rc == 0 && i < c->argc;)
		rc = word(c, &i, a, &paced, e);
	return rc;
}
