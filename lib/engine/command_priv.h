/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <ns_command.h>
#include <ns_engine.h>
#include <ns_state.h>

/* The state of the last complete epoch; NULL with ENOENT without an engine, EAGAIN before it. */
const struct ns_engine_state *engine_command_state(struct ns_command_call *c, struct ns_err *e);

/* After "clear": what came since then, as a record; otherwise nothing. */
void engine_command_since_clear(struct ns_command_call *c, const struct ns_engine_state *s);
