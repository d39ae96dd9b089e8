/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Driver profiles: what a family of DPDK drivers needs, in one YAML file of drivers-config/ each.
 * The engine takes the EAL arguments before EAL is initialised, source ethdev the rest.
 *
 * Thread: main, at start. Afterwards read-only.
 */

#include <ns_base.h>

enum ns_profile_stamps {
	NS_STAMPS_AUTO, /**< of the port when it offers them, TSC otherwise */
	NS_STAMPS_TSC,
	NS_STAMPS_PORT, /**< of the port even when the driver does not advertise them */
};

enum ns_profile_unit {
	NS_STAMP_TICKS, /**< of a clock that rte_eth_read_clock() reads */
	NS_STAMP_US, /**< microseconds since 1970 */
	NS_STAMP_NS, /**< nanoseconds since 1970 */
};

#define NS_PROFILE_KEY_MAX 64

/** One profile. Strings and lists belong to the profile; a key that is absent is NULL or 0. */
struct ns_profile {
	const char *name;
	const char *description;
	const char *
		*drivers; /**< names of rte_eth_dev_info the rest is meant for; NULL-terminated */
	const char **eal_args; /**< NULL-terminated */
	unsigned eal_args_n;
	const char *devargs; /**< template of a device, see ns_profile_devargs() */
	uint32_t rx_queues; /**< per port; 0: not said */
	bool all_queues; /**< read all queues that the device has: none may be left out */
	uint32_t rx_descriptors;
	uint32_t mtu;
	uint64_t rss_hf; /**< RTE_ETH_RSS_*; 0: the default of the source */
	bool rss_off;
	uint8_t rss_key[NS_PROFILE_KEY_MAX]; /**< repeated to the length the port wants */
	unsigned rss_key_len; /**< 0: the default of the source */
	enum ns_profile_stamps timestamps;
	enum ns_profile_unit timestamp_unit;
	uint16_t linktype; /**< LINKTYPE_*; 1 (Ethernet) unless said otherwise */
	const char *module; /**< kernel module the device is bound to; NULL: its own driver */
	const char *notes;
};

/**
 * Reads the profile @p name, "af_packet", or the file @p name when it holds a '/'. Profiles lie in
 * the directory of the environment variable NS_DRIVERS_CONFIG; without it in drivers-config/ above
 * the program, or in ../share/netspectra/drivers-config/ beside it.
 * Returns the profile, owned by the caller, or NULL with errno and a message with file:line:column:
 * ENOENT (the message says where it was looked for), EINVAL, ENOMEM.
 */
struct ns_profile *ns_profile_load(const char *name, struct ns_err *e);

/** As ns_profile_load() from memory; @p file stands for the file in messages. */
struct ns_profile *ns_profile_parse(
	const char *yaml, size_t len, const char *name, const char *file, struct ns_err *e);

/** Whether the profile is meant for the driver (rte_eth_dev_info.driver_name); no list: for all. */
bool ns_profile_has_driver(const struct ns_profile *p, const char *driver);

/**
 * Fills the template: {target}, {index} (of the target, from 0) and {queues}. 0 or -EINVAL when the
 * profile has no template, -ENAMETOOLONG when @p len is too short.
 */
int ns_profile_devargs(const struct ns_profile *p, const char *target, unsigned index,
	unsigned queues, char *buf, size_t len);

/** Frees all; NULL is fine. */
void ns_profile_destroy(struct ns_profile *p);
