/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * UDP in the smallest Ethernet frame: 64 octets with the check sequence, 60 in a capture.
 *
 * Every flow is seen at least once and the rest of the packets goes to flows by Zipf's law: the
 * list of flow numbers is one of each, then draws, then shuffled.
 */

#include "gen.h"

#include <errno.h>
#include <stdlib.h>

#define PAYLOAD 18 /* 60 - 14 - 20 - 8 */

static void put_packet(struct gen_out *out, struct gen_packet *p, uint32_t flow)
{
	/* Four flows have a source in common and differ in its port, so all are different;
	 * multiplying by an odd number scatters sources over 10/8 without ever meeting. No
	 * protocol lives on these ports, so no dissector takes the payload for one. */
	uint64_t luck = gen_mix(flow);
	uint32_t host = flow / 4 * 0x9e3779u & 0xffffff;
	struct gen_addr src = gen_ip4(0x0a000000 | host);
	struct gen_addr dst = gen_ip4(0xc0a80000 | (luck & 0xfff));
	uint16_t sport = (uint16_t)(60000 + (luck >> 12 & 0x3fff) % 1000 * 4 + flow % 4);

	gen_start(p, NULL, PAYLOAD);
	gen_udp(p, &src, &dst, sport, (uint16_t)(65000 + (luck >> 32 & 0x1ff)));
	gen_ip(p, &src, &dst, 17);
	gen_ether(p, 0x0800);
	gen_write(out, gen_at(p), gen_len(p));
}

int gen_udp64(const char *name, uint32_t packets, uint32_t flows, double alpha, uint64_t seed)
{
	static struct gen_packet p;
	struct gen_zipf zipf = {0};
	struct gen_rng rng;
	struct gen_out out;
	uint32_t *order;
	int rc;

	if (flows == 0 || packets < flows || flows > 1u << 26) {
		fprintf(stderr, "gen-capture: from 1 to 2^26 flows, and no more than packets\n");
		return -ERANGE;
	}
	order = malloc(packets * sizeof(*order));
	rc = order == NULL ? -ENOMEM : gen_zipf_init(&zipf, flows, alpha);
	if (rc < 0)
		goto end;
	gen_seed(&rng, seed);
	for (uint32_t i = 0; i < packets; i++)
		order[i] = i < flows ? i : gen_zipf_draw(&zipf, &rng);
	for (uint32_t i = packets - 1; i > 0; i--) {
		uint32_t j = gen_below(&rng, i + 1), t = order[i];

		order[i] = order[j];
		order[j] = t;
	}
	rc = gen_open(&out, name, 1);
	if (rc < 0)
		goto end;
	for (uint32_t i = 0; i < packets; i++)
		put_packet(&out, &p, order[i]);
	rc = gen_close(&out);
end:
	gen_zipf_free(&zipf);
	free(order);
	return rc;
}
