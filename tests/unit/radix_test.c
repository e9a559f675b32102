// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * The IOMMU's translation table, against what it says of itself in radix.h and,
 * for random calls, against an array of pages.
 */
#include "test.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <radix.h>

#define K4	0x1000ULL
#define M2	0x200000ULL
#define G1	0x40000000ULL
#define R	VSP_RADIX_READ
#define W	VSP_RADIX_WRITE
#define RW	(R | W)
#define TOP	(1ULL << VSP_RADIX_ADDR_BITS)

static int nr_tables;
static int tables_left = -1;	/* until an allocation fails; -1: never */

u64 *radix_table_alloc(gfp_t gfp)
{
	u64 *table;

	(void)gfp;
	if (tables_left == 0)
		return NULL;
	if (tables_left > 0)
		tables_left--;
	table = aligned_alloc(4096, 4096);
	assert_non_null(table);
	memset(table, 0, 4096);
	__atomic_fetch_add(&nr_tables, 1, __ATOMIC_RELAXED);
	return table;
}

void radix_table_free(u64 *table)
{
	__atomic_fetch_sub(&nr_tables, 1, __ATOMIC_RELAXED);
	free(table);
}

bool radix_replace(u64 *p, u64 old, u64 new)
{
	return __atomic_compare_exchange_n(p, &old, new, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST);
}

static int setup(void **state)
{
	static struct vsp_radix r;

	tables_left = -1;
	*state = &r;
	return vsp_radix_init(&r, 0);
}

/* Every tree gives back all of its tables. */
static int teardown(void **state)
{
	vsp_radix_fini(*state);
	return nr_tables;
}

static int map(struct vsp_radix *r, u64 iova, u64 phys, u64 size, u64 pgsize, u32 perm)
{
	u64 mapped;
	int err = vsp_radix_map(r, iova, phys, size, pgsize, perm, 0, &mapped);

	if (!err)
		assert_int_equal(mapped, size);
	return err;
}

/* What @iova maps to for @perm; ~0 if it does not. */
static u64 at(struct vsp_radix *r, u64 iova, u32 perm)
{
	u64 phys, len;

	return vsp_radix_lookup(r, iova, perm, &phys, &len) ? phys : ~0ULL;
}

static u64 rest(struct vsp_radix *r, u64 iova)
{
	u64 phys, len;

	assert_true(vsp_radix_lookup(r, iova, 0, &phys, &len));
	return len;
}

static void empty_tree_translates_nothing(void **state)
{
	assert_int_equal(at(*state, 0, 0), ~0ULL);
	assert_int_equal(at(*state, TOP - 1, 0), ~0ULL);
	assert_int_equal(vsp_radix_unmap(*state, 0, K4), 0);
}

static void page_is_exact_to_the_byte(void **state)
{
	assert_int_equal(map(*state, 0x5000, 0xabc000, K4, K4, RW), 0);
	assert_int_equal(at(*state, 0x4fff, 0), ~0ULL);
	assert_int_equal(at(*state, 0x5000, 0), 0xabc000);
	assert_int_equal(at(*state, 0x5fff, 0), 0xabcfff);
	assert_int_equal(rest(*state, 0x5ff0), 0x10);
	assert_int_equal(at(*state, 0x6000, 0), ~0ULL);
}

static void leaves_of_all_sizes(void **state)
{
	assert_int_equal(map(*state, 3 * M2, 7 * M2, M2, M2, RW), 0);
	assert_int_equal(map(*state, 5 * G1, 9 * G1, G1, G1, RW), 0);
	assert_int_equal(at(*state, 4 * M2 - 1, 0), 8 * M2 - 1);
	assert_int_equal(rest(*state, 3 * M2 + 5), M2 - 5);
	assert_int_equal(at(*state, 6 * G1 - 1, 0), 10 * G1 - 1);
	assert_int_equal(rest(*state, 5 * G1), G1);
	/* root, two of level 2, one of level 1. */
	assert_int_equal(nr_tables, 3);
}

static void ranges_go_on_in_the_next_table(void **state)
{
	u64 i;

	assert_int_equal(map(*state, G1 - 300 * K4, 0x10000000, 1000 * K4, K4, RW), 0);
	for (i = 0; i < 1000; i++)
		assert_int_equal(at(*state, G1 - 300 * K4 + i * K4, 0), 0x10000000 + i * K4);
	assert_int_equal(map(*state, 512 * G1 - 2 * M2, 0x40000000, 5 * M2, M2, RW), 0);
	assert_int_equal(at(*state, 512 * G1 + 3 * M2 - 1, 0), 0x40000000 + 5 * M2 - 1);
	assert_int_equal(vsp_radix_unmap(*state, G1 - 300 * K4, 1000 * K4), 1000 * K4);
	assert_int_equal(at(*state, G1, 0), ~0ULL);
}

static void permissions_are_kept_apart(void **state)
{
	assert_int_equal(map(*state, 0x1000, 0x1000, K4, K4, R), 0);
	assert_int_equal(map(*state, 0x2000, 0x2000, K4, K4, W), 0);
	assert_int_equal(map(*state, 0x3000, 0x3000, K4, K4, RW), 0);
	assert_int_equal(at(*state, 0x1000, R), 0x1000);
	assert_int_equal(at(*state, 0x1000, W), ~0ULL);
	assert_int_equal(at(*state, 0x1000, RW), ~0ULL);
	assert_int_equal(at(*state, 0x2000, W), 0x2000);
	assert_int_equal(at(*state, 0x2000, R), ~0ULL);
	assert_int_equal(at(*state, 0x3000, RW), 0x3000);
}

static void both_ends_of_the_address_space(void **state)
{
	assert_int_equal(map(*state, 0, 0x1000, K4, K4, RW), 0);
	assert_int_equal(map(*state, TOP - K4, 0x2000, K4, K4, RW), 0);
	assert_int_equal(at(*state, 0, 0), 0x1000);
	assert_int_equal(at(*state, TOP - 1, 0), 0x2fff);
	assert_int_equal(at(*state, TOP, 0), ~0ULL);
	assert_int_equal(at(*state, TOP + 0x1000, 0), ~0ULL);
	assert_int_equal(at(*state, ~0ULL, 0), ~0ULL);
	assert_int_equal(map(*state, TOP, 0, K4, K4, RW), -ERANGE);
	assert_int_equal(map(*state, TOP - G1, 0, 2 * G1, G1, RW), -ERANGE);
	assert_int_equal(map(*state, 0 - G1, 0, 2 * G1, G1, RW), -ERANGE);
	assert_int_equal(vsp_radix_unmap(*state, TOP, K4), 0);
	assert_int_equal(vsp_radix_unmap(*state, TOP - K4, 2 * K4), 0);
	assert_int_equal(vsp_radix_unmap(*state, TOP - K4, K4), K4);
}

static void what_is_not_aligned_is_refused(void **state)
{
	assert_int_equal(map(*state, 0x800, 0, K4, K4, RW), -EINVAL);
	assert_int_equal(map(*state, 0, 0x800, K4, K4, RW), -EINVAL);
	assert_int_equal(map(*state, 0, 0, K4 + 1, K4, RW), -EINVAL);
	assert_int_equal(map(*state, K4, 0, M2, M2, RW), -EINVAL);
	assert_int_equal(map(*state, 0, K4, M2, M2, RW), -EINVAL);
	assert_int_equal(map(*state, 0, 0, 0x2000, 0x2000, RW), -EINVAL);
	assert_int_equal(map(*state, 0, 0, 512 * G1, 512 * G1, RW), -EINVAL);
	assert_int_equal(vsp_radix_unmap(*state, 0x800, K4), 0);
}

static void nothing_is_mapped_over(void **state)
{
	u64 mapped;

	assert_int_equal(map(*state, 3 * K4, 0x9000, K4, K4, RW), 0);
	assert_int_equal(vsp_radix_map(*state, 0, 0x100000, 8 * K4, K4, RW, 0, &mapped),
			 -EEXIST);
	assert_int_equal(mapped, 3 * K4);
	assert_int_equal(at(*state, 3 * K4, 0), 0x9000);
	assert_int_equal(at(*state, 4 * K4, 0), ~0ULL);
	assert_int_equal(map(*state, M2, 0, M2, M2, RW), 0);
	assert_int_equal(map(*state, M2 + K4, 0, K4, K4, RW), -EEXIST);
	assert_int_equal(map(*state, 0, 0, G1, G1, RW), -EEXIST);
}

static void unmap_stops_at_a_hole(void **state)
{
	assert_int_equal(map(*state, 0, 0, 4 * K4, K4, RW), 0);
	assert_int_equal(map(*state, 5 * K4, 0, K4, K4, RW), 0);
	assert_int_equal(vsp_radix_unmap(*state, 0, 6 * K4), 4 * K4);
	assert_int_equal(at(*state, 5 * K4, 0), 0);
	assert_int_equal(vsp_radix_unmap(*state, 0, K4), 0);
}

static void part_of_a_large_leaf_is_unmapped(void **state)
{
	u64 hole = 4 * G1 + 5 * M2 + 7 * K4;

	assert_int_equal(map(*state, 4 * G1, 8 * G1, G1, G1, R), 0);
	assert_int_equal(vsp_radix_unmap(*state, hole, K4), K4);
	assert_int_equal(at(*state, hole, 0), ~0ULL);
	assert_int_equal(at(*state, hole - 1, R), 8 * G1 + 5 * M2 + 7 * K4 - 1);
	assert_int_equal(at(*state, hole + K4, R), 8 * G1 + 5 * M2 + 8 * K4);
	assert_int_equal(at(*state, hole + K4, W), ~0ULL);
	assert_int_equal(rest(*state, 4 * G1), M2);
	assert_int_equal(vsp_radix_unmap(*state, 4 * G1, hole - 4 * G1), hole - 4 * G1);
	assert_int_equal(vsp_radix_unmap(*state, hole + K4, 5 * G1 - hole - K4),
			 5 * G1 - hole - K4);
	assert_int_equal(at(*state, 5 * G1 - 1, 0), ~0ULL);
}

static void large_page_goes_where_small_ones_were(void **state)
{
	u64 mapped;

	assert_int_equal(map(*state, M2 + 9 * K4, 0x5000, K4, K4, RW), 0);
	assert_int_equal(vsp_radix_unmap(*state, M2 + 9 * K4, K4), K4);
	assert_int_equal(map(*state, 0, 4 * G1, 3 * M2, M2, RW), 0);
	assert_int_equal(rest(*state, 0), M2);
	assert_int_equal(rest(*state, M2), K4);
	assert_int_equal(at(*state, 2 * M2 - 1, 0), 4 * G1 + 2 * M2 - 1);
	assert_int_equal(rest(*state, 2 * M2), M2);
	assert_int_equal(vsp_radix_unmap(*state, 0, 3 * M2), 3 * M2);
	assert_int_equal(vsp_radix_map(*state, 0, 0, G1, G1, RW, 0, &mapped), 0);
	assert_int_equal(at(*state, G1 - 1, RW), G1 - 1);
	assert_int_equal(vsp_radix_unmap(*state, 0, G1), G1);
}

static void no_memory_leaves_what_is_mapped_known(void **state)
{
	u64 mapped;
	int i;

	for (i = 0; i < 4; i++) {
		tables_left = i;
		assert_int_equal(vsp_radix_map(*state, M2 - 2 * K4, 0, 4 * K4, K4, RW, 0,
					       &mapped), -ENOMEM);
		assert_int_equal(mapped, i < 3 ? 0 : 2 * K4);
		if (i == 3)
			break;
		assert_int_equal(vsp_radix_unmap(*state, M2 - 2 * K4, 4 * K4), 0);
		vsp_radix_fini(*state);
		tables_left = -1;
		assert_int_equal(vsp_radix_init(*state, 0), 0);
	}
	assert_int_equal(vsp_radix_unmap(*state, M2 - 2 * K4, mapped), mapped);
}

static void split_without_memory_changes_nothing(void **state)
{
	assert_int_equal(map(*state, 0, 0, M2, M2, RW), 0);
	tables_left = 0;
	assert_int_equal(vsp_radix_unmap(*state, K4, K4), 0);
	assert_int_equal(rest(*state, 0), M2);
	assert_int_equal(vsp_radix_unmap(*state, 0, M2), M2);
}

static void walk_shows_every_level(void **state)
{
	struct vsp_radix_walk w;

	vsp_radix_walk(*state, 0x1000, &w);
	assert_int_equal(w.depth, 1);
	assert_int_equal(w.entry[0], 0);
	assert_int_equal(w.size, 0);
	assert_int_equal(map(*state, 0x1000, 0xabc000, K4, K4, R), 0);
	vsp_radix_walk(*state, 0x1fff, &w);
	assert_int_equal(w.depth, 4);
	assert_int_equal(w.size, K4);
	assert_int_equal(w.phys, 0xabc000);
	assert_int_equal(w.perm, R);
	assert_int_equal(map(*state, G1, G1, G1, G1, R), 0);
	vsp_radix_walk(*state, G1 + 5, &w);
	assert_int_equal(w.depth, 2);
	assert_int_equal(w.size, G1);
	assert_int_equal(w.phys, G1);
	vsp_radix_walk(*state, TOP, &w);
	assert_int_equal(w.depth, 0);
}

/* ---- random calls; the oracle is one word per page ---- */

#define ORACLE_PAGES	3072u
#define ORACLE_BASE	(G1 - 1024 * K4)	/* aligned to 2 MiB, crosses 1 GiB */

static u64 oracle[ORACLE_PAGES];

static unsigned int oracle_run(unsigned int page, unsigned int max, bool mapped)
{
	unsigned int n;

	for (n = 0; n < max && !!oracle[page + n] == mapped; n++)
		;
	return n;
}

static void random_map(struct vsp_radix *r)
{
	u64 pgsize = rand() % 3 ? K4 : M2, mapped;
	unsigned int step = pgsize / K4;
	unsigned int page = rand() % ORACLE_PAGES / step * step;
	unsigned int n = (1 + rand() % 40) * (step > 1 ? step / 32 : 1);
	unsigned int free, i;
	u64 phys = (1 + rand() % 1000) * M2;
	int err;

	n = step > 1 ? step : n;
	if (n > ORACLE_PAGES - page)
		n = ORACLE_PAGES - page;
	free = oracle_run(page, n, false);
	err = vsp_radix_map(r, ORACLE_BASE + page * K4, phys, n * K4, pgsize, RW, 0, &mapped);
	assert_int_equal(err, free == n ? 0 : -EEXIST);
	/* A large leaf is all or, above a finer table, page by page. */
	assert_true(mapped <= free * K4);
	for (i = 0; i < mapped / K4; i++)
		oracle[page + i] = phys + i * K4;
}

static void random_unmap(struct vsp_radix *r)
{
	unsigned int page = rand() % ORACLE_PAGES;
	unsigned int n = 1 + rand() % 700, run, i;

	if (n > ORACLE_PAGES - page)
		n = ORACLE_PAGES - page;
	run = oracle_run(page, n, true);
	assert_int_equal(vsp_radix_unmap(r, ORACLE_BASE + page * K4, n * K4), run * K4);
	for (i = 0; i < run; i++)
		oracle[page + i] = 0;
}

static void random_calls_agree_with_an_array(void **state)
{
	unsigned int i, page;

	srand(1);
	memset(oracle, 0, sizeof(oracle));
	for (i = 0; i < 4000; i++) {
		if (rand() & 1)
			random_map(*state);
		else
			random_unmap(*state);
		if (i % 50)
			continue;
		for (page = 0; page < ORACLE_PAGES; page++)
			assert_int_equal(at(*state, ORACLE_BASE + page * K4, 0),
					 oracle[page] ? oracle[page] : ~0ULL);
	}
}

/* ---- several at once ---- */

#define ROUNDS	20000u

struct worker {
	struct vsp_radix *r;
	unsigned int nr;
	bool *stop;
};

/* Pages of the two mappers alternate, so they share all tables. */
static u64 worker_iova(unsigned int nr, unsigned int i)
{
	return G1 - 64 * K4 + (2 * (i % 64) + nr) * K4;
}

static void *mapper(void *arg)
{
	struct worker *w = arg;
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		u64 iova = worker_iova(w->nr, i), mapped;

		if (vsp_radix_map(w->r, iova, iova + G1, K4, K4, RW, 0, &mapped) ||
		    at(w->r, iova, RW) != iova + G1 ||
		    vsp_radix_unmap(w->r, iova, K4) != K4 ||
		    at(w->r, iova, 0) != ~0ULL)
			return w;
	}
	return NULL;
}

static void *reader(void *arg)
{
	struct worker *w = arg;
	unsigned int i;
	u64 iova, phys;

	for (i = 0; !__atomic_load_n(w->stop, __ATOMIC_RELAXED); i++) {
		iova = worker_iova(i & 1, i / 2);
		phys = at(w->r, iova, RW);
		if (phys != ~0ULL && phys != iova + G1)
			return w;
	}
	return NULL;
}

/* Takes every other page of a leaf of 2 MiB away. */
static void *nibbler(void *arg)
{
	struct worker *w = arg;
	unsigned int i;

	for (i = w->nr; i < 512; i += 2)
		if (vsp_radix_unmap(w->r, 8 * G1 + i * K4, K4) != K4)
			return w;
	return NULL;
}

static void two_at_a_time(struct vsp_radix *r, void *(*fn)(void *))
{
	bool stop = false;
	struct worker w[3] = { { r, 0, &stop }, { r, 1, &stop }, { r, 2, &stop } };
	pthread_t thread[3];
	void *bad;
	int i;

	assert_int_equal(pthread_create(&thread[2], NULL, reader, &w[2]), 0);
	for (i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, fn, &w[i]), 0);
	for (i = 0; i < 3; i++) {
		if (i == 2)
			__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
		assert_int_equal(pthread_join(thread[i], &bad), 0);
		assert_null(bad);
	}
}

static void two_threads_map_and_a_third_reads(void **state)
{
	two_at_a_time(*state, mapper);
}

static void two_threads_split_one_leaf(void **state)
{
	int i;

	for (i = 0; i < 100; i++) {
		vsp_radix_fini(*state);
		assert_int_equal(vsp_radix_init(*state, 0), 0);
		assert_int_equal(map(*state, 8 * G1, 0, M2, M2, RW), 0);
		two_at_a_time(*state, nibbler);
		assert_int_equal(at(*state, 8 * G1, 0), ~0ULL);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(empty_tree_translates_nothing),
		T(page_is_exact_to_the_byte),
		T(leaves_of_all_sizes),
		T(ranges_go_on_in_the_next_table),
		T(permissions_are_kept_apart),
		T(both_ends_of_the_address_space),
		T(what_is_not_aligned_is_refused),
		T(nothing_is_mapped_over),
		T(unmap_stops_at_a_hole),
		T(part_of_a_large_leaf_is_unmapped),
		T(large_page_goes_where_small_ones_were),
		T(no_memory_leaves_what_is_mapped_known),
		T(split_without_memory_changes_nothing),
		T(walk_shows_every_level),
		T(random_calls_agree_with_an_array),
		T(two_threads_map_and_a_third_reads),
		T(two_threads_split_one_leaf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
