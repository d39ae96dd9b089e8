/* SPDX-License-Identifier: BSD-3-Clause */
#include "ns_test.h"
#include "source_priv.h"

#include <ns_profile.h>

#include <rte_ethdev.h>

#include <dirent.h>
#include <string.h>
#include <unistd.h>

static struct ns_err err;

static struct ns_profile *parse(const char *yaml)
{
	err.text[0] = '\0';
	return ns_profile_parse(yaml, strlen(yaml), "t", "t.yaml", &err);
}

static void every_key(void)
{
	struct ns_profile *p = parse("description: all\n"
				     "drivers: [net_a, net_b]\n"
				     "eal_args: [--no-pci, -m, \"64\"]\n"
				     "devargs: 'net_a{index},iface={target},q={queues}'\n"
				     "rx_queues: 4\n"
				     "all_queues: true\n"
				     "rx_descriptors: 65535\n"
				     "mtu: 9000\n"
				     "rss: \"off\"\n"
				     "rss_hf: [ipv4, tcp]\n"
				     "rss_key: 6D5aFf00\n"
				     "timestamps: port\n"
				     "timestamp_unit: ns\n"
				     "linktype: 101\n"
				     "module: vfio-pci\n"
				     "notes: >\n  two\n  lines\n");
	char buf[64];

	if (p == NULL)
		printf("\n%s", err.text);
	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	CU_ASSERT_STRING_EQUAL(p->name, "t");
	CU_ASSERT_STRING_EQUAL(p->description, "all");
	CU_ASSERT_STRING_EQUAL(p->drivers[1], "net_b");
	CU_ASSERT_PTR_NULL(p->drivers[2]);
	CU_ASSERT_EQUAL(p->eal_args_n, 3);
	CU_ASSERT_STRING_EQUAL(p->eal_args[2], "64");
	CU_ASSERT_PTR_NULL(p->eal_args[3]);
	CU_ASSERT_EQUAL(p->rx_queues, 4);
	CU_ASSERT_TRUE(p->all_queues);
	CU_ASSERT_EQUAL(p->rx_descriptors, 65535);
	CU_ASSERT_EQUAL(p->mtu, 9000);
	CU_ASSERT_TRUE(p->rss_off);
	CU_ASSERT_EQUAL(p->rss_hf, RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_TCP);
	CU_ASSERT_EQUAL(p->rss_key_len, 4);
	CU_ASSERT_EQUAL(memcmp(p->rss_key, "\x6d\x5a\xff\x00", 4), 0);
	CU_ASSERT_EQUAL(p->timestamps, NS_STAMPS_PORT);
	CU_ASSERT_EQUAL(p->timestamp_unit, NS_STAMP_NS);
	CU_ASSERT_EQUAL(p->linktype, 101);
	CU_ASSERT_STRING_EQUAL(p->module, "vfio-pci");
	CU_ASSERT_STRING_EQUAL(p->notes, "two lines\n");
	CU_ASSERT_TRUE(ns_profile_has_driver(p, "net_a"));
	CU_ASSERT_FALSE(ns_profile_has_driver(p, "net_c"));
	CU_ASSERT_EQUAL(ns_profile_devargs(p, "eth1", 2, 8, buf, sizeof(buf)), 0);
	CU_ASSERT_STRING_EQUAL(buf, "net_a2,iface=eth1,q=8");
	/* Exactly long enough, and one octet too short. */
	CU_ASSERT_EQUAL(ns_profile_devargs(p, "eth1", 2, 8, buf, 22), 0);
	CU_ASSERT_EQUAL(ns_profile_devargs(p, "eth1", 2, 8, buf, 21), -ENAMETOOLONG);
	for (size_t n = 0; n < 21; n++)
		CU_ASSERT_EQUAL(ns_profile_devargs(p, "eth1", 2, 8, buf, n), -ENAMETOOLONG);
	ns_profile_destroy(p);
}

static void defaults(void)
{
	struct ns_profile *p = parse("description: little");
	char buf[8];

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	CU_ASSERT_EQUAL(p->linktype, 1);
	CU_ASSERT_EQUAL(p->timestamps, NS_STAMPS_AUTO);
	CU_ASSERT_EQUAL(p->eal_args_n, 0);
	CU_ASSERT_TRUE(ns_profile_has_driver(p, "anything"));
	CU_ASSERT_EQUAL(ns_profile_devargs(p, "x", 0, 1, buf, sizeof(buf)), -EINVAL);
	ns_profile_destroy(p);
	ns_profile_destroy(NULL);
}

static void refused(void)
{
	static const struct {
		const char *yaml;
		const char *text;
	} bad[] = {
		{"", "t.yaml:1:1: wants \"key: value\" lines"},
		{"- a\n", "t.yaml:1:1: wants \"key: value\" lines"},
		{"eal_args: [a]\n", "t.yaml:1:1: key \"description\" is missing"},
		{"description: a\nrx_quues: 1\n", "t.yaml:2:1: unknown key \"rx_quues\""},
		{"description: a\n\nmtu: 1\nmtu: 2\n", "t.yaml:4:1: duplicate key \"mtu\""},
		{"description: a\nmtu: 65536\n",
			"t.yaml:2:6: mtu: \"65536\" is not a number from 0 to 65535"},
		{"description: a\nmtu: 5x\n", "t.yaml:2:6: mtu: \"5x\""},
		{"description: a\nmtu: -1\n", "t.yaml:2:6: mtu: \"-1\""},
		{"description: a\nmtu: \"\"\n", "t.yaml:2:6: mtu: \"\""},
		{"description: a\nmtu: 99999999999999999999\n", "t.yaml:2:6: mtu"},
		{"description: a\nall_queues: yes\n",
			"t.yaml:2:13: all_queues: \"yes\" is none of true false"},
		{"description: a\ntimestamps: hw\n",
			"t.yaml:2:13: timestamps: \"hw\" is none of auto tsc port"},
		{"description: a\nrss_hf: [ip, foo]\n",
			"t.yaml:2:14: rss_hf: \"foo\" is none of ip"},
		{"description: a\nrss_key: 6d5\n", "t.yaml:2:10: rss_key"},
		{"description: a\nrss_key: 6x5a\n", "t.yaml:2:10: rss_key"},
		{"description: a\neal_args: --no-pci\n", "t.yaml:2:11: eal_args: wants a list"},
		{"description: a\neal_args: [[b]]\n", "t.yaml:2:12: eal_args: wants plain text"},
		{"description: [a]\n", "t.yaml:1:14: description: wants one plain value"},
		{"description: a\n  mtu: 1\n", "t.yaml:2:6: mapping values are not allowed"},
		{"description: \"a\\0b\"\n", "t.yaml:1:14: description"},
		{"description: a\nnotes: [\n", "t.yaml:3:1: "},
		{"[a]: b\n", "t.yaml:1:1: unknown key \"?\""},
	};

	for (unsigned i = 0; i < NS_ARRAY_LEN(bad); i++) {
		errno = 0;
		CU_ASSERT_PTR_NULL(parse(bad[i].yaml));
		CU_ASSERT_EQUAL(errno, EINVAL);
		if (strncmp(err.text, bad[i].text, strlen(bad[i].text)) != 0)
			printf("\n%u: \"%s\" for \"%s\"", i, err.text, bad[i].text);
		CU_ASSERT_EQUAL(strncmp(err.text, bad[i].text, strlen(bad[i].text)), 0);
	}
}

/* Every file of drivers-config/ is read, and the families that are promised are there. */
static void all_in_drivers_config(void)
{
	static const char *const must[] = {"null", "pcap", "af_packet", "af_xdp", "tap", "virtio",
		"mlx5", "ice", "i40e", "ixgbe", "ring"};
	char path[512];
	unsigned n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "%s/drivers-config", getenv("NS_SOURCE_ROOT"));
	setenv("NS_DRIVERS_CONFIG", path, 1);
	d = opendir(path);
	CU_ASSERT_PTR_NOT_NULL_FATAL(d);
	for (struct dirent *f; (f = readdir(d)) != NULL;) {
		char *dot = strstr(f->d_name, ".yaml");
		struct ns_profile *p;

		if (dot == NULL)
			continue;
		*dot = '\0';
		p = ns_profile_load(f->d_name, &err);
		if (p == NULL)
			printf("\n%s", err.text);
		CU_ASSERT_PTR_NOT_NULL(p);
		if (p != NULL) {
			CU_ASSERT_STRING_EQUAL(p->name, f->d_name);
			CU_ASSERT_PTR_NOT_NULL(p->notes);
			CU_ASSERT_PTR_NOT_NULL(p->drivers);
		}
		ns_profile_destroy(p);
		n++;
	}
	closedir(d);
	CU_ASSERT(n >= NS_ARRAY_LEN(must));
	for (unsigned i = 0; i < NS_ARRAY_LEN(must); i++) {
		struct ns_profile *p = ns_profile_load(must[i], &err);

		CU_ASSERT_PTR_NOT_NULL(p);
		ns_profile_destroy(p);
	}
}

static void where_it_looks(void)
{
	static const char *const names[] = {"", ".", "..", ".hidden"};

	setenv("NS_DRIVERS_CONFIG", "/nonexistent", 1);
	CU_ASSERT_PTR_NULL(ns_profile_load("null", &err));
	CU_ASSERT_EQUAL(errno, ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "no file null.yaml in /nonexistent"));
	CU_ASSERT_PTR_NULL(ns_profile_load("/nonexistent/x.yaml", &err));
	CU_ASSERT_EQUAL(errno, ENOENT);
	for (unsigned i = 0; i < NS_ARRAY_LEN(names); i++) {
		CU_ASSERT_PTR_NULL(ns_profile_load(names[i], &err));
		CU_ASSERT_EQUAL(errno, EINVAL);
	}
	CU_ASSERT_PTR_NULL(ns_profile_load("/dev/zero", &err));
	CU_ASSERT_EQUAL(errno, EINVAL);
	CU_ASSERT_PTR_NULL(ns_profile_load("/", &err));
	CU_ASSERT_NOT_EQUAL(errno, 0);
	unsetenv("NS_DRIVERS_CONFIG");
	CU_ASSERT_PTR_NULL(ns_profile_load("surely_not_there", &err));
	CU_ASSERT_EQUAL(errno, ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "set NS_DRIVERS_CONFIG"));
}

static int fail_at;

static void *failing(size_t n, size_t size)
{
	return fail_at-- == 0 ? NULL : calloc(n, size);
}

static void nth_allocation(void)
{
	void *(*usual)(size_t, size_t) = ns_source_calloc;
	struct ns_profile *p = NULL;
	int n;

	ns_source_calloc = failing;
	for (n = 0; n < 100 && p == NULL; n++) {
		fail_at = n;
		errno = 0;
		p = parse("description: a\ndrivers: [b]\neal_args: [c]\n");
		if (p == NULL) {
			CU_ASSERT_EQUAL(errno, ENOMEM);
			CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "no memory"));
		}
	}
	ns_source_calloc = usual;
	CU_ASSERT_EQUAL(n, 5); /* the profile, its name, two lists, and none */
	ns_profile_destroy(p);
}

NS_TEST_MAIN({"every key", every_key}, {"defaults", defaults}, {"refused", refused},
	{"all in drivers-config", all_in_drivers_config}, {"where it looks", where_it_looks},
	{"nth allocation", nth_allocation})
