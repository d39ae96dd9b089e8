/* SPDX-License-Identifier: BSD-3-Clause */

#include "gen.h"

#include <string.h>

static size_t put(uint8_t *to, size_t n, const void *from, size_t len)
{
	memcpy(to + n, from, len);
	return n + len;
}

static int host_name(char *to, size_t size, uint32_t number)
{
	return snprintf(to, size, "h%u", number % 5000);
}

/* RFC 1035: one question for an address, and its answer by a compressed name. */
size_t gen_dns(uint8_t *to, uint32_t number, int response)
{
	static const uint8_t rest[] = "\7example\4test\0\0\1\0\1";
	static const uint8_t answer[] = "\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4\x0a";
	char host[16];
	int len = host_name(host, sizeof(host), number);
	size_t n = 12;

	memset(to, 0, 12);
	gen_put16(to, (uint16_t)number);
	gen_put16(to + 2, response ? 0x8180 : 0x0100);
	to[5] = 1;
	to[7] = response ? 1 : 0;
	to[n++] = (uint8_t)len;
	n = put(to, n, host, (size_t)len);
	n = put(to, n, rest, sizeof(rest) - 1);
	if (response) {
		n = put(to, n, answer, sizeof(answer) - 1);
		to[n++] = (uint8_t)(number >> 16);
		gen_put16(to + n, (uint16_t)number);
		n += 2;
	}
	return n;
}

/* RFC 9112; without a length the body lasts until the connection closes. */
size_t gen_http(uint8_t *to, uint32_t number, int response)
{
	char text[256];
	int n;

	if (response)
		n = snprintf(text, sizeof(text),
			"HTTP/1.1 200 OK\r\nServer: gen\r\nContent-Type: text/plain\r\n"
			"Connection: close\r\n\r\n");
	else
		n = snprintf(text, sizeof(text),
			"GET /page/%u HTTP/1.1\r\nHost: h%u.example.test\r\nUser-Agent: gen/1\r\n"
			"Accept: */*\r\nConnection: close\r\n\r\n",
			number, number % 5000);
	memcpy(to, text, (size_t)n);
	return (size_t)n;
}

/* RFC 5246: a hello of TLS 1.2 in one record; the client's names its server (RFC 6066). */
size_t gen_tls_hello(uint8_t *to, uint32_t number, int server)
{
	static const uint8_t suites[] = {0, 6, 0xc0, 0x2f, 0xc0, 0x30, 0, 0x9c, 1, 0};
	static const uint8_t groups[] = {0, 10, 0, 4, 0, 2, 0, 23, 0, 11, 0, 2, 1, 0};
	static const uint8_t chosen[] = {0xc0, 0x2f, 0, 0, 5, 0xff, 1, 0, 1, 0};
	char name[32];
	size_t n = 9, len;

	gen_put16(to + n, 0x0303);
	n += 2;
	for (int i = 0; i < 32; i++)
		to[n++] = (uint8_t)(gen_mix(number * 2ull + (unsigned)server) >> i % 8 * 8) ^
			  (uint8_t)i;
	to[n++] = 0; /* no session to resume */
	if (server) {
		n = put(to, n, chosen, sizeof(chosen));
	} else {
		n = put(to, n, suites, sizeof(suites));
		len = (size_t)snprintf(name, sizeof(name), "h%u.example.test", number % 5000);
		gen_put16(to + n, (uint16_t)(9 + len + sizeof(groups)));
		gen_put16(to + n + 2, 0);
		gen_put16(to + n + 4, (uint16_t)(len + 5));
		gen_put16(to + n + 6, (uint16_t)(len + 3));
		to[n + 8] = 0;
		gen_put16(to + n + 9, (uint16_t)len);
		n = put(to, n + 11, name, len);
		n = put(to, n, groups, sizeof(groups));
	}
	to[0] = 22;
	gen_put16(to + 1, 0x0303);
	gen_put16(to + 3, (uint16_t)(n - 5));
	to[5] = server ? 2 : 1;
	to[6] = 0;
	gen_put16(to + 7, (uint16_t)(n - 9));
	return n;
}
