/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Records become messages (lib/wire, proto/netspectra.proto) and go to whoever has subscribed.
 *
 *	put(flow)                      one FlowBatch each
 *	put(rows of a task) ...        gathered: one TaskResult for a task and interval (epoch.c)
 *	put(sketches of a task)        one TaskResult each (sketch.c)
 *	put(counter, lcore, writer)    gathered
 *	put(epoch)                     one Health, then one Epoch: all of the epoch is said
 *
 * Each topic counts its messages from 1. The number is taken before anything can fail: whatever is
 * not sent, for want of memory or of a reader, is a gap that the subscriber sees. Flow messages
 * that nobody listens to get their number too, and are not made.
 *
 * The last result of each task, the last Health and the last Epoch are kept, and sent again to who
 * comes late. ZeroMQ has no word for sending to one subscriber only, so all that listen to the
 * topic get them twice, marked as replayed and with the number that they had.
 */
#include "zmq_priv.h"

#include <ns_blob.h>
#include <ns_log.h>
#include <ns_node.h>
#include <ns_registry.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

NS_LOG_TYPE("write.zmq");

/* Many who join at once, or one who comes and goes, are not to fill the queues of all others. */
#define REPLAY_NS (NS_SEC_NS / 10)

/* @folder "": the name is the kind of its messages. */
static struct topic *topic_create(const struct ns_writer *w, const char *folder, const char *name)
{
	size_t size = strlen("ns//") + NS_NODE_NAME_MAX + strlen(folder) + strlen(name) + 1;
	struct topic *t = calloc(1, sizeof(*t) + size);

	if (t == NULL)
		return NULL;
	int len = snprintf(t->name, size, "ns/%s/%s%s", ns_node()->name, folder, name);

	if (*folder != '\0')
		t->task = t->name + len - strlen(name);
	t->end = &t->first;
	t->seq = zmq_past(w->target, t->name);
	return t;
}

void zmq_topic_forget(struct topic *t)
{
	while (t->first != NULL) {
		struct kept *k = t->first;

		t->first = k->next;
		free(k);
	}
	t->end = &t->first;
}

static void topic_destroy(const struct ns_writer *w, struct topic *t)
{
	if (t == NULL)
		return;
	zmq_past_keep(w->target, t->name, t->seq);
	zmq_topic_forget(t);
	free(t);
}

/* By name: a reload of the configuration makes the kinds of all tasks anew. */
static struct topic *topic_of(
	const struct ns_writer *w, struct topic **at, const char *folder, const char *name)
{
	while (*at != NULL && strcmp((*at)->task, name) != 0)
		at = &(*at)->next;
	if (*at == NULL)
		*at = topic_create(w, folder, name);
	return *at;
}

struct topic *zmq_task_topic(struct ns_writer *w, const struct ns_rec_kind *kind)
{
	return topic_of(w, &w->tasks, "task/", kind->name);
}

struct topic *zmq_sketch_topic(struct ns_writer *w, const char *task)
{
	return topic_of(w, &w->sketches, "sketch/", task);
}

struct ns_wire_head zmq_head(struct topic *t)
{
	return (struct ns_wire_head){.topic = t->name, .seq = ++t->seq, .time_ns = ns_clock_real()};
}

void zmq_lost(struct ns_writer *w, uint32_t records, const char *why)
{
	if (w->stats.lost == 0)
		NS_LOG(WARNING, "%s; from here on it is only counted", why);
	ns_stat_add(&w->stats.lost, records);
}

void zmq_keep(struct topic *t, const struct ns_wire_out *o)
{
	struct kept *k = malloc(sizeof(*k) + o->len + NS_WIRE_REPLAYED_LEN);

	/* who comes late does without */
	if (k == NULL)
		return;
	k->next = NULL;
	k->len = o->len + NS_WIRE_REPLAYED_LEN;
	memcpy(mempcpy(k->data, o->data, o->len), NS_WIRE_REPLAYED, NS_WIRE_REPLAYED_LEN);
	*t->end = k;
	t->end = &k->next;
}

void zmq_publish(struct ns_writer *w, struct topic *t, const struct ns_wire_out *o,
	uint32_t records, bool kept)
{
	if (pub_send(&w->pub, t->name, o->data, o->len, true) > 0)
		zmq_lost(w, records, "a reader does not keep up and loses messages");
	ns_stat_add(&w->stats.octets, o->len);
	if (kept)
		zmq_keep(t, o);
}

static bool local(const char *endpoint)
{
	static const char *const here[] = {"ipc://", "inproc://", "tcp://127.",
		"tcp://localhost:", "tcp://[::1]:", "tcp://lo:"};

	endpoint += *endpoint == '@';
	for (unsigned i = 0; i < NS_ARRAY_LEN(here); i++) {
		if (strncmp(endpoint, here[i], strlen(here[i])) == 0)
			return true;
	}
	return false;
}

/* Between two programs of one machine copying is cheaper than compressing. */
static bool leaves_machine(const char *target, const struct zmq_conf *c)
{
	bool leaves = false;

	for (const char *at = target; at != NULL; at = strchr(at, ',')) {
		at += *at == ',';
		leaves = leaves || !local(at);
	}
	for (uint32_t i = 0; i < c->push_count; i++)
		leaves = leaves || !local(c->push[i]);
	return leaves;
}

static int make(struct ns_writer *w, const char *target, struct ns_err *e)
{
	const struct zmq_conf *c = w->conf;
	bool pack = c->compression == ZMQ_PACK_ALWAYS ||
		    (c->compression == ZMQ_PACK_AUTO && leaves_machine(target, c));
	const struct ns_wire_args args = {.node = ns_node()->name,
		.boot = ns_node()->boot,
		.zstd_level = pack ? (int)c->level : 0,
		.zstd_min = c->compress_min};

	w->topics_wanted = zmq_topics(c);
	w->flow = topic_create(w, "", "flow");
	w->epoch = topic_create(w, "", "epoch");
	w->health = topic_create(w, "", "health");
	if (w->flow == NULL || w->epoch == NULL || w->health == NULL)
		return ns_fail(e, ENOMEM, "%s: no memory", target);
	w->wire = ns_wire_create(&args, e);
	return w->wire == NULL ? -errno : pub_open(&w->pub, target, c, e);
}

static void topics_destroy(const struct ns_writer *w, struct topic *t)
{
	while (t != NULL) {
		struct topic *next = t->next;

		topic_destroy(w, t);
		t = next;
	}
}

static void destroy(struct ns_writer *w)
{
	pub_close(&w->pub);
	ns_wire_destroy(w->wire);
	topic_destroy(w, w->flow);
	topic_destroy(w, w->epoch);
	topic_destroy(w, w->health);
	topics_destroy(w, w->tasks);
	topics_destroy(w, w->sketches);
	free(w->rows.g.records);
	free(w->counters.records);
	free(w->lcores.records);
	free(w->writers.records);
	free(w);
}

static struct ns_writer *zmq_writer_open(const struct ns_writer_args *args, struct ns_err *e)
{
	struct ns_writer *w = calloc(1, sizeof(*w));
	const struct zmq_conf *c = args->conf != NULL ? ns_conf_get(args->conf, "zmq") : NULL;

	if (w == NULL) {
		ns_fail(e, ENOMEM, "%s: no memory", args->target);
		return NULL;
	}
	w->conf = c != NULL ? c : &zmq_conf_defaults;
	w->target = args->target;
	if ((ns_node()->name[0] == '\0' && ns_node_init(NULL, e) < 0) ||
		make(w, args->target, e) < 0) {
		int err = errno;

		destroy(w);
		return ns_errno_null(err);
	}
	return w;
}

static void put_flows(struct ns_writer *w, const struct ns_batch *b)
{
	struct ns_wire_head h = zmq_head(w->flow);
	const struct ns_wire_records r = {b->kind, b->records, b->n};
	struct ns_wire_out o;

	if (!pub_wanted(&w->pub, w->flow->name))
		return;
	if (ns_wire_flows(w->wire, &h, &r, &o) < 0)
		zmq_lost(w, b->n, "no memory for a message");
	else
		zmq_publish(w, w->flow, &o, b->n, false);
}

static int zmq_put(struct ns_writer *w, const struct ns_batch *b, struct ns_err *e)
{
	if (b->n == 0)
		return 0;
	if (ns_state_kind(b->kind))
		zmq_put_state(w, b);
	else if (b->kind == &ns_blob_rec_kind)
		zmq_put_sketches(w, b);
	else if (strcmp(b->kind->name, "flow") != 0)
		zmq_put_rows(w, b);
	else if ((w->topics_wanted & 1u << ZMQ_FLOW) != 0)
		put_flows(w, b);
	return 0;
}

static void replay_topic(struct ns_writer *w, const struct topic *t, bool large)
{
	if (!pub_joined(&w->pub, t->name))
		return;
	for (const struct kept *k = t->first; k != NULL; k = k->next)
		if (large)
			pub_send_large(&w->pub, t->name, k->data, k->len, false);
		else
			pub_send(&w->pub, t->name, k->data, k->len, false);
}

static void replay(struct ns_writer *w)
{
	uint64_t now = ns_clock_mono();

	if (w->pub.joined_n == 0 || now - w->replay_ns < REPLAY_NS)
		return;
	w->replay_ns = now;
	for (const struct topic *t = w->tasks; t != NULL; t = t->next)
		replay_topic(w, t, false);
	for (const struct topic *t = w->sketches; t != NULL; t = t->next)
		replay_topic(w, t, true);
	replay_topic(w, w->health, false);
	replay_topic(w, w->epoch, false);
	pub_replayed(&w->pub);
}

static void zmq_idle(struct ns_writer *w)
{
	pub_serve(&w->pub);
	replay(w);
}

static const struct ns_writer_stats *zmq_stats(const struct ns_writer *w)
{
	return &w->stats;
}

static int zmq_flush(struct ns_writer *w, struct ns_err *e)
{
	zmq_rows_end(w);
	zmq_idle(w);
	return 0;
}

static int zmq_writer_close(struct ns_writer *w, struct ns_err *e)
{
	zmq_flush(w, e);
	destroy(w);
	return 0;
}

static const struct ns_writer_ops zmq_ops = {.wants = NS_WRITER_STATE | NS_WRITER_EPOCHS,
	.section = "zmq",
	.open = zmq_writer_open,
	.put = zmq_put,
	.idle = zmq_idle,
	.stats = zmq_stats,
	.flush = zmq_flush,
	.close = zmq_writer_close,
	.check = pub_check,
	.sketches = zmq_sketches};

static const struct ns_plugin zmq = {.kind = NS_WRITER_KIND,
	.name = "zmq",
	.summary =
		"messages for subscribers over ZeroMQ: zmq:tcp://127.0.0.1:5556, zmq:ipc:///PATH",
	.abi = NS_PLUGIN_ABI,
	.ops = &zmq_ops};

NS_PLUGIN_REGISTER(zmq)
