/* SPDX-License-Identifier: BSD-3-Clause */
/* help, quit, show plugins, show config: what the console itself knows. */
#include "answer.h"
#include "console_priv.h"

#include <ns_conf.h>
#include <ns_engine.h>
#include <ns_registry.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct help_rec {
	char command[32];
	char help[160];
};

#define H(m, w, ...) \
	NS_REC_FIELD(struct help_rec, m, .name = #m, .type = NS_REC_STR, .help = w, ##__VA_ARGS__)

static const struct ns_rec_field help_fields[] = {
	H(command, "its name", .flags = NS_REC_KEY | NS_REC_NO_EXPORT),
	H(help, "what it does", .flags = NS_REC_NO_EXPORT),
};

static const struct ns_rec_kind help_kind = {
	.name = "command",
	.version = 1,
	.size = sizeof(struct help_rec),
	.fields = help_fields,
	.fields_n = NS_ARRAY_LEN(help_fields),
	.help = "a command of the console",
	.ipfix_family_field = -1,
};

static void usage(char *buf, size_t len, const struct ns_command *c)
{
	snprintf(buf, len, "%s%s%s", c->name, c->args != NULL ? " " : "",
		c->args != NULL ? c->args : "");
}

static void list(struct ns_command_call *call)
{
	for (const struct ns_command *c = NULL; (c = ns_command_next(c)) != NULL;) {
		struct help_rec r;

		snprintf(r.command, sizeof(r.command), "%s", c->name);
		snprintf(r.help, sizeof(r.help), "%s", c->help);
		ns_command_record(call, &help_kind, &r);
	}
	ns_command_text(call, "Words may be cut short (\"sh lc\"); Tab completes them. "
			      "\"help COMMAND\" says more of one.");
}

static int help(struct ns_command_call *call, struct ns_err *e)
{
	unsigned used;
	char line[1024];

	if (call->argc == 0) {
		list(call);
		return 0;
	}
	const struct ns_command *c = ns_command_find(call->argv, call->argc, &used, e);

	if (c == NULL)
		return -errno;
	usage(line, sizeof(line), c);
	ns_command_text(call, "%s", line);
	ns_command_text(call, "    %s", c->help);
	if (c->changes)
		ns_command_text(call, "    It does something: \"watch\" does not repeat it.");
	return 0;
}

/* The next word of each command that begins with the words before it. */
static void help_complete(struct ns_command_call *call)
{
	struct words w;

	for (const struct ns_command *c = NULL; (c = ns_command_next(c)) != NULL;) {
		unsigned i = 0;

		if (words_split(c->name, false, &w, NULL) < 0 || w.n < call->argc)
			continue;
		while (i + 1 < call->argc &&
			strncmp(w.v[i], call->argv[i], strlen(call->argv[i])) == 0)
			i++;
		if (i + 1 == call->argc)
			ns_command_text(call, "%s", w.v[i]);
	}
}

static struct ns_command help_command = {.name = "help",
	.args = "[COMMAND]",
	.help = "what commands there are",
	.run = help,
	.complete = help_complete};
NS_COMMAND_REGISTER(help_command)

static int quit(struct ns_command_call *call, struct ns_err *e)
{
	struct answer *a = answer_of(call->out);

	if (a == NULL)
		return ns_fail(e, ENOTSUP, "there is no console to leave");
	a->status = ANSWER_BYE;
	return 0;
}

static struct ns_command quit_command = {.name = "quit",
	.help = "leave the console; with ns-engine -i, end the engine too",
	.changes = true,
	.run = quit};
NS_COMMAND_REGISTER(quit_command)

/* For help and completion: ns-console does it. */
static int watch(struct ns_command_call *call, struct ns_err *e)
{
	(void)call;
	return ns_fail(e, ENOTSUP, "watch is done by ns-console, on a terminal");
}

static struct ns_command watch_command = {.name = "watch",
	.args = "[-n SECONDS] COMMAND",
	.help = "show the answer of a command on the whole screen, again and again; q ends",
	.changes = true,
	.run = watch};
NS_COMMAND_REGISTER(watch_command)

struct plugin_rec {
	char kind[16];
	char name[32];
	char summary[120];
};

#define P(m, w, ...) \
	NS_REC_FIELD(struct plugin_rec, m, .name = #m, .type = NS_REC_STR, .help = w, ##__VA_ARGS__)

static const struct ns_rec_field plugin_fields[] = {
	P(kind, "what it is", .flags = NS_REC_KEY | NS_REC_NO_EXPORT),
	P(name, "name", .flags = NS_REC_KEY | NS_REC_NO_EXPORT),
	P(summary, "what it does", .flags = NS_REC_NO_EXPORT),
};

static const struct ns_rec_kind plugin_kind = {
	.name = "plugin",
	.version = 1,
	.size = sizeof(struct plugin_rec),
	.fields = plugin_fields,
	.fields_n = NS_ARRAY_LEN(plugin_fields),
	.help = "a plug-in of this program",
	.ipfix_family_field = -1,
};

static int plugins(struct ns_command_call *call, struct ns_err *e)
{
	bool any = false;

	if (call->argc > 1)
		return ns_fail(e, EINVAL, "one kind of plug-ins, not \"%.60s\" too", call->argv[1]);
	NS_PLUGIN_FOREACH (call->argc > 0 ? call->argv[0] : NULL, p) {
		struct plugin_rec r;

		snprintf(r.kind, sizeof(r.kind), "%s", p->kind);
		snprintf(r.name, sizeof(r.name), "%s", p->name);
		snprintf(r.summary, sizeof(r.summary), "%s", p->summary != NULL ? p->summary : "");
		ns_command_record(call, &plugin_kind, &r);
		any = true;
	}
	if (!any)
		return ns_fail(e, ENOENT, "there is no plug-in of kind \"%.60s\"", call->argv[0]);
	return 0;
}

static void plugins_complete(struct ns_command_call *call)
{
	const char *last = "";

	if (call->argc != 1)
		return;
	/* they are sorted by kind */
	NS_PLUGIN_FOREACH (NULL, p) {
		if (strcmp(p->kind, last) != 0)
			ns_command_text(call, "%s", p->kind);
		last = p->kind;
	}
}

static struct ns_command plugins_command = {.name = "show plugins",
	.args = "[KIND]",
	.help = "plug-ins of this program",
	.run = plugins,
	.complete = plugins_complete};
NS_COMMAND_REGISTER(plugins_command)

static int config(struct ns_command_call *call, struct ns_err *e)
{
	char *text, *masked;
	bool in = call->argc == 0, any = false;

	if (call->engine == NULL)
		return ns_fail(e, ENOENT, "no engine runs");
	text = ns_conf_dump(ns_engine_conf(call->engine));
	masked = text != NULL ? ns_conf_mask(text) : NULL;
	free(text);
	if (masked == NULL)
		return ns_fail(e, ENOMEM, "no memory for the configuration");
	for (char *line = masked, *next; line != NULL && *line != '\0'; line = next) {
		size_t len = strcspn(line, "\n");

		next = line[len] != '\0' ? line + len + 1 : NULL;
		line[len] = '\0';
		if (call->argc > 0 && line[0] != ' ')
			in = strcspn(line, ":") == strlen(call->argv[0]) &&
			     strncmp(line, call->argv[0], strlen(call->argv[0])) == 0;
		/* longer than a line of text may be: in parts */
		for (size_t at = 0; in && (at == 0 || at < len); at += 1000)
			ns_command_text(call, "%.1000s", line + NS_MIN(at, len));
		any |= in;
	}
	free(masked);
	if (!any)
		return ns_fail(e, ENOENT,
			"there is no section \"%.60s\"; \"show config\" lists them",
			call->argc > 0 ? call->argv[0] : "");
	return 0;
}

static void config_complete(struct ns_command_call *call)
{
	char *text = call->engine != NULL ? ns_conf_dump(ns_engine_conf(call->engine)) : NULL;

	for (char *line = text; call->argc == 1 && line != NULL && *line != '\0';) {
		size_t len = strcspn(line, "\n");

		if (line[0] != ' ')
			ns_command_text(call, "%.*s", (int)strcspn(line, ":"), line);
		line += len + (line[len] == '\n');
	}
	free(text);
}

static struct ns_command config_command = {.name = "show config",
	.args = "[SECTION]",
	.help = "the configuration that holds, as YAML; passwords are masked",
	.run = config,
	.complete = config_complete};
NS_COMMAND_REGISTER(config_command)
