/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Real captures against what capinfos says of them: packets and octets on the wire, alone and all
 * merged. The captures are not part of the source: NS_CORPUS names their folder, or they lie in
 * ../shared/corpus beside the source root. Without them this test says SKIP and passes.
 */
#include "capture_test.h"

#include <dirent.h>

struct row {
	char file[256];
	uint64_t packets, octets;
	char type[32];
};

static struct row rows[2048];
static unsigned rows_n;
static char root[512];
static struct got g;

/* capinfos takes the pseudo header of ATM captures (4 octets) for no part of the frame. */
static const char *const pseudo_headers[] = {
	"hostile/tcpdump--atm-oam-heapoverflow.pcap",
	"linktype/tcpdump--atm-oam-loopback-print-overrun.pcap",
};

static void load(void)
{
	const char *env = getenv("NS_CORPUS"), *src = getenv("NS_SOURCE_ROOT");
	char path[600], *line = NULL;
	size_t cap = 0;
	FILE *f;

	if (env != NULL)
		snprintf(root, sizeof(root), "%s", env);
	else
		snprintf(root, sizeof(root), "%s/../shared/corpus", src != NULL ? src : ".");
	snprintf(path, sizeof(path), "%s/ref/capinfos.tsv", root);
	f = fopen(path, "r");
	if (f == NULL) {
		CU_ASSERT_PTR_NULL(env); /* asked for and not there */
		return;
	}
	while (getline(&line, &cap, f) > 0 && rows_n < NS_ARRAY_LEN(rows)) {
		struct row *r = &rows[rows_n];
		char *at = line;

		for (unsigned col = 0; col < 9 && at != NULL; col++) {
			char *word = strsep(&at, "\t");

			if (col == 0)
				snprintf(r->file, sizeof(r->file), "%s", word);
			else if (col == 1)
				snprintf(r->type, sizeof(r->type), "%s", word);
			else if (col == 6)
				r->packets = strtoull(word, NULL, 10);
			else if (col == 8)
				r->octets = strtoull(word, NULL, 10);
		}
		if (strcmp(r->file, "File name") != 0)
			rows_n++;
	}
	free(line);
	fclose(f);
}

static bool present(void)
{
	if (rows_n == 0)
		load();
	if (rows_n == 0)
		printf("\nSKIP: no captures at %s, set NS_CORPUS\n", root);
	return rows_n > 0;
}

static void same_as_capinfos(void)
{
	static const struct how hows[] = {
		{.burst = 32}, {.burst = 256, .block = 100, .hold = true}};
	unsigned read = 0, refused = 0;

	if (!present())
		return;
	any_octets = true;
	for (unsigned i = 0; i < rows_n; i++) {
		const struct row *r = &rows[i];
		bool known = strstr(r->type, "pcap") != NULL;
		uint64_t octets = r->octets;
		char path[800];
		const char *paths[] = {path};

		snprintf(path, sizeof(path), "%s/pcaps/%s", root, r->file);
		for (size_t k = 0; k < NS_ARRAY_LEN(pseudo_headers); k++)
			if (strcmp(r->file, pseudo_headers[k]) == 0)
				octets += 4 * r->packets;
		for (size_t k = 0; k < NS_ARRAY_LEN(hows); k++) {
			read_paths(&g, paths, 1, NULL, &hows[k]);
			if (g.opened != known ||
				(known && (g.n != r->packets || g.stats.octets != octets))) {
				printf("\n%s: %s %u packets, %lu octets, wanted %lu, %lu %s\n",
					r->file, g.opened ? "" : "refused,", g.n, g.stats.octets,
					r->packets, octets, g.err.text);
				CU_FAIL("differs from capinfos");
			}
			CU_ASSERT_TRUE(g.opened || strstr(g.err.text, path) != NULL);
		}
		read += known;
		refused += !known;
	}
	any_octets = false;
	printf("\n%u captures equal capinfos, %u of other formats refused\n", read, refused);
}

/* All that there are at once: nothing is lost, and the order is that of time. */
static void all_merged(void)
{
	static const struct how hows[] = {{.burst = 32}, {.burst = 32, .hold = true}};
	static char names[2048][800];
	static const char *paths[2048];
	uint64_t packets = 0, octets[NS_ARRAY_LEN(hows)];
	unsigned n = 0;

	if (!present())
		return;
	for (unsigned i = 0; i < rows_n && n < 500; i++) {
		if (strstr(rows[i].type, "pcap") == NULL || rows[i].packets == 0)
			continue;
		snprintf(names[n], sizeof(names[n]), "%s/pcaps/%s", root, rows[i].file);
		paths[n] = names[n];
		packets += rows[i].packets;
		n++;
	}
	any_octets = true;
	for (size_t k = 0; k < NS_ARRAY_LEN(hows); k++) {
		read_paths(&g, paths, n, NULL, &hows[k]);
		CU_ASSERT_EQUAL(g.n, packets);
		octets[k] = g.stats.octets;
	}
	CU_ASSERT_EQUAL(octets[0], octets[1]);
	any_octets = false;
}

NS_TEST_MAIN({"same as capinfos", same_as_capinfos}, {"all merged", all_merged})
