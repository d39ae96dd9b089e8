/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

/*
 * ns-perf: what the rooms cost a packet, beside what the memory under them costs.
 *
 *   templates ─ write ─▶ ring of mbufs ─▶ rx ─▶ decode ─▶ count ─▶ flow ─▶ tasks ─▶ free, age
 *   (not timed, a ring's round at a time)  └──────────────────── timed ────────────────────┘
 *
 * rx is what a driver does: takes a burst out of the ring of descriptors, puts fresh mbufs of the
 * pool there, writes their head and the part of struct ns_packet that sources give. So all mbufs
 * of the ring go round, as they do behind a NIC. Before a round addresses and ports of all packets
 * in the ring are written, to draw flows; nothing of that is in a reading.
 *
 *   traffic   templates: 64 octets UDP, IMIX, or a capture
 *   bed       so many flows and so many new ones a second: a flow table, and its clock
 *   case      stages over a bed: one line of the answer; cases of a run take turns
 */

#include <ns_decode.h>
#include <ns_defrag.h>
#include <ns_flow.h>
#include <ns_packet.h>
#include <ns_task.h>

#include <rte_mempool.h>

#define PERF_BURST 32u
#define PERF_ROUNDS_MAX 31
#define PERF_CACHE 256 /* of a pool, an lcore */
#define PERF_TRIES 4 /* times as many packets until enough of a reading is undisturbed */
#define PERF_PPS 14880952.0 /* 64-octet packets of 10 Gbit/s Ethernet */

enum perf_stage {
	PERF_RX,
	PERF_DECODE,
	PERF_HASH, /* once more, of the tuple alone; part of decode otherwise */
	PERF_COUNT, /* by protocol */
	PERF_FLOW,
	PERF_TASKS,
	PERF_FREE,
	PERF_AGE,
	PERF_STAGES,
};
#define PERF_HAS(stage) (1u << (stage))
#define PERF_ALL ((PERF_HAS(PERF_STAGES) - 1) & ~PERF_HAS(PERF_HASH))

enum perf_draw { PERF_UNIFORM, PERF_ZIPF, PERF_DRAWS };
extern const char *const perf_draw_names[PERF_DRAWS];

/* --- packets (perf_traffic.c) ---------------------------------------------------------------- */

struct perf_template {
	uint8_t *data;
	uint16_t len; /* octets of data */
	uint16_t wire; /* of the frame */
	uint16_t copy; /* octets that are written anew for each packet */
	uint16_t src, dst, ports; /* where the last four octets of addresses, and the ports, are */
	uint16_t linktype;
};

struct perf_traffic {
	const char *name;
	bool patched; /* flows are drawn; otherwise packets come as they stand, in order */
	struct perf_template *v;
	unsigned n;
};

/** "udp64", "imix", or the name of a capture file. NULL with errno and a message. */
struct perf_traffic *perf_traffic_create(const char *name, struct ns_err *e);
void perf_traffic_destroy(struct perf_traffic *t);

/** Packet number @p i, of flow @p flow, at @p data; its template. */
const struct perf_template *perf_traffic_write(
	const struct perf_traffic *t, uint64_t i, uint32_t flow, uint8_t *data);

/* --- flows (perf_bed.c) ---------------------------------------------------------------------- */

struct perf_bed_conf {
	uint32_t flows; /* that packets are drawn from */
	uint64_t rate; /* new flows a second of the packets' clock */
	double pps; /* packets a second of it */
	uint32_t idle; /* seconds; 0: none ends by chance */
	uint32_t max; /* room of the table; 0: a quarter more than live at once */
};

struct perf_bed {
	uint32_t flows;
	uint64_t rate;
	double pps;
	uint64_t step; /* of the clock from packet to packet, in 2^-32 ns */
	uint32_t idle; /* seconds until a flow ends */
	uint32_t max; /* room of the table */
	struct ns_flow_table *table;
	uint64_t memory; /* by ns_flow_table_memory() */
	/* what the lcore that receives writes, away from what the other one reads */
	uint64_t clock_ns __attribute__((aligned(NS_CACHE_LINE))); /* the packets' clock */
	uint32_t part_ns; /* what is left of it, in 2^-32 ns */
	uint64_t epoch;
	uint64_t packets; /* made so far */
	uint64_t fresh; /* new flows so far */
	double due; /* new flows that should have come */
	uint64_t random;
	uint32_t *zipf; /* ranks, PERF_ZIPF_N of them; made when first needed */
	uint32_t zipf_at;
	uint8_t *lines; /* flows * 64 octets: the floor's memory */
};

#define PERF_ZIPF_N (1u << 22)

struct perf_lcore;

/** Octets of memory that its flow table will take. Before EAL is up, too. */
uint64_t perf_bed_memory(const struct perf_bed_conf *c, const struct ns_conf *conf);
/** Flows end on @p l. NULL with errno. */
struct perf_bed *perf_bed_create(const struct perf_bed_conf *c, struct perf_lcore *l, unsigned id);
void perf_bed_destroy(struct perf_bed *b);
/** Number of the flow that the next packet belongs to. */
uint32_t perf_bed_draw(struct perf_bed *b, enum perf_draw draw);

/** What does not reach the flow table must not let its time pass, nor use up new flows. */
struct perf_pause {
	uint64_t clock_ns, rate;
};
static inline void perf_pause(struct perf_bed *b, struct perf_pause *p)
{
	*p = (struct perf_pause){b->clock_ns, b->rate};
	b->rate = 0;
}
static inline void perf_resume(struct perf_bed *b, const struct perf_pause *p)
{
	b->clock_ns = p->clock_ns;
	b->rate = p->rate;
}

/** Zeroed memory in huge pages where the kernel has them; ends the program when there is none. */
void *perf_alloc(size_t size);
void perf_free(void *p, size_t size);

/* --- tasks (perf_tasks.c) -------------------------------------------------------------------- */

struct perf_tasks {
	char name[48];
	struct ns_conf *conf;
	struct ns_tasks *tasks;
	struct ns_task_lcore *lcore;
	void *state;
};

/** The tasks of a configuration text ("" for the default ones). NULL with errno and a message. */
struct perf_tasks *perf_tasks_create(const char *name, const char *yaml, struct ns_err *e);
void perf_tasks_destroy(struct perf_tasks *t);
/** The core set of doc/performance.md, conf/core-set.yaml. */
struct perf_tasks *perf_tasks_core(struct ns_err *e);
/** Each default task alone; returns how many, or -errno. */
int perf_tasks_each(struct perf_tasks **v, unsigned max, struct ns_err *e);

/* --- the lcore (perf_loop.c) ----------------------------------------------------------------- */

struct perf_proto {
	uint64_t packets, octets;
};

struct perf_lcore {
	const struct perf_traffic *traffic;
	const struct ns_conf *conf; /* borrowed */
	struct rte_mempool *pool;
	uint8_t *memory; /* of the pool */
	size_t memory_size;
	struct rte_mbuf **ring; /* ring_n, a multiple of PERF_BURST */
	const struct perf_template **from; /* template of the packet in each place */
	uint32_t ring_n;
	struct ns_decoder *decoder;
	struct ns_defrag *defrag;
	struct ns_counters c;
	struct perf_tasks *tasks; /* of the run; NULL: none */
	struct ns_flow_rec rec; /* where ended flows go */
	uint64_t received, octets, captured, analysed;
	uint64_t flowed, full; /* packets that the table counts in a flow, or has no room for */
	uint64_t ended, ended_packets; /* flows that have ended, and the packets in them */
	uint64_t first_ns, last_ns;
	uint32_t hashed;
	uint32_t slice; /* bursts, for ageing */
	struct perf_proto ip[256], other;
	double tsc_ns; /* ns a tick */
	double tsc_cost; /* ns that reading the time twice shows */
	uint64_t interrupted; /* rounds of the ring that were left out, as another thread ran */
	uint64_t rounds; /* all of them */
};

/** Lcore number @p id with a ring of its own. 0 or -errno with a message. */
int perf_lcore_init(struct perf_lcore *l, unsigned id, const struct ns_conf *conf, uint32_t ring_n,
	struct ns_err *e);
void perf_lcore_fini(struct perf_lcore *l);
/** A pool of @p n packets in huge pages; unmap *memory when it is gone. NULL with rte_errno. */
struct rte_mempool *perf_pool(const char *name, uint32_t n, uint8_t **memory, size_t *size);

/** What a run shows, in ns a packet. */
struct perf_cost {
	double all; /* all stages of the run */
	double stage[PERF_STAGES]; /* only with stamps */
};

/**
 * @p packets of @p bed through the stages in the set @p what. With @p stamps the time is read
 * between stages as well, and each stage's own cost is shown. @p bed's next epoch begins.
 */
void perf_run(struct perf_lcore *l, struct perf_bed *b, enum perf_draw draw, unsigned what,
	bool stamps, uint64_t packets, struct perf_cost *cost);

/** Writes packets to all places of the ring; not timed. NULL @p flow: draws. */
void perf_fill(struct perf_lcore *l, struct perf_bed *b, enum perf_draw draw, const uint32_t *flow);
/** A burst of @p n from place @p at of the ring on. */
void perf_rx(
	struct perf_lcore *l, struct perf_bed *b, uint32_t at, struct rte_mbuf **m, uint32_t n);

/** Fragments whose first one did not come go on now, and are not left for another bed. */
void perf_drain(struct perf_lcore *l, struct perf_bed *b, unsigned what);

/** Puts each flow of the bed into its table once, and lets it run until as many end as begin. */
void perf_warm(struct perf_lcore *l, struct perf_bed *b);

/** Whether received = analysed + drops over all of them. */
bool perf_conserved(const struct perf_lcore *const *l, unsigned n, struct ns_err *e);

/* --- the floor (perf_floor.c) ---------------------------------------------------------------- */

/* Parts of it; perf_floor.c. */
enum perf_part {
	PERF_PART_RX, /* rx and free of mbufs */
	PERF_PART_KEY, /* addresses, ports, protocol read; key of 16 octets and its hash */
	PERF_PART_LINE, /* one line of 64 octets of all flows read and written */
	PERF_PART_SKETCH, /* HyperLogLog, one line of Count-Min, threshold of a top-k */
	PERF_PARTS,
};
extern const char *const perf_part_names[PERF_PARTS];

struct perf_floor {
	double part[PERF_PARTS];
	double sum; /* the physical floor */
	double loop; /* all parts in one loop */
};

void perf_floor(struct perf_lcore *l, struct perf_bed *b, enum perf_draw draw, uint64_t packets,
	struct perf_floor *f);

/* --- histograms (perf_hist.c) ---------------------------------------------------------------- */

/* Of ns: exact below 64, then 32 steps for each doubling: 3 % at most. */
#define PERF_HIST_STEPS (64 + 58 * 32)

struct perf_hist {
	uint64_t v[PERF_HIST_STEPS];
	uint64_t n, max;
};

void perf_hist_add(struct perf_hist *h, uint64_t ns);
/** The least number of ns that the share @p p of all does not exceed. */
double perf_hist_rank(const struct perf_hist *h, double p);
uint64_t perf_hist_above(const struct perf_hist *h, uint64_t ns);

/* --- time ------------------------------------------------------------------------------------ */

static inline uint64_t perf_ticks(void)
{
	unsigned lo, hi, cpu;

	/* waits for what stands before it, unlike rdtsc */
	__asm__ volatile("rdtscp" : "=a"(lo), "=d"(hi), "=c"(cpu) : : "memory");
	return (uint64_t)hi << 32 | lo;
}

/** CPU time of this thread in ns. */
uint64_t perf_cpu_ns(void);

/** Whether another thread has run on this CPU since the last call. */
bool perf_interrupted(void);

/** Finds out what a tick of the counter is; 50 ms. */
void perf_calibrate(struct perf_lcore *l);

/** When the CPU time was looked at. */
struct perf_look {
	uint64_t cpu_ns, ticks;
};
void perf_look(struct perf_look *a);
/** Looks anew; ns since the last look in which this thread did not run, as the kernel knows. */
uint64_t perf_away(struct perf_look *a, double tsc_ns);

/** Whether the kernel has given this thread pages since the last call. */
bool perf_faults(long *before);

/** Long gaps that a loop sees which only reads the counter; own: the kernel knows no reason. */
struct perf_control {
	uint64_t longest, own; /* ns */
	uint64_t n, own_n; /* longer than asked for */
};
void perf_control(
	const struct perf_lcore *l, double seconds, uint64_t long_ns, struct perf_control *c);
