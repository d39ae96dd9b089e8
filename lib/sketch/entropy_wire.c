/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The serialised form, version 1, behind the head that all sketches have:
 *
 *   24        32
 *   | octets  | ns_topk with its own head, so many octets | ns_sample with its own head |
 *
 * Both have the seed of the outer head and the same total.
 */
#include "entropy_priv.h"

#define VERSION 1
#define FRONT (NS_SKETCH_HEAD + 8)

size_t ns_entropy_write_size(const struct ns_entropy *s)
{
	return FRONT + ns_topk_write_size(entropy_topk(s)) +
	       ns_sample_write_size(entropy_sample(s));
}

size_t ns_entropy_write(const struct ns_entropy *s, uint8_t *out)
{
	size_t topk = ns_topk_write_size(entropy_topk(s)), sample;
	struct ns_sketch_head h = {.type = NS_SKETCH_ENTROPY,
		.version = VERSION,
		.seed = entropy_sample(s)->conf.seed,
		.body = ns_entropy_write_size(s) - NS_SKETCH_HEAD};

	ns_le_put64(ns_sketch_head_put(out, &h), topk);
	if (ns_topk_write(entropy_topk(s), out + FRONT) == 0)
		return 0;
	sample = ns_sample_write(entropy_sample(s), out + FRONT + topk);
	return sample != 0 ? FRONT + topk + sample : 0;
}

/* The message of a part, with where the part begins. */
static void in_part(struct ns_err *e, size_t at, const struct ns_err *part)
{
	int err = errno;

	ns_fail(e, err, "entropy: from octet %zu on: %.400s", at, part->text);
}

static struct ns_topk *parse_topk(const uint8_t *in, size_t len, uint64_t seed, struct ns_err *e)
{
	struct ns_err part = {{0}};
	struct ns_topk *t = ns_topk_parse(in + FRONT, len, &part);

	if (t == NULL) {
		in_part(e, FRONT, &part);
		return NULL;
	}
	if (t->key_len == ENTROPY_KEY_LEN && t->seed == seed)
		return t;
	ns_fail(e, EBADMSG, "entropy: octet %d: keys of %u octets or another seed", FRONT,
		t->key_len);
	ns_topk_destroy(t);
	return ns_errno_null(EBADMSG);
}

static int parse_sample(struct ns_entropy **out, const struct ns_topk *t, const uint8_t *in,
	size_t at, size_t len, struct ns_err *e)
{
	struct ns_err part = {{0}};
	struct sample_wire w;
	int ret = sample_wire_get(&w, in + at, len - at, NS_SKETCH_SAMPLE, &part);

	*out = NULL;
	if (ret < 0) {
		in_part(e, at, &part);
		return ret;
	}
	if (w.conf.key_len != 0 || w.conf.values != 1 || w.conf.seed != t->seed ||
		ns_le_get64(w.totals) != t->total)
		return ns_fail(e, EBADMSG,
			"entropy: octet %zu: a sample of another kind, seed or total", at);
	struct ns_entropy *s = entropy_create(t->buckets, &w.conf);

	if (s == NULL)
		return ns_fail(
			e, ENOMEM, "entropy: octet %zu: no memory for %u slots", at, w.conf.slots);
	ret = sample_wire_fill(entropy_sample(s), &w, &part);
	if (ret < 0) {
		in_part(e, at, &part);
		ns_entropy_destroy(s);
		return ret;
	}
	memcpy(entropy_topk(s), t, topk_size(t->buckets, ENTROPY_KEY_LEN));
	*out = s;
	return 0;
}

struct ns_entropy *ns_entropy_parse(const uint8_t *in, size_t len, struct ns_err *e)
{
	struct ns_sketch_head h;
	struct ns_entropy *s;
	uint64_t topk;
	int ret;

	if (ns_sketch_head_get(&h, in, len, NS_SKETCH_ENTROPY, VERSION, e) < 0)
		return NULL;
	if (len < FRONT || ns_le_get64(in + NS_SKETCH_HEAD) > len - FRONT) {
		ns_fail(e, EBADMSG, "entropy: octet %d: its parts do not fit into %zu octets",
			NS_SKETCH_HEAD, len);
		return NULL;
	}
	topk = ns_le_get64(in + NS_SKETCH_HEAD);
	struct ns_topk *t = parse_topk(in, (size_t)topk, h.seed, e);

	if (t == NULL)
		return NULL;
	ret = parse_sample(&s, t, in, FRONT + (size_t)topk, len, e);
	ns_topk_destroy(t);
	return ret < 0 ? ns_errno_null(-ret) : s;
}
