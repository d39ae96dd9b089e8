/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * show flows: the largest of those that are in the tables now.
 *
 * The flows that a list shows are chosen as the walk meets them: a heap of the best so far, the
 * worst on top, so that memory is bounded by what is asked for. What a walk that was not finished
 * has found is kept for the same command to go on with.
 */
#include "live_flow.h"
#include "sweep.h"

#include <ns_command_words.h>
#include <ns_rec_filter.h>

#include <stdlib.h>
#include <string.h>

#define TOP_DEFAULT 20
#define TOP_MAX 1000

/* What the words ask for. */
struct asked {
	unsigned top;
	const struct ns_rec_field *by;
	struct ns_rec_filter *filter; /* NULL: all */
};

struct place {
	uint64_t key;
	unsigned slot;
};

/* The list that is being made; the main thread's. */
static struct list {
	struct sweep sweep;
	struct place *heap; /* n of top, the smallest key first */
	struct live_flow *slots;
	unsigned n, top;
	uint64_t matched;
} list;

/* And what one call adds to it. */
struct choosing {
	const struct asked *asked;
	uint64_t now;
	bool ids; /* the filter reads them */
};

static void list_clear(void)
{
	sweep_end(&list.sweep);
	free(list.heap);
	free(list.slots);
	list = (struct list){0};
}

/* From place i down, to where it is not larger than those below. */
static void sift_down(unsigned i)
{
	struct place p = list.heap[i];

	for (unsigned child; (child = 2 * i + 1) < list.n; i = child) {
		if (child + 1 < list.n && list.heap[child + 1].key < list.heap[child].key)
			child++;
		if (p.key <= list.heap[child].key)
			break;
		list.heap[i] = list.heap[child];
	}
	list.heap[i] = p;
}

static void sift_up(unsigned i)
{
	struct place p = list.heap[i];

	for (unsigned parent; i > 0 && p.key < list.heap[parent = (i - 1) / 2].key; i = parent)
		list.heap[i] = list.heap[parent];
	list.heap[i] = p;
}

static void consider(const struct live_flow *l, uint64_t key)
{
	if (list.n < list.top) {
		list.slots[list.n] = *l;
		list.heap[list.n] = (struct place){key, list.n};
		sift_up(list.n++);
	} else if (key > list.heap[0].key) {
		list.slots[list.heap[0].slot] = *l;
		list.heap[0].key = key;
		sift_down(0);
	}
}

static int choose(void *ctx, struct ns_flow_rec *recs, unsigned n)
{
	const struct choosing *c = ctx;
	const struct asked *a = c->asked;
	struct live_flow l;

	if (c->ids)
		ns_flow_record_ids(recs, n);
	for (unsigned i = 0; i < n; i++) {
		uint64_t key = 0;

		live_flow_fill(&l, &recs[i], c->now);
		if (a->filter != NULL && !ns_rec_filter_match(a->filter, &l))
			continue;
		list.matched++;
		/* what is not known has no place in an order */
		if (!ns_rec_is_empty(a->by, &l) && ns_rec_get_u64(a->by, &l, &key))
			consider(&l, key);
	}
	return 0;
}

static int unknown_number(const char *word, struct ns_err *e)
{
	char names[400] = "";
	size_t at = 0;
	const char *name;

	for (unsigned i = 0; (name = live_flow_number_name(i)) != NULL; i++) {
		if (at + strlen(name) + sizeof(", ...") >= sizeof(names)) {
			strcpy(names + at, ", ...");
			break;
		}
		at += (size_t)(stpcpy(stpcpy(names + at, at > 0 ? ", " : ""), name) - (names + at));
	}
	return ns_fail(e, EINVAL, "flows have no number \"%.40s\"; they have %s", word, names);
}

static int read_top(const char *word, unsigned *top, struct ns_err *e)
{
	char *end;
	unsigned long v = strtoul(word, &end, 10);

	if (*end != '\0' || word[0] < '0' || word[0] > '9' || v == 0 || v > TOP_MAX)
		return ns_fail(e, EINVAL, "\"%.40s\": how many is 1 to %d", word, TOP_MAX);
	*top = (unsigned)v;
	return 0;
}

/* Words with a blank between; NULL: no memory. */
static char *join(const char *const *words, unsigned n)
{
	size_t len = 1;
	char *text, *p;

	for (unsigned i = 0; i < n; i++)
		len += strlen(words[i]) + 1;
	text = malloc(len);
	if (text == NULL)
		return NULL;
	p = text;
	*p = '\0';
	for (unsigned i = 0; i < n; i++)
		p = stpcpy(stpcpy(p, i > 0 ? " " : ""), words[i]);
	return text;
}

static int read_filter(const char *const *words, unsigned n, struct asked *a, struct ns_err *e)
{
	char *text = join(words, n);
	struct ns_err why = {""};
	int err;

	if (text == NULL)
		return ns_fail(e, ENOMEM, "no memory for a filter");
	a->filter = ns_rec_filter_create(live_flow_kind(), text, &why);
	err = errno;
	free(text);
	return a->filter != NULL ? 0 : ns_fail(e, err, "filter: %.490s", why.text);
}

/* The caller destroys a->filter in any case. */
static int read_words(const struct ns_command_call *c, struct asked *a, struct ns_err *e)
{
	int rc = 0;

	*a = (struct asked){.top = TOP_DEFAULT, .by = live_flow_number("octets")};
	for (unsigned i = 0; i < c->argc && rc == 0; i += 2) {
		const char *word = c->argv[i];
		bool top = strcmp(word, "top") == 0, by = strcmp(word, "by") == 0;

		if (strcmp(word, "filter") == 0)
			return read_filter(c->argv + i + 1, c->argc - i - 1, a, e);
		if (!top && !by)
			return ns_fail(e, EINVAL,
				"\"%.40s\": expected top N, by FIELD or filter EXPRESSION", word);
		if (i + 1 == c->argc)
			return ns_fail(e, EINVAL, "\"%s\": %s is missing", word,
				top ? "how many" : "a field");
		if (top)
			rc = read_top(c->argv[i + 1], &a->top, e);
		else if ((a->by = live_flow_number(c->argv[i + 1])) == NULL)
			rc = unknown_number(c->argv[i + 1], e);
	}
	return rc;
}

static int list_begin(struct ns_command_call *c, const struct asked *a, struct ns_err *e)
{
	char *text = join(c->argv, c->argc);

	if (text == NULL)
		return ns_fail(e, ENOMEM, "no memory for a list of flows");
	if (sweep_begin(&list.sweep, c->engine, text))
		return 0;
	free(list.heap);
	free(list.slots);
	list.heap = malloc(a->top * sizeof(*list.heap));
	list.slots = malloc(a->top * sizeof(*list.slots));
	list.n = 0;
	list.top = a->top;
	list.matched = 0;
	if (list.heap != NULL && list.slots != NULL)
		return 0;
	list_clear();
	return ns_fail(e, ENOMEM, "no memory for a list of flows");
}

static int by_key(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? 1 : -1;
	return (x->slot > y->slot) - (x->slot < y->slot);
}

/* Largest first; the heap is a heap again when it is needed once more. */
static int list_show(struct ns_command_call *c, const struct asked *a, struct ns_err *e)
{
	const struct ns_rec_kind *k = live_flow_list_kind(a->by);
	struct place *order = malloc((list.n + 1) * sizeof(*order));

	if (order == NULL)
		return ns_fail(e, ENOMEM, "no memory for a list of flows");
	memcpy(order, list.heap, list.n * sizeof(*order));
	qsort(order, list.n, sizeof(*order), by_key);
	for (unsigned i = 0; i < list.n; i++) {
		struct live_flow l = list.slots[order[i].slot];

		if (l.flow.community_id[0] == '\0')
			ns_flow_record_ids(&l.flow, 1);
		ns_command_record(c, k, &l);
	}
	free(order);
	return 0;
}

static void list_say(struct ns_command_call *c, const struct asked *a)
{
	char looked[96], matched[32];

	sweep_text(&list.sweep, looked, sizeof(looked));
	ns_fmt_count(matched, sizeof(matched), (double)list.matched);
	if (list.sweep.done)
		ns_command_text(c, "%u of %s flows%s", list.n, matched,
			a->filter != NULL ? " that match" : "");
	else
		ns_command_text(c, "%u of %s flows%s; looked at %s, the same command goes on",
			list.n, matched, a->filter != NULL ? " that match" : "", looked);
}

static int show_flows(struct ns_command_call *c, struct ns_err *e)
{
	struct asked a;
	struct choosing how = {.asked = &a};
	int rc;

	if (c->engine == NULL)
		return ns_fail(e, ENOENT, "no engine runs");
	rc = read_words(c, &a, e);
	if (rc == 0)
		rc = list_begin(c, &a, e);
	if (rc == 0) {
		how.now = ns_engine_clock(c->engine);
		how.ids = a.filter != NULL && ns_rec_filter_reads(a.filter, "community_id");
		sweep_run(&list.sweep, SWEEP_NS, choose, &how);
		rc = list_show(c, &a, e);
		list_say(c, &a);
		if (list.sweep.done)
			list_clear();
	}
	ns_rec_filter_destroy(a.filter);
	return rc;
}

static void offer_filter(void *ctx, const char *word)
{
	ns_command_text(ctx, "%s", word);
}

static void complete_flows(struct ns_command_call *c)
{
	const char *before = c->argc > 1 ? c->argv[c->argc - 2] : "";
	bool top = false, by = false;

	if (c->argc == 0)
		return;
	for (unsigned i = 0; i + 1 < c->argc; i++) {
		if (strcmp(c->argv[i], "filter") == 0) {
			ns_rec_filter_offer(live_flow_kind(), c->argv + i + 1, c->argc - i - 1,
				offer_filter, c);
			return;
		}
		top = top || strcmp(c->argv[i], "top") == 0;
		by = by || strcmp(c->argv[i], "by") == 0;
	}
	if (strcmp(before, "by") == 0) {
		for (unsigned i = 0; live_flow_number_name(i) != NULL; i++)
			ns_command_offer(c, live_flow_number_name(i));
	} else if (strcmp(before, "top") != 0) {
		if (!top)
			ns_command_offer(c, "top");
		if (!by)
			ns_command_offer(c, "by");
		ns_command_offer(c, "filter");
	}
}

static struct ns_command flows = {.name = "show flows",
	.args = "[top N] [by FIELD] [filter EXPRESSION]",
	.help = "flows that go on, the largest first",
	.run = show_flows,
	.complete = complete_flows};
NS_COMMAND_REGISTER(flows)
