/* SPDX-License-Identifier: BSD-3-Clause */
#include <ns_pcapng.h>
#include <ns_test.h>

#include <pcap/pcap.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/ns-pcapng-XXXXXX";
static char path[64];

/* A name in a folder of our own; no file has it. */
static const char *fresh(void)
{
	if (strcmp(dir + sizeof(dir) - 7, "XXXXXX") == 0)
		CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/out.pcapng", dir);
	unlink(path);
	return path;
}

static struct ns_pcapng *make(bool force, struct ns_err *e)
{
	return ns_pcapng_create(path, "a test", force, e);
}

static unsigned add_if(struct ns_pcapng *w, const char *name, uint16_t linktype)
{
	struct ns_pcapng_if f = {.name = name,
		.description = "a port",
		.filter = "udp or tcp",
		.linktype = linktype,
		.snaplen = 96};
	unsigned id = 99;

	CU_ASSERT_EQUAL(ns_pcapng_interface(w, &f, &id), 0);
	return id;
}

static uint8_t octets[NS_PCAPNG_CAPLEN_MAX];

static struct ns_pcapng_packet packet(uint32_t i)
{
	return (struct ns_pcapng_packet){.ts_ns = UINT64_C(1700000000123456789) + i,
		.data = octets + i % 200,
		.caplen = i % 97,
		.wirelen = i % 97 + i,
		.dropped = i % 3 == 0 ? i : 0,
		.comment = i % 2 == 0 ? "1:abc=" : NULL};
}

/* Reads all of it with libpcap; how many packets there are, each as packet() made it. */
static unsigned read_back(void)
{
	char err[PCAP_ERRBUF_SIZE];
	pcap_t *p = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, err);
	struct pcap_pkthdr *h;
	const u_char *data;
	unsigned n = 0;
	int rc;

	if (p == NULL)
		return UINT32_MAX;
	CU_ASSERT_EQUAL(pcap_datalink(p), DLT_EN10MB);
	while ((rc = pcap_next_ex(p, &h, &data)) == 1) {
		struct ns_pcapng_packet k = packet(n++);

		CU_ASSERT_EQUAL(
			(uint64_t)h->ts.tv_sec * NS_SEC_NS + (uint64_t)h->ts.tv_usec, k.ts_ns);
		CU_ASSERT_EQUAL_FATAL(h->caplen, k.caplen);
		CU_ASSERT_EQUAL(h->len, k.wirelen);
		CU_ASSERT_EQUAL(memcmp(data, k.data, k.caplen), 0);
	}
	CU_ASSERT_EQUAL(rc, PCAP_ERROR_BREAK);
	pcap_close(p);
	return n;
}

static void round_trip(void)
{
	struct ns_pcapng_stats st = {4000, 3500, 500};
	struct ns_err e = {""};
	struct stat file;
	uint64_t before;

	fresh();
	for (unsigned i = 0; i < sizeof(octets); i++)
		octets[i] = (uint8_t)(i * 7 + i / 256);

	struct ns_pcapng *w = make(false, &e);

	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	CU_ASSERT_EQUAL(add_if(w, "eth0", 1), 0);
	CU_ASSERT_EQUAL(add_if(w, "", 1), 1);
	/* more than the buffer has room for */
	for (unsigned i = 0; i < 30000; i++) {
		struct ns_pcapng_packet k = packet(i);

		k.iface = i % 2;
		before = ns_pcapng_octets(w);
		CU_ASSERT_EQUAL(ns_pcapng_packet(w, &k), 0);
		CU_ASSERT_EQUAL(ns_pcapng_octets(w) - before, ns_pcapng_packet_size(&k));
	}
	before = ns_pcapng_octets(w);
	CU_ASSERT_EQUAL(ns_pcapng_end(w, &st, 1, 1, 2, &e), 0);
	CU_ASSERT_EQUAL(ns_pcapng_packets(w), 30000);
	CU_ASSERT_EQUAL(ns_pcapng_octets(w), before + ns_pcapng_stats_size(1));
	CU_ASSERT_EQUAL(stat(path, &file), 0);
	CU_ASSERT_EQUAL((uint64_t)file.st_size, ns_pcapng_octets(w));
	CU_ASSERT_EQUAL(file.st_mode & 0777, 0600);
	CU_ASSERT_EQUAL(ns_pcapng_close(w), 0);
	CU_ASSERT_EQUAL(read_back(), 30000);
}

static uint32_t u32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint64_t u64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* The option of that code among those at p; NULL: there is none. */
static const uint8_t *option(const uint8_t *p, const uint8_t *end, unsigned code, unsigned *len)
{
	while (p + 4 <= end) {
		unsigned c = p[0] | p[1] << 8, n = p[2] | p[3] << 8;

		if (c == 0)
			break;
		if (c == code) {
			*len = n;
			return p + 4;
		}
		p += 4 + (n + 3) / 4 * 4;
	}
	return NULL;
}

static size_t slurp(uint8_t *buf, size_t n)
{
	FILE *f = fopen(path, "rb");
	size_t got = f == NULL ? 0 : fread(buf, 1, n, f);

	if (f != NULL)
		fclose(f);
	return got;
}

static bool is(const uint8_t *p, unsigned n, const char *text)
{
	return p != NULL && n == strlen(text) && memcmp(p, text, n) == 0;
}

/* Two packets, octet by octet. */
static void blocks(void)
{
	static uint8_t buf[4096];
	struct ns_pcapng_stats st = {11, 10, 9};
	struct ns_err e = {""};
	const uint8_t *b[8], *o;
	unsigned n = 0, len;

	fresh();
	struct ns_pcapng *w = make(false, &e);

	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	add_if(w, "eth0", 1);
	struct ns_pcapng_packet k = {.ts_ns = UINT64_C(0x1122334455667788),
		.data = "abcde",
		.caplen = 5,
		.wirelen = 60,
		.comment = "1:abc=",
		.dropped = 7};

	CU_ASSERT_EQUAL(ns_pcapng_packet(w, &k), 0);
	k.comment = "";
	k.dropped = 0;
	CU_ASSERT_EQUAL(ns_pcapng_packet(w, &k), 0);
	CU_ASSERT_EQUAL(ns_pcapng_end(w, &st, 1, 5, 6, &e), 0);
	ns_pcapng_close(w);

	size_t size = slurp(buf, sizeof(buf));

	for (size_t at = 0; at + 12 <= size && n < 8; at += u32(buf + at + 4)) {
		b[n] = buf + at;
		CU_ASSERT_EQUAL_FATAL(u32(b[n] + 4) % 4, 0);
		CU_ASSERT_FATAL(u32(b[n] + 4) >= 12 && at + u32(b[n] + 4) <= size);
		CU_ASSERT_EQUAL(u32(b[n] + u32(b[n] + 4) - 4), u32(b[n] + 4));
		n++;
	}
	CU_ASSERT_EQUAL_FATAL(n, 5);
	CU_ASSERT_EQUAL(u32(b[0]), 0x0a0d0d0a);
	CU_ASSERT_EQUAL(u32(b[0] + 8), 0x1a2b3c4d);
	CU_ASSERT_EQUAL(u32(b[0] + 12), 1);
	CU_ASSERT_EQUAL(u64(b[0] + 16), UINT64_MAX);
	o = option(b[0] + 24, b[1], 4, &len);
	CU_ASSERT(is(o, len, "a test"));
	CU_ASSERT_EQUAL(u32(b[1]), 1);
	CU_ASSERT_EQUAL(u32(b[1] + 8), 1);
	CU_ASSERT_EQUAL(u32(b[1] + 12), 96);
	o = option(b[1] + 16, b[2], 2, &len);
	CU_ASSERT(is(o, len, "eth0"));
	o = option(b[1] + 16, b[2], 3, &len);
	CU_ASSERT(is(o, len, "a port"));
	o = option(b[1] + 16, b[2], 9, &len);
	CU_ASSERT(o != NULL && len == 1 && *o == 9);
	o = option(b[1] + 16, b[2], 11, &len);
	CU_ASSERT(o != NULL && *o == 0 && is(o + 1, len - 1, "udp or tcp"));
	CU_ASSERT_EQUAL(u32(b[2]), 6);
	CU_ASSERT_EQUAL(u32(b[2] + 12), 0x11223344);
	CU_ASSERT_EQUAL(u32(b[2] + 16), 0x55667788);
	CU_ASSERT_EQUAL(u32(b[2] + 20), 5);
	CU_ASSERT_EQUAL(u32(b[2] + 24), 60);
	CU_ASSERT_EQUAL(memcmp(b[2] + 28, "abcde\0\0\0", 8), 0);
	o = option(b[2] + 36, b[3], 1, &len);
	CU_ASSERT(is(o, len, "1:abc="));
	o = option(b[2] + 36, b[3], 4, &len);
	CU_ASSERT(o != NULL && len == 8 && u64(o) == 7);
	CU_ASSERT_EQUAL(u32(b[3] + 4), 12 + 20 + 8);
	CU_ASSERT_EQUAL(u32(b[4]), 5);
	o = option(b[4] + 20, buf + size, 3, &len);
	CU_ASSERT(o != NULL && len == 8 && u32(o) == 0 && u32(o + 4) == 6);
	for (unsigned i = 0; i < 4; i++) {
		static const unsigned codes[] = {4, 6, 7, 8}, values[] = {11, 10, 9, 2};

		o = option(b[4] + 20, buf + size, codes[i], &len);
		CU_ASSERT(o != NULL && len == 8 && u64(o) == values[i]);
	}
}

static void refused(void)
{
	struct ns_err e = {""};
	struct ns_pcapng_packet k = {.data = octets, .caplen = NS_PCAPNG_CAPLEN_MAX + 1};

	fresh();
	struct ns_pcapng *w = make(false, &e);

	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	CU_ASSERT_EQUAL(ns_pcapng_packet(w, &k), -EINVAL);
	add_if(w, "eth0", 1);
	CU_ASSERT_EQUAL(ns_pcapng_packet(w, &k), -EINVAL);
	k.caplen--;
	CU_ASSERT_EQUAL(ns_pcapng_packet(w, &k), 0);
	CU_ASSERT_EQUAL(ns_pcapng_end(w, NULL, 0, 0, 0, &e), 0);
	CU_ASSERT_EQUAL(ns_pcapng_packet(w, &k), -EINVAL);
	ns_pcapng_close(w);
	/* it is there now */
	CU_ASSERT_PTR_NULL(make(false, &e));
	CU_ASSERT_EQUAL(errno, EEXIST);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, path));
	w = make(true, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	ns_pcapng_close(w);
	unlink(path);
	CU_ASSERT_EQUAL(mkfifo(path, 0600), 0);
	CU_ASSERT_PTR_NULL(make(true, &e));
	unlink(path);
	CU_ASSERT_PTR_NULL(ns_pcapng_create("/nowhere/at/all", "", false, &e));
	CU_ASSERT_EQUAL(errno, ENOENT);
	CU_ASSERT_EQUAL(ns_pcapng_close(NULL), 0);
}

/* Writes until the file takes no more; what it then holds is whole, and counted. */
static void full_at(rlim_t limit)
{
	struct rlimit old, small;
	struct ns_pcapng_stats st = {1, 2, 3};
	struct ns_err e = {""};
	unsigned n = 0;
	int rc = 0;

	fresh();
	struct ns_pcapng *w = make(false, &e);

	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	add_if(w, "eth0", 1);
	getrlimit(RLIMIT_FSIZE, &old);
	small = (struct rlimit){limit, old.rlim_max};
	setrlimit(RLIMIT_FSIZE, &small);
	for (; n < 100000 && rc == 0; n++) {
		struct ns_pcapng_packet k = packet(n);

		rc = ns_pcapng_packet(w, &k);
	}
	CU_ASSERT_EQUAL(rc, -EFBIG);
	CU_ASSERT_EQUAL(ns_pcapng_end(w, &st, 1, 1, 2, &e), -EFBIG);
	setrlimit(RLIMIT_FSIZE, &old);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "File too large"));
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, path));
	uint64_t packets = ns_pcapng_packets(w), size = ns_pcapng_octets(w);
	struct stat file;

	CU_ASSERT(packets > 0 && packets < n);
	CU_ASSERT(size <= limit && size > limit - 512);
	CU_ASSERT_EQUAL(stat(path, &file), 0);
	CU_ASSERT_EQUAL((uint64_t)file.st_size, size);
	ns_pcapng_close(w);
	CU_ASSERT_EQUAL(read_back(), packets);

	/* its end says how many it has */
	FILE *f = fopen(path, "rb");
	uint64_t delivered = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT_EQUAL(fseek(f, -(long)(8 + sizeof(delivered)), SEEK_END), 0);
	CU_ASSERT_EQUAL(fread(&delivered, sizeof(delivered), 1, f), 1);
	CU_ASSERT_EQUAL(delivered, packets);
	fclose(f);
}

static void full(void)
{
	struct ns_err e = {""};

	signal(SIGXFSZ, SIG_IGN);
	/* at all places within a block, and where the buffer begins anew */
	for (rlim_t limit = 1500000; limit < 1500000 + 260; limit += 4)
		full_at(limit);
	full_at(3 * (1u << 20));

	struct ns_pcapng *w = ns_pcapng_create("/dev/full", "a test", true, &e);

	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	add_if(w, "eth0", 1);
	CU_ASSERT_EQUAL(ns_pcapng_flush(w), -ENOSPC);
	CU_ASSERT_EQUAL(ns_pcapng_packets(w), 0);
	CU_ASSERT_EQUAL(ns_pcapng_end(w, NULL, 0, 0, 0, &e), -ENOSPC);
	CU_ASSERT_STRING_EQUAL(e.text, "/dev/full: No space left on device; 0 packets are in it");
	ns_pcapng_close(w);
	unlink(path);
	rmdir(dir);
}

NS_TEST_MAIN({"round trip", round_trip}, {"blocks", blocks}, {"refused", refused}, {"full", full})
