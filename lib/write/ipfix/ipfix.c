/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IPFIX messages, RFC 7011 section 3. Records of one batch come in any order of families, and a
 * change of template costs a set header; so each template gathers its records, and a message is
 * made of all of them when it is full or when a flush asks for it:
 *
 *	┌ message header (16) ┬ set of template 257: head, records, padding ┬ set of 258: ... ┐
 *	                      └ tmpl[0].buf[0..used)                        └ tmpl[1].buf
 *
 * Templates go before the first message that needs them, in a message of their own, and over UDP
 * again by time and by number of messages. The exporter's own counters (RFC 7011 4.1) end the
 * stream and stand nowhere else: their record is a data record and counts in the sequence numbers,
 * but nfcapd does not count it and would take it for a loss in whatever came after it.
 *
 * Thread: the writer's own.
 */
#include "ipfix_priv.h"

#include <ns_log.h>
#include <ns_registry.h>
#include <ns_write.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

NS_LOG_TYPE("write.ipfix");

struct ns_writer {
	struct ipfix_conf conf;
	struct ipfix_out *out;
	struct ipfix_kind *kinds;
	struct ipfix_tmpl *order[UINT16_MAX - IPFIX_ID_FIRST]; /* by id */
	unsigned tmpls_n;
	size_t limit; /* octets of a message */
	size_t staged; /* octets of the message that all gathered records make */
	uint32_t staged_n; /* records in it */
	uint32_t sequence;
	uint64_t messages;
	uint64_t flow_records;
	uint64_t octets;
	uint64_t too_long; /* records that no message can hold */
	bool unsent; /* a template has not been sent yet */
	uint64_t tmpl_ns; /* monotonic time and message number of the last template message */
	uint64_t tmpl_messages;
	int broken; /* -errno of a lost connection or full disk: there is nothing more to send to */
	uint8_t msg[IPFIX_MSG_MAX];
};

static size_t align4(size_t n)
{
	return (n + 3) & ~(size_t)3;
}

/* Octets of a data set: padded unless padding could be taken for a record, RFC 7011 3.3.1. */
static size_t set_octets(const struct ipfix_tmpl *t)
{
	size_t n = IPFIX_SET_HEAD + t->used, pad = align4(n) - n;

	if (t->n == 0)
		return 0;
	return pad < t->min_len ? n + pad : n;
}

/* Fills the header of w->msg and sends it; @records: data records in it. */
static int send_msg(struct ns_writer *w, const uint8_t *end, uint32_t records, struct ns_err *e)
{
	size_t len = (size_t)(end - w->msg);
	uint8_t *p = w->msg;
	int rc;

	p = ipfix_put_be(p, IPFIX_VERSION, 2);
	p = ipfix_put_be(p, len, 2);
	p = ipfix_put_be(p, ns_clock_real() / NS_SEC_NS, 4);
	p = ipfix_put_be(p, w->sequence, 4);
	ipfix_put_be(p, w->conf.observation_domain, 4);
	rc = ipfix_out_send(w->out, w->msg, len, e);
	if (rc < 0) {
		w->broken = rc;
		return rc;
	}
	w->sequence += records;
	w->messages++;
	w->octets += len;
	return 0;
}

static void close_set(uint8_t *set, const uint8_t *end)
{
	ipfix_put_be(set + 2, (uint64_t)(end - set), 2);
}

/* Sends the templates that are new, or all of them; several messages where one is too short. */
static int send_tmpls(struct ns_writer *w, bool all, struct ns_err *e)
{
	uint8_t *p = w->msg + IPFIX_HEAD, *set = NULL;
	int rc;

	for (unsigned i = 0; i < w->tmpls_n; i++) {
		struct ipfix_tmpl *t = w->order[i];

		if (t->sent && !all)
			continue;
		if (set != NULL && (size_t)(p - w->msg) + ipfix_tmpl_octets(t) > w->limit) {
			close_set(set, p);
			rc = send_msg(w, p, 0, e);
			if (rc < 0)
				return rc;
			p = w->msg + IPFIX_HEAD;
			set = NULL;
		}
		if (set == NULL) {
			set = p;
			p = ipfix_put_be(p, IPFIX_SET_TMPL, 2);
			p = ipfix_put_be(p, 0, 2);
		}
		p = ipfix_tmpl_put(t, p);
		t->sent = true;
	}
	w->unsent = false;
	rc = 0;
	if (set != NULL) {
		close_set(set, p);
		rc = send_msg(w, p, 0, e);
	}
	if (all || w->tmpl_ns == 0) {
		w->tmpl_ns = ns_clock_mono();
		w->tmpl_messages = w->messages;
	}
	return rc;
}

/* The Metering Process Statistics of RFC 7011 4.1, with their template each time: it is short. */
static int send_stats(struct ns_writer *w, struct ns_err *e)
{
	enum { SCOPE = 1, FIELDS = 4 };
	static const uint16_t elements[FIELDS][2] = {
		{149, 4}, /* observationDomainId, the scope */
		{41, 8}, /* exportedMessageTotalCount */
		{42, 8}, /* exportedFlowRecordTotalCount */
		{40, 8}, /* exportedOctetTotalCount */
	};
	uint8_t *set = w->msg + IPFIX_HEAD, *p = set + IPFIX_SET_HEAD;

	ipfix_put_be(set, IPFIX_SET_OPTIONS, 2);
	p = ipfix_put_be(p, IPFIX_ID_STATS, 2);
	p = ipfix_put_be(p, FIELDS, 2);
	p = ipfix_put_be(p, SCOPE, 2);
	for (unsigned i = 0; i < FIELDS; i++) {
		p = ipfix_put_be(p, elements[i][0], 2);
		p = ipfix_put_be(p, elements[i][1], 2);
	}
	p = ipfix_put_be(p, 0, 2); /* padding to 4 octets */
	close_set(set, p);

	set = p;
	p = ipfix_put_be(p, IPFIX_ID_STATS, 2);
	p = ipfix_put_be(p, 0, 2);
	p = ipfix_put_be(p, w->conf.observation_domain, 4);
	p = ipfix_put_be(p, w->messages, 8);
	p = ipfix_put_be(p, w->flow_records, 8);
	p = ipfix_put_be(p, w->octets, 8);
	close_set(set, p);
	return send_msg(w, p, 1, e);
}

/* Sends what templates are due; those of UDP get lost with a datagram or a restarted collector. */
static int refresh(struct ns_writer *w, struct ns_err *e)
{
	uint64_t age = ns_clock_mono() - w->tmpl_ns;
	uint64_t n = w->messages - w->tmpl_messages;

	if (w->out->transport == IPFIX_UDP && w->tmpls_n > 0 && w->tmpl_ns != 0 &&
		(age >= w->conf.template_refresh * NS_SEC_NS ||
			(w->conf.template_messages != 0 && n >= w->conf.template_messages)))
		return send_tmpls(w, true, e);
	return w->unsent ? send_tmpls(w, false, e) : 0;
}

/* Sends the gathered records as one message. */
static int emit(struct ns_writer *w, struct ns_err *e)
{
	uint8_t *p = w->msg + IPFIX_HEAD;
	uint32_t records = w->staged_n;
	int rc = refresh(w, e);

	if (rc < 0 || records == 0)
		return rc;
	for (unsigned i = 0; i < w->tmpls_n; i++) {
		struct ipfix_tmpl *t = w->order[i];
		size_t len = set_octets(t);

		if (len == 0)
			continue;
		memset(p + len - NS_MIN(len, 4), 0, 4); /* the padding, if there is any */
		ipfix_put_be(p, t->id, 2);
		ipfix_put_be(p + 2, len, 2);
		memcpy(p + IPFIX_SET_HEAD, t->buf, t->used);
		p += len;
		t->used = 0;
		t->n = 0;
	}
	w->staged = IPFIX_HEAD;
	w->staged_n = 0;
	rc = send_msg(w, p, records, e);
	if (rc == 0)
		w->flow_records += records;
	return rc;
}

static struct ipfix_kind *find_kind(
	struct ns_writer *w, const struct ns_rec_kind *kind, struct ns_err *e)
{
	struct ipfix_kind *k;

	for (k = w->kinds; k != NULL; k = k->next) {
		if (k->kind == kind)
			return k;
	}
	k = ipfix_kind_create(kind, e);
	if (k != NULL) {
		k->next = w->kinds;
		w->kinds = k;
	}
	return k;
}

static struct ipfix_tmpl *find_tmpl(
	struct ns_writer *w, struct ipfix_kind *k, const uint8_t *rec, struct ns_err *e)
{
	uint32_t v6 = ipfix_kind_families(k, rec);
	struct ipfix_tmpl *t;

	for (t = k->tmpls; t != NULL; t = t->next) {
		if (t->v6 == v6)
			return t;
	}
	if (w->tmpls_n == NS_ARRAY_LEN(w->order)) {
		ns_fail(e, EOVERFLOW, "ipfix: more than %zu templates", NS_ARRAY_LEN(w->order));
		return NULL;
	}
	t = ipfix_tmpl_create(
		k, v6, (uint16_t)(IPFIX_ID_FIRST + w->tmpls_n), w->limit, &w->conf, e);
	if (t == NULL)
		return NULL;
	w->order[w->tmpls_n++] = t;
	/* a template without fields is none: of an address that has no element in this family */
	t->sent = t->elems_n == 0;
	w->unsent |= !t->sent;
	return t;
}

static int put_rec(struct ns_writer *w, struct ipfix_tmpl *t, const uint8_t *rec, struct ns_err *e)
{
	size_t before = set_octets(t), old = t->used, len;
	int rc;

	if (t->elems_n == 0)
		return 0;
	len = (size_t)(ipfix_encode(t, rec, t->buf + old) - (t->buf + old));
	if (IPFIX_HEAD + IPFIX_SET_HEAD + len > w->limit) {
		w->too_long++;
		return 0;
	}
	t->used += len;
	t->n++;
	if (w->staged - before + set_octets(t) > w->limit) {
		t->used = old;
		t->n--;
		rc = emit(w, e);
		if (rc < 0)
			return rc;
		memmove(t->buf, t->buf + old, len);
		t->used = len;
		t->n = 1;
		before = 0;
	}
	w->staged += set_octets(t) - before;
	w->staged_n++;
	return 0;
}

static int ipfix_put(struct ns_writer *w, const struct ns_batch *b, struct ns_err *e)
{
	struct ipfix_kind *k;

	if (w->broken < 0)
		return ns_fail(e, -w->broken, "ipfix:%s: given up after an error", w->out->target);
	k = find_kind(w, b->kind, e);
	if (k == NULL)
		return -errno;
	for (uint32_t i = 0; !k->silent && i < b->n; i++) {
		const uint8_t *rec = b->records + (size_t)i * b->kind->size;
		struct ipfix_tmpl *t = find_tmpl(w, k, rec, e);
		int rc = t != NULL ? put_rec(w, t, rec, e) : -errno;

		if (rc < 0)
			return rc;
	}
	return 0;
}

static int ipfix_flush(struct ns_writer *w, struct ns_err *e)
{
	if (w->broken < 0)
		return ns_fail(e, -w->broken, "ipfix:%s: given up after an error", w->out->target);
	return emit(w, e);
}

static void destroy(struct ns_writer *w)
{
	while (w->kinds != NULL) {
		struct ipfix_kind *k = w->kinds;

		w->kinds = k->next;
		ipfix_kind_destroy(k);
	}
	free(w);
}

static int ipfix_close(struct ns_writer *w, struct ns_err *e)
{
	int rc = 0, rc2;

	if (w->too_long > 0)
		NS_LOG(WARNING,
			"ipfix:%s: %" PRIu64 " records left out: none fits into a message of %zu "
			"octets",
			w->out->target, w->too_long, w->limit);
	if (w->broken == 0)
		rc = emit(w, e);
	if (rc == 0 && w->broken == 0)
		rc = send_stats(w, e);
	rc2 = ipfix_out_close(w->out, rc == 0 ? e : NULL);
	destroy(w);
	rc = rc < 0 ? rc : rc2;
	return rc < 0 ? ns_errno_set(-rc) : 0;
}

static struct ns_writer *ipfix_open(const struct ns_writer_args *args, struct ns_err *e)
{
	const struct ipfix_conf *c = args->conf != NULL ? ns_conf_get(args->conf, "ipfix") : NULL;
	struct ns_writer *w = calloc(1, sizeof(*w));

	if (w == NULL) {
		ns_fail(e, ENOMEM, "ipfix:%s: no memory", args->target);
		return NULL;
	}
	w->conf = c != NULL ? *c : ipfix_conf_defaults;
	w->out = ipfix_out_open(args->target, &w->conf, e);
	if (w->out == NULL) {
		free(w);
		return NULL;
	}
	/* Down to a multiple of 4, so that padding never goes beyond it. */
	w->limit = (w->out->transport == IPFIX_UDP ? w->conf.mtu : IPFIX_MSG_MAX) & ~(size_t)3;
	w->staged = IPFIX_HEAD;
	return w;
}

static const struct ns_writer_ops ipfix_ops = {
	.wants = NS_WRITER_CUTS,
	.section = "ipfix",
	.open = ipfix_open,
	.check = ipfix_out_check,
	.put = ipfix_put,
	.flush = ipfix_flush,
	.close = ipfix_close,
};

static const struct ns_plugin ipfix = {
	.kind = NS_WRITER_KIND,
	.name = "ipfix",
	.summary = "IPFIX (RFC 7011) to FILE, udp://HOST:PORT or tcp://HOST:PORT",
	.abi = NS_PLUGIN_ABI,
	.ops = &ipfix_ops,
};
NS_PLUGIN_REGISTER(ipfix)
