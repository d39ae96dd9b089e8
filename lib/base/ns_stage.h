/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Start in order, stop in the reverse of it: each init has its fini, and when one fails those
 * before it are undone.
 */

#include <ns_base.h>

struct ns_stage {
	const char *name;
	int (*init)(void *ctx, struct ns_err *e); /**< 0 or -errno with a message */
	void (*fini)(void *ctx); /**< NULL: nothing to undo */
};

/** Runs init of @p n stages in order; on failure undoes the earlier ones and returns the error. */
int ns_stages_up(const struct ns_stage *stages, size_t n, void *ctx, struct ns_err *e);

/** Runs fini in reverse order. */
void ns_stages_down(const struct ns_stage *stages, size_t n, void *ctx);
