/* SPDX-License-Identifier: BSD-3-Clause */
/* JSON lines: one object per record, all kinds in one stream; "kind" is the first key of each. */
#include <ns_registry.h>
#include <ns_sink.h>
#include <ns_write.h>

#include <stdlib.h>

struct ns_writer {
	struct ns_sink *sink;
	const struct ns_rec_kind *kind; /* of the batch before */
	size_t line_max; /* of that kind */
};

static struct ns_writer *json_open(const struct ns_writer_args *args, struct ns_err *e)
{
	struct ns_writer *w = calloc(1, sizeof(*w));

	if (w == NULL) {
		ns_fail(e, ENOMEM, "%s: no memory", args->target);
		return NULL;
	}
	w->sink = ns_sink_open(args->target, e);
	if (w->sink == NULL) {
		int err = errno;

		free(w);
		return ns_errno_null(err);
	}
	return w;
}

static int json_put(struct ns_writer *w, const struct ns_batch *b, struct ns_err *e)
{
	const uint8_t *rec = b->records;

	if (w->kind != b->kind) {
		w->kind = b->kind;
		w->line_max = ns_rec_line_max(b->kind);
	}
	for (uint32_t i = 0; i < b->n; i++, rec += b->kind->size) {
		char *p = ns_sink_room(w->sink, w->line_max, e);

		if (p == NULL)
			return -errno;
		ns_sink_took(w->sink, ns_rec_put_json_line(p, b->kind, rec));
	}
	return 0;
}

static int json_flush(struct ns_writer *w, struct ns_err *e)
{
	return ns_sink_flush(w->sink, e);
}

static int json_close(struct ns_writer *w, struct ns_err *e)
{
	int rc = ns_sink_close(w->sink, e);

	free(w);
	return rc;
}

static const struct ns_writer_ops json_ops = {.wants = NS_WRITER_CUTS,
	.open = json_open,
	.put = json_put,
	.flush = json_flush,
	.close = json_close,
	.check = ns_sink_check};

static const struct ns_plugin json = {.kind = NS_WRITER_KIND,
	.name = "json",
	.summary = "one JSON object per line, all record kinds in one file; - is standard output",
	.abi = NS_PLUGIN_ABI,
	.ops = &json_ops};

NS_PLUGIN_REGISTER(json)
