/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * Packets of a capture file out of a port: the commands "replay", "replay stop" and "replay show".
 * All of it is the room's own; programs only say when it must be over.
 */

/**
 * Ends all replays and waits for their threads, some milliseconds; before the engine and its ports
 * are taken down. Main thread.
 */
void ns_replay_end(void);
