/* SPDX-License-Identifier: BSD-3-Clause */
/* The first key in which two configurations differ: their trees, walked side by side. */
#include "conf_priv.h"

#include <stdio.h>
#include <string.h>

struct diff {
	const char *const *except;
	char *key;
	size_t len;
};

static bool excepted(const struct diff *d, const char *path)
{
	for (const char *const *x = d->except; x != NULL && *x != NULL; x++) {
		if (strcmp(*x, path) == 0)
			return true;
	}
	return false;
}

static bool found(const struct diff *d, const char *path)
{
	snprintf(d->key, d->len, "%s", path);
	return true;
}

static const struct conf_node *child(const struct conf_node *of, const char *key)
{
	const struct conf_node *n = of->first;

	while (n != NULL && strcmp(n->key, key) != 0)
		n = n->next;
	return n;
}

static bool differ(const struct diff *d, const char *path, const struct conf_node *a,
	const struct conf_node *b);

/* Keys of a mapping that the other has not, or has otherwise; a key that is absent has no node. */
static bool keys_differ(const struct diff *d, const char *path, const struct conf_node *a,
	const struct conf_node *b, bool both)
{
	char below[256];

	for (const struct conf_node *x = a->first; x != NULL; x = x->next) {
		const struct conf_node *y = child(b, x->key);

		snprintf(below, sizeof(below), "%s%s%s", path, path[0] != '\0' ? "." : "", x->key);
		if (y == NULL) {
			if (!excepted(d, below))
				return found(d, below);
		} else if (both && differ(d, below, x, y)) {
			return true;
		}
	}
	return false;
}

/* Depth is that of the schema. */
static bool differ(const struct diff *d, const char *path, const struct conf_node *a,
	const struct conf_node *b)
{
	const struct conf_node *x = a->first, *y = b->first;

	if (excepted(d, path))
		return false;
	if (a->kind != b->kind)
		return found(d, path);
	if (a->kind == CONF_MAPPING)
		return keys_differ(d, path, a, b, true) || keys_differ(d, path, b, a, false);
	if (a->kind == CONF_SCALAR)
		return strcmp(a->text, b->text) != 0 && found(d, path);
	for (; x != NULL && y != NULL; x = x->next, y = y->next) {
		if (differ(d, path, x, y))
			return true;
	}
	return (x != NULL || y != NULL) && found(d, path);
}

int ns_conf_differs(const struct ns_conf *a, const struct ns_conf *b, const char *const *except,
	char *key, size_t len)
{
	struct diff d = {except, key, len};
	struct conf_ctx ca = {0}, cb = {0};
	const struct conf_node *x = conf_tree(&ca, a), *y = conf_tree(&cb, b);
	int rc = x == NULL || y == NULL ? -ENOMEM : differ(&d, "", x, y);

	conf_arena_free(&ca.arena);
	conf_arena_free(&cb.arena);
	return rc < 0 ? ns_errno_set(-rc) : rc;
}
