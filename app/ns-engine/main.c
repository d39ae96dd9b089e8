/* SPDX-License-Identifier: BSD-3-Clause */
/* ns-engine: the engine live on DPDK ports. SIGINT and SIGTERM stop it with nothing lost. */
#include "console.h"
#include "live.h"
#include "terminal.h"

#include <ns_command.h>
#include <ns_log.h>
#include <ns_registry.h>
#include <ns_write.h>

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIST_MAX 64

struct options {
	const char *conf;
	const char *overrides[LIST_MAX];
	unsigned overrides_n;
	const char *plugins[LIST_MAX];
	unsigned plugins_n;
	const char *writers[LIST_MAX];
	unsigned writers_n;
	int (*reference)(int fd); /* to write, and nothing else */
	bool check, show, quiet, terminal, verbose, help, version;
	const char *const *targets;
	unsigned targets_n;
};

static int fail(const struct ns_err *e)
{
	fprintf(stderr, "ns-engine: %s\n", e->text);
	return 1;
}

static void help(void)
{
	fputs("usage: ns-engine [OPTION]... [PORT]...\n"
	      "\n"
	      "Analyses live traffic of DPDK ports; prints a line an epoch. PORT is a PCI address, a\n"
	      "vdev such as net_af_packet0,iface=eth1, or a port number; default: engine.targets.\n"
	      "SIGINT or SIGTERM stops it in order.\n"
	      "\n"
	      "  -c, --config FILE       configuration (YAML)\n"
	      "  -o, --option KEY=VALUE  set one key of it, e.g. -o engine.workers=4\n"
	      "  -w, --write NAME[@INTERVAL]:TARGET\n"
	      "                          write flow records and task results, as csv:FILE or\n"
	      "                          csv@5m:FILE; @INTERVAL: how often task results are written\n"
	      "                          (default: each 60 s)\n"
	      "  -i, --interactive       a console in this terminal, and no epoch lines; \"quit\" ends\n"
	      "                          the engine\n"
	      "      --check             read the configuration and -w, say what is wrong, end\n"
	      "      --show-defaults     the configuration as it is with -c and -o, all keys, as YAML;\n"
	      "                          passwords are ***\n"
	      "      --schema            JSON schema of a configuration file\n"
	      "      --list              the plug-ins that there are\n"
	      "      --counters          drops and notes by name, and what they mean\n"
	      "      --config-reference  all configuration keys, as Markdown\n"
	      "      --record-reference  all record fields, as Markdown\n"
	      "      --plugin FILE.so    load a plug-in\n"
	      "      --quiet             no epoch lines\n"
	      "  -v, --verbose           more messages\n"
	      "  -h, --help              this text\n"
	      "  -V, --version           version\n"
	      "\n"
	      "Exit status: 0 when packets are conserved; 1 otherwise, and for a wrong call,\n"
	      "configuration or a failed writer.\n",
		stdout);
}

static int add(const char **list, unsigned *n, const char *value, struct ns_err *e)
{
	if (*n == LIST_MAX)
		return ns_fail(e, EINVAL, "an option is given more than %d times", LIST_MAX);
	list[(*n)++] = value;
	return 0;
}

static int list_plugins(int fd)
{
	NS_PLUGIN_FOREACH (NULL, p)
		dprintf(fd, "%-8s %-10s %s\n", p->kind, p->name, p->summary);
	return 0;
}

static int list_counters(int fd)
{
	unsigned n;
	const struct ns_counter *const *all = ns_counters_all(&n);

	for (unsigned i = 0; i < n; i++)
		dprintf(fd, "%s %-20s %s\n", all[i]->kind == NS_COUNTER_DROP ? "drop" : "note",
			all[i]->name, all[i]->help);
	return 0;
}

static int parse(struct options *o, int argc, char **argv, struct ns_err *e)
{
	enum { CHECK = 256, PLUGIN, QUIET, REFERENCE, RECORDS, LIST, COUNTERS, SCHEMA, SHOW };
	static const struct option longs[] = {{"config", required_argument, NULL, 'c'},
		{"option", required_argument, NULL, 'o'}, {"write", required_argument, NULL, 'w'},
		{"check", no_argument, NULL, CHECK}, {"plugin", required_argument, NULL, PLUGIN},
		{"quiet", no_argument, NULL, QUIET}, {"interactive", no_argument, NULL, 'i'},
		{"list", no_argument, NULL, LIST}, {"counters", no_argument, NULL, COUNTERS},
		{"schema", no_argument, NULL, SCHEMA}, {"show-defaults", no_argument, NULL, SHOW},
		{"config-reference", no_argument, NULL, REFERENCE},
		{"record-reference", no_argument, NULL, RECORDS},
		{"verbose", no_argument, NULL, 'v'}, {"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'}, {NULL, 0, NULL, 0}};
	int opt, rc = 0;

	opterr = 0;
	while (rc == 0 && (opt = getopt_long(argc, argv, ":c:o:w:ivhV", longs, NULL)) != -1) {
		switch (opt) {
		case 'c':
			o->conf = optarg;
			break;
		case 'o':
			rc = add(o->overrides, &o->overrides_n, optarg, e);
			break;
		case 'w':
			rc = add(o->writers, &o->writers_n, optarg, e);
			break;
		case PLUGIN:
			rc = add(o->plugins, &o->plugins_n, optarg, e);
			break;
		case CHECK:
			o->check = true;
			break;
		case LIST:
			o->reference = list_plugins;
			break;
		case COUNTERS:
			o->reference = list_counters;
			break;
		case SCHEMA:
			o->reference = ns_conf_schema;
			break;
		case SHOW:
			o->show = true;
			break;
		case REFERENCE:
			o->reference = ns_conf_reference;
			break;
		case RECORDS:
			o->reference = ns_rec_reference;
			break;
		case QUIET:
			o->quiet = true;
			break;
		case 'i':
			o->terminal = true;
			break;
		case 'v':
			o->verbose = true;
			break;
		case 'h':
			o->help = true;
			break;
		case 'V':
			o->version = true;
			break;
		case ':':
			return ns_fail(e, EINVAL, "%s needs a value", argv[optind - 1]);
		default:
			return ns_fail(e, EINVAL, "there is no option %s", argv[optind - 1]);
		}
	}
	o->targets = (const char *const *)argv + optind;
	o->targets_n = (unsigned)(argc - optind);
	return rc;
}

static int live(const struct options *o, const struct ns_conf *conf)
{
	struct live_args args = {
		.conf = conf,
		.targets = o->targets,
		.targets_n = o->targets_n,
		.writers = o->writers,
		.writers_n = o->writers_n,
		.quiet = o->quiet,
		.terminal = o->terminal,
		.path = o->conf,
		.overrides = o->overrides,
		.overrides_n = o->overrides_n,
	};

	return live_run(&args);
}

/* A module may bring whatever is registered, so all of it is sorted anew. */
static int load_plugin(const char *file, struct ns_err *e)
{
	int rc = ns_plugin_load(file, e);

	if (rc == 0)
		rc = ns_registry_seal(e);
	if (rc == 0)
		rc = ns_command_seal(e);
	return NS_MIN(rc, 0);
}

static int show(const struct ns_conf *conf)
{
	char *text = ns_conf_dump(conf), *masked = text != NULL ? ns_conf_mask(text) : NULL;
	int rc = masked == NULL || fputs(masked, stdout) == EOF || fflush(stdout) == EOF;

	free(text);
	free(masked);
	return rc;
}

/* The configuration has been checked; what the command line adds to it has not. */
static int check(const struct options *o)
{
	struct ns_err e;

	return ns_writers_check(o->writers, o->writers_n, &e) < 0 ? fail(&e) : 0;
}

static int start(const struct options *o)
{
	struct ns_err e;

	for (unsigned i = 0; i < o->plugins_n; i++) {
		if (load_plugin(o->plugins[i], &e) < 0)
			return fail(&e);
	}
	ns_conf_on_plugin(load_plugin);
	if (ns_registry_seal(&e) < 0 || ns_command_seal(&e) < 0)
		return fail(&e);
	if (o->reference != NULL)
		return o->reference(STDOUT_FILENO) < 0 ? 1 : 0;
	struct ns_conf *conf = ns_conf_load(o->conf, o->overrides, o->overrides_n, &e);

	if (conf == NULL)
		return fail(&e);
	ns_plugin_close();

	int status = o->show ? show(conf) : o->check ? check(o) : live(o, conf);

	ns_conf_destroy(conf);
	return status;
}

int main(int argc, char **argv)
{
	struct options o = {0};
	struct ns_err e;

	/* -i runs this program once more, by that name (terminal.c) */
	if (argc > 0 && strcmp(argv[0], TERMINAL_NAME) == 0)
		return console_main(argc, argv);
	ns_log_set_program("ns-engine");
	signal(SIGPIPE, SIG_IGN);
	if (parse(&o, argc, argv, &e) < 0) {
		fail(&e);
		fputs("Try 'ns-engine --help'.\n", stderr);
		return 1;
	}
	if (o.verbose)
		ns_log_set_level(NS_LOG_INFO);
	if (o.help)
		help();
	else if (o.version)
		puts("ns-engine (NetSpectra) " NS_VERSION);
	else
		return start(&o);
	return 0;
}
