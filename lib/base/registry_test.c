/* SPDX-License-Identifier: BSD-3-Clause */
#include <ns_registry.h>
#include <ns_test.h>

#include <string.h>
#include <unistd.h>

static const int ops;

#define PLUGIN(ident, k, n) \
	static const struct ns_plugin ident = {k, n, "for tests", NS_PLUGIN_ABI, &ops}

/* linked in an order that is not that of the names */
PLUGIN(mm, "writer", "mm");
PLUGIN(zz, "writer", "zz");
PLUGIN(aa, "writer", "aa");
PLUGIN(other, "source", "bb");
NS_PLUGIN_REGISTER(mm)
NS_PLUGIN_REGISTER(zz)
NS_PLUGIN_REGISTER(aa)
NS_PLUGIN_REGISTER(other)

NS_NOTE_REGISTER(note_b, "b_note", "seen")
NS_DROP_REGISTER(drop_c, "c_drop", "lost")
NS_DROP_REGISTER(drop_a, "a_drop", "lost too")

/*
 * Constructors only ever add. A test that needs a bad entry links it in front of the good list in
 * a child process, so that the others do not see it.
 */
static int seal_in_child(void (*add)(void), struct ns_err *e)
{
	int fd[2];
	struct {
		int rc;
		struct ns_err e;
	} r = {.rc = 1};

	CU_ASSERT_EQUAL_FATAL(pipe(fd), 0);
	fflush(NULL);
	pid_t pid = fork();

	CU_ASSERT_FATAL(pid >= 0);
	if (pid == 0) {
		add();
		r.rc = ns_registry_seal(&r.e);
		_exit(write(fd[1], &r, sizeof(r)) != (ssize_t)sizeof(r));
	}
	close(fd[1]);
	CU_ASSERT_EQUAL(read(fd[0], &r, sizeof(r)), (ssize_t)sizeof(r));
	close(fd[0]);
	*e = r.e;
	return r.rc;
}

static void order(void)
{
	struct ns_err e = {{0}};
	char names[64];

	CU_ASSERT_EQUAL_FATAL(ns_registry_seal(&e), 0);
	CU_ASSERT_PTR_EQUAL(ns_plugin_next("writer", NULL), &aa);
	CU_ASSERT_PTR_EQUAL(ns_plugin_next("writer", &aa), &mm);
	CU_ASSERT_PTR_EQUAL(ns_plugin_next("writer", &mm), &zz);
	CU_ASSERT_PTR_NULL(ns_plugin_next("writer", &zz));
	CU_ASSERT_PTR_NULL(ns_plugin_next("tunnel", NULL));
	CU_ASSERT_STRING_EQUAL(ns_plugin_names("writer", names, sizeof(names)), "aa, mm, zz");
	CU_ASSERT_STRING_EQUAL(ns_plugin_names("tunnel", names, sizeof(names)), "");
}

static void find(void)
{
	CU_ASSERT_EQUAL_FATAL(ns_registry_seal(NULL), 0);
	CU_ASSERT_PTR_EQUAL(ns_plugin_find("writer", "mm"), &mm);
	CU_ASSERT_PTR_EQUAL(ns_plugin_find("source", "bb"), &other);
	CU_ASSERT_PTR_NULL(ns_plugin_find("writer", "bb"));
	CU_ASSERT_PTR_NULL(ns_plugin_find("writer", "m"));
	CU_ASSERT_PTR_NULL(ns_plugin_find("writer", ""));
}

static void names_are_cut(void)
{
	char small[8];

	CU_ASSERT_EQUAL_FATAL(ns_registry_seal(NULL), 0);
	memset(small, 'x', sizeof(small));
	ns_plugin_names("writer", small, sizeof(small));
	CU_ASSERT_PTR_NOT_NULL(memchr(small, '\0', sizeof(small)));
	CU_ASSERT(strncmp(small, "aa, mm", 6) == 0);
}

static void again(void)
{
	for (int i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(ns_registry_seal(NULL), 0);
	unsigned n;

	ns_counters_all(&n);
	CU_ASSERT_EQUAL(n, 3);
}

static void counters(void)
{
	unsigned n;
	const struct ns_counter *const *all;

	CU_ASSERT_EQUAL_FATAL(ns_registry_seal(NULL), 0);
	all = ns_counters_all(&n);
	CU_ASSERT_EQUAL_FATAL(n, 3);
	CU_ASSERT_PTR_EQUAL(all[0], &drop_a);
	CU_ASSERT_PTR_EQUAL(all[1], &note_b);
	CU_ASSERT_PTR_EQUAL(all[2], &drop_c);
	for (unsigned i = 0; i < n; i++)
		CU_ASSERT_EQUAL(all[i]->id, i);
	CU_ASSERT_EQUAL(drop_a.kind, NS_COUNTER_DROP);
	CU_ASSERT_EQUAL(note_b.kind, NS_COUNTER_NOTE);
	CU_ASSERT_PTR_EQUAL(ns_counter_find("c_drop"), &drop_c);
	CU_ASSERT_PTR_NULL(ns_counter_find("c_dro"));
}

static void link_plugin(const struct ns_plugin *p)
{
	static struct ns_plugin_link l;

	l.plugin = p;
	ns_plugin_link(&l);
}

static void add_same_name(void)
{
	PLUGIN(twin, "writer", "mm");
	link_plugin(&twin);
}

static void add_same_name_other_kind(void)
{
	PLUGIN(cousin, "source", "mm");
	link_plugin(&cousin);
}

static void add_other_abi(void)
{
	static const struct ns_plugin old = {"writer", "old", "for tests", NS_PLUGIN_ABI + 1, &ops};
	link_plugin(&old);
}

static void add_nameless(void)
{
	PLUGIN(nameless, "writer", "");
	link_plugin(&nameless);
}

static void add_idle(void)
{
	static const struct ns_plugin idle = {"writer", "idle", "for tests", NS_PLUGIN_ABI, NULL};
	link_plugin(&idle);
}

static void add_same_counter(void)
{
	static struct ns_counter twin = {.name = "a_drop", .kind = NS_COUNTER_NOTE};

	ns_counter_link(&twin);
}

static void add_counters(unsigned n)
{
	static struct ns_counter many[NS_COUNTER_MAX + 1];
	static char names[NS_COUNTER_MAX + 1][16];

	for (unsigned i = 0; i < n; i++) {
		snprintf(names[i], sizeof(names[i]), "many_%u", i);
		many[i].name = names[i];
		ns_counter_link(&many[i]);
	}
}

static void add_all_counters(void)
{
	add_counters(NS_COUNTER_MAX - 3);
}

static void add_too_many_counters(void)
{
	add_counters(NS_COUNTER_MAX - 2);
}

static void refusals(void)
{
	static const struct {
		void (*add)(void);
		int rc;
		const char *says;
	} cases[] = {
		{add_same_name, -EEXIST, "\"mm\""},
		{add_same_name_other_kind, 0, ""},
		{add_other_abi, -EPROTO, "\"old\""},
		{add_nameless, -EINVAL, "without"},
		{add_idle, -EINVAL, "without"},
		{add_same_counter, -EEXIST, "\"a_drop\""},
		{add_all_counters, 0, ""},
		{add_too_many_counters, -ENOSPC, "128"},
	};

	for (size_t i = 0; i < NS_ARRAY_LEN(cases); i++) {
		struct ns_err e;

		CU_ASSERT_EQUAL(seal_in_child(cases[i].add, &e), cases[i].rc);
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, cases[i].says));
	}
}

static void load(void)
{
	struct ns_err e = {{0}};

	CU_ASSERT_EQUAL(ns_plugin_load("./no-such-module.so", &e), -ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "no-such-module.so"));
	/* a library that is no plug-in */
	CU_ASSERT_EQUAL(ns_plugin_load("libm.so.6", &e), -EPROTO);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "libm.so.6"));
	ns_plugin_close();
	CU_ASSERT_EQUAL(ns_plugin_load("libm.so.6", &e), -EBUSY);
	CU_ASSERT_STRING_EQUAL(e.text, "plug-in libm.so.6: takes a restart");
}

NS_TEST_MAIN({"order of names", order}, {"find", find}, {"names are cut", names_are_cut},
	{"seal again", again}, {"counters", counters}, {"refusals", refusals}, {"load", load})
