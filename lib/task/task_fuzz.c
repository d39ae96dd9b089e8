/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any octets as a configuration. What is accepted is compiled, and its columns and keys must be
 * what everyone who reads them relies on; some packets and a record are fed to columns that nobody
 * keeps.
 */
#include "task_priv.h"

#include <ns_registry.h>

#include <netdb.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A filter may name a host: nobody is asked. */
int getaddrinfo(
	const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **res)
{
	return EAI_NONAME;
}

struct mbuf {
	struct rte_mbuf m;
	uint8_t priv[NS_PACKET_PRIV];
	uint8_t data[64];
};

static void need(int ok)
{
	if (!ok)
		abort();
}

static void check_kind(const struct ns_rec_kind *k)
{
	size_t end = 0;

	need(k->fields_n >= TASK_COLS_HEAD && k->size % 8 == 0 && k->help != NULL);
	for (unsigned i = 0; i < k->fields_n; i++) {
		const struct ns_rec_field *f = &k->fields[i];

		need(f->offset >= end && f->size > 0);
		end = f->offset + (size_t)f->size;
		need(f->name[0] != '\0' && f->unit != NULL && f->help != NULL);
		for (unsigned j = 0; j < i; j++)
			need(strcmp(f->name, k->fields[j].name) != 0);
	}
	need(end <= k->size);
}

/* Every octet of a key belongs to one field, or to none and stays zero. */
static void check_key(const struct task_key *k)
{
	uint8_t owners[NS_TASK_KEY_MAX] = {0};

	need(k->len >= 8 && k->len <= NS_TASK_KEY_MAX && k->len % 8 == 0);
	for (unsigned i = 0; i < k->parts_n; i++) {
		const struct task_part *p = &k->parts[i];

		need(p->at + p->field.octets <= k->len);
		for (unsigned j = 0; j < p->field.octets; j++)
			need(++owners[p->at + j] == 1);
	}
}

/* Builds the columns of each feed; ASan watches their ends. */
static void build(const struct ns_tasks *ts)
{
	struct rte_mbuf *m[2];
	struct mbuf b[2];
	struct ns_flow_rec r[2];

	memset(b, 0xff, sizeof(b));
	memset(r, 0xff, sizeof(r));
	for (unsigned i = 0; i < 2; i++) {
		m[i] = &b[i].m;
		ns_packet(m[i])->tuple.ver = i == 0 ? 4 : 6;
		r[i].src.ver = r[i].dst.ver = i == 0 ? 4 : 6;
	}
	for (unsigned i = 0; i < ts->feeds_n; i++) {
		const struct task_feed *f = &ts->feeds[i];
		const void *src = f->of == NS_TASK_OF_PACKETS ? (const void *)m : r;

		for (unsigned j = 0; j < f->keys_n; j++) {
			uint64_t hash[2];
			uint8_t *key = calloc(2, f->keys[j]->len);

			need(key != NULL);
			task_key_build(f->keys[j], src, 2, ts->seed, key, hash);
			for (unsigned h = 0; h < 2; h++)
				need(hash[h] == ns_hash_words(key + (size_t)h * f->keys[j]->len,
							f->keys[j]->len / 8u, ts->seed));
			free(key);
		}
		for (unsigned j = 0; j < f->values_n; j++) {
			uint64_t v[2];

			f->values[j]->op.get(&f->values[j]->op, src, 2, v);
		}
		for (unsigned j = 0; f->when != NULL && j < 2; j++) {
			struct ns_packet *p = ns_packet(m[j]);

			m[j]->buf_addr = b[j].data;
			m[j]->data_off = 0;
			p->linktype = j == 0 ? NS_LINKTYPE_ETHERNET : 101;
			p->caplen = p->wirelen = sizeof(b[j].data);
			(void)task_when_match(f->when, m[j]);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int sealed;
	struct ns_err e = {""};
	struct ns_conf *c;

	if (!sealed)
		need(ns_registry_seal(NULL) == 0);
	sealed = 1;
	c = ns_conf_parse((const char *)data, size, "fuzz.yaml", NULL, 0, &e);
	if (c == NULL) {
		need(e.text[0] != '\0');
		return 0;
	}
	const struct ns_tasks_args args = {.conf = c, .seed = 1, .verify = size % 2 != 0};
	struct ns_tasks *ts = ns_tasks_create(&args, &e);

	/* the check has tried each task, so that nothing is left to refuse */
	need(ts != NULL);
	for (unsigned i = 0; i < ns_tasks_n(ts); i++) {
		check_kind(ns_tasks_kind(ts, i));
		for (unsigned j = 0; j < ts->tasks[i]->keys_n; j++)
			check_key(ts->tasks[i]->keys[j]);
	}
	build(ts);
	struct ns_task_lcore *l = ns_task_lcore_create(ts);

	need(l != NULL);
	ns_task_lcore_destroy(l);
	ns_tasks_destroy(ts);
	ns_conf_destroy(c);
	return 0;
}
