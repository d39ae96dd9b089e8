/* SPDX-License-Identifier: BSD-3-Clause */
/* Filters that change while lcores read. Control thread only. */
#include "ethdev_priv.h"

#include <stdlib.h>

struct eth_old_filter {
	struct eth_old_filter *next;
	struct ns_filter *filter;
};

/*
 * All are compiled before the first is put in. What was before stays until the port closes: some
 * kilobytes for each change that a person makes, and no lcore has to say that it has left it.
 */
int eth_filter(struct ns_source *s, const char *expr, struct ns_err *e)
{
	struct eth_old_filter *made = NULL, *next;
	int rc = 0;

	for (unsigned i = s->ports_n; rc == 0 && i-- > 0;) {
		struct eth_old_filter *m = calloc(1, sizeof(*m));

		if (m == NULL) {
			rc = ns_fail(e, ENOMEM, "no memory for a filter");
			break;
		}
		m->next = made;
		made = m;
		if (expr == NULL)
			continue;
		m->filter = ns_filter_create(expr, s->ports[i].linktype, 0, e);
		if (m->filter == NULL)
			rc = -errno;
	}
	for (unsigned i = 0; made != NULL; made = next, i++) {
		next = made->next;
		if (rc < 0) {
			ns_filter_destroy(made->filter);
			free(made);
			continue;
		}
		struct eth_port *p = &s->ports[i];
		struct ns_filter *before = p->filter;

		__atomic_store_n(&p->filter, made->filter, __ATOMIC_RELEASE);
		made->filter = before;
		made->next = p->old_filters;
		p->old_filters = made;
	}
	return rc < 0 ? ns_errno_set(-rc) : 0;
}

void eth_filters_close(struct eth_port *p)
{
	struct eth_old_filter *o;

	while ((o = p->old_filters) != NULL) {
		p->old_filters = o->next;
		ns_filter_destroy(o->filter);
		free(o);
	}
	ns_filter_destroy(p->filter);
	p->filter = NULL;
}
