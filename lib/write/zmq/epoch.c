/* SPDX-License-Identifier: BSD-3-Clause */
/* What comes in many batches and is one message: rows of a task, and the state of the engine. */
#include "zmq_priv.h"

#include <stdlib.h>
#include <string.h>

/* More rows than these are sent in parts. */
#define ROWS_MAX 4096u
#define GATHER_MIN 4096u /* octets */

/* Room for @octets; what is gathered stays. */
static bool grow(struct gather *g, size_t octets)
{
	if (octets <= g->size)
		return true;
	size_t size = NS_MAX(2 * octets, (size_t)GATHER_MIN);
	uint8_t *bigger = realloc(g->records, size);

	if (bigger == NULL)
		return false;
	g->records = bigger;
	g->size = size;
	return true;
}

/* Adds records of one kind to what is gathered; another kind begins anew. */
static bool add(
	struct gather *g, const struct ns_rec_kind *kind, const uint8_t *records, uint32_t n)
{
	if (g->kind != kind)
		g->n = 0;
	g->kind = kind;
	if (!grow(g, (g->n + (size_t)n) * kind->size) || g->records == NULL)
		return false;
	memcpy(g->records + g->n * kind->size, records, n * kind->size);
	g->n += n;
	return true;
}

static void rows_send(struct ns_writer *w, bool more)
{
	struct rows *r = &w->rows;
	struct topic *t = zmq_task_topic(w, r->g.kind);
	const struct ns_wire_task task = {.rows = {r->g.kind, r->g.records, r->g.n},
		.epoch = r->epoch,
		.start_ns = r->start_ns,
		.end_ns = r->end_ns,
		.part = r->part,
		.more = more};
	struct ns_wire_out o;

	if (t == NULL) {
		zmq_lost(w, r->g.n, "no memory for a topic");
		return;
	}
	struct ns_wire_head h = zmq_head(t);

	if (r->part++ == 0)
		zmq_topic_forget(t);
	if (ns_wire_task(w->wire, &h, &task, &o) < 0)
		zmq_lost(w, r->g.n, "no memory for a message");
	else
		zmq_publish(w, t, &o, r->g.n, true);
}

void zmq_rows_end(struct ns_writer *w)
{
	if (w->rows.g.n > 0)
		rows_send(w, false);
	w->rows.g.n = 0;
}

static uint64_t number(const struct ns_rec_kind *k, const char *name, const uint8_t *rec)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < k->fields_n; i++) {
		if (strcmp(k->fields[i].name, name) == 0 && ns_rec_get_u64(&k->fields[i], rec, &v))
			break;
	}
	return v;
}

/* One row; rows of another task or interval end what was gathered. */
static void put_row(struct ns_writer *w, const struct ns_rec_kind *k, const uint8_t *rec)
{
	struct rows *r = &w->rows;
	uint64_t start_ns = number(k, "start_ns", rec), end_ns = number(k, "end_ns", rec);
	uint64_t epoch = number(k, "epoch", rec);

	if (r->g.kind != k || r->epoch != epoch || r->start_ns != start_ns || r->end_ns != end_ns) {
		zmq_rows_end(w);
		r->part = 0;
		r->epoch = epoch;
		r->start_ns = start_ns;
		r->end_ns = end_ns;
	}
	if (r->g.n == ROWS_MAX) {
		rows_send(w, true);
		r->g.n = 0;
	}
	if (!add(&r->g, k, rec, 1))
		zmq_lost(w, 1, "no memory for rows");
}

void zmq_put_rows(struct ns_writer *w, const struct ns_batch *b)
{
	if ((w->topics_wanted & 1u << ZMQ_TASK) == 0)
		return;
	for (uint32_t i = 0; i < b->n; i++)
		put_row(w, b->kind, b->records + i * b->kind->size);
}

static struct ns_wire_records records_of(const struct gather *g)
{
	return (struct ns_wire_records){g->kind, g->records, g->n};
}

static void send_health(struct ns_writer *w, uint64_t epoch)
{
	const struct ns_wire_health l = {.epoch = epoch,
		.lcores = records_of(&w->lcores),
		.writers = records_of(&w->writers)};
	struct ns_wire_head h = zmq_head(w->health);
	struct ns_wire_out o;

	zmq_topic_forget(w->health);
	if (ns_wire_health(w->wire, &h, &l, &o) < 0)
		zmq_lost(w, w->lcores.n + w->writers.n, "no memory for a message");
	else
		zmq_publish(w, w->health, &o, w->lcores.n + w->writers.n, true);
}

/* Counters by what they are, and topics with their numbers. */
struct counts {
	struct ns_wire_count *drops, *notes, *topics;
	unsigned drops_n, notes_n, topics_n;
};

static void count_topic(struct counts *c, const struct topic *t)
{
	if (t->seq > 0)
		c->topics[c->topics_n++] = (struct ns_wire_count){t->name, t->seq};
}

static bool counts_make(struct counts *c, const struct ns_writer *w)
{
	const struct ns_counter_rec *r = (const void *)w->counters.records;
	unsigned tasks = 0;

	for (const struct topic *t = w->tasks; t != NULL; t = t->next)
		tasks++;
	for (const struct topic *t = w->sketches; t != NULL; t = t->next)
		tasks++;
	*c = (struct counts){
		.drops = calloc(2 * (size_t)w->counters.n + tasks + 2, sizeof(*c->drops))};
	if (c->drops == NULL)
		return false;
	c->notes = c->drops + w->counters.n;
	c->topics = c->notes + w->counters.n;
	for (uint32_t i = 0; i < w->counters.n; i++) {
		struct ns_wire_count one = {r[i].name, r[i].value};

		if (r[i].drop != 0)
			c->drops[c->drops_n++] = one;
		else
			c->notes[c->notes_n++] = one;
	}
	count_topic(c, w->flow);
	for (const struct topic *t = w->tasks; t != NULL; t = t->next)
		count_topic(c, t);
	for (const struct topic *t = w->sketches; t != NULL; t = t->next)
		count_topic(c, t);
	count_topic(c, w->health);
	return true;
}

static void send_epoch(struct ns_writer *w, const struct ns_rec_kind *kind, const uint8_t *rec)
{
	struct ns_wire_head h = zmq_head(w->epoch);
	struct ns_wire_out o;
	struct counts c;

	zmq_topic_forget(w->epoch);
	if (!counts_make(&c, w)) {
		zmq_lost(w, 1, "no memory for a message");
		return;
	}
	const struct ns_wire_epoch ep = {.kind = kind,
		.record = rec,
		.drops = {c.drops, c.drops_n},
		.notes = {c.notes, c.notes_n},
		.topics = {c.topics, c.topics_n}};

	if (ns_wire_epoch(w->wire, &h, &ep, &o) < 0)
		zmq_lost(w, 1, "no memory for a message");
	else
		zmq_publish(w, w->epoch, &o, 1, true);
	free(c.drops);
}

static void put_epoch(struct ns_writer *w, const struct ns_rec_kind *kind, const uint8_t *rec)
{
	if ((w->topics_wanted & 1u << ZMQ_HEALTH) != 0)
		send_health(w, number(kind, "epoch", rec));
	if ((w->topics_wanted & 1u << ZMQ_EPOCH) != 0)
		send_epoch(w, kind, rec);
	w->counters.n = 0;
	w->lcores.n = 0;
	w->writers.n = 0;
}

static struct gather *gather_of(struct ns_writer *w, const struct ns_rec_kind *kind)
{
	if (kind == &ns_counter_rec_kind)
		return &w->counters;
	return kind == &ns_lcore_rec_kind ? &w->lcores : &w->writers;
}

void zmq_put_state(struct ns_writer *w, const struct ns_batch *b)
{
	/* state comes behind the rows of all tasks */
	zmq_rows_end(w);
	if (b->kind != &ns_epoch_rec_kind) {
		if (!add(gather_of(w, b->kind), b->kind, b->records, b->n))
			zmq_lost(w, b->n, "no memory for the engine's state");
		return;
	}
	for (uint32_t i = 0; i < b->n; i++)
		put_epoch(w, b->kind, b->records + i * b->kind->size);
}
