// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that comes and goes under a backend that does not care.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 *   window_race FUNCTION DEVICE
 *
 * DEVICE is a /dev/vhost-vdpa-N. Takes some seconds. Prints TAP. Run by 90-window.t.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>

#include "lib/vdpa_user.h"

#define BASE	(16ULL << 20)

static struct backend be;
static struct user user;

static volatile uint64_t *at(uint64_t iova)
{
	return (volatile uint64_t *)(be.window[0] + iova);
}

static volatile bool race_stop;
static uint64_t race_bad, race_reads;

/* A page is its number, or nothing, while it is being mapped and unmapped. */
static void *race_reader(void *arg)
{
	uint64_t i, v, reads = 0, bad = 0;

	while (!race_stop)
		for (i = 0; i < HUGE; i += PAGE, reads++) {
			v = *at(BASE + i);
			bad += v && v != 1000 + i && v != 2000 + i;
			*(at(BASE + i) + 1) = 77;
		}
	__atomic_fetch_add(&race_reads, reads, __ATOMIC_RELAXED);
	__atomic_fetch_add(&race_bad, bad, __ATOMIC_RELAXED);
	return arg;
}

static int run(const char *function, const char *device)
{
	uint8_t *mem[2] = { mem_anon(HUGE, MADV_NOHUGEPAGE), mem_anon(HUGE, MADV_HUGEPAGE) };
	static const uint64_t size[2] = { 8 * PAGE, HUGE };
	time_t end = time(NULL) + 6;
	unsigned int i, n, secret = 0;
	pthread_t readers[2];

	be_open(&be, function, true);
	user_open(&user, device);
	for (i = 0; i < 2; i++) {
		mem_fill(mem[i], HUGE, 1000 * (i + 1));
		need(!pthread_create(&readers[i], NULL, race_reader, NULL), "pthread_create");
	}
	for (n = 0; time(NULL) < end; n++) {
		i = n & 1;
		user_map(&user, BASE, mem[i], size[i], VHOST_ACCESS_RW);
		sched_yield();
		user_unmap(&user, BASE, size[i]);
		/* It is the user's alone now: nobody writes the second word of a page. */
		*(volatile uint64_t *)(mem[i] + 8) = n;
		sched_yield();
		secret += *(volatile uint64_t *)(mem[i] + 8) != n;
	}
	race_stop = true;
	for (i = 0; i < 2; i++)
		pthread_join(readers[i], NULL);
	ok(n >= 10 && race_reads > HUGE / PAGE, "the backend reads and writes all the time");
	printf("# %u rounds\n", n);
	is(race_bad, 0, "it sees a page as it is mapped, or nothing");
	is(secret, 0, "after unmap it writes to none");
	user_close(&user);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "Usage: window_race FUNCTION DEVICE\n");
		return 2;
	}
	setlinebuf(stdout);
	run(argv[1], argv[2]);
	return done();
}
