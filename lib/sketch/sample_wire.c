/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The serialised form, version 1, behind the head that all sketches have:
 *
 *   24      28        30       31     32      36     40
 *   | slots | key_len | values | zero | level | kept | total, 8 each value | things ...
 *
 *   a thing:  | hash 8 | value 8 each | key key_len |     in order of hash, none twice
 *
 * level is the limit: 8 * (place of the highest bit) + the three bits below it, of the highest
 * hash that may be there; 511 means that nothing was forgotten.
 */
#include "sample_priv.h"

#include <stdlib.h>

#define VERSION 1
#define FRONT (NS_SKETCH_HEAD + 16)

struct ordered {
	uint64_t hash;
	const uint8_t *key;
	const uint64_t *values;
};

static int by_hash(const void *a, const void *b)
{
	uint64_t x = ((const struct ordered *)a)->hash, y = ((const struct ordered *)b)->hash;

	return (x > y) - (x < y);
}

static size_t thing_size(const struct ns_sample_conf *c)
{
	return 8 + 8 * (size_t)c->values + c->key_len;
}

size_t ns_sample_write_size(const struct ns_sample *s)
{
	return FRONT + 8 * (size_t)s->conf.values + s->kept * thing_size(&s->conf);
}

static uint8_t *put_things(const struct ns_sample *s, struct ordered *all, uint8_t *out)
{
	struct ns_sample_entry e;
	uint32_t at = 0;
	size_t n = 0;

	while (ns_sample_next(s, &at, &e))
		all[n++] = (struct ordered){e.hash, e.key, e.values};
	qsort(all, n, sizeof(*all), by_hash);
	for (size_t i = 0; i < n; i++) {
		out = ns_le_put64(out, all[i].hash);
		for (unsigned j = 0; j < s->conf.values; j++)
			out = ns_le_put64(out, all[i].values[j]);
		memcpy(out, all[i].key, s->conf.key_len);
		out += s->conf.key_len;
	}
	return out;
}

size_t sample_wire_put(const struct ns_sample *s, uint8_t type, uint8_t *out)
{
	struct ns_sketch_head h = {
		type, VERSION, s->conf.seed, ns_sample_write_size(s) - NS_SKETCH_HEAD};
	struct ordered *all = malloc(sizeof(*all) * (s->kept + (size_t)1));
	uint8_t *p = out;

	if (all == NULL)
		return 0;
	p = ns_sketch_head_put(p, &h);
	p = ns_le_put32(p, s->conf.slots);
	p = ns_le_put32(p, s->conf.key_len | (uint32_t)s->conf.values << 16);
	p = ns_le_put32(p, s->level);
	p = ns_le_put32(p, s->kept);
	for (unsigned j = 0; j < s->conf.values; j++)
		p = ns_le_put64(p, s->total[j]);
	p = put_things(s, all, p);
	free(all);
	return (size_t)(p - out);
}

size_t ns_sample_write(const struct ns_sample *s, uint8_t *out)
{
	return sample_wire_put(s, NS_SKETCH_SAMPLE, out);
}

int sample_wire_get(
	struct sample_wire *w, const uint8_t *in, size_t len, uint8_t type, struct ns_err *e)
{
	struct ns_sketch_head h;
	int ret = ns_sketch_head_get(&h, in, len, type, VERSION, e);

	if (ret < 0)
		return ret;
	if (len < FRONT)
		return ns_fail(
			e, EBADMSG, "sample: octet 16: %zu octets, it has %d at least", len, FRONT);
	uint32_t widths = ns_le_get32(in + 28);

	w->conf = (struct ns_sample_conf){.slots = ns_le_get32(in + 24),
		.key_len = (uint16_t)widths,
		.values = (uint8_t)(widths >> 16),
		.seed = h.seed};
	w->level = ns_le_get32(in + 32);
	w->kept = ns_le_get32(in + 36);
	w->totals = in + FRONT;
	w->things = w->totals + 8 * (size_t)w->conf.values;
	if (!sample_conf_ok(&w->conf) || widths >> 24 != 0)
		return ns_fail(e, EBADMSG,
			"sample: octet 24: %u slots, key of %u octets, %u values, %u",
			w->conf.slots, w->conf.key_len, w->conf.values, widths >> 24);
	if (w->level > SAMPLE_TOP)
		return ns_fail(e, EBADMSG, "sample: octet 32: level %u", w->level);
	if (w->kept > w->conf.slots)
		return ns_fail(e, EBADMSG, "sample: octet 36: %u things in %u slots", w->kept,
			w->conf.slots);
	size_t want = FRONT + 8 * (size_t)w->conf.values + (uint64_t)w->kept * thing_size(&w->conf);

	if (len != want)
		return ns_fail(e, EBADMSG, "sample: octet 36: %u things need %zu octets, not %zu",
			w->kept, want, len);
	return 0;
}

/* All that was added is at least what is kept, and the same when nothing was forgotten. */
static int check_totals(const struct ns_sample *s, const uint64_t *sum, const struct sample_wire *w,
	struct ns_err *e)
{
	for (unsigned j = 0; j < s->conf.values; j++)
		if (s->total[j] < sum[j] || (w->level == SAMPLE_TOP && s->total[j] != sum[j]))
			return ns_fail(e, EBADMSG,
				"sample: octet %u: total %llu, the things have %llu", FRONT + 8 * j,
				(unsigned long long)s->total[j], (unsigned long long)sum[j]);
	return 0;
}

int sample_wire_fill(struct ns_sample *s, const struct sample_wire *w, struct ns_err *e)
{
	size_t first = FRONT + 8 * (size_t)w->conf.values, size = thing_size(&w->conf);
	uint64_t sum[NS_SAMPLE_VALUES_MAX] = {0}, last = 0;
	const uint8_t *in = w->things;

	for (unsigned j = 0; j < w->conf.values; j++)
		s->total[j] = ns_le_get64(w->totals + 8 * (size_t)j);
	sample_lower(s, w->level);
	for (uint32_t i = 0; i < w->kept; i++, in += size) {
		uint64_t h = ns_le_get64(in);

		if (h <= last || h > s->max)
			return ns_fail(e, EBADMSG,
				"sample: octet %zu: hash %llx behind %llx, at most %llx",
				first + i * size, (unsigned long long)h, (unsigned long long)last,
				(unsigned long long)s->max);
		last = h;
		uint64_t *p = sample_put(s, h, in + 8 + 8 * (size_t)w->conf.values);

		for (unsigned j = 0; j < w->conf.values; j++) {
			p[1 + j] = ns_le_get64(in + 8 + 8 * (size_t)j);
			sum[j] = sample_sum(sum[j], p[1 + j]);
		}
	}
	return check_totals(s, sum, w, e);
}

struct ns_sample *ns_sample_parse(const uint8_t *in, size_t len, struct ns_err *e)
{
	struct sample_wire w = {0};
	struct ns_sample *s;
	int ret = sample_wire_get(&w, in, len, NS_SKETCH_SAMPLE, e);

	if (ret != 0)
		return NULL;
	s = ns_sample_create(&w.conf);
	if (s == NULL) {
		ns_fail(e, ENOMEM, "sample: octet 24: no memory for %u slots", w.conf.slots);
		return NULL;
	}
	ret = sample_wire_fill(s, &w, e);
	if (ret == 0)
		return s;
	ns_sample_destroy(s);
	return ns_errno_null(-ret);
}
