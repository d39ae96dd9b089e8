/* SPDX-License-Identifier: BSD-3-Clause */
/* A writer that a reload brings back: its numbers go on, and its place is free only then. */
#include "zmq_priv.h"

#include <ns_node.h>
#include <ns_registry.h>
#include <ns_test.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char dir[] = "/tmp/ns-zmq-past-XXXXXX", here[64], there[64];

static const struct ns_writer_ops *ops(void)
{
	const struct ns_plugin *p = ns_plugin_find(NS_WRITER_KIND, "zmq");

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	return p->ops;
}

static struct ns_writer *start(const char *target, struct ns_err *e)
{
	return ops()->open(&(struct ns_writer_args){.target = target, .live = true}, e);
}

static void goes_on(void)
{
	struct ns_err e = {""};
	struct ns_writer *w = start(here, &e);

	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	for (uint64_t i = 1; i <= 7; i++)
		CU_ASSERT_EQUAL(zmq_head(w->flow).seq, i);
	CU_ASSERT_EQUAL(zmq_head(w->epoch).seq, 1);
	ops()->close(w, &e);
	w = start(here, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	CU_ASSERT_EQUAL(zmq_head(w->flow).seq, 8);
	CU_ASSERT_EQUAL(zmq_head(w->epoch).seq, 2);
	CU_ASSERT_EQUAL(zmq_head(w->health).seq, 1);
	ops()->close(w, &e);
	/* nobody who listens there has seen a number yet */
	w = start(there, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	CU_ASSERT_EQUAL(zmq_head(w->flow).seq, 1);
	ops()->close(w, &e);
}

/* libzmq alone would take the path away from who has it. */
static void taken(void)
{
	struct ns_err e = {""};
	struct ns_writer *w = start(here, &e), *second;

	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	second = start(here, &e);
	CU_ASSERT_PTR_NULL(second);
	CU_ASSERT_EQUAL(errno, EADDRINUSE);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "Address already in use"));
	CU_ASSERT_EQUAL(access(here + strlen("ipc://"), F_OK), 0);
	ops()->close(w, &e);
	w = start(here, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(w);
	ops()->close(w, &e);
}

static void keeps(void)
{
	CU_ASSERT_EQUAL(zmq_past("a", "bc"), 0);
	zmq_past_keep("a", "bc", 5);
	zmq_past_keep("a", "bc", 0);
	CU_ASSERT_EQUAL(zmq_past("a", "bc"), 5);
	CU_ASSERT_EQUAL(zmq_past("ab", "c"), 0);
	zmq_past_keep("a", "bc", 9);
	CU_ASSERT_EQUAL(zmq_past("a", "bc"), 9);
}

static void first(void)
{
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	snprintf(here, sizeof(here), "ipc://%s/here", dir);
	snprintf(there, sizeof(there), "ipc://%s/there", dir);
	CU_ASSERT_EQUAL(ns_registry_seal(NULL), 0);
	CU_ASSERT_EQUAL(ns_node_init("n1", NULL), 0);
}

static void last(void)
{
	unlink(here + strlen("ipc://"));
	unlink(there + strlen("ipc://"));
	CU_ASSERT_EQUAL(rmdir(dir), 0);
}

NS_TEST_MAIN({"first", first}, {"goes on", goes_on}, {"taken", taken}, {"keeps", keeps},
	{"nothing is left", last})
