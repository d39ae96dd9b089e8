/* SPDX-License-Identifier: BSD-3-Clause */
/* ns-engine: the engine live on DPDK ports. SIGINT and SIGTERM stop it with nothing lost. */
#include "epoch.h"

#include <ns_log.h>
#include <ns_registry.h>

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
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
	bool check, quiet, verbose, help, version;
	const char *const *targets;
	unsigned targets_n;
};

#define PATIENCE_S 2

static struct ns_engine *volatile running;
static volatile time_t asked; /* written by the handler only, which blocks both signals */

/*
 * The first signal asks for a stop. Its echo must not kill what is stopping (timeout(1) signals the
 * process and then its group); who asks again later means it.
 */
static void on_signal(int sig)
{
	struct ns_engine *en = running;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (asked != 0 && now.tv_sec - asked >= PATIENCE_S) {
		signal(sig, SIG_DFL);
		raise(sig);
		return;
	}
	if (asked == 0)
		asked = now.tv_sec;
	if (en != NULL)
		ns_engine_stop(en);
}

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
	      "      --check             read the configuration, say what is wrong with it, end\n"
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

static int parse(struct options *o, int argc, char **argv, struct ns_err *e)
{
	enum { CHECK = 256, PLUGIN, QUIET };
	static const struct option longs[] = {{"config", required_argument, NULL, 'c'},
		{"option", required_argument, NULL, 'o'}, {"write", required_argument, NULL, 'w'},
		{"check", no_argument, NULL, CHECK}, {"plugin", required_argument, NULL, PLUGIN},
		{"quiet", no_argument, NULL, QUIET}, {"verbose", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0}};
	int opt, rc = 0;

	opterr = 0;
	while (rc == 0 && (opt = getopt_long(argc, argv, ":c:o:w:vhV", longs, NULL)) != -1) {
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
		case QUIET:
			o->quiet = true;
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
	struct ns_err e = {""};
	struct ns_engine_args args = {
		.conf = conf,
		.source = "ethdev",
		.targets = o->targets,
		.targets_n = o->targets_n,
		.writers = o->writers,
		.writers_n = o->writers_n,
	};
	struct sigaction sa = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	struct epoch epoch = {.quiet = o->quiet};
	struct ns_engine *en = ns_engine_create(&args, &e);

	if (en == NULL)
		return fail(&e);
	running = en;
	epoch.mono_ns = ns_clock_mono();
	sigemptyset(&sa.sa_mask);
	sigaddset(&sa.sa_mask, SIGINT);
	sigaddset(&sa.sa_mask, SIGTERM);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	if (!o->quiet) {
		puts("ns-engine: running; SIGINT or SIGTERM stops it");
		fflush(stdout);
	}
	int rc = ns_engine_run(en, epoch_tick, &epoch, &e);
	bool holds = epoch_report(en);

	if (ns_engine_input_message(en)[0] != '\0')
		fprintf(stderr, "ns-engine: %s\n", ns_engine_input_message(en));
	running = NULL;
	ns_engine_destroy(en);
	if (rc < 0)
		return fail(&e);
	return holds ? 0 : 1;
}

static int start(const struct options *o)
{
	struct ns_err e;

	for (unsigned i = 0; i < o->plugins_n; i++) {
		if (ns_plugin_load(o->plugins[i], &e) < 0)
			return fail(&e);
	}
	if (ns_registry_seal(&e) < 0)
		return fail(&e);
	struct ns_conf *conf = ns_conf_load(o->conf, o->overrides, o->overrides_n, &e);

	if (conf == NULL)
		return fail(&e);
	int status = o->check ? 0 : live(o, conf);

	ns_conf_destroy(conf);
	return status;
}

int main(int argc, char **argv)
{
	struct options o = {0};
	struct ns_err e;

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
