/* SPDX-License-Identifier: BSD-3-Clause */
/* Batches to entries and back; see ns_spool_batch.h and spool_batch.h. */
#include "spool_batch.h"

#include <ns_log.h>

#include <stdlib.h>
#include <string.h>

NS_LOG_TYPE("spool");

/* A kind that was put, and the hash of its layout, which has been written down. */
struct known {
	struct known *next;
	const struct ns_rec_kind *kind;
	uint64_t hash;
};

struct ns_spool_encoder {
	struct ns_spool *sp;
	struct known *known;
};

struct ns_spool_encoder *ns_spool_encoder_create(struct ns_spool *sp)
{
	struct ns_spool_encoder *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return ns_errno_null(ENOMEM);
	c->sp = sp;
	return c;
}

void ns_spool_encoder_destroy(struct ns_spool_encoder *c)
{
	if (c == NULL)
		return;
	for (struct known *k = c->known, *next; k != NULL; k = next) {
		next = k->next;
		free(k);
	}
	free(c);
}

static int known(struct ns_spool_encoder *c, const struct ns_rec_kind *kind, uint64_t *hash)
{
	struct known *k = c->known;
	int rc;

	while (k != NULL && k->kind != kind)
		k = k->next;
	if (k != NULL) {
		*hash = k->hash;
		return 0;
	}
	*hash = layout_hash(kind);
	rc = layout_save(ns_spool_directory(c->sp), kind, *hash);
	if (rc < 0)
		return rc;
	k = malloc(sizeof(*k));
	if (k == NULL)
		return ns_errno_set(ENOMEM);
	*k = (struct known){c->known, kind, *hash};
	c->known = k;
	return 0;
}

static size_t head_size(size_t name_len)
{
	return (sizeof(struct batch_head) + name_len + 7) & ~(size_t)7;
}

size_t ns_spool_put_size(const struct ns_batch *b)
{
	return head_size(strlen(b->kind->name)) + b->n * b->kind->size;
}

int ns_spool_put(struct ns_spool_encoder *c, const struct ns_batch *b, uint64_t *uncounted)
{
	uint8_t head[sizeof(struct batch_head) + BATCH_NAME_MAX + 8] = {0};
	struct batch_head h = {.format = BATCH_FORMAT,
		.version = b->kind->version,
		.rows = b->n,
		.row = (uint32_t)b->kind->size,
		.name_len = (uint32_t)strlen(b->kind->name)};
	int rc;

	if (b->n == 0)
		return 0;
	rc = known(c, b->kind, &h.layout);
	if (rc < 0) {
		*uncounted += b->n;
		return rc;
	}
	memcpy(head, &h, sizeof(h));
	memcpy(head + sizeof(h), b->kind->name, h.name_len);
	struct iovec parts[] = {{head, head_size(h.name_len)}, {b->records, b->n * b->kind->size}};

	return ns_spool_append(c->sp, parts, 2, b->n, ns_clock_real());
}

/* What is done with entries of a layout. */
struct reading {
	struct reading *next;
	uint64_t hash;
	const struct ns_rec_kind *kind; /* of the octets; NULL: they are skipped */
	struct layout_kind *own; /* kind is its, or NULL */
	struct convert *convert; /* to what kind; NULL: as they are */
};

struct ns_spool_decoder {
	int directory;
	const char *source;
	struct reading *readings;
	uint8_t *rows; /* converted */
	size_t rows_max;
	uint64_t converted, skipped; /* writer: its thread; readers: any, relaxed */
};

struct ns_spool_decoder *ns_spool_decoder_create(int directory, const char *source)
{
	struct ns_spool_decoder *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return ns_errno_null(ENOMEM);
	d->directory = directory;
	d->source = source;
	return d;
}

void ns_spool_decoder_destroy(struct ns_spool_decoder *d)
{
	if (d == NULL)
		return;
	for (struct reading *r = d->readings, *next; r != NULL; r = next) {
		next = r->next;
		layout_free(r->own);
		free(r->convert);
		free(r);
	}
	free(d->rows);
	free(d);
}

/*
 * A kind of this program is taken as it is when the layout is the same; else the one that was
 * written down, converted when this program has a kind of that name, which sinks expect.
 */
static int plan(struct ns_spool_decoder *d, struct reading *r, const char *name)
{
	const struct ns_rec_kind *now = ns_rec_find(name);
	struct ns_err why;

	if (now != NULL && layout_hash(now) == r->hash) {
		r->kind = now;
		return 0;
	}
	r->own = layout_load(d->directory, r->hash);
	if (r->own == NULL && errno == ENOMEM)
		return -ENOMEM;
	if (r->own == NULL || strcmp(r->own->name, name) != 0) {
		NS_LOG(ERR, "records of kind \"%s\" are skipped: their layout is lost", name);
		return 0;
	}
	if (now != NULL) {
		r->convert = convert_create(&r->own->kind, now, &why);
		if (r->convert == NULL && errno == ENOMEM)
			return -ENOMEM;
		if (r->convert == NULL) {
			NS_LOG(ERR, "records of kind \"%s\" of another program are skipped: %s",
				name, why.text);
			return 0;
		}
		NS_LOG(NOTICE, "records of kind \"%s\" of another program are converted", name);
	}
	r->kind = &r->own->kind;
	return 0;
}

static struct reading *reading(struct ns_spool_decoder *d, uint64_t hash, const char *name)
{
	struct reading *r = d->readings;

	while (r != NULL && r->hash != hash)
		r = r->next;
	if (r != NULL)
		return r;
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		return ns_errno_null(ENOMEM);
	r->hash = hash;
	if (plan(d, r, name) < 0) {
		layout_free(r->own);
		free(r);
		return ns_errno_null(ENOMEM);
	}
	r->next = d->readings;
	d->readings = r;
	return r;
}

/* Whether the entry is one of records, and where they are. */
static bool parse(
	const struct ns_spool_entry *x, struct batch_head *h, char *name, const uint8_t **rows)
{
	if (x->len < sizeof(*h))
		return false;
	memcpy(h, x->data, sizeof(*h));
	if (h->format != BATCH_FORMAT || h->name_len == 0 || h->name_len >= BATCH_NAME_MAX ||
		h->rows != x->records || h->rows == 0 || h->row == 0)
		return false;
	size_t head = head_size(h->name_len);

	if (x->len < head || (x->len - head) / h->row != h->rows || (x->len - head) % h->row != 0)
		return false;
	memcpy(name, x->data + sizeof(*h), h->name_len);
	name[h->name_len] = '\0';
	*rows = x->data + head;
	return true;
}

static int convert(
	struct ns_spool_decoder *d, const struct convert *c, uint32_t n, const uint8_t *rows)
{
	size_t want = n * c->to->size;

	if (want > d->rows_max) {
		uint8_t *more = realloc(d->rows, want);

		if (more == NULL)
			return ns_errno_set(ENOMEM);
		d->rows = more;
		d->rows_max = want;
	}
	for (uint32_t i = 0; i < n; i++)
		convert_row(c, rows + i * c->from->size, d->rows + i * c->to->size);
	ns_stat_add(&d->converted, n);
	return 0;
}

int ns_spool_get(struct ns_spool_decoder *d, const struct ns_spool_entry *x, struct ns_batch *b)
{
	char name[BATCH_NAME_MAX];
	const uint8_t *rows = NULL;
	struct batch_head h;
	struct reading *r = NULL;

	if (parse(x, &h, name, &rows)) {
		r = reading(d, h.layout, name);
		if (r == NULL)
			return -errno;
	}
	if (r == NULL || r->kind == NULL || r->kind->size != h.row) {
		ns_stat_add(&d->skipped, x->records);
		return 0;
	}
	*b = (struct ns_batch){.kind = r->kind,
		.n = h.rows,
		.max = h.rows,
		.records = (uint8_t *)(uintptr_t)rows,
		.seq = x->seq,
		.source = d->source};
	if (r->convert == NULL)
		return 1;
	if (convert(d, r->convert, h.rows, rows) < 0)
		return -errno;
	b->kind = r->convert->to;
	b->records = d->rows;
	return 1;
}

void ns_spool_decoded(const struct ns_spool_decoder *d, struct ns_spool_decoded *s)
{
	s->converted = ns_stat_get(&d->converted);
	s->skipped = ns_stat_get(&d->skipped);
}
