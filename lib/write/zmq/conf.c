/* SPDX-License-Identifier: BSD-3-Clause */
#include "zmq_priv.h"

#include <ns_conf.h>

#include <string.h>

const char *const zmq_topic_words[ZMQ_TOPICS] = {"flow", "task", "epoch", "health"};

const struct zmq_conf zmq_conf_defaults = {.hwm = 4096,
	.compression = ZMQ_PACK_AUTO,
	.level = 1,
	.compress_min = 1024,
	.linger = 1000};

#define OPT CYAML_FLAG_OPTIONAL

static const cyaml_strval_t compressions[] = {
	{"auto", ZMQ_PACK_AUTO}, {"never", ZMQ_PACK_NEVER}, {"always", ZMQ_PACK_ALWAYS}};

static const cyaml_schema_value_t text = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, CYAML_UNLIMITED)};

#define LIST(name, member)                                                                      \
	CYAML_FIELD_SEQUENCE(name, OPT | CYAML_FLAG_POINTER, struct zmq_conf, member, &text, 0, \
		CYAML_UNLIMITED)
#define PATH(name, member)                                                                       \
	CYAML_FIELD_STRING_PTR(name, OPT | CYAML_FLAG_POINTER_NULL_STR, struct zmq_conf, member, \
		0, CYAML_UNLIMITED)

static const cyaml_schema_field_t fields[] = {CYAML_FIELD_UINT("hwm", OPT, struct zmq_conf, hwm),
	LIST("push", push), LIST("topics", topics), LIST("sketches", sketches),
	CYAML_FIELD_ENUM("compression", OPT, struct zmq_conf, compression, compressions,
		NS_ARRAY_LEN(compressions)),
	CYAML_FIELD_UINT("level", OPT, struct zmq_conf, level),
	CYAML_FIELD_UINT("compress_min", OPT, struct zmq_conf, compress_min),
	CYAML_FIELD_UINT("linger", OPT, struct zmq_conf, linger), PATH("curve_key", curve_key),
	PATH("curve_allow", curve_allow), CYAML_FIELD_END};

static const struct ns_conf_doc docs[] = {
	{"hwm", "messages that wait for one subscriber at most; then it loses some (1-1000000)"},
	{"push", "more endpoints, each with a PUSH socket that connects to a PULL socket there; "
		 "with @ in front it binds: [\"tcp://192.0.2.1:5557\", \"@ipc:///run/ns.push\"]"},
	{"sketches",
		"tasks whose sketches are sent beside their rows, on topics of their own, so that "
		"what several nodes count can be merged; [\"*\"]: of all that have some"},
	{"topics", "what is sent, of flow, task, epoch and health; empty: all of it"},
	{"compression", "zstd: never, always, or auto: when an endpoint is not on this machine; a "
			"message stays as it is when less than an eighth would be saved"},
	{"level", "level of zstd (1-19)"},
	{"compress_min", "octets of the smallest body that is compressed"},
	{"linger", "milliseconds to wait at the end for subscribers to take what is on its way"},
	{"curve_key", "file with the engine's secret CURVE key: only who encrypts may connect"},
	{"curve_allow", "file with public CURVE keys, one a line: only their owners may connect"},
	{NULL, NULL}};

static int topic_of(const char *word)
{
	for (int i = 0; i < ZMQ_TOPICS; i++) {
		if (strcmp(word, zmq_topic_words[i]) == 0)
			return i;
	}
	return -1;
}

unsigned zmq_topics(const struct zmq_conf *c)
{
	unsigned bits = 0;

	for (uint32_t i = 0; i < c->topics_count; i++)
		bits |= 1u << topic_of(c->topics[i]);
	return bits != 0 ? bits : (1u << ZMQ_TOPICS) - 1;
}

static int within(uint32_t v, uint32_t low, uint32_t high, const char *name, const char **key,
	struct ns_err *e)
{
	if (v >= low && v <= high)
		return 0;
	*key = name;
	return ns_fail(e, EINVAL, "%u is not within %u-%u", v, low, high);
}

static int check_topics(const struct zmq_conf *c, const char **key, struct ns_err *e)
{
	for (uint32_t i = 0; i < c->topics_count; i++) {
		if (topic_of(c->topics[i]) >= 0)
			continue;
		*key = "topics";
		return ns_fail(
			e, EINVAL, "\"%s\" is none of flow, task, epoch, health", c->topics[i]);
	}
	return 0;
}

/* A socket that connects would need the key of each server; those that bind have this one's. */
static int check_push(const struct zmq_conf *c, const char **key, struct ns_err *e)
{
	*key = "push";
	if (c->push_count > PUB_PUSH_MAX)
		return ns_fail(e, EINVAL, "more than %d endpoints", PUB_PUSH_MAX);
	for (uint32_t i = 0; i < c->push_count; i++) {
		const char *to = c->push[i] + (c->push[i][0] == '@');

		if (strstr(to, "://") == NULL)
			return ns_fail(e, EINVAL, "\"%s\" is no endpoint like tcp://HOST:PORT", to);
		if (c->curve_key != NULL && c->push[i][0] != '@' && strncmp(to, "ipc:", 4) != 0)
			return ns_fail(e, EINVAL,
				"\"%s\" would not be encrypted as curve_key asks for; let it bind "
				"(\"@%s\")",
				to, to);
	}
	*key = NULL;
	return 0;
}

static int check(const void *values, const char **key, struct ns_err *e)
{
	const struct zmq_conf *c = values;

	if (within(c->hwm, 1, 1000000, "hwm", key, e) < 0 ||
		within(c->level, 1, 19, "level", key, e) < 0 ||
		within(c->linger, 0, 60000, "linger", key, e) < 0 || check_topics(c, key, e) < 0 ||
		check_push(c, key, e) < 0)
		return -EINVAL;
	if (c->curve_allow != NULL && c->curve_key == NULL) {
		*key = "curve_allow";
		return ns_fail(e, EINVAL, "needs curve_key, the engine's own");
	}
	return 0;
}

static struct ns_conf_section section = {.name = "zmq",
	.summary = "writer \"zmq\": messages for subscribers over ZeroMQ",
	.fields = fields,
	.size = sizeof(struct zmq_conf),
	.defaults = &zmq_conf_defaults,
	.docs = docs,
	.live = (const char *const[]){"zmq", NULL},
	.check = check};
NS_CONF_REGISTER(section)
