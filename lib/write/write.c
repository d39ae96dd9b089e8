/* SPDX-License-Identifier: BSD-3-Clause */
#include <ns_registry.h>
#include <ns_write.h>

#include <string.h>

struct ns_writer *ns_writer_open(const char *spec, const struct ns_conf *conf,
	const struct ns_writer_ops **ops, struct ns_err *e)
{
	const char *colon = strchr(spec, ':');
	char name[32], known[256];
	size_t n = colon != NULL ? (size_t)(colon - spec) : strlen(spec);

	if (n > 0 && n < sizeof(name)) {
		memcpy(name, spec, n);
		name[n] = '\0';
		const struct ns_plugin *p = ns_plugin_find(NS_WRITER_KIND, name);

		if (p != NULL && (colon == NULL || colon[1] == '\0')) {
			ns_fail(e, EINVAL, "writer \"%s\": say where to, as %s:TARGET", spec, name);
			return NULL;
		}
		if (p != NULL) {
			struct ns_writer_args args = {.target = colon + 1, .conf = conf};

			*ops = p->ops;
			return (*ops)->open(&args, e);
		}
	}
	ns_fail(e, EINVAL, "writer \"%s\": no such writer; there are: %s", spec,
		ns_plugin_names(NS_WRITER_KIND, known, sizeof(known)));
	return NULL;
}
