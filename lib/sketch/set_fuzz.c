/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any octets as a set of sketches. What is accepted writes the same octets again, says what it is
 * and merges with itself; what is refused says where.
 */
#include "ns_sketch_set.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool ok)
{
	if (!ok)
		abort();
}

static void facts(const struct ns_sketch_set *s)
{
	struct ns_sketch_facts f;

	for (uint32_t i = 0; i < s->parts_n; i++) {
		ns_sketch_facts(&s->parts[i].sketch, &f);
		need(f.used <= f.cells && f.saturated <= f.used && f.octets > 0);
		need(f.bound[0] != '\0' && f.of != NULL && f.cell != NULL);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ns_err e = {{0}};
	struct ns_sketch_set *s = ns_sketch_set_parse(data, size, &e), *other;

	if (s == NULL) {
		need(e.text[0] != '\0');
		return 0;
	}
	uint8_t *out = malloc(size);

	need(out != NULL && ns_sketch_set_write_size(s) == size);
	need(ns_sketch_set_write(s, out) == size && memcmp(out, data, size) == 0);
	facts(s);
	other = ns_sketch_set_parse(out, size, &e);
	int rc = other != NULL ? ns_sketch_set_merge(s, other, &e) : -ENOMEM;

	need(rc == 0 || rc == -EOVERFLOW);
	facts(s);
	free(out);
	ns_sketch_set_destroy(s);
	ns_sketch_set_destroy(other);
	return 0;
}
