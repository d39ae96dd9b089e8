/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which sinks there are: those of the start, and those that another configuration asks for while
 * packets come. Control.
 *
 * A writer stays when its name, its target and all sections that it goes by are the same. Any other
 * is opened in a free place while the old ones still write: so all that can fail has failed before
 * anything has changed. What can't be opened twice at a time is refused with the reason: a port and
 * a spool by those who hold it, a file here, as opening would cut it.
 */
#include "engine_priv.h"

#include <string.h>
#include <sys/stat.h>

static int add(struct roster *r, const struct seat *s, struct ns_err *e)
{
	if (r->n == SINKS_MAX)
		return ns_fail(e, E2BIG, "more than %u writers", SINKS_MAX);
	r->of[r->n++] = *s;
	return 0;
}

/* What a configuration and the program ask for; places are still to be given. */
static int wanted(
	struct ns_engine *en, const struct ns_conf *conf, struct roster *r, struct ns_err *e)
{
	const struct ns_engine_conf *c = ns_conf_get(conf, "engine");
	int rc = 0;

	r->n = 0;
	for (unsigned i = 0; rc == 0 && i < c->writers_count; i++)
		rc = add(r, &(struct seat){.spec = c->writers[i], .configured = true}, e);
	for (unsigned i = 0; rc == 0 && i < en->args.writers_n; i++)
		rc = add(r, &(struct seat){.spec = en->args.writers[i]}, e);
	if (rc == 0 && en->args.sink != NULL)
		rc = add(r, &(struct seat){.spec = NULL}, e);
	return rc;
}

int engine_roster_first(struct ns_engine *en, struct roster *r, struct ns_err *e)
{
	int rc = wanted(en, en->args.conf, r, e);

	for (unsigned i = 0; i < r->n; i++)
		r->of[i].place = i;
	return rc;
}

static bool same_sections(const struct ns_engine *en, const struct ns_conf *conf, const char *spec)
{
	for (; spec != NULL; spec = ns_writer_behind(spec)) {
		const struct ns_writer_ops *ops = ns_writer_ops_of(spec);

		if (ops != NULL && ops->section != NULL &&
			engine_key_differs(en->args.conf, conf, ops->section))
			return false;
	}
	return true;
}

/* The sink that is there and stays as it is for this seat; NULL: none. */
static const struct sink *staying(const struct ns_engine *en, const struct ns_conf *conf,
	const struct seat *seat, uint32_t among)
{
	for (; among != 0; among &= among - 1) {
		const struct sink *s = &en->sinks[__builtin_ctz(among)];

		if (seat->spec == NULL && s->own != NULL)
			return s;
		if (seat->spec == NULL || s->own != NULL || s->configured != seat->configured ||
			!ns_writer_same(s->spec, seat->spec))
			continue;
		return same_sections(en, conf, seat->spec) ? s : NULL;
	}
	return NULL;
}

/* The writer at the end of a spec and its target; *cuts: opening it may cut a file. */
static const char *last_target(const char *spec, bool *cuts)
{
	const char *behind;

	while ((behind = ns_writer_behind(spec)) != NULL)
		spec = behind;
	const struct ns_writer_ops *ops = ns_writer_ops_of(spec);
	const char *colon = strchr(spec, ':');

	*cuts = ops != NULL && (ops->wants & NS_WRITER_CUTS) != 0;
	return colon != NULL ? colon + 1 : spec;
}

static bool same_target(const char *a, const char *b)
{
	struct stat x, y;

	if (strcmp(a, b) == 0)
		return true;
	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Whether another sink, also one that is about to go, has the file that this one would cut. */
static int check_file(const struct ns_engine *en, const struct seat *seat, struct ns_err *e)
{
	bool cuts, cuts_too;
	const char *target = last_target(seat->spec, &cuts);

	for (unsigned i = 0; cuts && i < SINKS_MAX; i++) {
		const struct sink *s = &en->sinks[i];

		if (s->use == SINK_FREE || s->own != NULL ||
			!same_target(last_target(s->spec, &cuts_too), target))
			continue;
		return ns_fail(e, EBUSY,
			"writer %s: %s is still written by %s, and opening would cut it: name "
			"another file, or take that one out first, by a reload of its own",
			seat->spec, target, s->name);
	}
	return 0;
}

static int give_place(const struct ns_engine *en, struct roster *r, unsigned i, struct ns_err *e)
{
	uint32_t taken = 0;
	unsigned place = 0;

	for (unsigned k = 0; k < i; k++)
		taken |= 1u << r->of[k].place;
	while (place < SINKS_MAX &&
		(en->sinks[place].use != SINK_FREE || (taken >> place & 1) != 0))
		place++;
	if (place == SINKS_MAX)
		return ns_fail(e, E2BIG,
			"writer %s: no room; those that are there, that come and that still close "
			"are more than %u",
			r->of[i].spec, SINKS_MAX);
	r->of[i].place = place;
	return 0;
}

int engine_roster_next(struct ns_engine *en, const struct ns_conf *conf, struct roster *r,
	bool *changed, struct ns_err *e)
{
	uint32_t left = en->plan->sinks;
	int rc = wanted(en, conf, r, e);

	*changed = engine_key_differs(en->args.conf, conf, "engine.writers");
	for (unsigned i = 0; rc == 0 && i < r->n; i++) {
		const struct sink *s = staying(en, conf, &r->of[i], left);

		if (s != NULL) {
			r->of[i].stays = true;
			r->of[i].place = s->index;
			left &= ~(1u << s->index);
			continue;
		}
		*changed = true;
		rc = give_place(en, r, i, e);
		if (rc == 0)
			rc = check_file(en, &r->of[i], e);
	}
	return rc;
}

/* One that could not be opened, where it is what another still has: how to do it. */
static void explain(struct ns_err *e)
{
	struct ns_err why = *e;
	int err = errno;

	if (err == EADDRINUSE || err == EBUSY)
		ns_fail(e, err,
			"%.300s; writers that go are closed when those that come are open: take "
			"the old one out first, by a reload of its own",
			why.text);
}

/* Files last: when one is cut, nothing else can fail any more. */
int engine_roster_open(
	struct ns_engine *en, const struct roster *r, const struct ns_conf *conf, struct ns_err *e)
{
	for (unsigned pass = 0; pass < 2; pass++) {
		for (unsigned i = 0; i < r->n; i++) {
			bool cuts = false;

			if (r->of[i].stays)
				continue;
			last_target(r->of[i].spec, &cuts);
			if (cuts != (pass == 1))
				continue;
			if (engine_sink_open(en, r, i, conf, e) < 0) {
				int err = errno;

				explain(e);
				engine_roster_undo(en, r);
				return ns_errno_set(err);
			}
		}
	}
	return 0;
}

void engine_roster_undo(struct ns_engine *en, const struct roster *r)
{
	for (unsigned i = 0; i < r->n; i++) {
		if (!r->of[i].stays)
			engine_sink_undo(en, r->of[i].place);
	}
}
