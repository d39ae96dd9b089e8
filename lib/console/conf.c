/* SPDX-License-Identifier: BSD-3-Clause */
#include "console_priv.h"

#include <ns_conf.h>

#include <grp.h>
#include <string.h>
#include <sys/un.h>

static const struct cyaml_schema_field fields[] = {
	CYAML_FIELD_BOOL("enabled", CYAML_FLAG_OPTIONAL, struct ns_console_conf, enabled),
	CYAML_FIELD_STRING_PTR("path", CYAML_FLAG_POINTER_NULL_STR | CYAML_FLAG_OPTIONAL,
		struct ns_console_conf, path, 1, CYAML_UNLIMITED),
	CYAML_FIELD_STRING_PTR("group", CYAML_FLAG_POINTER_NULL_STR | CYAML_FLAG_OPTIONAL,
		struct ns_console_conf, group, 1, 64),
	CYAML_FIELD_STRING_PTR("mode", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
		struct ns_console_conf, mode, 1, 8),
	CYAML_FIELD_END,
};

static char mode_default[] = "0600";
static const struct ns_console_conf defaults = {.enabled = true, .mode = mode_default};

static const struct ns_conf_doc docs[] = {
	{"enabled", "whether there is a console"},
	{"path", "unix socket on which ns-console finds the engine; default: NODE.sock in "
		 "$RUNTIME_DIRECTORY, /run/netspectra (root) or $XDG_RUNTIME_DIR/netspectra"},
	{"group", "group of the socket; with mode 0660 its members may use the console"},
	{"mode", "who may use the console, as an octal file mode (quoted)"},
	{NULL, NULL},
};

int console_mode(const char *text, unsigned *mode, struct ns_err *e)
{
	*mode = 0;
	for (const char *p = text; *p != '\0'; p++) {
		if (*p < '0' || *p > '7' || *mode > 0777)
			return ns_fail(e, EINVAL, "\"%s\" is no octal file mode up to 0777", text);
		*mode = 8 * *mode + (unsigned)(*p - '0');
	}
	if (*mode > 0777 || (*mode & 0600) != 0600)
		return ns_fail(e, EINVAL,
			"\"%s\": a mode from 0600 to 0777, with reading and writing for the owner",
			text);
	return 0;
}

static int check(const void *values, const char **key, struct ns_err *e)
{
	const struct ns_console_conf *c = values;
	unsigned mode;

	*key = "mode";
	if (console_mode(c->mode, &mode, e) < 0)
		return -EINVAL;
	*key = "path";
	if (c->path != NULL && strlen(c->path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return ns_fail(e, EINVAL,
			"longer than the %zu octets that a socket's name may have",
			sizeof(((struct sockaddr_un *)0)->sun_path) - 1);
	*key = "group";
	if (c->group != NULL && getgrnam(c->group) == NULL)
		return ns_fail(e, EINVAL, "there is no group \"%s\"", c->group);
	return 0;
}

static struct ns_conf_section section = {
	.name = "console",
	.summary = "commands for the running engine, over a unix socket",
	.fields = fields,
	.size = sizeof(struct ns_console_conf),
	.defaults = &defaults,
	.docs = docs,
	.check = check,
};
NS_CONF_REGISTER(section)
