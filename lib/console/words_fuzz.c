/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any octets as a request: words lie in their room, and quoting them again gives the same words.
 */
#include "words.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool ok)
{
	if (!ok)
		abort();
}

static void again(const struct words *w)
{
	static struct words twice;
	static char line[4 * REQUEST_MAX];
	char *p = line;

	for (unsigned i = 0; i < w->n; i++) {
		*p++ = '"';
		for (const char *c = w->v[i]; *c != '\0'; c++) {
			if (*c == '"' || *c == '\\')
				*p++ = '\\';
			*p++ = *c;
		}
		*p++ = '"';
		*p++ = ' ';
	}
	*p = '\0';
	if (strlen(line) >= REQUEST_MAX)
		return;
	need(words_split(line, false, &twice, NULL) == 0 && twice.n == w->n);
	for (unsigned i = 0; i < w->n; i++)
		need(strcmp(w->v[i], twice.v[i]) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct words w;
	struct request r;
	char *text = malloc(size + 1);

	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (request_parse(text, &r, NULL) == 0) {
		need(r.columns <= COLUMNS_MAX && r.line > text && r.line <= text + size);
		words_split(r.line, true, &w, NULL);
	}
	if (words_split(text, false, &w, NULL) == 0) {
		for (unsigned i = 0; i < w.n; i++)
			need(w.v[i] >= w.text && w.v[i] + strlen(w.v[i]) < w.text + sizeof(w.text));
		again(&w);
	}
	free(text);
	return 0;
}
