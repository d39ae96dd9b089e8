/* SPDX-License-Identifier: BSD-3-Clause */
/* "show spool": one record for each spool that is open. Main thread. */
#include "spool_writer.h"

#include <ns_command.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

struct spool_rec {
	char writer[40];
	char directory[80];
	char status[16];
	uint64_t waiting, found, appended, delivered;
	uint64_t lost_full, lost_no_space, lost_damaged, lost_layout, lost_too_large;
	uint64_t torn, converted;
	uint64_t octets, segments, max;
	char message[128];
};

#define F(member, t, ...)                                                  \
	NS_REC_FIELD(struct spool_rec, member, .name = #member, .type = t, \
		.flags = NS_REC_NO_EXPORT, __VA_ARGS__)
#define COUNT(member, un, he) F(member, NS_REC_U64, .unit = un, .help = he)

static const struct ns_rec_field fields[] = {
	F(writer, NS_REC_STR, .unit = "", .help = "name of the writer behind it"),
	F(directory, NS_REC_STR, .unit = "", .help = "where it is"),
	F(status, NS_REC_STR, .unit = "",
		.help = "of the writer behind it: ok; down: it is tried again; failed: not before "
			"the next start; full: the oldest records have been lost; no_space: there is "
			"no room on disk"),
	COUNT(waiting, "records", "appended and not delivered yet"),
	COUNT(found, "records", "waited when the engine started"),
	COUNT(appended, "records", "since the start"),
	COUNT(delivered, "records", "since the start"),
	COUNT(lost_full, "records", "lost with the oldest segment, as the spool was full"),
	COUNT(lost_no_space, "records", "not appended, as the disk had no room"),
	COUNT(lost_damaged, "records", "could not be read any more"),
	COUNT(lost_layout, "records", "of another program, and not to be converted"),
	COUNT(lost_too_large, "records", "not appended, as they are larger than a segment"),
	COUNT(torn, "entries", "cut off at the start: a crash came while they were written"),
	COUNT(converted, "records", "of another program, converted by the names of their fields"),
	COUNT(octets, "octets", "appended since the start, with headers"),
	COUNT(segments, "", "files that there are"),
	COUNT(max, "octets", "that there may be"),
	F(message, NS_REC_STR, .unit = "", .help = "why the writer behind it is not ok"),
};

static const struct ns_rec_kind spool_rec_kind = {.name = "spool",
	.version = 1,
	.size = sizeof(struct spool_rec),
	.fields = fields,
	.fields_n = NS_ARRAY_LEN(fields),
	.help = "what waits on disk for a writer (console: show spool)",
	.ipfix_family_field = -1};
NS_REC_REGISTER(spool_rec_kind)

/*
 * Main thread, and the thread of a writer that a reload has taken out, which ends by itself: none
 * is freed while it is shown.
 */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct ns_writer *shown;

void spool_shown(struct ns_writer *w)
{
	pthread_mutex_lock(&lock);
	w->next = shown;
	shown = w;
	pthread_mutex_unlock(&lock);
}

void spool_hidden(struct ns_writer *w)
{
	struct ns_writer **at = &shown;

	pthread_mutex_lock(&lock);
	while (*at != NULL && *at != w)
		at = &(*at)->next;
	if (*at != NULL)
		*at = w->next;
	pthread_mutex_unlock(&lock);
}

static const char *status(const struct ns_writer *w, const struct ns_spool_stats *s, bool down)
{
	if (__atomic_load_n(&w->failed, __ATOMIC_ACQUIRE))
		return "failed";
	if (s->no_room != 0)
		return "no_space";
	if (s->full > 0 && down)
		return "full";
	return down ? "down" : "ok";
}

static void fill(const struct ns_writer *w, struct spool_rec *r)
{
	bool down = __atomic_load_n(&w->stats.down, __ATOMIC_ACQUIRE) != 0;
	struct ns_spool_decoded d;
	struct ns_spool_stats s;

	ns_spool_stats(w->sp, &s);
	ns_spool_decoded(w->decoder, &d);
	*r = (struct spool_rec){.waiting = s.waiting,
		.found = s.found,
		.appended = s.appended - s.found,
		.delivered = s.done - NS_MIN(d.skipped, s.done),
		.lost_full = s.full,
		.lost_no_space = s.no_space + ns_stat_get(&w->n_no_layout),
		.lost_damaged = s.damaged,
		.lost_layout = d.skipped,
		.lost_too_large = s.too_large,
		.torn = s.torn,
		.converted = d.converted,
		.octets = s.octets,
		.segments = s.segments,
		.max = w->max};
	snprintf(r->writer, sizeof(r->writer), "%s", w->name);
	snprintf(r->directory, sizeof(r->directory), "%.79s", w->path);
	snprintf(r->status, sizeof(r->status), "%s", status(w, &s, down));
	if (down)
		snprintf(r->message, sizeof(r->message), "%s", w->stats.message);
}

static int show(struct ns_command_call *c, struct ns_err *e)
{
	struct spool_rec r;

	(void)e;
	pthread_mutex_lock(&lock);
	if (shown == NULL)
		ns_command_text(c, "no writer has a spool; one gets it with -w spool+NAME:TARGET");
	for (const struct ns_writer *w = shown; w != NULL; w = w->next) {
		fill(w, &r);
		ns_command_record(c, &spool_rec_kind, &r);
	}
	pthread_mutex_unlock(&lock);
	return 0;
}

static struct ns_command show_spool = {.name = "show spool",
	.help = "what waits on disk for writers, and what was lost",
	.run = show};
NS_COMMAND_REGISTER(show_spool)
