/* SPDX-License-Identifier: BSD-3-Clause */
#include <ns_registry.h>
#include <ns_test.h>
#include <ns_test_alloc.h>
#include <ns_test_kind.h>
#include <ns_test_rec.h>
#include <ns_write.h>

#include <fcntl.h>
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

#define ROWS_HEAD \
	"start_ns,end_ns,epoch,rank,src_ip,dst_net,octets,estimate,lower,upper,confidence\n"
#define ROW_1 "1700000000000000000,1700000060000000000,7,1,10.0.0.1,,4999999999,999.5,,,0.95\n"
#define ROW_2                                                                                  \
	"1700000000000000000,1700000060000000000,7,2,10.0.0.2,2001:db8::/32,4999999998,998.5," \
	"900.25,1100,0.95\n"

static int put_row(struct ns_writer *w, const struct ns_test_kind *k, uint32_t i, struct ns_err *e)
{
	struct ns_test_row r = ns_test_row(i);
	struct ns_batch b = {.kind = &k->kind, .n = 1, .max = 1, .records = (uint8_t *)&r};

	return csv()->put(w, &b, e);
}

/* Kinds that are made at start, among flows; each in its file, and none for what has no rows. */
static void made_kinds(void)
{
	struct ns_test_kind *top = ns_test_kind_create("top_sources"),
			    *more = ns_test_kind_create("spread"),
			    *none = ns_test_kind_create("none");
	struct ns_batch f = batch(&ns_test_flow, 2), empty = batch(&none->kind, 0);
	char path[64], other[64];
	struct ns_err e = {{0}};

	/* twice: the second run has kinds of the same names elsewhere in memory */
	for (int run = 0; run < 2; run++) {
		struct ns_writer *w = start(in_dir(path, "out.csv"), &e);

		CU_ASSERT_PTR_NOT_NULL_FATAL(w);
		CU_ASSERT_EQUAL(put_row(w, top, 1, &e), 0);
		CU_ASSERT_EQUAL(csv()->put(w, &f, &e), 0);
		CU_ASSERT_EQUAL(put_row(w, more, 2, &e), 0);
		CU_ASSERT_EQUAL(csv()->put(w, &empty, &e), 0);
		CU_ASSERT_EQUAL(put_row(w, top, 2, &e), 0);
		CU_ASSERT_EQUAL(csv()->put(w, &f, &e), 0);
		CU_ASSERT_EQUAL(csv()->close(w, &e), 0);
		holds(path, NS_TEST_REC_CSV_HEAD NS_TEST_REC_CSV NS_TEST_REC_CSV);
		holds(in_dir(other, "out.top_sources.csv"), ROWS_HEAD ROW_1 ROW_2);
		holds(in_dir(other, "out.spread.csv"), ROWS_HEAD ROW_2);
		CU_ASSERT_NOT_EQUAL(access(in_dir(other, "out.none.csv"), F_OK), 0);
		free(top);
		top = ns_test_kind_create("top_sources");
	}
	free(top);
	free(more);
	free(none);
}

/* Kinds of one name in one run share the file; with other columns the second is refused. */
static void same_name(void)
{
	struct ns_test_kind *a = ns_test_kind_create("top"), *b = ns_test_kind_create("top"),
			    *c = ns_test_kind_create("top"), *d = ns_test_kind_create("top");
	char path[64], other[64];
	struct ns_err e = {{0}};
	struct ns_writer *w = start(in_dir(path, "out.csv"), &e);

	c->fields[3].name = "place";
	d->kind.fields_n--;
	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	CU_ASSERT_EQUAL(put_row(w, a, 1, &e), 0);
	CU_ASSERT_EQUAL(put_row(w, b, 2, &e), 0);
	CU_ASSERT_EQUAL(put_row(w, a, 2, &e), 0);
	CU_ASSERT_EQUAL(put_row(w, c, 1, &e), -EINVAL);
	CU_ASSERT_EQUAL(errno, EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, in_dir(other, "out.top.csv")));
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "two kinds of records are named \"top\""));
	CU_ASSERT_EQUAL(put_row(w, d, 1, &e), -EINVAL);
	CU_ASSERT_EQUAL(csv()->close(w, NULL), 0);
	holds(other, ROWS_HEAD ROW_1 ROW_2 ROW_2);
	unlink(path);
	free(a);
	free(b);
	free(c);
	free(d);
}

/* Puts flows and others to @p target while fd @p out is standard output, and messages go to err. */
static void put_to_stdout(const char *target, int out, int err)
{
	struct ns_test_kind *top = ns_test_kind_create("top_sources");
	struct ns_batch f = batch(&ns_test_flow, 2), a = batch(&ns_test_alert, 2);
	struct ns_err e = {{0}};
	int saved_out = dup(STDOUT_FILENO), saved_err = dup(STDERR_FILENO);

	fflush(NULL);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	struct ns_writer *w = start(target, &e);
	int first = csv()->put(w, &a, &e), flow = csv()->put(w, &f, &e),
	    row = put_row(w, top, 1, &e), end = csv()->close(w, NULL);

	fflush(NULL);
	dup2(saved_out, STDOUT_FILENO);
	dup2(saved_err, STDERR_FILENO);
	close(saved_out);
	close(saved_err);
	free(top);
	CU_ASSERT_EQUAL(first, 0);
	CU_ASSERT_EQUAL(flow, 0);
	CU_ASSERT_EQUAL(row, 0);
	CU_ASSERT_EQUAL(end, 0);
}

/* Standard output takes the flows, whatever it is; other kinds are left out, which is said once. */
static void standard_output(void)
{
	static const char *const targets[] = {"-", "-", "/dev/stdout"};
	char path[64], messages[64], beside[64];

	for (unsigned i = 0; i < NS_ARRAY_LEN(targets); i++) {
		int fd[2], err = creat(in_dir(messages, "messages"), 0600);

		CU_ASSERT_FATAL(err >= 0);
		if (i == 0) {
			CU_ASSERT_EQUAL_FATAL(pipe(fd), 0);
			snprintf(path, sizeof(path), "/proc/self/fd/%d", fd[0]);
		} else {
			fd[0] = -1;
			fd[1] = creat(in_dir(path, "redirected"), 0600);
		}
		put_to_stdout(targets[i], fd[1], err);
		close(fd[1]);
		close(err);
		holds(path, NS_TEST_REC_CSV_HEAD NS_TEST_REC_CSV);
		if (fd[0] >= 0)
			close(fd[0]);
		snprintf(beside, sizeof(beside), "%s.alert", targets[i]);
		CU_ASSERT_NOT_EQUAL(access(beside, F_OK), 0);
		char *said = ns_test_read(messages);

		CU_ASSERT_PTR_NOT_NULL_FATAL(said);
		CU_ASSERT_PTR_NOT_NULL(strstr(said, "\"alert\" and all other kinds are left out"));
		CU_ASSERT_PTR_NULL(strstr(said, "top_sources"));
		CU_ASSERT_PTR_EQUAL(strchr(said, '\n'), strrchr(said, '\n'));
		free(said);
		unlink(messages);
	}
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
	{"kinds", kinds}, {"kinds made at start", made_kinds}, {"same name", same_name},
	{"standard output", standard_output}, {"failures", failures}, {"no memory", no_memory})
