/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands "capture start", "capture stop" and "capture show". */
#include "capture.h"

#include <ns_command_words.h>

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define STOP_MS 80 /* that "stop" waits for the end of the file, to say how it ended */
#define FILTER_MAX 1024

static const char *const keywords[] = {
	"filter", "snaplen", "seconds", "packets", "size", "buffer", "force"};

static bool is_keyword(const char *word)
{
	for (unsigned i = 0; i < NS_ARRAY_LEN(keywords); i++) {
		if (strcmp(word, keywords[i]) == 0)
			return true;
	}
	return false;
}

/* An expression may be one word in quotes or several without: it ends where a keyword stands. */
static int join_filter(struct ns_command_call *c, unsigned *i, char *out, struct ns_err *e)
{
	unsigned from = *i + 1, to = from;

	while (to < c->argc && !is_keyword(c->argv[to]))
		to++;
	*i = to - 1;
	return ns_command_join(c, from, to, "filter", out, FILTER_MAX, e);
}

static int parse(struct ns_command_call *c, struct capture_args *a, char *filter, struct ns_err *e)
{
	uint64_t snaplen = 0;
	const struct {
		const char *key;
		uint64_t max;
		uint64_t *to;
	} numbers[] = {
		{"snaplen", CAPTURE_SNAPLEN, &snaplen},
		{"seconds", UINT32_MAX, &a->seconds},
		{"packets", INT64_MAX, &a->packets},
		{"size", INT64_MAX, &a->octets},
		{"buffer", INT64_MAX, &a->buffer},
	};
	int rc = 0;

	if (c->argc == 0 || is_keyword(c->argv[0]))
		return ns_fail(e, EINVAL, "capture start: the name of a file is missing");
	a->path = c->argv[0];
	for (unsigned i = 1; rc == 0 && i < c->argc; i++) {
		const char *word = c->argv[i];
		unsigned k = 0;

		while (k < NS_ARRAY_LEN(numbers) && strcmp(word, numbers[k].key) != 0)
			k++;
		if (strcmp(word, "force") == 0) {
			a->force = true;
		} else if (strcmp(word, "filter") == 0) {
			rc = join_filter(c, &i, filter, e);
			a->filter = filter;
		} else if (k == NS_ARRAY_LEN(numbers)) {
			rc = ns_fail(e, EINVAL,
				"capture start: \"%.40s\"? There are filter, snaplen, seconds, "
				"packets, size, buffer, force",
				word);
		} else {
			rc = ns_command_number(word, i + 1 < c->argc ? c->argv[i + 1] : NULL,
				numbers[k].max, numbers[k].to, e);
			i++;
		}
	}
	a->snaplen = (uint32_t)snaplen;
	return rc;
}

static int start(struct ns_command_call *c, struct ns_err *e)
{
	struct capture_args args = {0};
	char filter[FILTER_MAX];
	int rc = c->engine == NULL ? ns_fail(e, ENOTCONN, "no engine runs")
				   : parse(c, &args, filter, e);

	if (rc < 0)
		return rc;
	const struct capture *k = capture_start(c->engine, &args, e);

	if (k == NULL)
		return -errno;
	ns_command_text(c, "capture %u writes %s", k->id, k->path);
	return 0;
}

static void complete_start(struct ns_command_call *c)
{
	for (unsigned i = 0; c->argc > 1 && i < NS_ARRAY_LEN(keywords); i++)
		ns_command_offer(c, keywords[i]);
}

/* One capture as the console shows it. */
struct capture_rec {
	uint32_t id;
	char status[16];
	uint64_t packets, octets, matched, missed, lost;
	double seconds, seconds_left;
	uint32_t snaplen;
	char filter[128], file[256], message[256];
};

#define F(member, ty, ...) \
	NS_REC_FIELD(struct capture_rec, member, .name = #member, .type = NS_REC_##ty, __VA_ARGS__)
#define NO_IE .flags = NS_REC_NO_EXPORT

static const struct ns_rec_field capture_fields[] = {
	F(id, U32, .flags = NS_REC_NO_EXPORT | NS_REC_KEY, .help = "number of the capture, from 1"),
	F(status, STR, NO_IE, .help = "running, ending, stopped, done (by a limit), failed"),
	F(packets, U64, NO_IE, .unit = "packets", .help = "in the file"),
	F(octets, U64, NO_IE, .unit = "octets", .help = "of the file"),
	F(missed, U64, NO_IE, .unit = "packets",
		.help = "matched, but its buffer was full: file or disk are too slow"),
	F(lost, U64, NO_IE, .unit = "packets", .help = "matched, but the file took no more"),
	F(file, STR, NO_IE, .help = "name"),
	F(message, STR, NO_IE, .help = "why it failed"),
	F(seconds_left, F64, .flags = NS_REC_NO_EXPORT | NS_REC_EMPTY_NAN, .unit = "s",
		.help = "until its end, if that was asked for"),
	F(filter, STR, NO_IE, .help = "pcap-filter(7) expression"),
	F(matched, U64, NO_IE, .unit = "packets", .help = "matched by the filter"),
	F(seconds, F64, NO_IE, .unit = "s", .help = "that it runs or ran"),
	F(snaplen, U32, NO_IE, .unit = "octets", .help = "kept of a packet at most"),
};
#undef F

static const struct ns_rec_kind capture_kind = {
	.name = "capture",
	.version = 1,
	.size = sizeof(struct capture_rec),
	.fields = capture_fields,
	.fields_n = NS_ARRAY_LEN(capture_fields),
	.help = "a capture of packets into a file",
	.ipfix_family_field = -1,
};

static const char *status_name(enum capture_status s)
{
	static const char *const names[] = {
		[CAPTURE_RUNNING] = "running",
		[CAPTURE_ENDING] = "ending",
		[CAPTURE_STOPPED] = "stopped",
		[CAPTURE_DONE] = "done",
		[CAPTURE_FAILED] = "failed",
	};

	return names[s];
}

/* The message without the name of the file, which stands beside it. */
static const char *reason(const struct capture *k)
{
	size_t n = strlen(k->path);

	return strncmp(k->err.text, k->path, n) == 0 && strncmp(k->err.text + n, ": ", 2) == 0
		       ? k->err.text + n + 2
		       : k->err.text;
}

static void show_one(struct ns_command_call *c, const struct capture *k)
{
	enum capture_status status = capture_status(k);
	bool ended = status >= CAPTURE_STOPPED;
	struct capture_rec r = {.id = k->id, .snaplen = k->tap.snaplen, .seconds_left = NAN};
	struct tap_count sum;

	/* the thread's numbers before those of lcores: a packet is matched before it is written */
	r.packets = ns_stat_get(&k->packets);
	r.octets = ns_stat_get(&k->octets);
	r.lost = ns_stat_get(&k->lost);
	tap_sums(&k->tap, k->rings, &sum);
	r.matched = sum.matched;
	r.missed = sum.missed;
	r.seconds = (double)((ended ? k->end_mono : ns_clock_mono()) - k->start_mono) / 1e9;
	if (k->seconds > 0)
		r.seconds_left = ended ? 0 : fmax(0, (double)k->seconds - r.seconds);
	snprintf(r.status, sizeof(r.status), "%s", status_name(status));
	snprintf(r.filter, sizeof(r.filter), "%s", k->filter != NULL ? k->filter : "");
	snprintf(r.file, sizeof(r.file), "%.255s", k->path);
	if (status == CAPTURE_FAILED)
		snprintf(r.message, sizeof(r.message), "%.255s", reason(k));
	ns_command_record(c, &capture_kind, &r);
}

/* The captures in the order in which they were started. */
static struct capture *next_capture(struct ns_engine *en, uint32_t after)
{
	struct capture *best = NULL;

	for (unsigned i = 0; en != NULL && en->captures != NULL && i < CAPTURES; i++) {
		struct capture *k = &en->captures->of[i];

		if (k->id > after && (best == NULL || k->id < best->id))
			best = k;
	}
	return best;
}

static int show(struct ns_command_call *c, struct ns_err *e)
{
	const struct capture *k = next_capture(c->engine, 0);

	if (c->argc > 0)
		return ns_fail(e, EINVAL, "capture show: \"%.40s\"? It takes no words", c->argv[0]);
	if (k == NULL)
		ns_command_text(c, "no captures");
	for (; k != NULL; k = next_capture(c->engine, k->id))
		show_one(c, k);
	return 0;
}

/* By number, whole name, or name as it was given. */
static bool is_meant(const struct capture *k, const char *word)
{
	char id[16];
	size_t path_n = strlen(k->path), n = strlen(word);

	snprintf(id, sizeof(id), "%u", k->id);
	if (strcmp(word, id) == 0 || strcmp(word, k->path) == 0)
		return true;
	return n < path_n && k->path[path_n - n - 1] == '/' &&
	       strcmp(k->path + path_n - n, word) == 0;
}

static void wait_for_end(const struct capture *k, unsigned *ms_left)
{
	while (!capture_ended(k) && *ms_left > 0) {
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
		--*ms_left;
	}
}

static int stop(struct ns_command_call *c, struct ns_err *e)
{
	struct capture *meant[CAPTURES], *k = NULL;
	unsigned n = 0, ms_left = STOP_MS;

	if (c->argc > 1)
		return ns_fail(e, EINVAL, "capture stop: one file or number");
	while ((k = next_capture(c->engine, k == NULL ? 0 : k->id)) != NULL) {
		if (c->argc > 0 ? is_meant(k, c->argv[0]) : !capture_ended(k))
			meant[n++] = k;
	}
	if (n == 0 && c->argc > 0)
		return ns_fail(e, ENOENT, "there is no capture \"%.100s\"", c->argv[0]);
	if (n == 0)
		return ns_fail(e, ENOENT, "no capture runs");
	for (unsigned i = 0; i < n; i++)
		capture_stop(meant[i]);
	for (unsigned i = 0; i < n; i++) {
		wait_for_end(meant[i], &ms_left);
		show_one(c, meant[i]);
	}
	return 0;
}

static void complete_stop(struct ns_command_call *c)
{
	for (struct capture *k = next_capture(c->engine, 0); c->argc == 1 && k != NULL;
		k = next_capture(c->engine, k->id)) {
		if (!capture_ended(k))
			ns_command_offer(c, k->path);
	}
}

static struct ns_command capture_start_command = {
	.name = "capture start",
	.args = "FILE [filter EXPR] [snaplen N] [seconds N] [packets N] [size N[k|M|G]] "
		"[buffer N[k|M|G]] [force]",
	.help = "write packets that match into a pcapng file",
	.changes = true,
	.run = start,
	.complete = complete_start,
};
NS_COMMAND_REGISTER(capture_start_command)

static struct ns_command capture_stop_command = {
	.name = "capture stop",
	.args = "[FILE|ID]",
	.help = "end a capture, or all, and say how many packets it has",
	.changes = true,
	.run = stop,
	.complete = complete_stop,
};
NS_COMMAND_REGISTER(capture_stop_command)

static struct ns_command capture_show_command = {
	.name = "capture show",
	.help = "the last captures: packets, missed and lost ones, time left",
	.run = show,
};
NS_COMMAND_REGISTER(capture_show_command)
