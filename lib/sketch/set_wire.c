/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The serialised form of a set of sketches, version 1. Numbers are little-endian; nothing is
 * aligned.
 *
 *   0      4         5      6      8      16         24       32      40      44         46     47
 *   | NSTS | version | hash | zero | seed | start_ns | end_ns | epoch | parts | what_len | task |
 * type |
 *
 *   48     task, type, what: UTF-8, as long as their lengths say (what_len 2 octets, the others 1)
 *
 *   then each part, ascending by label (octet by octet, of two that begin alike the shorter first):
 *   | label_len 4 | form_len 4 | label | form: as ns_sketch.h and the *_wire.c of its type draw it
 * |
 *
 * hash 1 is that of ns_sketch.h. The seed of each form is that of the set, and all forms are of one
 * type. Equal sets have equal octets.
 */
#include "ns_sketch_set.h"

#include <inttypes.h>
#include <stdlib.h>

#define FIXED 48
#define PART_FIXED 8

static const uint8_t magic[4] = {'N', 'S', 'T', 'S'};

size_t ns_sketch_set_write_size(const struct ns_sketch_set *s)
{
	size_t n = FIXED + strlen(s->task) + strlen(s->type) + strlen(s->what);

	for (uint32_t i = 0; i < s->parts_n; i++)
		n += PART_FIXED + s->parts[i].label_len + ns_sketch_write_size(&s->parts[i].sketch);
	return n;
}

static uint8_t *put_head(const struct ns_sketch_set *s, uint8_t *p)
{
	size_t task = strlen(s->task), type = strlen(s->type), what = strlen(s->what);

	p = mempcpy(p, magic, sizeof(magic));
	*p++ = NS_SKETCH_SET_VERSION;
	*p++ = NS_SKETCH_SET_HASH;
	*p++ = 0;
	*p++ = 0;
	p = ns_le_put64(p, s->seed);
	p = ns_le_put64(p, s->start_ns);
	p = ns_le_put64(p, s->end_ns);
	p = ns_le_put64(p, s->epoch);
	p = ns_le_put32(p, s->parts_n);
	*p++ = (uint8_t)what;
	*p++ = (uint8_t)(what >> 8);
	*p++ = (uint8_t)task;
	*p++ = (uint8_t)type;
	p = mempcpy(p, s->task, task);
	p = mempcpy(p, s->type, type);
	return mempcpy(p, s->what, what);
}

size_t ns_sketch_set_write(const struct ns_sketch_set *s, uint8_t *out)
{
	uint8_t *p = put_head(s, out);

	for (uint32_t i = 0; i < s->parts_n; i++) {
		const struct ns_sketch_part *part = &s->parts[i];
		uint8_t *form = p + PART_FIXED + part->label_len;
		size_t n = ns_sketch_write(&part->sketch, form);

		if (n == 0)
			return 0;
		p = ns_le_put32(p, part->label_len);
		p = ns_le_put32(p, (uint32_t)n);
		if (part->label_len > 0)
			memcpy(p, part->label, part->label_len);
		p = form + n;
	}
	return (size_t)(p - out);
}

struct reading {
	const uint8_t *in;
	size_t at, len;
	struct ns_err *e;
};

static int bad(const struct reading *r, size_t at, const char *what)
{
	return ns_fail(r->e, EBADMSG, "set of sketches: octet %zu: %s", at, what);
}

static int no_memory(const struct reading *r)
{
	return ns_fail(r->e, ENOMEM, "set of sketches: no memory");
}

static int parse_fixed(const struct reading *r)
{
	if (r->len < FIXED)
		return ns_fail(
			r->e, EBADMSG, "set of sketches: %zu octets, a head has %d", r->len, FIXED);
	if (memcmp(r->in, magic, sizeof(magic)) != 0)
		return bad(r, 0, "no \"NSTS\"");
	if (r->in[4] != NS_SKETCH_SET_VERSION)
		return bad(r, 4, "a version that is not known");
	if (r->in[5] != NS_SKETCH_SET_HASH)
		return bad(r, 5, "a hash that is not known");
	if (r->in[6] != 0 || r->in[7] != 0)
		return bad(r, 6, "not zero");
	if (ns_le_get64(r->in + 16) > ns_le_get64(r->in + 24))
		return bad(r, 24, "an end before its begin");
	return 0;
}

/* A text of @p n octets at most @p max, with a zero behind it. */
static int parse_text(struct reading *r, const char **text, size_t n, size_t max)
{
	if (n > max || n > r->len - r->at)
		return bad(r, r->at, "a text that does not end");
	if (memchr(r->in + r->at, 0, n) != NULL)
		return bad(r, r->at, "a text with a zero in it");
	char *copy = strndup((const char *)r->in + r->at, n);

	if (copy == NULL)
		return no_memory(r);
	*text = copy;
	r->at += n;
	return 0;
}

static int parse_label(struct reading *r, struct ns_sketch_part *p, uint32_t n)
{
	if (n > 0) {
		uint8_t *copy = malloc(n);

		if (copy == NULL)
			return no_memory(r);
		memcpy(copy, r->in + r->at, n);
		p->label = copy;
	}
	p->label_len = n;
	r->at += n;
	return 0;
}

static int parse_part(struct reading *r, struct ns_sketch_set *s)
{
	struct ns_sketch_part *p = &s->parts[s->parts_n];
	struct ns_sketch_param param[NS_SKETCH_PARAMS];
	size_t start = r->at;

	*p = (struct ns_sketch_part){0};
	if (r->len - r->at < PART_FIXED)
		return bad(r, start, "a part is missing");
	uint32_t label = ns_le_get32(r->in + r->at), form = ns_le_get32(r->in + r->at + 4);

	r->at += PART_FIXED;
	if (label > NS_SKETCH_SET_LABEL_MAX || label > r->len - r->at)
		return bad(r, start, "a label that does not end");
	s->parts_n++;
	if (parse_label(r, p, label) < 0)
		return -errno;
	if (s->parts_n > 1 && ns_sketch_part_order(p - 1, p) >= 0)
		return bad(r, start, "labels do not ascend");
	if (form > r->len - r->at)
		return bad(r, start + 4, "a sketch that does not end");
	struct ns_err why = {""};

	if (ns_sketch_parse(&p->sketch, r->in + r->at, form, &why) < 0)
		return ns_fail(r->e, errno, "set of sketches: octet %zu: %s", r->at, why.text);
	ns_sketch_params(&p->sketch, param);
	if (param[0].value != s->seed)
		return bad(r, r->at + 8, "a seed that is not the set's");
	if (p->sketch.type != s->parts[0].sketch.type)
		return bad(r, r->at + 4, "a type that is not the first one's");
	r->at += form;
	return 0;
}

static int parse_all(struct reading *r, struct ns_sketch_set *s)
{
	const uint8_t *in = r->in;
	uint32_t parts = ns_le_get32(in + 40);

	s->seed = ns_le_get64(in + 8);
	s->start_ns = ns_le_get64(in + 16);
	s->end_ns = ns_le_get64(in + 24);
	s->epoch = ns_le_get64(in + 32);
	r->at = FIXED;
	if (parse_text(r, &s->task, in[46], NS_SKETCH_SET_NAME_MAX) < 0 ||
		parse_text(r, &s->type, in[47], NS_SKETCH_SET_NAME_MAX) < 0 ||
		parse_text(r, &s->what, in[44] | (size_t)in[45] << 8, NS_SKETCH_SET_WHAT_MAX) < 0)
		return -errno;
	/* each part has a head at least */
	if (parts > NS_SKETCH_SET_PARTS_MAX ||
		parts > (r->len - r->at) / (PART_FIXED + NS_SKETCH_HEAD))
		return bad(r, 40, "more parts than there is room for");
	s->parts = calloc(parts + (size_t)1, sizeof(*s->parts));
	if (s->parts == NULL)
		return no_memory(r);
	while (s->parts_n < parts) {
		if (parse_part(r, s) < 0)
			return -errno;
	}
	return r->at == r->len ? 0 : bad(r, r->at, "more than the parts");
}

struct ns_sketch_set *ns_sketch_set_parse(const uint8_t *in, size_t len, struct ns_err *e)
{
	struct reading r = {.in = in, .len = len, .e = e};
	struct ns_sketch_set *s;

	if (parse_fixed(&r) < 0)
		return NULL;
	s = calloc(1, sizeof(*s));
	if (s == NULL) {
		no_memory(&r);
		return NULL;
	}
	if (parse_all(&r, s) < 0) {
		int err = errno;

		ns_sketch_set_destroy(s);
		return ns_errno_null(err);
	}
	return s;
}

void ns_sketch_set_destroy(struct ns_sketch_set *s)
{
	if (s == NULL)
		return;
	for (uint32_t i = 0; i < s->parts_n; i++) {
		free((void *)(uintptr_t)s->parts[i].label);
		ns_sketch_destroy(&s->parts[i].sketch);
	}
	free(s->parts);
	free((void *)(uintptr_t)s->task);
	free((void *)(uintptr_t)s->type);
	free((void *)(uintptr_t)s->what);
	free(s);
}
