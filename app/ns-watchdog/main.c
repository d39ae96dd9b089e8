/* SPDX-License-Identifier: BSD-3-Clause */
/* ns-watchdog: starts a program again when it dies or falls silent, where there is no systemd. */
#include "dog.h"

#include <ns_log.h>

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static int help(void)
{
	fputs("usage: ns-watchdog [OPTION]... [--] PROGRAM [ARGUMENT]...\n"
	      "\n"
	      "Runs PROGRAM (ns-engine) and starts it again when it dies or falls silent. It listens\n"
	      "as systemd does for Type=notify and WatchdogSec=: see sd_notify(3).\n"
	      "\n"
	      "      --timeout S        longest silence of a program that is ready (default 10);\n"
	      "                         ns-engine says a word each epoch\n"
	      "      --start-timeout S  until it is ready (default 300)\n"
	      "      --stop-timeout S   from the wish to stop to its end (default 60)\n"
	      "      --limit N          restarts in a row, unless it is ready for a minute between\n"
	      "                         two of them (default 10); 0: none\n"
	      "      --quiet            only what goes wrong\n"
	      "  -h, --help             this text\n"
	      "  -V, --version          version\n"
	      "\n"
	      "SIGTERM, SIGINT, SIGQUIT and SIGHUP go on to the program; what follows the first three\n"
	      "is its end. A program that ends with status 0, or that never was ready and ends by\n"
	      "itself, is not started again. Others are, after 0.1 s, 0.2 s, ... 30 s.\n"
	      "\n"
	      "Exit status: that of the program's last run, 128 + N when signal N ended it; 127 when\n"
	      "there is no such program, 126 when it is none; 1 for a wrong call.\n",
		stdout);
	return 0;
}

static int wrong(const char *text, const char *what)
{
	fprintf(stderr, "ns-watchdog: %s%s\nTry 'ns-watchdog --help'.\n", text, what);
	return -1;
}

static int number(const char *text, double least, double most, double *v)
{
	char *end;

	*v = strtod(text, &end);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || *v < least || *v > most)
		return wrong("no such number is allowed: ", text);
	return 0;
}

static int seconds(const char *text, uint64_t *ns)
{
	double v;

	if (number(text, 0.1, 1e6, &v) < 0)
		return -1;
	*ns = (uint64_t)(v * 1e9);
	return 0;
}

/* 0: go on; 1: all is done; -1: a wrong call. */
static int parse(struct dog *d, int argc, char **argv)
{
	enum { TIMEOUT = 256, START, STOP, LIMIT, QUIET };
	static const struct option longs[] = {{"timeout", required_argument, NULL, TIMEOUT},
		{"start-timeout", required_argument, NULL, START},
		{"stop-timeout", required_argument, NULL, STOP},
		{"limit", required_argument, NULL, LIMIT}, {"quiet", no_argument, NULL, QUIET},
		{"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0}};
	int opt, rc = 0;
	double n;

	opterr = 0;
	/* '+': what follows PROGRAM is PROGRAM's */
	while (rc == 0 && (opt = getopt_long(argc, argv, "+:hV", longs, NULL)) != -1) {
		switch (opt) {
		case TIMEOUT:
			rc = seconds(optarg, &d->silence_ns);
			break;
		case START:
			rc = seconds(optarg, &d->start_ns);
			break;
		case STOP:
			rc = seconds(optarg, &d->stop_ns);
			break;
		case LIMIT:
			rc = number(optarg, 0, 1e6, &n);
			d->policy.limit = (unsigned)n;
			break;
		case QUIET:
			ns_log_set_level(NS_LOG_WARNING);
			break;
		case 'h':
			help();
			return 1;
		case 'V':
			puts("ns-watchdog (NetSpectra) " NS_VERSION);
			return 1;
		case ':':
			return wrong("a value is missing for ", argv[optind - 1]);
		default:
			return wrong("there is no option ", argv[optind - 1]);
		}
	}
	if (rc == 0 && optind == argc)
		return wrong("no program is named", "");
	d->argv = argv + optind;
	return rc;
}

int main(int argc, char **argv)
{
	struct dog d = {
		.silence_ns = 10 * NS_SEC_NS,
		.start_ns = 300 * NS_SEC_NS,
		.stop_ns = 60 * NS_SEC_NS,
		.policy = {.limit = 10,
			.first_ns = NS_SEC_NS / 10,
			.longest_ns = 30 * NS_SEC_NS,
			.steady_ns = 60 * NS_SEC_NS},
	};
	struct ns_err e = {""};
	int rc;

	ns_log_set_program("ns-watchdog");
	rc = parse(&d, argc, argv);
	if (rc != 0)
		return rc < 0 ? 1 : 0;
	rc = dog_run(&d, &e);
	if (rc < 0) {
		fprintf(stderr, "ns-watchdog: %s\n", e.text);
		return 1;
	}
	return rc;
}
