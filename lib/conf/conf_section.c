/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The registered sections. Constructors only link them; order and names are looked at when a
 * configuration is loaded, so that link order never matters.
 */
#include "conf_priv.h"

#include <stdlib.h>
#include <string.h>

static struct ns_conf_section *section_list;

void ns_conf_link(struct ns_conf_section *s)
{
	s->next = section_list;
	section_list = s;
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(const struct ns_conf_section *const *)a)->name,
		(*(const struct ns_conf_section *const *)b)->name);
}

const struct ns_conf_section **conf_sections(struct conf_ctx *c, size_t *n)
{
	const struct ns_conf_section **all;
	size_t i = 0;

	*n = 0;
	for (const struct ns_conf_section *s = section_list; s != NULL; s = s->next)
		(*n)++;
	all = conf_alloc(&c->arena, (*n + 1) * sizeof(*all));
	if (all == NULL) {
		ns_fail(c->err, ENOMEM, "no memory for the configuration");
		return NULL;
	}
	for (const struct ns_conf_section *s = section_list; s != NULL; s = s->next)
		all[i++] = s;
	qsort(all, *n, sizeof(*all), by_name);
	for (i = 0; i < *n; i++) {
		if (all[i]->name[0] == '\0' || strpbrk(all[i]->name, ".=: ") != NULL) {
			ns_fail(c->err, EINVAL, "\"%s\" is no name for a configuration section",
				all[i]->name);
			return NULL;
		}
		if (i > 0 && strcmp(all[i - 1]->name, all[i]->name) == 0) {
			ns_fail(c->err, EEXIST, "two configuration sections are named \"%s\"",
				all[i]->name);
			return NULL;
		}
	}
	return all;
}
