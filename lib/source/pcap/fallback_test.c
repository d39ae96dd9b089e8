/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * libpcap of today opens nothing but pcap and pcapng, so the fallback is given pcap files here, by
 * the layer below the one that would have taken them first.
 */
#include "capture_test.h"

static struct cap c;

/* A reader on the capture in c, the format not yet chosen. */
static struct ns_pcap_reader *reader(struct ns_source *s, size_t n, int *fd)
{
	struct ns_pcap_reader *r = calloc(1, sizeof(*r));
	struct ns_err e;
	char name[32];

	*fd = cap_fd(c.b, n);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", *fd);
	memset(s, 0, sizeof(*s));
	s->block = 300;
	r->s = s;
	r->name = "test";
	CU_ASSERT_EQUAL(ns_pcap_stream_open(&r->st, name, &e), 0);
	s->stats.bytes_read = r->st.in;
	CU_ASSERT_EQUAL(ns_pcap_reader_more(r, 4), 0);
	return r;
}

static unsigned read_all(struct ns_pcap_reader *r, unsigned link)
{
	unsigned n = 0, k;

	while ((k = ns_pcap_reader_next(r)) > 0) {
		for (unsigned i = 0; i < k; i++) {
			const struct ns_pcap_rec *rec = &r->recs[i];

			CU_ASSERT_EQUAL(rec->ts_ns, (100 + n) * NS_SEC_NS + 5000);
			CU_ASSERT_EQUAL(rec->caplen, n * 29 % 400);
			CU_ASSERT_EQUAL(rec->wirelen, 500);
			CU_ASSERT_EQUAL(rec->iface->linktype, link);
			for (uint32_t j = 0; j < rec->caplen; j++)
				CU_ASSERT_EQUAL(rec->data[j], pattern(n, j));
			n++;
		}
	}
	return n;
}

static void through_libpcap(void)
{
	static struct ns_source s;
	struct ns_pcap_reader *r;
	struct ns_err e;
	int fd;

	cap_init(&c, true);
	pcap_head(&c, 0xa1b2c3d4, 2, 4, 65535, 101);
	for (unsigned i = 0; i < 200; i++)
		pcap_record(&c, i, 100 + i, 5, i * 29 % 400, 500, 0);
	r = reader(&s, c.n, &fd);
	CU_ASSERT_EQUAL(ns_pcap_fallback_open(r, &e), 1);
	CU_ASSERT_EQUAL(read_all(r, 101), 200);
	CU_ASSERT_FALSE(r->damaged);
	CU_ASSERT_EQUAL(s.stats.bytes_read, c.n);
	ns_pcap_reader_destroy(r);
	close(fd);
	/* Damaged: libpcap's own words. */
	r = reader(&s, c.n - 1, &fd);
	CU_ASSERT_EQUAL(ns_pcap_fallback_open(r, &e), 1);
	CU_ASSERT_EQUAL(read_all(r, 101), 199);
	CU_ASSERT_TRUE(r->damaged);
	CU_ASSERT_PTR_NOT_NULL(strstr(s.text, "truncated dump file"));
	ns_pcap_reader_destroy(r);
	close(fd);
	/* Unknown to libpcap too. */
	memcpy(c.b, "text", 4);
	r = reader(&s, c.n, &fd);
	CU_ASSERT_EQUAL(ns_pcap_fallback_open(r, &e), 0);
	ns_pcap_reader_destroy(r);
	close(fd);
}

static void numbers_of_link_types(void)
{
	CU_ASSERT_EQUAL(ns_pcap_dlt_to_linktype(DLT_EN10MB), 1);
	CU_ASSERT_EQUAL(ns_pcap_dlt_to_linktype(DLT_RAW), 101);
	CU_ASSERT_EQUAL(ns_pcap_dlt_to_linktype(DLT_ATM_RFC1483), 100);
	CU_ASSERT_EQUAL(ns_pcap_dlt_to_linktype(DLT_PPP_BSDOS), 103);
	CU_ASSERT_EQUAL(ns_pcap_dlt_to_linktype(DLT_LINUX_SLL2), 276);
}

NS_TEST_MAIN({"through libpcap", through_libpcap}, {"numbers of link types", numbers_of_link_types})
