/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The modules' own checks. They see structs and name keys; where in the user's text such a key
 * stands is found in the tree that the structs were made of.
 */
#include "conf_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Did a person write it, or stands it in the text of a default list? */
static bool written(struct conf_at at)
{
	return at.from != CONF_FROM_DEFAULT || at.line > 0;
}

static const struct conf_node *nth(const struct conf_node *list, unsigned long i)
{
	const struct conf_node *n = list->kind == CONF_LIST ? list->first : NULL;

	while (n != NULL && i-- > 0)
		n = n->next;
	return n;
}

/*
 * Follows "a.b[2].c" below top as far as the tree goes. *at gets the nearest place on the way that
 * was written; *own is false when that is not the key itself, which is left at its default then.
 */
static void locate(const struct conf_node *top, const char *key, struct conf_at *at, bool *own)
{
	const struct conf_node *n = top;

	*at = top->key_at;
	*own = key == NULL;
	while (key != NULL && *key != '\0') {
		struct conf_at here;

		if (*key == '[') {
			n = nth(n, strtoul(key + 1, NULL, 10));
			if (n == NULL)
				return; /* no such entry: the list's place is near enough */
			here = n->at;
			key += strcspn(key, "]");
			key += *key == ']';
		} else {
			size_t len = strcspn(key, ".[");

			n = n->kind == CONF_MAPPING ? conf_find(n, key, len) : NULL;
			*own = false;
			if (n == NULL)
				return;
			here = n->key_at;
			key += len;
		}
		*own = written(here);
		if (*own)
			*at = here;
		key += *key == '.';
	}
}

/* A check failed with rc: says so at the place of key below n, which is called name. */
static int blame(struct conf_ctx *c, int rc, const struct conf_node *n, const char *name,
	const char *key, const struct ns_err *why)
{
	struct conf_path path;
	struct conf_at at;
	bool own;

	locate(n, key, &at, &own);
	snprintf(path.s, sizeof(path.s), "%s%s%s%s", name, key != NULL && key[0] != '[' ? "." : "",
		key != NULL ? key : "", own || !written(at) ? "" : " (left at its default)");
	return conf_fail(c, rc == -ENOMEM ? ENOMEM : EINVAL, at, path.s, "%.420s",
		why->text[0] != '\0' ? why->text : strerror(-rc));
}

static int check_section(struct conf_ctx *c, const struct ns_conf *conf, const struct conf_part *p,
	const struct conf_node *n)
{
	struct ns_err why = {0};
	const char *key = NULL;
	int rc;

	if (p->section->check == NULL)
		return 0;
	rc = p->section->check(conf->slots[p->slot], &key, &why);
	return rc < 0 ? blame(c, rc, n, p->name, key, &why) : 0;
}

static int check_items(struct conf_ctx *c, const struct conf_part *p, const struct conf_node *list)
{
	const struct conf_node *n = list->first;
	struct ns_err why = {0};
	const char *key = NULL;
	size_t at = SIZE_MAX;
	char name[120];
	int rc;

	for (size_t i = 0; i < p->n_items; i++, n = n->next) {
		const struct ns_conf_item *item = &p->items[i];

		if (item->variant->check == NULL)
			continue;
		rc = item->variant->check(item->values, &key, &why);
		snprintf(name, sizeof(name), "%.80s[%zu]", p->name, i);
		if (rc < 0)
			return blame(c, rc, n, name, key, &why);
		key = NULL;
	}
	if (p->list->check == NULL)
		return 0;
	rc = p->list->check(p->n_items > 0 ? p->items : NULL, p->n_items, &at, &key, &why);
	if (rc >= 0)
		return 0;
	n = at < p->n_items ? nth(list, at) : NULL;
	if (n == NULL)
		return blame(c, rc, list, p->name, NULL, &why);
	snprintf(name, sizeof(name), "%.80s[%zu]", p->name, at);
	return blame(c, rc, n, name, key, &why);
}

int conf_run_checks(struct conf_ctx *c, const struct ns_conf *conf, const struct conf_node *root)
{
	for (size_t i = 0; i < conf->n; i++) {
		const struct conf_part *p = &conf->parts[i];
		const struct conf_node *n = conf_find(root, p->name, strlen(p->name));

		if (p->section != NULL ? check_section(c, conf, p, n) < 0
				       : check_items(c, p, n) < 0)
			return -errno;
	}
	return 0;
}
