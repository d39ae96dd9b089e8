/* SPDX-License-Identifier: BSD-3-Clause */
/* ns-console: the command line, and lines from -e, a pipe or a person. */
#include "console.h"

#include <getopt.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define COMMANDS_MAX 64

struct options {
	const char *socket;
	const char *commands[COMMANDS_MAX];
	unsigned commands_n;
	bool json, owner, help, version;
	int words; /* of argv: where a command begins, or argc */
};

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	interrupted = sig;
}

bool console_interrupted(bool forget)
{
	bool was = interrupted != 0;

	/* what ends the program is not forgotten */
	if (forget && interrupted == SIGINT)
		interrupted = 0;
	return was && (!forget || interrupted == 0);
}

unsigned console_columns(unsigned *rows)
{
	struct winsize w = {0};

	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) < 0)
		return 0;
	if (rows != NULL)
		*rows = w.ws_row > 0 ? w.ws_row : 24;
	return w.ws_col > 0 ? w.ws_col : 80;
}

static int say(const struct ns_err *e)
{
	fprintf(stderr, "ns-console: %s\n", e->text);
	return 1;
}

/* Blanks at both ends; what is a comment is empty. */
static bool is_empty(const char *line)
{
	line += strspn(line, " \t");
	return *line == '\0' || *line == '#';
}

int console_line(struct console *k, const char *line)
{
	struct ask a = {.columns = console_columns(NULL), .format = k->json ? "json" : "text"};
	struct ns_err e = {""};
	struct reply r;
	int ms;
	const char *watched = watch_parse(line, &ms);

	if (is_empty(line))
		return 0;
	if (watched != NULL && ms < 0) {
		fprintf(stderr,
			"ns-console: watch [-n SECONDS] COMMAND, from 0.1 to 3600 seconds\n");
		return 1;
	}
	if (watched != NULL)
		return watch_run(k, watched, ms);
	if (client_ask(&k->client, &a, line, &r, &e) < 0)
		return say(&e);
	while (r.status == STATUS_PART) {
		fwrite(r.body, 1, r.n, stdout);
		fflush(stdout);
		free(r.body);
		if (client_more(&k->client, &r, &e) < 0)
			return say(&e);
	}
	FILE *to = r.status == STATUS_ERROR ? stderr : stdout;

	fwrite(r.body, 1, r.n, to);
	fflush(to);
	free(r.body);
	return r.status == STATUS_BYE ? 2 : r.status == STATUS_ERROR;
}

static int from_pipe(struct console *k)
{
	char *line = NULL;
	size_t room = 0;
	int status = 0;

	while (getline(&line, &room, stdin) >= 0) {
		line[strcspn(line, "\r\n")] = '\0';
		int rc = console_line(k, line);

		if (rc == 2)
			break;
		status |= rc;
		if (k->client.fd < 0)
			break;
	}
	free(line);
	return status;
}

static int from_options(struct console *k, const struct options *o)
{
	int status = 0;

	for (unsigned i = 0; i < o->commands_n; i++) {
		int rc = console_line(k, o->commands[i]);

		if (rc == 2)
			break;
		status |= rc;
	}
	return status;
}

static void help(void)
{
	fputs("usage: ns-console [OPTION]... [COMMAND [WORD]...]\n"
	      "\n"
	      "Gives commands to a running ns-engine. Without COMMAND and -e it reads lines: from a\n"
	      "person with editing, history and completion, or from a pipe. \"help\" lists commands.\n"
	      "\n"
	      "  -s, --socket PATH       where the engine listens (its key console.path); default:\n"
	      "                          the only NODE.sock in /run/netspectra or\n"
	      "                          $XDG_RUNTIME_DIR/netspectra\n"
	      "  -e, --execute COMMAND   run it; may be given again, for one after the other\n"
	      "  -j, --json              one JSON object a record, with exact numbers\n"
	      "  -h, --help              this text\n"
	      "  -V, --version           version\n"
	      "\n"
	      "\"watch [-n SECONDS] COMMAND\" shows an answer on the whole screen and keeps it new.\n"
	      "\n"
	      "Exit status: 0 when all commands were answered; 1 otherwise.\n",
		stdout);
}

static int parse(struct options *o, int argc, char **argv, struct ns_err *e)
{
	enum { OWNER = 256 };
	static const struct option longs[] = {{"socket", required_argument, NULL, 's'},
		{"execute", required_argument, NULL, 'e'}, {"json", no_argument, NULL, 'j'},
		{"owner", no_argument, NULL, OWNER}, {"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'}, {NULL, 0, NULL, 0}};
	int opt;

	opterr = 0;
	/* +: what follows the first word is the command's */
	while ((opt = getopt_long(argc, argv, "+:s:e:jhV", longs, NULL)) != -1) {
		switch (opt) {
		case 's':
			o->socket = optarg;
			break;
		case 'e':
			if (o->commands_n == COMMANDS_MAX)
				return ns_fail(
					e, EINVAL, "-e is given more than %d times", COMMANDS_MAX);
			o->commands[o->commands_n++] = optarg;
			break;
		case 'j':
			o->json = true;
			break;
		case OWNER: /* ns-engine -i: its end is ours */
			o->owner = true;
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
	o->words = optind;
	return 0;
}

/* The words of the command line as one more command. */
static int join(struct options *o, int argc, char **argv, char *line, size_t len, struct ns_err *e)
{
	size_t at = 0;

	if (o->words == argc)
		return 0;
	for (int i = o->words; i < argc && at < len; i++)
		at += (size_t)snprintf(
			line + at, len - at, "%s%s", i > o->words ? " " : "", argv[i]);
	if (at >= len || o->commands_n == COMMANDS_MAX)
		return ns_fail(e, E2BIG, "the command is too long");
	o->commands[o->commands_n++] = line;
	return 0;
}

/*
 * The engine's own console is a process group of its own in front of the terminal: Ctrl-C is meant
 * for the line, not for the engine. Returns the group that was there, or -1.
 */
static pid_t take_terminal(void)
{
	pid_t before = tcgetpgrp(STDIN_FILENO);

	if (before < 0)
		return -1;
	signal(SIGTTOU, SIG_IGN);
	setpgid(0, 0);
	tcsetpgrp(STDIN_FILENO, getpid());
	return before;
}

static int run(const struct options *o)
{
	struct console k = {.client.fd = -1, .json = o->json, .owner = o->owner};
	struct sigaction sa = {.sa_handler = on_signal};
	struct ns_err e = {""};
	pid_t before = o->owner ? take_terminal() : -1;
	int status;

	if (o->socket != NULL && strlen(o->socket) >= sizeof(k.client.path)) {
		ns_fail(&e, ENAMETOOLONG, "%s is too long for a socket", o->socket);
		return say(&e);
	}
	if (o->socket != NULL)
		strcpy(k.client.path, o->socket);
	else if (client_find(k.client.path, &e) < 0)
		return say(&e);
	if (client_connect(&k.client, &e) < 0)
		return say(&e);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	if (o->commands_n > 0)
		status = from_options(&k, o);
	else if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		status = edit_loop(&k);
	else
		status = from_pipe(&k);
	client_close(&k.client);
	if (before > 0)
		tcsetpgrp(STDIN_FILENO, before);
	return status;
}

int console_main(int argc, char **argv)
{
	struct options o = {0};
	struct ns_err e = {""};
	char line[4096];

	setlocale(LC_CTYPE, "");
	if (parse(&o, argc, argv, &e) < 0 || join(&o, argc, argv, line, sizeof(line), &e) < 0) {
		say(&e);
		fputs("Try 'ns-console --help'.\n", stderr);
		return 1;
	}
	if (o.help)
		help();
	else if (o.version)
		puts("ns-console (NetSpectra) " NS_VERSION);
	else
		return run(&o);
	return 0;
}
