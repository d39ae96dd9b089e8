/* SPDX-License-Identifier: BSD-3-Clause */
/* From a target to a port that receives, and back. Control thread only. */
#include "ethdev_priv.h"

#include <rte_cycles.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ether.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DESCRIPTORS 1024
/* For what commands send: fewer than there are buffers for it (lib/send). */
#define TX_DESCRIPTORS 512
#define LINK_WAIT_MS 2000
#define LINK_STEP_MS 20
#define DEVICE_MAX 512

/* With a key that repeats these 16 bits Toeplitz gives both directions the same hash (S. Woo and
 * K. Park, "Scalable TCP Session Monitoring with Symmetric Receive-side Scaling", 2012). */
static const uint8_t symmetric[] = {0x6d, 0x5a};

static bool all_digits(const char *s)
{
	const char *p = s;

	while (isdigit((unsigned char)*p))
		p++;
	return p > s && *p == '\0';
}

/* The name of a port is the device without its arguments. */
static bool port_by_name(const char *device, uint16_t *id)
{
	char name[RTE_ETH_NAME_MAX_LEN];
	size_t n = strcspn(device, ",");

	if (n >= sizeof(name) - 5)
		return false;
	snprintf(name, sizeof(name), "%.*s", (int)n, device);
	if (rte_eth_dev_get_port_by_name(name, id) == 0)
		return true;
	/* DPDK calls PCI devices by their full address; people leave the domain out. */
	snprintf(name, sizeof(name), "0000:%.*s", (int)n, device);
	return rte_eth_dev_get_port_by_name(name, id) == 0;
}

static int plug(struct eth_port *p, const char *target, const char *device, struct ns_err *e)
{
	struct rte_dev_iterator it;
	uint16_t id = RTE_MAX_ETHPORTS;
	int rc = rte_dev_probe(device);

	if (rc < 0)
		return eth_explain(target, device, rc, e);
	if (!port_by_name(device, &id)) {
		RTE_ETH_FOREACH_MATCHING_DEV(id, device, &it)
		{
			rte_eth_iterator_cleanup(&it);
			break;
		}
	}
	if (id == RTE_MAX_ETHPORTS)
		return ns_fail(
			e, ENODEV, "port \"%s\": device \"%s\" gives no port", target, device);
	p->id = id;
	p->plugged = true;
	p->open = true;
	return 0;
}

static int find(struct ns_source *s, struct eth_port *p, unsigned i,
	const struct ns_source_args *args, const struct eth_conf *conf, struct ns_err *e)
{
	const char *target = args->targets[i];
	char device[DEVICE_MAX];
	unsigned queues = conf->rx_queues;

	if (target[0] == '\0')
		return ns_fail(e, EINVAL, "an empty name of a port");
	if (all_digits(target)) {
		unsigned long id = strtoul(target, NULL, 10);

		if (id >= RTE_MAX_ETHPORTS || !rte_eth_dev_is_valid_port((uint16_t)id))
			return ns_fail(e, ENODEV,
				"port \"%s\": there is no port of that number, %u in all", target,
				rte_eth_dev_count_avail());
		p->id = (uint16_t)id;
		p->open = true;
		return 0;
	}
	if (port_by_name(target, &p->id)) {
		p->open = true;
		return 0;
	}
	if (s->profile == NULL || s->profile->devargs == NULL || strchr(target, ',') != NULL ||
		strncmp(target, "net_", 4) == 0)
		return plug(p, target, target, e);
	if (queues == 0 && args->queues > 0)
		queues = (args->queues + args->targets_n - 1) / args->targets_n;
	if (queues == 0)
		queues = NS_MAX(s->profile->rx_queues, 1u);
	if (ns_profile_devargs(s->profile, target, i, queues, device, sizeof(device)) < 0)
		return ns_fail(e, errno, "port \"%s\": too long for the template of profile %s",
			target, s->profile->name);
	if (port_by_name(device, &p->id)) {
		uint16_t id = p->id;

		return ns_fail(e, EEXIST, "port \"%s\": device \"%s\" is there already, as port %u",
			target, device, id);
	}
	return plug(p, target, device, e);
}

/* How many hardware queues: the configuration's word, but never fewer than hold packets. */
static int choose_queues(struct eth_port *p, const struct rte_eth_dev_info *info,
	const struct ns_source_args *args, const struct eth_conf *conf,
	const struct ns_profile *prof, struct ns_err *e)
{
	unsigned max = NS_MAX(info->max_rx_queues, (uint16_t)1);
	/* Drivers of rings and files make their queues with the device. */
	unsigned min = prof != NULL && prof->all_queues ? max : info->nb_rx_queues;
	unsigned want = conf->rx_queues;

	if (want > max)
		return ns_fail(e, EINVAL, "port \"%s\": %u queues wanted, it has at most %u",
			p->name, want, max);
	if (want != 0 && want < min)
		return ns_fail(e, EINVAL,
			"port \"%s\": %u queues wanted, but packets come in all %u of the device",
			p->name, want, min);
	if (want == 0 && args->queues > 0)
		want = (args->queues + args->targets_n - 1) / args->targets_n;
	else if (want == 0 && prof != NULL)
		want = prof->rx_queues;
	want = NS_MAX(want, NS_MAX(min, 1u));
	p->queues = (uint16_t)NS_MIN(want, max);
	return 0;
}

static int choose_mtu(struct ns_source *s, struct eth_port *p, const struct rte_eth_dev_info *info,
	uint32_t mtu, struct rte_eth_conf *rc, struct ns_err *e)
{
	uint32_t room = rte_pktmbuf_data_room_size(s->pool) - RTE_PKTMBUF_HEADROOM;
	uint32_t frame = mtu + RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN + 2 * RTE_VLAN_HLEN;

	if (mtu == 0)
		return 0;
	if (mtu < info->min_mtu || (info->max_mtu != 0 && mtu > info->max_mtu))
		return ns_fail(e, EINVAL, "port \"%s\": mtu %u is not from %u to %u", p->name, mtu,
			info->min_mtu, info->max_mtu);
	rc->rxmode.mtu = mtu;
	if (frame <= room)
		return 0;
	if ((info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER) != 0)
		rc->rxmode.offloads |= RTE_ETH_RX_OFFLOAD_SCATTER;
	else
		eth_note(s, "port \"%s\": packets above %u octets may not fit in one buffer",
			p->name, room);
	return 0;
}

void eth_choose_rss(struct eth_port *p, const struct rte_eth_dev_info *info,
	const struct eth_conf *conf, const struct ns_profile *prof, struct rte_eth_conf *rc,
	uint8_t *key)
{
	uint64_t hf = RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP | RTE_ETH_RSS_SCTP;
	const uint8_t *pattern = symmetric;
	unsigned pattern_len = sizeof(symmetric);

	if (prof != NULL && prof->rss_hf != 0)
		hf = prof->rss_hf;
	if (prof != NULL && prof->rss_key_len != 0) {
		pattern = prof->rss_key;
		pattern_len = prof->rss_key_len;
	}
	hf &= info->flow_type_rss_offloads;
	if (conf->rss == ETH_RSS_OFF || (prof != NULL && prof->rss_off) || hf == 0)
		return;
	rc->rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
	rc->rx_adv_conf.rss_conf.rss_hf = hf;
	if (info->hash_key_size == 0)
		return; /* the driver's own key: spreads, but nobody may rely on the hash */
	p->rss = true;
	for (unsigned i = 0; i < info->hash_key_size; i++) {
		key[i] = pattern[i % pattern_len];
		if (key[i] != key[i & 1])
			p->rss = false;
	}
	rc->rx_adv_conf.rss_conf.rss_key = key;
	rc->rx_adv_conf.rss_conf.rss_key_len = info->hash_key_size;
	if ((info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_RSS_HASH) != 0)
		rc->rxmode.offloads |= RTE_ETH_RX_OFFLOAD_RSS_HASH;
}

static void choose_stamps(struct ns_source *s, struct eth_port *p,
	const struct rte_eth_dev_info *info, const struct eth_conf *conf,
	const struct ns_profile *prof, struct rte_eth_conf *rc)
{
	enum ns_profile_stamps how = conf->timestamps;
	bool offered = (info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_TIMESTAMP) != 0;
	enum ns_profile_unit unit = prof != NULL ? prof->timestamp_unit : NS_STAMP_TICKS;

	if (how == NS_STAMPS_AUTO && prof != NULL)
		how = prof->timestamps;
	if (how == NS_STAMPS_TSC || (how == NS_STAMPS_AUTO && !offered))
		return;
	if (s->stamp_flag == 0 &&
		rte_mbuf_dyn_rx_timestamp_register(&s->stamp_offset, &s->stamp_flag) < 0) {
		eth_note(s, "port \"%s\": no room for timestamps in the packet, using the CPU's",
			p->name);
		s->stamp_flag = 0;
		return;
	}
	if (offered)
		rc->rxmode.offloads |= RTE_ETH_RX_OFFLOAD_TIMESTAMP;
	p->stamp = unit == NS_STAMP_US   ? ETH_STAMP_US
		   : unit == NS_STAMP_NS ? ETH_STAMP_NS
					 : ETH_STAMP_TICKS;
}

static int set_up(struct ns_source *s, struct eth_port *p, struct rte_eth_dev_info *info,
	struct rte_eth_conf *rc, const struct eth_conf *conf, const struct ns_profile *prof,
	struct ns_err *e)
{
	/* Several drivers want pairs of queues; none minds. */
	uint16_t tx = NS_MIN(p->queues, info->max_tx_queues);
	uint32_t wanted = conf->rx_descriptors;
	uint16_t rxd, txd = TX_DESCRIPTORS;
	struct rte_eth_rxconf rxconf = info->default_rxconf;
	int rc2, socket = rte_eth_dev_socket_id(p->id);

	if (wanted == 0)
		wanted = prof != NULL && prof->rx_descriptors != 0 ? prof->rx_descriptors
								   : DESCRIPTORS;
	rxd = (uint16_t)wanted;
	rc2 = rte_eth_dev_configure(p->id, p->queues, tx, rc);
	if (rc2 < 0 && rc->rxmode.mq_mode == RTE_ETH_MQ_RX_RSS) {
		eth_note(s, "port \"%s\": refuses RSS (%s)", p->name, rte_strerror(-rc2));
		rc->rxmode.mq_mode = RTE_ETH_MQ_RX_NONE;
		rc->rxmode.offloads &= ~RTE_ETH_RX_OFFLOAD_RSS_HASH;
		memset(&rc->rx_adv_conf, 0, sizeof(rc->rx_adv_conf));
		p->rss = false;
		rc2 = rte_eth_dev_configure(p->id, p->queues, tx, rc);
	}
	if (rc2 < 0)
		return ns_fail(e, -rc2, "port \"%s\": %u queues can't be configured: %s", p->name,
			p->queues, rte_strerror(-rc2));
	rc2 = rte_eth_dev_adjust_nb_rx_tx_desc(p->id, &rxd, &txd);
	if (rc2 < 0)
		return ns_fail(e, -rc2, "port \"%s\": %u descriptors: %s", p->name, wanted,
			rte_strerror(-rc2));
	if (conf->rx_descriptors != 0 && rxd != conf->rx_descriptors)
		eth_note(s, "port \"%s\": %u descriptors instead of %u", p->name, rxd,
			conf->rx_descriptors);
	p->descriptors = rxd;
	rxconf.offloads = rc->rxmode.offloads;
	for (uint16_t q = 0; q < p->queues; q++) {
		rc2 = rte_eth_rx_queue_setup(p->id, q, rxd, (unsigned)socket, &rxconf, s->pool);
		if (rc2 < 0)
			return ns_fail(e, -rc2, "port \"%s\": receive queue %u: %s", p->name, q,
				rte_strerror(-rc2));
	}
	for (uint16_t q = 0; q < tx; q++) {
		rc2 = rte_eth_tx_queue_setup(p->id, q, txd, (unsigned)socket, NULL);
		if (rc2 < 0)
			return ns_fail(e, -rc2, "port \"%s\": transmit queue %u: %s", p->name, q,
				rte_strerror(-rc2));
	}
	return 0;
}

static void wait_for_link(struct ns_source *s, const struct eth_port *p)
{
	struct rte_eth_link link;

	for (unsigned ms = 0; ms <= LINK_WAIT_MS; ms += LINK_STEP_MS) {
		/* A driver that can't tell has no link to wait for. */
		if (rte_eth_link_get_nowait(p->id, &link) < 0 ||
			link.link_status == RTE_ETH_LINK_UP)
			return;
		rte_delay_us_sleep(LINK_STEP_MS * 1000);
	}
	eth_note(s, "port \"%s\": the link is down", p->name);
}

static int start(
	struct ns_source *s, struct eth_port *p, const struct eth_conf *conf, struct ns_err *e)
{
	int rc;

	if (rte_eth_stats_get(p->id, &p->base) < 0)
		memset(&p->base, 0, sizeof(p->base));
	rc = rte_eth_dev_start(p->id);
	if (rc < 0)
		return ns_fail(
			e, -rc, "port \"%s\": can't be started: %s", p->name, rte_strerror(-rc));
	if (conf->promiscuous && rte_eth_promiscuous_get(p->id) != 1) {
		rc = rte_eth_promiscuous_enable(p->id);
		p->promiscuous = rc == 0;
		if (rc < 0 && rc != -ENOTSUP)
			eth_note(s, "port \"%s\": no promiscuous mode: %s", p->name,
				rte_strerror(-rc));
	}
	wait_for_link(s, p);
	if (p->stamp != ETH_STAMP_TICKS || eth_clock_init(&p->clock, p->id) == 0)
		return 0;
	if (conf->timestamps == NS_STAMPS_PORT)
		return ns_fail(e, ENOTSUP,
			"port \"%s\": timestamps of the port wanted, but its clock can't be read",
			p->name);
	eth_note(s, "port \"%s\": its clock can't be read, using the CPU's timestamps", p->name);
	p->stamp = ETH_STAMP_NONE;
	return 0;
}

int eth_port_open(struct ns_source *s, unsigned i, const struct ns_source_args *args,
	const struct eth_conf *conf, struct ns_err *e)
{
	struct eth_port *p = &s->ports[i];
	const struct ns_profile *prof = s->profile;
	struct rte_eth_dev_info info;
	struct rte_eth_conf rc = {0};
	uint8_t key[UINT8_MAX];
	uint32_t mtu = conf->mtu;
	int err = find(s, p, i, args, conf, e);

	if (err < 0)
		return err;
	for (unsigned k = 0; k < i; k++) {
		if (s->ports[k].id == p->id) {
			p->open = false; /* the other one closes it */
			return ns_fail(e, EEXIST, "port \"%s\": given twice", args->targets[i]);
		}
	}
	err = rte_eth_dev_info_get(p->id, &info);
	if (err < 0 || rte_eth_dev_get_name_by_port(p->id, p->name) < 0)
		return ns_fail(
			e, ENODEV, "port \"%s\": tells nothing about itself", args->targets[i]);
	if (prof != NULL && !ns_profile_has_driver(prof, info.driver_name)) {
		eth_note(s,
			"port \"%s\": driver %s is none of profile %s, which is not used for it",
			p->name, info.driver_name, prof->name);
		prof = NULL;
	}
	p->linktype = prof != NULL ? prof->linktype : NS_LINKTYPE_ETHERNET;
	if (mtu == 0 && prof != NULL)
		mtu = prof->mtu;
	if (args->filter != NULL) {
		p->filter = ns_filter_create(args->filter, p->linktype, 0, e);
		if (p->filter == NULL)
			return -errno;
	}
	err = choose_queues(p, &info, args, conf, prof, e);
	if (err == 0)
		err = choose_mtu(s, p, &info, mtu, &rc, e);
	if (err < 0)
		return err;
	eth_choose_rss(p, &info, conf, prof, &rc, key);
	choose_stamps(s, p, &info, conf, prof, &rc);
	err = set_up(s, p, &info, &rc, conf, prof, e);
	if (err < 0)
		return err;
	eth_kernel_find(p, &info);
	return start(s, p, conf, e);
}

void eth_port_close(struct eth_port *p)
{
	struct rte_eth_dev_info info;

	eth_filters_close(p);
	if (!p->open)
		return;
	if (p->promiscuous)
		rte_eth_promiscuous_disable(p->id);
	(void)rte_eth_dev_stop(p->id);
	if (rte_eth_dev_info_get(p->id, &info) < 0)
		info.device = NULL;
	rte_eth_dev_close(p->id);
	if (p->plugged && info.device != NULL)
		rte_dev_remove(info.device);
}
