/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One message of octets:
 *
 *	| head: version, node, boot, topic, seq, ...	| body: field 10, 11, 12 or 13 |
 *	| head, compression = ZSTD, packed = zstd(              body            )      |
 *
 * Both halves are Envelopes by themselves, as two messages one behind the other are their merger.
 * So the body is encoded first, compressed when that pays, and the head is put before it.
 *
 * It pays when an eighth is saved. Bodies that do not shrink so much will not shrink in the next
 * message either: after a failure the next 1, 2, 4, ... 64 bodies of this sort are not tried.
 */
#include "wire_priv.h"

#include <zstd.h>

#define BACK_OFF_MAX 64u
#define BOUND_MIN 256u /* tags and numbers around the tables */

struct ns_wire *ns_wire_create(const struct ns_wire_args *args, struct ns_err *e)
{
	struct ns_wire *w;

	if (args->zstd_level < 0 || args->zstd_level > 19) {
		ns_fail(e, EINVAL, "zstd level %d is not within 0-19", args->zstd_level);
		return NULL;
	}
	w = calloc(1, sizeof(*w));
	if (w != NULL) {
		w->args = *args;
		w->zstd = args->zstd_level > 0 ? ZSTD_createCCtx() : NULL;
	}
	if (w == NULL || (args->zstd_level > 0 && w->zstd == NULL)) {
		free(w);
		ns_fail(e, ENOMEM, "no memory for an encoder");
		return NULL;
	}
	return w;
}

void ns_wire_destroy(struct ns_wire *w)
{
	if (w == NULL)
		return;
	ZSTD_freeCCtx(w->zstd);
	wire_arena_destroy(&w->arena);
	free(w->body);
	free(w->out);
	free(w);
}

/* Makes room for @n octets whose old content does not matter. */
static int room(uint8_t **buf, size_t *size, size_t n)
{
	if (*size >= n)
		return 0;
	uint8_t *p = malloc(n + n / 4);

	if (p == NULL)
		return ns_errno_set(ENOMEM);
	free(*buf);
	*buf = p;
	*size = n + n / 4;
	return 0;
}

/* Whether compressing @body is worth a try this time. */
static bool worth_a_try(struct ns_wire *w, struct wire_try *t, size_t body)
{
	if (w->zstd == NULL || body < w->args.zstd_min)
		return false;
	if (t->skip == 0)
		return true;
	t->skip--;
	return false;
}

/* Compresses @n octets of w->body to @to: how many they are now, or 0 when it does not pay. */
static size_t compress(struct ns_wire *w, struct wire_try *t, uint8_t *to, size_t n)
{
	size_t most = n - n / 8;
	size_t z = ZSTD_compressCCtx(w->zstd, to, most, w->body, n, w->args.zstd_level);

	if (!ZSTD_isError(z)) {
		t->back_off = 0;
		return z;
	}
	t->back_off = t->back_off == 0 ? 1 : NS_MIN(2 * t->back_off, BACK_OFF_MAX);
	t->skip = t->back_off;
	return 0;
}

static void fill_head(struct ns_wire *w, pb_envelope *m, const struct ns_wire_head *h)
{
	netspectra__v1__envelope__init(m);
	m->version = NS_WIRE_VERSION;
	m->node = (char *)(uintptr_t)w->args.node;
	m->boot = (char *)(uintptr_t)w->args.boot;
	m->topic = (char *)(uintptr_t)h->topic;
	m->seq = h->seq;
	m->time_ns = h->time_ns;
}

/* The message out of its body; body->base.descriptor and the oneof are set, and w->bound. */
static int finish(struct ns_wire *w, const struct ns_wire_head *h, const pb_envelope *body,
	unsigned what, struct ns_wire_out *out)
{
	pb_envelope head;

	fill_head(w, &head, h);
	size_t head_max = netspectra__v1__envelope__get_packed_size(&head) + 32;

	if (room(&w->body, &w->body_size, w->bound) < 0)
		return -errno;
	size_t n = netspectra__v1__envelope__pack(body, w->body);

	if (room(&w->out, &w->out_size, head_max + n) < 0)
		return -errno;
	size_t z = worth_a_try(w, &w->tries[what], n)
			   ? compress(w, &w->tries[what], w->out + head_max, n)
			   : 0;

	if (z > 0) {
		/* tag and length of "packed" are put by the head, its octets are there already */
		head.compression = NETSPECTRA__V1__COMPRESSION__COMPRESSION_ZSTD;
	}
	size_t at = netspectra__v1__envelope__pack(&head, w->out);

	if (z > 0) {
		w->out[at++] = 9 << 3 | 2;
		for (size_t left = z; left > 0; left >>= 7)
			w->out[at++] = (uint8_t)((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
		memmove(w->out + at, w->out + head_max, z);
	} else {
		memcpy(w->out + at, w->body, n);
	}
	*out = (struct ns_wire_out){w->out, at + (z > 0 ? z : n), z > 0};
	return 0;
}

/* Begins a message. */
static void begin(struct ns_wire *w, pb_envelope *m)
{
	wire_arena_reset(&w->arena);
	w->bound = BOUND_MIN;
	netspectra__v1__envelope__init(m);
}

int ns_wire_flows(struct ns_wire *w, const struct ns_wire_head *h, const struct ns_wire_records *r,
	struct ns_wire_out *out)
{
	Netspectra__V1__FlowBatch flows = NETSPECTRA__V1__FLOW_BATCH__INIT;
	pb_envelope m;

	begin(w, &m);
	flows.records = wire_table(w, r);
	if (flows.records == NULL)
		return ns_errno_set(ENOMEM);
	m.body_case = NETSPECTRA__V1__ENVELOPE__BODY_FLOWS;
	m.flows = &flows;
	return finish(w, h, &m, NS_WIRE_FLOWS, out);
}

int ns_wire_task(struct ns_wire *w, const struct ns_wire_head *h, const struct ns_wire_task *t,
	struct ns_wire_out *out)
{
	Netspectra__V1__TaskResult task = NETSPECTRA__V1__TASK_RESULT__INIT;
	pb_envelope m;

	begin(w, &m);
	task.task = (char *)(uintptr_t)t->rows.kind->name;
	task.epoch = t->epoch;
	task.start_ns = t->start_ns;
	task.end_ns = t->end_ns;
	task.part = t->part;
	task.more = t->more;
	task.rows = wire_table(w, &t->rows);
	if (task.rows == NULL)
		return ns_errno_set(ENOMEM);
	w->bound += strlen(task.task);
	m.body_case = NETSPECTRA__V1__ENVELOPE__BODY_TASK;
	m.task = &task;
	return finish(w, h, &m, NS_WIRE_TASK, out);
}

int ns_wire_sketches(struct ns_wire *w, const struct ns_wire_head *h,
	const struct ns_wire_sketches *s, struct ns_wire_out *out)
{
	Netspectra__V1__TaskResult task = NETSPECTRA__V1__TASK_RESULT__INIT;
	pb_envelope m;

	begin(w, &m);
	task.task = (char *)(uintptr_t)s->task;
	task.epoch = s->epoch;
	task.start_ns = s->start_ns;
	task.end_ns = s->end_ns;
	task.sketches = (ProtobufCBinaryData){s->len, (uint8_t *)(uintptr_t)s->octets};
	w->bound += strlen(task.task) + s->len;
	m.body_case = NETSPECTRA__V1__ENVELOPE__BODY_TASK;
	m.task = &task;
	return finish(w, h, &m, WIRE_TRY_SKETCHES, out);
}

/* The three maps have entries of one layout. */
typedef Netspectra__V1__Epoch__DropsEntry pb_entry;

static int map(struct ns_wire *w, const struct ns_wire_counts *from,
	const ProtobufCMessageDescriptor *d, size_t *n, void *list)
{
	pb_entry **to = wire_alloc(&w->arena, from->n * sizeof(*to));
	pb_entry *entries = wire_alloc(&w->arena, from->n * sizeof(*entries));

	if (to == NULL || entries == NULL)
		return ns_errno_set(ENOMEM);
	for (unsigned i = 0; i < from->n; i++) {
		entries[i].base.descriptor = d;
		entries[i].key = (char *)(uintptr_t)from->counts[i].name;
		entries[i].value = from->counts[i].value;
		to[i] = &entries[i];
	}
	*n = from->n;
	memcpy(list, &to, sizeof(to));
	return 0;
}

int ns_wire_epoch(struct ns_wire *w, const struct ns_wire_head *h, const struct ns_wire_epoch *from,
	struct ns_wire_out *out)
{
	Netspectra__V1__Epoch ep = NETSPECTRA__V1__EPOCH__INIT;
	pb_envelope m;

	begin(w, &m);
	if (wire_fill(&w->arena, &ep.base, from->kind, from->record) < 0 ||
		map(w, &from->drops, &netspectra__v1__epoch__drops_entry__descriptor, &ep.n_drops,
			&ep.drops) < 0 ||
		map(w, &from->notes, &netspectra__v1__epoch__notes_entry__descriptor, &ep.n_notes,
			&ep.notes) < 0 ||
		map(w, &from->topics, &netspectra__v1__epoch__topics_entry__descriptor,
			&ep.n_topics, &ep.topics) < 0)
		return -errno;
	w->bound += netspectra__v1__epoch__get_packed_size(&ep);
	m.body_case = NETSPECTRA__V1__ENVELOPE__BODY_EPOCH;
	m.epoch = &ep;
	return finish(w, h, &m, NS_WIRE_EPOCH, out);
}

/* A list of messages, each from a record; they are of one size. */
static int messages(struct ns_wire *w, const struct ns_wire_records *from,
	const ProtobufCMessageDescriptor *d, size_t *n, void *list)
{
	ProtobufCMessage **to = wire_alloc(&w->arena, from->n * sizeof(*to));

	if (to == NULL)
		return ns_errno_set(ENOMEM);
	for (uint32_t i = 0; i < from->n; i++) {
		to[i] = wire_alloc(&w->arena, d->sizeof_message);
		if (to[i] == NULL)
			return ns_errno_set(ENOMEM);
		protobuf_c_message_init(d, to[i]);
		if (wire_fill(&w->arena, to[i], from->kind,
			    (const uint8_t *)from->records + i * from->kind->size) < 0)
			return -errno;
	}
	*n = from->n;
	memcpy(list, &to, sizeof(to));
	return 0;
}

int ns_wire_health(struct ns_wire *w, const struct ns_wire_head *h,
	const struct ns_wire_health *from, struct ns_wire_out *out)
{
	Netspectra__V1__Health l = NETSPECTRA__V1__HEALTH__INIT;
	pb_envelope m;

	begin(w, &m);
	l.epoch = from->epoch;
	if (messages(w, &from->lcores, &netspectra__v1__lcore__descriptor, &l.n_lcores, &l.lcores) <
			0 ||
		messages(w, &from->writers, &netspectra__v1__writer__descriptor, &l.n_writers,
			&l.writers) < 0)
		return -errno;
	w->bound += netspectra__v1__health__get_packed_size(&l);
	m.body_case = NETSPECTRA__V1__ENVELOPE__BODY_HEALTH;
	m.health = &l;
	return finish(w, h, &m, NS_WIRE_HEALTH, out);
}
