/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine_priv.h"

#include <ns_decode.h>
#include <ns_filter.h>
#include <ns_node.h>
#include <ns_registry.h>

#include <stdio.h>

static const struct cyaml_schema_value text = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, CYAML_UNLIMITED)};

static const struct cyaml_strval modes[] = {
	{"auto", NS_ENGINE_AUTO}, {"pipeline", NS_ENGINE_PIPELINE}, {"rtc", NS_ENGINE_RTC}};
static const struct cyaml_strval idles[] = {{"sleep", NS_ENGINE_IDLE_SLEEP},
	{"pause", NS_ENGINE_IDLE_PAUSE}, {"poll", NS_ENGINE_IDLE_POLL}};
static const struct cyaml_strval huges[] = {
	{"auto", NS_ENGINE_HUGE_AUTO}, {"no", NS_ENGINE_HUGE_NO}, {"yes", NS_ENGINE_HUGE_YES}};
static const struct cyaml_strval telemetries[] = {{"auto", NS_ENGINE_TELEMETRY_AUTO},
	{"no", NS_ENGINE_TELEMETRY_NO}, {"yes", NS_ENGINE_TELEMETRY_YES}};

#define OPT CYAML_FLAG_OPTIONAL
#define LIST(name, member)                                                                         \
	CYAML_FIELD_SEQUENCE(name, OPT | CYAML_FLAG_POINTER, struct ns_engine_conf, member, &text, \
		0, CYAML_UNLIMITED)

static const struct cyaml_schema_field fields[] = {
	CYAML_FIELD_STRING_PTR(
		"node", OPT | CYAML_FLAG_POINTER, struct ns_engine_conf, node, 1, CYAML_UNLIMITED),
	CYAML_FIELD_STRING_PTR(
		"source", OPT | CYAML_FLAG_POINTER, struct ns_engine_conf, source, 1, 64),
	LIST("targets", targets),
	CYAML_FIELD_STRING_PTR("filter", OPT | CYAML_FLAG_POINTER, struct ns_engine_conf, filter, 0,
		CYAML_UNLIMITED),
	CYAML_FIELD_UINT("workers", OPT, struct ns_engine_conf, workers),
	CYAML_FIELD_UINT("rx", OPT, struct ns_engine_conf, rx),
	CYAML_FIELD_ENUM("mode", OPT | CYAML_FLAG_STRICT, struct ns_engine_conf, mode, modes,
		NS_ARRAY_LEN(modes)),
	CYAML_FIELD_ENUM("idle", OPT | CYAML_FLAG_STRICT, struct ns_engine_conf, idle, idles,
		NS_ARRAY_LEN(idles)),
	CYAML_FIELD_UINT("epoch_ms", OPT, struct ns_engine_conf, epoch_ms),
	CYAML_FIELD_UINT("seed", OPT, struct ns_engine_conf, seed),
	CYAML_FIELD_UINT("mbufs", OPT, struct ns_engine_conf, mbufs),
	CYAML_FIELD_UINT("memory", OPT, struct ns_engine_conf, memory),
	CYAML_FIELD_ENUM("hugepages", OPT | CYAML_FLAG_STRICT, struct ns_engine_conf, hugepages,
		huges, NS_ARRAY_LEN(huges)),
	CYAML_FIELD_ENUM("telemetry", OPT | CYAML_FLAG_STRICT, struct ns_engine_conf, telemetry,
		telemetries, NS_ARRAY_LEN(telemetries)),
	LIST("cpus", cpus), LIST("writers", writers), LIST("eal", eal), CYAML_FIELD_END};

static const struct ns_engine_conf defaults = {.workers = 1, .rx = 1, .epoch_ms = 1000};

static const struct ns_conf_doc docs[] = {
	{"node",
		"name of this engine in all that it publishes: 1 to 63 of A-Z, a-z, 0-9, _, . and -; default: the host's name"},
	{"source",
		"name of the source plug-in: pcap reads files, ethdev DPDK ports; default: pcap in pcap-analyzer, ethdev in ns-engine"},
	{"targets", "files, ports or vdevs to read, as the source takes them"},
	{"filter",
		"BPF expression (pcap-filter(7)); what it does not match is the drop \"filtered\""},
	{"workers", "analysis lcores (1-63)"}, {"rx", "RX lcores of a live pipeline (1-16)"},
	{"mode",
		"pipeline: RX lcores hand packets to workers; rtc: each worker reads its own queues "
		"and runs to completion; auto: rtc for a file with one worker, else pipeline"},
	{"idle", "what an idle lcore does: sleep (shares its CPU), pause, poll (a CPU of its own)"},
	{"epoch_ms", "milliseconds between epochs (10-3600000)"},
	{"seed",
		"seed of the hashes of flows and of all sketches; sketches can be merged when seeds "
		"are the same, and results of another run repeat; a secret one keeps others from "
		"making flows and keys that collide"},
	{"mbufs", "packet buffers; 0: as many as rings and bursts can hold"},
	{"memory", "MiB of EAL memory; 0: as much as the tables need"},
	{"hugepages", "yes, no, or auto: use them when a live engine finds some free"},
	{"telemetry", "DPDK's telemetry socket, for dpdk-telemetry.py: yes, no, or auto: a live "
		      "engine opens it when its directory can be made"},
	{"cpus", "CPUs for control, RX and analysis lcores in this order; empty: a file's lcores "
		 "float, a live engine takes those it is allowed to use"},
	{"writers", "writers with their targets, as \"csv:flows.csv\"; \"csv@10s:flows.csv\" sets "
		    "the interval of task results"},
	{"eal", "more arguments for the DPDK environment layer"}, {NULL, NULL}};

/* A filter that some kind of link can have is right; which kind comes is seen later. */
static int check_filter(const char *expr, struct ns_err *e)
{
	struct ns_err other;
	struct ns_filter *f = ns_filter_create(expr, NS_LINKTYPE_ETHERNET, 0, e);

	for (unsigned i = 0; f == NULL && i < NS_LINKTYPES; i++) {
		if (ns_linktype_decodable((uint16_t)i))
			f = ns_filter_create(expr, i, 0, &other);
	}
	ns_filter_destroy(f);
	return f != NULL ? 0 : -EINVAL;
}

static int check_source(const char *name, struct ns_err *e)
{
	char known[256];

	/* before the registry is sealed no plug-in can be found */
	if (ns_plugin_next(NS_SOURCE_KIND, NULL) == NULL ||
		ns_plugin_find(NS_SOURCE_KIND, name) != NULL)
		return 0;
	return ns_fail(e, EINVAL, "no source is named \"%s\"; there are: %s", name,
		ns_plugin_names(NS_SOURCE_KIND, known, sizeof(known)));
}

static int check_writers(const struct ns_engine_conf *c, const char **key, struct ns_err *e)
{
	static _Thread_local char where[24];

	for (unsigned i = 0; i < c->writers_count; i++) {
		if (ns_plugin_next(NS_WRITER_KIND, NULL) == NULL ||
			ns_writer_check(c->writers[i], e) == 0)
			continue;
		snprintf(where, sizeof(where), "writers[%u]", i);
		*key = where;
		return -errno;
	}
	return 0;
}

static int check_words(const struct ns_engine_conf *c, const char **key, struct ns_err *e)
{
	*key = "source";
	if (c->source != NULL && check_source(c->source, e) < 0)
		return -errno;
	*key = "filter";
	if (c->filter != NULL && c->filter[0] != '\0' && check_filter(c->filter, e) < 0)
		return -EINVAL;
	return check_writers(c, key, e);
}

static int check(const void *values, const char **key, struct ns_err *e)
{
	const struct ns_engine_conf *c = values;

	if (c->node != NULL && ns_node_check(c->node, e) < 0) {
		*key = "node";
		return -errno;
	}
	if (c->workers < 1 || c->workers > NS_WORKERS_MAX - 1) {
		*key = "workers";
		return ns_fail(
			e, EINVAL, "%u is not between 1 and %u", c->workers, NS_WORKERS_MAX - 1);
	}
	if (c->rx < 1 || c->rx > RX_MAX) {
		*key = "rx";
		return ns_fail(e, EINVAL, "%u is not between 1 and %u", c->rx, RX_MAX);
	}
	if (c->epoch_ms < 10 || c->epoch_ms > 3600000) {
		*key = "epoch_ms";
		return ns_fail(e, EINVAL, "%u is not between 10 and 3600000 ms", c->epoch_ms);
	}
	return check_words(c, key, e);
}

static struct ns_conf_section section = {
	.name = "engine",
	.summary = "lcores, input and output",
	.fields = fields,
	.size = sizeof(struct ns_engine_conf),
	.defaults = &defaults,
	.docs = docs,
	.live = (const char *const[]){"engine.filter", "engine.writers", NULL},
	.check = check,
};
NS_CONF_REGISTER(section)
