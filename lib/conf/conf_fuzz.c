/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any text as a file, and what follows its first NUL as an override. What is accepted must dump
 * to a file that is accepted again and dumps to the same text. The schema is that of the whole
 * program, with the sections of this room's tests besides: t_flow, t_write and the list t_tasks.
 */
#define T_PREFIX "t_"
#include "conf_test_sections.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* When not even the defaults load (two sections of one name, say), no input is looked at. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct ns_err e = {0};
	struct ns_conf *c = ns_conf_load(NULL, NULL, 0, &e);

	if (c == NULL) {
		fprintf(stderr, "the defaults are refused: %s\n", e.text);
		abort();
	}
	ns_conf_destroy(c);
	return 0;
}

static void again(const struct ns_conf *c)
{
	char *one = ns_conf_dump(c), *two;
	struct ns_conf *d;
	struct ns_err e;

	if (one == NULL)
		abort();
	d = ns_conf_parse(one, strlen(one), "dump", NULL, 0, &e);
	if (d == NULL)
		abort();
	two = ns_conf_dump(d);
	if (two == NULL || strcmp(one, two) != 0)
		abort();
	free(one);
	free(two);
	ns_conf_destroy(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = memchr(data, 0, size);
	size_t len = nul != NULL ? (size_t)(nul - data) : size;
	const char *overrides[1] = {NULL};
	struct ns_err e = {0};
	struct ns_conf *c;
	char *text = NULL;

	if (nul != NULL) {
		text = calloc(1, size - len);
		if (text == NULL)
			return 0;
		memcpy(text, nul + 1, size - len - 1);
		overrides[0] = text;
	}
	c = ns_conf_parse((const char *)data, len, "fuzz.yaml", overrides, text != NULL, &e);
	if (c != NULL)
		again(c);
	else if (e.text[0] == '\0')
		abort();
	ns_conf_destroy(c);
	free(text);
	return 0;
}
