/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * What an engine says of itself, for monitoring: the pages of Prometheus and of health checks by
 * HTTP, and /netspectra/... on DPDK's telemetry socket. Section "metrics" of the configuration;
 * doc/metrics.md lists every number.
 */

#include <ns_conf.h>
#include <ns_engine.h>

struct ns_metrics;

/**
 * Opens metrics.listen and starts the thread that answers there (none when it is ""), and registers
 * the commands of the telemetry socket. NULL with errno and a message that names the address:
 * EADDRINUSE, EADDRNOTAVAIL, EACCES, EINVAL, ENOMEM; EBUSY for a second one in the process, as
 * telemetry has but one socket. Borrows @p conf during the call only. Main thread, after
 * ns_engine_create(), so that the thread inherits control's CPU, and ns_node_init().
 */
struct ns_metrics *ns_metrics_create(const struct ns_conf *conf, struct ns_err *e);

/**
 * Publishes the state of a complete epoch. Copies @p st. Main thread, once an epoch; waits for no
 * reader. Lack of memory leaves the epoch before in place, and is said in the log once.
 */
void ns_metrics_epoch(struct ns_metrics *m, const struct ns_engine_state *st);

/** Where it listens, "127.0.0.1:9476" with the port that was taken for 0; "": nowhere. Main. */
const char *ns_metrics_address(const struct ns_metrics *m);

/** Closes all connections, waits until no reader is left, frees. NULL is fine. Main thread. */
void ns_metrics_destroy(struct ns_metrics *m);
