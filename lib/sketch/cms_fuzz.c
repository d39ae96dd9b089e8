/* SPDX-License-Identifier: BSD-3-Clause */
/* Count-Min from any octets: refused with a message, or a sketch that works and writes itself. */
#include "ns_cms.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

static void works(struct ns_cms *s, const uint8_t *in, size_t len)
{
	uint8_t *out = malloc(len);
	uint64_t hash[40], was[40];
	double confidence = -1;
	struct ns_cms *again;
	struct ns_err e;

	if (out == NULL || ns_cms_write_size(s) != len || ns_cms_write(s, out) != len ||
		memcmp(in, out, len) != 0)
		abort();
	if (ns_cms_bound(s, &confidence) > ns_cms_total(s) || !(confidence > 0 && confidence < 1))
		abort();
	for (uint64_t i = 0; i < 40; i++) {
		hash[i] = ns_hash64(&i, sizeof(i), 0);
		was[i] = ns_cms_query(s, hash[i]);
		if (was[i] > ns_cms_total(s))
			abort();
	}
	again = ns_cms_parse(out, len, &e);
	if (again == NULL || ns_cms_merge(s, again) < 0)
		abort();
	ns_cms_add_bulk(s, hash, hash, 40);
	for (unsigned i = 0; i < 40; i++) {
		uint64_t least = was[i] > UINT64_MAX - hash[i] ? UINT64_MAX : was[i] + hash[i];

		if (ns_cms_query(s, hash[i]) < least)
			abort();
	}
	free(out);
	ns_cms_destroy(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	struct ns_err e = {0};
	struct ns_cms *s = ns_cms_parse(in, len, &e);

	if (s != NULL)
		works(s, in, len);
	else if (e.text[0] == '\0')
		abort();
	ns_cms_destroy(s);
	return 0;
}
