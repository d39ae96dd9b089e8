/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A profile is one flat YAML mapping. libyaml reads it, a table says what each key holds, and the
 * strings of the result stay where libyaml has put them: the document lives as long as the profile.
 */
#include "source_priv.h"

#include <ns_profile.h>

#include <rte_ethdev.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct profile {
	struct ns_profile pub; /* first: pub is what callers hold */
	yaml_document_t doc;
	char *name;
};

struct word {
	const char *text;
	uint64_t value;
};

enum kind { TEXT, NUMBER, TRUTH, WORD, FLAGS, HEX, LIST };

struct key {
	const char *name;
	enum kind kind;
	size_t at; /* in struct ns_profile */
	size_t size; /* of the number or word there */
	uint64_t max;
	const struct word *words; /* ends with NULL */
};

static const struct word stamp_words[] = {
	{"auto", NS_STAMPS_AUTO}, {"tsc", NS_STAMPS_TSC}, {"port", NS_STAMPS_PORT}, {NULL, 0}};
static const struct word unit_words[] = {
	{"ticks", NS_STAMP_TICKS}, {"us", NS_STAMP_US}, {"ns", NS_STAMP_NS}, {NULL, 0}};
static const struct word truth_words[] = {{"true", 1}, {"false", 0}, {NULL, 0}};
static const struct word rss_words[] = {{"auto", 0}, {"off", 1}, {NULL, 0}};
static const struct word hf_words[] = {{"ip", RTE_ETH_RSS_IP}, {"ipv4", RTE_ETH_RSS_IPV4},
	{"ipv6", RTE_ETH_RSS_IPV6}, {"frag", RTE_ETH_RSS_FRAG_IPV4 | RTE_ETH_RSS_FRAG_IPV6},
	{"tcp", RTE_ETH_RSS_TCP}, {"udp", RTE_ETH_RSS_UDP}, {"sctp", RTE_ETH_RSS_SCTP},
	{"tunnel", RTE_ETH_RSS_TUNNEL}, {"l2", RTE_ETH_RSS_L2_PAYLOAD}, {NULL, 0}};

#define AT(f) offsetof(struct ns_profile, f), sizeof(((struct ns_profile *)0)->f)

static const struct key keys[] = {
	{"description", TEXT, AT(description), 0, NULL},
	{"drivers", LIST, AT(drivers), 0, NULL},
	{"eal_args", LIST, AT(eal_args), 0, NULL},
	{"devargs", TEXT, AT(devargs), 0, NULL},
	{"rx_queues", NUMBER, AT(rx_queues), 1024, NULL},
	{"all_queues", TRUTH, AT(all_queues), 0, truth_words},
	{"rx_descriptors", NUMBER, AT(rx_descriptors), 65535, NULL},
	{"mtu", NUMBER, AT(mtu), 65535, NULL},
	{"rss", TRUTH, AT(rss_off), 0, rss_words},
	{"rss_hf", FLAGS, AT(rss_hf), 0, hf_words},
	{"rss_key", HEX, AT(rss_key), 0, NULL},
	{"timestamps", WORD, AT(timestamps), 0, stamp_words},
	{"timestamp_unit", WORD, AT(timestamp_unit), 0, unit_words},
	{"linktype", NUMBER, AT(linktype), 65535, NULL},
	{"module", TEXT, AT(module), 0, NULL},
	{"notes", TEXT, AT(notes), 0, NULL},
};

struct load {
	struct profile *p;
	const char *file;
	struct ns_err *e;
};

static int refuse(const struct load *l, yaml_mark_t at, int err, const char *key, const char *why)
{
	return ns_fail(l->e, err, "%s:%zu:%zu: %s%s%s", l->file, at.line + 1, at.column + 1,
		key == NULL ? "" : key, key == NULL ? "" : ": ", why);
}

static int refuse_word(const struct load *l, const yaml_node_t *n, const struct key *k)
{
	char why[256];
	size_t at = (size_t)snprintf(
		why, sizeof(why), "\"%.40s\" is none of", (const char *)n->data.scalar.value);

	for (const struct word *w = k->words; w->text != NULL && at < sizeof(why); w++)
		at += (size_t)snprintf(why + at, sizeof(why) - at, " %s", w->text);
	return refuse(l, n->start_mark, EINVAL, k->name, why);
}

static const char *text_of(const yaml_node_t *n)
{
	if (n->type != YAML_SCALAR_NODE ||
		strlen((const char *)n->data.scalar.value) != n->data.scalar.length)
		return NULL;
	return (const char *)n->data.scalar.value;
}

static const struct word *find_word(const struct word *w, const char *text)
{
	while (w->text != NULL && strcmp(w->text, text) != 0)
		w++;
	return w->text == NULL ? NULL : w;
}

/* Numbers, truths and enums have 1, 2, 4 or 8 octets; on either byte order. */
static void put(void *at, size_t size, uint64_t v)
{
	switch (size) {
	case 1:
		*(uint8_t *)at = (uint8_t)v;
		break;
	case 2:
		*(uint16_t *)at = (uint16_t)v;
		break;
	case 4:
		*(uint32_t *)at = (uint32_t)v;
		break;
	default:
		*(uint64_t *)at = v;
		break;
	}
}

static int take_number(struct load *l, const struct key *k, const yaml_node_t *n, const char *text)
{
	char *end;
	unsigned long long v;

	errno = 0;
	v = strtoull(text, &end, 10);
	if (!isdigit((unsigned char)text[0]) || *end != '\0' || errno != 0 || v > k->max) {
		char why[96];

		snprintf(why, sizeof(why), "\"%.40s\" is not a number from 0 to %llu", text,
			(unsigned long long)k->max);
		return refuse(l, n->start_mark, EINVAL, k->name, why);
	}
	put((char *)&l->p->pub + k->at, k->size, v);
	return 0;
}

static int take_hex(struct load *l, const struct key *k, const yaml_node_t *n, const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++) {
		if (!isxdigit((unsigned char)text[i]))
			len = 0;
	}
	if (len == 0 || len % 2 != 0 || len / 2 > NS_PROFILE_KEY_MAX)
		return refuse(l, n->start_mark, EINVAL, k->name,
			"wants an even number of hexadecimal digits, at most 128");
	for (size_t i = 0; i < len / 2; i++) {
		char octet[3] = {text[2 * i], text[2 * i + 1], '\0'};

		l->p->pub.rss_key[i] = (uint8_t)strtoul(octet, NULL, 16);
	}
	l->p->pub.rss_key_len = (unsigned)(len / 2);
	return 0;
}

/* A list of texts: flags add up, anything else becomes an array that ends with NULL. */
static int take_list(struct load *l, const struct key *k, const yaml_node_t *n)
{
	size_t count = (size_t)(n->data.sequence.items.top - n->data.sequence.items.start);
	const char **list = NULL;
	uint64_t flags = 0;

	if (k->kind == LIST) {
		list = ns_source_calloc(count + 1, sizeof(*list));
		if (list == NULL)
			return refuse(l, n->start_mark, ENOMEM, k->name, "no memory");
		memcpy((char *)&l->p->pub + k->at, &list, sizeof(list));
		if (strcmp(k->name, "eal_args") == 0)
			l->p->pub.eal_args_n = (unsigned)count;
	}
	for (size_t i = 0; i < count; i++) {
		const yaml_node_t *item =
			yaml_document_get_node(&l->p->doc, n->data.sequence.items.start[i]);
		const char *text = text_of(item);
		const struct word *w;

		if (text == NULL || text[0] == '\0')
			return refuse(l, item->start_mark, EINVAL, k->name, "wants plain text");
		if (list != NULL) {
			list[i] = text;
			continue;
		}
		w = find_word(k->words, text);
		if (w == NULL)
			return refuse_word(l, item, k);
		flags |= w->value;
	}
	if (k->kind == FLAGS)
		put((char *)&l->p->pub + k->at, k->size, flags);
	return 0;
}

static int take(struct load *l, const struct key *k, const yaml_node_t *n)
{
	const char *text = text_of(n);
	const struct word *w;

	if (k->kind == LIST || k->kind == FLAGS) {
		if (n->type != YAML_SEQUENCE_NODE)
			return refuse(l, n->start_mark, EINVAL, k->name, "wants a list");
		return take_list(l, k, n);
	}
	if (text == NULL)
		return refuse(l, n->start_mark, EINVAL, k->name, "wants one plain value");
	switch (k->kind) {
	case TEXT:
		memcpy((char *)&l->p->pub + k->at, &text, sizeof(text));
		return 0;
	case NUMBER:
		return take_number(l, k, n, text);
	case HEX:
		return take_hex(l, k, n, text);
	default:
		w = find_word(k->words, text);
		if (w == NULL)
			return refuse_word(l, n, k);
		put((char *)&l->p->pub + k->at, k->size, w->value);
		return 0;
	}
}

static int take_all(struct load *l)
{
	const yaml_node_t *root = yaml_document_get_root_node(&l->p->doc);
	bool seen[NS_ARRAY_LEN(keys)] = {false};
	yaml_mark_t top = {0};

	if (root != NULL)
		top = root->start_mark;
	if (root == NULL || root->type != YAML_MAPPING_NODE)
		return refuse(l, top, EINVAL, NULL, "wants \"key: value\" lines");
	for (const yaml_node_pair_t *pair = root->data.mapping.pairs.start;
		pair < root->data.mapping.pairs.top; pair++) {
		const yaml_node_t *kn = yaml_document_get_node(&l->p->doc, pair->key);
		const char *name = text_of(kn);
		char why[96];
		size_t i = 0;

		while (name != NULL && i < NS_ARRAY_LEN(keys) && strcmp(keys[i].name, name) != 0)
			i++;
		if (name == NULL || i == NS_ARRAY_LEN(keys) || seen[i]) {
			snprintf(why, sizeof(why), "%s key \"%.40s\"",
				name != NULL && i < NS_ARRAY_LEN(keys) ? "duplicate" : "unknown",
				name == NULL ? "?" : name);
			return refuse(l, kn->start_mark, EINVAL, NULL, why);
		}
		seen[i] = true;
		if (take(l, &keys[i], yaml_document_get_node(&l->p->doc, pair->value)) < 0)
			return -errno;
	}
	if (l->p->pub.description == NULL)
		return refuse(l, top, EINVAL, NULL, "key \"description\" is missing");
	return 0;
}

struct ns_profile *ns_profile_parse(
	const char *yaml, size_t len, const char *name, const char *file, struct ns_err *e)
{
	struct load l = {.file = file, .e = e};
	yaml_parser_t parser;
	int rc;

	l.p = ns_source_calloc(1, sizeof(*l.p));
	if (l.p == NULL) {
		ns_fail(e, ENOMEM, "%s: no memory", file);
		return NULL;
	}
	l.p->name = ns_source_calloc(1, strlen(name) + 1);
	if (l.p->name == NULL || !yaml_parser_initialize(&parser)) {
		ns_profile_destroy(&l.p->pub);
		ns_fail(e, ENOMEM, "%s: no memory", file);
		return NULL;
	}
	memcpy(l.p->name, name, strlen(name));
	l.p->pub.name = l.p->name;
	l.p->pub.linktype = 1;
	yaml_parser_set_input_string(&parser, (const unsigned char *)yaml, len);
	if (yaml_parser_load(&parser, &l.p->doc)) {
		rc = take_all(&l);
	} else {
		bool memory = parser.error == YAML_MEMORY_ERROR;

		rc = refuse(&l, parser.problem_mark, memory ? ENOMEM : EINVAL, NULL,
			parser.problem != NULL ? parser.problem : "no memory");
	}
	yaml_parser_delete(&parser);
	if (rc < 0) {
		ns_profile_destroy(&l.p->pub);
		return ns_errno_null(-rc);
	}
	return &l.p->pub;
}

void ns_profile_destroy(struct ns_profile *pub)
{
	struct profile *p = (struct profile *)pub;

	if (p == NULL)
		return;
	free((void *)p->pub.drivers);
	free((void *)p->pub.eal_args);
	yaml_document_delete(&p->doc);
	free(p->name);
	free(p);
}
