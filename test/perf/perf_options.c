/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line of ns-perf. */
#include "perf_bench.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
	"usage: ns-perf [OPTION]...\n\n"
	"Cost of a packet in the rooms, beside a floor that touches the same memory and computes\n"
	"next to nothing, in the same run. Packets are in mbufs before time is taken.\n\n"
	"What to do (default: --matrix --pipeline --port):\n"
	"  --matrix         run to completion and its stages over all flows, draws and rates\n"
	"  --pipeline       two lcores with a ring between them\n"
	"  --port           DPDK's net_pcap that never ends, beside receiving alone\n"
	"  --latency        from RX to end of analysis at 80 % of the highest rate\n"
	"  --churn          longest stall while 10 M flows come and go\n"
	"  --memory         octets of a flow\n"
	"  --check          what the bars ask for; ends with 1 when one is missed\n"
	"  --quick          a little of all, to see that it works; readings mean nothing\n\n"
	"How:\n"
	"  --traffic LIST   udp64, imix (default: both)\n"
	"  --capture FILE   packets of a capture, as they stand, instead\n"
	"  --flows LIST     flows that packets are drawn from (1k,100k,1M,8M)\n"
	"  --draw LIST      uniform, zipf (both)\n"
	"  --new LIST       new flows a second of the packets' clock (0,10k,1M)\n"
	"  --pps N          packets a second of that clock (14880952)\n"
	"  --packets N      in each reading, which is one epoch (4M)\n"
	"  --rounds N       readings of each, by turns; the middle one is shown (5)\n"
	"  --ring N         packets on their way in a ring, as in that of a port (1024)\n"
	"  --hot            the same 32 packets again and again: --ring 32\n"
	"  --no-stages      wholes only\n"
	"  --only-core      run to completion with the core set only\n"
	"  --seconds N      of latency and churn (10)\n"
	"  --churn-flows N  flows of --churn (10M)\n"
	"  -o KEY=VALUE     a key of the configuration, as flow.index=rte_hash\n"
	"  --json FILE      all readings; \"-\" is standard output\n"
	"  --help           this text\n";

static uint64_t one_number(const char *option, const char *s, uint64_t least, uint64_t most)
{
	char *end;
	uint64_t v = strtoull(s, &end, 10);

	if (end > s && (*end == 'k' || *end == 'K'))
		v *= 1000, end++;
	else if (end > s && *end == 'M')
		v *= 1000000, end++;
	if (end == s || *end != '\0' || v < least || v > most) {
		fprintf(stderr,
			"ns-perf: --%s: \"%s\" is no number from %" PRIu64 " to %" PRIu64 "\n",
			option, s, least, most);
		exit(2);
	}
	return v;
}

static unsigned numbers(const char *option, char *s, uint64_t *v, uint64_t least, uint64_t most)
{
	unsigned n = 0;
	char *save = NULL;

	for (char *t = strtok_r(s, ",", &save); t != NULL; t = strtok_r(NULL, ",", &save)) {
		if (n < PERF_LIST_MAX)
			v[n++] = one_number(option, t, least, most);
	}
	if (n == 0)
		one_number(option, "", least, most);
	return n;
}

static void draws(char *s, struct perf_options *o)
{
	char *save = NULL;

	memset(o->draw, 0, sizeof(o->draw));
	for (char *t = strtok_r(s, ",", &save); t != NULL; t = strtok_r(NULL, ",", &save)) {
		if (strcmp(t, "uniform") == 0) {
			o->draw[PERF_UNIFORM] = true;
		} else if (strcmp(t, "zipf") == 0) {
			o->draw[PERF_ZIPF] = true;
		} else {
			fprintf(stderr, "ns-perf: --draw: \"%s\" is neither uniform nor zipf\n", t);
			exit(2);
		}
	}
}

static void traffics(char *s, struct perf_options *o)
{
	char *save = NULL;

	o->traffic_n = 0;
	for (char *t = strtok_r(s, ",", &save); t != NULL; t = strtok_r(NULL, ",", &save)) {
		if (strcmp(t, "udp64") != 0 && strcmp(t, "imix") != 0) {
			fprintf(stderr, "ns-perf: --traffic: \"%s\" is neither udp64 nor imix\n",
				t);
			exit(2);
		}
		if (o->traffic_n < PERF_LIST_MAX)
			o->traffic[o->traffic_n++] = t;
	}
}

static void quick(struct perf_options *o)
{
	static char flows[] = "1k,5k", rates[] = "0,1M";

	o->quick = o->matrix = o->pipeline = o->port = true;
	o->latency = o->churn = o->memory = true;
	o->rounds = 1;
	o->packets = 4096;
	o->seconds = 0.2;
	o->churn_flows = 20000;
	o->flows_n = numbers("flows", flows, o->flows, 1, 10000);
	o->rates_n = numbers("new", rates, o->rates, 0, 1000000);
	/* a second of the clock, in which flows end, is few packets */
	o->pps = 50000;
	o->rates[1] = 5000;
}

/* What the bars speak of, and no more. */
static void check(struct perf_options *o)
{
	static char flows[] = "100k,1M,8M";

	o->check = o->matrix = o->pipeline = o->port = o->memory = o->only_core = true;
	o->traffic_n = 1;
	o->traffic[0] = "udp64";
	o->draw[PERF_ZIPF] = false;
	o->rates_n = 1;
	o->rates[0] = 0;
	o->flows_n = numbers("flows", flows, o->flows, 1, 8000000);
}

enum {
	MATRIX = 256,
	PIPELINE,
	PORT,
	LATENCY,
	CHURN,
	MEMORY,
	CHECK,
	QUICK,
	TRAFFIC,
	CAPTURE,
	FLOWS,
	DRAW,
	NEW,
	PPS,
	PACKETS,
	ROUNDS,
	RING,
	HOT,
	NO_STAGES,
	ONLY_CORE,
	SECONDS,
	CHURN_FLOWS,
	JSON,
};

static const struct option options[] = {{"matrix", no_argument, NULL, MATRIX},
	{"pipeline", no_argument, NULL, PIPELINE}, {"port", no_argument, NULL, PORT},
	{"latency", no_argument, NULL, LATENCY}, {"churn", no_argument, NULL, CHURN},
	{"memory", no_argument, NULL, MEMORY}, {"check", no_argument, NULL, CHECK},
	{"quick", no_argument, NULL, QUICK}, {"traffic", required_argument, NULL, TRAFFIC},
	{"capture", required_argument, NULL, CAPTURE}, {"flows", required_argument, NULL, FLOWS},
	{"draw", required_argument, NULL, DRAW}, {"new", required_argument, NULL, NEW},
	{"pps", required_argument, NULL, PPS}, {"packets", required_argument, NULL, PACKETS},
	{"rounds", required_argument, NULL, ROUNDS}, {"ring", required_argument, NULL, RING},
	{"hot", no_argument, NULL, HOT}, {"no-stages", no_argument, NULL, NO_STAGES},
	{"only-core", no_argument, NULL, ONLY_CORE}, {"seconds", required_argument, NULL, SECONDS},
	{"churn-flows", required_argument, NULL, CHURN_FLOWS},
	{"json", required_argument, NULL, JSON}, {"help", no_argument, NULL, 'h'}, {0}};

static void take(int k, struct perf_options *o)
{
	switch (k) {
	case MATRIX:
		o->matrix = true;
		break;
	case PIPELINE:
		o->pipeline = true;
		break;
	case PORT:
		o->port = true;
		break;
	case LATENCY:
		o->latency = true;
		break;
	case CHURN:
		o->churn = true;
		break;
	case MEMORY:
		o->memory = true;
		break;
	case CHECK:
		check(o);
		break;
	case QUICK:
		quick(o);
		break;
	case TRAFFIC:
		traffics(optarg, o);
		break;
	case CAPTURE:
		o->traffic_n = 1;
		o->traffic[0] = optarg;
		break;
	case FLOWS:
		o->flows_n = numbers("flows", optarg, o->flows, 1, 40000000);
		break;
	case DRAW:
		draws(optarg, o);
		break;
	case NEW:
		o->rates_n = numbers("new", optarg, o->rates, 0, 10000000);
		break;
	case PPS:
		o->pps = (double)one_number("pps", optarg, 1000, 1000000000);
		break;
	case PACKETS:
		o->packets = one_number("packets", optarg, 1000, 10000000000);
		break;
	case ROUNDS:
		o->rounds = (unsigned)one_number("rounds", optarg, 1, PERF_ROUNDS_MAX);
		break;
	case RING:
		o->ring = (uint32_t)one_number("ring", optarg, PERF_BURST, 1u << 20);
		o->ring = RTE_ALIGN_CEIL(o->ring, PERF_BURST);
		break;
	case HOT:
		o->ring = PERF_BURST;
		break;
	case NO_STAGES:
		o->stages = false;
		break;
	case ONLY_CORE:
		o->only_core = true;
		break;
	case SECONDS:
		o->seconds = (double)one_number("seconds", optarg, 1, 3600);
		break;
	case CHURN_FLOWS:
		o->churn_flows = (uint32_t)one_number("churn-flows", optarg, 10000, 40000000);
		break;
	case JSON:
		o->json = optarg;
		break;
	case 'o':
		if (o->conf_n < PERF_LIST_MAX)
			o->conf[o->conf_n++] = optarg;
		break;
	default:
		fputs(usage, k == 'h' ? stdout : stderr);
		exit(k == 'h' ? 0 : 2);
	}
}

void perf_options(int argc, char **argv, struct perf_options *o)
{
	int k;

	while ((k = getopt_long(argc, argv, "ho:", options, NULL)) != -1)
		take(k, o);
	if (optind != argc || o->traffic_n == 0) {
		fputs(usage, stderr);
		exit(2);
	}
	if (!(o->matrix || o->pipeline || o->port || o->latency || o->churn || o->memory))
		o->matrix = o->pipeline = o->port = true;
}
