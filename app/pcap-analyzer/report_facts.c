/* SPDX-License-Identifier: BSD-3-Clause */
/* The names and numbers that both reports need, and the text that grows. */
#include "report_priv.h"
#include "services.h"

#include <ns_decode.h>
#include <ns_text.h>

#include <ctype.h>
#include <pcap/pcap.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

char *rbuf_room(struct rbuf *b, size_t n)
{
	if (b->err != 0)
		return NULL;
	if (b->size - b->n < n) {
		size_t size = NS_MAX(b->size * 2, b->n + n + 4096);
		char *text = realloc(b->text, size);

		if (text == NULL) {
			b->err = -ENOMEM;
			return NULL;
		}
		b->text = text;
		b->size = size;
	}
	return b->text + b->n;
}

void rbuf_took(struct rbuf *b, const char *end)
{
	b->n = (size_t)(end - b->text);
}

void rbuf_printf(struct rbuf *b, const char *fmt, ...)
{
	va_list args, again;

	va_start(args, fmt);
	va_copy(again, args);
	int n = vsnprintf(NULL, 0, fmt, args);
	char *p = n < 0 ? NULL : rbuf_room(b, (size_t)n + 1);

	if (n < 0 && b->err == 0)
		b->err = -ENOMEM;
	if (p != NULL)
		b->n += (size_t)vsnprintf(p, (size_t)n + 1, fmt, again);
	va_end(again);
	va_end(args);
}

void rbuf_str(struct rbuf *b, const char *s)
{
	size_t n = strlen(s);
	char *p = rbuf_room(b, n);

	if (p == NULL)
		return;
	memcpy(p, s, n);
	b->n += n;
}

void rbuf_plain(struct rbuf *b, const char *s, size_t n)
{
	char *p = rbuf_room(b, n);

	for (size_t i = 0; p != NULL && i < n; i++) {
		unsigned char c = (unsigned char)s[i];
		bool c1 = i > 0 && (unsigned char)s[i - 1] == 0xc2 && c >= 0x80 && c < 0xa0;

		if (c1)
			p[-1] = '?';
		*p++ = c < 0x20 || c == 0x7f || c1 ? '?' : s[i];
	}
	if (p != NULL)
		rbuf_took(b, p);
}

int rbuf_end(struct rbuf *b, FILE *out)
{
	int err = b->err;

	errno = 0;
	if (err == 0 && (fwrite(b->text, 1, b->n, out) != b->n || fflush(out) != 0))
		err = errno != 0 ? -errno : -EIO;
	free(b->text);
	memset(b, 0, sizeof(*b));
	return err != 0 ? ns_errno_set(-err) : 0;
}

static int proto_cmp(const void *x, const void *y)
{
	const struct proto_row *a = x, *b = y;

	if (a->c.octets != b->c.octets)
		return a->c.octets > b->c.octets ? -1 : 1;
	if (a->c.packets != b->c.packets)
		return a->c.packets > b->c.packets ? -1 : 1;
	if (a->ip != b->ip)
		return a->ip ? -1 : 1;
	return (int)a->number - (int)b->number;
}

unsigned report_protos(const struct ns_engine_stats *s, struct proto_row rows[REPORT_PROTOS])
{
	unsigned n = 0;

	for (unsigned i = 0; i < 256; i++) {
		if (s->ip[i].packets != 0)
			rows[n++] = (struct proto_row){s->ip[i], (uint16_t)i, true, false};
	}
	for (unsigned i = 0; i < s->l2_n && i < NS_L2_PROTOS; i++) {
		if (s->l2[i].packets != 0)
			rows[n++] = (struct proto_row){
				s->l2[i], s->l2_type[i], false, i == NS_L2_PROTOS - 1};
	}
	/* by hand: qsort() may allocate, and there are hardly ever more than a dozen */
	for (unsigned i = 1; i < n; i++) {
		struct proto_row row = rows[i];
		unsigned at = i;

		for (; at > 0 && proto_cmp(&row, &rows[at - 1]) < 0; at--)
			rows[at] = rows[at - 1];
		rows[at] = row;
	}
	return n;
}

char *report_proto_name(char *buf, const struct proto_row *p)
{
	const char *name = p->ip ? ns_proto_name((uint8_t)p->number) : ns_ethertype_name(p->number);

	if (p->rest)
		strcpy(buf, "others");
	else if (name != NULL)
		snprintf(buf, 32, "%s", name);
	else
		snprintf(buf, 32, p->ip ? "ip/%u" : "0x%04x", p->number);
	return buf;
}

char *report_linktype_name(char *buf, unsigned linktype)
{
	const char *name = ns_linktype_name((uint16_t)linktype);

	/* libpcap has a name for those that we do not know; from 104 on its numbers are the file's
	 */
	if (name == NULL && linktype >= 104)
		name = pcap_datalink_val_to_name((int)linktype);
	/* the engine counts all from the last on as one */
	if (linktype >= NS_LINKTYPES - 1)
		snprintf(buf, 32, "%d or more", NS_LINKTYPES - 1);
	else if (name != NULL)
		snprintf(buf, 32, "%s", name);
	else
		snprintf(buf, 32, "%u", linktype);
	for (char *p = buf; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	return buf;
}

char *report_host_name(char *buf, const struct tally *t)
{
	struct ns_ip ip;

	memcpy(&ip.ver, t->key, 1);
	memcpy(ip.addr, (const uint8_t *)t->key + 1, sizeof(ip.addr));
	*ns_put_ip(buf, &ip) = '\0';
	return buf;
}

char *report_service_name(char *buf, const struct tally *t)
{
	const uint8_t *k = (const uint8_t *)t->key;
	char *p = ns_put_proto(buf, k[0]);

	*p++ = '/';
	*ns_put_u64(p, (uint64_t)(k[1] << 8 | k[2])) = '\0';
	return buf;
}

const char *report_service_known(const struct tally *t)
{
	const uint8_t *k = (const uint8_t *)t->key;

	return service_name(k[0], (uint16_t)(k[1] << 8 | k[2]));
}

char *report_tunnel_name(char *buf, const struct tally *t)
{
	memcpy(buf, t->key, sizeof(t->key));
	buf[sizeof(t->key)] = '\0';
	return buf;
}

char *report_vlan_name(char *buf, const struct tally *t)
{
	const uint8_t *k = (const uint8_t *)t->key;
	char *p = ns_put_u64(buf, (uint64_t)(k[1] << 8 | k[2]));

	if (k[0] > 1) {
		*p++ = '.';
		p = ns_put_u64(p, (uint64_t)(k[3] << 8 | k[4]));
	}
	*p = '\0';
	return buf;
}

const char *report_end_name(unsigned reason)
{
	/* IPFIX flowEndReason, information element 136 */
	static const char *const names[REPORT_ENDS] = {"other", "idle timeout", "active timeout",
		"end detected", "end of input", "lack of resources"};

	return names[reason];
}

/*
 * By digits of 8 bits from the top: exact, in place, and no order of the values makes it slow.
 * After each pass @c want is the rank among those that share the digits found so far.
 */
uint64_t report_rtt(const struct rtts *r, unsigned percent)
{
	uint64_t value = 0, known = 0;
	uint64_t want = ((uint64_t)r->n * percent + 99) / 100;

	if (r->n == 0)
		return 0;
	for (int shift = 56; shift >= 0; shift -= 8) {
		uint32_t count[256] = {0};
		uint64_t digit = 0;

		for (uint32_t i = 0; i < r->n; i++) {
			if ((r->v[i].ns & known) == value)
				count[(r->v[i].ns >> shift) & 255]++;
		}
		while (want > count[digit])
			want -= count[digit++];
		value |= digit << shift;
		known |= UINT64_C(255) << shift;
	}
	return value;
}

uint64_t report_packets(const struct ns_engine_stats *s)
{
	const struct ns_counter *filtered = ns_counter_find("filtered");
	uint64_t n = filtered != NULL ? s->counters.v[filtered->id] : 0;

	return s->received > n ? s->received - n : 0;
}

double report_seconds(const struct ns_engine_stats *s)
{
	return s->last_ns > s->first_ns ? (double)(s->last_ns - s->first_ns) / 1e9 : 0;
}
