/* SPDX-License-Identifier: BSD-3-Clause */
/* The words of an expression. */
#include "filter_priv.h"

#include <string.h>

#define BLANKS " \t\r\n"
#define ENDS BLANKS "()!=<>~&|\"'"

struct sign {
	const char *text;
	enum filter_token_type type;
	enum filter_op op;
	bool negated;
};

/* The longer ones first. */
static const struct sign signs[] = {
	{"&&", FILTER_WORD_AND, 0, false},
	{"||", FILTER_WORD_OR, 0, false},
	{"==", FILTER_OP, FILTER_IS, false},
	{"!=", FILTER_OP, FILTER_IS, true},
	{"<=", FILTER_OP, FILTER_LESS_IS, false},
	{">=", FILTER_OP, FILTER_MORE_IS, false},
	{"=", FILTER_OP, FILTER_IS, false},
	{"<", FILTER_OP, FILTER_LESS, false},
	{">", FILTER_OP, FILTER_MORE, false},
	{"~", FILTER_OP, FILTER_HAS, false},
	{"!", FILTER_WORD_NOT, 0, false},
	{"(", FILTER_OPEN, 0, false},
	{")", FILTER_CLOSE, 0, false},
};

bool filter_token_is(const struct filter_token *t, const char *word)
{
	return t->type == FILTER_WORD && strlen(word) == t->len && memcmp(t->at, word, t->len) == 0;
}

static struct filter_token sign(char **p)
{
	for (unsigned i = 0; i < NS_ARRAY_LEN(signs); i++) {
		const struct sign *s = &signs[i];
		struct filter_token t = {.type = s->type,
			.at = *p,
			.len = strlen(s->text),
			.op = s->op,
			.negated = s->negated};

		if (strncmp(*p, s->text, t.len) == 0) {
			*p += t.len;
			return t;
		}
	}
	return (struct filter_token){.type = FILTER_BAD, .at = (*p)++, .len = 1};
}

static struct filter_token quoted(char **p)
{
	const char quote = **p;
	struct filter_token t = {.type = FILTER_QUOTED, .at = *p + 1};
	char *end = strchr(t.at, quote);

	if (end == NULL) {
		t = (struct filter_token){.type = FILTER_BAD, .at = *p, .len = strlen(*p)};
		*p += t.len;
		return t;
	}
	t.len = (size_t)(end - t.at);
	*p = end + 1;
	return t;
}

struct filter_token filter_lex(char **p)
{
	*p += strspn(*p, BLANKS);
	struct filter_token t = {.type = FILTER_WORD, .at = *p, .len = strcspn(*p, ENDS)};

	if (**p == '\0')
		t.type = FILTER_END;
	else if (**p == '"' || **p == '\'')
		return quoted(p);
	else if (t.len == 0)
		return sign(p);
	*p += t.len;
	if (filter_token_is(&t, "and"))
		t.type = FILTER_WORD_AND;
	else if (filter_token_is(&t, "or"))
		t.type = FILTER_WORD_OR;
	else if (filter_token_is(&t, "not"))
		t.type = FILTER_WORD_NOT;
	return t;
}
