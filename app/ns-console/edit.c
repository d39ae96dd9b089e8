/* SPDX-License-Identifier: BSD-3-Clause */
/* Lines from a person: editing and history by libedit, completion by the engine. */
#include "console.h"

#include <fcntl.h>
#include <histedit.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>

#define HISTORY 1000
#define HISTORY_FILE_MOST 262144 /* octets; then only the last HISTORY lines are kept */

struct edit {
	struct console *k;
	EditLine *el;
	History *hist;
	char file[512]; /* of the history; "": none */
	char prompt[80];
	bool told; /* that the engine has ended */
};

static char *prompt(EditLine *el)
{
	struct edit *ed;

	el_get(el, EL_CLIENTDATA, &ed);
	return ed->prompt;
}

/* The engine may end while nobody types. */
static void look_after(struct edit *ed)
{
	if (ed->told || ed->k->client.fd < 0 || !client_gone(&ed->k->client))
		return;
	ed->told = true;
	if (ed->k->owner)
		return;
	fprintf(stderr,
		"\r\nns-console: the engine at %s has ended or dropped this console; the next "
		"command tries again\r\n",
		ed->k->client.path);
	el_set(ed->el, EL_REFRESH);
}

/* The octets of one character; 1, 0 at the end, -1. */
static int read_char(wchar_t *c)
{
	mbstate_t state = {0};
	char octet;

	for (int i = 0; i < 6; i++) {
		ssize_t n = read(STDIN_FILENO, &octet, 1);

		if (n <= 0)
			return (int)n;
		size_t used = mbrtowc(c, &octet, 1, &state);

		if (used <= 1)
			return 1;
		if (used == (size_t)-1) {
			*c = (unsigned char)octet;
			return 1;
		}
	}
	return -1;
}

/* Waits for a key or the engine; -1 when a signal came, be it just before. */
static int wait_for_input(struct pollfd p[2])
{
	sigset_t all, before;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	int rc = console_interrupted(false) ? -1 : ppoll(p, 2, NULL, &before);

	sigprocmask(SIG_SETMASK, &before, NULL);
	return rc;
}

static int get_char(EditLine *el, wchar_t *c)
{
	struct edit *ed;

	el_get(el, EL_CLIENTDATA, &ed);
	for (;;) {
		struct pollfd p[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
			{.fd = ed->k->client.fd, .events = POLLIN}};

		if (wait_for_input(p) < 0)
			return -1;
		if (p[1].revents != 0)
			look_after(ed);
		if (ed->told && ed->k->owner)
			return 0;
		if (p[0].revents != 0)
			return read_char(c);
	}
}

/* --- completion ---------------------------------------------------------------------------- */

static size_t common(const char *a, const char *b)
{
	size_t n = 0;

	while (a[n] != '\0' && a[n] == b[n])
		n++;
	return n;
}

/* Behind "watch [-n N]" the command that it is about; otherwise the line. */
static const char *asked(const char *line)
{
	int ms;
	const char *command = watch_parse(line, &ms);

	return command != NULL && *command != '\0' ? command : line;
}

static void show_offers(EditLine *el, char *words)
{
	putchar('\n');
	for (char *save = NULL, *w = strtok_r(words, "\n", &save); w != NULL;
		w = strtok_r(NULL, "\n", &save))
		printf("%s  ", w);
	putchar('\n');
	fflush(stdout);
	el_set(el, EL_REFRESH);
}

/* Puts what all offers have in common behind the word; the only one gets a blank. */
static unsigned char insert(EditLine *el, const char *offers, size_t typed)
{
	char first[256], text[260];
	size_t len = strcspn(offers, "\n"), same = len;
	bool only = true;

	if (len >= sizeof(first))
		return CC_ERROR;
	memcpy(first, offers, len);
	first[len] = '\0';
	for (const char *p = offers + len + 1; *p != '\0'; p += strcspn(p, "\n") + 1) {
		only = false;
		same = NS_MIN(same, common(first, p));
	}
	if (same <= typed && !only)
		return CC_NORM;
	snprintf(text, sizeof(text), "%.*s%s", same > typed ? (int)(same - typed) : 0,
		first + NS_MIN(typed, len), only ? " " : "");
	return el_insertstr(el, text) == 0 ? CC_REFRESH : CC_ERROR;
}

static unsigned char complete(EditLine *el, int ch)
{
	const LineInfo *info = el_line(el);
	struct ask a = {.format = "words"};
	struct edit *ed;
	struct reply r;
	char line[4000];
	size_t n = (size_t)(info->cursor - info->buffer);

	(void)ch;
	el_get(el, EL_CLIENTDATA, &ed);
	if (n >= sizeof(line) || ed->k->client.fd < 0)
		return CC_ERROR;
	memcpy(line, info->buffer, n);
	line[n] = '\0';
	if (client_ask(&ed->k->client, &a, asked(line), &r, NULL) < 0)
		return CC_ERROR;
	unsigned char rc = CC_ERROR;

	if (r.status == STATUS_OK && r.n > 0) {
		const char *word = strrchr(line, ' ');

		rc = insert(el, r.body, strlen(word != NULL ? word + 1 : line));
		if (rc == CC_NORM) {
			show_offers(el, r.body);
			rc = CC_REDISPLAY;
		}
	}
	free(r.body);
	return rc;
}

/* --- history ------------------------------------------------------------------------------- */

static void make_dirs(char *path)
{
	for (char *p = path + 1; (p = strchr(p, '/')) != NULL; p++) {
		*p = '\0';
		mkdir(path, 0700);
		*p = '/';
	}
}

static void history_file(struct edit *ed)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	int n = 0;

	if (state != NULL && state[0] == '/')
		n = snprintf(ed->file, sizeof(ed->file), "%s/netspectra/history", state);
	else if (home != NULL && home[0] == '/')
		n = snprintf(
			ed->file, sizeof(ed->file), "%s/.local/state/netspectra/history", home);
	if (n <= 0 || n >= (int)sizeof(ed->file))
		ed->file[0] = '\0';
	else
		make_dirs(ed->file);
}

static void history_load(struct edit *ed)
{
	struct stat st;
	HistEvent ev;

	history(ed->hist, &ev, H_SETSIZE, HISTORY);
	history(ed->hist, &ev, H_SETUNIQUE, 1);
	history_file(ed);
	if (ed->file[0] == '\0' || stat(ed->file, &st) < 0)
		return;
	history(ed->hist, &ev, H_LOAD, ed->file);
	if (st.st_size > HISTORY_FILE_MOST)
		history(ed->hist, &ev, H_SAVE, ed->file);
}

/* Appends: several consoles share the file. */
static void history_add(struct edit *ed, const char *line)
{
	HistEvent ev;
	int fd;

	history(ed->hist, &ev, H_ENTER, line);
	if (ed->file[0] == '\0')
		return;
	fd = open(ed->file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return;
	fchmod(fd, 0600);
	FILE *f = fdopen(fd, "a");

	if (f == NULL) {
		close(fd);
		return;
	}
	fseek(f, 0, SEEK_END);
	/* none but the newest */
	history(ed->hist, &ev, H_NSAVE_FP, (size_t)0, f);
	fclose(f);
}

/* --- the loop ------------------------------------------------------------------------------ */

static void set_prompt(struct edit *ed)
{
	snprintf(ed->prompt, sizeof(ed->prompt), "%s> ", ed->k->client.node);
}

static int run_line(struct edit *ed, const char *line)
{
	char node[sizeof(ed->k->client.node)];
	bool was_gone = client_gone(&ed->k->client);

	strcpy(node, ed->k->client.node);
	int rc = console_line(ed->k, line);

	if (was_gone && ed->k->client.fd >= 0)
		fprintf(stderr, "ns-console: connected again, to %s\n", ed->k->client.node);
	if (ed->k->client.fd >= 0)
		ed->told = false;
	set_prompt(ed);
	return rc;
}

static void lines(struct edit *ed)
{
	for (;;) {
		int n = 0;

		el_resize(ed->el);
		const char *line = el_gets(ed->el, &n);

		if (console_interrupted(true)) {
			fputs("^C\n", stdout);
			el_reset(ed->el);
			continue;
		}
		if (line == NULL || n <= 0) {
			putchar('\n');
			return;
		}
		char *copy = strndup(line, strcspn(line, "\r\n"));

		if (copy == NULL)
			return;
		int rc = 0;

		for (size_t len = strlen(copy); len > 0 && copy[len - 1] == ' '; len--)
			copy[len - 1] = '\0';
		if (copy[strspn(copy, " \t")] != '\0') {
			history_add(ed, copy);
			rc = run_line(ed, copy);
		}
		free(copy);
		if (rc == 2 || (ed->k->owner && ed->k->client.fd < 0))
			return;
	}
}

int edit_loop(struct console *k)
{
	struct edit ed = {.k = k};
	struct edit *self = &ed;

	ed.hist = history_init();
	ed.el = el_init("ns-console", stdin, stdout, stderr);
	if (ed.hist == NULL || ed.el == NULL) {
		fprintf(stderr, "ns-console: no line editor for this terminal\n");
		return 1;
	}
	set_prompt(&ed);
	el_set(ed.el, EL_CLIENTDATA, self);
	el_set(ed.el, EL_PROMPT, prompt);
	el_set(ed.el, EL_EDITOR, "emacs");
	el_set(ed.el, EL_SIGNAL, 0);
	el_set(ed.el, EL_GETCFN, get_char);
	el_set(ed.el, EL_HIST, history, ed.hist);
	el_set(ed.el, EL_ADDFN, "ns-complete", "completes a word", complete);
	el_set(ed.el, EL_BIND, "^I", "ns-complete", NULL);
	el_set(ed.el, EL_BIND, "^R", "em-inc-search-prev", NULL);
	history_load(&ed);
	if (!k->owner)
		printf("%s at %s; Tab completes, \"help\" lists commands, \"quit\" leaves\n",
			k->client.node, k->client.path);
	lines(&ed);
	el_end(ed.el);
	history_end(ed.hist);
	return 0;
}
