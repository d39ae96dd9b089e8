/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * /netspectra/... on DPDK's telemetry socket. DPDK calls from a thread for each client; here a copy
 * is borrowed for the length of a call. Commands can't be unregistered: the board stays for the
 * life of the process, and is empty while there is no engine.
 */
#include "metrics_priv.h"

#include <ns_node.h>
#include <ns_state.h>

#include <rte_telemetry.h>
#include <rte_version.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct board *board; /* set once, before the first command is registered */

/* DPDK 23.03 gave it another name, and a later one took the old one away. */
static int add_u64(struct rte_tel_data *d, const char *name, uint64_t v)
{
#if RTE_VERSION >= RTE_VERSION_NUM(23, 3, 0, 0)
	return rte_tel_data_add_dict_uint(d, name, v);
#else
	return rte_tel_data_add_dict_u64(d, name, v);
#endif
}

static int add_f64(struct rte_tel_data *d, const char *name, const void *at)
{
	char text[32];
	double v;

	memcpy(&v, at, sizeof(v));
	snprintf(text, sizeof(text), "%.3f", v); /* telemetry has no word for it */
	return rte_tel_data_add_dict_string(d, name, text);
}

static uint64_t unsigned_at(enum ns_rec_type type, const void *at)
{
	uint64_t v = 0;

	/* little endian or not, the value is read at its own width */
	if (type == NS_REC_U8)
		return *(const uint8_t *)at;
	if (type == NS_REC_U16)
		return *(const uint16_t *)at;
	if (type == NS_REC_U32)
		return *(const uint32_t *)at;
	memcpy(&v, at, sizeof(v));
	return v;
}

int telemetry_record(struct rte_tel_data *d, const struct ns_rec_kind *k, const void *rec)
{
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < k->fields_n; i++) {
		const struct ns_rec_field *f = &k->fields[i];
		const void *at = (const uint8_t *)rec + f->offset;

		switch (f->type) {
		case NS_REC_U8:
		case NS_REC_U16:
		case NS_REC_U32:
		case NS_REC_U64:
		case NS_REC_TIME:
			rc = add_u64(d, f->name, unsigned_at(f->type, at));
			break;
		case NS_REC_F64:
			rc = add_f64(d, f->name, at);
			break;
		case NS_REC_STR:
			rc = rte_tel_data_add_dict_string(d, f->name, at);
			break;
		default: /* no record of ns_state.h has another */
			rc = -EINVAL;
		}
	}
	return rc;
}

/* A dictionary of the record in @d under @name. */
static int nest(
	struct rte_tel_data *d, const char *name, const struct ns_rec_kind *k, const void *rec)
{
	struct rte_tel_data *in = rte_tel_data_alloc();
	int rc = in != NULL ? rte_tel_data_start_dict(in) : -ENOMEM;

	rc = rc < 0 ? rc : telemetry_record(in, k, rec);
	rc = rc < 0 ? rc : rte_tel_data_add_dict_container(d, name, in, 0);
	if (rc < 0)
		rte_tel_data_free(in);
	return rc;
}

static int epoch(const struct ns_engine_state *st, const char *params, struct rte_tel_data *d)
{
	return telemetry_record(d, &ns_epoch_rec_kind, &st->epoch);
}

/* All of them, or with a number that lcore alone. */
static int lcores(const struct ns_engine_state *st, const char *params, struct rte_tel_data *d)
{
	char name[16];
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < st->lcores_n; i++) {
		snprintf(name, sizeof(name), "%u", st->lcores[i].lcore);
		if (params == NULL)
			rc = nest(d, name, &ns_lcore_rec_kind, &st->lcores[i]);
		else if (strcmp(params, name) == 0)
			return telemetry_record(d, &ns_lcore_rec_kind, &st->lcores[i]);
	}
	return params == NULL ? rc : -ENOENT;
}

static uint64_t counted(const struct ns_engine_state *st, const char *name)
{
	for (unsigned i = 0; i < st->counters_n; i++) {
		if (strncmp(st->counters[i].name, name, NS_STATE_NAME - 1) == 0)
			return st->counters[i].value;
	}
	return 0;
}

static int drops(const struct ns_engine_state *st, const char *params, struct rte_tel_data *d)
{
	const struct ns_counter *const *all;
	unsigned n;
	int rc = 0;

	all = ns_counters_all(&n);
	for (unsigned i = 0; rc == 0 && i < n; i++) {
		if (all[i]->kind == NS_COUNTER_DROP)
			rc = add_u64(d, all[i]->name, counted(st, all[i]->name));
	}
	return rc;
}

/* By number, as a name like "csv#2" is none that telemetry takes; with a number that one alone. */
static int writers(const struct ns_engine_state *st, const char *params, struct rte_tel_data *d)
{
	char name[16];
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < st->writers_n; i++) {
		snprintf(name, sizeof(name), "%u", i);
		if (params == NULL)
			rc = nest(d, name, &ns_writer_rec_kind, &st->writers[i]);
		else if (strcmp(params, name) == 0)
			return telemetry_record(d, &ns_writer_rec_kind, &st->writers[i]);
	}
	return params == NULL ? rc : -ENOENT;
}

static int info(const struct ns_engine_state *st, const char *params, struct rte_tel_data *d)
{
	const struct ns_node *node = ns_node();
	int rc = rte_tel_data_add_dict_string(d, "node", node->name);

	rc = rc < 0 ? rc : rte_tel_data_add_dict_string(d, "boot", node->boot);
	rc = rc < 0 ? rc : rte_tel_data_add_dict_string(d, "version", NS_VERSION);
	rc = rc < 0 ? rc : rte_tel_data_add_dict_string(d, "dpdk", rte_version());
	rc = rc < 0 ? rc : add_u64(d, "start_ns", node->start_ns);
	rc = rc < 0 ? rc : add_u64(d, "lcores", st->lcores_n);
	rc = rc < 0 ? rc : add_u64(d, "writers", st->writers_n);
	return rc;
}

static const struct command {
	const char *name;
	int (*fill)(const struct ns_engine_state *st, const char *params, struct rte_tel_data *d);
	const char *help; /* less than 64 octets: DPDK's limit */
} commands[] = {
	{"/netspectra/epoch", epoch, "The last complete epoch. No parameters"},
	{"/netspectra/lcores", lcores, "What lcores do. Parameter: a lcore; none: all"},
	{"/netspectra/drops", drops, "Packets dropped by reason. No parameters"},
	{"/netspectra/writers", writers, "Ways out. Parameter: a number; none: all"},
	{"/netspectra/info", info, "Node, boot id, versions. No parameters"},
};

/* A telemetry_cb, on a thread of DPDK's. -ENOENT: "null" is what the client reads. */
static int answer(const char *cmd, const char *params, struct rte_tel_data *d)
{
	struct board_place *p = board_take(board);
	int rc = -ENOENT;

	if (p == NULL)
		return rc;
	rte_tel_data_start_dict(d);
	for (size_t i = 0; i < NS_ARRAY_LEN(commands); i++) {
		if (strcmp(cmd, commands[i].name) == 0)
			rc = commands[i].fill(&((const struct copy *)p->thing)->st, params, d);
	}
	board_give_back(p);
	return rc;
}

int telemetry_register(struct board *b, struct ns_err *e)
{
	if (board != NULL)
		return 0;
	board = b;
	for (size_t i = 0; i < NS_ARRAY_LEN(commands); i++) {
		int rc = rte_telemetry_register_cmd(commands[i].name, answer, commands[i].help);

		if (rc < 0)
			return ns_fail(e, -rc, "telemetry takes no %s: %s", commands[i].name,
				strerror(-rc));
	}
	return 0;
}
