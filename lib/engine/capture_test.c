/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Captures by their commands, in an engine that runs: two lcores read a source that makes as many
 * packets as it is told. Files are read back with libpcap.
 */
#include "capture_test.h"

#include <pcap/pcap.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

static struct ns_conf *conf;

static void up(void)
{
	const char *options[] = {"engine.mode=rtc", "engine.workers=2", "engine.memory=64",
		"flow.max=4096", "engine.mbufs=8192", "engine.epoch_ms=100"};
	const char *targets[] = {"x"};
	struct ns_engine_args args = {.source = "made", .targets = targets, .targets_n = 1};
	struct ns_err e = {""};

	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	CU_ASSERT_EQUAL_FATAL(chdir(dir), 0);
	CU_ASSERT_EQUAL_FATAL(ns_registry_seal(&e), 0);
	CU_ASSERT_EQUAL_FATAL(ns_command_seal(&e), 0);
	conf = ns_conf_load(NULL, options, NS_ARRAY_LEN(options), &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(conf);
	args.conf = conf;
	en = ns_engine_create(&args, &e);
	if (en == NULL)
		fprintf(stderr, "%s\n", e.text);
	CU_ASSERT_PTR_NOT_NULL_FATAL(en);
	CU_ASSERT_EQUAL_FATAL(ns_engine_start(en, &e), 0);
	CU_ASSERT_EQUAL(command("capture show"), 0);
	CU_ASSERT_STRING_EQUAL(said.text, "no captures");
}

static void wrong_words(void)
{
	static const struct {
		const char *line, *says;
	} wrong[] = {
		{"capture start", "the name of a file is missing"},
		{"capture start filter udp", "the name of a file is missing"},
		{"capture start a b", "\"b\"? There are filter,"},
		{"capture start a filter", "an expression is missing"},
		{"capture start a filter snaplen 5", "an expression is missing"},
		{"capture start a filter udp port what", "udp port what"},
		{"capture start a packets", "packets: a number is missing"},
		{"capture start a packets 0", "packets: \"0\" is not a number"},
		{"capture start a size 5X", "size: \"5X\""},
		{"capture start a size -5", "size: \"-5\""},
		{"capture start a snaplen 65536", "from 1 to 65535"},
		{"capture start a buffer 10G", "buffer: 10000000000 octets; at most"},
		{"capture start no/such/folder", "No such file or directory"},
		{"capture stop", "no capture runs"},
		{"capture stop a", "no capture \"a\""},
		{"capture show a", "takes no words"},
	};

	for (unsigned i = 0; i < NS_ARRAY_LEN(wrong); i++) {
		CU_ASSERT(command(wrong[i].line) < 0);
		if (strstr(said.text, wrong[i].says) == NULL)
			fprintf(stderr, "%s: %s\n", wrong[i].line, said.text);
		CU_ASSERT_PTR_NOT_NULL(strstr(said.text, wrong[i].says));
	}
	CU_ASSERT_EQUAL(access("a", F_OK), -1);
	CU_ASSERT_EQUAL(en->tap_word.all, 0);
}

/*
 * Reads a file: packets from number first on, of which each is every-th, cut at snaplen; how many.
 * Those of each queue are in order, and none is left out unless gaps may be. Nearly all of both are
 * in order too: an lcore that is kept from its CPU for long comes late.
 */
static uint64_t read_back(
	const char *path, uint64_t first, unsigned every, uint32_t snaplen, bool gaps)
{
	char err[PCAP_ERRBUF_SIZE];
	pcap_t *p = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, err);
	uint64_t n = 0, next[QUEUES] = {first, first}, last = 0, back = 0;
	unsigned step = every % QUEUES == 0 ? every : every * QUEUES;
	struct pcap_pkthdr *h;
	const u_char *data;
	uint8_t want[2048];
	int rc;

	next[(first + 1) % QUEUES] = first + every;
	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	while ((rc = pcap_next_ex(p, &h, &data)) == 1) {
		uint64_t ts = (uint64_t)h->ts.tv_sec * NS_SEC_NS + (uint64_t)h->ts.tv_usec;
		uint64_t i = (ts - T0) / 1000;

		CU_ASSERT_FATAL(gaps ? i >= next[i % QUEUES] : i == next[i % QUEUES]);
		put_frame(want, i);
		CU_ASSERT_EQUAL(h->len, length(i));
		CU_ASSERT_EQUAL_FATAL(h->caplen, NS_MIN(length(i), snaplen));
		CU_ASSERT_EQUAL(memcmp(data, want, h->caplen), 0);
		next[i % QUEUES] = i + step;
		back += i < last;
		last = i;
		n++;
	}
	CU_ASSERT_EQUAL(rc, PCAP_ERROR_BREAK);
	CU_ASSERT(gaps || back <= n / 20);
	pcap_close(p);
	return n;
}

static uint64_t file_size(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

static void whole(void)
{
	char line[128];
	uint64_t first = made.wanted;

	CU_ASSERT_EQUAL(command("capture start all.pcapng"), 0);
	snprintf(line, sizeof(line), "capture 1 writes %s/all.pcapng", dir);
	CU_ASSERT_STRING_EQUAL(said.text, line);
	CU_ASSERT_EQUAL(command("capture start all.pcapng force"), -EBUSY);
	produce(5000);
	CU_ASSERT_EQUAL(command("capture show"), 0);
	CU_ASSERT_EQUAL(said.records, 1);
	CU_ASSERT_STRING_EQUAL(said.r[0].status, "running");
	CU_ASSERT_EQUAL(command("capture stop all.pcapng"), 0);
	CU_ASSERT_STRING_EQUAL(said.r[0].status, "stopped");
	CU_ASSERT_EQUAL(said.r[0].packets, 5000);
	CU_ASSERT_EQUAL(said.r[0].matched, 5000);
	CU_ASSERT_EQUAL(said.r[0].missed + said.r[0].lost, 0);
	CU_ASSERT_EQUAL(said.r[0].octets, file_size("all.pcapng"));
	CU_ASSERT_EQUAL(read_back("all.pcapng", first, 1, 65535, false), 5000);
	CU_ASSERT_EQUAL(en->tap_word.all, 0);
	/* what is there stays, unless it is said */
	CU_ASSERT_EQUAL(command("capture start all.pcapng"), -EEXIST);
	CU_ASSERT_EQUAL(command("capture start all.pcapng force packets 1"), 0);
	produce(10);
	while (command("capture show"), strcmp(said.r[1].status, "done") != 0)
		step();
	CU_ASSERT_EQUAL(read_back("all.pcapng", first + 5000, 1, 65535, false), 1);
}

static void filtered(void)
{
	uint64_t first = made.wanted;

	CU_ASSERT_EQUAL(first % 10, 0);
	CU_ASSERT_EQUAL(
		command("capture start some.pcapng filter udp port 1027 and len >= 60 snaplen 70"),
		0);
	produce(3000);
	CU_ASSERT_EQUAL(command("capture stop"), 0);
	CU_ASSERT_EQUAL(said.records, 1);
	CU_ASSERT_EQUAL(said.r[0].packets, 300);
	CU_ASSERT_EQUAL(said.r[0].matched, 300);
	CU_ASSERT_EQUAL(read_back("some.pcapng", first + 3, 10, 70, false), 300);
}

static void limits(void)
{
	uint64_t first = made.wanted;

	CU_ASSERT_EQUAL(command("capture start p.pcapng packets 1k"), 0);
	CU_ASSERT_EQUAL(command("capture start s.pcapng size 100k"), 0);
	CU_ASSERT_EQUAL(command("capture start t.pcapng seconds 1"), 0);
	CU_ASSERT_EQUAL(command("capture start m.pcapng"), 0);
	CU_ASSERT_EQUAL(command("capture start n.pcapng"), -EBUSY);
	CU_ASSERT_EQUAL(access("n.pcapng", F_OK), -1);
	produce(2000);
	for (unsigned done = 0; done < 3; step()) {
		CU_ASSERT_EQUAL_FATAL(command("capture show"), 0);
		done = 0;
		for (unsigned i = 0; i < said.records; i++)
			done += strcmp(said.r[i].status, "done") == 0;
	}
	CU_ASSERT_EQUAL(said.records, 4);
	CU_ASSERT_EQUAL(said.r[0].packets, 1000);
	CU_ASSERT_EQUAL(read_back("p.pcapng", first, 1, 65535, false), 1000);
	CU_ASSERT(said.r[1].octets <= 100000 && said.r[1].octets > 98000);
	CU_ASSERT_EQUAL(said.r[1].octets, file_size("s.pcapng"));
	CU_ASSERT_EQUAL(read_back("s.pcapng", first, 1, 65535, false), said.r[1].packets);
	CU_ASSERT_EQUAL(read_back("t.pcapng", first, 1, 65535, false), 2000);
	CU_ASSERT_STRING_EQUAL(said.r[3].status, "running");
	CU_ASSERT_EQUAL(command("capture stop m.pcapng"), 0);
	CU_ASSERT_EQUAL(read_back("m.pcapng", first, 1, 65535, false), 2000);
}

/* More than the smallest buffer has room for, at once. */
static void missed(void)
{
	uint64_t first = made.wanted;

	CU_ASSERT_EQUAL(command("capture start missed.pcapng buffer 1k filter udp"), 0);
	produce(100000);
	CU_ASSERT_EQUAL(command("capture stop"), 0);
	CU_ASSERT_EQUAL(said.r[0].matched, 100000);
	CU_ASSERT(said.r[0].missed > 0);
	CU_ASSERT_EQUAL(said.r[0].lost, 0);
	CU_ASSERT_EQUAL(said.r[0].packets + said.r[0].missed, 100000);
	CU_ASSERT_EQUAL(read_back("missed.pcapng", first, 1, 65535, true), said.r[0].packets);
}

static void disk_full(void)
{
	struct rlimit old, small;
	uint64_t first = made.wanted;

	CU_ASSERT_EQUAL(command("capture start /dev/full force"), 0);
	produce(100);
	while (command("capture show"), strcmp(said.r[said.records - 1].status, "failed") != 0)
		step();
	const char *says = said.r[said.records - 1].message;

	CU_ASSERT_STRING_EQUAL(says, "No space left on device; 0 packets are in it");
	CU_ASSERT_EQUAL(said.r[said.records - 1].lost, 100);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	small = (struct rlimit){2000000, old.rlim_max};
	setrlimit(RLIMIT_FSIZE, &small);
	first = made.wanted;
	CU_ASSERT_EQUAL(command("capture start full.pcapng"), 0);
	produce(6000);
	while (command("capture show"), strcmp(said.r[said.records - 1].status, "failed") != 0)
		step();
	setrlimit(RLIMIT_FSIZE, &old);
	unsigned i = said.records - 1;

	CU_ASSERT_PTR_NOT_NULL(strstr(said.r[i].message, "File too large"));
	CU_ASSERT(said.r[i].packets > 1000 && said.r[i].lost > 0);
	/* what came after it had failed was not asked for any more */
	CU_ASSERT_EQUAL(said.r[i].matched, said.r[i].packets + said.r[i].missed + said.r[i].lost);
	CU_ASSERT(file_size("full.pcapng") <= 2000000 && file_size("full.pcapng") > 1990000);
	CU_ASSERT_EQUAL(file_size("full.pcapng"), said.r[i].octets);
	CU_ASSERT_EQUAL(read_back("full.pcapng", first, 1, 65535, true), said.r[i].packets);
}

/* A capture that runs when the engine stops has all that came, and its end. */
static void down(void)
{
	struct ns_engine_stats *st = malloc(sizeof(*st));
	uint64_t first = made.wanted, wake;
	struct ns_err e = {""};

	CU_ASSERT_EQUAL(command("capture start last.pcapng"), 0);
	__atomic_store_n(&made.wanted, first + 3000, __ATOMIC_RELEASE);
	produce(0);
	ns_engine_stop(en);
	while (ns_engine_step(en, &wake) != NS_ENGINE_ENDED)
		usleep(1000);
	CU_ASSERT_EQUAL(ns_engine_finish(en, &e), 0);
	CU_ASSERT_EQUAL(read_back("last.pcapng", first, 1, 65535, false), 3000);
	CU_ASSERT_EQUAL(command("capture start late.pcapng"), -ENOTSUP);
	CU_ASSERT_EQUAL(command("capture show"), 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(st);
	ns_engine_stats(en, st);
	CU_ASSERT_EQUAL(st->received, made.wanted);
	CU_ASSERT(ns_engine_conserved(st));
	free(st);
	ns_engine_destroy(en);
	ns_conf_destroy(conf);
	CU_ASSERT_EQUAL(system("rm -f *.pcapng"), 0);
	CU_ASSERT_EQUAL(chdir("/"), 0);
	CU_ASSERT_EQUAL(rmdir(dir), 0);
}

NS_TEST_MAIN({"up", up}, {"wrong words", wrong_words}, {"whole", whole}, {"filtered", filtered},
	{"limits", limits}, {"missed", missed}, {"disk full", disk_full}, {"down", down})
