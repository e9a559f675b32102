// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * One thread writes a range table, others read it. A translation must be that of
 * one version of one range, whole, and not of one that was deleted before the
 * reader's last vrl_iotlb_sync(). Version v of a range leads v << 40 further than
 * its IOVA, and has length and permission of its own.
 *
 * Usage: iotlb_stress [SECONDS]. Speaks TAP.
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <vrl/iotlb.h>

#include "guest.h"

#define NR_RANGES	24
#define NR_READERS	2
#define RANGE_SHIFT	20

static struct vrl_iotlb *table;
static uint32_t deleted[NR_RANGES];	/* atomic: no version up to this is there */
static int stop, failed;		/* atomic */

struct reader {
	pthread_t thread;
	unsigned long hits, faults, refused, again;
	uint32_t seed;
};

static uint64_t version_first(unsigned int range)
{
	return (uint64_t)range << RANGE_SHIFT;
}

static uint64_t version_size(uint32_t version)
{
	return 4096 * (1 + version % 7);
}

static uint32_t version_perm(uint32_t version)
{
	return version % 3 ? VRL_PERM_R | VRL_PERM_W : VRL_PERM_R;
}

static bool is_stopped(void)
{
	return __atomic_load_n(&stop, __ATOMIC_RELAXED);
}

static void check(bool ok, const char *what, uint32_t version)
{
	if (!ok && !__atomic_exchange_n(&failed, 1, __ATOMIC_RELAXED))
		printf("# version %u: %s\n", version, what);
}

/* @wide: anywhere, for anything; else what each version has, so that it gets hot. */
static void reader_look(struct reader *r, struct vrl_iotlb_hint *hint, unsigned int range,
			uint32_t gone, bool wide)
{
	uint64_t off = test_random(&r->seed) % (wide ? 8 * 4096 : 4096);
	__u64 iova = version_first(range) + off, addr = 0, len = wide ? 1 << 20 : 1;
	uint32_t perm = wide && test_random(&r->seed) % 2 ? VRL_PERM_W : VRL_PERM_R, version;
	int ret = vrl_iotlb_translate(table, hint, iova, perm, &addr, &len);

	if (ret) {
		r->faults += ret == -EFAULT;
		r->refused += ret == -EACCES;
		r->again += ret == -EAGAIN;
		return;
	}
	r->hits++;
	version = (uint32_t)((addr - iova) >> 40);
	check(addr - iova == (__u64)version << 40, "an address of no version", version);
	check(version > gone, "was deleted before", version);
	check(off + len <= version_size(version), "longer than it ever was", version);
	check(perm & version_perm(version), "a permission it never had", version);
}

static void *reader_main(void *arg)
{
	struct vrl_iotlb_hint hint = { .size = 0 };
	struct reader *r = arg;
	unsigned int range, i;
	uint32_t gone;
	bool wide;

	while (!is_stopped()) {
		range = test_random(&r->seed) % NR_RANGES;
		wide = test_random(&r->seed) % 2;
		for (i = test_random(&r->seed) % 256; i; i--) {
			gone = __atomic_load_n(&deleted[range], __ATOMIC_ACQUIRE);
			vrl_iotlb_sync(table, &hint);
			reader_look(r, &hint, range, gone, wide);
			reader_look(r, &hint, range, gone, wide);
		}
	}
	return NULL;
}

static void writer_renew(unsigned int range, uint32_t version, uint32_t *seed)
{
	uint64_t first = version_first(range), size = version_size(version - 1);
	int ret;

	/* Sometimes in pieces: a hole first, then what is left. */
	if (test_random(seed) % 4 == 0 && size > 8192)
		vrl_iotlb_del(table, first + 4096, first + 8191);
	ret = vrl_iotlb_del(table, first, first + size - 1);
	check(!ret || (version == 1 && ret == -ENOENT), "could not be deleted", version - 1);
	__atomic_store_n(&deleted[range], version - 1, __ATOMIC_RELEASE);
	ret = vrl_iotlb_add(table, first, first + version_size(version) - 1,
			    first + ((uint64_t)version << 40), version_perm(version));
	check(!ret, "could not be added", version);
}

static uint32_t writer_run(double seconds)
{
	uint32_t version[NR_RANGES] = { 0 }, seed = 7, changes = 0;
	struct timespec t;
	unsigned int range, i;
	double end;

	clock_gettime(CLOCK_MONOTONIC, &t);
	end = (double)t.tv_sec + (double)t.tv_nsec / 1e9 + seconds;
	do {
		for (i = 0; i < 256; i++) {
			range = test_random(&seed) % NR_RANGES;
			writer_renew(range, ++version[range], &seed);
			changes++;
		}
		/* Readers get somewhere, too. */
		t = (struct timespec){ .tv_nsec = 50000 };
		nanosleep(&t, NULL);
		clock_gettime(CLOCK_MONOTONIC, &t);
	} while ((double)t.tv_sec + (double)t.tv_nsec / 1e9 < end);
	return changes;
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? atof(argv[1]) : 1;
	struct reader readers[NR_READERS] = { { .seed = 3 }, { .seed = 5 } };
	unsigned int i;
	uint32_t changes;
	bool ok = true;

	setvbuf(stdout, NULL, _IOLBF, 0);
	table = calloc(1, vrl_iotlb_size(2 * NR_RANGES));
	if (!table || vrl_iotlb_init(table, 2 * NR_RANGES))
		abort();
	for (i = 0; i < NR_READERS; i++)
		if (pthread_create(&readers[i].thread, NULL, reader_main, &readers[i]))
			abort();
	changes = writer_run(seconds);
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	printf("1..1\n# %u changes\n", changes);
	for (i = 0; i < NR_READERS; i++) {
		struct reader *r = &readers[i];

		pthread_join(r->thread, NULL);
		printf("# reader: %lu hits, %lu faults, %lu refused, %lu gave up\n", r->hits,
		       r->faults, r->refused, r->again);
		ok = ok && r->hits > 1000 && r->faults && r->refused;
	}
	ok = ok && !failed;
	printf("%s 1 - a range table is read whole while it is written\n", ok ? "ok" : "not ok");
	free(table);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
