/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Loading: defaults, file and overrides become one tree (conf_priv.h draws it), libcyaml turns its
 * text into the modules' structs by a root schema made of the registered sections:
 *
 *	slots: [ ptr | ptr | ptr ]    one per section, in order of name
 *	          │     └────────▶ struct of the second section, from libcyaml
 *	          └──────────────▶ struct of the first
 */
#include "conf_priv.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct ns_conf {
	const struct ns_conf_section **sections; /* in order of name, n of them */
	size_t n;
	cyaml_schema_field_t *fields; /* of the root, n and an end */
	cyaml_schema_value_t root;
	void **slots; /* from libcyaml */
};

/* One block: the struct, its sections and the root's fields. */
static struct ns_conf *conf_create(struct conf_ctx *c)
{
	const struct ns_conf_section **all;
	struct ns_conf *conf;
	size_t n, size;

	all = conf_sections(c, &n);
	if (all == NULL)
		return NULL;
	size = sizeof(*conf) + n * sizeof(*all) + (n + 1) * sizeof(*conf->fields);
	conf = ns_conf_mem(NULL, NULL, size);
	if (conf == NULL) {
		ns_fail(c->err, ENOMEM, "no memory for the configuration");
		return NULL;
	}
	memset(conf, 0, size);
	conf->n = n;
	conf->fields = (cyaml_schema_field_t *)(conf + 1);
	conf->sections = (const struct ns_conf_section **)(conf->fields + n + 1);
	for (size_t i = 0; i < n; i++) {
		conf->sections[i] = all[i];
		conf->fields[i] = (cyaml_schema_field_t){.key = all[i]->name,
			.data_offset = (uint32_t)(i * sizeof(void *)),
			.value = {.type = CYAML_MAPPING,
				.flags = CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
				.data_size = (uint32_t)all[i]->size,
				.mapping = {.fields = all[i]->fields}}};
	}
	conf->root = (cyaml_schema_value_t){.type = CYAML_MAPPING,
		.flags = CYAML_FLAG_POINTER,
		.data_size = (uint32_t)(n * sizeof(void *)),
		.mapping = {.fields = conf->fields}};
	return conf;
}

static void keep_first_line(cyaml_log_t level, void *ctx, const char *fmt, va_list args)
{
	char *line = ctx;

	if (line[0] != '\0')
		return;
	vsnprintf(line, 200, fmt, args);
	line[strcspn(line, "\n")] = '\0';
}

static cyaml_config_t cyaml_conf(char *line)
{
	return (cyaml_config_t){.log_fn = line != NULL ? keep_first_line : NULL,
		.log_ctx = line,
		.mem_fn = ns_conf_mem,
		.log_level = CYAML_LOG_ERROR};
}

static int no_memory(struct conf_ctx *c)
{
	return ns_fail(c->err, ENOMEM, "no memory for the configuration");
}

/* Values of all sections as a tree: those loaded, or the defaults when there are none yet. */
static struct conf_node *tree_of(const struct ns_conf *conf, struct conf_arena *a)
{
	struct conf_at at = {CONF_FROM_DEFAULT, 0, 0};
	struct conf_node *root = conf_node(a, CONF_MAPPING, at), *k;

	if (root == NULL)
		return NULL;
	for (size_t i = 0; i < conf->n; i++) {
		cyaml_schema_value_t v = conf->fields[i].value;
		const void *values =
			conf->slots != NULL ? conf->slots[i] : conf->sections[i]->defaults;

		v.flags = CYAML_FLAG_DEFAULT;
		k = NULL;
		if (values != NULL && conf_from_struct(a, &v, values, 0, &k) < 0)
			return NULL;
		if (k == NULL)
			k = conf_node(a, CONF_MAPPING, at);
		if (k == NULL)
			return NULL;
		k->key = conf->sections[i]->name;
		conf_append(root, k);
	}
	return root;
}

static int check_part(
	struct conf_ctx *c, const struct ns_conf *conf, struct conf_node *n, bool whole)
{
	struct conf_path path = {0};

	return conf_check(c, &conf->root, n, &path, whole);
}

static int lay_file(struct conf_ctx *c, const struct ns_conf *conf, struct conf_node *root,
	const char *yaml, size_t len)
{
	struct conf_node *file;

	if (conf_read(c, yaml, len, CONF_FROM_FILE, &file) < 0)
		return -errno;
	if (file == NULL || conf_is_blank(file))
		return 0;
	if (check_part(c, conf, file, false) < 0)
		return -errno;
	conf_merge(root, file);
	return 0;
}

/* "flow.sub.key=value" becomes {flow: {sub: {key: value}}} */
static int lay_override(
	struct conf_ctx *c, const struct ns_conf *conf, struct conf_node *root, int index)
{
	const char *text = c->overrides[index], *p = text;
	const char *eq = strchr(text, '=');
	struct conf_at at = {index, 1, 1};
	struct conf_node *top = conf_node(&c->arena, CONF_MAPPING, at), *value, *map = top;
	unsigned depth = 0;

	if (top == NULL)
		return no_memory(c);
	if (eq == NULL)
		return conf_fail(c, EINVAL, at, NULL, "must be section.key=value");
	if (conf_read(c, eq + 1, strlen(eq + 1), index, &value) < 0)
		return -errno;
	if (value == NULL)
		value = conf_node(&c->arena, CONF_SCALAR, at);
	if (value == NULL)
		return no_memory(c);
	for (;;) {
		size_t n = strcspn(p, ".=");
		struct conf_node *k = p + n == eq ? value : conf_node(&c->arena, CONF_MAPPING, at);

		if (n == 0 || depth++ > CONF_DEPTH_MAX)
			return conf_fail(c, EINVAL, at, NULL, "must be section.key=value");
		if (k == NULL)
			return no_memory(c);
		k->key = conf_strndup(&c->arena, p, n);
		if (k->key == NULL)
			return no_memory(c);
		k->key_at = at;
		conf_append(map, k);
		if (k == value)
			break;
		map = k;
		p += n + 1;
	}
	if (check_part(c, conf, top, false) < 0)
		return -errno;
	conf_merge(root, top);
	return 0;
}

/* The tree has been checked already, so libcyaml's refusal would be a surprise: say all it says. */
static int fill_structs(struct conf_ctx *c, struct ns_conf *conf, const struct conf_node *root)
{
	struct conf_buf text = {0};
	char line[200] = "";
	cyaml_config_t cfg = cyaml_conf(line);
	cyaml_data_t *slots = NULL;
	cyaml_err_t err;

	if (conf->n == 0)
		return 0;
	conf_write_block(&text, root, 0);
	if (text.oom) {
		conf_buf_free(&text);
		return no_memory(c);
	}
	err = cyaml_load_data((const uint8_t *)text.s, text.n, &cfg, &conf->root, &slots, NULL);
	conf_buf_free(&text);
	if (err == CYAML_OK && slots != NULL) {
		conf->slots = slots;
		return 0;
	}
	/* out of memory inside libyaml comes as one of its own errors without a message */
	if (err == CYAML_ERR_OOM || err == CYAML_ERR_LIBYAML_PARSER_INIT ||
		(err == CYAML_ERR_LIBYAML_PARSER && strstr(line, "(null)") != NULL))
		return no_memory(c);
	return ns_fail(c->err, EINVAL, "%s: configuration refused: %s (%s)", c->name,
		cyaml_strerror(err), line);
}

/*
 * The node of "a.b" below the section, or as much of it as the tree has. *at gets the nearest
 * place on the way that the user has written; *own is false when that is not the key itself.
 */
static void locate(const struct conf_node *section, const char *key, struct conf_at *at, bool *own)
{
	const struct conf_node *n = section;

	*at = section->key_at;
	*own = key == NULL;
	while (key != NULL && *key != '\0') {
		size_t len = strcspn(key, ".[");

		n = n->kind == CONF_MAPPING ? conf_find(n, key, len) : NULL;
		if (n == NULL)
			return;
		*own = n->key_at.from != CONF_FROM_DEFAULT;
		if (*own)
			*at = n->key_at;
		key += len;
		if (*key == '[')
			return; /* an entry of a list: the list's place is near enough */
		key += *key == '.';
	}
}

static int run_checks(struct conf_ctx *c, const struct ns_conf *conf, const struct conf_node *root)
{
	for (size_t i = 0; i < conf->n; i++) {
		const struct ns_conf_section *s = conf->sections[i];
		struct ns_err why = {0};
		const char *key = NULL;
		struct conf_path path;
		struct conf_at at;
		bool own;
		int rc;

		if (s->check == NULL)
			continue;
		rc = s->check(conf->slots[i], &key, &why);
		if (rc >= 0)
			continue;
		locate(conf_find(root, s->name, strlen(s->name)), key, &at, &own);
		snprintf(path.s, sizeof(path.s), "%s%s%s%s", s->name, key != NULL ? "." : "",
			key != NULL ? key : "",
			own || at.from == CONF_FROM_DEFAULT ? "" : " (left at its default)");
		return conf_fail(c, rc == -ENOMEM ? ENOMEM : EINVAL, at, path.s, "%.300s",
			why.text[0] != '\0' ? why.text : strerror(-rc));
	}
	return 0;
}

static int build(struct conf_ctx *c, struct ns_conf *conf, const char *yaml, size_t len, size_t n)
{
	struct conf_node *root = tree_of(conf, &c->arena);

	if (root == NULL)
		return no_memory(c);
	if (yaml != NULL && lay_file(c, conf, root, yaml, len) < 0)
		return -errno;
	for (size_t i = 0; i < n; i++) {
		if (lay_override(c, conf, root, (int)i) < 0)
			return -errno;
	}
	if (check_part(c, conf, root, true) < 0 || fill_structs(c, conf, root) < 0)
		return -errno;
	return run_checks(c, conf, root);
}

struct ns_conf *ns_conf_parse(const char *yaml, size_t len, const char *name,
	const char *const *overrides, size_t n, struct ns_err *e)
{
	struct conf_ctx c = {
		.name = name != NULL ? name : "configuration", .overrides = overrides, .err = e};
	struct ns_conf *conf = conf_create(&c);
	int rc = conf == NULL ? -errno : build(&c, conf, yaml, len, n);

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

const void *ns_conf_get(const struct ns_conf *c, const char *section)
{
	for (size_t i = 0; i < c->n; i++) {
		if (strcmp(c->sections[i]->name, section) == 0)
			return c->slots[i];
	}
	return NULL;
}

void ns_conf_destroy(struct ns_conf *c)
{
	cyaml_config_t cfg = cyaml_conf(NULL);

	if (c == NULL)
		return;
	if (c->slots != NULL)
		cyaml_free(&cfg, &c->root, c->slots, 0);
	ns_conf_mem(NULL, c, 0);
}

char *ns_conf_dump(const struct ns_conf *c)
{
	struct conf_arena arena = {0};
	struct conf_buf text = {0};
	struct conf_node *root = tree_of(c, &arena);

	conf_buf_str(&text, "");
	if (root != NULL)
		conf_write_block(&text, root, 0);
	conf_arena_free(&arena);
	if (root == NULL || text.oom) {
		conf_buf_free(&text);
		return ns_errno_null(ENOMEM);
	}
	return text.s;
}
