/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Loading: defaults, file and overrides become one tree (conf_priv.h draws it), of which the
 * modules' structs are made.
 */
#include "conf_priv.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct ns_conf *conf_create(struct conf_ctx *c)
{
	struct ns_conf *conf = ns_conf_mem(NULL, NULL, sizeof(*conf));

	if (conf == NULL) {
		conf_no_memory(c->err);
		return NULL;
	}
	memset(conf, 0, sizeof(*conf));
	conf->parts = conf_parts(&conf->arena, &conf->n, c->err);
	if (conf->parts == NULL || conf_know(c, conf->parts, conf->n) < 0) {
		int err = errno;

		ns_conf_destroy(conf);
		return ns_errno_null(err);
	}
	return conf;
}

static int check_tree(struct conf_ctx *c, struct conf_node *n, bool whole)
{
	struct conf_path path = {0};

	return conf_check(c, c->root, n, &path, whole);
}

static const char *const *foreign; /* main, at start */

void ns_conf_foreign(const char *const *sections)
{
	foreign = sections;
}

static bool is_foreign(const struct conf_ctx *c, const struct conf_node *n)
{
	for (size_t i = 0; i < c->n_parts; i++) {
		if (n->key != NULL && strcmp(n->key, c->parts[i].name) == 0)
			return false;
	}
	for (const char *const *f = foreign; f != NULL && *f != NULL; f++) {
		if (n->key != NULL && strcmp(n->key, *f) == 0)
			return true;
	}
	return false;
}

/* Takes sections of other programs out. */
static void drop_foreign(const struct conf_ctx *c, struct conf_node *file)
{
	struct conf_node **at = &file->first;

	file->last = NULL;
	while (*at != NULL) {
		if (is_foreign(c, *at)) {
			*at = (*at)->next;
			file->n--;
		} else {
			file->last = *at;
			at = &(*at)->next;
		}
	}
}

static int lay_file(struct conf_ctx *c, struct conf_node *root)
{
	if (c->file == NULL || conf_is_blank(c->file))
		return 0;
	if (c->file->kind == CONF_MAPPING)
		drop_foreign(c, c->file);
	if (check_tree(c, c->file, false) < 0)
		return -errno;
	conf_merge(root, c->file);
	return 0;
}

/* "tasks.0.key=value": which entry that is would depend on the list that it changes. */
static int refuse_entry(struct conf_ctx *c, const char *text, struct conf_at at)
{
	size_t n = strcspn(text, ".=");
	const struct conf_part *list = text[n] == '.' ? conf_find_list(c, text, n) : NULL;

	if (list == NULL)
		return 0;
	return conf_fail(c, EINVAL, at, NULL,
		"entries of a list cannot be overridden, only the list as a whole: "
		"%.80s=[{type: ...}, ...]",
		list->name);
}

/* "flow.sub.key=value" becomes {flow: {sub: {key: value}}} */
static int lay_override(struct conf_ctx *c, struct conf_node *root, int index)
{
	const char *text = c->overrides[index], *p = text;
	const char *eq = strchr(text, '=');
	struct conf_at at = {index, 1, 1};
	struct conf_node *top = conf_node(&c->arena, CONF_MAPPING, at), *value, *map = top;
	unsigned depth = 0;

	if (top == NULL)
		return conf_no_memory(c->err);
	if (eq == NULL)
		return conf_fail(c, EINVAL, at, NULL, "must be section.key=value");
	if (conf_read(c, eq + 1, strlen(eq + 1), index, &value) < 0)
		return -errno;
	if (value == NULL)
		value = conf_node(&c->arena, CONF_SCALAR, at);
	if (value == NULL)
		return conf_no_memory(c->err);
	if (refuse_entry(c, text, at) < 0)
		return -errno;
	for (;;) {
		size_t n = strcspn(p, ".=");
		struct conf_node *k = p + n == eq ? value : conf_node(&c->arena, CONF_MAPPING, at);

		if (n == 0 || depth++ > CONF_DEPTH_MAX)
			return conf_fail(c, EINVAL, at, NULL, "must be section.key=value");
		if (k == NULL)
			return conf_no_memory(c->err);
		k->key = conf_strndup(&c->arena, p, n);
		if (k->key == NULL)
			return conf_no_memory(c->err);
		k->key_at = at;
		conf_append(map, k);
		if (k == value)
			break;
		map = k;
		p += n + 1;
	}
	if (check_tree(c, top, false) < 0)
		return -errno;
	conf_merge(root, top);
	return 0;
}

static int build(struct conf_ctx *c, struct ns_conf *conf, size_t n)
{
	struct conf_node *root = conf_tree(c, conf);

	if (root == NULL)
		return -errno;
	if (lay_file(c, root) < 0)
		return -errno;
	for (size_t i = 0; i < n; i++) {
		if (lay_override(c, root, (int)i) < 0)
			return -errno;
	}
	if (check_tree(c, root, true) < 0 || conf_keep_plugins(c, conf, root) < 0 ||
		conf_fill(c, conf, root) < 0)
		return -errno;
	return conf_run_checks(c, conf, root);
}

struct ns_conf *ns_conf_parse(const char *yaml, size_t len, const char *name,
	const char *const *overrides, size_t n, struct ns_err *e)
{
	struct conf_ctx c = {
		.name = name != NULL ? name : "configuration", .overrides = overrides, .err = e};
	struct ns_conf *conf = NULL;
	int rc = yaml == NULL ? 0 : conf_read(&c, yaml, len, CONF_FROM_FILE, &c.file);

	/* plug-ins bring sections, so they come first */
	if (rc == 0)
		rc = conf_load_plugins(&c, n);
	if (rc == 0)
		conf = conf_create(&c);
	if (rc == 0)
		rc = conf == NULL ? -errno : build(&c, conf, n);

	conf_arena_free(&c.arena);
	if (rc < 0) {
		ns_conf_destroy(conf);
		return ns_errno_null(-rc);
	}
	return conf;
}

static int read_all(const char *path, struct conf_buf *text, struct ns_err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char part[4096];
	ssize_t got = 0;

	if (fd < 0)
		return ns_fail(e, errno, "%s: %s", path, strerror(errno));
	do {
		got = read(fd, part, sizeof(part));
		if (got > 0)
			conf_buf_add(text, part, (size_t)got);
	} while (
		(got > 0 && !text->oom && text->n <= CONF_TEXT_MAX) || (got < 0 && errno == EINTR));
	int err = errno;
	close(fd);
	if (got < 0)
		return ns_fail(e, err, "%s: %s", path, strerror(err));
	if (text->oom)
		return ns_fail(e, ENOMEM, "%s: no memory", path);
	return 0;
}

struct ns_conf *ns_conf_load(
	const char *path, const char *const *overrides, size_t n, struct ns_err *e)
{
	struct conf_buf text = {0};
	struct ns_conf *conf = NULL;
	int err;

	if (path == NULL)
		return ns_conf_parse(NULL, 0, NULL, overrides, n, e);
	if (read_all(path, &text, e) == 0)
		conf = ns_conf_parse(text.s != NULL ? text.s : "", text.n, path, overrides, n, e);
	err = errno;
	conf_buf_free(&text);
	return conf != NULL ? conf : ns_errno_null(err);
}

static const struct conf_part *find_part(const struct ns_conf *c, const char *name)
{
	for (size_t i = 0; i < c->n; i++) {
		if (strcmp(c->parts[i].name, name) == 0)
			return &c->parts[i];
	}
	return NULL;
}

const void *ns_conf_get(const struct ns_conf *c, const char *section)
{
	const struct conf_part *p = find_part(c, section);

	return p != NULL && p->section != NULL ? c->slots[p->slot] : NULL;
}

const struct ns_conf_item *ns_conf_items(const struct ns_conf *c, const char *section, size_t *n)
{
	const struct conf_part *p = find_part(c, section);

	*n = p != NULL ? p->n_items : 0;
	return *n > 0 ? p->items : NULL;
}

void ns_conf_destroy(struct ns_conf *c)
{
	if (c == NULL)
		return;
	conf_unfill(c);
	conf_arena_free(&c->arena);
	ns_conf_mem(NULL, c, 0);
}

char *ns_conf_dump(const struct ns_conf *c)
{
	struct conf_ctx ctx = {0};
	struct conf_buf text = {0};
	struct conf_node *root = conf_tree(&ctx, c);

	conf_buf_str(&text, "");
	if (root != NULL)
		conf_write_block(&text, root, 0);
	conf_arena_free(&ctx.arena);
	if (root == NULL || text.oom) {
		conf_buf_free(&text);
		return ns_errno_null(ENOMEM);
	}
	return text.s;
}
