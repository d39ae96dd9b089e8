/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sums by group: "select key, sum(...) group by key", exact.
 *
 *   key ─ hash ─▶ ns_sample of `max` groups: | hash | key | sum 0 | sum 1 | ... |
 *                 and the sums over all that was ever added
 *
 * More groups than the table has room for: those with the largest hashes are forgotten, so which
 * ones stay depends on nothing but the keys. Each group that stayed has exact sums, because it was
 * there from its first packet on. What the others had is the total less the groups that are
 * here: one row with overflow = 1 and no key. So the rows of a task always add up to all it saw.
 *
 * Groups are told apart by 64 bits of hash: two of a million share one with probability 3e-8.
 */
#include <ns_registry.h>
#include <ns_sample.h>
#include <ns_task.h>

#include <stdlib.h>

#define SUMS_MAX 7
#define MAX_MIN 16
#define MAX_MAX (1u << 24)

enum order { PACKETS, OCTETS, IP_OCTETS, FLOWS, REV_PACKETS, REV_IP_OCTETS, L2_OCTETS, REV_L2 };

static const cyaml_strval_t order_words[] = {{"packets", PACKETS}, {"octets", OCTETS},
	{"ip_octets", IP_OCTETS}, {"flows", FLOWS}, {"rev_packets", REV_PACKETS},
	{"rev_ip_octets", REV_IP_OCTETS}, {"l2_octets", L2_OCTETS}, {"rev_l2_octets", REV_L2}};

struct exact_conf {
	struct ns_task_conf task;
	char **key;
	uint32_t key_count;
	uint32_t max;
	uint32_t top;
	int order; /* enum order */
};

/* A sum: its column, and the field that is added; NULL adds 1. */
struct sum {
	const char *column, *value, *unit, *help;
	enum order order;
};

static const struct sum of_packets[] = {
	{"packets", NULL, "packets", "", PACKETS},
	{"octets", "l2_octets", "octets", "of whole frames on the wire", OCTETS},
	{"ip_octets", "ip_octets", "octets", "by the IP header", IP_OCTETS},
	{"flows", "flows", "flows", "that began with one of these packets", FLOWS},
};

static const struct sum of_flows[] = {
	{"flows", NULL, "flows", "that ended", FLOWS},
	{"packets", "packets", "packets", "from initiator to responder", PACKETS},
	{"rev_packets", "rev_packets", "packets", "from responder to initiator", REV_PACKETS},
	{"ip_octets", "ip_octets", "octets", "from initiator to responder", IP_OCTETS},
	{"rev_ip_octets", "rev_ip_octets", "octets", "from responder to initiator", REV_IP_OCTETS},
	{"l2_octets", "l2_octets", "octets", "from initiator to responder", L2_OCTETS},
	{"rev_l2_octets", "rev_l2_octets", "octets", "from responder to initiator", REV_L2},
};

struct exact {
	struct ns_sample_conf sample;
	unsigned sums; /* how many */
	unsigned by; /* the sum that rows are sorted by */
	int value[SUMS_MAX]; /* number of the field, -1: adds 1 */
	int column[SUMS_MAX]; /* offsets in the row */
	int overflow; /* offset in the row */
	bool keyed; /* false: one group */
	uint32_t top;
};

/* --- configuration --------------------------------------------------------------------------- */

static const struct sum *sums_of(const struct ns_task_conf *c, unsigned *n)
{
	*n = c->of == NS_TASK_OF_FLOWS ? NS_ARRAY_LEN(of_flows) : NS_ARRAY_LEN(of_packets);
	return c->of == NS_TASK_OF_FLOWS ? of_flows : of_packets;
}

static int check_order(const struct exact_conf *c, const char **key, struct ns_err *e)
{
	char names[128] = "";
	unsigned n;
	const struct sum *s = sums_of(&c->task, &n);

	for (unsigned i = 0; i < n; i++) {
		if ((int)s[i].order == c->order)
			return 0;
		strcat(strcat(names, i == 0 ? "" : ", "), s[i].column);
	}
	*key = "order";
	return ns_fail(e, EINVAL, "\"%s\" is no sum of a task of %s; there are %s",
		order_words[c->order].str, ns_task_of_words[c->task.of].str, names);
}

static int check(const void *values, const char **key, struct ns_err *e)
{
	const struct exact_conf *c = values;
	int rc = ns_task_check(&c->task, key, e);

	if (rc == 0 && c->key_count > 0)
		rc = ns_task_check_key(&c->task, "key", c->key, c->key_count, key, e);
	if (rc < 0)
		return rc;
	if (c->max < MAX_MIN || c->max > MAX_MAX) {
		*key = "max";
		return ns_fail(e, EINVAL, "%u is not between %u and %u", c->max, MAX_MIN, MAX_MAX);
	}
	return check_order(c, key, e);
}

static const struct cyaml_schema_value text = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, CYAML_UNLIMITED)};

static const struct cyaml_schema_field fields[] = {NS_TASK_CONF_FIELDS(struct exact_conf),
	CYAML_FIELD_SEQUENCE("key", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct exact_conf,
		key, &text, 0, 16),
	CYAML_FIELD_UINT("max", CYAML_FLAG_OPTIONAL, struct exact_conf, max),
	CYAML_FIELD_UINT("top", CYAML_FLAG_OPTIONAL, struct exact_conf, top),
	CYAML_FIELD_ENUM("order", CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT, struct exact_conf, order,
		order_words, NS_ARRAY_LEN(order_words)),
	CYAML_FIELD_END};

static const struct exact_conf defaults = {.max = 65536, .order = PACKETS};

static const struct ns_conf_doc docs[] = {NS_TASK_CONF_DOCS,
	{"key", "fields that make a group, addresses with prefix lengths for IPv4 and IPv6 as in "
		"\"src_ip/24/48\"; empty: one row of totals"},
	{"max", "most groups that are kept (16-16777216); the others are summed in one row"},
	{"top", "rows given, the largest; 0: all"},
	{"order", "sum that rows are sorted by; of: packets has packets, octets, ip_octets and "
		  "flows, of: flows has flows, packets, ip_octets, l2_octets and their rev_"},
	{NULL, NULL}};

static struct ns_conf_variant variant = {
	.section = "tasks",
	.type = "exact",
	.summary = "sums of packets and octets by any key, in a table that says what did not fit",
	.fields = fields,
	.size = sizeof(struct exact_conf),
	.defaults = &defaults,
	.docs = docs,
	.check = check,
};
NS_CONF_VARIANT_REGISTER(variant)

/* --- the task -------------------------------------------------------------------------------- */

static int columns(struct exact *t, struct ns_task_build *b, const struct exact_conf *c,
	const struct sum *sums, struct ns_err *e)
{
	const struct ns_rec_field overflow = {.name = "overflow",
		.type = NS_REC_U8,
		.size = 1,
		.help = "1: the sums of all groups that found no room"};

	if (t->keyed && ns_task_col_key(b, 0, e) < 0)
		return -errno;
	for (unsigned i = 0; i < t->sums; i++) {
		const struct ns_rec_field f = {.name = sums[i].column,
			.type = NS_REC_U64,
			.size = 8,
			.unit = sums[i].unit,
			.help = sums[i].help};

		t->column[i] = ns_task_col(b, &f, e);
		if (t->column[i] < 0)
			return t->column[i];
		t->value[i] = sums[i].value == NULL ? -1 : ns_task_value(b, sums[i].value, e);
		if (sums[i].value != NULL && t->value[i] < 0)
			return t->value[i];
		if ((int)sums[i].order == c->order)
			t->by = i;
	}
	t->overflow = ns_task_col(b, &overflow, e);
	return NS_MIN(t->overflow, 0);
}

static void say(struct ns_task_build *b, const struct exact_conf *c)
{
	char keys[256] = "";
	size_t n = 0;

	for (uint32_t i = 0; i < c->key_count && n < sizeof(keys); i++)
		n += (size_t)snprintf(
			keys + n, sizeof(keys) - n, "%s%s", i == 0 ? "" : ", ", c->key[i]);
	if (c->key_count == 0)
		ns_task_help(b, "totals, exact");
	else if (c->top > 0)
		ns_task_help(
			b, "top %u of %s by %s, exact", c->top, keys, order_words[c->order].str);
	else
		ns_task_help(b, "sums by %s, exact", keys);
}

static void destroy(void *task)
{
	free(task);
}

static void *create(struct ns_task_build *b, const void *conf, struct ns_err *e)
{
	const struct exact_conf *c = conf;
	struct exact *t = calloc(1, sizeof(*t));
	const struct sum *sums;

	if (t == NULL) {
		ns_fail(e, ENOMEM, "out of memory");
		return NULL;
	}
	sums = sums_of(&c->task, &t->sums);
	t->keyed = c->key_count > 0;
	t->top = c->top > 0 ? c->top : UINT32_MAX;
	if ((t->keyed && ns_task_key(b, c->key, c->key_count, e) < 0) ||
		columns(t, b, c, sums, e) < 0) {
		int err = errno;

		free(t);
		return ns_errno_null(err);
	}
	t->sample = (struct ns_sample_conf){.slots = t->keyed ? c->max : MAX_MIN,
		.key_len = t->keyed ? ns_task_key_len(b, 0) : 0,
		.values = (uint8_t)t->sums,
		.seed = ns_task_seed(b)};
	say(b, c);
	return t;
}

static size_t size(const void *task)
{
	const struct exact *t = task;

	return ns_sample_size(&t->sample);
}

static void init(const void *task, void *state)
{
	const struct exact *t = task;

	ns_sample_init_zeroed(state, &t->sample);
}

static const uint64_t ones[NS_TASK_BURST] = {[0 ... NS_TASK_BURST - 1] = 1};

static void feed(const void *task, void *state, const struct ns_task_cols *c)
{
	const struct exact *t = task;
	const uint64_t *values[SUMS_MAX];

	for (unsigned i = 0; i < t->sums; i++)
		values[i] = t->value[i] < 0 ? ones : c->values[t->value[i]];
	/* without a key all is one group, and any hash will do */
	if (!t->keyed)
		ns_sample_add_bulk(state, ones, (const uint8_t *)ones, 0, values, c->n);
	else
		ns_sample_add_bulk(
			state, c->keys[0].hash, c->keys[0].key, c->keys[0].len, values, c->n);
}

static int merge(const void *task, void *into, const void *from)
{
	return ns_sample_merge(into, from);
}

static void reset(const void *task, void *state)
{
	ns_sample_reset(state);
}

/* Larger sums first, equal ones by the octets of their keys. */
static int in_order(const void *a, const void *b, void *arg)
{
	const struct ns_sample_entry *x = a, *y = b;
	const struct exact *t = arg;

	if (x->values[t->by] != y->values[t->by])
		return x->values[t->by] > y->values[t->by] ? -1 : 1;
	return memcmp(x->key, y->key, t->sample.key_len);
}

static void put_row(
	const struct exact *t, struct ns_task_out *o, const uint8_t *key, const uint64_t *sums)
{
	void *row = ns_task_row(o);

	if (key != NULL)
		ns_task_row_key(o, row, 0, key);
	else if (t->keyed)
		((uint8_t *)row)[t->overflow] = 1;
	for (unsigned i = 0; i < t->sums; i++)
		ns_task_row_u64(row, t->column[i], sums[i]);
	ns_task_row_end(o);
}

static int result(const void *task, const void *state, struct ns_task_out *o)
{
	const struct exact *t = task;
	struct ns_sample_entry *all, one;
	uint64_t left[SUMS_MAX] = {0};
	uint32_t n = 0, kept = ns_sample_kept(state), at = 0;

	for (unsigned i = 0; i < t->sums; i++)
		left[i] = ns_sample_total(state, i);
	if (!t->keyed) {
		put_row(t, o, NULL, left);
		return 0;
	}
	all = malloc((kept + (size_t)1) * sizeof(*all));
	if (all == NULL)
		return ns_errno_set(ENOMEM);
	while (n < kept && ns_sample_next(state, &at, &one)) {
		for (unsigned i = 0; i < t->sums; i++)
			left[i] -= one.values[i];
		all[n++] = one;
	}
	qsort_r(all, n, sizeof(*all), in_order, (void *)(uintptr_t)t);
	for (uint32_t i = 0; i < n && i < t->top; i++)
		put_row(t, o, all[i].key, all[i].values);
	if (ns_sample_rate(state) < 1)
		put_row(t, o, NULL, left);
	free(all);
	return 0;
}

static void sketches(const void *task, const void *state, struct ns_task_sketches *o)
{
	ns_task_sketch(o, NS_SKETCH_SAMPLE, state, NULL, 0);
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
	.sketches = sketches,
};

static const struct ns_plugin exact = {
	.kind = NS_TASK_KIND,
	.name = "exact",
	.summary = "sums of packets and octets by any key, exact",
	.abi = NS_PLUGIN_ABI,
	.ops = &ops,
};
NS_PLUGIN_REGISTER(exact)
