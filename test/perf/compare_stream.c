/* SPDX-License-Identifier: BSD-3-Clause */
/* Streams of ns-compare-topk from files: captures, or numbers in decimal. */
#include "compare.h"

#include <ns_sketch.h>

#include <inttypes.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>

void compare_push(struct compare_stream *s, struct compare_key key)
{
	if (s->n == s->room) {
		s->room = s->room != 0 ? 2 * s->room : 1 << 16;
		s->key = realloc(s->key, s->room * sizeof(*s->key));
		s->hash = realloc(s->hash, s->room * sizeof(*s->hash));
		if (s->key == NULL || s->hash == NULL) {
			fprintf(stderr, "ns-compare-topk: no memory\n");
			exit(2);
		}
	}
	s->key[s->n] = key;
	s->hash[s->n++] = ns_hash64(&key, sizeof(key), 0);
}

/* Where the network header begins; -1: not a link layer that is known here. */
static int network(int link, const uint8_t *p, unsigned len)
{
	unsigned at = 12;

	switch (link) {
	case DLT_EN10MB:
		while (at + 2 <= len &&
			((p[at] == 0x81 && p[at + 1] == 0) || (p[at] == 0x88 && p[at + 1] == 0xa8)))
			at += 4;
		return (int)at + 2;
	case DLT_LINUX_SLL:
		return 16;
	case DLT_PPP:
		return len > 0 && p[0] == 0xff ? 4 : 2;
	case DLT_NULL:
	case DLT_LOOP:
		return 4;
	case DLT_RAW:
		return 0;
	default:
		return -1;
	}
}

static void read_capture(struct compare_stream *s, pcap_t *in)
{
	const uint8_t *p;
	struct pcap_pkthdr *h;

	while (pcap_next_ex(in, &h, &p) == 1) {
		int at = network(pcap_datalink(in), p, h->caplen);
		struct compare_key key = {{0, 0}};

		if (at < 0 || (unsigned)at + 40 > h->caplen)
			continue;
		if (p[at] >> 4 == 4)
			memcpy(&key.half[1], p + at + 12, 4);
		else if (p[at] >> 4 == 6)
			memcpy(key.half, p + at + 8, 16);
		else
			continue;
		compare_push(s, key);
	}
}

void compare_read(struct compare_stream *s, const char *file)
{
	char why[PCAP_ERRBUF_SIZE];
	pcap_t *in = strcmp(file, "-") != 0 ? pcap_open_offline(file, why) : NULL;
	FILE *text;
	uint64_t number;

	*s = (struct compare_stream){.name = strrchr(file, '/') ? strrchr(file, '/') + 1 : file};
	if (in != NULL) {
		read_capture(s, in);
		pcap_close(in);
		return;
	}
	text = strcmp(file, "-") == 0 ? stdin : fopen(file, "r");
	if (text == NULL) {
		perror(file);
		exit(2);
	}
	while (fscanf(text, "%" SCNu64, &number) == 1)
		compare_push(s, (struct compare_key){{number, 0}});
	if (text != stdin)
		fclose(text);
}
