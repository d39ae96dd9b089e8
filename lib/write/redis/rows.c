/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rows of tasks: a sorted set of keys by estimate, a hash of whole rows by rank, and a hash about
 * the task. A task gives its largest rows first, so the first ones are kept and the rest is only
 * counted. Batches become commands as they come; no row is kept.
 */
#include "redis_priv.h"

#include <ns_text.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct ns_rec_field *field(const struct ns_rec_kind *k, const char *name)
{
	for (unsigned i = 0; i < k->fields_n; i++) {
		if (strcmp(k->fields[i].name, name) == 0)
			return &k->fields[i];
	}
	return NULL;
}

/* Columns that all tasks have; they say when, not what. */
static bool is_head(const struct ns_rec_field *f)
{
	return strcmp(f->name, "start_ns") == 0 || strcmp(f->name, "end_ns") == 0 ||
	       strcmp(f->name, "epoch") == 0;
}

static bool is_key(const struct ns_rec_field *f)
{
	return (f->flags & NS_REC_KEY) != 0 && !is_head(f);
}

static const struct ns_rec_field *score_of(const struct ns_rec_kind *k)
{
	static const char *const names[] = {"estimate", "octets", "packets", "flows"};
	const struct ns_rec_field *f = NULL;

	for (unsigned i = 0; i < NS_ARRAY_LEN(names) && f == NULL; i++)
		f = field(k, names[i]);
	for (unsigned i = 0; i < k->fields_n && f == NULL; i++) {
		const struct ns_rec_field *n = &k->fields[i];

		if (!is_key(n) && !is_head(n) && (n->type <= NS_REC_F64))
			f = n;
	}
	return f;
}

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && strcmp(s + n - m, end) == 0;
}

static bool named(const char *want, const char *name)
{
	return want != NULL && strcmp(want, name) == 0;
}

static bool any(const char *want)
{
	return want == NULL || want[0] == '\0';
}

/* Who is told apart by the key: hosts by one address, flows by two with their ports. */
static void set_roles(struct redis_state *s, struct redis_task *t)
{
	unsigned keys = 0, ips = 0, ports = 0, protos = 0, src = 0;

	for (unsigned i = 0; i < t->kind->fields_n; i++) {
		const struct ns_rec_field *f = &t->kind->fields[i];

		if (!is_key(f))
			continue;
		keys++;
		ips += f->type == NS_REC_IP;
		ports += ends_with(f->name, "_port");
		protos += f->type == NS_REC_PROTO;
		src += strcmp(f->name, "src_ip") == 0;
	}
	t->keyed = keys > 0;
	t->five = any(s->conf->flows_from) ? ips == 2 && ports == 2 && protos == 1
					   : named(s->conf->flows_from, t->kind->name);
	if (!any(s->conf->hosts_from))
		t->host = named(s->conf->hosts_from, t->kind->name);
	else if (keys == 1 && ips == 1 && t->score != NULL)
		t->host = 1 + 2 * (src == 1) + (strcmp(t->score->unit, "octets") == 0);
}

static unsigned key_of(struct redis_state *s, const struct redis_task *t, const char *what)
{
	char suffix[160];

	snprintf(suffix, sizeof(suffix), "task:%s%s", t->kind->name, what);
	return redis_state_key(s, suffix);
}

/* The entry of the task of that name, which a reload may have changed, or a new one. */
static struct redis_task *entry(struct redis_state *s, const char *name)
{
	struct redis_task *tasks;

	for (unsigned i = 0; i < s->tasks_n; i++) {
		if (strcmp(s->tasks[i].name, name) == 0)
			return &s->tasks[i];
	}
	tasks = realloc(s->tasks, (s->tasks_n + 1) * sizeof(*tasks));
	if (tasks == NULL)
		return NULL;
	s->tasks = tasks;
	return &tasks[s->tasks_n];
}

static struct redis_task *add_task(struct redis_state *s, const struct ns_rec_kind *k)
{
	struct redis_task *t = entry(s, k->name);

	if (t == NULL) {
		s->buf.failed = true;
		return NULL;
	}
	*t = (struct redis_task){.kind = k,
		.score = score_of(k),
		.epoch = field(k, "epoch"),
		.rest = field(k, "overflow"),
		.text_max = ns_rec_line_max(k)};
	snprintf(t->name, sizeof(t->name), "%s", k->name);
	if (t->rest == NULL)
		t->rest = field(k, "other");
	set_roles(s, t);
	t->meta = key_of(s, t, "");
	t->top = key_of(s, t, ":top");
	t->rows = key_of(s, t, ":rows");
	if (s->buf.failed)
		t->kind = NULL; /* a key of it is not there; the next epoch tries again */
	else if (t == &s->tasks[s->tasks_n])
		s->tasks_n++;
	return t->kind != NULL ? t : NULL;
}

struct redis_task *redis_rows_task(struct redis_state *s, const struct ns_rec_kind *k)
{
	for (unsigned i = 0; i < s->tasks_n; i++) {
		if (s->tasks[i].kind == k)
			return &s->tasks[i];
	}
	return add_task(s, k);
}

static char *put_value(char *p, const struct ns_rec_field *f, const void *rec)
{
	return ns_rec_is_empty(f, rec) ? ns_put_str(p, "none") : ns_rec_put_text(p, f, rec);
}

/* The key of a row as it is given to `sketch`: its columns with blanks between them. */
static char *put_key(char *p, const struct ns_rec_kind *k, const void *rec)
{
	const char *first = p;

	for (unsigned i = 0; i < k->fields_n; i++) {
		if (!is_key(&k->fields[i]))
			continue;
		if (p != first)
			*p++ = ' ';
		p = put_value(p, &k->fields[i], rec);
	}
	return p;
}

static bool is_rest(const struct redis_task *t, const void *rec)
{
	uint64_t v = 0;

	return t->rest != NULL && ns_rec_get_u64(t->rest, rec, &v) && v != 0;
}

static void scores(struct redis_state *s, const struct redis_task *t, unsigned key,
	const struct ns_batch *b, uint32_t n)
{
	const uint8_t *rec = b->records;
	/* a value that is not there takes four characters more than none */
	char *text = redis_scratch(s, t->text_max + t->kind->fields_n * (size_t)8);

	if (text == NULL || t->score == NULL || !t->keyed || n == 0)
		return;
	redis_on(s, "ZADD", key);
	for (uint32_t i = 0; i < n; i++, rec += t->kind->size) {
		if (ns_rec_is_empty(t->score, rec) || is_rest(t, rec))
			continue;
		redis_arg(&s->buf, text, (size_t)(ns_rec_put_text(text, t->score, rec) - text));
		redis_arg(&s->buf, text, (size_t)(put_key(text, t->kind, rec) - text));
	}
	redis_end(&s->buf, 4);
}

static void whole_rows(struct redis_state *s, const struct redis_task *t, unsigned key,
	const struct ns_batch *b, uint32_t n)
{
	if (n == 0)
		return;
	redis_on(s, "HSET", key);
	for (uint32_t i = 0; i < n; i++) {
		redis_number(&s->buf, t->given + i + 1);
		redis_json(s, t->kind, b->records + i * t->kind->size);
	}
	redis_end(&s->buf, 4);
}

static uint32_t still(uint64_t given, uint32_t n, uint32_t most)
{
	return given >= most ? 0 : (uint32_t)NS_MIN(most - given, (uint64_t)n);
}

void redis_rows(struct redis_state *s, const struct ns_batch *b)
{
	struct redis_task *t = redis_rows_task(s, b->kind);

	if (t == NULL)
		return;
	uint32_t top = still(t->given, b->n, s->conf->top);

	if (t->given == 0 && !t->keyed) {
		redis_on(s, "HSET", t->meta);
		redis_fields(s, t->kind, b->records);
		redis_end(&s->buf, 4);
	}
	scores(s, t, t->top, b, top);
	whole_rows(s, t, t->rows, b, top);
	unsigned place = (unsigned)(t - s->tasks) + 1;

	if (t->five && (s->flows_from == 0 || s->flows_from == place)) {
		s->flows_from = place;

		uint32_t flows = still(t->given, b->n, s->conf->flows);

		scores(s, t, REDIS_FLOWS, b, flows);
		whole_rows(s, t, REDIS_FLOWS_ROWS, b, flows);
	}
	t->given += b->n;
	t->kept += top;
}

static void pair(struct redis_state *s, const char *name, const char *text)
{
	if (text == NULL || text[0] == '\0')
		return;
	redis_text(&s->buf, name);
	redis_text(&s->buf, text);
}

/* "src_ip dst_port" */
static void key_names(struct redis_state *s, const struct ns_rec_kind *k)
{
	char text[256];
	size_t n = 0;

	for (unsigned i = 0; i < k->fields_n; i++) {
		const char *name = k->fields[i].name;

		if (is_key(&k->fields[i]) && n + strlen(name) + 2 < sizeof(text))
			n += (size_t)snprintf(
				text + n, sizeof(text) - n, "%s%s", n > 0 ? " " : "", name);
	}
	if (n > 0)
		pair(s, "key", text);
}

static void about(struct redis_state *s, const struct redis_task *t)
{
	redis_on(s, "HSET", t->meta);
	pair(s, "help", t->kind->help);
	key_names(s, t->kind);
	if (t->score != NULL) {
		pair(s, "score", t->score->name);
		pair(s, "unit", t->score->unit);
	}
	redis_text(&s->buf, "epoch");
	redis_number(&s->buf, s->epoch);
	redis_text(&s->buf, "rows");
	redis_number(&s->buf, t->given);
	redis_text(&s->buf, "kept");
	redis_number(&s->buf, t->kept);
	redis_end(&s->buf, 4);
}

static void hosts(struct redis_state *s)
{
	const struct redis_task *best = NULL;

	for (unsigned i = 0; i < s->tasks_n; i++) {
		const struct redis_task *t = &s->tasks[i];

		if (t->given > 0 && t->host > (best != NULL ? best->host : 0))
			best = t;
	}
	if (best == NULL || !s->keys[best->top].used)
		return;
	redis_begin(&s->buf, "ZUNIONSTORE");
	redis_text(&s->buf, s->keys[REDIS_HOSTS].name);
	redis_text(&s->buf, "1");
	redis_text(&s->buf, s->keys[best->top].name);
	redis_end(&s->buf, 4);
	s->keys[REDIS_HOSTS].used = true;
	redis_on(s, "HSET", REDIS_HEALTH);
	pair(s, "hosts_from", best->kind->name);
	redis_end(&s->buf, 4);
}

void redis_rows_end(struct redis_state *s)
{
	redis_on(s, "SADD", REDIS_TASKS);
	for (unsigned i = 0; i < s->tasks_n; i++) {
		if (s->tasks[i].given > 0)
			redis_text(&s->buf, s->tasks[i].kind->name);
	}
	redis_end(&s->buf, 3);
	for (unsigned i = 0; i < s->tasks_n; i++) {
		if (s->tasks[i].given > 0)
			about(s, &s->tasks[i]);
	}
	hosts(s);
}

static const char *const flow_key[] = {"src_ip", "dst_ip", "src_port", "dst_port", "proto"};

static char *put_flow_key(char *p, const struct ns_rec_kind *k, const void *rec)
{
	const char *first = p;

	for (unsigned i = 0; i < NS_ARRAY_LEN(flow_key); i++) {
		const struct ns_rec_field *f = field(k, flow_key[i]);

		if (f == NULL)
			continue;
		if (p != first)
			*p++ = ' ';
		p = put_value(p, f, rec);
	}
	return p;
}

void redis_rows_flows(struct redis_state *s)
{
	struct redis_flows *f = &s->flows;
	char *text;

	if (s->flows_from > 0 || f->n == 0)
		return;
	text = redis_scratch(s, ns_rec_line_max(f->kind) + 64);
	if (text == NULL)
		return;
	/* the least first: where two have the same key, the larger one stays */
	redis_flows_sort(f);
	redis_on(s, "ZADD", REDIS_FLOWS);
	for (uint32_t i = 0; i < f->n; i++) {
		const uint8_t *rec = f->records + f->heap[i].slot * f->size;

		redis_number(&s->buf, f->heap[i].weight);
		redis_arg(&s->buf, text, (size_t)(put_flow_key(text, f->kind, rec) - text));
	}
	redis_end(&s->buf, 4);
	redis_on(s, "HSET", REDIS_FLOWS_ROWS);
	for (uint32_t i = f->n; i-- > 0;) {
		redis_number(&s->buf, f->n - i);
		redis_json(s, f->kind, f->records + f->heap[i].slot * f->size);
	}
	redis_end(&s->buf, 4);
}
