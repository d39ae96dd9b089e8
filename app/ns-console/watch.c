/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * watch: the answer of a command on a whole screen, again and again. A frame is written at once,
 * over the one before, each line cleared to its end: nothing flickers.
 */
#include "console.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define MS_DEFAULT 1000
#define MS_LEAST 100
#define MS_MOST 3600000

#define SCREEN_ON "\033[?1049h\033[?25l\033[2J"
#define SCREEN_OFF "\033[?25h\033[?1049l"

const char *watch_parse(const char *line, int *ms)
{
	char *end;

	line += strspn(line, " \t");
	if (strncmp(line, "watch", 5) != 0 ||
		(line[5] != ' ' && line[5] != '\t' && line[5] != '\0'))
		return NULL;
	line += 5 + strspn(line + 5, " \t");
	*ms = MS_DEFAULT;
	if (strncmp(line, "-n", 2) == 0) {
		double s = strtod(line + 2, &end);

		*ms = end > line + 2 && s * 1000 >= MS_LEAST && s * 1000 <= MS_MOST
			      ? (int)(s * 1000)
			      : -1;
		line = end + strspn(end, " \t");
	}
	if (*line == '\0' || strncmp(line, "watch", 5) == 0)
		*ms = -1;
	return line;
}

struct screen {
	unsigned rows, columns;
	char *s;
	size_t n, room;
};

static void add(struct screen *f, const char *s, size_t n)
{
	if (f->room - f->n < n) {
		size_t room = 2 * (f->room + n);
		char *more = realloc(f->s, room);

		if (more == NULL)
			return;
		f->s = more;
		f->room = room;
	}
	memcpy(f->s + f->n, s, n);
	f->n += n;
}

static void add_line(struct screen *f, const char *s, size_t n, bool last)
{
	add(f, s, NS_MIN(n, f->columns));
	add(f, "\033[K", 3);
	if (!last)
		add(f, "\r\n", 2);
}

static void add_title(struct screen *f, const struct console *k, const char *command, int ms)
{
	char line[512], date[32];
	time_t now = time(NULL);
	struct tm tm;

	localtime_r(&now, &tm);
	strftime(date, sizeof(date), "%H:%M:%S", &tm);
	int n = snprintf(line, sizeof(line), "%s  %s  every %g s: %.300s  (q ends)", k->client.node,
		date, ms / 1000.0, command);

	add(f, "\033[7m", 4);
	add_line(f, line, (size_t)n, false);
	add(f, "\033[0m", 4);
}

static unsigned lines_of(const char *s)
{
	unsigned n = 0;

	for (; *s != '\0'; s += strcspn(s, "\n"), s += *s == '\n')
		n++;
	return n;
}

static void draw(
	struct screen *f, const struct console *k, const char *command, int ms, const char *body)
{
	unsigned all = lines_of(body), room = f->rows > 1 ? f->rows - 1 : 1;
	unsigned shown = all <= room ? all : room - 1;
	char more[64];

	f->n = 0;
	add(f, "\033[H", 3);
	add_title(f, k, command, ms);
	for (unsigned i = 0; i < shown; i++) {
		size_t n = strcspn(body, "\n");

		add_line(f, body, n, i + 1 == room);
		body += n + (body[n] == '\n');
	}
	if (shown < all) {
		int n = snprintf(more, sizeof(more), "... %u more lines", all - shown);

		add_line(f, more, (size_t)n, true);
	}
	add(f, "\033[J", 3);
	for (size_t at = 0; at < f->n;) {
		ssize_t put = write(STDOUT_FILENO, f->s + at, f->n - at);

		if (put < 0 && errno != EINTR)
			return;
		at += put > 0 ? (size_t)put : 0;
	}
}

/* Waits for the next frame or a key; false: leave. */
static bool wait_for_key(int ms)
{
	struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
	char key;

	if (console_interrupted(false))
		return false;
	int rc = poll(&p, 1, ms);

	if (rc < 0)
		return errno == EINTR && !console_interrupted(false);
	if (rc == 0)
		return true;
	if (read(STDIN_FILENO, &key, 1) != 1)
		return false;
	return key != 'q' && key != 'Q' && key != 3 && key != 4;
}

static int frames(
	struct console *k, const char *command, int ms, struct screen *f, struct ns_err *e)
{
	do {
		struct reply r;

		f->columns = console_columns(&f->rows);
		struct ask a = {.columns = f->columns, .format = "text", .repeat = true};
		int rc = client_ask(&k->client, &a, command, &r, e);

		if (rc == -EINTR)
			return 0;
		if (rc < 0)
			return rc;
		if (r.status != STATUS_OK) {
			rc = ns_fail(e, EINVAL, "%.*s", (int)strcspn(r.body, "\n"), r.body);
			free(r.body);
			return rc;
		}
		draw(f, k, command, ms, r.body);
		free(r.body);
	} while (wait_for_key(ms));
	return 0;
}

int watch_run(struct console *k, const char *command, int ms)
{
	struct termios before, raw;
	struct screen f = {0};
	struct ns_err e = {""};

	if (console_columns(NULL) == 0 || tcgetattr(STDIN_FILENO, &before) < 0) {
		fprintf(stderr, "ns-console: watch needs a terminal\n");
		return 1;
	}
	raw = before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
	tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
	fputs(SCREEN_ON, stdout);
	fflush(stdout);
	int rc = frames(k, command, ms, &f, &e);

	fputs(SCREEN_OFF, stdout);
	fflush(stdout);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	console_interrupted(true);
	free(f.s);
	if (rc < 0)
		fprintf(stderr, "ns-console: %s\n", e.text);
	return rc < 0;
}
