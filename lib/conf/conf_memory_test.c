/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every allocation of a load fails once: the room's own and libcyaml's (ns_conf_mem), and
 * libyaml's, whose allocators this program replaces. Whatever was allocated must be freed again.
 */
#include "conf_priv.h"
#include "conf_test_sections.h"
#include "ns_test.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static long left = -1; /* allocations until one fails; -1: none does */
static long live; /* blocks that are not freed yet */
static long failed, yaml_calls;

void *yaml_malloc(size_t size);
void *yaml_realloc(void *p, size_t size);
char *yaml_strdup(const char *s);
void yaml_free(void *p);

static bool fail_now(void)
{
	if (left < 0 || left-- > 0)
		return false;
	failed++;
	left = -1;
	return true;
}

static void *mem(void *ctx, void *p, size_t size)
{
	void *q;

	if (size == 0) {
		live -= p != NULL;
		free(p);
		return NULL;
	}
	if (fail_now())
		return NULL;
	q = realloc(p, size);
	live += p == NULL && q != NULL;
	return q;
}

void *yaml_malloc(size_t size)
{
	yaml_calls++;
	return mem(NULL, NULL, size > 0 ? size : 1);
}

void *yaml_realloc(void *p, size_t size)
{
	yaml_calls++;
	return mem(NULL, p, size > 0 ? size : 1);
}

char *yaml_strdup(const char *s)
{
	char *p = s == NULL ? NULL : yaml_malloc(strlen(s) + 1);

	return p == NULL ? NULL : strcpy(p, s);
}

void yaml_free(void *p)
{
	mem(NULL, p, 0);
}

static const char text[] = "flow:\n"
			   "  idle: 20\n"
			   "  name: &n some text\n"
			   "  note: *n\n"
			   "  sub: {depth: 4}\n"
			   "  files: [a, \"b\", 'c']\n"
			   "  pairs: [{a: 1, b: 2}, {a: 3}]\n"
			   "tasks:\n"
			   "  - {name: a, type: heavy, key: [a, b], memory: 1 MiB}\n"
			   "  - {name: b, type: quantile, field: c}\n"
			   "write:\n"
			   "  pipe: {low: 1}\n";

static bool load_once(struct ns_err *e)
{
	const char *o[] = {"flow.sub.mode=slow", "flow.files=[p, q]", "write.on=true",
		"tasks=[{name: p, type: heavy}, {name: q, type: quantile, field: r}]"};
	struct ns_conf *c;
	char *dump;
	bool good;

	errno = 0;
	c = ns_conf_parse(text, strlen(text), "t.yaml", o, NS_ARRAY_LEN(o), e);
	if (c == NULL) {
		CU_ASSERT_EQUAL(errno, ENOMEM);
		return false;
	}
	dump = ns_conf_dump(c);
	good = dump != NULL;
	if (dump != NULL) {
		CU_ASSERT_PTR_NOT_NULL(strstr(dump, "  files: [p, q]\n"));
		CU_ASSERT_PTR_NOT_NULL(strstr(dump, "  - {name: q, type: quantile, field: r,"));
		mem(NULL, dump, 0);
	} else {
		CU_ASSERT_EQUAL(errno, ENOMEM);
	}
	ns_conf_destroy(c);
	return good;
}

static void every_allocation(void)
{
	long i;

	ns_conf_mem = mem;
	for (i = 0; i < 100000; i++) {
		struct ns_err e = {0};
		long before = failed;

		left = i;
		live = 0;
		bool good = load_once(&e);

		left = -1;
		if (live != 0 || good != (failed == before))
			printf("\n  allocation %ld: %ld blocks left, \"%s\"\n", i, live, e.text);
		CU_ASSERT_EQUAL(live, 0);
		CU_ASSERT_EQUAL(good, failed == before);
		if (!good && e.text[0] != '\0')
			CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "no memory"));
		if (failed == before)
			break;
	}
	printf(" %ld allocations", i);
	CU_ASSERT(i > 100 && i < 100000);
	CU_ASSERT(yaml_calls > 0); /* else libyaml's were not replaced */
	ns_conf_mem = cyaml_mem;
}

static void reference(void)
{
	int fd = open("/dev/null", O_WRONLY);
	long i, before;

	ns_conf_mem = mem;
	for (i = 0; i < 1000; i++) {
		before = failed;
		left = i;
		live = 0;
		int rc = ns_conf_reference(fd);

		left = -1;
		CU_ASSERT_EQUAL(rc, failed == before ? 0 : -ENOMEM);
		CU_ASSERT_EQUAL(live, 0);
		if (failed == before)
			break;
	}
	CU_ASSERT(i > 3 && i < 1000);
	ns_conf_mem = cyaml_mem;
	close(fd);
}

NS_TEST_MAIN({"every allocation fails once", every_allocation}, {"of the reference too", reference})
