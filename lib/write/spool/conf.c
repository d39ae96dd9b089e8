/* SPDX-License-Identifier: BSD-3-Clause */
#include "spool_writer.h"

static char directory[] = "spool", max[] = "1 GiB", segment[] = "16 MiB", linger[] = "5s";
const struct spool_conf spool_conf_defaults = {
	directory, max, segment, linger, NS_SPOOL_SYNC_INTERVAL};

static const cyaml_strval_t syncs[] = {{"each", NS_SPOOL_SYNC_EACH},
	{"interval", NS_SPOOL_SYNC_INTERVAL}, {"none", NS_SPOOL_SYNC_NONE}};

#define TEXT(name, member, n)   \
	CYAML_FIELD_STRING_PTR( \
		name, CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER, struct spool_conf, member, 1, n)

static const cyaml_schema_field_t fields[] = {TEXT("directory", directory, 4000),
	TEXT("max", max, 64), TEXT("segment", segment, 64), TEXT("linger", linger, 64),
	CYAML_FIELD_ENUM("sync", CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT, struct spool_conf, sync,
		syncs, NS_ARRAY_LEN(syncs)),
	CYAML_FIELD_END};

static const struct ns_conf_doc docs[] = {
	{"directory",
		"where spools are kept, in a folder for each writer; on a disk of its own if possible"},
	{"max", "size of one spool (2 segments or more); full: the oldest segment is lost, counted"},
	{"segment", "size of one file of it (64 KiB-1 GiB)"},
	{"linger",
		"at the end, how long to go on delivering (a file: to wait for a writer that takes "
		"nothing); what is left waits for the next start"},
	{"sync", "what a power failure may take: each: nothing; interval: about a second; none: "
		 "what the kernel has not written. A killed process loses nothing in any case"},
	{NULL, NULL}};

static int check(const void *values, const char **key, struct ns_err *e)
{
	const struct spool_conf *c = values;
	uint64_t most, one, ns;

	*key = "linger";
	if (ns_conf_duration(c->linger, &ns, e) < 0)
		return -errno;
	*key = "segment";
	if (ns_conf_size(c->segment, &one, e) < 0)
		return -errno;
	if (one < 65536 || one > NS_SPOOL_SEGMENT_MAX || one % 4096 != 0)
		return ns_fail(e, EINVAL,
			"\"%.40s\" is not between 64 KiB and 1 GiB, in steps of 4 KiB", c->segment);
	*key = "max";
	if (ns_conf_size(c->max, &most, e) < 0)
		return -errno;
	if (most / one < NS_SPOOL_SEGMENTS_MIN)
		return ns_fail(e, EINVAL, "\"%.40s\" is less than %u segments of %.40s", c->max,
			NS_SPOOL_SEGMENTS_MIN, c->segment);
	return 0;
}

static struct ns_conf_section section = {.name = "spool",
	.summary = "writer \"spool\", before another one: \"spool+sqlite:FILE\" keeps records on "
		   "disk until the other one has them",
	.fields = fields,
	.size = sizeof(struct spool_conf),
	.defaults = &spool_conf_defaults,
	.docs = docs,
	.live = (const char *const[]){"spool", NULL},
	.check = check};

NS_CONF_REGISTER(section)
