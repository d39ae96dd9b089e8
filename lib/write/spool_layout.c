/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The layout of a kind of records as octets: a file "layout-<hash>" beside the segments, and what
 * its hash is made of.
 *
 *	| magic version | kind: name version size family fields | field 0 | field 1 | ... | crc |
 *
 * What comes back from disk decides which octets are read as what: no length in it is trusted.
 */
#include "spool_batch.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAGIC UINT64_C(0x3159414c4f4f5053) /* "SPOOLAY1" */
#define FIELDS_MAX 1024u
#define ROW_MAX (1u << 20)
#define TEXT_MAX 64u

struct disk_head {
	uint64_t magic;
	char name[BATCH_NAME_MAX];
	uint32_t version;
	uint32_t size;
	int32_t family;
	uint32_t fields_n;
};

struct disk_field {
	char name[TEXT_MAX];
	char type[12];
	char unit[20];
	uint32_t offset, size, flags, pen;
	uint16_t ie, ie6;
	uint32_t len;
};
_Static_assert(sizeof(struct disk_head) == 152 && sizeof(struct disk_field) == 120, "no holes");

/* Words, as the numbers of an enum move when somebody adds one. */
static const struct {
	const char *name;
	enum ns_rec_type type;
	uint32_t size; /* 0: any */
} types[] = {{"u8", NS_REC_U8, 1}, {"u16", NS_REC_U16, 2}, {"u32", NS_REC_U32, 4},
	{"u64", NS_REC_U64, 8}, {"i64", NS_REC_I64, 8}, {"f64", NS_REC_F64, 8},
	{"time", NS_REC_TIME, 8}, {"ip", NS_REC_IP, sizeof(struct ns_ip)}, {"mac", NS_REC_MAC, 6},
	{"str", NS_REC_STR, 0}, {"proto", NS_REC_PROTO, 1}, {"tcp_flags", NS_REC_TCP_FLAGS, 1},
	{"vlans", NS_REC_VLANS, sizeof(struct ns_vlans)}, {"bytes", NS_REC_BYTES, 0},
	{"prefix", NS_REC_PREFIX, sizeof(struct ns_prefix)}};

static void put_field(struct disk_field *d, const struct ns_rec_field *f)
{
	memset(d, 0, sizeof(*d));
	snprintf(d->name, sizeof(d->name), "%s", f->name);
	snprintf(d->unit, sizeof(d->unit), "%s", f->unit != NULL ? f->unit : "");
	for (size_t i = 0; i < NS_ARRAY_LEN(types); i++) {
		if (types[i].type == f->type)
			snprintf(d->type, sizeof(d->type), "%s", types[i].name);
	}
	d->offset = f->offset;
	d->size = f->size;
	d->flags = f->flags;
	d->pen = f->ipfix_pen;
	d->ie = f->ipfix_ie;
	d->ie6 = f->ipfix_ie6;
	d->len = f->ipfix_len;
}

static void put_head(struct disk_head *h, const struct ns_rec_kind *k)
{
	memset(h, 0, sizeof(*h));
	h->magic = MAGIC;
	snprintf(h->name, sizeof(h->name), "%s", k->name);
	h->version = k->version;
	h->size = (uint32_t)k->size;
	h->family = k->ipfix_family_field;
	h->fields_n = k->fields_n;
}

/* FNV-1a with 64 bits (Fowler, Noll, Vo 1991). */
static uint64_t fnv(uint64_t h, const void *data, size_t n)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * UINT64_C(0x100000001b3);
	return h;
}

uint64_t layout_hash(const struct ns_rec_kind *k)
{
	struct disk_head h;
	struct disk_field f;

	put_head(&h, k);
	uint64_t hash = fnv(UINT64_C(0xcbf29ce484222325), &h, sizeof(h));

	for (unsigned i = 0; i < k->fields_n; i++) {
		put_field(&f, &k->fields[i]);
		hash = fnv(hash, &f, sizeof(f));
	}
	return hash;
}

static void file_name(char name[32], const char *kind, uint64_t hash)
{
	snprintf(name, 32, "%s-%016llx", kind, (unsigned long long)hash);
}

static uint8_t *pack(const struct ns_rec_kind *k, size_t *n)
{
	*n = sizeof(struct disk_head) + k->fields_n * sizeof(struct disk_field) + sizeof(uint32_t);
	uint8_t *all = malloc(*n), *p = all;

	if (all == NULL)
		return NULL;
	put_head((struct disk_head *)(void *)p, k);
	p += sizeof(struct disk_head);
	for (unsigned i = 0; i < k->fields_n; i++, p += sizeof(struct disk_field))
		put_field((struct disk_field *)(void *)p, &k->fields[i]);
	uint32_t crc = ns_crc32c(0, all, *n - sizeof(crc));

	memcpy(p, &crc, sizeof(crc));
	return all;
}

/* What can be written down, so that it can be read again. */
static bool fit(const struct ns_rec_kind *k)
{
	bool ok = strlen(k->name) < BATCH_NAME_MAX && k->fields_n > 0 &&
		  k->fields_n <= FIELDS_MAX && k->size > 0 && k->size <= ROW_MAX;

	for (unsigned i = 0; ok && i < k->fields_n; i++)
		ok = strlen(k->fields[i].name) < TEXT_MAX;
	return ok;
}

int layout_save(int directory, const struct ns_rec_kind *k, uint64_t hash)
{
	char name[32], draft[32];
	size_t n = 0;
	int fd, rc = 0;

	file_name(name, "layout", hash);
	file_name(draft, "draft", hash);
	if (faccessat(directory, name, F_OK, 0) == 0)
		return 0;
	if (!fit(k))
		return ns_errno_set(EINVAL);
	uint8_t *all = pack(k, &n);

	if (all == NULL)
		return ns_errno_set(ENOMEM);
	fd = openat(directory, draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0) {
		rc = -errno;
	} else {
		ssize_t done = write(fd, all, n);

		if (done != (ssize_t)n)
			rc = done < 0 ? -errno : -ENOSPC;
		else if (fsync(fd) < 0 || renameat(directory, draft, directory, name) < 0)
			rc = -errno;
		close(fd);
		if (rc < 0)
			unlinkat(directory, draft, 0);
	}
	free(all);
	return rc < 0 ? ns_errno_set(-rc) : 0;
}

static bool text_ok(const char *t, size_t size)
{
	return memchr(t, '\0', size) != NULL;
}

/* A field as the other functions of rec may use it without a look. */
static bool get_field(
	const struct disk_field *d, uint32_t row, struct ns_rec_field *f, char names[2][TEXT_MAX])
{
	size_t i = 0;

	if (!text_ok(d->name, sizeof(d->name)) || !text_ok(d->type, sizeof(d->type)) ||
		!text_ok(d->unit, sizeof(d->unit)) || d->name[0] == '\0')
		return false;
	while (i < NS_ARRAY_LEN(types) && strcmp(types[i].name, d->type) != 0)
		i++;
	if (i == NS_ARRAY_LEN(types) || d->size == 0 || d->size > UINT16_MAX ||
		(types[i].size != 0 && types[i].size != d->size))
		return false;
	if (d->offset > UINT16_MAX || d->offset + d->size > row || d->len > UINT8_MAX)
		return false;
	memcpy(names[0], d->name, TEXT_MAX);
	memcpy(names[1], d->unit, sizeof(d->unit));
	*f = (struct ns_rec_field){.name = names[0],
		.type = types[i].type,
		.offset = (uint16_t)d->offset,
		.size = (uint16_t)d->size,
		.flags = d->flags,
		.ipfix_pen = d->pen,
		.ipfix_ie = d->ie,
		.ipfix_ie6 = d->ie6,
		.ipfix_len = (uint8_t)d->len,
		.unit = names[1],
		.help = ""};
	return true;
}

static bool head_ok(const struct disk_head *h, size_t n)
{
	return h->magic == MAGIC && text_ok(h->name, sizeof(h->name)) && h->name[0] != '\0' &&
	       h->fields_n > 0 && h->fields_n <= FIELDS_MAX && h->size > 0 && h->size <= ROW_MAX &&
	       h->family >= -1 && h->family < (int32_t)h->fields_n &&
	       n == sizeof(*h) + h->fields_n * sizeof(struct disk_field) + sizeof(uint32_t);
}

static bool family_ok(const struct ns_rec_kind *k)
{
	return k->ipfix_family_field < 0 || k->fields[k->ipfix_family_field].type == NS_REC_IP;
}

struct layout_kind *layout_parse(const uint8_t *p, size_t n)
{
	struct disk_head h;
	uint32_t crc;
	bool ok = true;

	if (n < sizeof(h) + sizeof(crc))
		return ns_errno_null(EBADMSG);
	memcpy(&h, p, sizeof(h));
	memcpy(&crc, p + n - sizeof(crc), sizeof(crc));
	if (!head_ok(&h, n) || crc != ns_crc32c(0, p, n - sizeof(crc)))
		return ns_errno_null(EBADMSG);
	struct layout_kind *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return ns_errno_null(ENOMEM);
	k->fields = calloc(h.fields_n, sizeof(*k->fields));
	k->names = calloc(2 * (size_t)h.fields_n, sizeof(*k->names));
	if (k->fields == NULL || k->names == NULL) {
		layout_free(k);
		return ns_errno_null(ENOMEM);
	}
	for (unsigned i = 0; ok && i < h.fields_n; i++) {
		struct disk_field f;

		memcpy(&f, p + sizeof(h) + i * sizeof(f), sizeof(f));
		ok = get_field(&f, h.size, &k->fields[i], &k->names[2 * (size_t)i]);
	}
	memcpy(k->name, h.name, sizeof(k->name));
	k->kind = (struct ns_rec_kind){.name = k->name,
		.version = h.version,
		.size = h.size,
		.fields = k->fields,
		.fields_n = h.fields_n,
		.help = "",
		.ipfix_family_field = h.family};
	if (ok && family_ok(&k->kind))
		return k;
	layout_free(k);
	return ns_errno_null(EBADMSG);
}

struct layout_kind *layout_load(int directory, uint64_t hash)
{
	const size_t max = sizeof(struct disk_head) + FIELDS_MAX * sizeof(struct disk_field) +
			   sizeof(uint32_t) + 1;
	struct layout_kind *k = NULL;
	char name[32];

	file_name(name, "layout", hash);
	int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return NULL;
	uint8_t *p = malloc(max);
	ssize_t n = p != NULL ? read(fd, p, max) : -1;
	int err = p != NULL ? EBADMSG : ENOMEM;

	if (n >= 0) {
		k = layout_parse(p, (size_t)n);
		err = errno;
	}
	close(fd);
	free(p);
	/* another program's layout under this name would be worse than none */
	if (k != NULL && layout_hash(&k->kind) != hash) {
		layout_free(k);
		return ns_errno_null(EBADMSG);
	}
	return k != NULL ? k : ns_errno_null(err);
}

void layout_free(struct layout_kind *k)
{
	if (k == NULL)
		return;
	free(k->fields);
	free(k->names);
	free(k);
}
