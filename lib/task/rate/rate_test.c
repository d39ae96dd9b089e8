/* SPDX-License-Identifier: BSD-3-Clause */
#include <ns_test_sketches.h>
#include <ns_test_task_alloc.h>

static const char list[] = "- {name: a, type: rate}\n";

static void ip(struct ns_test_tasks *t, unsigned lane, uint8_t proto, uint32_t len)
{
	ns_test_say(t, lane,
		&(struct ns_test_say){
			.src = "10.0.0.1", .dst = "10.0.0.2", .proto = proto, .len = len});
}

static void link(struct ns_test_tasks *t, unsigned lane, uint16_t type, uint32_t len)
{
	ns_test_say(t, lane, &(struct ns_test_say){.ethertype = type, .len = len});
}

static void protocols(void)
{
	for (unsigned lanes = 1; lanes <= 3; lanes++) {
		struct ns_test_tasks *t = ns_test_tasks(list, lanes, false);

		ns_test_rows(t, 0, "all,all,0,0,0,0,0,0,0,0,0,0,0\n");
		for (unsigned i = 0; i < 4; i++)
			ip(t, i % lanes, 6, 1000);
		ip(t, 0, 17, 60);
		ip(t, lanes - 1, 17, 61);
		ip(t, 0, 253, 60);
		link(t, 0, 0x0806, 60);
		link(t, lanes - 1, 0x0806, 60);
		link(t, lanes - 1, 0x88b5, 60);
		link(t, lanes - 1, 0x88cc, 300);
		/* two seconds; equal ones: IP first, by number */
		ns_test_rows(t, 0,
			"all,all,11,4661,5.5,18644,5,1,0,1,4,0,0\n"
			"ip,tcp,4,4000,2,16000,0,0,0,0,4,0,0\n"
			"ip,udp,2,121,1,484,1,1,0,0,0,0,0\n"
			"link,arp,2,120,1,480,2,0,0,0,0,0,0\n"
			"ip,253,1,60,0.5,240,1,0,0,0,0,0,0\n"
			"link,0x88b5,1,60,0.5,240,1,0,0,0,0,0,0\n"
			"link,lldp,1,300,0.5,1200,0,0,0,1,0,0,0\n");
		ns_test_reset(t);
		ns_test_rows(t, 0, "all,all,0,0,0,0,0,0,0,0,0,0,0\n");
		ns_test_tasks_end(t);
	}
}

/* Lengths come without the 4 octets of FCS that RFC 2819 counts. */
static void sizes(void)
{
	static const struct {
		uint32_t len;
		unsigned class;
	} cases[] = {{34, 0}, {59, 0}, {60, 0}, {61, 1}, {123, 1}, {124, 2}, {251, 2}, {252, 3},
		{507, 3}, {508, 4}, {1019, 4}, {1020, 5}, {1514, 5}, {1515, 6}, {1518, 6},
		{9018, 6}, {65000, 6}};

	for (unsigned i = 0; i < NS_ARRAY_LEN(cases); i++) {
		struct ns_test_tasks *t = ns_test_tasks(list, 1, false);
		unsigned c[7], n, class = cases[i].class;

		ip(t, 0, 17, cases[i].len);
		n = (unsigned)sscanf(ns_test_rows_of(t, 0),
			"all,all,1,%*u,0.5,%*u,%u,%u,%u,%u,%u,%u,%u", &c[0], &c[1], &c[2], &c[3],
			&c[4], &c[5], &c[6]);
		CU_ASSERT_EQUAL(n, 7);
		for (unsigned j = 0; j < n; j++)
			CU_ASSERT_EQUAL(c[j], j == class);
		ns_test_tasks_end(t);
	}
}

/* EtherTypes beyond the room for them are one row; which ones does not depend on the order. */
static void many_ethertypes(void)
{
	char first[16384];

	for (unsigned lanes = 1; lanes <= 3; lanes++) {
		struct ns_test_tasks *t = ns_test_tasks(list, lanes, false);
		unsigned rows = 0;
		unsigned long packets, sum = 0;
		char *save, *line, text[16384];

		for (unsigned i = 0; i < 1000; i++)
			link(t, i % lanes, (uint16_t)(0x9100 + i * (lanes == 2 ? 37 : 1) % 200),
				60);
		snprintf(text, sizeof(text), "%s", ns_test_rows_of(t, 0));
		if (lanes == 1)
			memcpy(first, text, sizeof(text));
		CU_ASSERT_STRING_EQUAL(text, first);
		line = strtok_r(text, "\n", &save);
		CU_ASSERT_EQUAL(strncmp(line, "all,all,1000,60000,", 19), 0);
		for (line = strtok_r(NULL, "\n", &save); line != NULL; rows++) {
			CU_ASSERT_EQUAL(sscanf(line, "link,%*[^,],%lu,", &packets), 1);
			sum += packets;
			char *next = strtok_r(NULL, "\n", &save);

			CU_ASSERT_EQUAL(next == NULL, strncmp(line, "link,other,", 11) == 0);
			line = next;
		}
		CU_ASSERT_EQUAL(sum, 1000);
		CU_ASSERT_TRUE(rows > 20 && rows <= 65);
		ns_test_tasks_end(t);
	}
}

static void filtered(void)
{
	struct ns_test_tasks *t =
		ns_test_tasks("- {name: a, type: rate, when: not udp}\n", 1, false);

	ip(t, 0, 17, 60);
	ip(t, 0, 6, 60);
	link(t, 0, 0x0806, 60);
	ns_test_rows(t, 0,
		"all,all,2,120,1,480,2,0,0,0,0,0,0\n"
		"ip,tcp,1,60,0.5,240,1,0,0,0,0,0,0\n"
		"link,arp,1,60,0.5,240,1,0,0,0,0,0,0\n");
	ns_test_tasks_end(t);
}

static void wrong(void)
{
	static const char *const flows[] = {"test.yaml:2:", "of", "of: packets", NULL};
	static const char *const key[] = {"test.yaml:2:", "key", NULL};

	ns_test_refused("- {name: a, type: rate, of: flows}\n", flows);
	ns_test_refused("- {name: a, type: rate, key: [src_ip]}\n", key);
}

static void no_memory(void)
{
	struct ns_test_tasks *t = ns_test_tasks(list, 1, true);

	ns_test_tasks_no_memory(list, t);
	ns_test_tasks_end(t);
}

static void sketches(void)
{
	struct ns_test_tasks *t = ns_test_tasks("- {name: a, type: rate}\n", 1, false);

	/* its rows add up, there is nothing to merge */
	CU_ASSERT_FALSE(ns_tasks_sketched(t->ts, 0));
	CU_ASSERT_STRING_EQUAL(ns_tasks_type(t->ts, 0), "rate");
	ns_test_tasks_end(t);
}

NS_TEST_MAIN({"protocols", protocols}, {"sizes", sizes}, {"many EtherTypes", many_ethertypes},
	{"filtered", filtered}, {"wrong", wrong}, {"sketches", sketches}, {"no memory", no_memory})
