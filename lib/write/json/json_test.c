/* SPDX-License-Identifier: BSD-3-Clause */
#include <ns_registry.h>
#include <ns_test.h>
#include <ns_test_alloc.h>
#include <ns_test_kind.h>
#include <ns_test_rec.h>
#include <ns_write.h>

#include <unistd.h>

static char path[] = "/tmp/ns-json-XXXXXX";

#define ALERTS                                                                              \
	"{\"kind\":\"alert\",\"str\":\"a,\\\"\\u000a\xef\xbf\xbdxyz\",\"proto\":\"tcp\"}\n" \
	"{\"kind\":\"alert\",\"str\":null,\"proto\":\"hopopt\"}\n"

static const struct ns_writer_ops *json(void)
{
	CU_ASSERT_EQUAL_FATAL(ns_registry_seal(NULL), 0);
	const struct ns_plugin *p = ns_plugin_find(NS_WRITER_KIND, "json");

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	if (path[sizeof(path) - 2] == 'X')
		close(mkstemp(path));
	return p->ops;
}

static struct ns_batch batch(const struct ns_rec_kind *kind, uint32_t n)
{
	return (struct ns_batch){
		.kind = kind, .n = n, .max = n, .records = (uint8_t *)ns_test_recs};
}

static void holds(const char *want)
{
	char *got = ns_test_read(path);

	CU_ASSERT_PTR_NOT_NULL_FATAL(got);
	CU_ASSERT_STRING_EQUAL(got, want);
	free(got);
	unlink(path);
}

static void golden(void)
{
	const struct ns_writer_ops *ops = json();
	struct ns_batch f = batch(&ns_test_flow, 2), a = batch(&ns_test_alert, 2);
	struct ns_writer_args args = {.target = path};
	struct ns_err e = {{0}};
	struct ns_writer *w = ops->open(&args, &e);

	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	CU_ASSERT_EQUAL(ops->put(w, &f, &e), 0);
	CU_ASSERT_EQUAL(ops->put(w, &a, &e), 0);
	CU_ASSERT_EQUAL(ops->flush(w, &e), 0);
	char *shown = ns_test_read(path);

	CU_ASSERT_STRING_EQUAL(shown, NS_TEST_REC_JSON ALERTS);
	free(shown);
	CU_ASSERT_EQUAL(ops->put(w, &f, &e), 0);
	CU_ASSERT_EQUAL(ops->close(w, &e), 0);
	CU_ASSERT_STRING_EQUAL(e.text, "");
	holds(NS_TEST_REC_JSON ALERTS NS_TEST_REC_JSON);
}

static int put_row(const struct ns_writer_ops *ops, struct ns_writer *w,
	const struct ns_test_kind *k, uint32_t i, struct ns_err *e)
{
	struct ns_test_row r = ns_test_row(i);
	struct ns_batch b = {.kind = &k->kind, .n = 1, .max = 1, .records = (uint8_t *)&r};

	return ops->put(w, &b, e);
}

#define ROW(kind, rank, ip, net, octets, estimate, lower, upper)                                  \
	"{\"kind\":\"" kind "\",\"start_ns\":1700000000000000000,\"end_ns\":1700000060000000000," \
	"\"epoch\":7,\"rank\":" rank ",\"src_ip\":\"" ip "\",\"dst_net\":" net                    \
	",\"octets\":" octets ",\"estimate\":" estimate ",\"lower\":" lower ",\"upper\":" upper   \
	",\"confidence\":0.95}\n"
#define ROW_1(kind) ROW(kind, "1", "10.0.0.1", "null", "4999999999", "999.5", "null", "null")
#define ROW_2(kind) \
	ROW(kind, "2", "10.0.0.2", "\"2001:db8::/32\"", "4999999998", "998.5", "900.25", "1100")

/* Kinds that are made at start, among flows: all in one stream, in the order of the batches. */
static void made_kinds(void)
{
	const struct ns_writer_ops *ops = json();
	struct ns_test_kind *top = ns_test_kind_create("top_sources"),
			    *spread = ns_test_kind_create("spread");
	struct ns_batch f = batch(&ns_test_flow, 2);
	struct ns_writer_args args = {.target = path};
	struct ns_err e = {{0}};
	struct ns_writer *w = ops->open(&args, &e);

	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	CU_ASSERT_EQUAL(put_row(ops, w, top, 1, &e), 0);
	CU_ASSERT_EQUAL(ops->put(w, &f, &e), 0);
	CU_ASSERT_EQUAL(put_row(ops, w, spread, 2, &e), 0);
	CU_ASSERT_EQUAL(put_row(ops, w, top, 2, &e), 0);
	CU_ASSERT_EQUAL(ops->close(w, &e), 0);
	CU_ASSERT_STRING_EQUAL(e.text, "");
	holds(ROW_1("top_sources") NS_TEST_REC_JSON ROW_2("spread") ROW_2("top_sources"));
	free(top);
	free(spread);
}

static void nothing_put(void)
{
	const struct ns_writer_ops *ops = json();
	struct ns_writer_args args = {.target = path};
	struct ns_writer *w = ops->open(&args, NULL);

	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	CU_ASSERT_EQUAL(ops->close(w, NULL), 0);
	holds("");
}

static void failures(void)
{
	const struct ns_writer_ops *ops = json();
	struct ns_writer_args args = {.target = "/nowhere/out.json"};
	struct ns_batch b = batch(&ns_test_flow, 2);
	struct ns_err e = {{0}};
	int rc = 0;

	CU_ASSERT_PTR_NULL(ops->open(&args, &e));
	CU_ASSERT_EQUAL(errno, ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "/nowhere/out.json"));
	args.target = "/dev/full";
	struct ns_writer *w = ops->open(&args, &e);

	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	for (int i = 0; i < 10000 && rc == 0; i++)
		rc = ops->put(w, &b, &e);
	CU_ASSERT_EQUAL(rc, -ENOSPC);
	CU_ASSERT_STRING_EQUAL(e.text, "/dev/full: write: No space left on device");
	CU_ASSERT_EQUAL(ops->flush(w, &e), -ENOSPC);
	CU_ASSERT_EQUAL(ops->close(w, &e), -ENOSPC);
}

static void no_memory(void)
{
	const struct ns_writer_ops *ops = json();
	struct ns_writer_args args = {.target = path};
	unsigned n = 1;

	for (;; n++) {
		struct ns_err e = {{0}};

		ns_test_alloc_fail(n);
		struct ns_writer *w = ops->open(&args, &e);
		int err = errno;

		if (ns_test_alloc_done()) {
			CU_ASSERT_PTR_NOT_NULL_FATAL(w);
			ops->close(w, NULL);
			break;
		}
		CU_ASSERT_PTR_NULL(w);
		CU_ASSERT_EQUAL(err, ENOMEM);
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, path));
	}
	CU_ASSERT(n > 2);
	unlink(path);
}

NS_TEST_MAIN({"golden", golden}, {"kinds made at start", made_kinds}, {"nothing put", nothing_put},
	{"failures", failures}, {"no memory", no_memory})
