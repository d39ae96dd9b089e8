/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* For the tests of the spool: a directory of its own, and entries whose content is their number. */

#include "spool_priv.h"

#include <ns_test.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[] = "/tmp/ns-spool-XXXXXX";
static char dir[64];

/* Nothing is there any more. */
static inline void wipe(void)
{
	char cmd[128];

	if (strcmp(root + sizeof(root) - 7, "XXXXXX") == 0)
		CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(root));
	snprintf(dir, sizeof(dir), "%s/spool", root);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	CU_ASSERT_EQUAL_FATAL(system(cmd), 0);
}

static inline struct ns_spool *start(unsigned segments, uint64_t segment)
{
	struct ns_spool_args a = {dir, segments * segment, segment, NS_SPOOL_SYNC_NONE};
	struct ns_err e = {""};
	struct ns_spool *sp = ns_spool_open(&a, &e);

	if (sp == NULL)
		printf("%s\n", e.text);
	CU_ASSERT_PTR_NOT_NULL_FATAL(sp);
	return sp;
}

/* Records from number @p first as one entry, of so many octets. */
static inline int add(struct ns_spool *sp, uint64_t first, uint32_t records, size_t len)
{
	uint8_t data[8192];
	struct iovec parts[2];

	memset(data, (int)(first & 0xff), sizeof(data));
	memcpy(data, &first, sizeof(first));
	memcpy(data + 8, &records, sizeof(records));
	parts[0] = (struct iovec){data, 16};
	parts[1] = (struct iovec){data + 16, len - 16};
	return ns_spool_append(sp, parts, 2, records, first);
}

/* The first number of the next entry, 0 when there is none; its content must be right. */
static inline uint64_t next(struct ns_spool *sp)
{
	struct ns_spool_entry x;
	uint64_t first;
	uint32_t records;
	int rc = ns_spool_read(sp, &x);

	CU_ASSERT_TRUE_FATAL(rc >= 0);
	if (rc == 0)
		return 0;
	CU_ASSERT_TRUE_FATAL(x.len >= 16);
	memcpy(&first, x.data, sizeof(first));
	memcpy(&records, x.data + 8, sizeof(records));
	CU_ASSERT_EQUAL(x.time_ns, first);
	CU_ASSERT_EQUAL(x.records, records);
	CU_ASSERT_EQUAL((uintptr_t)x.data % 8, 0);
	for (size_t i = 16; i < x.len; i++)
		CU_ASSERT_EQUAL_FATAL(x.data[i], (uint8_t)first);
	return first;
}

static inline struct ns_spool_stats stats(struct ns_spool *sp)
{
	struct ns_spool_stats s;

	ns_spool_stats(sp, &s);
	CU_ASSERT_EQUAL(s.appended, s.done + s.waiting + s.full + s.damaged);
	return s;
}

/* Ends as a killed process does: all that was stored stays, nothing else happens. */
static inline void crash(struct ns_spool *sp)
{
	ns_spool_rewind(sp);
	if (sp->w.map != NULL) {
		close(sp->w.fd);
		sp->w.map = NULL; /* the mapping is left: a process that is killed has none */
	}
	close(sp->state);
	close(sp->lock);
	close(sp->dir);
	free(sp->r.buf);
	free(sp->w.segs);
	free(sp->path);
	free(sp);
}

static inline void segment_path(char path[128], uint32_t number)
{
	char name[16];

	spool_segment_name(name, number);
	snprintf(path, 128, "%s/%s", dir, name);
}

static inline void remove_root(void)
{
	wipe();
	CU_ASSERT_EQUAL(rmdir(root), 0);
}
