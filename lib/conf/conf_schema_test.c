/* SPDX-License-Identifier: BSD-3-Clause */
/* Pieces of the schema; that it is one, and fits, test/integration/conf_schema_test.py sees. */
#include "conf_test_sections.h"
#include "ns_test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static char text[65536];

static void make(void)
{
	int fd = memfd_create("schema", 0);

	CU_ASSERT_EQUAL(ns_conf_schema(fd), 0);
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	close(fd);
	/* blanks and lines are for people */
	char *to = text;

	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '\n')
			while (p[1] == ' ')
				p++;
		else
			*to++ = *p;
	}
	*to = '\0';
}

static void has(const char *piece)
{
	bool there = strstr(text, piece) != NULL;

	if (!there)
		printf("missing: %s\n", piece);
	CU_ASSERT_TRUE(there);
}

static void pieces(void)
{
	make();
	has("{\"$schema\": \"https://json-schema.org/draft/2020-12/schema\",");
	has("\"i8\": {\"type\": \"integer\",\"minimum\": -128,\"maximum\": 127,\"default\": -128}");
	has("\"maximum\": 18446744073709551615");
	has("\"policy\": {");
	has("\"enum\": [\"oldest\", \"random\", \"none\"]");
	has("\"note\": {\"type\": [\"string\", \"number\", \"boolean\", \"null\"]");
	has("\"files\": {\"type\": \"array\",\"items\": {\"type\": [\"string\", ");
	has("\"default\": [\"a.pcap\", \"b c.pcap\"]");
	has("\"low\": {\"type\": \"integer\",\"minimum\": 0,\"maximum\": ");
	has("\"tasks\": {\"description\": \"Aggregators.\",\"type\": [\"array\", "
	    "\"null\"],\"maxItems\": 1024,\"items\": {\"$ref\": \"#/$defs/tasks\"}");
	has("{\"if\": {\"properties\": {\"type\": {\"const\": \"heavy\"}}}, \"then\": {\"$ref\": "
	    "\"#/$defs/tasks.heavy\"}}");
	has("\"tasks.heavy\": {");
	has("\"const\": \"heavy\"");
	has("\"plugins\": {\"description\": \"plug-in modules (FILE.so)");
}

static void no_place(void)
{
	int fd = open("/dev/full", O_WRONLY);

	CU_ASSERT_EQUAL(ns_conf_schema(fd), -ENOSPC);
	close(fd);
}

NS_TEST_MAIN({"pieces", pieces}, {"no place", no_place})
