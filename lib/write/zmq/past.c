/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How far the numbers of topics were when a writer closed. One that a reload opens on the same
 * endpoints goes on from there, so that the numbers of one boot never come twice. Opened on the
 * main thread, closed on its own when a reload takes it out.
 */
#include "zmq_priv.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct past {
	struct past *next;
	uint64_t seq;
	size_t target_len;
	char text[]; /* the target, and behind it the topic */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct past *first; /* as long as the process */

static struct past *find(const char *target, const char *topic)
{
	struct past *p = first;
	size_t n = strlen(target);

	while (p != NULL && (p->target_len != n || memcmp(p->text, target, n) != 0 ||
				    strcmp(p->text + n, topic) != 0))
		p = p->next;
	return p;
}

static struct past *add(const char *target, const char *topic)
{
	size_t n = strlen(target), m = strlen(topic);
	struct past *p = malloc(sizeof(*p) + n + m + 1);

	if (p == NULL)
		return NULL;
	p->target_len = n;
	memcpy(mempcpy(p->text, target, n), topic, m + 1);
	p->next = first;
	first = p;
	return p;
}

uint64_t zmq_past(const char *target, const char *topic)
{
	pthread_mutex_lock(&lock);
	const struct past *p = find(target, topic);
	uint64_t seq = p != NULL ? p->seq : 0;

	pthread_mutex_unlock(&lock);
	return seq;
}

void zmq_past_keep(const char *target, const char *topic, uint64_t seq)
{
	if (seq == 0)
		return;
	pthread_mutex_lock(&lock);
	struct past *p = find(target, topic);

	if (p == NULL)
		p = add(target, topic);
	/* without memory they begin anew, which a subscriber takes for another boot's */
	if (p != NULL)
		p->seq = seq;
	pthread_mutex_unlock(&lock);
}
