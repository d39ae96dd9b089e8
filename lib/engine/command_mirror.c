/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands "mirror", "mirror stop" and "mirror show". */
#include "mirror.h"

#include <ns_command_words.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#define STOP_MS 80 /* that "stop" waits for the end, to say what was sent */

/* The word that the ports stand around: the last one of that name. */
static unsigned find_to(const struct ns_command_call *c)
{
	for (unsigned i = c->argc; i > 1; i--) {
		if (strcmp(c->argv[i - 1], "to") == 0)
			return i - 1;
	}
	return 0;
}

int mirror_parse(const struct ns_command_call *c, struct mirror_args *a, struct ns_err *e)
{
	unsigned to = find_to(c), filter = 1;

	*a = (struct mirror_args){.filter = ""};
	if (c->argc == 0)
		return ns_fail(e, EINVAL, "mirror: from which port?");
	if (to == 0 || to + 1 >= c->argc)
		return ns_fail(e, EINVAL,
			"mirror: to which port? (mirror %.40s [EXPRESSION] to PORT)", c->argv[0]);
	a->from = c->argv[0];
	a->to = c->argv[to + 1];
	for (unsigned i = to + 2; i < c->argc; i += 2) {
		if (strcmp(c->argv[i], "buffer") != 0)
			return ns_fail(e, EINVAL,
				"mirror: \"%.40s\"? Behind the port there is only \"buffer N\"",
				c->argv[i]);
		int rc = ns_command_number("buffer", i + 1 < c->argc ? c->argv[i + 1] : NULL,
			INT64_MAX, &a->buffer, e);

		if (rc < 0)
			return rc;
	}
	if (to == 1)
		return 0;
	filter += strcmp(c->argv[1], "filter") == 0;
	return ns_command_join(c, filter, to, "filter", a->filter, sizeof(a->filter), e);
}

/* One mirror as the console shows it. */
struct mirror_rec {
	uint32_t id;
	char status[16];
	char from[NS_PORT_NAME], to[NS_PORT_NAME];
	uint64_t matched, sent, octets, missed, dropped, too_long, port_errors;
	double seconds;
	char filter[128];
};

#define F(member, ty, ...) \
	NS_REC_FIELD(struct mirror_rec, member, .name = #member, .type = NS_REC_##ty, __VA_ARGS__)
#define NO_IE .flags = NS_REC_NO_EXPORT

static const struct ns_rec_field mirror_fields[] = {
	F(id, U32, .flags = NS_REC_NO_EXPORT | NS_REC_KEY, .help = "number of the mirror, from 1"),
	F(status, STR, NO_IE, .help = "running, ending, stopped"),
	F(from, STR, NO_IE, .help = "port that receives"),
	F(to, STR, NO_IE, .help = "port that sends"),
	F(sent, U64, NO_IE, .unit = "packets", .help = "taken by the port"),
	F(octets, U64, NO_IE, .unit = "octets", .help = "of them"),
	F(missed, U64, NO_IE, .unit = "packets",
		.help = "matched, but the buffer was full: the mirror's thread is too slow"),
	F(dropped, U64, NO_IE, .unit = "packets",
		.help = "matched, but the port that sends was full for 10 ms"),
	F(too_long, U64, NO_IE, .unit = "packets",
		.help = "matched, but longer than the port sends, or not received whole"),
	F(port_errors, U64, NO_IE, .unit = "packets",
		.help = "of those sent: errors by the port's own count"),
	F(filter, STR, NO_IE, .help = "pcap-filter(7) expression"),
	F(matched, U64, NO_IE, .unit = "packets", .help = "matched by the filter"),
	F(seconds, F64, NO_IE, .unit = "s", .help = "that it runs or ran"),
};
#undef F

static const struct ns_rec_kind mirror_kind = {
	.name = "mirror",
	.version = 1,
	.size = sizeof(struct mirror_rec),
	.fields = mirror_fields,
	.fields_n = NS_ARRAY_LEN(mirror_fields),
	.help = "packets of a port that go out of another one",
	.ipfix_family_field = -1,
};

static void show_one(struct ns_command_call *c, struct mirror *m)
{
	static const char *const names[] = {[MIRROR_RUNNING] = "running",
		[MIRROR_ENDING] = "ending",
		[MIRROR_STOPPED] = "stopped"};
	enum mirror_status status = __atomic_load_n(&m->status, __ATOMIC_ACQUIRE);
	uint64_t end = status == MIRROR_STOPPED ? m->end_mono : ns_clock_mono();
	struct mirror_rec r = {.id = m->id};
	struct tap_count sum;

	/* the thread's numbers before those of lcores: a packet is matched before it is sent */
	r.sent = ns_stat_get(&m->sent.sent);
	r.octets = ns_stat_get(&m->sent.octets);
	r.dropped = ns_stat_get(&m->sent.full);
	ns_send_errors(m->out, m->claim, &m->port_errors);
	r.port_errors = m->port_errors;
	r.too_long = ns_stat_get(&m->too_long);
	tap_sums(&m->tap, m->rings, &sum);
	r.matched = sum.matched;
	r.missed = sum.missed;
	r.seconds = (double)(end - m->start_mono) / 1e9;
	snprintf(r.status, sizeof(r.status), "%s", names[status]);
	snprintf(r.from, sizeof(r.from), "%s", m->from);
	snprintf(r.to, sizeof(r.to), "%s", m->to);
	snprintf(r.filter, sizeof(r.filter), "%.127s", m->filter);
	ns_command_record(c, &mirror_kind, &r);
}

/* The mirrors in the order in which they were started. */
static struct mirror *next_mirror(struct ns_engine *en, uint32_t after)
{
	struct mirror *best = NULL;

	for (unsigned i = 0; en != NULL && en->mirrors != NULL && i < MIRRORS; i++) {
		struct mirror *m = &en->mirrors->of[i];

		if (m->id > after && (best == NULL || m->id < best->id))
			best = m;
	}
	return best;
}

static int show(struct ns_command_call *c, struct ns_err *e)
{
	struct mirror *m = next_mirror(c->engine, 0);

	if (m == NULL)
		ns_command_text(c, "no mirrors");
	for (; m != NULL; m = next_mirror(c->engine, m->id))
		show_one(c, m);
	return 0;
}

static int start(struct ns_command_call *c, struct ns_err *e)
{
	struct mirror_args args;
	int rc = c->engine == NULL ? ns_fail(e, ENOTCONN, "no engine runs")
				   : mirror_parse(c, &args, e);

	if (rc < 0)
		return rc;
	const struct mirror *m = mirror_start(c->engine, &args, e);

	if (m == NULL)
		return -errno;
	ns_command_text(c, "mirror %u sends %s of port %s to port %s", m->id,
		m->filter[0] != '\0' ? "what matches" : "all", m->from, m->to);
	return 0;
}

static int stop(struct ns_command_call *c, struct ns_err *e)
{
	const char *word = c->argc > 0 ? c->argv[0] : NULL;
	struct mirror *meant[MIRRORS], *m = NULL;
	unsigned n = 0, ms_left = STOP_MS;

	if (c->argc > 1)
		return ns_fail(e, EINVAL, "mirror stop: one number, or all");
	while ((m = next_mirror(c->engine, m == NULL ? 0 : m->id)) != NULL) {
		if (ns_command_means(word, m->id, !mirror_ended(m)))
			meant[n++] = m;
	}
	if (n == 0 && word != NULL && strcmp(word, "all") != 0)
		return ns_fail(e, ENOENT, "there is no mirror \"%.40s\"", word);
	if (n == 0)
		return ns_fail(e, ENOENT, "no mirror runs");
	for (unsigned i = 0; i < n; i++)
		mirror_stop(meant[i]);
	for (unsigned i = 0; i < n; i++) {
		for (; !mirror_ended(meant[i]) && ms_left > 0; ms_left--)
			nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
		show_one(c, meant[i]);
	}
	return 0;
}

static void offer_port(void *ctx, const char *name)
{
	ns_command_offer(ctx, name);
}

static void complete(struct ns_command_call *c)
{
	bool port = c->argc == 1 || (c->argc > 2 && strcmp(c->argv[c->argc - 2], "to") == 0);

	if (port)
		ns_port_each_name(offer_port, c);
	else if (c->argc > 1)
		ns_command_offer(c, "to");
}

static struct ns_command mirror_command = {
	.name = "mirror",
	.args = "PORT [[filter] EXPRESSION] to PORT [buffer N[k|M|G]]",
	.help = "packets of a port that match go out of another port too",
	.changes = true,
	.run = start,
	.complete = complete,
};
NS_COMMAND_REGISTER(mirror_command)

static struct ns_command mirror_stop_command = {
	.name = "mirror stop",
	.args = "[ID|all]",
	.help = "end a mirror, or all, and say how many packets it sent",
	.changes = true,
	.run = stop,
};
NS_COMMAND_REGISTER(mirror_stop_command)

static struct ns_command mirror_show_command = {
	.name = "mirror show",
	.help = "the last mirrors: packets sent, missed, dropped",
	.run = show,
};
NS_COMMAND_REGISTER(mirror_show_command)

static struct ns_command show_mirrors_command = {
	.name = "show mirrors",
	.help = "the last mirrors: packets sent, missed, dropped",
	.run = show,
};
NS_COMMAND_REGISTER(show_mirrors_command)
