/* SPDX-License-Identifier: BSD-3-Clause */
/* Real EAL, real drivers: net_null, net_ring and net_pcap on files that the test writes. */
#include "ethdev_priv.h"
#include "ns_test.h"
#include "ns_test_eal.h"

#include <rte_cycles.h>
#include <rte_eth_ring.h>

#include <dlfcn.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct rte_mempool *pool;
static struct rte_mempool *plain; /* no private area */
static const struct ns_source_ops *ops;
static struct ns_err err;

static void setup(void)
{
	char dir[512];

	ns_test_eal();
	if (pool != NULL)
		return;
	snprintf(dir, sizeof(dir), "%s/drivers-config", getenv("NS_SOURCE_ROOT"));
	setenv("NS_DRIVERS_CONFIG", dir, 1);
	pool = rte_pktmbuf_pool_create("own", 8191, 64, NS_PACKET_PRIV, 2048 + 128, 0);
	plain = rte_pktmbuf_pool_create("plain", 2047, 64, 0, 2048 + 128, 0);
	if (pool == NULL || plain == NULL || ns_registry_seal(NULL) < 0)
		abort();
	ops = ns_plugin_find(NS_SOURCE_KIND, "ethdev")->ops;
}

struct opts {
	const char *targets[4];
	unsigned queues;
	const char *filter;
	const char *set[4]; /* overrides of the configuration */
};

static struct ns_conf *conf;

static struct ns_source *open_it(const struct opts *o)
{
	struct ns_source_args a = {.targets = o->targets, .filter = o->filter, .queues = o->queues};
	struct ns_source *s;
	size_t n = 0;
	int saved;

	setup();
	a.pool = pool;
	while (a.targets_n < 4 && o->targets[a.targets_n] != NULL)
		a.targets_n++;
	while (n < 4 && o->set[n] != NULL)
		n++;
	err.text[0] = '\0';
	conf = ns_conf_load(NULL, o->set, n, &err);
	if (conf == NULL) {
		printf("\n%s", err.text);
		return NULL;
	}
	a.conf = conf;
	s = ops->open(&a, &err);
	if (s == NULL) {
		saved = errno;
		ns_conf_destroy(conf);
		errno = saved;
	}
	return s;
}

static void close_it(struct ns_source *s)
{
	ops->close(s);
	ns_conf_destroy(conf);
}

/* All mbufs are back: nothing leaks and nothing is freed twice. */
static void all_home(void)
{
	CU_ASSERT_EQUAL(rte_mempool_avail_count(pool), 8191);
	CU_ASSERT_EQUAL(rte_mempool_avail_count(plain), 2047);
}

/* Reads a queue until it was empty some times; returns packets, optionally keeps the first max. */
static unsigned drain(struct ns_source *s, unsigned queue, struct rte_mbuf **keep, unsigned max)
{
	struct rte_mbuf *m[NS_BURST];
	unsigned total = 0;

	for (unsigned idle = 0; idle < 5;) {
		uint16_t n = ops->burst(s, queue, m, NS_BURST);

		idle = n == 0 ? idle + 1 : 0;
		for (uint16_t i = 0; i < n; i++, total++) {
			if (total < max)
				keep[total] = m[i];
			else
				rte_pktmbuf_free(m[i]);
		}
	}
	return total;
}

static struct rte_mbuf *frame(struct rte_mempool *from, unsigned len, uint8_t proto, uint32_t id)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(from);
	uint8_t *p;

	if (m == NULL)
		abort();
	p = (uint8_t *)rte_pktmbuf_append(m, (uint16_t)len);
	memset(p, 0, len);
	p[12] = 8;
	p[14] = 0x45;
	p[23] = proto;
	memcpy(p + 34, &id, sizeof(id));
	return m;
}

static uint32_t id_of(struct rte_mbuf *m)
{
	uint32_t id;

	memcpy(&id, ns_packet_data(m) + 34, sizeof(id));
	return id;
}

/*
 * rte_eth_from_rings() is in the driver itself, which programs do not link: EAL has loaded it from
 * its directory of drivers, so its address is asked for there.
 */
static int is_ring_driver(struct dl_phdr_info *info, size_t size, void *name)
{
	if (strstr(info->dlpi_name, "librte_net_ring.so") == NULL)
		return 0;
	snprintf(name, 512, "%s", info->dlpi_name);
	return 1;
}

static int eth_from_rings(const char *name, struct rte_ring *const *r, unsigned n)
{
	static __typeof__(&rte_eth_from_rings) fn;
	char path[512];

	if (fn == NULL) {
		void *handle;

		if (dl_iterate_phdr(is_ring_driver, path) == 0)
			abort();
		handle = dlopen(path, RTLD_NOW);
		*(void **)&fn = handle == NULL ? NULL : dlsym(handle, "rte_eth_from_rings");
		if (fn == NULL)
			abort();
	}
	return fn(name, r, n, r, n, 0);
}

static struct rte_ring *rings[2];

static char *ring_port(unsigned n)
{
	static char name[32];
	static unsigned serial;
	int id;

	setup();
	for (unsigned i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "r%u_%u", serial, i);
		rings[i] = rte_ring_create(name, 1024, 0, RING_F_SP_ENQ | RING_F_SC_DEQ);
		if (rings[i] == NULL)
			abort();
	}
	snprintf(name, sizeof(name), "p%u", serial++);
	id = eth_from_rings(name, rings, n);
	if (id < 0)
		abort();
	rte_eth_dev_get_name_by_port((uint16_t)id, name);
	return name;
}

static void null_port(void)
{
	struct opts o = {.targets = {"net_null0"}, .queues = 1};

	/* Twice: after close the same device can be plugged again. */
	for (unsigned round = 0; round < 2; round++) {
		struct ns_source *s = open_it(&o);
		struct rte_mbuf *m[NS_BURST];
		struct ns_source_stats st;
		unsigned total = 0;
		uint64_t clock = 0;

		if (s == NULL)
			printf("\n%s", err.text);
		CU_ASSERT_PTR_NOT_NULL_FATAL(s);
		CU_ASSERT_STRING_EQUAL(ops->message(s), "");
		CU_ASSERT_EQUAL(ops->queues(s), 1);
		for (unsigned i = 0; i < 100; i++) {
			uint16_t n = ops->burst(s, 0, m, NS_BURST);

			CU_ASSERT_EQUAL(n, NS_BURST);
			total += n;
			for (uint16_t k = 0; k < n; k++) {
				const struct ns_packet *p = ns_packet(m[k]);

				CU_ASSERT(p->clock_ns >= clock && p->clock_ns >= p->ts_ns);
				clock = p->clock_ns;
				CU_ASSERT_EQUAL(p->caplen, 64);
				CU_ASSERT_EQUAL(p->wirelen, 64);
				CU_ASSERT_EQUAL(p->linktype, NS_LINKTYPE_ETHERNET);
				CU_ASSERT_EQUAL(p->flags, 0);
			}
			rte_pktmbuf_free_bulk(m, n);
		}
		CU_ASSERT(clock + NS_SEC_NS > ns_clock_real());
		CU_ASSERT(clock < ns_clock_real() + NS_SEC_NS);
		ops->stats(s, &st);
		CU_ASSERT_EQUAL(st.packets, total);
		CU_ASSERT_EQUAL(st.octets, total * 64);
		CU_ASSERT_EQUAL(st.imissed + st.ierrors + st.rx_nombuf + st.filtered, 0);
		/* It never runs dry, and still ends. */
		ops->stop(s);
		CU_ASSERT_EQUAL(ops->status(s), NS_SOURCE_MORE);
		total += drain(s, 0, NULL, 0);
		CU_ASSERT_EQUAL(ops->status(s), NS_SOURCE_END);
		ops->stats(s, &st);
		CU_ASSERT_EQUAL(st.packets, total);
		close_it(s);
		all_home();
		CU_ASSERT_EQUAL(rte_eth_dev_count_avail(), 0);
	}
}

static void symmetric_key(void)
{
	struct rte_eth_dev_info info = {.hash_key_size = 52,
		.flow_type_rss_offloads = RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_NONFRAG_IPV4_TCP,
		.rx_offload_capa = RTE_ETH_RX_OFFLOAD_RSS_HASH};
	struct ns_profile prof = {.rss_key = {1, 2, 3, 4}, .rss_key_len = 4};
	struct eth_conf off = {.rss = ETH_RSS_OFF};
	struct rte_eth_conf rc = {0};
	struct eth_port p = {0};
	uint8_t key[UINT8_MAX];
	bool right = true;

	eth_choose_rss(&p, &info, eth_conf_get(NULL), NULL, &rc, key);
	CU_ASSERT_TRUE(p.rss);
	CU_ASSERT_EQUAL(rc.rxmode.mq_mode, RTE_ETH_MQ_RX_RSS);
	CU_ASSERT_EQUAL(rc.rxmode.offloads, RTE_ETH_RX_OFFLOAD_RSS_HASH);
	CU_ASSERT_EQUAL(rc.rx_adv_conf.rss_conf.rss_hf, info.flow_type_rss_offloads);
	CU_ASSERT_EQUAL(rc.rx_adv_conf.rss_conf.rss_key_len, 52);
	CU_ASSERT_PTR_EQUAL(rc.rx_adv_conf.rss_conf.rss_key, key);
	for (unsigned i = 0; i < 52; i++)
		right = right && key[i] == (i % 2 == 0 ? 0x6d : 0x5a);
	CU_ASSERT_TRUE(right);

	/* A key that is not symmetric is set, but its hash is not handed on. */
	p.rss = false;
	eth_choose_rss(&p, &info, eth_conf_get(NULL), &prof, &rc, key);
	CU_ASSERT_FALSE(p.rss);
	CU_ASSERT_EQUAL(memcmp(key, "\1\2\3\4\1\2\3\4", 8), 0);

	rc = (struct rte_eth_conf){0};
	eth_choose_rss(&p, &info, &off, NULL, &rc, key);
	CU_ASSERT_FALSE(p.rss);
	CU_ASSERT_EQUAL(rc.rxmode.mq_mode, RTE_ETH_MQ_RX_NONE);
	info.hash_key_size = 0;
	eth_choose_rss(&p, &info, eth_conf_get(NULL), NULL, &rc, key);
	CU_ASSERT_FALSE(p.rss);
	CU_ASSERT_EQUAL(rc.rxmode.mq_mode, RTE_ETH_MQ_RX_RSS);
	CU_ASSERT_PTR_NULL(rc.rx_adv_conf.rss_conf.rss_key);
}

static void rss_hash(void)
{
	struct opts o = {.targets = {ring_port(1)}, .queues = 1};
	struct ns_source *s = open_it(&o);
	struct rte_mbuf *got[2];

	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	for (unsigned round = 0; round < 2; round++) {
		s->ports[0].rss = round == 1; /* the ring has no RSS of its own */
		for (unsigned i = 0; i < 2; i++) {
			struct rte_mbuf *m = frame(pool, 60, 6, i);

			m->hash.rss = 77;
			if (i == 1)
				m->ol_flags |= RTE_MBUF_F_RX_RSS_HASH;
			rte_ring_enqueue(rings[0], m);
		}
		CU_ASSERT_EQUAL_FATAL(drain(s, 0, got, 2), 2);
		CU_ASSERT_EQUAL(ns_packet(got[0])->flags, 0);
		CU_ASSERT_EQUAL(ns_packet(got[1])->flags, round == 1 ? NS_PKT_RSS : 0);
		CU_ASSERT_EQUAL(got[1]->hash.rss, 77);
		rte_pktmbuf_free_bulk(got, 2);
	}
	close_it(s);
	all_home();
}

static void ring_in_and_out(void)
{
	struct opts o = {.targets = {ring_port(1)}, .queues = 1};
	struct ns_source *s = open_it(&o);
	struct rte_mbuf *got[500];
	struct ns_source_stats st;
	unsigned n;

	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	for (uint32_t i = 0; i < 500; i++) /* every fifth comes from a pool without private area */
		rte_ring_enqueue(rings[0], frame(i % 5 == 0 ? plain : pool, 60 + i % 100, 17, i));
	n = drain(s, 0, got, 500);
	CU_ASSERT_EQUAL(n, 500);
	for (uint32_t i = 0; i < n; i++) {
		CU_ASSERT_EQUAL(id_of(got[i]), i);
		CU_ASSERT_EQUAL(ns_packet(got[i])->wirelen, 60 + i % 100);
		CU_ASSERT_EQUAL(ns_packet(got[i])->caplen, 60 + i % 100);
		CU_ASSERT_PTR_EQUAL(got[i]->pool, pool);
		CU_ASSERT(ns_packet(got[i])->ts_ns > 1600000000 * NS_SEC_NS);
	}
	rte_pktmbuf_free_bulk(got, n);
	ops->stats(s, &st);
	CU_ASSERT_EQUAL(st.packets, 500);
	CU_ASSERT_EQUAL(st.octets, 500 * 60 + 5 * 4950);
	/* What has come before stop() is still given. */
	for (uint32_t i = 0; i < 100; i++)
		rte_ring_enqueue(rings[0], frame(pool, 60, 6, i));
	ops->stop(s);
	CU_ASSERT_EQUAL(ops->status(s), NS_SOURCE_MORE);
	CU_ASSERT_EQUAL(drain(s, 0, NULL, 0), 100);
	CU_ASSERT_EQUAL(ops->status(s), NS_SOURCE_END);
	close_it(s);
	all_home();
}

static void foreign_without_memory(void)
{
	struct opts o = {.targets = {ring_port(1)}, .queues = 1};
	struct ns_source *s = open_it(&o);
	static struct rte_mbuf *hog[8191];
	struct ns_source_stats st;
	unsigned hogs = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	while (hogs < 8191 && (hog[hogs] = rte_pktmbuf_alloc(pool)) != NULL)
		hogs++;
	for (uint32_t i = 0; i < 10; i++)
		rte_ring_enqueue(rings[0], frame(plain, 60, 6, i));
	CU_ASSERT_EQUAL(drain(s, 0, NULL, 0), 0);
	rte_pktmbuf_free_bulk(hog, hogs);
	ops->stats(s, &st);
	CU_ASSERT_EQUAL(st.packets, 0);
	CU_ASSERT_EQUAL(st.rx_nombuf, 10);
	close_it(s);
	all_home();
}

static void queues_and_ports(void)
{
	static char first[32];
	struct rte_ring *all[3];
	struct ns_source *s;
	struct ns_source_stats st;

	for (unsigned readers = 1; readers <= 4; readers++) {
		struct opts o = {.queues = readers};
		unsigned total = 0;

		strcpy(first, ring_port(2));
		all[0] = rings[0];
		all[1] = rings[1];
		o.targets[0] = first;
		o.targets[1] = ring_port(1);
		all[2] = rings[0];
		s = open_it(&o);
		if (s == NULL)
			printf("\n%s", err.text);
		CU_ASSERT_PTR_NOT_NULL_FATAL(s);
		CU_ASSERT_EQUAL(ops->queues(s), NS_MIN(readers, 3u));
		for (unsigned r = 0; r < 3; r++) {
			for (uint32_t i = 0; i < 50 * (r + 1); i++)
				rte_ring_enqueue(all[r], frame(pool, 64, 6, i));
		}
		for (unsigned q = 0; q < ops->queues(s); q++) {
			unsigned n = drain(s, q, NULL, 0);

			if (readers >= 3)
				CU_ASSERT_EQUAL(n, 50 * (q + 1));
			total += n;
		}
		CU_ASSERT_EQUAL(total, 300);
		ops->stats(s, &st);
		CU_ASSERT_EQUAL(st.packets, 300);
		close_it(s);
		all_home();
	}
}

static void filter(void)
{
	struct opts o = {.targets = {ring_port(1)}, .queues = 1, .filter = "ip proto 17"};
	struct ns_source *s = open_it(&o);
	struct ns_source_stats st;

	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	for (uint32_t i = 0; i < 600; i++) /* long runs that do not match end no reading */
		rte_ring_enqueue(rings[0], frame(pool, 64, i % 200 == 199 ? 17 : 6, i));
	ops->stop(s);
	CU_ASSERT_EQUAL(drain(s, 0, NULL, 0), 3);
	CU_ASSERT_EQUAL(ops->status(s), NS_SOURCE_END);
	ops->stats(s, &st);
	CU_ASSERT_EQUAL(st.packets, 600);
	CU_ASSERT_EQUAL(st.filtered, 597);
	close_it(s);
	all_home();

	o.targets[0] = "net_null0";
	o.filter = "tcp prt 80";
	CU_ASSERT_PTR_NULL(open_it(&o));
	CU_ASSERT_EQUAL(errno, EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "tcp prt 80"));
	CU_ASSERT_EQUAL(rte_eth_dev_count_avail(), 0);
}

static struct rte_mbuf *chain(unsigned first, unsigned second)
{
	struct rte_mbuf *a = frame(pool, first, 6, 7);
	struct rte_mbuf *b = rte_pktmbuf_alloc(pool);

	memset(rte_pktmbuf_append(b, (uint16_t)second), 0xbb, second);
	if (rte_pktmbuf_chain(a, b) < 0)
		abort();
	return a;
}

static void segments(void)
{
	struct opts o = {.targets = {ring_port(1)}, .queues = 1};
	struct ns_source *s = open_it(&o);
	struct rte_mbuf *got[2];

	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	rte_ring_enqueue(rings[0], chain(100, 200));
	rte_ring_enqueue(rings[0], chain(2000, 2000));
	CU_ASSERT_EQUAL_FATAL(drain(s, 0, got, 2), 2);
	CU_ASSERT_EQUAL(got[0]->nb_segs, 1);
	CU_ASSERT_EQUAL(ns_packet(got[0])->wirelen, 300);
	CU_ASSERT_EQUAL(ns_packet(got[0])->caplen, 300);
	CU_ASSERT_EQUAL(ns_packet_data(got[0])[299], 0xbb);
	CU_ASSERT_EQUAL(ns_packet(got[1])->wirelen, 4000);
	CU_ASSERT_EQUAL(ns_packet(got[1])->caplen, 2000);
	rte_pktmbuf_free_bulk(got, 2);
	close_it(s);
	all_home();
}

static void vlan_is_put_back(void)
{
	struct opts o = {.targets = {ring_port(1)}, .queues = 1};
	struct ns_source *s = open_it(&o);
	struct rte_mbuf *m = frame(pool, 60, 6, 1);
	struct rte_mbuf *got[1];

	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	m->vlan_tci = 5;
	m->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
	rte_ring_enqueue(rings[0], m);
	CU_ASSERT_EQUAL_FATAL(drain(s, 0, got, 1), 1);
	CU_ASSERT_EQUAL(ns_packet(got[0])->wirelen, 64);
	CU_ASSERT_EQUAL(memcmp(ns_packet_data(got[0]) + 12, "\x81\x00\x00\x05\x08\x00", 6), 0);
	rte_pktmbuf_free(got[0]);
	close_it(s);
	all_home();
}

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
			"port \"nosuch0\": device \"nosuch0\" can't be opened"},
		{{.targets = {"net_pcap0,rx_pcap=/nonexistent.pcap"}}, 0, "can't be opened"},
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

NS_TEST_MAIN({"null port", null_port}, {"symmetric key", symmetric_key}, {"rss hash", rss_hash},
	{"ring in and out", ring_in_and_out}, {"foreign without memory", foreign_without_memory},
	{"queues and ports", queues_and_ports}, {"filter", filter}, {"segments", segments},
	{"vlan is put back", vlan_is_put_back}, {"pcap with profile", pcap_with_profile},
	{"pcap without profile", pcap_without_profile}, {"own profile file", own_profile_file},
	{"refused", refused}, {"nth allocation", nth_allocation},
	{"profile before EAL", profile_before_eal})
