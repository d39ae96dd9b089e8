/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands "replay", "replay stop" and "replay show". */
#include "replay_priv.h"

#include <ns_command_words.h>

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define STOP_MS 80 /* that "stop" waits for the end, to say what was sent */

/* One replay as the console shows it. */
struct replay_rec {
	uint32_t id;
	char status[16];
	char file[256], to[NS_PORT_NAME];
	uint64_t packets, sent, octets;
	double seconds, packets_per_s, bits_per_s;
	uint64_t late_p50_ns, late_p99_ns, late_max_ns;
	uint64_t dropped, cut, too_long, too_short, other_link, port_errors;
	uint64_t loop, loops;
	char pace[24];
	char message[256];
};

#define F(member, ty, ...) \
	NS_REC_FIELD(struct replay_rec, member, .name = #member, .type = NS_REC_##ty, __VA_ARGS__)
#define NO_IE .flags = NS_REC_NO_EXPORT
#define U(member, what, text) F(member, U64, NO_IE, .unit = what, .help = text)

static const struct ns_rec_field replay_fields[] = {
	F(id, U32, .flags = NS_REC_NO_EXPORT | NS_REC_KEY, .help = "number of the replay, from 1"),
	F(status, STR, NO_IE, .help = "running, done, stopped, failed"),
	F(file, STR, NO_IE, .help = "name"),
	F(to, STR, NO_IE, .help = "port that sends"),
	U(packets, "packets", "read from the file"),
	U(sent, "packets", "taken by the port"),
	U(octets, "octets", "of them"),
	F(seconds, F64, NO_IE, .unit = "s", .help = "that it runs or ran"),
	F(packets_per_s, F64, NO_IE, .unit = "packets/s", .help = "sent, on the average"),
	F(bits_per_s, F64, NO_IE, .unit = "bit/s", .help = "sent, on the average, layer 2"),
	F(pace, STR, NO_IE, .help = "speed, or packets a second, that was asked for"),
	U(late_p50_ns, "ns", "from when a packet was due to when the port got it: median"),
	U(late_p99_ns, "ns", "99 %"),
	U(late_max_ns, "ns", "the longest"),
	U(dropped, "packets", "that the port did not take: it was full for 10 ms"),
	U(cut, "packets", "skipped: the capture has not all of them"),
	U(too_long, "packets", "skipped: longer than the port sends"),
	U(too_short, "packets", "skipped: shorter than an Ethernet header"),
	U(other_link, "packets", "skipped: of another link type than Ethernet"),
	U(port_errors, "packets", "of those sent: errors by the port's own count"),
	U(loop, "times", "through the file, with this one"),
	U(loops, "times", "that were asked for"),
	F(message, STR, NO_IE, .help = "why it failed, and where in the file"),
};
#undef F

static const struct ns_rec_kind replay_kind = {
	.name = "replay",
	.version = 1,
	.size = sizeof(struct replay_rec),
	.fields = replay_fields,
	.fields_n = NS_ARRAY_LEN(replay_fields),
	.help = "packets of a capture file out of a port",
	.ipfix_family_field = -1,
};

static void pace_text(const struct pace *p, char *text, size_t len)
{
	if (p->how == PACE_MAX)
		snprintf(text, len, "max");
	else if (p->how == PACE_PPS)
		snprintf(text, len, "%llu packets/s", (unsigned long long)p->pps);
	else
		snprintf(text, len, "speed %g", p->speed);
}

static void show_one(struct ns_command_call *c, struct replay *r)
{
	static const char *const names[] = {[REPLAY_RUNNING] = "running",
		[REPLAY_DONE] = "done",
		[REPLAY_STOPPED] = "stopped",
		[REPLAY_FAILED] = "failed"};
	enum replay_status status = __atomic_load_n(&r->status, __ATOMIC_ACQUIRE);
	uint64_t end = status == REPLAY_RUNNING ? ns_clock_mono() : r->end_mono;
	uint64_t start = ns_stat_get(&r->start_mono);
	struct replay_rec o = {.id = r->id};

	o.sent = ns_stat_get(&r->sent.sent);
	o.octets = ns_stat_get(&r->sent.octets);
	o.dropped = ns_stat_get(&r->sent.full);
	ns_send_errors(r->out, r->claim, &r->port_errors);
	o.port_errors = r->port_errors;
	o.cut = ns_stat_get(&r->skipped_cut);
	o.too_long = ns_stat_get(&r->too_long);
	o.too_short = ns_stat_get(&r->too_short);
	o.other_link = ns_stat_get(&r->other);
	o.packets = ns_stat_get(&r->packets);
	o.late_p50_ns = ns_stat_get(&r->late_p50_ns);
	o.late_p99_ns = ns_stat_get(&r->late_p99_ns);
	o.late_max_ns = ns_stat_get(&r->late_max_ns);
	o.loop = ns_stat_get(&r->loop);
	o.loops = r->loops;
	o.seconds = start == 0 ? 0 : (double)(end - start) / 1e9;
	o.packets_per_s = (double)o.sent / fmax(o.seconds, 1e-9);
	o.bits_per_s = 8 * (double)o.octets / fmax(o.seconds, 1e-9);
	pace_text(&r->pace, o.pace, sizeof(o.pace));
	snprintf(o.status, sizeof(o.status), "%s", names[status]);
	snprintf(o.file, sizeof(o.file), "%.255s", r->path);
	snprintf(o.to, sizeof(o.to), "%s", r->to);
	if (status == REPLAY_FAILED)
		snprintf(o.message, sizeof(o.message), "%.255s", r->err.text);
	ns_command_record(c, &replay_kind, &o);
}

static int show(struct ns_command_call *c, struct ns_err *e)
{
	struct replay *r = replay_next(0);

	if (r == NULL)
		ns_command_text(c, "no replays");
	for (; r != NULL; r = replay_next(r->id))
		show_one(c, r);
	return 0;
}

static int start(struct ns_command_call *c, struct ns_err *e)
{
	struct replay_args args = {0};
	char pace[24];
	int rc = c->engine == NULL ? ns_fail(e, ENOTCONN, "no engine runs")
				   : replay_parse(c, &args, e);

	if (rc < 0)
		return rc;
	const struct replay *r = replay_start(c->engine, &args, e);

	if (r == NULL)
		return -errno;
	pace_text(&(struct pace){.how = args.how, .speed = args.speed, .pps = args.pps}, pace,
		sizeof(pace));
	ns_command_text(c, "replay %u sends %s to port %s, %s", r->id, r->path, r->to, pace);
	return 0;
}

static int stop(struct ns_command_call *c, struct ns_err *e)
{
	const char *word = c->argc > 0 ? c->argv[0] : NULL;
	struct replay *meant[REPLAYS], *r = NULL;
	unsigned n = 0, ms_left = STOP_MS;

	if (c->argc > 1)
		return ns_fail(e, EINVAL, "replay stop: one number, or all");
	while ((r = replay_next(r == NULL ? 0 : r->id)) != NULL) {
		if (ns_command_means(word, r->id, !replay_ended(r)))
			meant[n++] = r;
	}
	if (n == 0 && word != NULL && strcmp(word, "all") != 0)
		return ns_fail(e, ENOENT, "there is no replay \"%.40s\"", word);
	if (n == 0)
		return ns_fail(e, ENOENT, "no replay runs");
	for (unsigned i = 0; i < n; i++)
		replay_stop(meant[i]);
	for (unsigned i = 0; i < n; i++) {
		for (; !replay_ended(meant[i]) && ms_left > 0; ms_left--)
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
	static const char *const words[] = {"speed", "pps", "loop", "cut"};

	if (c->argc == 2)
		ns_command_offer(c, "to");
	else if (c->argc == 3)
		ns_port_each_name(offer_port, c);
	for (unsigned i = 0; c->argc > 3 && i < NS_ARRAY_LEN(words); i++)
		ns_command_offer(c, words[i]);
}

static struct ns_command replay_command = {
	.name = "replay",
	.args = "FILE to PORT [speed X|max] [pps N[k|M]] [loop N] [cut]",
	.help = "send the packets of a capture file out of a port, by default as captured",
	.changes = true,
	.run = start,
	.complete = complete,
};
NS_COMMAND_REGISTER(replay_command)

static struct ns_command replay_stop_command = {
	.name = "replay stop",
	.args = "[ID|all]",
	.help = "end a replay, or all, and say what was sent",
	.changes = true,
	.run = stop,
};
NS_COMMAND_REGISTER(replay_stop_command)

static struct ns_command replay_show_command = {
	.name = "replay show",
	.help = "the last replays: packets sent and skipped, rate, precision",
	.run = show,
};
NS_COMMAND_REGISTER(replay_show_command)
