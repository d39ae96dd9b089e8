/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What -w names:
 *
 *	csv@10s:udp://[::1]:4739
 *	name                        up to the first '@' or ':'
 *	    interval                from that '@' to the first ':'
 *	        target              behind the first ':', whatever is in it
 *
 *	spool+sqlite@10s:flows.db
 *	name  target                a writer before another one; the interval is the other's
 */
#include <ns_registry.h>
#include <ns_write.h>

#include <string.h>

struct spec {
	size_t name_len;
	const char *interval; /* behind the '@', or NULL */
	size_t interval_len;
	const char *target; /* or NULL */
	bool wraps; /* target is the spec of another writer */
};

static struct spec split(const char *text)
{
	size_t head = strcspn(text, ":");
	const char *sign = memchr(text, '@', head);
	const char *plus = memchr(text, '+', head);
	struct spec s = {.name_len = head};

	if (sign != NULL) {
		s.name_len = (size_t)(sign - text);
		s.interval = sign + 1;
		s.interval_len = head - s.name_len - 1;
	}
	if (text[head] == ':' && text[head + 1] != '\0')
		s.target = text + head + 1;
	if (plus != NULL && (sign == NULL || plus < sign)) {
		s.name_len = (size_t)(plus - text);
		s.target = plus + 1;
		s.wraps = true;
	}
	return s;
}

int ns_writer_interval(const char *spec, uint64_t *interval_ns, struct ns_err *e)
{
	struct spec s = split(spec);
	struct ns_err why = {""};
	char text[32];

	*interval_ns = UINT64_MAX;
	if (s.interval == NULL)
		return 0;
	if (s.interval_len >= sizeof(text))
		return ns_fail(e, EINVAL, "writer \"%s\": the interval is too long", spec);
	memcpy(text, s.interval, s.interval_len);
	text[s.interval_len] = '\0';

	uint64_t ns;

	if (ns_conf_duration(text, &ns, &why) < 0)
		return ns_fail(e, EINVAL, "writer \"%s\": interval: %s", spec, why.text);
	if (ns == 0)
		return ns_fail(e, EINVAL,
			"writer \"%s\": an interval of 0 is none; leave out \"@%s\" or give one as 10s",
			spec, text);
	*interval_ns = ns;
	return 0;
}

static const struct ns_plugin *plugin_of(const char *spec, const struct spec *s)
{
	char name[32];

	if (s->name_len == 0 || s->name_len >= sizeof(name))
		return NULL;
	memcpy(name, spec, s->name_len);
	name[s->name_len] = '\0';
	return ns_plugin_find(NS_WRITER_KIND, name);
}

const struct ns_writer_ops *ns_writer_ops_of(const char *spec)
{
	struct spec s = split(spec);
	const struct ns_plugin *p = plugin_of(spec, &s);

	return p != NULL ? p->ops : NULL;
}

const char *ns_writer_behind(const char *spec)
{
	struct spec s = split(spec);

	return s.wraps ? s.target : NULL;
}

bool ns_writer_same(const char *a, const char *b)
{
	size_t n = strcspn(a, "@:"), m = strcspn(b, "@:");

	return n == m && memcmp(a, b, n) == 0 &&
	       strcmp(a + strcspn(a, ":"), b + strcspn(b, ":")) == 0;
}

/* The writer of a spec whose form is right; NULL with a message. */
static const struct ns_plugin *understand(const char *spec, struct spec *s, struct ns_err *e)
{
	const struct ns_plugin *p;
	char known[256];
	uint64_t interval;

	*s = split(spec);
	p = plugin_of(spec, s);
	if (p == NULL) {
		ns_fail(e, EINVAL, "writer \"%s\": no such writer; there are: %s", spec,
			ns_plugin_names(NS_WRITER_KIND, known, sizeof(known)));
		return NULL;
	}
	if (ns_writer_interval(spec, &interval, e) < 0)
		return NULL;
	if (s->target == NULL) {
		ns_fail(e, EINVAL, "writer \"%s\": say where to, as %s:TARGET", spec, p->name);
		return NULL;
	}
	if (s->wraps != ((((const struct ns_writer_ops *)p->ops)->wants & NS_WRITER_WRAPS) != 0)) {
		ns_fail(e, EINVAL,
			s->wraps ? "writer \"%s\": %s does not stand before another writer"
				 : "writer \"%s\": say before which writer, as %s+csv:TARGET",
			spec, p->name);
		return NULL;
	}
	return p;
}

int ns_writer_check(const char *spec, struct ns_err *e)
{
	struct spec s;
	const struct ns_plugin *p = understand(spec, &s, e);
	const struct ns_writer_ops *ops = p != NULL ? p->ops : NULL;

	if (ops == NULL)
		return -errno;
	return ops->check != NULL ? ops->check(s.target, e) : 0;
}

int ns_writers_check(const char *const *specs, unsigned n, struct ns_err *e)
{
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < n; i++)
		rc = ns_writer_check(specs[i], e);
	return rc;
}

struct ns_writer *ns_writer_open(const char *spec, const struct ns_writer_args *args,
	const struct ns_writer_ops **ops, struct ns_err *e)
{
	struct spec s;
	const struct ns_plugin *p = understand(spec, &s, e);
	struct ns_writer_args own = *args;

	if (p == NULL)
		return NULL;
	own.target = s.target;
	*ops = p->ops;
	return (*ops)->open(&own, e);
}
