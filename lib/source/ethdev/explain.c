/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Why a device can't be opened. Drivers of kernel interfaces return -1 for everything, which reads
 * "Operation not permitted"; what people get wrong can be looked up.
 */
#include "ethdev_priv.h"

#include <rte_errno.h>

#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Value of the first of @p keys (each with its '=') that the device has; the keys name an interface
 * that must be there. */
static bool value_of(const char *device, const char *const *keys, char *value, size_t len)
{
	for (; *keys != NULL; keys++) {
		for (const char *p = strchr(device, ','); p != NULL; p = strchr(p + 1, ',')) {
			size_t n = strlen(*keys);

			if (strncmp(p + 1, *keys, n) != 0)
				continue;
			snprintf(value, len, "%.*s", (int)strcspn(p + 1 + n, ","), p + 1 + n);
			return true;
		}
	}
	return false;
}

int eth_explain(const char *target, const char *device, int rc, struct ns_err *e)
{
	/* the interface of a tap is made; the one it mirrors must be there */
	static const char *const tap[] = {"remote=", NULL};
	static const char *const others[] = {"iface=", "rx_iface=", "rx_iface_in=", NULL};
	static const char *const files[] = {"rx_pcap=", NULL};
	bool is_tap = strncmp(device, "net_tap", 7) == 0;
	char value[256];

	if (value_of(device, is_tap ? tap : others, value, sizeof(value)) &&
		if_nametoindex(value) == 0)
		return ns_fail(
			e, ENODEV, "port \"%s\": there is no interface \"%s\"", target, value);
	if (value_of(device, files, value, sizeof(value)) && access(value, R_OK) != 0)
		return ns_fail(
			e, errno, "port \"%s\": file \"%s\": %s", target, value, strerror(errno));
	if (rc == -EFAULT)
		return ns_fail(e, ENODEV,
			"port \"%s\": \"%s\" is no device that a driver is known for", target,
			device);
	if (rc == -1 && geteuid() != 0)
		return ns_fail(e, EPERM,
			"port \"%s\": device \"%s\" can't be opened; kernel interfaces want "
			"CAP_NET_RAW and some CAP_NET_ADMIN (drivers-config/ says which), or root",
			target, device);
	if (rc == -1)
		return ns_fail(e, EIO,
			"port \"%s\": device \"%s\" can't be opened (EAL's messages say more)",
			target, device);
	return ns_fail(e, -rc,
		"port \"%s\": device \"%s\" can't be opened: %s (EAL's messages say more)", target,
		device, rte_strerror(-rc));
}
