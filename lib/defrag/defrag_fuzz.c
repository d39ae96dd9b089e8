/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A burst of small packets, many of them fragments, with what the input says of their addresses,
 * identification, time and place in the datagram. All of them must come out again, each once.
 */
#include <ns_defrag.h>
#include <ns_registry.h>

#include <string.h>

#define BURST 32
#define PACKET 8 /* octets of input that make a packet */

struct fuzz_packet {
	struct rte_mbuf m;
	uint8_t priv[NS_PACKET_PRIV];
	uint8_t data[64];
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct rte_mbuf *packet_of(const uint8_t *in, uint64_t *clock, struct fuzz_packet *b)
{
	memset(b, 0, sizeof(*b));
	struct ns_packet *p = ns_packet(&b->m);
	bool v6 = (in[0] & 1) != 0;

	*clock += (uint64_t)in[5] * in[5] * in[5] * 10000;
	b->m.buf_addr = b->data;
	b->data[14] = v6 ? 0x60 : 0x45;
	b->data[14 + 9] = in[1] & 3;
	b->data[14 + (v6 ? 20 : 14)] = in[2] & 7;
	p->ts_ns = p->clock_ns = *clock;
	p->caplen = p->wirelen = 54u + in[6] % 10u;
	p->l3_off = p->frag_l3_off = 14;
	p->payload_off = p->l4_off = (uint16_t)(14 + in[7] % 40);
	p->payload_len = (uint16_t)(p->caplen - p->payload_off);
	p->frag_id = in[3] & 15;
	p->flags = NS_PKT_DECODED | NS_PKT_IP;
	switch (in[0] >> 5) {
	case 0:
		break;
	case 1:
	case 2:
		p->flags |= NS_PKT_FRAG | NS_PKT_PORTS;
		break;
	case 3:
		p->flags |= NS_PKT_OUTER_FRAG | NS_PKT_TUNNEL | NS_PKT_PORTS;
		p->depth = 1;
		break;
	case 4:
		p->flags |= NS_PKT_FRAG | NS_PKT_OUTER_FRAG | NS_PKT_LATER_FRAG;
		break;
	default:
		p->flags |= NS_PKT_FRAG | NS_PKT_LATER_FRAG;
		break;
	}
	p->sport = in[4];
	return &b->m;
}

static unsigned away(struct rte_mbuf **m, uint16_t n, uint64_t *clock)
{
	for (uint16_t i = 0; i < n; i++) {
		struct ns_packet *p = ns_packet(m[i]);

		if (p->clock_ns < *clock || p->payload_off + p->payload_len > p->caplen)
			abort();
		*clock = p->clock_ns;
		if ((p->flags & NS_PKT_COPY) != 0)
			rte_pktmbuf_free(m[i]);
	}
	return n;
}

static struct ns_defrag *table(void)
{
	static const struct ns_defrag_conf conf = {16, 24, 30};
	static const char *const args[] = {"fuzz", "--no-huge", "--no-pci", "--no-telemetry",
		"--no-shconf", "-m", "64", "--lcores", "0@0", "--log-level", "error"};
	char *argv[NS_ARRAY_LEN(args)];

	for (unsigned i = 0; i < NS_ARRAY_LEN(args); i++)
		argv[i] = (char *)(uintptr_t)args[i];
	struct ns_defrag *d = NULL;

	if (rte_eal_init(NS_ARRAY_LEN(args), argv) >= 0 && ns_registry_seal(NULL) == 0)
		d = ns_defrag_create(&conf, 0);
	if (d == NULL)
		abort();
	return d;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ns_counters c;
	static struct ns_defrag *d;
	static uint64_t clock = UINT64_C(1700000000000000000), seen;
	static struct fuzz_packet b[BURST];
	struct rte_mbuf *m[BURST], *out[BURST + NS_DEFRAG_RELEASE], *held[BURST];
	unsigned in = 0, came = 0;

	if (d == NULL)
		d = table();
	while (size >= PACKET + 1) {
		uint16_t n = 0, held_n;
		unsigned want = 1 + *data % BURST;

		for (data++, size--; n < want && size >= PACKET;
			data += PACKET, size -= PACKET, n++)
			m[n] = packet_of(data, &clock, &b[n]);
		in += n;
		if (ns_defrag_wanted(d, m, n))
			came += away(out, ns_defrag_burst(d, m, n, out, held, &held_n, &c), &seen);
		else
			came += away(m, n, &seen);
		memset(b, 0xee, sizeof(b));
	}
	for (uint16_t n; (n = ns_defrag_expire(d, UINT64_MAX, out, &c)) > 0;)
		came += away(out, n, &seen);
	if (came != in)
		abort();
	return 0;
}
