/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* Real EAL and real drivers: what the tests of ports share. */

#include "ethdev_priv.h"
#include "ns_test.h"
#include "ns_test_eal.h"

#include <rte_eth_ring.h>

#include <dlfcn.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

static struct rte_mempool *pool;
static struct rte_mempool *plain; /* no private area */
static const struct ns_source_ops *ops;
static struct ns_err err;

static inline void setup(void)
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

static inline struct ns_source *open_it(const struct opts *o)
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

static inline void close_it(struct ns_source *s)
{
	ops->close(s);
	ns_conf_destroy(conf);
}

/* All mbufs are back: nothing leaks and nothing is freed twice. */
static inline void all_home(void)
{
	CU_ASSERT_EQUAL(rte_mempool_avail_count(pool), 8191);
	CU_ASSERT_EQUAL(rte_mempool_avail_count(plain), 2047);
}

/* Reads a queue until it was empty some times; returns packets, optionally keeps the first max. */
static inline unsigned drain(
	struct ns_source *s, unsigned queue, struct rte_mbuf **keep, unsigned max)
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

static inline struct rte_mbuf *frame(
	struct rte_mempool *from, unsigned len, uint8_t proto, uint32_t id)
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

static inline uint32_t id_of(struct rte_mbuf *m)
{
	uint32_t id;

	memcpy(&id, ns_packet_data(m) + 34, sizeof(id));
	return id;
}

/*
 * rte_eth_from_rings() is in the driver itself, which programs do not link: EAL has loaded it from
 * its directory of drivers, so its address is asked for there.
 */
static inline int is_ring_driver(struct dl_phdr_info *info, size_t size, void *name)
{
	if (strstr(info->dlpi_name, "librte_net_ring.so") == NULL)
		return 0;
	snprintf(name, 512, "%s", info->dlpi_name);
	return 1;
}

static inline int eth_from_rings(const char *name, struct rte_ring *const *r, unsigned n)
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

static inline char *ring_port(unsigned n)
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
