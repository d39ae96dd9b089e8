/* SPDX-License-Identifier: BSD-3-Clause */
/* start, stop, shutdown: whether ports are read, and the end of it all. Main thread. */
#include "command_priv.h"

#define STOP_MS 80 /* that "stop" waits for the lcores, so that its answer is true */

static int no_engine(struct ns_err *e)
{
	return ns_fail(e, ENOENT, "no engine runs");
}

static int stop(struct ns_command_call *c, struct ns_err *e)
{
	unsigned reading = 0;
	int rc =
		c->engine == NULL ? no_engine(e) : ns_engine_pause(c->engine, STOP_MS, &reading, e);

	if (rc < 0)
		return rc;
	if (reading > 0)
		ns_command_text(c, "asked to stop reading ports; %u lcores still read", reading);
	else
		ns_command_text(c,
			"ports are not read any more, until \"start\" (\"shutdown\" ends "
			"the engine)");
	return 0;
}

static int start(struct ns_command_call *c, struct ns_err *e)
{
	uint64_t missed = 0;
	int rc = c->engine == NULL ? no_engine(e) : ns_engine_resume(c->engine, &missed, e);

	if (rc < 0)
		return rc;
	ns_command_text(c, "ports are read again; they lost %llu packets meanwhile",
		(unsigned long long)missed);
	return 0;
}

static int shut_down(struct ns_command_call *c, struct ns_err *e)
{
	if (c->engine == NULL)
		return no_engine(e);
	ns_engine_stop(c->engine);
	ns_command_text(c, "stopping in order: ports, rings, flows, writers");
	return 0;
}

static struct ns_command stop_command = {.name = "stop",
	.help = "read no packets from the ports until \"start\"; all else goes on",
	.changes = true,
	.run = stop};
NS_COMMAND_REGISTER(stop_command)

static struct ns_command start_command = {.name = "start",
	.help = "read packets from the ports again, and say how many they lost meanwhile",
	.changes = true,
	.run = start};
NS_COMMAND_REGISTER(start_command)

static struct ns_command shutdown_command = {.name = "shutdown",
	.help = "end the engine in order; nothing is lost",
	.whole = true,
	.changes = true,
	.run = shut_down};
NS_COMMAND_REGISTER(shutdown_command)
