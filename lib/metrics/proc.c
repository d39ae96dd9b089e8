/* SPDX-License-Identifier: BSD-3-Clause */
/* This process as /proc/self tells it; what can't be read stays 0. */
#include "metrics_priv.h"

#include <ns_node.h>

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void read_memory(struct proc *p)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	FILE *f = fopen("/proc/self/statm", "re");
	unsigned long all, resident;

	if (f == NULL)
		return;
	if (fscanf(f, "%lu %lu", &all, &resident) == 2) {
		p->virtual = all * page;
		p->resident = resident * page;
	}
	fclose(f);
}

static uint64_t entries(const char *path)
{
	DIR *d = opendir(path);
	uint64_t n = 0;

	if (d == NULL)
		return 0;
	for (const struct dirent *e = readdir(d); e != NULL; e = readdir(d))
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

void proc_read(struct proc *p)
{
	memset(p, 0, sizeof(*p));
	p->start_ns = ns_node()->start_ns;
	p->cpu_ns = ns_clock_cpu();
	read_memory(p);
	p->threads = entries("/proc/self/task");
	p->files = entries("/proc/self/fd");
	p->files -= p->files > 0; /* the one that reading it took */
}
