/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* EAL for unit tests and fuzz targets: no hugepages, no PCI, no files, one lcore. */

#include <rte_eal.h>

#include <stdlib.h>

static inline void ns_test_eal(void)
{
	static char *argv[] = {(char *)"test", (char *)"--no-huge", (char *)"--no-pci",
		(char *)"--no-telemetry", (char *)"--no-shconf", (char *)"-m", (char *)"256",
		(char *)"--lcores", (char *)"0@0", (char *)"--log-level", (char *)"error", NULL};
	static int done;

	if (!done && rte_eal_init((int)(sizeof(argv) / sizeof(argv[0])) - 1, argv) < 0)
		abort();
	done = 1;
}
