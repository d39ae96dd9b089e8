/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* For tests of the room: a plug-in "tcount" that counts per key and sums a value. */

#include "ns_test.h"
#include "task_priv.h"

#include <ns_registry.h>

#include <string.h>

enum { TCOUNT_KEYS = 2048 };

struct tcount_conf {
	struct ns_task_conf task;
	char **key;
	uint32_t key_count;
	char **peers;
	uint32_t peers_count;
	char *value;
	bool any, once, estimate;
	uint32_t fail; /* create() fails with that errno */
};

struct tcount {
	const struct tcount_conf *conf;
	uint64_t seed;
	int key, peers, value;
	int count, sum, tags;
	struct ns_task_estimate est;
	uint16_t len;
};

struct tcount_state {
	uint64_t fed; /* things */
	uint64_t bursts;
	uint64_t faults; /* hashes that are wrong, bursts that are none */
	uint32_t n;
	struct tcount_entry {
		uint64_t count, sum, peers; /* peers: xor of their hashes */
		uint8_t key[NS_TASK_KEY_MAX];
	} e[TCOUNT_KEYS];
};

static unsigned tcount_alive; /* tasks not destroyed */

static const struct cyaml_schema_value tcount_field = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 0, 256)};

static const cyaml_schema_field_t tcount_fields[] = {NS_TASK_CONF_FIELDS(struct tcount_conf),
	CYAML_FIELD_SEQUENCE("key", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct tcount_conf,
		key, &tcount_field, 0, 64),
	CYAML_FIELD_SEQUENCE("peers", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct tcount_conf,
		peers, &tcount_field, 0, 64),
	CYAML_FIELD_STRING_PTR("value", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
		struct tcount_conf, value, 0, 256),
	CYAML_FIELD_BOOL("any", CYAML_FLAG_DEFAULT, struct tcount_conf, any),
	CYAML_FIELD_BOOL("once", CYAML_FLAG_DEFAULT, struct tcount_conf, once),
	CYAML_FIELD_BOOL("estimate", CYAML_FLAG_DEFAULT, struct tcount_conf, estimate),
	CYAML_FIELD_UINT("fail", CYAML_FLAG_OPTIONAL, struct tcount_conf, fail), CYAML_FIELD_END};

static const struct ns_conf_doc tcount_docs[] = {NS_TASK_CONF_DOCS, {"key", "key"},
	{"peers", "second key"}, {"value", "what is summed"}, {"any", "packets without a flow too"},
	{"once", "is idempotent"}, {"estimate", "has an estimate"}, {"fail", "errno of create"},
	{NULL, NULL}};

static int tcount_check(const void *values, const char **key, struct ns_err *e)
{
	const struct tcount_conf *c = values;
	int rc = ns_task_check(&c->task, key, e);

	if (rc == 0 && c->key_count > 0)
		rc = ns_task_check_key(&c->task, "key", c->key, c->key_count, key, e);
	if (rc == 0 && c->peers_count > 0)
		rc = ns_task_check_key(&c->task, "peers", c->peers, c->peers_count, key, e);
	if (rc == 0 && c->value != NULL)
		rc = ns_task_check_value(&c->task, "value", c->value, key, e);
	return rc;
}

static const struct tcount_conf tcount_defaults;

static struct ns_conf_variant tcount_variant = {
	.section = "tasks",
	.type = "tcount",
	.summary = "counts per key",
	.fields = tcount_fields,
	.size = sizeof(struct tcount_conf),
	.defaults = &tcount_defaults,
	.docs = tcount_docs,
	.check = tcount_check,
};
NS_CONF_VARIANT_REGISTER(tcount_variant)

static int tcount_ask(struct tcount *t, struct ns_task_build *b, struct ns_err *e)
{
	const struct tcount_conf *c = t->conf;
	char name[] = "count"; /* gone after create(): names are copied */

	if (c->key_count > 0) {
		t->key = ns_task_key(b, c->key, c->key_count, e);
		if (t->key < 0 || ns_task_col_key(b, (unsigned)t->key, e) < 0)
			return -1;
		t->len = ns_task_key_len(b, (unsigned)t->key);
	}
	if (c->peers_count > 0) {
		t->peers = ns_task_key(b, c->peers, c->peers_count, e);
		if (t->peers < 0)
			return -1;
	}
	if (c->value != NULL) {
		t->value = ns_task_value(b, c->value, e);
		if (t->value < 0)
			return -1;
	}
	if (c->any)
		ns_task_any_packet(b);
	if (c->once)
		ns_task_idempotent(b);
	ns_task_help(b, "counts of %u fields", c->key_count);
	if (c->estimate)
		return ns_task_col_estimate(b, NS_REC_U64, "packets", &t->est, e);
	t->count = ns_task_col(b, &(struct ns_rec_field){.name = name, .type = NS_REC_U64}, e);
	t->sum = ns_task_col(b, &(struct ns_rec_field){.name = "sum", .type = NS_REC_U64}, e);
	t->tags = ns_task_col(b, &(struct ns_rec_field){.name = "tags", .type = NS_REC_U64}, e);
	return t->count < 0 || t->sum < 0 || t->tags < 0 ? -1 : 0;
}

static void *tcount_create(struct ns_task_build *b, const void *conf, struct ns_err *e)
{
	const struct tcount_conf *c = conf;
	struct tcount *t;

	if (c->fail != 0) {
		ns_fail(e, (int)c->fail, "told to fail");
		return NULL;
	}
	t = calloc(1, sizeof(*t));
	if (t == NULL) {
		ns_fail(e, ENOMEM, "no memory");
		return NULL;
	}
	*t = (struct tcount){
		.conf = c, .seed = ns_task_seed(b), .key = -1, .peers = -1, .value = -1};
	if (tcount_ask(t, b, e) < 0) {
		int err = errno;

		free(t);
		errno = err;
		return NULL;
	}
	tcount_alive++;
	return t;
}

static void tcount_destroy(void *task)
{
	if (task != NULL)
		tcount_alive--;
	free(task);
}

static size_t tcount_size(const void *task)
{
	return sizeof(struct tcount_state);
}

static void tcount_init(const void *task, void *state)
{
	const struct tcount_state *s = state;

	CU_ASSERT_EQUAL((uintptr_t)state % NS_CACHE_LINE, 0);
	CU_ASSERT_EQUAL(s->n + s->fed + s->bursts, 0);
}

static struct tcount_entry *tcount_find(struct tcount_state *s, const uint8_t *key, uint16_t len)
{
	unsigned i;

	for (i = 0; i < s->n && memcmp(s->e[i].key, key, len) != 0; i++)
		;
	if (i == s->n) {
		if (s->n == TCOUNT_KEYS)
			abort();
		memcpy(s->e[s->n++].key, key, len);
	}
	return &s->e[i];
}

static void tcount_feed(const void *task, void *state, const struct ns_task_cols *c)
{
	const struct tcount *t = task;
	struct tcount_state *s = state;

	s->bursts++;
	s->fed += c->n;
	s->faults += c->n == 0 || c->n > NS_TASK_BURST;
	for (unsigned i = 0; i < c->n; i++) {
		const struct ns_task_keys *k = t->key >= 0 ? &c->keys[t->key] : NULL;
		const uint8_t *key = k != NULL ? k->key + (size_t)i * k->len : (const uint8_t *)"";
		struct tcount_entry *e = tcount_find(s, key, t->len);

		if (k != NULL)
			s->faults += k->len != t->len ||
				     k->hash[i] != ns_hash_words(key, t->len / 8u, t->seed);
		e->count++;
		if (t->value >= 0)
			e->sum += c->values[t->value][i];
		if (t->peers >= 0)
			e->peers ^= c->keys[t->peers].hash[i] * (e->count + 1);
	}
}

static int tcount_merge(const void *task, void *into, const void *from)
{
	const struct tcount *t = task;
	const struct tcount_state *f = from;
	struct tcount_state *s = into;

	s->fed += f->fed;
	s->bursts += f->bursts;
	s->faults += f->faults;
	for (unsigned i = 0; i < f->n; i++) {
		struct tcount_entry *e = tcount_find(s, f->e[i].key, t->len);

		e->count += f->e[i].count;
		e->sum += f->e[i].sum;
		e->peers ^= f->e[i].peers;
	}
	return 0;
}

static void tcount_reset(const void *task, void *state)
{
	memset(state, 0, sizeof(struct tcount_state));
}

static int tcount_result(const void *task, const void *state, struct ns_task_out *o)
{
	const struct tcount *t = task;
	const struct tcount_state *s = state;

	CU_ASSERT_EQUAL(s->faults, 0);
	for (unsigned i = 0; i < s->n; i++) {
		void *row = ns_task_row(o);

		if (t->key >= 0)
			ns_task_row_key(o, row, (unsigned)t->key, s->e[i].key);
		if (t->conf->estimate) {
			ns_task_row_estimate_u64(
				row, &t->est, s->e[i].count, s->e[i].count, s->e[i].count, 1);
			ns_task_row_exact_u64(row, &t->est, s->e[i].count);
		} else {
			ns_task_row_u64(row, t->count, s->e[i].count);
			ns_task_row_u64(row, t->sum, s->e[i].sum);
			ns_task_row_u64(row, t->tags, s->e[i].peers != 0);
		}
		ns_task_row_end(o);
	}
	return 0;
}

static const struct ns_task_ops tcount_ops = {
	.create = tcount_create,
	.destroy = tcount_destroy,
	.size = tcount_size,
	.init = tcount_init,
	.feed = tcount_feed,
	.merge = tcount_merge,
	.reset = tcount_reset,
	.result = tcount_result,
};

static const struct ns_plugin tcount_plugin = {
	.kind = NS_TASK_KIND,
	.name = "tcount",
	.summary = "counts per key",
	.abi = NS_PLUGIN_ABI,
	.ops = &tcount_ops,
};
NS_PLUGIN_REGISTER(tcount_plugin)
