/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How much of which protocol, and in frames of which size.
 *
 *   IP           table of 256, by protocol     each: | packets | octets | 7 classes of size |
 *   no IP        ns_sample of 64, by EtherType
 *
 * More than 64 EtherTypes are rather an attack or a fault than traffic: those with the largest
 * hashes are summed as "other", the same ones whatever the order and the number of lcores.
 *
 * Sizes are those of RMON's etherStatsPkts64Octets ... etherStatsPkts1024to1518Octets (RFC 2819),
 * which count the frame check sequence; a packet's length here comes without it.
 */
#include <ns_decode.h>
#include <ns_registry.h>
#include <ns_sample.h>
#include <ns_task.h>
#include <ns_text.h>

#include <stdlib.h>

#define FCS 4
#define ETHERTYPES 64
#define IP_MAX 256
#define KEY_LEN 8

enum { PACKETS, OCTETS, SIZES, SUMS = SIZES + 7 };

static const char *const sum_names[SUMS] = {"packets", "octets", "size_64", "size_65_127",
	"size_128_255", "size_256_511", "size_512_1023", "size_1024_1518", "size_1519_up"};

struct rate_conf {
	struct ns_task_conf task;
};

struct rate {
	int octets; /* number of the value */
	int layer, protocol, packets_per_s, bits_per_s, sum[SUMS]; /* offsets in the row */
	struct ns_sample_conf sample;
};

struct state {
	uint64_t ip[IP_MAX][SUMS];
	uint8_t sample[] __attribute__((aligned(NS_CACHE_LINE)));
};

/* --- configuration --------------------------------------------------------------------------- */

static int check(const void *values, const char **key, struct ns_err *e)
{
	const struct rate_conf *c = values;

	if (c->task.of != NS_TASK_OF_PACKETS) {
		*key = "of";
		return ns_fail(e, EINVAL,
			"\"flows\" have no packet sizes; a task of type rate is "
			"of: packets");
	}
	return ns_task_check(&c->task, key, e);
}

static const struct cyaml_schema_field fields[] = {
	NS_TASK_CONF_FIELDS(struct rate_conf), CYAML_FIELD_END};

static const struct ns_conf_doc docs[] = {NS_TASK_CONF_DOCS, {NULL, NULL}};

static const struct rate_conf defaults;

static struct ns_conf_variant variant = {
	.section = "tasks",
	.type = "rate",
	.summary = "packets and octets a second by protocol, and classes of frame sizes",
	.fields = fields,
	.size = sizeof(struct rate_conf),
	.defaults = &defaults,
	.docs = docs,
	.check = check,
};
NS_CONF_VARIANT_REGISTER(variant)

/* --- the task -------------------------------------------------------------------------------- */

/* Adds a column; the first failure stays in *rc. */
static int column(struct ns_task_build *b, int *rc, const char *name, enum ns_rec_type type,
	uint16_t size, const char *unit, const char *help, struct ns_err *e)
{
	const struct ns_rec_field f = {.name = name,
		.type = type,
		.size = size,
		.flags = type == NS_REC_STR ? NS_REC_KEY : 0,
		.unit = unit,
		.help = help};
	int at = *rc < 0 ? *rc : ns_task_col(b, &f, e);

	if (at < 0)
		*rc = at;
	return at;
}

static int columns(struct rate *t, struct ns_task_build *b, struct ns_err *e)
{
	int rc = 0;

	t->layer = column(b, &rc, "layer", NS_REC_STR, 4, "",
		"\"ip\": protocol of the innermost IP header; \"link\": EtherType of a packet "
		"without one; \"all\"",
		e);
	t->protocol = column(b, &rc, "protocol", NS_REC_STR, 24, "",
		"keyword, or number: 253 of IP, 0x88b5 of Ethernet; \"all\", \"other\"", e);
	for (unsigned i = 0; i < SUMS; i++) {
		if (i == SIZES) {
			t->packets_per_s = column(
				b, &rc, "packets_per_s", NS_REC_F64, 8, "packets/s", "mean", e);
			t->bits_per_s =
				column(b, &rc, "bits_per_s", NS_REC_F64, 8, "bit/s", "mean", e);
		}
		t->sum[i] = column(b, &rc, sum_names[i], NS_REC_U64, 8,
			i == OCTETS ? "octets" : "packets",
			i == OCTETS  ? "of whole frames, without FCS"
			: i >= SIZES ? "frames of that many octets, with FCS (RFC 2819)"
				     : "",
			e);
	}
	return rc;
}

/* The core's field tells EtherTypes from IP protocols: they are 65536 and more. */
static int wants(struct rate *t, struct ns_task_build *b, struct ns_err *e)
{
	static char protocol[] = "protocol";
	char *const key[] = {protocol};
	int rc = ns_task_key(b, key, 1, e);

	if (rc >= 0)
		rc = t->octets = ns_task_value(b, "l2_octets", e);
	return rc;
}

static void destroy(void *task)
{
	free(task);
}

static void *create(struct ns_task_build *b, const void *conf, struct ns_err *e)
{
	struct rate *t = calloc(1, sizeof(*t));

	if (t == NULL) {
		ns_fail(e, ENOMEM, "out of memory");
		return NULL;
	}
	ns_task_any_packet(b);
	if (wants(t, b, e) < 0 || columns(t, b, e) < 0) {
		int err = errno;

		free(t);
		return ns_errno_null(err);
	}
	t->sample = (struct ns_sample_conf){
		.slots = ETHERTYPES, .key_len = KEY_LEN, .values = SUMS, .seed = ns_task_seed(b)};
	ns_task_help(b, "packets and octets by protocol, with classes of frame sizes");
	return t;
}

static size_t size(const void *task)
{
	const struct rate *t = task;

	return sizeof(struct state) + ns_sample_size(&t->sample);
}

static void init(const void *task, void *state)
{
	const struct rate *t = task;
	struct state *s = state;

	ns_sample_init(s->sample, &t->sample);
}

static struct ns_sample *link_of(const void *state)
{
	return (struct ns_sample *)((uintptr_t)state + offsetof(struct state, sample));
}

static inline unsigned class_of(uint64_t octets)
{
	uint64_t n = octets + FCS;

	return n <= 64     ? 0
	       : n <= 127  ? 1
	       : n <= 255  ? 2
	       : n <= 511  ? 3
	       : n <= 1023 ? 4
	       : n <= 1518 ? 5
			   : 6;
}

/* Those without IP, gathered while the others were counted. */
struct gathered {
	unsigned n;
	uint64_t hash[NS_TASK_BURST], protocol[NS_TASK_BURST];
	uint64_t sums[SUMS][NS_TASK_BURST];
};

static void gather(
	struct gathered *g, uint64_t protocol, uint64_t hash, uint64_t octets, unsigned class)
{
	unsigned i = g->n++;

	g->protocol[i] = protocol;
	g->hash[i] = hash;
	for (unsigned j = SIZES; j < SUMS; j++)
		g->sums[j][i] = j == SIZES + class;
	g->sums[PACKETS][i] = 1;
	g->sums[OCTETS][i] = octets;
}

static void feed(const void *task, void *state, const struct ns_task_cols *c)
{
	const struct rate *t = task;
	struct state *s = state;
	const uint64_t *octets = c->values[t->octets];
	const uint64_t *sums[SUMS];
	struct gathered g;
	uint64_t protocol;

	g.n = 0;
	for (unsigned i = 0; i < c->n; i++) {
		unsigned class = class_of(octets[i]);

		memcpy(&protocol, c->keys[0].key + (size_t)i * KEY_LEN, sizeof(protocol));
		if (ns_unlikely(protocol >= IP_MAX)) {
			gather(&g, protocol, c->keys[0].hash[i], octets[i], class);
			continue;
		}
		uint64_t *sum = s->ip[protocol];

		sum[PACKETS]++;
		sum[OCTETS] += octets[i];
		sum[SIZES + class]++;
	}
	if (ns_likely(g.n == 0))
		return;
	for (unsigned j = 0; j < SUMS; j++)
		sums[j] = g.sums[j];
	ns_sample_add_bulk(link_of(s), g.hash, (const uint8_t *)g.protocol, KEY_LEN, sums, g.n);
}

static int merge(const void *task, void *into, const void *from)
{
	struct state *to = into;
	const struct state *s = from;

	for (unsigned i = 0; i < IP_MAX; i++) {
		for (unsigned j = 0; j < SUMS; j++)
			to->ip[i][j] += s->ip[i][j];
	}
	return ns_sample_merge(link_of(to), link_of(s));
}

static void reset(const void *task, void *state)
{
	struct state *s = state;

	memset(s->ip, 0, sizeof(s->ip));
	ns_sample_reset(link_of(s));
}

/* --- rows ------------------------------------------------------------------------------------ */

struct line {
	const char *layer;
	uint64_t number; /* EtherTypes are behind the IP protocols */
	char name[25];
	const uint64_t *sums;
};

static int in_order(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	if (x->sums[PACKETS] != y->sums[PACKETS])
		return x->sums[PACKETS] > y->sums[PACKETS] ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

static void put_row(const struct rate *t, struct ns_task_out *o, const struct line *l)
{
	double span = (double)ns_task_out_span(o) / (double)NS_SEC_NS;
	uint8_t *row = ns_task_row(o);

	memcpy(row + t->layer, l->layer, strlen(l->layer));
	memcpy(row + t->protocol, l->name, strlen(l->name));
	ns_task_row_f64(row, t->packets_per_s, (double)l->sums[PACKETS] / span);
	ns_task_row_f64(row, t->bits_per_s, (double)l->sums[OCTETS] * 8 / span);
	for (unsigned i = 0; i < SUMS; i++)
		ns_task_row_u64(row, t->sum[i], l->sums[i]);
	ns_task_row_end(o);
}

static struct line ip_line(unsigned proto, const uint64_t *sums)
{
	struct line l = {.layer = "ip", .number = proto, .sums = sums};

	*ns_put_proto(l.name, (uint8_t)proto) = '\0';
	return l;
}

static struct line link_line(const struct ns_sample_entry *entry)
{
	struct line l = {.layer = "link", .sums = entry->values};

	memcpy(&l.number, entry->key, sizeof(l.number));
	uint16_t type = (uint16_t)l.number;
	const char *name = ns_ethertype_name(type);

	if (name != NULL)
		*stpncpy(l.name, name, sizeof(l.name) - 1) = '\0';
	else
		snprintf(l.name, sizeof(l.name), "0x%04x", type);
	return l;
}

static void add(uint64_t *to, const uint64_t *sums)
{
	for (unsigned i = 0; i < SUMS; i++)
		to[i] += sums[i];
}

static int result(const void *task, const void *state, struct ns_task_out *o)
{
	const struct rate *t = task;
	const struct state *s = state;
	const struct ns_sample *link = link_of(state);
	struct line lines[IP_MAX + ETHERTYPES];
	uint64_t all[SUMS] = {0}, other[SUMS];
	struct ns_sample_entry entry;
	unsigned n = 0;
	uint32_t at = 0;

	for (unsigned i = 0; i < IP_MAX; i++) {
		if (s->ip[i][PACKETS] > 0)
			lines[n++] = ip_line(i, s->ip[i]);
		add(all, s->ip[i]);
	}
	for (unsigned j = 0; j < SUMS; j++)
		other[j] = ns_sample_total(link, j);
	add(all, other);
	while (n < NS_ARRAY_LEN(lines) && ns_sample_next(link, &at, &entry)) {
		lines[n++] = link_line(&entry);
		for (unsigned j = 0; j < SUMS; j++)
			other[j] -= entry.values[j];
	}
	qsort(lines, n, sizeof(lines[0]), in_order);
	put_row(t, o, &(struct line){.layer = "all", .name = "all", .sums = all});
	for (unsigned i = 0; i < n; i++)
		put_row(t, o, &lines[i]);
	if (other[PACKETS] > 0)
		put_row(t, o, &(struct line){.layer = "link", .name = "other", .sums = other});
	return 0;
}

static const struct ns_task_ops ops = {
	.create = create,
	.destroy = destroy,
	.size = size,
	.init = init,
	.feed = feed,
	.merge = merge,
	.reset = reset,
	.result = result,
};

static const struct ns_plugin rate = {
	.kind = NS_TASK_KIND,
	.name = "rate",
	.summary = "packets and octets a second by protocol, and classes of frame sizes",
	.abi = NS_PLUGIN_ABI,
	.ops = &ops,
};
NS_PLUGIN_REGISTER(rate)
