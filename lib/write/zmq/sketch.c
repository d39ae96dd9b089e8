/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The sketches of tasks, each as one message on a topic of its own. They are large: a queue of
 * `hwm` of them would be no bound, so that octets in all queues are counted too, and a message that
 * would be too much is a gap.
 */
#include "zmq_priv.h"

#include <ns_blob.h>

const char *const *zmq_sketches(const struct ns_conf *conf, unsigned *n)
{
	const struct zmq_conf *c = conf != NULL ? ns_conf_get(conf, "zmq") : NULL;

	*n = c != NULL ? c->sketches_count : 0;
	return *n > 0 ? (const char *const *)c->sketches : NULL;
}

void zmq_put_sketches(struct ns_writer *w, const struct ns_batch *b)
{
	const struct ns_blob_rec *r = (const void *)b->records;
	const struct ns_wire_sketches s = {.task = r->task,
		.epoch = r->epoch,
		.start_ns = r->start_ns,
		.end_ns = r->end_ns,
		.octets = b->blob,
		.len = b->blob_len};
	struct ns_wire_out o;

	/* they come behind the rows of all tasks */
	zmq_rows_end(w);
	struct topic *t = zmq_sketch_topic(w, r->task);

	if (t == NULL) {
		zmq_lost(w, 1, "no memory for a topic");
		return;
	}
	struct ns_wire_head h = zmq_head(t);

	zmq_topic_forget(t);
	if (ns_wire_sketches(w->wire, &h, &s, &o) < 0) {
		zmq_lost(w, 1, "no memory for a message");
		return;
	}
	if (pub_send_large(&w->pub, t->name, o.data, o.len, true) != 0)
		zmq_lost(w, 1, "a reader does not keep up and loses sketches");
	else
		ns_stat_add(&w->stats.octets, o.len);
	zmq_keep(t, &o);
}
