/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Keys: from the names of fields to loops over a burst.
 *
 * A specification is a list of "field", "field/24" or "field/24/48". The fields are laid side by
 * side by falling size, which leaves no gaps, and each becomes one operation; some pairs that
 * nearly every configuration has become one. What no operation writes, the end of the last word,
 * is zero from the start and stays so.
 */
#include "task_ops.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

/* Reads up to three digits as a length of at most max; NULL: none of that kind. */
static const char *prefix_len(const char *s, unsigned max, unsigned *len)
{
	unsigned v = 0, n = 0;

	for (; isdigit((unsigned char)*s) && n < 4; n++)
		v = v * 10 + (unsigned)(*s++ - '0');
	*len = v;
	return n > 0 && n < 4 && v <= max ? s : NULL;
}

/* The first bits of @p octets octets set. */
static void put_mask(uint8_t *octets, unsigned n, unsigned bits)
{
	for (unsigned i = 0; i < n; i++) {
		unsigned here = NS_MIN(bits, 8);

		octets[i] = (uint8_t)(0xff00u >> here);
		bits -= here;
	}
}

static void make_mask(struct task_mask *m, unsigned len4, unsigned len6)
{
	memset(m->bits[0], 0xff, 12); /* the mark stays */
	put_mask(m->bits[0] + 12, 4, len4);
	put_mask(m->bits[1], 16, len6);
	m->len4 = (uint8_t)len4;
	m->len6 = (uint8_t)len6;
	m->on = true;
}

static int unknown(int of, const char *field, size_t len, unsigned flags, struct ns_err *e)
{
	char names[400];

	task_field_names(of, flags, names, sizeof(names));
	return ns_fail(e, EINVAL, "\"%.*s\" is no %s of %s; there are: %s", (int)NS_MIN(len, 40),
		field, (flags & TASK_FIELD_VALUE) != 0 ? "number" : "field",
		of == NS_TASK_OF_PACKETS ? "packets" : "flows", names);
}

static int parse_part(struct task_part *part, int of, const char *text, struct ns_err *e)
{
	size_t len = strcspn(text, "/");
	unsigned len4, len6 = 128;
	const char *s = text + len;

	if (task_field_find(of, text, len, &part->field) < 0)
		return unknown(of, text, len, 0, e);
	if (*s == '\0')
		return 0;
	if (part->field.type != NS_REC_IP)
		return ns_fail(e, EINVAL, "\"%s\" is no address and has no prefix length",
			part->field.name);
	s = prefix_len(s + 1, 32, &len4);
	if (s != NULL && *s == '/')
		s = prefix_len(s + 1, 128, &len6);
	if (s == NULL || *s != '\0')
		return ns_fail(e, EINVAL,
			"\"%.60s\": the prefix lengths of IPv4 (0-32) and IPv6 (0-128) are written as "
			"\"%s/24\" or \"%s/24/48\"",
			text, part->field.name, part->field.name);
	make_mask(&part->mask, len4, len6);
	part->field.type = NS_REC_PREFIX;
	part->field.size = sizeof(struct ns_prefix);
	return 0;
}

/* Places the parts, largest first, and makes the operations in the order of their places. */
static void lay_out(struct task_key *k)
{
	unsigned at = 0;
	bool placed[TASK_PARTS_MAX] = {false};

	for (k->ops_n = 0; k->ops_n < k->parts_n; k->ops_n++) {
		struct task_part *next;
		unsigned largest = 0;

		while (placed[largest])
			largest++;
		for (unsigned i = largest + 1; i < k->parts_n; i++) {
			if (!placed[i] && k->parts[i].field.octets > k->parts[largest].field.octets)
				largest = i;
		}
		placed[largest] = true;
		next = &k->parts[largest];
		next->at = (uint16_t)at;
		k->ops[k->ops_n] = (struct task_op){
			.put = next->field.put,
			.at = next->at,
			.offset = next->field.offset,
			.size = next->field.size,
			.mask = next->mask,
		};
		at += next->field.octets;
	}
	k->len = (uint16_t)task_align(at, 8);
}

/*
 * With the number of words known and loops unrolled, the four keys of the default tasks take 10.7
 * ns a packet, instead of 12.7 (hashes by a loop) and 11.2 (not unrolled, here and in
 * ops_packet.c).
 */
#define HASH_WORDS(w, isa, how)                                                                \
	how static void hash_##w##isa(                                                         \
		const uint8_t *key, unsigned n, unsigned words, uint64_t seed, uint64_t *hash) \
	{                                                                                      \
		(void)words;                                                                   \
		_Pragma("GCC unroll 4") for (unsigned i = 0; i < n; i++)                       \
		{                                                                              \
			hash[i] = ns_hash_words(key, w, seed);                                 \
			key += (w)*8;                                                          \
		}                                                                              \
	}

HASH_WORDS(1, , )
HASH_WORDS(2, , )
HASH_WORDS(3, , )
HASH_WORDS(4, , )
HASH_WORDS(5, , )
#ifdef __x86_64__
/* The same with a multiplication that takes and leaves what registers it likes. */
#define BMI2 __attribute__((target("bmi2")))
HASH_WORDS(1, _bmi2, BMI2)
HASH_WORDS(2, _bmi2, BMI2)
HASH_WORDS(3, _bmi2, BMI2)
HASH_WORDS(4, _bmi2, BMI2)
HASH_WORDS(5, _bmi2, BMI2)
#endif

static void hash_any(const uint8_t *key, unsigned n, unsigned words, uint64_t seed, uint64_t *hash)
{
	for (unsigned i = 0; i < n; i++, key += words * 8)
		hash[i] = ns_hash_words(key, words, seed);
}

static task_hash_fn hash_of(unsigned words)
{
	static const task_hash_fn plain[] = {NULL, hash_1, hash_2, hash_3, hash_4, hash_5};
#ifdef __x86_64__
	static const task_hash_fn bmi2[] = {
		NULL, hash_1_bmi2, hash_2_bmi2, hash_3_bmi2, hash_4_bmi2, hash_5_bmi2};

	if (words < NS_ARRAY_LEN(bmi2) && __builtin_cpu_supports("bmi2"))
		return bmi2[words];
#endif
	return words < NS_ARRAY_LEN(plain) ? plain[words] : hash_any;
}

int task_key_parse(struct task_key *k, int of, char *const *fields, unsigned n, unsigned *bad,
	struct ns_err *e)
{
	unsigned octets = 0;

	memset(k, 0, sizeof(*k));
	*bad = 0;
	if (n == 0)
		return ns_fail(e, EINVAL, "a key has at least one field");
	for (unsigned i = 0; i < n; i++) {
		*bad = i;
		if (i == TASK_PARTS_MAX)
			return ns_fail(e, EINVAL, "more than %u fields in a key",
				(unsigned)TASK_PARTS_MAX);
		struct task_part *p = &k->parts[i];

		if (parse_part(p, of, fields[i], e) < 0)
			return -errno;
		for (unsigned j = 0; j < i; j++) {
			if (strcmp(p->field.name, k->parts[j].field.name) == 0)
				return ns_fail(
					e, EINVAL, "\"%s\" is in the key twice", p->field.name);
		}
		octets += p->field.octets;
		if (octets > NS_TASK_KEY_MAX)
			return ns_fail(e, EINVAL,
				"with \"%s\" the key takes %u octets, of at most %u", p->field.name,
				octets, NS_TASK_KEY_MAX);
		k->parts_n++;
	}
	lay_out(k);
	if (of == NS_TASK_OF_PACKETS)
		task_packet_join(k);
	k->hash = hash_of(k->len / 8);
	return 0;
}

bool task_key_same(const struct task_key *a, const struct task_key *b)
{
	if (a->parts_n != b->parts_n)
		return false;
	for (unsigned i = 0; i < a->parts_n; i++) {
		const struct task_mask *x = &a->parts[i].mask, *y = &b->parts[i].mask;

		if (strcmp(a->parts[i].field.name, b->parts[i].field.name) != 0 || x->on != y->on ||
			x->len4 != y->len4 || x->len6 != y->len6)
			return false;
	}
	return true;
}

bool task_key_has(const struct task_key *k, unsigned flags, const char **which)
{
	for (unsigned i = 0; i < k->parts_n; i++) {
		*which = k->parts[i].field.name;
		if ((k->parts[i].field.flags & flags) != flags)
			return false;
	}
	return true;
}

void task_key_hash(
	const struct task_key *k, unsigned n, uint64_t seed, const uint8_t *key, uint64_t *hash)
{
	k->hash(key, n, k->len / 8, seed, hash);
}

void task_key_build(const struct task_key *k, const void *src, unsigned n, uint64_t seed,
	uint8_t *key, uint64_t *hash)
{
	for (unsigned i = 0; i < k->ops_n; i++)
		k->ops[i].put(&k->ops[i], src, n, key, k->len);
	task_key_hash(k, n, seed, key, hash);
}

int task_value_parse(struct task_value *v, int of, const char *field, struct ns_err *e)
{
	memset(v, 0, sizeof(*v));
	if (task_field_find(of, field, strlen(field), &v->field) < 0 ||
		(v->field.flags & TASK_FIELD_VALUE) == 0)
		return unknown(of, field, strlen(field), TASK_FIELD_VALUE, e);
	v->op = (struct task_op){.get = v->field.get, .offset = v->field.offset};
	return 0;
}
