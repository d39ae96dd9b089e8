/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Words to whoever started the program and watches it: systemd (Type=notify, WatchdogSec=) or
 * ns-watchdog. Datagrams to the socket that $NOTIFY_SOCKET names, as sd_notify(3) describes:
 * lines "READY=1", "WATCHDOG=1", "STATUS=text", ...
 *
 * Nobody listens when the variable is not set; then all calls do nothing. Main thread only. No
 * call waits: when the listener's queue is full the words are lost, as a heartbeat may be.
 */

#include <ns_base.h>

/**
 * Opens the socket that the environment names; again: the new one. 0, also when there is none;
 * -errno when the variable is there and wrong (EINVAL) or no socket can be made.
 */
int ns_notify_init(void);

/** Whether somebody listens. */
bool ns_notify_wanted(void);

/**
 * Sends lines ("READY=1\nSTATUS=running"), cut to 1023 octets. 1: sent, 0: nobody listens, -errno:
 * the listener is gone or full. The first call is an ns_notify_init().
 */
int ns_notify(const char *fmt, ...) NS_PRINTF(1, 2);

/**
 * How long the listener waits for a "WATCHDOG=1" before it takes the program for dead, in ns
 * (WATCHDOG_USEC, when WATCHDOG_PID is this process or not given); 0: it does not watch.
 */
uint64_t ns_notify_patience(void);
