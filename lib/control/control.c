/* SPDX-License-Identifier: BSD-3-Clause */
/* The loop, and what the engine wants of it. Main thread. */
#include <ns_control.h>
#include <ns_log.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>

NS_LOG_TYPE("control");

#define PATIENCE_NS (2 * NS_SEC_NS)

struct ns_control {
	uv_loop_t loop;
	uv_timer_t timer;
	uv_poll_t wake;
	uv_signal_t signals[3];
	struct ns_engine *en;
	bool ended;
	uint64_t asked_ns; /* monotonic: the first signal; 0: none */
	bool any; /* an epoch was complete */
	uint64_t epoch; /* number of the last one that hooks were told of */
	struct {
		ns_control_epoch_fn fn;
		void *ctx;
	} hooks[NS_CONTROL_HOOKS];
	unsigned hooks_n;
	ns_control_reload_fn reload;
	void *reload_ctx;
};

static const int taken[] = {SIGINT, SIGTERM, SIGHUP};

/* Tells of a complete epoch, once. */
static void tell(struct ns_control *c)
{
	const struct ns_engine_state *s = ns_engine_state(c->en);

	if (s == NULL || (c->any && s->epoch.epoch == c->epoch && !s->epoch.last))
		return;
	c->any = true;
	c->epoch = s->epoch.epoch;
	for (unsigned i = 0; i < c->hooks_n; i++)
		c->hooks[i].fn(c->hooks[i].ctx, c->en, s);
}

static void on_timer(uv_timer_t *t);

/* The timer counts milliseconds: what is due earlier is looked after a little later. */
static void step(struct ns_control *c)
{
	uint64_t wake_ns = 0;

	if (c->ended)
		return;
	if (ns_engine_step(c->en, &wake_ns) == NS_ENGINE_ENDED) {
		c->ended = true;
		uv_stop(&c->loop);
		return;
	}
	tell(c);

	uint64_t now = ns_clock_mono();

	uv_update_time(&c->loop);
	uv_timer_start(
		&c->timer, on_timer, wake_ns > now ? (wake_ns - now + 999999) / 1000000 : 0, 0);
}

static void on_timer(uv_timer_t *t)
{
	step(t->data);
}

static void on_wake(uv_poll_t *p, int status, int events)
{
	step(p->data);
}

static void on_signal(uv_signal_t *s, int sig)
{
	struct ns_control *c = s->data;
	uint64_t now = ns_clock_mono();

	if (sig == SIGHUP) {
		if (c->reload != NULL)
			c->reload(c->reload_ctx, c->en);
		else
			NS_LOG(WARNING, "SIGHUP: there is nothing to read again");
		return;
	}
	if (c->asked_ns != 0 && now - c->asked_ns >= PATIENCE_NS) {
		/* who asks again means it */
		signal(sig, SIG_DFL);
		raise(sig);
		return;
	}
	if (c->asked_ns == 0)
		c->asked_ns = now;
	ns_engine_stop(c->en);
}

struct ns_control *ns_control_create(struct ns_engine *en, struct ns_err *e)
{
	struct ns_control *c = calloc(1, sizeof(*c));
	int rc = c != NULL ? uv_loop_init(&c->loop) : UV_ENOMEM;

	if (rc < 0) {
		free(c);
		ns_fail(e, -rc, "event loop: %s", uv_strerror(rc));
		return NULL;
	}
	c->en = en;
	uv_timer_init(&c->loop, &c->timer);
	c->timer.data = c;
	c->wake.data = c;
	rc = uv_poll_init(&c->loop, &c->wake, ns_engine_fd(en));
	for (unsigned i = 0; rc == 0 && i < NS_ARRAY_LEN(taken); i++) {
		c->signals[i].data = c;
		rc = uv_signal_init(&c->loop, &c->signals[i]);
		/* from now on: who asks for a stop before the start is heard when it has started */
		if (rc == 0)
			rc = uv_signal_start(&c->signals[i], on_signal, taken[i]);
	}
	if (rc < 0) {
		ns_fail(e, -rc, "event loop: %s", uv_strerror(rc));
		ns_control_destroy(c);
		return ns_errno_null(-rc);
	}
	return c;
}

uv_loop_t *ns_control_loop(struct ns_control *c)
{
	return &c->loop;
}

int ns_control_on_epoch(struct ns_control *c, ns_control_epoch_fn fn, void *ctx)
{
	if (c->hooks_n == NS_CONTROL_HOOKS)
		return ns_errno_set(ENOSPC);
	c->hooks[c->hooks_n].fn = fn;
	c->hooks[c->hooks_n].ctx = ctx;
	c->hooks_n++;
	return 0;
}

void ns_control_on_reload(struct ns_control *c, ns_control_reload_fn fn, void *ctx)
{
	c->reload = fn;
	c->reload_ctx = ctx;
}

int ns_control_run(struct ns_control *c, struct ns_err *e)
{
	struct ns_err late;
	int rc = ns_engine_start(c->en, e);

	if (rc == 0) {
		uv_poll_start(&c->wake, UV_READABLE, on_wake);
		step(c);
		while (!c->ended)
			uv_run(&c->loop, UV_RUN_DEFAULT);
	}
	int end = ns_engine_finish(c->en, rc == 0 ? e : &late);

	tell(c);
	return rc < 0 ? ns_errno_set(-rc) : end;
}

static void close_handle(uv_handle_t *h, void *ctx)
{
	if (!uv_is_closing(h))
		uv_close(h, NULL);
}

/* Handles of others that are still on the loop are closed too, without telling them. */
void ns_control_destroy(struct ns_control *c)
{
	if (c == NULL)
		return;
	uv_walk(&c->loop, close_handle, NULL);
	uv_run(&c->loop, UV_RUN_DEFAULT);
	if (uv_loop_close(&c->loop) < 0)
		NS_LOG(ERR, "the event loop is still in use");
	free(c);
}
