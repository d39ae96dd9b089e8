/* SPDX-License-Identifier: BSD-3-Clause */
#include <ns_registry.h>
#include <ns_test.h>
#include <ns_test_alloc.h>
#include <ns_test_rec.h>
#include <ns_write.h>

#include <string.h>
#include <unistd.h>

static char dir[] = "/tmp/ns-csv-XXXXXX";

static const char *in_dir(char *path, const char *name)
{
	if (strcmp(dir + sizeof(dir) - 7, "XXXXXX") == 0)
		CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	snprintf(path, 64, "%s/%s", dir, name);
	return path;
}

static const struct ns_writer_ops *csv(void)
{
	CU_ASSERT_EQUAL_FATAL(ns_registry_seal(NULL), 0);
	const struct ns_plugin *p = ns_plugin_find(NS_WRITER_KIND, "csv");

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	return p->ops;
}

static struct ns_writer *start(const char *path, struct ns_err *e)
{
	struct ns_writer_args args = {.target = path};

	return csv()->open(&args, e);
}

static struct ns_batch batch(const struct ns_rec_kind *kind, uint32_t n)
{
	return (struct ns_batch){
		.kind = kind, .n = n, .max = n, .records = (uint8_t *)ns_test_recs};
}

/* The file holds exactly that; it is removed. */
static void holds(const char *path, const char *want)
{
	char *got = ns_test_read(path);

	CU_ASSERT_PTR_NOT_NULL_FATAL(got);
	CU_ASSERT_STRING_EQUAL(got, want);
	free(got);
	unlink(path);
}

static void golden(void)
{
	struct ns_batch b = batch(&ns_test_flow, 2), none = batch(&ns_test_flow, 0);
	struct ns_err e = {{0}};
	char path[64];
	struct ns_writer *w = start(in_dir(path, "out.csv"), &e);

	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	CU_ASSERT_EQUAL(csv()->put(w, &b, &e), 0);
	CU_ASSERT_EQUAL(csv()->put(w, &none, &e), 0);
	CU_ASSERT_EQUAL(csv()->put(w, &b, &e), 0);
	CU_ASSERT_EQUAL(csv()->close(w, &e), 0);
	CU_ASSERT_STRING_EQUAL(e.text, "");
	holds(path, NS_TEST_REC_CSV_HEAD NS_TEST_REC_CSV NS_TEST_REC_CSV);
}

static void flush_shows(void)
{
	struct ns_batch b = batch(&ns_test_flow, 2);
	char path[64];
	struct ns_writer *w = start(in_dir(path, "out.csv"), NULL);

	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	CU_ASSERT_EQUAL(csv()->put(w, &b, NULL), 0);
	CU_ASSERT_EQUAL(csv()->flush(w, NULL), 0);
	holds(path, NS_TEST_REC_CSV_HEAD NS_TEST_REC_CSV);
	CU_ASSERT_EQUAL(csv()->close(w, NULL), 0);
}

static void nothing_put(void)
{
	/* the program may hold the real kind of that name as well: the registered one counts */
	const struct ns_rec_kind *kind = ns_rec_find("flow");
	char path[64], head[2048];
	struct ns_writer *w = start(in_dir(path, "out.csv"), NULL);

	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	CU_ASSERT_EQUAL(csv()->flush(w, NULL), 0);
	CU_ASSERT_EQUAL(csv()->close(w, NULL), 0);
	*ns_rec_put_csv_head(head, kind) = '\0';
	CU_ASSERT_PTR_NOT_NULL(strstr(head, ","));
	holds(path, head);
}

static void kinds(void)
{
	static const char *const names[][2] = {{"out.csv", "out.alert.csv"},
		{"plain", "plain.alert"}, {".hidden", ".hidden.alert"},
		{"a.b.csv", "a.b.alert.csv"}};

	for (size_t i = 0; i < NS_ARRAY_LEN(names); i++) {
		struct ns_batch f = batch(&ns_test_flow, 2), a = batch(&ns_test_alert, 2);
		char path[64], other[64];
		struct ns_writer *w = start(in_dir(path, names[i][0]), NULL);

		CU_ASSERT_PTR_NOT_NULL_FATAL(w);
		/* whatever comes first, the flows go to the target */
		CU_ASSERT_EQUAL(csv()->put(w, i % 2 == 0 ? &a : &f, NULL), 0);
		CU_ASSERT_EQUAL(csv()->put(w, i % 2 == 0 ? &f : &a, NULL), 0);
		CU_ASSERT_EQUAL(csv()->put(w, &a, NULL), 0);
		CU_ASSERT_EQUAL(csv()->close(w, NULL), 0);
		holds(path, NS_TEST_REC_CSV_HEAD NS_TEST_REC_CSV);
		holds(in_dir(other, names[i][1]), "str,proto\n\"a,\"\"\n\xffxyz\",tcp\n,hopopt\n"
						  "\"a,\"\"\n\xffxyz\",tcp\n,hopopt\n");
	}
}

/* Standard output takes the flows; another kind has no place there. */
static void standard_output(void)
{
	struct ns_batch f = batch(&ns_test_flow, 2), a = batch(&ns_test_alert, 2);
	struct ns_err e = {{0}};
	char path[64];
	int saved = dup(STDOUT_FILENO), fd[2];

	fflush(NULL);
	CU_ASSERT_EQUAL_FATAL(pipe(fd), 0);
	dup2(fd[1], STDOUT_FILENO);
	close(fd[1]);
	struct ns_writer *w = start("-", &e);
	int put = csv()->put(w, &f, &e), alert = csv()->put(w, &a, &e), end = csv()->close(w, NULL);

	dup2(saved, STDOUT_FILENO);
	close(saved);
	CU_ASSERT_EQUAL(put, 0);
	CU_ASSERT_EQUAL(alert, -EINVAL);
	CU_ASSERT_EQUAL(end, 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "standard output"));
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "\"alert\""));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd[0]);
	char *got = ns_test_read(path);

	CU_ASSERT_PTR_NOT_NULL_FATAL(got);
	CU_ASSERT_STRING_EQUAL(got, NS_TEST_REC_CSV_HEAD NS_TEST_REC_CSV);
	free(got);
	close(fd[0]);
}

static void failures(void)
{
	struct ns_batch b = batch(&ns_test_flow, 2);
	struct ns_err e = {{0}};
	int rc = 0;

	CU_ASSERT_PTR_NULL(start("/nowhere/out.csv", &e));
	CU_ASSERT_EQUAL(errno, ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "/nowhere/out.csv"));

	struct ns_writer *w = start("/dev/full", &e);

	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	for (int i = 0; i < 10000 && rc == 0; i++)
		rc = csv()->put(w, &b, &e);
	CU_ASSERT_EQUAL(rc, -ENOSPC);
	CU_ASSERT_STRING_EQUAL(e.text, "/dev/full: write: No space left on device");
	CU_ASSERT_EQUAL(csv()->close(w, &e), -ENOSPC);

	/* what only close writes fails at close */
	w = start("/dev/full", &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	CU_ASSERT_EQUAL(csv()->put(w, &b, &e), 0);
	CU_ASSERT_EQUAL(csv()->close(w, &e), -ENOSPC);
}

static void no_memory(void)
{
	struct ns_batch f = batch(&ns_test_flow, 2), a = batch(&ns_test_alert, 2);
	char path[64], other[64];
	unsigned n = 1;

	csv(); /* not the registry's memory */
	in_dir(path, "out.csv");
	for (;; n++) {
		struct ns_err e = {{0}};
		struct ns_writer_args args = {.target = path};
		int rc = -ENOMEM;

		const struct ns_writer_ops *ops = ns_plugin_find(NS_WRITER_KIND, "csv")->ops;

		ns_test_alloc_fail(n);
		struct ns_writer *w = ops->open(&args, &e);

		if (w != NULL) {
			rc = ops->put(w, &f, &e);
			rc = rc == 0 ? ops->put(w, &a, &e) : rc;
		} else {
			CU_ASSERT_EQUAL(errno, ENOMEM);
		}
		bool done = ns_test_alloc_done();

		/* the writer itself stays usable and closes in order */
		if (w != NULL)
			CU_ASSERT_EQUAL(ops->close(w, NULL), 0);
		if (done) {
			CU_ASSERT_EQUAL(rc, 0);
			break;
		}
		CU_ASSERT_EQUAL(rc, -ENOMEM);
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, dir));
	}
	CU_ASSERT(n > 2);
	unlink(path);
	unlink(in_dir(other, "out.alert.csv"));
	CU_ASSERT_EQUAL(rmdir(dir), 0);
}

NS_TEST_MAIN({"golden", golden}, {"flush shows", flush_shows}, {"nothing put", nothing_put},
	{"kinds", kinds}, {"standard output", standard_output}, {"failures", failures},
	{"no memory", no_memory})
