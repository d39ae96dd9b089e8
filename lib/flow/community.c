/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Community ID v1: SHA-1 over seed, addresses, protocol and ports in canonical order, base64.
 * https://github.com/corelight/community-id-spec
 */
#include <ns_flow.h>
#include <ns_text.h>

#include <openssl/evp.h>
#include <string.h>

/* One context a thread: an EVP call allocates only the first time. */
static __thread EVP_MD_CTX *ctx;
static __thread EVP_MD *sha1;

static bool digest(const uint8_t *data, size_t len, uint8_t out[20])
{
	unsigned n = 20;

	if (ctx == NULL) {
		ctx = EVP_MD_CTX_new();
		sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
	}
	return ctx != NULL && sha1 != NULL && EVP_DigestInit_ex2(ctx, sha1, NULL) == 1 &&
	       EVP_DigestUpdate(ctx, data, len) == 1 && EVP_DigestFinal_ex(ctx, out, &n) == 1;
}

void ns_community_id(char out[31], uint8_t ver, const uint8_t *src, const uint8_t *dst,
	uint16_t sport, uint16_t dport, uint8_t proto, bool ports)
{
	uint8_t buf[2 + 32 + 2 + 4], md[20];
	uint8_t *p = buf;
	unsigned alen = ver == 4 ? 4 : 16;
	int order = memcmp(src, dst, alen);

	if (order > 0 || (order == 0 && ports && sport > dport)) {
		const uint8_t *a = src;
		uint16_t port = sport;

		src = dst;
		dst = a;
		sport = dport;
		dport = port;
	}
	*p++ = 0; /* seed */
	*p++ = 0;
	memcpy(p, src, alen);
	memcpy(p + alen, dst, alen);
	p += 2 * (size_t)alen;
	*p++ = proto;
	*p++ = 0;
	if (ports) {
		*p++ = (uint8_t)(sport >> 8);
		*p++ = (uint8_t)sport;
		*p++ = (uint8_t)(dport >> 8);
		*p++ = (uint8_t)dport;
	}
	out[0] = '\0';
	if (!digest(buf, (size_t)(p - buf), md))
		return;
	out[0] = '1';
	out[1] = ':';
	*ns_put_base64(out + 2, md, sizeof(md)) = '\0';
}
