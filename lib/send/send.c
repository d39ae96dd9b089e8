/* SPDX-License-Identifier: BSD-3-Clause */
/* See ns_send.h. A sender for each port is there, static, and either claimed or not. */

/* rte_eth_dev_conf_get() alone tells whether a port was configured, and is experimental in 22.11.
 */
#define ALLOW_EXPERIMENTAL_API

#include "ns_port.h"
#include "ns_send.h"

#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_ether.h>
#include <rte_mbuf.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#define WAIT_NS UINT64_C(10000000)
#define NAP_NS 20000
#define QUEUE 0

struct ns_send {
	bool taken; /* atomic; writer: control, and at its end who has it */
	char who[48]; /* writer: control */
	uint16_t port;
	struct rte_mempool *pool; /* stays; control's */
	uint32_t frame_max; /* without a VLAN tag */
	uint64_t errors_before; /* control's, as is claim */
	uint32_t claim;

	/* the sender's */
	struct rte_mbuf *held[NS_SEND_BURST] __attribute__((aligned(NS_CACHE_LINE)));
	uint16_t held_n;
	bool stuck; /* the port was waited for in vain, and has taken nothing since */
	struct ns_send_counts n; /* relaxed; readers: anybody */
} __attribute__((aligned(NS_CACHE_LINE)));

static struct ns_send senders[RTE_MAX_ETHPORTS];

static int make_pool(struct ns_send *s, const char *name, struct ns_err *e)
{
	char text[RTE_MEMPOOL_NAMESIZE];

	if (s->pool != NULL)
		return 0;
	snprintf(text, sizeof(text), "ns_send%u", s->port);
	s->pool = rte_pktmbuf_pool_create(
		text, NS_SEND_BUFFERS, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	if (s->pool != NULL)
		return 0;
	return ns_fail(e, rte_errno != 0 ? rte_errno : ENOMEM,
		"port \"%s\": no memory for %u packet buffers to send from (engine.memory)", name,
		NS_SEND_BUFFERS);
}

static uint64_t port_errors(uint16_t port)
{
	struct rte_eth_stats st;

	return rte_eth_stats_get(port, &st) == 0 ? st.oerrors : 0;
}

struct ns_send *ns_send_open(uint16_t port, const char *who, struct ns_err *e)
{
	char name[NS_PORT_NAME], device[NS_PORT_NAME];
	struct rte_eth_dev_info info;
	struct rte_eth_conf conf;
	uint16_t mtu;

	ns_port_names(port, name, device);
	if (!rte_eth_dev_is_valid_port(port) || rte_eth_dev_info_get(port, &info) < 0 ||
		rte_eth_dev_get_mtu(port, &mtu) < 0) {
		ns_fail(e, ENODEV, "port \"%s\" tells nothing about itself", name);
		return NULL;
	}
	/* a port gets an MTU when it is configured, and those that the engine reads are */
	if (rte_eth_dev_conf_get(port, &conf) < 0 || conf.rxmode.mtu == 0) {
		ns_fail(e, ENOTSUP, "port \"%s\" is not open: it is none of engine.targets", name);
		return NULL;
	}
	if (info.nb_tx_queues == 0) {
		ns_fail(e, ENOTSUP, "port \"%s\" has no transmit queue: driver %s has none", name,
			info.driver_name);
		return NULL;
	}
	struct ns_send *s = &senders[port];

	if (__atomic_load_n(&s->taken, __ATOMIC_ACQUIRE)) {
		ns_fail(e, EBUSY, "port \"%s\" is sent to by %s already", name, s->who);
		return NULL;
	}
	s->port = port;
	if (make_pool(s, name, e) < 0)
		return NULL;
	snprintf(s->who, sizeof(s->who), "%s", who);
	s->frame_max = NS_MIN((uint32_t)mtu + RTE_ETHER_HDR_LEN,
		(uint32_t)RTE_MBUF_DEFAULT_BUF_SIZE - RTE_PKTMBUF_HEADROOM);
	s->held_n = 0;
	s->stuck = false;
	s->n = (struct ns_send_counts){0};
	s->errors_before = port_errors(port);
	s->claim++;
	s->taken = true;
	return s;
}

uint32_t ns_send_frame_max(const struct ns_send *s)
{
	return NS_MIN(s->frame_max + RTE_VLAN_HLEN,
		(uint32_t)RTE_MBUF_DEFAULT_BUF_SIZE - RTE_PKTMBUF_HEADROOM);
}

/* A VLAN tag does not count in the MTU; so the kernel has it, too. */
int ns_send_fits(const struct ns_send *s, const uint8_t *frame, uint32_t len)
{
	if (len < NS_SEND_FRAME_MIN)
		return -EINVAL;
	if (len <= s->frame_max)
		return 0;
	bool tagged = (frame[12] << 8 | frame[13]) == RTE_ETHER_TYPE_VLAN;

	return tagged && len <= ns_send_frame_max(s) ? 0 : -EMSGSIZE;
}

static void nap(void)
{
	nanosleep(&(struct timespec){.tv_nsec = NAP_NS}, NULL);
}

/* Offers what is held until all is taken, or nothing for as long as is waited; how many were. */
static uint16_t offer(struct ns_send *s)
{
	uint64_t until = 0;
	uint16_t done = 0;

	while (done < s->held_n) {
		uint16_t k = rte_eth_tx_burst(
			s->port, QUEUE, s->held + done, (uint16_t)(s->held_n - done));

		done = (uint16_t)(done + k);
		if (k > 0) {
			s->stuck = false;
			until = 0;
			continue;
		}
		if (s->stuck)
			break;
		uint64_t now = ns_clock_mono();

		if (until == 0)
			until = now + WAIT_NS;
		s->stuck = now >= until;
		if (!s->stuck)
			nap();
	}
	return done;
}

void ns_send_flush(struct ns_send *s)
{
	uint32_t len[NS_SEND_BURST] = {0};
	uint64_t octets = 0;

	if (s->held_n == 0)
		return;
	/* what was taken is the driver's and may be gone */
	for (uint16_t i = 0; i < s->held_n; i++)
		len[i] = s->held[i]->pkt_len;
	uint16_t done = offer(s);

	for (uint16_t i = 0; i < done; i++)
		octets += len[i];
	rte_pktmbuf_free_bulk(s->held + done, s->held_n - done);
	ns_stat_add(&s->n.sent, done);
	ns_stat_add(&s->n.octets, octets);
	ns_stat_add(&s->n.full, s->held_n - done);
	s->held_n = 0;
}

/* All buffers are with the driver, or where it sent them to: the port is full. */
static struct rte_mbuf *wait_for_buffer(struct ns_send *s)
{
	uint64_t until = ns_clock_mono() + WAIT_NS;

	for (;;) {
		(void)rte_eth_tx_done_cleanup(s->port, QUEUE, 0);
		struct rte_mbuf *m = rte_pktmbuf_alloc(s->pool);

		if (m != NULL || s->stuck)
			return m;
		s->stuck = ns_clock_mono() >= until;
		nap();
	}
}

void ns_send_put(struct ns_send *s, const uint8_t *frame, uint32_t len)
{
	if (s->held_n == NS_SEND_BURST)
		ns_send_flush(s);
	struct rte_mbuf *m = rte_pktmbuf_alloc(s->pool);

	if (ns_unlikely(m == NULL)) {
		ns_send_flush(s);
		m = wait_for_buffer(s);
	}
	if (m == NULL) {
		ns_stat_add(&s->n.full, 1);
		return;
	}
	memcpy(rte_pktmbuf_mtod(m, uint8_t *), frame, len);
	m->data_len = (uint16_t)len;
	m->pkt_len = len;
	s->held[s->held_n++] = m;
}

void ns_send_counts(const struct ns_send *s, struct ns_send_counts *c)
{
	c->sent = ns_stat_get(&s->n.sent);
	c->octets = ns_stat_get(&s->n.octets);
	c->full = ns_stat_get(&s->n.full);
}

uint32_t ns_send_claim(const struct ns_send *s)
{
	return s->claim;
}

void ns_send_errors(const struct ns_send *s, uint32_t claim, uint64_t *errors)
{
	uint64_t now = port_errors(s->port);

	if (claim == s->claim)
		*errors = now > s->errors_before ? now - s->errors_before : 0;
}

void ns_send_close(struct ns_send *s)
{
	if (s == NULL)
		return;
	ns_send_flush(s);
	__atomic_store_n(&s->taken, false, __ATOMIC_RELEASE);
}

void ns_send_fini(void)
{
	for (unsigned i = 0; i < NS_ARRAY_LEN(senders); i++) {
		rte_mempool_free(senders[i].pool);
		senders[i].pool = NULL;
		senders[i].taken = false;
	}
}
