/* SPDX-License-Identifier: BSD-3-Clause */
/* Alive: epochs come. Ready: one is complete, ports are read, and every writer can write. */
#include "metrics_priv.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define EPOCHS_LATE 3
#define PATIENCE_MIN_NS NS_SEC_NS /* epochs of 10 ms must not make a short pause an alarm */

static uint64_t patience(const struct health *h)
{
	return NS_MAX(EPOCHS_LATE * h->epoch_ns, PATIENCE_MIN_NS);
}

uint64_t health_stalled(
	struct stall *s, const struct health *h, const struct ns_engine_state *st, uint64_t now_ns)
{
	uint64_t stalled = 0;

	for (unsigned i = 0; i < NS_MIN(st->writers_n, WRITERS_WATCHED); i++) {
		const struct ns_writer_rec *w = &st->writers[i];
		uint64_t *since = &s->writers[i].since_ns;

		if (w->queued == 0 || w->records != s->writers[i].records)
			*since = 0;
		else if (*since == 0)
			*since = now_ns;
		else if (now_ns - *since >= patience(h))
			stalled |= UINT64_C(1) << i;
		s->writers[i].records = w->records;
	}
	return stalled;
}

struct lines {
	char *text;
	size_t n;
};

NS_PRINTF(2, 3) static void add(struct lines *l, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(l->text + l->n, HEALTH_TEXT - l->n, fmt, ap);

	va_end(ap);
	if (n > 0)
		l->n = NS_MIN(l->n + (size_t)n, (size_t)HEALTH_TEXT - 1);
}

bool health_alive(const struct health *h, const struct copy *c, uint64_t now_ns, char *text)
{
	struct lines l = {text, 0};
	uint64_t since = c != NULL ? c->mono_ns : h->started_ns;
	uint64_t age = now_ns > since ? now_ns - since : 0;
	uint64_t limit = patience(h);

	if (c != NULL && c->st.epoch.last)
		add(&l, "the engine has stopped in order\n");
	else if (age > limit && c != NULL)
		add(&l, "the last complete epoch is %.1f s old; an epoch is %.3f s\n",
			(double)age / 1e9, (double)h->epoch_ns / 1e9);
	else if (age > limit)
		add(&l, "no epoch is complete %.1f s after the start; an epoch is %.3f s\n",
			(double)age / 1e9, (double)h->epoch_ns / 1e9);
	if (l.n > 0)
		return false;
	add(&l, "ok\n");
	return true;
}

bool health_ready(const struct copy *c, char *text)
{
	struct lines l = {text, 0};

	if (c == NULL)
		add(&l, "the first epoch is not complete yet\n");
	else if (c->st.epoch.last)
		add(&l, "the engine has stopped in order\n");
	else if (c->st.epoch.paused)
		add(&l, "ports are not read: somebody has said \"stop\"\n");
	for (unsigned i = 0; c != NULL && i < c->st.writers_n; i++) {
		const struct ns_writer_rec *w = &c->st.writers[i];

		if (strcmp(w->status, "ok") != 0)
			add(&l, "writer %s (%s) is %s%s%s\n", w->name, w->target, w->status,
				w->message[0] != '\0' ? ": " : "", w->message);
		else if (i < WRITERS_WATCHED && (c->stalled >> i & 1) != 0)
			add(&l, "writer %s (%s) stands still: %llu batches wait\n", w->name,
				w->target, (unsigned long long)w->queued);
	}
	if (l.n > 0)
		return false;
	add(&l, "ok\n");
	return true;
}
