/* SPDX-License-Identifier: BSD-3-Clause */
/* Which packets a tap wants; see tap.h. */
#include "tap.h"

#include <ns_profile.h>

int tap_linktype(const struct ns_engine *en, uint16_t *linktype, struct ns_err *e)
{
	struct ns_profile *p;

	*linktype = NS_LINKTYPE_ETHERNET;
	errno = 0;
	p = en->sops->profile != NULL ? en->sops->profile(en->args.conf, e) : NULL;
	if (p == NULL)
		return errno != 0 && en->sops->profile != NULL ? -errno : 0;
	*linktype = p->linktype;
	ns_profile_destroy(p);
	return 0;
}

/* A profile is not meant for all ports: those that it leaves alone are Ethernet. */
int tap_filters_create(struct tap *t, const char *expr, uint16_t linktype, struct ns_err *e)
{
	uint16_t types[TAP_FILTERS] = {linktype, NS_LINKTYPE_ETHERNET};
	struct ns_err other;

	for (unsigned i = 0; expr != NULL && i < TAP_FILTERS; i++) {
		if (i > 0 && types[i] == types[0])
			break;
		struct ns_filter *f = ns_filter_create(expr, types[i], 0, i == 0 ? e : &other);

		if (f == NULL && i == 0)
			return -errno;
		if (f == NULL)
			break; /* what Ethernet can't have does not match there */
		t->filters[i].filter = f;
		t->filters[i].linktype = types[i];
		t->filters_n = i + 1;
	}
	return 0;
}

void tap_filters_destroy(struct tap *t)
{
	for (unsigned i = 0; i < t->filters_n; i++)
		ns_filter_destroy(t->filters[i].filter);
	t->filters_n = 0;
}

bool tap_matches(const struct tap *t, const struct ns_packet *p, const uint8_t *data)
{
	for (unsigned i = 0; i < t->filters_n; i++) {
		if (t->filters[i].linktype == p->linktype)
			return ns_filter_match(t->filters[i].filter, data, p->caplen, p->wirelen);
	}
	return t->filters_n == 0;
}
