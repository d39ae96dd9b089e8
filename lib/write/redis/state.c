/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The transaction of an epoch, written while its records come:
 *
 *	MULTI
 *	DEL      every key that this writer has ever used
 *	HSET ... ZADD ... SADD ...
 *	PEXPIRE  every key that was used in this epoch
 *	EXEC
 *
 * Redis runs it as a whole: a reader sees one epoch or the next, and what is not told any more is
 * gone. Rows that come with the number of another epoch than those before them mean that records
 * between were lost: half an epoch is never written.
 */
#include "redis_priv.h"

#include <ns_node.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEYS_MAX 4096
#define KEY_MAX 256

static const char *const fixed[REDIS_FIXED] = {
	[REDIS_HEALTH] = "health",
	[REDIS_EPOCH] = "epoch",
	[REDIS_COUNTERS] = "counters",
	[REDIS_COUNTERS_EPOCH] = "counters:epoch",
	[REDIS_COUNTERS_DROPS] = "counters:drops",
	[REDIS_WRITERS] = "writers",
	[REDIS_TASKS] = "tasks",
	[REDIS_HOSTS] = "hosts",
	[REDIS_FLOWS] = "flows",
	[REDIS_FLOWS_ROWS] = "flows:rows",
};

static unsigned add_key(struct redis_state *s, const char *name)
{
	struct redis_key *keys = NULL;
	char *copy = NULL;

	if (s->keys_n < KEYS_MAX) {
		keys = realloc(s->keys, (s->keys_n + 1) * sizeof(*keys));
		copy = strdup(name);
	}
	if (keys != NULL)
		s->keys = keys;
	if (keys == NULL || copy == NULL) {
		free(copy);
		s->buf.failed = true;
		return REDIS_HEALTH;
	}
	s->keys[s->keys_n] = (struct redis_key){.name = copy};
	if (s->open)
		redis_command(&s->buf, (const char *[]){"DEL", copy}, 2);
	return s->keys_n++;
}

unsigned redis_state_key(struct redis_state *s, const char *suffix)
{
	char name[KEY_MAX];

	snprintf(name, sizeof(name), "ns:{%s}:%s", ns_node()->name, suffix);
	for (unsigned i = 0; i < s->keys_n; i++) {
		if (strcmp(s->keys[i].name, name) == 0)
			return i;
	}
	return add_key(s, name);
}

int redis_state_init(struct redis_state *s, const struct redis_conf *c, uint64_t epoch_ms,
	const struct ns_writer_stats *stats)
{
	*s = (struct redis_state){.conf = c,
		.epoch_ms = epoch_ms,
		.ttl_ms = epoch_ms * c->ttl_epochs,
		.stats = stats};
	for (unsigned i = 0; i < REDIS_FIXED; i++)
		redis_state_key(s, fixed[i]);
	if (s->buf.failed || redis_flows_init(&s->flows, c->flows) < 0) {
		redis_state_fini(s);
		return ns_errno_set(ENOMEM);
	}
	return 0;
}

void redis_state_fini(struct redis_state *s)
{
	for (unsigned i = 0; i < s->keys_n; i++)
		free(s->keys[i].name);
	free(s->keys);
	free(s->tasks);
	free(s->scratch);
	redis_flows_fini(&s->flows);
	redis_free(&s->buf);
	memset(s, 0, sizeof(*s));
}

char *redis_scratch(struct redis_state *s, size_t n)
{
	if (s->scratch_size < n) {
		char *p = realloc(s->scratch, n);

		if (p == NULL) {
			s->buf.failed = true;
			return NULL;
		}
		s->scratch = p;
		s->scratch_size = n;
	}
	return s->scratch;
}

void redis_on(struct redis_state *s, const char *command, unsigned key)
{
	s->keys[key].used = true;
	redis_begin(&s->buf, command);
	redis_text(&s->buf, s->keys[key].name);
}

void redis_fields(struct redis_state *s, const struct ns_rec_kind *k, const void *rec)
{
	char *text = redis_scratch(s, ns_rec_line_max(k));

	for (unsigned i = 0; i < k->fields_n && text != NULL; i++) {
		const struct ns_rec_field *f = &k->fields[i];

		if (ns_rec_is_empty(f, rec))
			continue;
		redis_text(&s->buf, f->name);
		redis_arg(&s->buf, text, (size_t)(ns_rec_put_text(text, f, rec) - text));
	}
}

void redis_json(struct redis_state *s, const struct ns_rec_kind *k, const void *rec)
{
	char *text = redis_scratch(s, ns_rec_line_max(k));

	/* without the newline */
	if (text != NULL)
		redis_arg(&s->buf, text, (size_t)(ns_rec_put_json_line(text, k, rec) - text - 1));
}

static void begin(struct redis_state *s)
{
	redis_clear(&s->buf);
	redis_command(&s->buf, (const char *[]){"MULTI"}, 1);
	redis_begin(&s->buf, "DEL");
	for (unsigned i = 0; i < s->keys_n; i++) {
		redis_text(&s->buf, s->keys[i].name);
		s->keys[i].used = false;
	}
	redis_end(&s->buf, 2);
	s->open = true;
}

void redis_state_next(struct redis_state *s)
{
	s->records = 0;
	s->open = s->known = false;
	s->flows_from = 0;
	for (unsigned i = 0; i < s->tasks_n; i++)
		s->tasks[i].given = s->tasks[i].kept = 0;
	redis_flows_clear(&s->flows);
}

static void discard(struct redis_state *s)
{
	s->lost += s->records;
	redis_state_next(s);
}

static void pair(struct redis_state *s, const char *name, const char *text)
{
	if (text[0] == '\0')
		return;
	redis_text(&s->buf, name);
	redis_text(&s->buf, text);
}

static void number(struct redis_state *s, const char *name, uint64_t v)
{
	redis_text(&s->buf, name);
	redis_number(&s->buf, v);
}

static void health(struct redis_state *s, const struct ns_epoch_rec *r)
{
	const struct ns_node *node = ns_node();

	redis_on(s, "HSET", REDIS_HEALTH);
	pair(s, "node", node->name);
	pair(s, "boot", node->boot);
	pair(s, "version", NS_VERSION);
	pair(s, "status", r->last != 0 ? "stopped" : r->paused != 0 ? "paused" : "running");
	number(s, "start_ns", node->start_ns);
	number(s, "epoch", r->epoch);
	number(s, "end_ns", r->end_ns);
	number(s, "epoch_ms", s->epoch_ms);
	number(s, "ttl_ms", s->ttl_ms);
	number(s, "writes", ++s->writes);
	number(s, "reconnects", ns_stat_get(&s->stats->reconnects));
	number(s, "lost", ns_stat_get(&s->stats->lost));
	pair(s, "flows_from", s->flows_from > 0 ? s->tasks[s->flows_from - 1].name : "ended flows");
	redis_end(&s->buf, 4);
}

static void expire(struct redis_state *s)
{
	for (unsigned i = 0; i < s->keys_n; i++) {
		if (!s->keys[i].used)
			continue;
		redis_begin(&s->buf, "PEXPIRE");
		redis_text(&s->buf, s->keys[i].name);
		redis_number(&s->buf, s->ttl_ms);
		redis_end(&s->buf, 3);
	}
}

static bool complete(struct redis_state *s, const struct ns_epoch_rec *r)
{
	if (s->known && s->epoch != r->epoch) {
		discard(s);
		return false;
	}
	redis_rows_end(s);
	redis_rows_flows(s);
	health(s, r);
	redis_on(s, "HSET", REDIS_EPOCH);
	redis_fields(s, &ns_epoch_rec_kind, r);
	redis_end(&s->buf, 4);
	expire(s);
	redis_command(&s->buf, (const char *[]){"EXEC"}, 1);
	if (s->buf.failed)
		discard(s);
	return !s->buf.failed;
}

/* A batch need not be aligned for all kinds. */
static void record(const struct ns_batch *b, uint32_t i, void *to, size_t size)
{
	memcpy(to, b->records + i * size, size);
}

static void counters(struct redis_state *s, const struct ns_batch *b)
{
	struct ns_counter_rec r;

	redis_on(s, "HSET", REDIS_COUNTERS);
	for (uint32_t i = 0; i < b->n; i++) {
		record(b, i, &r, sizeof(r));
		number(s, r.name, r.value);
	}
	redis_end(&s->buf, 4);
	redis_on(s, "HSET", REDIS_COUNTERS_EPOCH);
	for (uint32_t i = 0; i < b->n; i++) {
		record(b, i, &r, sizeof(r));
		number(s, r.name, r.epoch_value);
	}
	redis_end(&s->buf, 4);
	redis_on(s, "SADD", REDIS_COUNTERS_DROPS);
	for (uint32_t i = 0; i < b->n; i++) {
		record(b, i, &r, sizeof(r));
		if (r.drop != 0)
			redis_text(&s->buf, r.name);
	}
	redis_end(&s->buf, 3);
}

static void lcores(struct redis_state *s, const struct ns_batch *b)
{
	struct ns_lcore_rec r;
	char suffix[32];

	for (uint32_t i = 0; i < b->n; i++) {
		record(b, i, &r, sizeof(r));
		snprintf(suffix, sizeof(suffix), "lcore:%u", r.lcore);
		redis_on(s, "HSET", redis_state_key(s, suffix));
		redis_fields(s, b->kind, &r);
		redis_end(&s->buf, 4);
	}
}

static void writers(struct redis_state *s, const struct ns_batch *b)
{
	struct ns_writer_rec r;

	redis_on(s, "HSET", REDIS_WRITERS);
	for (uint32_t i = 0; i < b->n; i++) {
		record(b, i, &r, sizeof(r));
		redis_text(&s->buf, r.name);
		redis_json(s, b->kind, &r);
	}
	redis_end(&s->buf, 4);
}

/* Rows of another epoch than what came before: the end of that one was lost. */
static void check_epoch(struct redis_state *s, const struct ns_batch *b)
{
	const struct redis_task *t = redis_rows_task(s, b->kind);
	uint64_t epoch;

	if (t == NULL || t->epoch == NULL || !ns_rec_get_u64(t->epoch, b->records, &epoch))
		return;
	if (s->known && s->epoch != epoch)
		discard(s);
	s->known = true;
	s->epoch = epoch;
}

static bool is_flow(const struct redis_state *s, const struct ns_rec_kind *k)
{
	return k == s->flows.kind || strcmp(k->name, "flow") == 0;
}

bool redis_state_put(struct redis_state *s, const struct ns_batch *b)
{
	const struct ns_rec_kind *k = b->kind;

	if (b->n == 0)
		return false;
	if (is_flow(s, k)) {
		s->records += b->n;
		/* without memory the list of flows is shorter, that is all */
		redis_flows_put(&s->flows, b);
		return false;
	}
	if (!ns_state_kind(k))
		check_epoch(s, b);
	if (!s->open)
		begin(s);
	s->records += b->n;
	if (k == &ns_epoch_rec_kind) {
		struct ns_epoch_rec r;

		record(b, b->n - 1, &r, sizeof(r));
		return complete(s, &r);
	}
	if (k == &ns_counter_rec_kind)
		counters(s, b);
	else if (k == &ns_lcore_rec_kind)
		lcores(s, b);
	else if (k == &ns_writer_rec_kind)
		writers(s, b);
	else
		redis_rows(s, b);
	return false;
}
