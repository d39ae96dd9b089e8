/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/* EAL for unit tests and fuzz targets: no hugepages, no PCI, no files, one lcore. */

#include <rte_eal.h>

#include <stdlib.h>

/** With @p mib MiB of EAL memory. */
static inline void ns_test_eal_with(const char *mib)
{
	static char *argv[] = {(char *)"test", (char *)"--no-huge", (char *)"--no-pci",
		(char *)"--no-telemetry", (char *)"--no-shconf", (char *)"-m", NULL,
		(char *)"--lcores", (char *)"0@0", (char *)"--log-level", (char *)"error", NULL};
	static int done;

	argv[6] = (char *)(uintptr_t)mib;
	if (!done && rte_eal_init((int)(sizeof(argv) / sizeof(argv[0])) - 1, argv) < 0)
		abort();
	done = 1;
}

static inline void ns_test_eal(void)
{
	ns_test_eal_with("256");
}
