/* SPDX-License-Identifier: BSD-3-Clause */
/* doc/records.md: made from the descriptions, so that it can't say anything else than the code. */
#include <ns_rec.h>

#include <stdio.h>
#include <unistd.h>

static const char *type_name(enum ns_rec_type t)
{
	static const char *const names[] = {
		[NS_REC_U8] = "u8",
		[NS_REC_U16] = "u16",
		[NS_REC_U32] = "u32",
		[NS_REC_U64] = "u64",
		[NS_REC_I64] = "i64",
		[NS_REC_F64] = "f64",
		[NS_REC_TIME] = "time",
		[NS_REC_IP] = "address",
		[NS_REC_MAC] = "MAC",
		[NS_REC_STR] = "text",
		[NS_REC_PROTO] = "protocol",
		[NS_REC_TCP_FLAGS] = "TCP flags",
		[NS_REC_VLANS] = "VLAN ids",
		[NS_REC_BYTES] = "octets",
		[NS_REC_PREFIX] = "prefix",
	};

	return (size_t)t < NS_ARRAY_LEN(names) ? names[t] : "";
}

static void element(FILE *out, const struct ns_rec_field *f)
{
	if ((f->flags & NS_REC_NO_EXPORT) != 0 || f->ipfix_ie == 0) {
		fputs("–", out);
		return;
	}
	if (f->ipfix_pen != 0)
		fprintf(out, "%u/", f->ipfix_pen);
	fprintf(out, "%u", f->ipfix_ie);
	if (f->ipfix_ie6 != 0)
		fprintf(out, ", %u", f->ipfix_ie6);
}

static void describe(FILE *out, const struct ns_rec_kind *k)
{
	fprintf(out, "\n## %s (version %u)\n\n%s.\n\n", k->name, k->version, k->help);
	fputs("| field | type | unit | IPFIX | meaning |\n|---|---|---|---|---|\n", out);
	for (unsigned i = 0; i < k->fields_n; i++) {
		const struct ns_rec_field *f = &k->fields[i];

		fprintf(out, "| `%s` | %s | %s | ", f->name, type_name(f->type),
			f->unit ? f->unit : "");
		element(out, f);
		fprintf(out, " | %s |\n", f->help != NULL ? f->help : "");
	}
}

int ns_rec_reference(int fd)
{
	int copy = dup(fd);
	FILE *out = copy >= 0 ? fdopen(copy, "w") : NULL;

	if (out == NULL) {
		int err = errno;

		if (copy >= 0)
			close(copy);
		return ns_errno_set(err);
	}
	fputs("<!-- SPDX-License-Identifier: BSD-3-Clause -->\n"
	      "# Records\n\n"
	      "Made by `pcap-analyzer --record-reference`; do not edit.\n\n"
	      "Every writer prints the fields in this order and under these names. The column IPFIX\n"
	      "gives the information element (IANA number, or enterprise/number; 29305 is the reverse\n"
	      "direction of RFC 5103; two numbers are for IPv4 and IPv6); – is not exported.\n"
	      "\n"
	      "Kinds that the configuration makes, one for each task under its name, are not listed\n"
	      "here.\n",
		out);
	for (const struct ns_rec_kind *k = NULL; (k = ns_rec_next(k)) != NULL;)
		describe(out, k);
	return fclose(out) == 0 ? 0 : ns_errno_set(errno);
}
