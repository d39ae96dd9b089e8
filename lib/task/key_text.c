/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A key from text, for those who ask for one: "192.0.2.1", "10.0.0.0/24 tcp 443". A word for each
 * field, in the order in which the key was asked for, each written as it stands in a row.
 */
#include "task_ops.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>

#define WORD_MAX 64

static int bad(const struct task_part *p, const char *word, const char *what, struct ns_err *e)
{
	return ns_fail(e, EINVAL, "\"%s\" is no %s, which %s is", word, what, p->field.name);
}

/* A whole number of at most max; *s is behind it. */
static bool number(const char **s, uint64_t max, uint64_t *v)
{
	char *end;

	if (!isdigit((unsigned char)**s))
		return false;
	errno = 0;
	*v = strtoull(*s, &end, 10);
	*s = end;
	return errno == 0 && *v <= max;
}

static int put_ip(const struct task_part *p, const char *word, uint8_t *to, struct ns_err *e)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	size_t n = strcspn(word, "/");
	uint8_t addr[16] = {0}, all[16], ver;
	char text[INET6_ADDRSTRLEN];
	const char *s = word + n + 1;
	uint64_t len;

	if (n >= sizeof(text))
		return bad(p, word, "address", e);
	memcpy(text, word, n);
	text[n] = '\0';
	ver = inet_pton(AF_INET, text, addr) == 1 ? 4 : 6;
	if (ver == 6 && inet_pton(AF_INET6, text, addr) != 1)
		return bad(p, word, "address", e);
	if (ver == 6 && memcmp(addr, mapped, sizeof(mapped)) == 0)
		return ns_fail(e, EINVAL, "\"%s\": write IPv4 as IPv4", word);
	task_put_addr(all, addr, ver, NULL);
	task_put_addr(to, addr, ver, p->mask.on ? &p->mask : NULL);
	if (!p->mask.on && word[n] == '/')
		return bad(p, word, "address without a prefix length", e);
	if (memcmp(all, to, sizeof(all)) != 0)
		return ns_fail(e, EINVAL, "\"%s\" has bits set behind the first %u of %s", word,
			ver == 4 ? p->mask.len4 : p->mask.len6, p->field.name);
	if (word[n] == '/' && (!number(&s, 128, &len) || *s != '\0' ||
				      len != (ver == 4 ? p->mask.len4 : p->mask.len6)))
		return ns_fail(e, EINVAL, "\"%s\": the prefix length of %s is %u", word,
			p->field.name, ver == 4 ? p->mask.len4 : p->mask.len6);
	return 0;
}

static int put_number(const struct task_part *p, const char *word, uint8_t *to, struct ns_err *e)
{
	unsigned octets = p->field.size;
	uint64_t v, max = octets < 8 ? (UINT64_C(1) << octets * 8) - 1 : UINT64_MAX;
	const char *s = word;

	if (!number(&s, max, &v) || *s != '\0')
		return ns_fail(e, EINVAL, "\"%s\" is no whole number up to %llu, which %s is", word,
			(unsigned long long)max, p->field.name);
	memcpy(to, &v, octets);
	return 0;
}

static int put_proto(const struct task_part *p, const char *word, uint8_t *to, struct ns_err *e)
{
	for (unsigned i = 0; i < 256; i++) {
		const char *name = ns_proto_name((uint8_t)i);

		if (name == NULL || strcmp(name, word) != 0)
			continue;
		*to = (uint8_t)i;
		return 0;
	}
	if (!isdigit((unsigned char)word[0]))
		return bad(p, word, "IP protocol", e);
	return put_number(p, word, to, e);
}

static int put_tcp_flags(const struct task_part *p, const char *word, uint8_t *to, struct ns_err *e)
{
	static const char letters[] = "FSRPAUEC";

	if (isdigit((unsigned char)word[0]))
		return put_number(p, word, to, e);
	for (*to = 0; *word != '\0'; word++) {
		const char *at = strchr(letters, *word);

		if (at == NULL)
			return bad(p, word, "letters of FSRPAUEC", e);
		*to |= (uint8_t)(1u << (at - letters));
	}
	return 0;
}

static int put_vlans(const struct task_part *p, const char *word, uint8_t *to, struct ns_err *e)
{
	uint16_t id[2] = {0, 0};
	const char *s = word;
	uint64_t v;

	for (unsigned i = 0; i < 2 && strcmp(word, "none") != 0; i++) {
		if (!number(&s, 4095, &v))
			return bad(p, word, "VLAN id as 100, 100.200 or none", e);
		id[i] = (uint16_t)(v + 1);
		if (*s == '\0')
			break;
		if (i == 1 || *s++ != '.')
			return bad(p, word, "VLAN id as 100, 100.200 or none", e);
	}
	memcpy(to, id, sizeof(id));
	return 0;
}

static int put_word(const struct task_part *p, const char *word, uint8_t *to, struct ns_err *e)
{
	const struct task_field *f = &p->field;

	if (f->code == TASK_CODE_TUNNEL)
		return ns_fail(e, EINVAL, "%s can't be asked for as text", f->name);
	switch (f->type) {
	case NS_REC_IP:
	case NS_REC_PREFIX:
		return put_ip(p, word, to, e);
	case NS_REC_PROTO:
		return put_proto(p, word, to, e);
	case NS_REC_TCP_FLAGS:
		return put_tcp_flags(p, word, to, e);
	case NS_REC_VLANS:
		return put_vlans(p, word, to, e);
	case NS_REC_U8:
	case NS_REC_U16:
	case NS_REC_U32:
	case NS_REC_U64:
	case NS_REC_TIME:
		return put_number(p, word, to, e);
	case NS_REC_STR:
		if (strlen(word) > f->size)
			return bad(p, word, "text of that length", e);
		memcpy(to, word, strlen(word));
		return 0;
	default:
		return ns_fail(e, EINVAL, "%s can't be asked for as text", f->name);
	}
}

int ns_task_key_text(const struct ns_task_build *b, unsigned key, const char *text, uint8_t *octets,
	struct ns_err *e)
{
	const struct task_key *k;

	if (key >= b->keys_n)
		return ns_fail(e, EINVAL, "there is no key %u", key);
	k = b->keys[key];
	memset(octets, 0, k->len);
	for (unsigned i = 0; i < k->parts_n; i++) {
		char word[WORD_MAX + 1];
		size_t n;

		text += strspn(text, " ");
		n = strcspn(text, " ");
		if (n == 0 || n > WORD_MAX)
			return ns_fail(e, EINVAL, "%s for %s",
				n == 0 ? "there is nothing" : "there is too much text",
				k->parts[i].field.name);
		memcpy(word, text, n);
		word[n] = '\0';
		text += n;
		if (put_word(&k->parts[i], word, octets + k->parts[i].at, e) < 0)
			return -errno;
	}
	text += strspn(text, " ");
	if (*text != '\0')
		return ns_fail(e, EINVAL, "the key has %u fields; \"%.40s\" is too much",
			k->parts_n, text);
	return 0;
}
