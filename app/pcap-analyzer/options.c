/* SPDX-License-Identifier: BSD-3-Clause */
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	OPT_REPORT = 256,
	OPT_QUIET,
	OPT_CHECK,
	OPT_LIST,
	OPT_PLUGIN,
	OPT_REFERENCE,
	OPT_SCHEMA,
	OPT_DEFAULTS,
	OPT_RECORDS,
	OPT_VERIFY
};

static const struct option longs[] = {{"config", required_argument, NULL, 'c'},
	{"workers", required_argument, NULL, 'j'}, {"filter", required_argument, NULL, 'f'},
	{"write", required_argument, NULL, 'w'}, {"option", required_argument, NULL, 'o'},
	{"verify", no_argument, NULL, OPT_VERIFY}, {"report", required_argument, NULL, OPT_REPORT},
	{"quiet", no_argument, NULL, OPT_QUIET}, {"check", no_argument, NULL, OPT_CHECK},
	{"list", no_argument, NULL, OPT_LIST}, {"plugin", required_argument, NULL, OPT_PLUGIN},
	{"config-reference", no_argument, NULL, OPT_REFERENCE},
	{"schema", no_argument, NULL, OPT_SCHEMA},
	{"show-defaults", no_argument, NULL, OPT_DEFAULTS},
	{"record-reference", no_argument, NULL, OPT_RECORDS}, {"verbose", no_argument, NULL, 'v'},
	{"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'V'}, {NULL, 0, NULL, 0}};

void options_help(void)
{
	fputs("usage: pcap-analyzer [OPTION]... FILE...\n"
	      "\n"
	      "Turns captures (pcap and pcapng, also .gz and .zst; \"-\" is standard input) into flow\n"
	      "records and a report. Several files are read as one, merged by time.\n"
	      "\n"
	      "  -c, --config FILE       configuration (YAML)\n"
	      "  -o, --option KEY=VALUE  set one key of it, e.g. -o flow.idle=30\n"
	      "  -j, --workers N         analysis lcores (default: engine.workers, 1)\n"
	      "  -f, --filter BPF        packets to look at, as in tcpdump\n"
	      "  -w, --write NAME[@INTERVAL]:TARGET\n"
	      "                          write flow records and task results: csv:FILE, json:FILE,\n"
	      "                          sqlite:FILE, ipfix:FILE, ipfix:udp://HOST:PORT; \"-\" is\n"
	      "                          standard output; @INTERVAL: how often task results are\n"
	      "                          written, as json@10s:FILE, with ms, s, m or h (default:\n"
	      "                          once, for the whole input)\n"
	      "      --verify            compute everything exactly beside the sketches and show the\n"
	      "                          true errors\n"
	      "      --report KIND       text (default), json or none\n"
	      "      --quiet             no progress and no notices\n"
	      "  -v, --verbose           more messages\n"
	      "      --check             read the configuration and -w, say what is wrong, end\n"
	      "      --list              the plug-ins there are\n"
	      "      --plugin FILE.so    load a plug-in\n"
	      "      --show-defaults     the configuration as it is with -c and -o, all keys, as YAML;\n"
	      "                          passwords are ***\n"
	      "      --schema            JSON schema of a configuration file\n"
	      "      --config-reference  all configuration keys, as Markdown\n"
	      "      --record-reference  all record fields, as Markdown\n"
	      "  -h, --help              this text\n"
	      "  -V, --version           version\n"
	      "\n"
	      "Exit status: 0; 1 for a wrong call, configuration or a failed writer; 2 when the input\n"
	      "is damaged or of an unknown format (what could be read is reported); 130 interrupted.\n",
		stdout);
}

static int add(
	const char **list, unsigned *n, const char *what, const char *value, struct ns_err *e)
{
	if (*n == OPTION_LIST_MAX)
		return ns_fail(e, EINVAL, "%s is given more than %d times", what, OPTION_LIST_MAX);
	list[(*n)++] = value;
	return 0;
}

static int workers(struct options *o, const char *text, struct ns_err *e)
{
	char *end;
	unsigned long v = strtoul(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end != '\0' || v < 1 || v > 63)
		return ns_fail(e, EINVAL, "-j %s: not a number of workers from 1 to 63", text);
	o->workers = (unsigned)v;
	return 0;
}

static int report(struct options *o, const char *text, struct ns_err *e)
{
	static const char *const kinds[] = {"text", "json", "none"};

	for (unsigned i = 0; i < NS_ARRAY_LEN(kinds); i++) {
		if (strcmp(text, kinds[i]) == 0) {
			o->report = (enum report_kind)i;
			return 0;
		}
	}
	return ns_fail(e, EINVAL, "--report %s: there are text, json and none", text);
}

static int option(struct options *o, int opt, char **argv, struct ns_err *e)
{
	switch (opt) {
	case 'c':
		o->conf = optarg;
		return 0;
	case 'j':
		return workers(o, optarg, e);
	case 'f':
		o->filter = optarg;
		return 0;
	case 'w':
		return add(o->writers, &o->writers_n, "-w", optarg, e);
	case 'o':
		return add(o->overrides, &o->overrides_n, "-o", optarg, e);
	case OPT_PLUGIN:
		return add(o->plugins, &o->plugins_n, "--plugin", optarg, e);
	case OPT_REPORT:
		return report(o, optarg, e);
	case OPT_QUIET:
		o->quiet = true;
		return 0;
	case OPT_CHECK:
		o->check = true;
		return 0;
	case OPT_VERIFY:
		o->verify = true;
		return 0;
	case OPT_LIST:
		o->list = true;
		return 0;
	case OPT_REFERENCE:
		o->reference = true;
		return 0;
	case OPT_SCHEMA:
		o->schema = true;
		return 0;
	case OPT_DEFAULTS:
		o->defaults = true;
		return 0;
	case OPT_RECORDS:
		o->records = true;
		return 0;
	case 'v':
		o->verbose = true;
		return 0;
	case 'h':
		o->help = true;
		return 0;
	case 'V':
		o->version = true;
		return 0;
	case ':':
		return ns_fail(e, EINVAL, "%s needs a value", argv[optind - 1]);
	default:
		if (optopt > 0 && optopt < 256)
			return ns_fail(e, EINVAL, "there is no option -%c", optopt);
		return ns_fail(e, EINVAL, "there is no option %s", argv[optind - 1]);
	}
}

int options_parse(struct options *o, int argc, char **argv, struct ns_err *e)
{
	int opt;

	*o = (struct options){0};
	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":c:j:f:w:o:vhV", longs, NULL)) != -1) {
		int rc = option(o, opt, argv, e);

		if (rc < 0)
			return rc;
	}
	o->files = (const char *const *)argv + optind;
	o->files_n = (unsigned)(argc - optind);
	return 0;
}
