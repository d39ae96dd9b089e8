/* SPDX-License-Identifier: BSD-3-Clause */
/* What can be opened, how, and what is refused: devices, capture files, profiles. */
#include "ethdev_test.h"

#include <unistd.h>

#define FILE_PACKETS 1000
#define FILE_T0 1500000000u

static const char *write_pcap(void)
{
	static char path[64];
	const uint32_t head[6] = {0xa1b2c3d4, 0x00040002, 0, 0, 65535, 1};
	FILE *f;
	int fd;

	strcpy(path, "/tmp/ns_ethdev_XXXXXX");
	fd = mkstemp(path);
	f = fd < 0 ? NULL : fdopen(fd, "w");
	if (f == NULL)
		abort();
	fwrite(head, sizeof(head), 1, f);
	for (uint32_t i = 0; i < FILE_PACKETS; i++) {
		uint32_t rec[4] = {FILE_T0 + i, i * 7, 60, 60};
		uint8_t data[60] = {0};

		data[12] = 8;
		data[14] = 0x45;
		data[23] = i % 2 == 0 ? 17 : 6;
		fwrite(rec, sizeof(rec), 1, f);
		fwrite(data, sizeof(data), 1, f);
	}
	fclose(f);
	return path;
}

static void pcap_with_profile(void)
{
	const char *path = write_pcap();
	struct opts o = {.targets = {path}, .queues = 1, .set = {"ethdev.profile=pcap"}};
	struct ns_source *s = open_it(&o);
	static struct rte_mbuf *got[FILE_PACKETS];
	struct ns_source_stats st;

	if (s == NULL)
		printf("\n%s", err.text);
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	CU_ASSERT_EQUAL(drain(s, 0, got, FILE_PACKETS), FILE_PACKETS);
	for (uint32_t i = 0; i < FILE_PACKETS; i++)
		CU_ASSERT_EQUAL(
			ns_packet(got[i])->ts_ns, (FILE_T0 + i) * NS_SEC_NS + i * UINT64_C(7000));
	rte_pktmbuf_free_bulk(got, FILE_PACKETS);
	ops->stats(s, &st);
	CU_ASSERT_EQUAL(st.packets, FILE_PACKETS);
	CU_ASSERT_EQUAL(st.octets, FILE_PACKETS * 60);
	CU_ASSERT_EQUAL(st.imissed + st.ierrors + st.rx_nombuf, 0);
	CU_ASSERT_EQUAL(ops->status(s), NS_SOURCE_MORE);
	close_it(s);
	unlink(path);
	all_home();
}

static void pcap_without_profile(void)
{
	const char *path = write_pcap();
	char device[128];
	struct opts o = {.targets = {device}, .filter = "udp"};
	struct rte_mbuf *m[NS_BURST];
	struct ns_source *s;
	unsigned n = 0;

	snprintf(device, sizeof(device), "net_pcap7,rx_pcap=%s", path);
	s = open_it(&o);
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	CU_ASSERT_EQUAL(drain(s, 0, m, 1), FILE_PACKETS / 2);
	CU_ASSERT(ns_packet(m[0])->ts_ns + 10 * NS_SEC_NS > ns_clock_real());
	rte_pktmbuf_free(m[0]);
	close_it(s);
	all_home();

	/* The file again and again, without times: those of the CPU although the port's are wanted.
	 */
	snprintf(device, sizeof(device), "net_pcap8,rx_pcap=%s,infinite_rx=1", path);
	o.set[0] = "ethdev.profile=pcap";
	o.filter = NULL;
	s = open_it(&o);
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	for (unsigned i = 0; i < 200; i++) {
		uint16_t k = ops->burst(s, 0, m, NS_BURST);

		for (uint16_t j = 0; j < k; j++)
			CU_ASSERT(ns_packet(m[j])->ts_ns + 10 * NS_SEC_NS > ns_clock_real());
		rte_pktmbuf_free_bulk(m, k);
		n += k;
	}
	CU_ASSERT(n > 2 * FILE_PACKETS);
	close_it(s);
	unlink(path);
	all_home();
}

static void own_profile_file(void)
{
	static const char path[] = "/tmp/ns_ethdev_profile.yaml";
	struct opts o = {
		.targets = {"whatever"}, .set = {"ethdev.profile=/tmp/ns_ethdev_profile.yaml"}};
	struct rte_mbuf *m[NS_BURST];
	struct ns_source *s;
	FILE *f = fopen(path, "w");

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	fputs("description: x\ndevargs: net_null{index},size=200\nlinktype: 101\nrss: \"off\"\n",
		f);
	fclose(f);
	s = open_it(&o);
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	CU_ASSERT_EQUAL(ops->burst(s, 0, m, NS_BURST), NS_BURST);
	CU_ASSERT_EQUAL(ns_packet(m[0])->linktype, 101);
	CU_ASSERT_EQUAL(ns_packet(m[0])->caplen, 200);
	rte_pktmbuf_free_bulk(m, NS_BURST);
	close_it(s);
	unlink(path);
	all_home();

	/* A profile for other drivers is not used, and that is said. */
	o = (struct opts){.targets = {"net_null3"}, .set = {"ethdev.profile=af_packet"}};
	s = open_it(&o);
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	CU_ASSERT_PTR_NOT_NULL(strstr(ops->message(s), "net_null is none of profile af_packet"));
	close_it(s);
}

static void refused(void)
{
	static const struct {
		struct opts o;
		int err;
		const char *text;
	} bad[] = {
		{{.targets = {"nosuch0"}}, 0,
			"port \"nosuch0\": \"nosuch0\" is no device that a driver is known for"},
		{{.targets = {"net_pcap0,rx_pcap=/nonexistent.pcap"}}, 0,
			"file \"/nonexistent.pcap\": No such file or directory"},
		{{.targets = {"17"}}, ENODEV,
			"port \"17\": there is no port of that number, 0 in all"},
		{{.targets = {"99999999999999"}}, ENODEV, "no port of that number"},
		{{.targets = {""}}, EINVAL, "empty name"},
		{{.targets = {NULL}}, EINVAL, "no port is given"},
		{{.targets = {"net_null0", "net_null0"}}, EEXIST, "given twice"},
		{{.targets = {"net_null0", "nosuch1"}}, 0, "nosuch1"},
		{{.targets = {"net_null0"}, .set = {"ethdev.profile=nosuch"}}, ENOENT,
			"profile \"nosuch\": no file nosuch.yaml in "},
	};

	setup();
	for (unsigned i = 0; i < NS_ARRAY_LEN(bad); i++) {
		errno = 0;
		CU_ASSERT_PTR_NULL(open_it(&bad[i].o));
		CU_ASSERT(bad[i].err == 0 ? errno != 0 : errno == bad[i].err);
		if (strstr(err.text, bad[i].text) == NULL)
			printf("\n%u: \"%s\"", i, err.text);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.text, bad[i].text));
		CU_ASSERT_EQUAL(rte_eth_dev_count_avail(), 0);
	}

	struct opts few = {.targets = {ring_port(2)}, .set = {"ethdev.rx_queues=1"}};

	CU_ASSERT_PTR_NULL(open_it(&few));
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "packets come in all 2"));
	few.targets[0] = ring_port(2);
	few.set[0] = "ethdev.rx_queues=3";
	CU_ASSERT_PTR_NULL(open_it(&few));
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "at most 2"));

	const char *target = "net_null0";
	struct ns_source_args a = {.targets = &target, .targets_n = 1, .pool = plain};

	CU_ASSERT_PTR_NULL(ops->open(&a, &err));
	CU_ASSERT_EQUAL(errno, EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "private area"));
	CU_ASSERT_PTR_NULL(ns_conf_load(NULL, (const char *const[]){"ethdev.mtu=3"}, 1, &err));
	CU_ASSERT_PTR_NULL(ns_conf_load(NULL, (const char *const[]){"ethdev.rss=on"}, 1, &err));
	all_home();
}

static int fail_at;

static void *failing(size_t n, size_t size)
{
	void *p;

	if (fail_at-- == 0)
		return NULL;
	p = aligned_alloc(NS_CACHE_LINE, RTE_ALIGN(n * size, (size_t)NS_CACHE_LINE));
	return p == NULL ? NULL : memset(p, 0, n * size);
}

static void nth_allocation(void)
{
	void *(*usual)(size_t, size_t) = ns_eth_alloc;
	struct opts o = {.targets = {"net_null0"},
		.filter = "udp",
		.queues = 2,
		.set = {"ethdev.profile=null"}};
	int n;

	setup();
	ns_eth_alloc = failing;
	for (n = 0; n < 100; n++) {
		struct ns_source *s;

		fail_at = n;
		s = open_it(&o);
		if (s != NULL) {
			close_it(s);
			break;
		}
		CU_ASSERT_EQUAL(errno, ENOMEM);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "no memory"));
		CU_ASSERT_EQUAL(rte_eth_dev_count_avail(), 0);
	}
	ns_eth_alloc = usual;
	CU_ASSERT_EQUAL(n, 4);
	all_home();
}

static void profile_before_eal(void)
{
	struct ns_profile *p;
	struct ns_conf *c;

	setup();
	c = ns_conf_load(NULL, (const char *const[]){"ethdev.profile=af_packet"}, 1, &err);
	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	p = ops->profile(c, &err);
	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	CU_ASSERT_EQUAL(p->eal_args_n, 1);
	CU_ASSERT_STRING_EQUAL(p->eal_args[0], "--no-pci");
	ns_profile_destroy(p);
	ns_conf_destroy(c);
	c = ns_conf_load(NULL, NULL, 0, &err);
	errno = 1;
	CU_ASSERT_PTR_NULL(ops->profile(c, &err));
	CU_ASSERT_EQUAL(errno, 0);
	ns_conf_destroy(c);
}

NS_TEST_MAIN({"pcap with profile", pcap_with_profile},
	{"pcap without profile", pcap_without_profile}, {"own profile file", own_profile_file},
	{"refused", refused}, {"nth allocation", nth_allocation},
	{"profile before EAL", profile_before_eal})
