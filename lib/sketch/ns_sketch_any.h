/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * A sketch of any type, for those who hand sketches on without using them: serialise, read, merge,
 * and say how large, how full and how good one is.
 */

#include <ns_sketch.h>

/** Any sketch; whose memory it is, is said where one is given. */
struct ns_sketch {
	uint8_t type; /**< enum ns_sketch_type */
	void *self; /**< struct ns_hll, ns_cms, ... */
};

/** "hll", "cms", "topk", "sample", "spread", "quantile", "entropy"; NULL for no type. */
const char *ns_sketch_name(unsigned type);

/** Octets that ns_sketch_write() puts now. */
size_t ns_sketch_write_size(const struct ns_sketch *s);
/** The type's own serialised form; octets put, or 0 with ENOMEM. */
size_t ns_sketch_write(const struct ns_sketch *s, uint8_t *out);
/**
 * Reads a form of whatever type its head names, into memory for ns_sketch_destroy(). 0, or -EBADMSG
 * or -ENOMEM with a message that names the octet.
 */
int ns_sketch_parse(struct ns_sketch *s, const uint8_t *in, size_t len, struct ns_err *e);
/** Frees what ns_sketch_parse() made; leaves an empty struct, which is fine too. */
void ns_sketch_destroy(struct ns_sketch *s);

#define NS_SKETCH_PARAMS 6

/** What must be the same in two sketches that merge. */
struct ns_sketch_param {
	const char *name;
	uint64_t value;
};

/** The parameters of a sketch, the seed first; how many. Names and number depend on the type. */
unsigned ns_sketch_params(
	const struct ns_sketch *s, struct ns_sketch_param param[NS_SKETCH_PARAMS]);

/** Whether the two can merge: 0, or -EINVAL with a message that says which parameter differs. */
int ns_sketch_alike(const struct ns_sketch *a, const struct ns_sketch *b, struct ns_err *e);
/** Merges as the type does. -EINVAL as ns_sketch_alike(), -EOVERFLOW with a message. */
int ns_sketch_merge(struct ns_sketch *into, const struct ns_sketch *from, struct ns_err *e);

/** What a sketch says of itself. */
struct ns_sketch_facts {
	size_t octets; /**< of memory */
	const char *cell; /**< what fills it: "registers", "counters", "places", ... */
	uint64_t used, cells; /**< of them not empty, and all */
	uint64_t saturated; /**< of them at the highest value there is */
	char bound[96]; /**< the stated error, for people */
	const char *of; /**< what estimate is about: "different keys" */
	double estimate, low, high, confidence; /**< confidence 1: certain */
};

/** Looks at all of the sketch; up to some milliseconds. */
void ns_sketch_facts(const struct ns_sketch *s, struct ns_sketch_facts *f);
