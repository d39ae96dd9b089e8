/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Packets out of a port: one transmit queue (number 0), with packet buffers of its own.
 *
 *	octets ── copy ──▶ buffer of the port's pool ── bursts ──▶ rte_eth_tx_burst(port, 0)
 *
 * DPDK's transmit queues are not safe for two threads: a port belongs to one sender at a time. Who
 * opens it claims it, a second one is refused with -EBUSY and told who has it; it is free again
 * when the first has closed it. The lcores never send, so nobody else uses these queues.
 *
 * Threads: open is control's; put, flush and close are the one thread's that sends (control may
 * close what no thread has begun to use); counts is anybody's, relaxed.
 *
 * Buffers: a driver may keep what was sent for as long as its port is open, so the pool of a port,
 * made when it is first opened, stays until ns_send_fini(), which comes after the ports are closed.
 */

#include <ns_base.h>

struct ns_send;

#define NS_SEND_BURST 32
#define NS_SEND_DESCRIPTORS 512 /**< a transmit queue should have: fewer than there are buffers */
#define NS_SEND_BUFFERS 1023 /**< of each port */
#define NS_SEND_FRAME_MIN 14 /**< octets: an Ethernet header */
/** Octets of EAL's memory that each port needs that is sent to, with the gaps of small pages. */
#define NS_SEND_MEMORY ((uint64_t)NS_SEND_BUFFERS * 4096 + ((uint64_t)1 << 20))

/** All that was put = sent + full, when nothing waits for a flush. */
struct ns_send_counts {
	uint64_t sent, octets; /**< taken by the port */
	uint64_t full; /**< not taken: the port was full, and stayed so */
};

/**
 * Claims the transmit queue of @p port for @p who ("mirror 2"; copied). NULL with errno and a
 * message: ENODEV; ENOTSUP: it has none, or was not opened; EBUSY: another has it; ENOMEM. Control.
 */
struct ns_send *ns_send_open(uint16_t port, const char *who, struct ns_err *e);

/** 0; -EMSGSIZE: longer than the port or a buffer takes; -EINVAL: shorter than its header. */
int ns_send_fits(const struct ns_send *s, const uint8_t *frame, uint32_t len);

/** Octets of the longest frame that may fit. */
uint32_t ns_send_frame_max(const struct ns_send *s);

/**
 * Copies a frame that fits; it goes out with the next flush, or when NS_SEND_BURST wait. A port
 * that is full is waited for, 10 ms without any going out; from then on, until it takes some again,
 * it is asked once.
 */
void ns_send_put(struct ns_send *s, const uint8_t *frame, uint32_t len);
void ns_send_flush(struct ns_send *s);

void ns_send_counts(const struct ns_send *s, struct ns_send_counts *c);

/** Tells one claim of the sender from the next. Control. */
uint32_t ns_send_claim(const struct ns_send *s);
/**
 * What the port says of those that it took since it was opened: errors (oerrors); not all drivers
 * count. Leaves @p errors alone when another has opened the port since @p claim. Control, as
 * drivers' statistics are not safe for two threads.
 */
void ns_send_errors(const struct ns_send *s, uint32_t claim, uint64_t *errors);

/** Flushes, and gives the port back; NULL is fine. */
void ns_send_close(struct ns_send *s);

/** Frees all pools; when all ports are closed. Control. */
void ns_send_fini(void);
