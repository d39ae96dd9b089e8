/* SPDX-License-Identifier: BSD-3-Clause */
/* The report for people: as plain as it can be read at 100 columns. */
#include "report_priv.h"

#include <ns_cell.h>
#include <ns_text.h>

#include <langinfo.h>
#include <locale.h>
#include <string.h>

#define SPARK_WIDTH 60

static void put_label(struct rbuf *b, const char *label)
{
	rbuf_printf(b, "  %-15s ", label);
}

/* "1234567 (1.23 M)": exact, and for the eye once it is long. */
static void put_count(struct rbuf *b, uint64_t n)
{
	char text[32];

	rbuf_printf(b, "%llu", (unsigned long long)n);
	if (n >= 10000)
		rbuf_printf(b, " (%s)", ns_fmt_count(text, sizeof(text), (double)n));
}

/*
 * "12.30 Mbit/s", "1.20 k packets/s", "0.052 bit/s": a unit that begins with a blank does not take
 * the prefix; little is not nothing.
 */
static void put_rate(struct rbuf *b, double rate, const char *unit)
{
	char text[32];

	if (rate < 0.001)
		snprintf(text, sizeof(text), "less than 0.001");
	else if (rate < 10)
		snprintf(text, sizeof(text), "%.3g", rate);
	else
		ns_fmt_count(text, sizeof(text), rate);
	size_t n = strlen(text);

	rbuf_printf(b, "%s%s%s", text, text[n - 1] > '9' || unit[0] == ' ' ? "" : " ", unit);
}

static void put_faults(struct rbuf *b, const struct report_input *in)
{
	const char *p = in->faults != NULL ? in->faults : "";

	if (in->interrupted)
		rbuf_str(b, "\nINTERRUPTED before the end of the input: "
			    "this report is about what was read until then.\n");
	if (*p != '\0')
		rbuf_str(b, "\nTHE INPUT IS DAMAGED: "
			    "this report is about all that could be read.\n");
	while (*p != '\0') {
		size_t n = strcspn(p, "\n");

		rbuf_str(b, "  ");
		rbuf_plain(b, p, n);
		rbuf_str(b, "\n");
		p += n + (p[n] == '\n');
	}
}

static void put_files(struct rbuf *b, const struct report_input *in)
{
	for (unsigned i = 0; i < in->files_n; i++) {
		bool std = strcmp(in->files[i], "-") == 0;
		const char *name = std ? "standard input" : in->files[i];

		if (i == REPORT_ROWS && in->files_n > REPORT_ROWS + 1) {
			put_label(b, "");
			rbuf_printf(b, "and %u more\n", in->files_n - i);
			break;
		}
		put_label(b, i > 0 ? "" : in->files_n > 1 ? "Files" : "File");
		rbuf_plain(b, name, strlen(name));
		rbuf_str(b, "\n");
	}
	if (in->filter == NULL)
		return;
	put_label(b, "Filter");
	rbuf_plain(b, in->filter, strlen(in->filter));
	rbuf_str(b, "\n");
}

static void put_times(struct rbuf *b, const struct ns_engine_stats *s)
{
	char text[40];

	put_label(b, "First packet");
	rbuf_printf(b, "%s UTC\n", ns_fmt_time(text, sizeof(text), s->first_ns));
	put_label(b, "Last packet");
	rbuf_printf(b, "%s UTC\n", ns_fmt_time(text, sizeof(text), s->last_ns));
	put_label(b, "Duration");
	rbuf_printf(b, "%s\n", ns_cell_duration(text, sizeof(text), report_seconds(s)));
}

static void put_rates(struct rbuf *b, const struct ns_engine_stats *s, uint64_t packets)
{
	double seconds = report_seconds(s);

	put_label(b, "Octets");
	put_count(b, s->octets);
	rbuf_str(b, " on the wire, ");
	if (s->captured == s->octets)
		rbuf_str(b, "all captured\n");
	else
		rbuf_printf(b, "%llu captured (%.1f %%)\n", (unsigned long long)s->captured,
			s->octets == 0 ? 0 : 100.0 * (double)s->captured / (double)s->octets);
	put_label(b, "Mean rate");
	if (seconds > 0) {
		put_rate(b, (double)packets / seconds, " packets/s");
		rbuf_str(b, ", ");
		put_rate(b, (double)s->octets * 8 / seconds, "bit/s");
		rbuf_str(b, "\n");
	} else {
		rbuf_str(b, "none: all packets have the same time\n");
	}
	put_label(b, "Mean size");
	rbuf_printf(b, "%.1f octets a packet\n", (double)s->octets / (double)packets);
}

static void put_capture(struct rbuf *b, const struct report_input *in)
{
	const struct ns_engine_stats *s = in->stats;
	uint64_t packets = report_packets(s);

	rbuf_str(b, "\nCapture\n");
	put_files(b, in);
	if (packets > 0)
		put_times(b, s);
	put_label(b, "Packets");
	if (s->received == 0) {
		rbuf_str(b, "none\n");
		return;
	}
	put_count(b, s->received);
	if (packets != s->received)
		rbuf_printf(b, ", %llu passed the filter: all that follows is about these",
			(unsigned long long)packets);
	rbuf_str(b, "\n");
	if (packets > 0)
		put_rates(b, s, packets);
}

static void put_counters(struct rbuf *b, const struct ns_engine_stats *s, enum ns_counter_kind kind)
{
	unsigned n;
	const struct ns_counter *const *all = ns_counters_all(&n);
	int width = 0, digits = 0;

	for (unsigned i = 0; i < n; i++) {
		uint64_t v = s->counters.v[all[i]->id];

		if (all[i]->kind != kind || v == 0)
			continue;
		width = NS_MAX(width, (int)strlen(all[i]->name));
		digits = NS_MAX(digits, snprintf(NULL, 0, "%llu", (unsigned long long)v));
	}
	for (unsigned i = 0; i < n; i++) {
		uint64_t v = s->counters.v[all[i]->id];

		if (all[i]->kind == kind && v != 0)
			rbuf_printf(b, "    %-*s  %*llu  %s\n", width, all[i]->name, digits,
				(unsigned long long)v, all[i]->help);
	}
}

static void put_linktypes(struct rbuf *b, const struct ns_engine_stats *s)
{
	char name[32];

	for (unsigned i = 0; i < NS_LINKTYPES; i++) {
		if (s->linktypes_unknown[i] != 0)
			rbuf_printf(b, "    link type %s: %llu packets\n",
				report_linktype_name(name, i),
				(unsigned long long)s->linktypes_unknown[i]);
	}
}

static void put_conservation(struct rbuf *b, const struct ns_engine_stats *s)
{
	const struct ns_counter *const *all;
	bool notes = false;
	unsigned n;

	rbuf_str(b, "\nConservation\n");
	if (ns_engine_conserved(s))
		rbuf_printf(b, "  holds: received %llu = analysed %llu + dropped %llu\n",
			(unsigned long long)s->received, (unsigned long long)s->analysed,
			(unsigned long long)s->drops);
	else
		rbuf_printf(b,
			"  DOES NOT HOLD: received %llu, but analysed %llu + dropped %llu = %llu.\n"
			"  Packets are not accounted for; do not trust this report.\n",
			(unsigned long long)s->received, (unsigned long long)s->analysed,
			(unsigned long long)s->drops, (unsigned long long)(s->analysed + s->drops));
	put_counters(b, s, NS_COUNTER_DROP);
	put_linktypes(b, s);
	all = ns_counters_all(&n);
	for (unsigned i = 0; i < n; i++)
		notes |= all[i]->kind == NS_COUNTER_NOTE && s->counters.v[all[i]->id] != 0;
	if (notes) {
		rbuf_str(b, "  notes, of packets that were analysed all the same:\n");
		put_counters(b, s, NS_COUNTER_NOTE);
	}
}

static void put_rtts(struct rbuf *b, const struct report *r)
{
	static const unsigned percents[] = {50, 90, 99};
	char text[32];

	put_label(b, "Handshake RTT");
	if (r->rtts.n == 0) {
		rbuf_str(b, "no handshake was seen whole\n");
		return;
	}
	for (unsigned i = 0; i < NS_ARRAY_LEN(percents); i++)
		rbuf_printf(b, "%sp%u %s", i > 0 ? ", " : "", percents[i],
			ns_fmt_seconds(text, sizeof(text),
				(double)report_rtt(&r->rtts, percents[i]) / 1e9));
	if (r->rtts.n == r->tcp.handshakes)
		rbuf_printf(b, "  (exact, of all %llu)\n", (unsigned long long)r->tcp.handshakes);
	else
		rbuf_printf(b, "  (of a sample: %u of %llu)\n", r->rtts.n,
			(unsigned long long)r->tcp.handshakes);
}

static void put_tcp(struct rbuf *b, const struct report *r)
{
	const struct report_tcp *t = &r->tcp;

	if (t->flows == 0)
		return;
	rbuf_str(b, "\nTCP health\n");
	put_label(b, "Flows");
	rbuf_printf(b, "%llu; %llu whole handshakes, %llu SYN without answer, %llu reset\n",
		(unsigned long long)t->flows, (unsigned long long)t->handshakes,
		(unsigned long long)t->unanswered, (unsigned long long)t->reset);
	put_label(b, "Retransmitted");
	rbuf_printf(b, "%llu of %llu segments (%.2f %%)\n", (unsigned long long)t->retransmits,
		(unsigned long long)t->packets,
		t->packets == 0 ? 0 : 100.0 * (double)t->retransmits / (double)t->packets);
	put_label(b, "Sequence gaps");
	rbuf_printf(b, "%llu\n", (unsigned long long)t->gaps);
	put_rtts(b, r);
}

static void put_ends(struct rbuf *b, const struct report *r)
{
	bool any = false;

	if (r->flows == 0)
		return;
	rbuf_str(b, "\nFlow ends\n  ");
	for (unsigned i = 0; i < REPORT_ENDS; i++) {
		/* "other", reason 0, comes last */
		unsigned reason = (i + 1) % REPORT_ENDS;

		if (r->ends[reason] == 0)
			continue;
		rbuf_printf(b, "%s%s %llu", any ? ", " : "", report_end_name(reason),
			(unsigned long long)r->ends[reason]);
		any = true;
	}
	rbuf_str(b, "\n");
}

/* Eighths of the highest column, rounded up: what is there is seen. */
static void put_bar(struct rbuf *b, uint64_t v, uint64_t max, bool utf8)
{
	static const char ascii[] = " .:-=+*#@";
	unsigned level = v == 0 ? 0 : (unsigned)(((unsigned __int128)v * 8 + max - 1) / max);

	if (level == 0 || !utf8)
		rbuf_printf(b, "%c", ascii[level]);
	else
		rbuf_printf(b, "\xe2\x96%c", (char)(0x80 + level)); /* U+2581 ... U+2588 */
}

static void put_timeline(struct rbuf *b, const struct ns_timeline *t, bool utf8)
{
	uint64_t column[SPARK_WIDTH] = {0}, max = 1;
	char width[32], span[32], peak[32];

	if (t == NULL || t->used == 0 || t->width == 0)
		return;
	uint32_t fold = (t->used + SPARK_WIDTH - 1) / SPARK_WIDTH;
	uint32_t n = (t->used + fold - 1) / fold;
	double seconds = (double)t->width * fold;

	for (uint32_t i = 0; i < t->used; i++)
		column[i / fold] += t->slots[i].packets;
	for (uint32_t i = 0; i < n; i++)
		max = NS_MAX(max, column[i]);
	ns_fmt_time(span, sizeof(span), t->base * NS_SEC_NS);
	span[19] = '\0'; /* whole seconds */
	if (seconds == 1)
		snprintf(width, sizeof(width), "second");
	else
		ns_fmt_seconds(width, sizeof(width), seconds);
	rbuf_printf(b, "\nPackets per %s, from %s UTC\n  |", width, span);
	for (uint32_t i = 0; i < n; i++)
		put_bar(b, column[i], max, utf8);
	rbuf_printf(b, "|  peak %s", ns_fmt_count(peak, sizeof(peak), (double)max));
	ns_fmt_seconds(span, sizeof(span), (double)t->width * t->used);
	if (n < 12)
		rbuf_printf(b, ", %s in all\n", span);
	else
		rbuf_printf(b, "\n  0%*s\n", (int)n + 1, span);
}

static void put_run(struct rbuf *b, const struct report_input *in)
{
	uint64_t packets = in->stats->received;
	char wall[32], cpu[32], rate[32];

	rbuf_printf(b, "\nRun: %u file%s, %u worker%s, wall %s, CPU %s", in->files_n,
		in->files_n == 1 ? "" : "s", in->stats->workers, in->stats->workers == 1 ? "" : "s",
		ns_fmt_seconds(wall, sizeof(wall), in->wall_s),
		ns_fmt_seconds(cpu, sizeof(cpu), in->cpu_s));
	if (packets > 0)
		rbuf_printf(b, " (%s a packet)",
			ns_fmt_seconds(cpu, sizeof(cpu), in->cpu_s / (double)packets));
	if (packets > 0 && in->wall_s > 0)
		rbuf_printf(b, ", %s packets/s",
			ns_fmt_count(rate, sizeof(rate), (double)packets / in->wall_s));
	rbuf_str(b, "\n");
}

int report_text_as(struct report *r, const struct report_input *in, FILE *out, bool utf8)
{
	struct rbuf b = {.err = r->err};

	rbuf_str(&b, "Capture report of pcap-analyzer\n");
	put_faults(&b, in);
	put_capture(&b, in);
	put_conservation(&b, in->stats);
	if (report_packets(in->stats) > 0) {
		report_text_tables(&b, r, in->stats);
		report_text_tasks(&b, r, in);
		put_tcp(&b, r);
		put_ends(&b, r);
		put_timeline(&b, in->timeline, utf8);
	}
	put_run(&b, in);
	return rbuf_end(&b, out);
}

int report_text(struct report *r, const struct report_input *in, FILE *out)
{
	/* asks the environment without setting the process's locale */
	locale_t loc = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
	bool utf8 = loc != (locale_t)0 && strcmp(nl_langinfo_l(CODESET, loc), "UTF-8") == 0;

	if (loc != (locale_t)0)
		freelocale(loc);
	return report_text_as(r, in, out, utf8);
}
