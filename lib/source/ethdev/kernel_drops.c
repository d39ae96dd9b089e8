/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the kernel drops before net_af_packet sees it. A packet socket whose ring is full drops and
 * counts (packet(7), PACKET_STATISTICS), but the driver neither tells nor asks, up to DPDK 23.07 at
 * least. Its sockets are descriptors of this process: those bound to the port's interface.
 */
#include "ethdev_priv.h"

#include <dirent.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static bool is_of(int fd, unsigned ifindex)
{
	struct sockaddr_ll at;
	socklen_t len = sizeof(at);
	int domain, version;
	socklen_t domain_len = sizeof(domain), version_len = sizeof(version);

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &domain_len) != 0 || domain != AF_PACKET)
		return false;
	memset(&at, 0, sizeof(at));
	if (getsockname(fd, (struct sockaddr *)&at, &len) != 0 || at.sll_ifindex != (int)ifindex)
		return false;
	/* the driver's speak version 2; who watches the interface by libpcap in here has 3 */
	return getsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, &version_len) == 0 &&
	       version == TPACKET_V2;
}

void eth_kernel_find(struct eth_port *p, const struct rte_eth_dev_info *info)
{
	DIR *d;

	if (strcmp(info->driver_name, "net_af_packet") != 0 || info->if_index == 0)
		return;
	d = opendir("/proc/self/fd");
	if (d == NULL)
		return;
	for (struct dirent *f; (f = readdir(d)) != NULL;) {
		int fd = atoi(f->d_name);

		if (f->d_name[0] == '.' || fd == dirfd(d) || !is_of(fd, info->if_index))
			continue;
		if (p->sockets_n < NS_ARRAY_LEN(p->sockets))
			p->sockets[p->sockets_n++] = fd;
	}
	closedir(d);
	/* what was dropped before the port was started is nobody's */
	(void)eth_kernel_drops(p);
	p->kernel_drops = 0;
}

uint64_t eth_kernel_drops(struct eth_port *p)
{
	for (unsigned i = 0; i < p->sockets_n; i++) {
		struct tpacket_stats st;
		socklen_t len = sizeof(st);

		/* reading sets the kernel's counters to zero */
		if (getsockopt(p->sockets[i], SOL_PACKET, PACKET_STATISTICS, &st, &len) == 0)
			p->kernel_drops += st.tp_drops;
	}
	return p->kernel_drops;
}
