/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * EAL's arguments: made from the configuration, so that nobody who has only a file needs to know
 * that there are any. Lcore 0 is control; RX lcores and then analysis lcores follow.
 */
#include "engine_priv.h"

#include <ns_log.h>
#include <ns_profile.h>
#include <ns_send.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_memory.h>

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

NS_LOG_TYPE("engine");

#define ARGS_MAX 64

/* EAL may keep pointers into its arguments: they stay until it has ended. */
struct args {
	char *v[ARGS_MAX + 1]; /* EAL sorts these */
	char *own[ARGS_MAX];
	int n;
};

static int add(struct args *a, const char *s)
{
	if (a->n == ARGS_MAX)
		return ns_errno_set(E2BIG);
	a->v[a->n] = strdup(s);
	if (a->v[a->n] == NULL)
		return ns_errno_set(ENOMEM);
	a->own[a->n] = a->v[a->n];
	a->n++;
	return 0;
}

/* CPUs that this process may run on (taskset, cgroups); a text "(0,1)" of all for lcores that
 * float. */
static int allowed_cpus(int *cpus, int max, char *all, size_t len)
{
	cpu_set_t set;
	int n = 0;
	size_t at;

	CPU_ZERO(&set);
	if (sched_getaffinity(0, sizeof(set), &set) != 0)
		return ns_errno_set(errno);
	at = (size_t)snprintf(all, len, "(");
	for (int i = 0; i < CPU_SETSIZE && n < max; i++) {
		if (!CPU_ISSET(i, &set))
			continue;
		at += (size_t)snprintf(
			all + at, at < len ? len - at : 0, "%s%d", n > 0 ? "," : "", i);
		cpus[n++] = i;
	}
	if (at + 2 > len)
		return ns_errno_set(E2BIG);
	snprintf(all + at, len - at, ")");
	return n;
}

static int lcores_text(
	const struct ns_engine *en, unsigned n, char *text, size_t len, struct ns_err *e)
{
	const struct ns_engine_conf *c = en->conf;
	char all[2048];
	int cpus[256];
	int cpus_n = allowed_cpus(cpus, 256, all, sizeof(all));
	size_t at = 0;

	if (cpus_n <= 0)
		return ns_fail(e, ENODEV, "can not tell which CPUs may be used");
	for (unsigned i = 0; i < n && at < len; i++) {
		const char *sep = i > 0 ? "," : "";

		if (c->cpus_count > 0)
			at += (size_t)snprintf(
				text + at, len - at, "%s%u@%s", sep, i, c->cpus[i % c->cpus_count]);
		else if (!en->live || i == 0)
			at += (size_t)snprintf(text + at, len - at, "%s%u@%s", sep, i, all);
		else /* live: CPUs in turn, the first one last, as control sits there */
			at += (size_t)snprintf(
				text + at, len - at, "%s%u@%d", sep, i, cpus[i % (unsigned)cpus_n]);
	}
	return at < len ? 0 : ns_fail(e, E2BIG, "too many lcores");
}

static bool hugepages_free(void)
{
	static const char *const files[] = {
		"/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages",
		"/sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages"};

	for (size_t i = 0; i < NS_ARRAY_LEN(files); i++) {
		FILE *f = fopen(files[i], "re");
		unsigned long n = 0;

		if (f == NULL)
			continue;
		if (fscanf(f, "%lu", &n) != 1)
			n = 0;
		fclose(f);
		if (n > 0)
			return true;
	}
	return false;
}

/* MiB that tables, rings and buffers take. */
static unsigned memory_needed(const struct ns_engine *en)
{
	uint64_t bytes = (uint64_t)64 << 20;
	uint64_t mbuf = sizeof(struct rte_mbuf) + NS_PACKET_PRIV + engine_data_room(en) + 64;

	for (unsigned w = 0; w < en->workers; w++)
		bytes += ns_flow_table_memory(
			en->flow_conf, engine_share(en, w), en->dispatch_conf->buckets, en->bound);
	bytes += (uint64_t)engine_mbufs(en) * mbuf;
	bytes += (uint64_t)en->workers * en->rx * (en->dispatch_conf->ring * 8 + 4096);
	bytes += (uint64_t)(en->rtc ? en->workers : en->rx) * (8u << 20);
	bytes += (uint64_t)en->workers * BATCHES * BATCH_RECORDS * 512;
	/* live: what may be asked to send from (lib/send) */
	bytes += en->live ? en->args.targets_n * NS_SEND_MEMORY : 0;
	/* live: descriptors of the ports, and fragmentation of the heap */
	bytes += bytes / 4 + (en->live ? (uint64_t)64 << 20 : 0);
	return (unsigned)((bytes >> 20) + 1);
}

static void free_args(struct args *a)
{
	for (int i = 0; a != NULL && i < a->n; i++)
		free(a->own[i]);
	free(a);
}

/*
 * Without hugepages tables lie in pages of 4 kB. The kernel makes anonymous memory of large pages
 * where it is asked for it: a table of some MiB is then touched by a few page faults instead of
 * thousands, and found with fewer misses of the TLB. (A capture of one packet: 15.3 -> 12.7 ms of
 * CPU time and 1.4 MiB more; 1 M packets of 100 k flows: 3 % less time, 3 MiB more.) A kernel that
 * does not, or memory that is a memfd, as it is where EAL is a shared library, is left as it was.
 */
static int large_pages(const struct rte_memseg_list *l, void *ctx)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t from = ((uintptr_t)l->base_va + page - 1) & ~(page - 1);
	uintptr_t to = (uintptr_t)l->base_va + l->len;

	if (!l->external && to > from)
		(void)madvise((void *)from, to - from, MADV_HUGEPAGE);
	return 0;
}

/*
 * Whether to open the telemetry socket: > 0; 0: not; -errno: it is asked for and can't be. Its
 * threads run on CPUs that no lcore has, or on control's. Neither --in-memory nor --no-shconf is in
 * its way: the directory is made all the same, and a second engine's socket gets ":1" behind its
 * name.
 */
static int telemetry_wanted(const struct ns_engine *en, struct ns_err *e)
{
	int how = en->conf->telemetry;

	if (how == NS_ENGINE_TELEMETRY_NO || (how == NS_ENGINE_TELEMETRY_AUTO && !en->live))
		return 0;
	struct ns_err why;

	if (engine_runtime_dir(en, &why) == 0)
		return 1;
	if (how == NS_ENGINE_TELEMETRY_YES)
		return ns_fail(e, errno, "engine.telemetry: %s", why.text);
	NS_LOG(INFO, "no telemetry socket: %s", why.text);
	return 0;
}

int engine_eal_up(struct ns_engine *en, const struct ns_profile *profile, struct ns_err *e)
{
	struct args *a = calloc(1, sizeof(*a));
	char text[4096], lcores[3072];
	unsigned n = 1 + (en->rtc ? 0 : en->rx) + en->workers;
	bool huge = en->conf->hugepages == NS_ENGINE_HUGE_YES ||
		    (en->conf->hugepages == NS_ENGINE_HUGE_AUTO && en->live && hugepages_free());
	unsigned mb = en->conf->memory != 0 ? en->conf->memory : memory_needed(en);
	int rc = lcores_text(en, n, lcores, sizeof(lcores), e);
	int telemetry = rc < 0 ? rc : telemetry_wanted(en, e);

	if (a == NULL)
		return ns_fail(e, ENOMEM, "no memory");
	rc = telemetry < 0 ? telemetry : rc;
	if (rc < 0) {
		free_args(a);
		return rc;
	}
	rc = add(a, "netspectra");
	rc = rc < 0 ? rc : add(a, "--lcores");
	rc = rc < 0 ? rc : add(a, lcores);
	if (!telemetry)
		rc = rc < 0 ? rc : add(a, "--no-telemetry");
	rc = rc < 0 ? rc : add(a, "--log-level=*:error");
	if (huge) {
		rc = rc < 0 ? rc : add(a, "--in-memory");
	} else {
		snprintf(text, sizeof(text), "%u", mb);
		rc = rc < 0 ? rc : add(a, "--no-huge");
		rc = rc < 0 ? rc : add(a, "--no-shconf");
		rc = rc < 0 ? rc : add(a, "-m");
		rc = rc < 0 ? rc : add(a, text);
	}
	bool pci = false;

	for (unsigned i = 0; en->live && i < en->args.targets_n; i++)
		pci = pci || strchr(en->args.targets[i], ':') != NULL;
	if (!pci)
		rc = rc < 0 ? rc : add(a, "--no-pci");
	for (unsigned i = 0; profile != NULL && i < profile->eal_args_n; i++)
		rc = rc < 0 ? rc : add(a, profile->eal_args[i]);
	for (unsigned i = 0; i < en->conf->eal_count; i++)
		rc = rc < 0 ? rc : add(a, en->conf->eal[i]);
	if (rc < 0)
		ns_fail(e, -rc, "EAL arguments: %s", strerror(-rc));
	else if (rte_eal_init(a->n, a->v) < 0)
		rc = ns_fail(e, rte_errno != 0 ? rte_errno : EIO,
			"DPDK's environment does not start: %s (%u MiB of memory, %s)",
			rte_strerror(rte_errno), mb, huge ? "hugepages" : "no hugepages");
	if (rc == 0 && !huge)
		rte_memseg_list_walk(large_pages, NULL);
	if (rc == 0)
		en->eal_args = a;
	else
		free_args(a);
	return rc;
}

void engine_eal_down(struct ns_engine *en)
{
	rte_eal_cleanup();
	free_args(en->eal_args);
	en->eal_args = NULL;
}
