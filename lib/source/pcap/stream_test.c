/* SPDX-License-Identifier: BSD-3-Clause */
#include "capture_test.h"

#include <zlib.h>
#include <zstd.h>

static struct cap c;
static struct got g, plain;
static uint8_t packed[1 << 20];

static size_t gzip_to(uint8_t *to, size_t room, const uint8_t *from, size_t n)
{
	z_stream z = {.next_in = (Bytef *)(uintptr_t)from,
		.avail_in = (uInt)n,
		.next_out = to,
		.avail_out = (uInt)room};

	deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
	deflate(&z, Z_FINISH);
	n = z.total_out;
	deflateEnd(&z);
	return n;
}

static void capture(unsigned packets)
{
	cap_init(&c, false);
	pcap_head(&c, 0xa1b2c3d4, 2, 4, 65535, 1);
	for (unsigned i = 0; i < packets; i++)
		pcap_record(&c, i, 1700000000 + i, i, 20 + i * 37 % 900, 1500, 0);
	read_cap(&plain, &c);
	CU_ASSERT_EQUAL(plain.n, packets);
}

static void same_as_plain(void)
{
	CU_ASSERT_TRUE(g.opened);
	CU_ASSERT_EQUAL(g.n, plain.n);
	CU_ASSERT_EQUAL(memcmp(g.p, plain.p, sizeof(g.p)), 0);
	CU_ASSERT_EQUAL(g.status, NS_SOURCE_END);
	CU_ASSERT_STRING_EQUAL(g.message, "");
}

static void gzip(void)
{
	size_t n, half;

	capture(1000);
	n = gzip_to(packed, sizeof(packed), c.b, c.n);
	read_octets(&g, packed, n, NULL);
	same_as_plain();
	CU_ASSERT_EQUAL(g.stats.bytes_read, n);
	CU_ASSERT_EQUAL(g.stats.bytes_total, n);
	/* Several members, and padding with zeros, as tapes do. */
	half = c.n / 2 + 1;
	n = gzip_to(packed, sizeof(packed), c.b, half);
	n += gzip_to(packed + n, sizeof(packed) - n, c.b + half, c.n - half);
	memset(packed + n, 0, 512);
	read_octets(&g, packed, n + 512, NULL);
	same_as_plain();
	/* Anything else behind it is reported, and all packets are there. */
	memcpy(packed + n, "rubbish", 7);
	read_octets(&g, packed, n + 7, NULL);
	CU_ASSERT_EQUAL(g.n, plain.n);
	CU_ASSERT_EQUAL(g.status, NS_SOURCE_DAMAGED);
	CU_ASSERT_PTR_NOT_NULL(strstr(g.message, "no gzip"));
}

static void zst(void)
{
	size_t n, half;

	capture(1000);
	n = ZSTD_compress(packed, sizeof(packed), c.b, c.n, 3);
	read_octets(&g, packed, n, NULL);
	same_as_plain();
	CU_ASSERT_EQUAL(g.stats.bytes_read, n);
	/* A skippable frame first, then two frames. */
	memcpy(packed,
		"\x50\x2a\x4d\x18\x05\x00\x00\x00"
		"hello",
		13);
	half = c.n / 3;
	n = 13 + ZSTD_compress(packed + 13, sizeof(packed) - 13, c.b, half, 1);
	n += ZSTD_compress(packed + n, sizeof(packed) - n, c.b + half, c.n - half, 1);
	read_octets(&g, packed, n, NULL);
	same_as_plain();
}

static void cut(size_t n, size_t step)
{
	unsigned last = 0;

	for (size_t len = 4; len < n; len += step) {
		read_octets(&g, packed, len, NULL);
		if (!g.opened) {
			CU_ASSERT_EQUAL(last, 0);
			CU_ASSERT_PTR_NOT_NULL(strstr(g.err.text, "end early"));
			continue;
		}
		CU_ASSERT_TRUE(g.n >= last);
		CU_ASSERT_EQUAL(memcmp(g.p, plain.p, g.n * sizeof(g.p[0])), 0);
		CU_ASSERT_EQUAL(g.status, NS_SOURCE_DAMAGED);
		CU_ASSERT_PTR_NOT_NULL(strstr(g.message, "(uncompressed)"));
		last = g.n;
	}
	CU_ASSERT_TRUE(last > 0);
}

static void cut_compressed(void)
{
	size_t n;

	capture(200);
	n = gzip_to(packed, sizeof(packed), c.b, c.n);
	cut(n, 61);
	packed[n / 2] ^= 0x55;
	read_octets(&g, packed, n, NULL);
	CU_ASSERT_EQUAL(g.status, NS_SOURCE_DAMAGED);
	/* The checksum at the end is looked at, too. */
	n = gzip_to(packed, sizeof(packed), c.b, c.n);
	packed[n - 6] ^= 1;
	read_octets(&g, packed, n, NULL);
	CU_ASSERT_EQUAL(g.n, plain.n);
	CU_ASSERT_EQUAL(g.status, NS_SOURCE_DAMAGED);
	CU_ASSERT_PTR_NOT_NULL(strstr(g.message, "check"));
	capture(1000); /* more than one block of zstd */
	n = ZSTD_compress(packed, sizeof(packed), c.b, c.n, 1);
	cut(n, n / 20);
}

/* Standard input that is a pipe whose writer is slow: one octet, then the rest bit by bit. */
static void standard_input(void)
{
	static const struct how how = {.burst = 32};
	static const char *const dash[] = {"-"};
	int saved = dup(STDIN_FILENO), ends[2];
	size_t n;

	capture(300);
	n = gzip_to(packed, sizeof(packed), c.b, c.n);
	for (int k = 0; k < 2; k++) {
		const uint8_t *from = k == 0 ? c.b : packed;
		size_t len = k == 0 ? c.n : n;
		pid_t child;

		CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
		child = fork();
		if (child == 0) {
			for (size_t at = 0; at < len;) {
				size_t some = at == 0 ? 1 : NS_MIN(len - at, (size_t)1777);
				ssize_t done = write(ends[1], from + at, some);

				if (done < 0)
					_exit(1);
				at += (size_t)done;
			}
			_exit(0);
		}
		close(ends[1]);
		dup2(ends[0], STDIN_FILENO);
		close(ends[0]);
		read_paths(&g, dash, 1, NULL, &how);
		same_as_plain();
		CU_ASSERT_EQUAL(g.stats.bytes_total, 0);
		CU_ASSERT_EQUAL(g.stats.bytes_read, len);
	}
	/* And a file as standard input. */
	close(STDIN_FILENO);
	CU_ASSERT_EQUAL(dup2(cap_fd(c.b, c.n), STDIN_FILENO), STDIN_FILENO);
	lseek(STDIN_FILENO, 0, SEEK_SET);
	read_paths(&g, dash, 1, NULL, &how);
	same_as_plain();
	CU_ASSERT_EQUAL(g.stats.bytes_total, c.n);
	dup2(saved, STDIN_FILENO);
	close(saved);
}

/* A pipe that keeps quiet in the middle of a record: a stop ends it, and that is no damage. */
static void stopped(void)
{
	int saved = dup(STDIN_FILENO), ends[2];
	static const char *const dash[] = {"-"};
	size_t n;

	capture(300);
	n = gzip_to(packed, sizeof(packed), c.b, c.n);
	for (int k = 0; k < 2; k++) {
		struct ns_source_args a = {.targets = dash, .targets_n = 1, .pool = pool()};
		struct rte_mbuf *m[32];
		struct ns_source_stats st;
		struct ns_err e;
		uint16_t got;

		CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
		CU_ASSERT(write(ends[1], k == 0 ? c.b : packed, k == 0 ? 2000 : n / 2) > 0);
		dup2(ends[0], STDIN_FILENO);
		close(ends[0]);
		struct ns_source *s = pcap_ops()->open(&a, &e);

		CU_ASSERT_PTR_NOT_NULL_FATAL(s);
		pcap_ops()->stop(s);
		while ((got = pcap_ops()->burst(s, 0, m, 32)) > 0)
			pcap_ops()->release(s, m, got);
		pcap_ops()->stats(s, &st);
		CU_ASSERT(st.packets > 0);
		CU_ASSERT(st.packets < 300);
		CU_ASSERT_EQUAL(pcap_ops()->status(s), NS_SOURCE_END);
		CU_ASSERT_STRING_EQUAL(pcap_ops()->message(s), "");
		pcap_ops()->close(s);
		close(ends[1]);
	}
	dup2(saved, STDIN_FILENO);
	close(saved);
}

static void refused(void)
{
	static const struct how how = {.burst = 32};
	static const char *const none[] = {"/nonexistent/file.pcap"}, *const dir[] = {"/"};

	read_paths(&g, none, 1, NULL, &how);
	CU_ASSERT_FALSE(g.opened);
	CU_ASSERT_PTR_NOT_NULL(strstr(g.err.text, "/nonexistent/file.pcap: cannot be opened: No"));
	read_paths(&g, dir, 1, NULL, &how);
	CU_ASSERT_FALSE(g.opened);
	CU_ASSERT_PTR_NOT_NULL(strstr(g.err.text, "directory"));
	read_octets(&g, "", 0, NULL);
	CU_ASSERT_FALSE(g.opened);
	CU_ASSERT_PTR_NOT_NULL(strstr(g.err.text, "empty"));
	read_octets(&g, "snoop\0\0\0\0\0\0\2\0\0\0\4", 16, NULL);
	CU_ASSERT_FALSE(g.opened);
	CU_ASSERT_PTR_NOT_NULL(strstr(g.err.text, "begins with 73 6e 6f 6f"));
	read_octets(&g, packed, gzip_to(packed, sizeof(packed), (const uint8_t *)"text", 4), NULL);
	CU_ASSERT_FALSE(g.opened);
	CU_ASSERT_PTR_NOT_NULL(strstr(g.err.text, "begins with 74 65 78 74"));
}

NS_TEST_MAIN({"gzip", gzip}, {"zstd", zst}, {"cut or damaged", cut_compressed},
	{"standard input", standard_input}, {"a stop on a quiet pipe", stopped},
	{"what is no capture", refused})
