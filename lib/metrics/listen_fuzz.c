/* SPDX-License-Identifier: BSD-3-Clause */
#include "metrics_priv.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct sockaddr_storage sa;
	char *text = malloc(len + 1);

	if (text == NULL)
		return 0;
	memcpy(text, data, len);
	text[len] = '\0';
	if (listen_parse(text, &sa, NULL) == 0 && sa.ss_family != AF_INET &&
		sa.ss_family != AF_INET6)
		abort();
	free(text);
	return 0;
}
