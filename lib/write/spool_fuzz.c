/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A spool that somebody damaged. The input is a list of changes {where 2, how 1, what 1} to a spool
 * with records of two kinds: an octet is another one, the rest of a file is cut off or is zeros;
 * how's highest bit makes the sums right again, so that what is behind them is reached. Whatever
 * happens, all is read to its end, records become text, and the counts add up.
 */
#include "spool_batch.h"
#include "spool_priv.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES 8
#define FILE_MAX (64u << 10)

struct row {
	uint64_t time;
	uint32_t n;
	struct ns_ip ip;
	struct ns_vlans vlans;
	char text[8];
	uint8_t octets[4];
	double real;
};

#define F(member, t, ...) \
	NS_REC_FIELD(struct row, member, .name = #member, .type = t, .unit = "", __VA_ARGS__)

static const struct ns_rec_field fields[] = {F(time, NS_REC_TIME), F(n, NS_REC_U32),
	F(ip, NS_REC_IP, .flags = NS_REC_KEY), F(vlans, NS_REC_VLANS), F(text, NS_REC_STR),
	F(octets, NS_REC_BYTES), F(real, NS_REC_F64, .flags = NS_REC_EMPTY_NAN)};

static const struct ns_rec_kind now = {
	"fuzz", 1, sizeof(struct row), fields, NS_ARRAY_LEN(fields), "", -1};
NS_REC_REGISTER(now)

/* Files of a spool that is whole. */
static struct {
	char name[64];
	uint8_t data[FILE_MAX];
	size_t n;
} files[FILES];
static unsigned files_n;
static char dir[] = "/dev/shm/ns-spool-fuzz-XXXXXX";

static void must(bool ok)
{
	if (!ok)
		abort();
}

static struct ns_spool *start(void)
{
	struct ns_spool_args a = {dir, 16384, 4096, NS_SPOOL_SYNC_NONE};

	return ns_spool_open(&a, NULL);
}

static void clear(bool keep)
{
	DIR *d = opendir(dir);
	char path[320];

	must(d != NULL);
	for (struct dirent *x; (x = readdir(d)) != NULL;) {
		snprintf(path, sizeof(path), "%s/%s", dir, x->d_name);
		if (x->d_name[0] == '.')
			continue;
		int fd = open(path, O_RDONLY);

		if (keep && files_n < FILES && strlen(x->d_name) < sizeof(files[0].name)) {
			strcpy(files[files_n].name, x->d_name);
			files[files_n].n = (size_t)read(fd, files[files_n].data, FILE_MAX);
			files_n++;
		}
		close(fd);
		unlink(path);
	}
	closedir(d);
}

static void at_end(void)
{
	clear(false);
	rmdir(dir);
}

static void prepare(void)
{
	struct ns_rec_field other[NS_ARRAY_LEN(fields)];
	struct ns_rec_kind kinds[3] = {now, now, now};
	struct row rows[3] = {{.n = 1, .ip = {4, {1, 2, 3, 4}}, .text = "abc"}, {.n = 2}};
	uint64_t uncounted = 0;

	must(mkdtemp(dir) != NULL);
	atexit(at_end);
	memcpy(other, fields, sizeof(fields));
	other[4].name = "gone";
	kinds[1].fields = other;
	kinds[2].name = "task";
	struct ns_spool *sp = start();
	struct ns_spool_encoder *c = ns_spool_encoder_create(sp);

	must(sp != NULL && c != NULL);
	for (unsigned i = 0; i < 24; i++) {
		struct ns_batch b = {
			.kind = &kinds[i % 3], .n = 1 + i % 3, .records = (uint8_t *)rows};

		must(ns_spool_put(c, &b, &uncounted) == 0);
	}
	ns_spool_encoder_destroy(c);
	ns_spool_close(sp);
	clear(true);
	must(files_n >= 5);
}

static void seal(uint8_t *p, size_t n, const char *name)
{
	struct spool_header h;
	uint64_t at = sizeof(h);

	if (strncmp(name, "layout", 6) == 0 && n >= 4) {
		uint32_t crc = ns_crc32c(0, p, n - 4);

		memcpy(p + n - 4, &crc, 4);
	}
	if (strstr(name, ".seg") == NULL || n < sizeof(h))
		return;
	memcpy(&h, p, sizeof(h));
	spool_header_seal(&h);
	memcpy(p, &h, sizeof(h));
	while (at + sizeof(struct spool_entry) <= n) {
		struct spool_entry x;

		memcpy(&x, p + at, sizeof(x));
		if (x.length > n - at - sizeof(x))
			return;
		x.crc = ns_crc32c(
			ns_crc32c(h.crc, &x, SPOOL_CRC_FROM), p + at + sizeof(x), x.length);
		memcpy(p + at, &x, sizeof(x));
		at += spool_align(sizeof(x) + x.length);
	}
}

static void change(uint8_t *p, size_t *n, const char *name, const uint8_t *how)
{
	size_t at = (size_t)(how[0] << 8 | how[1]);

	if (*n == 0)
		return;
	at %= *n;
	switch (how[2] >> 3 & 3) {
	case 0:
		*n = at;
		break;
	case 1:
		memset(p + at, 0, *n - at);
		break;
	default:
		p[at] = how[3];
	}
	if ((how[2] & 0x80) != 0)
		seal(p, *n, name);
}

static void write_files(const uint8_t *data, size_t size)
{
	static uint8_t copy[FILE_MAX];
	char path[160];

	for (unsigned i = 0; i < files_n; i++) {
		size_t n = files[i].n;

		memcpy(copy, files[i].data, n);
		for (size_t c = 0; c + 4 <= size; c += 4) {
			if ((data[c + 2] & 7u) % files_n == i)
				change(copy, &n, files[i].name, data + c);
		}
		snprintf(path, sizeof(path), "%s/%s", dir, files[i].name);
		int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

		must(fd >= 0 && write(fd, copy, n) == (ssize_t)n);
		close(fd);
	}
}

static void read_all(struct ns_spool *sp, struct ns_spool_decoder *d)
{
	struct ns_spool_entry x;
	struct ns_spool_stats s;
	struct ns_batch b;
	uint64_t seq = 0;

	while (ns_spool_read(sp, &x) == 1) {
		must(x.seq > seq && x.records > 0);
		seq = x.seq + x.records - 1;
		if (ns_spool_get(d, &x, &b) != 1)
			continue;
		char *line = malloc(ns_rec_line_max(b.kind) + 1);

		for (uint32_t i = 0; i < b.n; i++)
			ns_rec_put_json_line(line, b.kind, b.records + i * b.kind->size);
		free(line);
	}
	ns_spool_commit(sp);
	ns_spool_stats(sp, &s);
	must(s.appended == s.done + s.waiting + s.full + s.damaged);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (files_n == 0) {
		prepare();
		/* what is damaged is said, each time; libFuzzer keeps the real one */
		stderr = fopen("/dev/null", "w");
		must(stderr != NULL);
	}
	write_files(data, size);
	struct ns_spool *sp = start();

	if (sp != NULL) {
		struct ns_spool_decoder *d =
			ns_spool_decoder_create(ns_spool_directory(sp), ns_spool_source(sp));
		struct iovec part = {"last", 4};

		must(d != NULL);
		ns_spool_append(sp, &part, 1, 1, 0);
		read_all(sp, d);
		ns_spool_decoder_destroy(d);
		ns_spool_close(sp);
	}
	clear(false);
	return 0;
}
