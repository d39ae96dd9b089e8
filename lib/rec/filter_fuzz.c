/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The first octets are a record that may hold anything, what follows is an expression. What is
 * refused says where; what is accepted answers, and its negation answers the opposite.
 */
#include "filter_fuzz_kind.h"

#include <ns_rec_filter.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool ok)
{
	if (!ok)
		abort();
}

static void ignore(void *ctx, const char *word)
{
	need(strlen(word) < 128);
}

static void offer(const char *text)
{
	const char *words[] = {text, "src", text, ""};

	for (unsigned n = 1; n <= NS_ARRAY_LEN(words); n++)
		ns_rec_filter_offer(&fuzz_kind, words, n, ignore, NULL);
}

static bool ask(const char *text, const void *rec, bool *answer)
{
	struct ns_err e = {""};
	struct ns_rec_filter *f = ns_rec_filter_create(&fuzz_kind, text, &e);

	if (f == NULL) {
		need(strncmp(e.text, "column ", 7) == 0);
		return false;
	}
	*answer = ns_rec_filter_match(f, rec);
	ns_rec_filter_destroy(f);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_rec *rec = malloc(sizeof(*rec)); /* its bounds are watched */
	bool yes, no;
	char *text;

	need(rec != NULL);
	if (size < sizeof(*rec)) {
		free(rec);
		return 0;
	}
	memcpy(rec, data, sizeof(*rec));
	size -= sizeof(*rec);
	text = malloc(size + sizeof("not ()"));
	need(text != NULL);
	memcpy(text, data + sizeof(*rec), size);
	text[size] = '\0';
	offer(text);
	if (ask(text, rec, &yes)) {
		size = strlen(text);
		memmove(text + 5, text, size);
		memcpy(text, "not (", 5);
		strcpy(text + 5 + size, ")");
		if (ask(text, rec, &no))
			need(yes != no);
	}
	free(text);
	free(rec);
	return 0;
}
