// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * What one translation costs: 64 bytes somewhere in one of N ranges of 8 KiB with
 * gaps between them. "hot" stays in one range, the others take ranges at random.
 * The cost of the loop itself is subtracted.
 */
#include <stdlib.h>
#include <vrl/mem.h>

#include "results.h"

#define LOOKUPS		1024u
#define ADDRESSES	(64 * LOOKUPS)	/* more than a branch predictor can learn */
#define RANGE_LEN	8192u
#define RANGE_STEP	16384u
#define ACCESS		64u
#define REPEATS		32u

const unsigned int lookup_sizes[LOOKUP_SIZES] = { 1, 3, 64, 4096 };
const char *const lookup_names[LOOKUP_ARMS] = {
	[LOOKUP_WINDOW] = "vrl window",
	[LOOKUP_VRL_HOT] = "vrl table, hot range",
	[LOOKUP_VRL] = "vrl table",
	[LOOKUP_KERNEL_HOT] = "vhost_iotlb, same range",
	[LOOKUP_KERNEL] = "vhost_iotlb",
};

struct figure lookups[LOOKUP_ARMS][LOOKUP_SIZES];

typedef uint64_t (*lookup_fn)(const uint64_t *iova, unsigned int n);

static struct vrl_mem by_window, by_table;
static uint64_t hot[ADDRESSES], scattered[ADDRESSES];

/* ---- the loops -------------------------------------------------------------- */

static __attribute__((noinline)) uint64_t loop_none(const uint64_t *iova, unsigned int n)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < n; i++) {
		uint64_t a = iova[i];

		__asm__ volatile("" : "+r"(a));
		sum += a;
	}
	return sum;
}

static __attribute__((noinline)) uint64_t loop_vrl(const uint64_t *iova, unsigned int n,
						   struct vrl_mem *m)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < n; i++) {
		const void *p = vrl_mem_at(m, iova[i], ACCESS, VRL_PERM_R);

		__asm__ volatile("" : "+r"(p));
		sum += (uintptr_t)p;
	}
	return sum;
}

static uint64_t loop_window(const uint64_t *iova, unsigned int n)
{
	return loop_vrl(iova, n, &by_window);
}

static uint64_t loop_table(const uint64_t *iova, unsigned int n)
{
	return loop_vrl(iova, n, &by_table);
}

/* ---- measuring -------------------------------------------------------------- */

struct lookup {
	enum lookup_arm arm;
	lookup_fn fn;
	const uint64_t *iova;
};

static const struct lookup plan[] = {
	{ LOOKUP_WINDOW, loop_window, scattered },
	{ LOOKUP_VRL_HOT, loop_table, hot },
	{ LOOKUP_VRL, loop_table, scattered },
#ifdef WITH_VRINGH
	{ LOOKUP_KERNEL_HOT, kernel_lookup, hot },
	{ LOOKUP_KERNEL, kernel_lookup, scattered },
#endif
};

#define NR_PLAN	(sizeof(plan) / sizeof(plan[0]))

static uint64_t expected(const uint64_t *iova)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < LOOKUPS; i++)
		sum += iova[i] - IOVA_BASE;
	return sum;
}

static double lookup_ticks(const struct lookup *l, unsigned int round)
{
	double v[REPEATS];
	uint64_t start;

	for (unsigned int i = 0; i < REPEATS; i++) {
		const uint64_t *iova = l->iova + (round * REPEATS + i) * LOOKUPS % ADDRESSES;

		start = ticks_before();
		l->fn(iova, LOOKUPS);
		v[i] = (double)(ticks_after() - start);
	}
	return middle_mean(v, REPEATS) / LOOKUPS;
}

static double lookup_insns(const struct lookup *l)
{
	l->fn(l->iova, LOOKUPS);	/* finds out what is hot */
	count_begin();
	l->fn(l->iova, LOOKUPS);
	return count_end() / LOOKUPS;
}

static void lookup_round(unsigned int s, unsigned int round)
{
	const struct lookup none = { .fn = loop_none, .iova = scattered };
	double floor = lookup_ticks(&none, round), ns[NR_PLAN];
	bool quiet = core_is_quiet();

	for (unsigned int i = 0; i < NR_PLAN; i++)
		ns[i] = (lookup_ticks(&plan[i], round) - floor) * ns_per_tick;
	quiet &= core_is_quiet();
	for (unsigned int i = 0; i < NR_PLAN; i++)
		figure_add(&lookups[plan[i].arm][s], ns[i] > 0 ? ns[i] : 0, quiet);
}

static void lookup_measure(unsigned int s)
{
	const struct lookup none = { .fn = loop_none, .iova = scattered };
	double floor;

	if (options.count_to) {
		floor = lookup_insns(&none);
		for (unsigned int i = 0; i < NR_PLAN; i++)
			lookups[plan[i].arm][s].insns = lookup_insns(&plan[i]) - floor;
		return;
	}
	for (unsigned int i = 0; i < 2 * options.rounds; i++)
		if (lookups[plan[0].arm][s].n < options.rounds)
			lookup_round(s, i);
	for (unsigned int i = 0; i < NR_PLAN; i++)
		figure_finish(&lookups[plan[i].arm][s]);
}

/* ---- set-up ----------------------------------------------------------------- */

static int table_fill(struct vrl_iotlb *t, unsigned int ranges)
{
	if (vrl_iotlb_init(t, ranges))
		return -1;
	for (unsigned int i = 0; i < ranges; i++) {
		uint64_t first = IOVA_BASE + (uint64_t)i * RANGE_STEP;

		/* In the table, byte IOVA_BASE leads to 0. */
		if (vrl_iotlb_add(t, first, first + RANGE_LEN - 1, (uint64_t)i * RANGE_STEP,
				  VRL_PERM_R))
			return -1;
	}
	by_table = (struct vrl_mem){ .tlb = t };
	vrl_mem_sync(&by_table);
	return 0;
}

static void addresses_fill(unsigned int ranges)
{
	for (unsigned int i = 0; i < ADDRESSES; i++) {
		uint64_t off = (uint64_t)random() % (RANGE_LEN - ACCESS);
		uint64_t range = (uint64_t)random() % ranges;

		hot[i] = IOVA_BASE + (uint64_t)(ranges / 2) * RANGE_STEP + off;
		scattered[i] = IOVA_BASE + range * RANGE_STEP + off;
	}
}

/* All arms must agree on where the addresses lead; this also warms them up. */
static int lookup_check(unsigned int ranges)
{
	for (unsigned int i = 0; i < NR_PLAN; i++)
		if (plan[i].fn(plan[i].iova, LOOKUPS) != expected(plan[i].iova)) {
			fprintf(stderr, "%s, %u ranges: leads to the wrong place\n",
				lookup_names[plan[i].arm], ranges);
			return -1;
		}
	return 0;
}

int lookup_run(void)
{
	struct vrl_iotlb *t = malloc(vrl_iotlb_size(VRL_IOTLB_MAX));
	int ret = t ? 0 : -1;

	by_window.window = (void *)(uintptr_t)-IOVA_BASE;
	for (unsigned int s = 0; s < LOOKUP_SIZES && !ret; s++) {
		unsigned int n = lookup_sizes[s];

		addresses_fill(n);
#ifdef WITH_VRINGH
		ret = kernel_lookup_open(n, IOVA_BASE, RANGE_LEN, RANGE_STEP);
#endif
		if (!ret)
			ret = table_fill(t, n) || lookup_check(n);
		if (!ret && !options.smoke)
			lookup_measure(s);
	}
	free(t);
	return ret;
}
