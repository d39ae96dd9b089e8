/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands about the last complete epoch: show epoch, lcores, writers. Main thread. */
#include "command_priv.h"

const struct ns_engine_state *engine_command_state(struct ns_command_call *c, struct ns_err *e)
{
	const struct ns_engine_state *s;

	if (c->engine == NULL) {
		ns_fail(e, ENOENT, "no engine runs");
		return NULL;
	}
	s = ns_engine_state(c->engine);
	if (s == NULL)
		ns_fail(e, EAGAIN, "the first epoch is not complete yet");
	return s;
}

static int show_epoch(struct ns_command_call *c, struct ns_err *e)
{
	const struct ns_engine_state *s = engine_command_state(c, e);

	if (s == NULL)
		return -errno;
	ns_command_record(c, &ns_epoch_rec_kind, &s->epoch);
	engine_command_since_clear(c, s);
	return 0;
}

static struct ns_command epoch = {.name = "show epoch",
	.help = "the last complete epoch: packets, flows, records, hand-over, latency",
	.run = show_epoch};
NS_COMMAND_REGISTER(epoch)

static int show_lcores(struct ns_command_call *c, struct ns_err *e)
{
	const struct ns_engine_state *s = engine_command_state(c, e);

	if (s == NULL)
		return -errno;
	for (unsigned i = 0; i < s->lcores_n; i++)
		ns_command_record(c, &ns_lcore_rec_kind, &s->lcores[i]);
	return 0;
}

static struct ns_command lcores = {.name = "show lcores",
	.help = "what each lcore did: packets, how busy it was, its ring and flow table",
	.run = show_lcores};
NS_COMMAND_REGISTER(lcores)

static int show_writers(struct ns_command_call *c, struct ns_err *e)
{
	const struct ns_engine_state *s = engine_command_state(c, e);

	if (s == NULL)
		return -errno;
	for (unsigned i = 0; i < s->writers_n; i++)
		ns_command_record(c, &ns_writer_rec_kind, &s->writers[i]);
	if (s->writers_n == 0)
		ns_command_text(c, "there are no writers (engine.writers, -w)");
	return 0;
}

static struct ns_command writers = {.name = "show writers",
	.help = "ways out: records written and lost, what waits, whether they are connected",
	.run = show_writers};
NS_COMMAND_REGISTER(writers)
