/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Preloaded into ns-engine by law_test.py: notes which threads allocate, free, lock or wait. Each
 * function here stands before the one of the same name in libc or DPDK, counts, and calls it.
 *
 *   SIGUSR1   from now on calls are counted
 *   SIGUSR2   enough: a line for each function into the file that NS_WATCH names
 *
 *       malloc lcores 0 others 212 start 10427
 *
 * lcores: threads that EAL runs lcores on; others: all else; start: any thread before SIGUSR1,
 * which shows that calls come by here at all.
 *
 * Not seen are locks without a call (spin locks of DPDK are inline functions) and system calls: the
 * test's other half asks strace for those.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/* dlsym() itself allocates, so libc's allocator is called by its own names. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t align, size_t size);
void __libc_free(void *p);

enum which {
	OF_malloc,
	OF_calloc,
	OF_realloc,
	OF_posix_memalign,
	OF_aligned_alloc,
	OF_memalign,
	OF_free,
	OF_pthread_mutex_lock,
	OF_pthread_mutex_trylock,
	OF_pthread_rwlock_rdlock,
	OF_pthread_rwlock_wrlock,
	OF_pthread_spin_lock,
	OF_pthread_cond_wait,
	OF_pthread_cond_signal,
	OF_pthread_cond_broadcast,
	OF_sem_wait,
	OF_sem_post,
	OF_rte_malloc,
	OF_rte_zmalloc,
	OF_rte_calloc,
	OF_rte_realloc,
	OF_rte_malloc_socket,
	OF_rte_zmalloc_socket,
	OF_rte_calloc_socket,
	OF_rte_free,
	FUNCTIONS_N
};

#define NAME(f) [OF_##f] = #f

static const char *const names[FUNCTIONS_N] = {
	NAME(malloc),
	NAME(calloc),
	NAME(realloc),
	NAME(posix_memalign),
	NAME(aligned_alloc),
	NAME(memalign),
	NAME(free),
	NAME(pthread_mutex_lock),
	NAME(pthread_mutex_trylock),
	NAME(pthread_rwlock_rdlock),
	NAME(pthread_rwlock_wrlock),
	NAME(pthread_spin_lock),
	NAME(pthread_cond_wait),
	NAME(pthread_cond_signal),
	NAME(pthread_cond_broadcast),
	NAME(sem_wait),
	NAME(sem_post),
	NAME(rte_malloc),
	NAME(rte_zmalloc),
	NAME(rte_calloc),
	NAME(rte_realloc),
	NAME(rte_malloc_socket),
	NAME(rte_zmalloc_socket),
	NAME(rte_calloc_socket),
	NAME(rte_free),
};

static void *real[FUNCTIONS_N];
static uint64_t lcores[FUNCTIONS_N], others[FUNCTIONS_N], start[FUNCTIONS_N];
static volatile sig_atomic_t phase; /* 0: starting, 1: counting, 2: enough */

/* Threads of lcores have their names before anything is counted. */
static bool is_lcore(void)
{
	static __thread signed char known __attribute__((tls_model("initial-exec")));
	char name[16] = "";

	if (known == 0) {
		prctl(PR_GET_NAME, name);
		known = strncmp(name, "rte-worker", 10) == 0 ||
					strncmp(name, "lcore-worker", 12) == 0 ||
					strncmp(name, "dpdk-worker", 11) == 0
				? 1
				: -1;
	}
	return known > 0;
}

static void seen(enum which f)
{
	uint64_t *n = phase == 0 ? start : phase == 1 && is_lcore() ? lcores : others;

	if (phase < 2)
		__atomic_fetch_add(&n[f], 1, __ATOMIC_RELAXED);
}

static void *of(enum which f)
{
	void *p = __atomic_load_n(&real[f], __ATOMIC_ACQUIRE);

	if (p == NULL) {
		p = dlsym(RTLD_NEXT, names[f]);
		if (p == NULL)
			abort();
		__atomic_store_n(&real[f], p, __ATOMIC_RELEASE);
	}
	return p;
}

static void on_signal(int sig)
{
	const char *path = getenv("NS_WATCH");
	char line[128];
	int err = errno;

	if (sig == SIGUSR1) {
		phase = 1;
		return;
	}
	phase = 2;
	int fd = path != NULL ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;

	for (unsigned i = 0; fd >= 0 && i < FUNCTIONS_N; i++) {
		int n = snprintf(line, sizeof(line), "%s lcores %llu others %llu start %llu\n",
			names[i], (unsigned long long)lcores[i], (unsigned long long)others[i],
			(unsigned long long)start[i]);

		if (write(fd, line, (size_t)n) != n)
			abort();
	}
	if (fd >= 0)
		(void)!write(fd, "end\n", 4);
	close(fd);
	errno = err;
}

__attribute__((constructor)) static void begin(void)
{
	signal(SIGUSR1, on_signal);
	signal(SIGUSR2, on_signal);
}

#define EXPORT __attribute__((visibility("default")))

EXPORT void *malloc(size_t size)
{
	seen(OF_malloc);
	return __libc_malloc(size);
}

EXPORT void *calloc(size_t n, size_t size)
{
	seen(OF_calloc);
	return __libc_calloc(n, size);
}

EXPORT void *realloc(void *p, size_t size)
{
	seen(OF_realloc);
	return __libc_realloc(p, size);
}

EXPORT void free(void *p)
{
	seen(OF_free);
	__libc_free(p);
}

EXPORT void *memalign(size_t align, size_t size)
{
	seen(OF_memalign);
	return __libc_memalign(align, size);
}

EXPORT void *aligned_alloc(size_t align, size_t size)
{
	seen(OF_aligned_alloc);
	return __libc_memalign(align, size);
}

EXPORT int posix_memalign(void **p, size_t align, size_t size)
{
	seen(OF_posix_memalign);
	*p = __libc_memalign(align, size);
	return *p != NULL ? 0 : ENOMEM;
}

/* One that stands before a function with these parameters. */
#define BEFORE(type, f, params, ...)          \
	EXPORT type f params;                 \
	EXPORT type f params                  \
	{                                     \
		type(*next) params;           \
                                              \
		seen(OF_##f);                 \
		*(void **)&next = of(OF_##f); \
		return next(__VA_ARGS__);     \
	}

BEFORE(int, pthread_mutex_lock, (pthread_mutex_t * m), m)
BEFORE(int, pthread_mutex_trylock, (pthread_mutex_t * m), m)
BEFORE(int, pthread_rwlock_rdlock, (pthread_rwlock_t * l), l)
BEFORE(int, pthread_rwlock_wrlock, (pthread_rwlock_t * l), l)
BEFORE(int, pthread_spin_lock, (pthread_spinlock_t * l), l)
BEFORE(int, pthread_cond_wait, (pthread_cond_t * c, pthread_mutex_t *m), c, m)
BEFORE(int, pthread_cond_signal, (pthread_cond_t * c), c)
BEFORE(int, pthread_cond_broadcast, (pthread_cond_t * c), c)
BEFORE(int, sem_wait, (sem_t * s), s)
BEFORE(int, sem_post, (sem_t * s), s)
BEFORE(void *, rte_malloc, (const char *type, size_t size, unsigned align), type, size, align)
BEFORE(void *, rte_zmalloc, (const char *type, size_t size, unsigned align), type, size, align)
BEFORE(void *, rte_calloc, (const char *type, size_t n, size_t size, unsigned align), type, n, size,
	align)
BEFORE(void *, rte_realloc, (void *p, size_t size, unsigned align), p, size, align)
BEFORE(void *, rte_malloc_socket, (const char *type, size_t size, unsigned align, int socket), type,
	size, align, socket)
BEFORE(void *, rte_zmalloc_socket, (const char *type, size_t size, unsigned align, int socket),
	type, size, align, socket)
BEFORE(void *, rte_calloc_socket,
	(const char *type, size_t n, size_t size, unsigned align, int socket), type, n, size, align,
	socket)

EXPORT void rte_free(void *p);
EXPORT void rte_free(void *p)
{
	void (*next)(void *);

	seen(OF_rte_free);
	*(void **)&next = of(OF_rte_free);
	next(p);
}
