/* SPDX-License-Identifier: BSD-3-Clause */
#include "terminal.h"

#include <signal.h>

#define PATIENCE_MS 2000

static void on_exit(uv_process_t *p, int64_t status, int sig)
{
	struct terminal *t = p->data;

	(void)status;
	(void)sig;
	t->running = false;
	uv_close((uv_handle_t *)p, NULL);
	t->ended(t->ctx);
}

int terminal_start(struct terminal *t, uv_loop_t *loop, const char *socket,
	void (*ended)(void *ctx), void *ctx, struct ns_err *e)
{
	char *args[] = {(char *)(uintptr_t)TERMINAL_NAME, (char *)(uintptr_t) "--owner",
		(char *)(uintptr_t) "-s", (char *)(uintptr_t)socket, NULL};
	uv_stdio_container_t stdio[3];

	for (int i = 0; i < 3; i++)
		stdio[i] = (uv_stdio_container_t){.flags = UV_INHERIT_FD, .data.fd = i};
	uv_process_options_t options = {.exit_cb = on_exit,
		.file = "/proc/self/exe",
		.args = args,
		.stdio_count = 3,
		.stdio = stdio};

	t->ended = ended;
	t->ctx = ctx;
	t->process.data = t;
	int rc = uv_spawn(loop, &t->process, &options);

	if (rc < 0) {
		uv_close((uv_handle_t *)&t->process, NULL);
		return ns_fail(e, -rc, "the console in this terminal: %s", uv_strerror(rc));
	}
	t->running = true;
	return 0;
}

static void on_timeout(uv_timer_t *timer)
{
	uv_process_kill(timer->data, SIGKILL);
}

void terminal_end(struct terminal *t)
{
	uv_loop_t *loop = t->process.loop;
	uv_timer_t timer;

	if (!t->running)
		return;
	uv_timer_init(loop, &timer);
	timer.data = &t->process;
	uv_timer_start(&timer, on_timeout, PATIENCE_MS, 0);
	while (t->running)
		uv_run(loop, UV_RUN_ONCE);
	uv_close((uv_handle_t *)&timer, NULL);
	uv_run(loop, UV_RUN_NOWAIT);
}
