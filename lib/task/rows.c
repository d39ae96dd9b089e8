/* SPDX-License-Identifier: BSD-3-Clause */
/* Rows: a record of the task's own kind for each line of its result. Control lcore. */
#include "task_ops.h"

#include <ns_decode.h>
#include <ns_text.h>

#include <math.h>
#include <stdlib.h>

struct ns_task_out {
	const struct ns_task_build *task;
	const struct ns_task_span *span;
	ns_task_row_fn row;
	void *ctx;
	uint8_t *buf; /* one row of any task */
	int rc; /* what the taker said first */
};

static void put(void *row, int offset, const void *v, size_t n)
{
	memcpy((uint8_t *)row + offset, v, n);
}

void *ns_task_row(struct ns_task_out *o)
{
	const struct ns_rec_field *c = o->task->cols;

	memset(o->buf, 0, o->task->kind.size);
	put(o->buf, c[0].offset, &o->span->start_ns, 8);
	put(o->buf, c[1].offset, &o->span->end_ns, 8);
	put(o->buf, c[2].offset, &o->span->epoch, 8);
	return o->buf;
}

void ns_task_row_end(struct ns_task_out *o)
{
	if (o->rc >= 0)
		o->rc = o->row(o->ctx, o->task->shown, o->buf);
}

uint64_t ns_task_out_span(const struct ns_task_out *o)
{
	return o->span->end_ns > o->span->start_ns ? o->span->end_ns - o->span->start_ns : 1;
}

void ns_task_row_u64(void *row, int offset, uint64_t v)
{
	if (offset >= 0)
		put(row, offset, &v, sizeof(v));
}

void ns_task_row_f64(void *row, int offset, double v)
{
	if (offset >= 0)
		put(row, offset, &v, sizeof(v));
}

static struct ns_ip get_ip(const uint8_t *key)
{
	struct ns_ip ip = {.ver = 6};
	uint64_t w[2];

	memcpy(w, key, sizeof(w));
	if (w[0] == 0 && (w[1] & UINT32_MAX) == TASK_V4_MARK) {
		ip.ver = 4;
		memcpy(ip.addr, key + 12, 4);
	} else if (w[0] == 0 && w[1] == TASK_NO_ADDR) {
		ip.ver = 0;
	} else {
		memcpy(ip.addr, key, 16);
	}
	return ip;
}

static void put_part(uint8_t *to, const struct task_part *p, const uint8_t *key)
{
	const struct task_field *f = &p->field;

	key += p->at;
	if (f->type == NS_REC_IP) {
		struct ns_ip ip = get_ip(key);

		memcpy(to, &ip, sizeof(ip));
	} else if (f->type == NS_REC_PREFIX) {
		struct ns_prefix x = {.ip = get_ip(key)};

		x.len = x.ip.ver == 4 ? p->mask.len4 : x.ip.ver == 6 ? p->mask.len6 : 0;
		memcpy(to, &x, sizeof(x));
	} else if (f->code == TASK_CODE_VLAN) {
		struct ns_vlans v = {0};
		uint16_t id[2];

		memcpy(id, key, sizeof(id));
		for (unsigned i = 0; i < 2 && id[i] != 0; i++)
			v.id[v.n++] = (uint16_t)(id[i] - 1);
		memcpy(to, &v, sizeof(v));
	} else if (f->code == TASK_CODE_TUNNEL) {
		uint32_t w[2];
		char text[40], *s;

		/* as in the flow's record */
		memcpy(w, key, sizeof(w));
		const char *name = ns_decoder_tunnel_name((uint8_t)w[0]);
		size_t n = strnlen(name, f->size - 13u);

		memcpy(text, name, n);
		s = text + n;
		if (w[1] != 0 && w[0] != 0) {
			*s++ = ':';
			s = ns_put_u64(s, w[1]);
		}
		memcpy(to, text, (size_t)(s - text));
	} else {
		memcpy(to, key, f->size);
	}
}

void ns_task_row_key(struct ns_task_out *o, void *row, unsigned key, const uint8_t *octets)
{
	const struct task_key *k;

	if (key >= o->task->keys_n)
		return;
	k = o->task->keys[key];
	for (unsigned i = 0; i < k->parts_n; i++) {
		if (o->task->part_at[key][i] != 0)
			put_part((uint8_t *)row + o->task->part_at[key][i], &k->parts[i], octets);
	}
}

static uint64_t whole(double v)
{
	if (!(v > 0))
		return 0;
	return v >= 0x1p64 ? UINT64_MAX : (uint64_t)(v + 0.5 < 0x1p64 ? v + 0.5 : v);
}

static void put_number(void *row, int offset, enum ns_rec_type type, double v)
{
	if (type == NS_REC_U64)
		ns_task_row_u64(row, offset, whole(v));
	else
		ns_task_row_f64(row, offset, v);
}

static void put_whole(void *row, int offset, enum ns_rec_type type, uint64_t v)
{
	if (type == NS_REC_U64)
		ns_task_row_u64(row, offset, v);
	else
		ns_task_row_f64(row, offset, (double)v);
}

/* Until the exact value is given it is not known. */
static void no_exact(void *row, const struct ns_task_estimate *c)
{
	if (c->type == NS_REC_F64)
		ns_task_row_f64(row, c->exact, NAN);
	ns_task_row_f64(row, c->error, NAN);
}

void ns_task_row_estimate(void *row, const struct ns_task_estimate *c, double estimate, double low,
	double high, double confidence)
{
	put_number(row, c->estimate, c->type, estimate);
	put_number(row, c->lower, c->type, low);
	put_number(row, c->upper, c->type, high);
	ns_task_row_f64(row, c->confidence, confidence);
	no_exact(row, c);
}

void ns_task_row_estimate_u64(void *row, const struct ns_task_estimate *c, uint64_t estimate,
	uint64_t low, uint64_t high, double confidence)
{
	put_whole(row, c->estimate, c->type, estimate);
	put_whole(row, c->lower, c->type, low);
	put_whole(row, c->upper, c->type, high);
	ns_task_row_f64(row, c->confidence, confidence);
	no_exact(row, c);
}

/* The estimate that the row holds; its difference from an exact integer has no rounding. */
static double difference(const void *row, const struct ns_task_estimate *c, double exact)
{
	double v;

	memcpy(&v, (const uint8_t *)row + c->estimate, sizeof(v));
	if (c->type == NS_REC_U64) {
		uint64_t u;

		memcpy(&u, (const uint8_t *)row + c->estimate, sizeof(u));
		v = (double)u;
	}
	return v - exact;
}

static void put_error(void *row, const struct ns_task_estimate *c, double diff, double exact)
{
	/* of nothing there is no part */
	ns_task_row_f64(row, c->error, exact != 0 ? diff / exact : diff == 0 ? 0 : NAN);
}

void ns_task_row_exact(void *row, const struct ns_task_estimate *c, double exact)
{
	if (c->exact < 0)
		return;
	put_number(row, c->exact, c->type, exact);
	put_error(row, c, difference(row, c, exact), exact);
}

void ns_task_row_exact_u64(void *row, const struct ns_task_estimate *c, uint64_t exact)
{
	double diff;

	if (c->exact < 0)
		return;
	put_whole(row, c->exact, c->type, exact);
	if (c->type == NS_REC_U64) {
		uint64_t u;

		memcpy(&u, (const uint8_t *)row + c->estimate, sizeof(u));
		diff = u >= exact ? (double)(u - exact) : -(double)(exact - u);
	} else {
		diff = difference(row, c, (double)exact);
	}
	put_error(row, c, diff, (double)exact);
}

int ns_tasks_result(const struct ns_tasks *ts, const void *state, const struct ns_task_span *span,
	ns_task_row_fn row, void *ctx)
{
	size_t most = 1;
	int rc = 0;

	for (unsigned i = 0; i < ts->tasks_n; i++)
		most = NS_MAX(most, ts->tasks[i]->kind.size);
	uint8_t *buf = malloc(most);

	if (buf == NULL)
		return ns_errno_set(ENOMEM);
	for (unsigned i = 0; i < ts->tasks_n && rc >= 0; i++) {
		const struct ns_task_build *b = ts->tasks[i];
		struct ns_task_out o = {
			.task = b, .span = span, .row = row, .ctx = ctx, .buf = buf};

		rc = b->ops->result(b->self, (const uint8_t *)state + b->state_at, &o);
		if (o.rc < 0)
			rc = o.rc;
	}
	free(buf);
	return rc < 0 ? ns_errno_set(-rc) : 0;
}
