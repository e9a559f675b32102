// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * IOTLB range table, written and read by one: lookups at every edge, holes and
 * splits, limits, and the whole 64-bit space. Readers that the writer surprises
 * are iotlb_reader_test.c's, random operations the fuzzer's (iotlb_fuzz.c).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <vrl/iotlb.h>

#include "test.h"

#define RW	(VRL_PERM_R | VRL_PERM_W)

struct table {
	struct vrl_iotlb *t;
	struct vrl_iotlb_hint hint;
};

/* Exactly sized on the heap: the sanitizer guards the end. */
static void table_open(struct table *t, unsigned int max)
{
	memset(&t->hint, 0, sizeof(t->hint));
	t->t = malloc(vrl_iotlb_size(max));
	assert_non_null(t->t);
	assert_int_equal(vrl_iotlb_init(t->t, max), 0);
}

static void table_close(struct table *t)
{
	free(t->t);
}

static void leads(struct table *t, uint64_t iova, uint64_t want, uint64_t len,
		  uint64_t want_len)
{
	__u64 addr, l = len;

	assert_int_equal(vrl_iotlb_translate(t->t, &t->hint, iova, VRL_PERM_R,
					     &addr, &l), 0);
	assert_int_equal(addr, want);
	assert_int_equal(l, want_len);
}

static void fails(struct table *t, uint64_t iova, uint32_t perm, int err)
{
	__u64 addr = 77, len = 1;

	assert_int_equal(vrl_iotlb_translate(t->t, &t->hint, iova, perm, &addr,
					     &len), err);
	assert_int_equal(addr, 77);
	assert_int_equal(len, 1);
}

static void empty_table_leads_nowhere(void **state)
{
	struct table t;

	(void)state;
	table_open(&t, 1);
	fails(&t, 0, VRL_PERM_R, -EFAULT);
	fails(&t, UINT64_MAX, VRL_PERM_R, -EFAULT);
	assert_int_equal(vrl_iotlb_del(t.t, 0, UINT64_MAX), -ENOENT);
	table_close(&t);
}

static void range_is_found_from_first_to_last_byte(void **state)
{
	struct table t;

	(void)state;
	table_open(&t, 1);
	assert_int_equal(vrl_iotlb_add(t.t, 0x1000, 0x1fff, 0x700000, RW), 0);
	fails(&t, 0xfff, VRL_PERM_R, -EFAULT);
	leads(&t, 0x1000, 0x700000, 1, 1);
	leads(&t, 0x1000, 0x700000, 0x1000, 0x1000);
	leads(&t, 0x1000, 0x700000, 0x1001, 0x1000);
	leads(&t, 0x1800, 0x700800, UINT64_MAX, 0x800);
	leads(&t, 0x1fff, 0x700fff, 2, 1);
	fails(&t, 0x2000, VRL_PERM_R, -EFAULT);
	table_close(&t);
}

static void zero_length_lookup_is_refused(void **state)
{
	__u64 addr = 77, len = 0;
	struct table t;

	(void)state;
	table_open(&t, 1);
	assert_int_equal(vrl_iotlb_add(t.t, 0, UINT64_MAX, 0, RW), 0);
	assert_int_equal(vrl_iotlb_translate(t.t, &t.hint, 5, VRL_PERM_R,
					     &addr, &len), -EINVAL);
	assert_int_equal(addr, 77);
	table_close(&t);
}

static void whole_space_is_one_range(void **state)
{
	struct table t;

	(void)state;
	table_open(&t, 2);
	assert_int_equal(vrl_iotlb_add(t.t, 0, UINT64_MAX, 0x10, RW), 0);
	leads(&t, 0, 0x10, UINT64_MAX, UINT64_MAX);
	leads(&t, 1, 0x11, UINT64_MAX, UINT64_MAX);
	leads(&t, 2, 0x12, UINT64_MAX, UINT64_MAX - 1);
	leads(&t, UINT64_MAX, 0xf, UINT64_MAX, 1);
	assert_int_equal(vrl_iotlb_add(t.t, 5, 5, 0, RW), -EEXIST);
	assert_int_equal(vrl_iotlb_del(t.t, 0, UINT64_MAX), 0);
	assert_int_equal(t.t->nr, 0);
	table_close(&t);
}

static void last_byte_of_the_space_can_be_a_range(void **state)
{
	struct table t;

	(void)state;
	table_open(&t, 2);
	assert_int_equal(vrl_iotlb_add(t.t, UINT64_MAX, UINT64_MAX, 9, RW), 0);
	assert_int_equal(vrl_iotlb_add(t.t, 0, 0, 5, RW), 0);
	leads(&t, UINT64_MAX, 9, 2, 1);
	leads(&t, 0, 5, 2, 1);
	fails(&t, UINT64_MAX - 1, VRL_PERM_R, -EFAULT);
	table_close(&t);
}

static void permission_is_checked_per_bit(void **state)
{
	struct table t;
	__u64 addr, len = 1;

	(void)state;
	table_open(&t, 3);
	assert_int_equal(vrl_iotlb_add(t.t, 0, 9, 0, VRL_PERM_R), 0);
	assert_int_equal(vrl_iotlb_add(t.t, 10, 19, 0, VRL_PERM_W), 0);
	assert_int_equal(vrl_iotlb_add(t.t, 20, 29, 0, RW), 0);
	fails(&t, 0, VRL_PERM_W, -EACCES);
	fails(&t, 0, RW, -EACCES);
	fails(&t, 10, VRL_PERM_R, -EACCES);
	fails(&t, 10, RW, -EACCES);
	assert_int_equal(vrl_iotlb_translate(t.t, &t.hint, 20, RW, &addr, &len),
			 0);
	leads(&t, 5, 5, 100, 5);	/* does not run into the next range */
	table_close(&t);
}

static void add_refuses_nonsense(void **state)
{
	struct table t;

	(void)state;
	table_open(&t, 4);
	assert_int_equal(vrl_iotlb_add(t.t, 5, 4, 0, RW), -EINVAL);
	assert_int_equal(vrl_iotlb_add(t.t, 5, 6, 0, 0), -EINVAL);
	assert_int_equal(vrl_iotlb_add(t.t, 5, 6, 0, 4), -EINVAL);
	assert_int_equal(vrl_iotlb_del(t.t, 5, 4), -EINVAL);
	assert_int_equal(t.t->nr, 0);
	table_close(&t);
}

static void add_refuses_any_overlap(void **state)
{
	static const struct { uint64_t first, last; int want; } cases[] = {
		{ 0, 99, 0 }, { 90, 100, -EEXIST }, { 100, 100, -EEXIST },
		{ 100, 199, -EEXIST }, { 120, 130, -EEXIST },
		{ 199, 199, -EEXIST }, { 199, 300, -EEXIST },
		{ 0, UINT64_MAX, -EEXIST }, { 200, 299, 0 },
	};
	struct table t;
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		table_open(&t, 2);
		assert_int_equal(vrl_iotlb_add(t.t, 100, 199, 0, RW), 0);
		assert_int_equal(vrl_iotlb_add(t.t, cases[i].first,
					       cases[i].last, 0, RW),
				 cases[i].want);
		table_close(&t);
	}
}

static void full_table_says_so_and_keeps_its_contents(void **state)
{
	struct table t;
	uint64_t i;

	(void)state;
	table_open(&t, 3);
	for (i = 0; i < 3; i++)
		assert_int_equal(vrl_iotlb_add(t.t, i * 100, i * 100 + 50,
					       i << 32, RW), 0);
	assert_int_equal(vrl_iotlb_add(t.t, 60, 70, 0, RW), -ENOSPC);
	/* A hole would make a fourth range. */
	assert_int_equal(vrl_iotlb_del(t.t, 110, 120), -ENOSPC);
	for (i = 0; i < 3; i++)
		leads(&t, i * 100 + 10, (i << 32) + 10, 1000, 41);
	/* Trimming needs no room. */
	assert_int_equal(vrl_iotlb_del(t.t, 140, 160), 0);
	leads(&t, 100, 1ull << 32, 1000, 40);
	table_close(&t);
}

struct del_case {
	const char *name;
	uint64_t first, last;
	int want;
	/* What is left of [100,199] -> 1100, [200,299] -> 5200, [400,499] -> 9400 */
	struct { uint64_t first, last, addr; } left[4];
	unsigned int nr;
};

static const struct del_case del_cases[] = {
	{ "del_of_a_gap_finds_nothing", 300, 399, -ENOENT,
	  { { 100, 199, 1100 }, { 200, 299, 5200 }, { 400, 499, 9400 } }, 3 },
	{ "del_below_everything_finds_nothing", 0, 99, -ENOENT,
	  { { 100, 199, 1100 }, { 200, 299, 5200 }, { 400, 499, 9400 } }, 3 },
	{ "del_above_everything_finds_nothing", 500, UINT64_MAX, -ENOENT,
	  { { 100, 199, 1100 }, { 200, 299, 5200 }, { 400, 499, 9400 } }, 3 },
	{ "del_takes_an_exact_range", 200, 299, 0,
	  { { 100, 199, 1100 }, { 400, 499, 9400 } }, 2 },
	{ "del_takes_a_covered_range", 350, 600, 0,
	  { { 100, 199, 1100 }, { 200, 299, 5200 } }, 2 },
	{ "del_takes_all", 0, UINT64_MAX, 0, { { 0, 0, 0 } }, 0 },
	{ "del_trims_the_head", 50, 109, 0,
	  { { 110, 199, 1110 }, { 200, 299, 5200 }, { 400, 499, 9400 } }, 3 },
	{ "del_trims_the_tail", 450, 1000, 0,
	  { { 100, 199, 1100 }, { 200, 299, 5200 }, { 400, 449, 9400 } }, 3 },
	{ "del_trims_both_neighbours", 150, 249, 0,
	  { { 100, 149, 1100 }, { 250, 299, 5250 }, { 400, 499, 9400 } }, 3 },
	{ "del_across_three_ranges", 199, 400, 0,
	  { { 100, 198, 1100 }, { 401, 499, 9401 } }, 2 },
	{ "del_splits", 420, 429, 0,
	  { { 100, 199, 1100 }, { 200, 299, 5200 }, { 400, 419, 9400 },
	    { 430, 499, 9430 } }, 4 },
	{ "del_of_one_byte_splits", 101, 101, 0,
	  { { 100, 100, 1100 }, { 102, 199, 1102 }, { 200, 299, 5200 },
	    { 400, 499, 9400 } }, 4 },
};

static void test_del(void **state)
{
	const struct del_case *c = *state;
	struct table t;
	unsigned int i;

	table_open(&t, 4);
	assert_int_equal(vrl_iotlb_add(t.t, 400, 499, 9400, VRL_PERM_R), 0);
	assert_int_equal(vrl_iotlb_add(t.t, 100, 199, 1100, VRL_PERM_R), 0);
	assert_int_equal(vrl_iotlb_add(t.t, 200, 299, 5200, VRL_PERM_R), 0);
	leads(&t, 450, 9450, 1, 1);	/* leaves a hint behind */
	assert_int_equal(vrl_iotlb_del(t.t, c->first, c->last), c->want);
	assert_int_equal(t.t->nr, c->nr);
	for (i = 0; i < c->nr; i++) {
		assert_int_equal(t.t->entries[i].first, c->left[i].first);
		assert_int_equal(t.t->entries[i].last, c->left[i].last);
		assert_int_equal(t.t->entries[i].addr, c->left[i].addr);
		assert_int_equal(t.t->entries[i].perm, VRL_PERM_R);
		assert_int_equal(t.t->entries[i].reserved, 0);
	}
	if (c->want == 0 && c->first <= 450 && c->last >= 450)
		fails(&t, 450, VRL_PERM_R, -EFAULT);
	table_close(&t);
}

static void range_that_goes_on_joins_its_neighbours(void **state)
{
	struct table t;

	(void)state;
	table_open(&t, 2);
	assert_int_equal(vrl_iotlb_join(t.t, 0x3000, 0x3fff, 0x73000, RW), 0);
	assert_int_equal(vrl_iotlb_join(t.t, 0x1000, 0x1fff, 0x71000, RW), 0);
	assert_int_equal(t.t->nr, 2);
	/* The table is full, and takes what lies between all the same. */
	assert_int_equal(vrl_iotlb_join(t.t, 0x2000, 0x2fff, 0x72000, RW), 0);
	assert_int_equal(t.t->nr, 1);
	leads(&t, 0x1000, 0x71000, UINT64_MAX, 0x3000);
	assert_int_equal(vrl_iotlb_join(t.t, 0x4000, UINT64_MAX, 0x74000, RW), 0);
	assert_int_equal(vrl_iotlb_join(t.t, 0, 0xfff, 0x70000, RW), 0);
	assert_int_equal(t.t->nr, 1);
	leads(&t, 0, 0x70000, UINT64_MAX, UINT64_MAX);
	assert_int_equal(vrl_iotlb_join(t.t, 0, 0, 0x70000, RW), -EEXIST);
	table_close(&t);
}

static void range_that_leads_elsewhere_does_not_join(void **state)
{
	struct table t;

	(void)state;
	table_open(&t, 4);
	assert_int_equal(vrl_iotlb_join(t.t, 0x1000, 0x1fff, 0x71000, RW), 0);
	assert_int_equal(vrl_iotlb_join(t.t, 0x2000, 0x2fff, 0x92000, RW), 0);
	assert_int_equal(vrl_iotlb_join(t.t, 0x3000, 0x3fff, 0x93000, VRL_PERM_R), 0);
	assert_int_equal(vrl_iotlb_join(t.t, 0x5000, 0x5fff, 0x95000, VRL_PERM_R), 0);
	assert_int_equal(t.t->nr, 4);
	leads(&t, 0x1fff, 0x71fff, 2, 1);
	leads(&t, 0x2fff, 0x92fff, 2, 1);
	fails(&t, 0x3000, VRL_PERM_W, -EACCES);
	assert_int_equal(vrl_iotlb_join(t.t, 0x7000, 0x7fff, 0, RW), -ENOSPC);
	assert_int_equal(vrl_iotlb_join(t.t, 0x4000, 0x4fff, 0x94000, 0), -EINVAL);
	table_close(&t);
}

static void every_number_of_ranges_is_searched_right(void **state)
{
	struct table t;
	uint64_t n, i;

	(void)state;
	for (n = 1; n <= 40; n++) {
		table_open(&t, n);
		/* Added from the middle outwards, [10i, 10i + 6]. */
		for (i = 0; i < n; i++) {
			uint64_t k = (i * 7 + n / 2) % n;

			if (n % 7 == 0)
				k = n - 1 - i;
			assert_int_equal(vrl_iotlb_add(t.t, 10 * k, 10 * k + 6,
						       k << 20, RW), 0);
		}
		for (i = 0; i < 10 * n; i++) {
			t.hint.size = 0;
			if (i % 10 < 7)
				leads(&t, i, ((i / 10) << 20) + i % 10, 10,
				      7 - i % 10);
			else
				fails(&t, i, VRL_PERM_R, -EFAULT);
		}
		table_close(&t);
	}
}

static void a_table_has_room_for_1_to_4096_ranges(void **state)
{
	struct table t;
	uint64_t i;

	(void)state;
	assert_int_equal(vrl_iotlb_size(0), 0);
	assert_int_equal(vrl_iotlb_size(VRL_IOTLB_MAX + 1), 0);
	assert_int_equal(vrl_iotlb_size(UINT32_MAX), 0);
	assert_int_equal(vrl_iotlb_size(2) - vrl_iotlb_size(1),
			 sizeof(struct vrl_iotlb_entry));
	table_open(&t, VRL_IOTLB_MAX);
	assert_int_equal(vrl_iotlb_init(t.t, 0), -EINVAL);
	assert_int_equal(vrl_iotlb_init(t.t, VRL_IOTLB_MAX + 1), -EINVAL);
	for (i = VRL_IOTLB_MAX; i--;)
		assert_int_equal(vrl_iotlb_add(t.t, i << 52, (i << 52) + 4095,
					       i, RW), 0);
	assert_int_equal(vrl_iotlb_add(t.t, 1 << 20, 1 << 20, 0, RW), -ENOSPC);
	for (i = 0; i < VRL_IOTLB_MAX; i++) {
		leads(&t, (i << 52) + 5, i + 5, 5000, 4091);
		fails(&t, (i << 52) + 4096, VRL_PERM_R, -EFAULT);
	}
	assert_int_equal(vrl_iotlb_del(t.t, 1, UINT64_MAX), 0);
	assert_int_equal(t.t->nr, 1);
	table_close(&t);
}

static void clear_unmaps_everything(void **state)
{
	struct table t;

	(void)state;
	table_open(&t, 2);
	assert_int_equal(vrl_iotlb_add(t.t, 0, 9, 0, RW), 0);
	assert_int_equal(vrl_iotlb_add(t.t, 10, 19, 0, RW), 0);
	vrl_iotlb_clear(t.t);
	fails(&t, 5, VRL_PERM_R, -EFAULT);
	assert_int_equal(vrl_iotlb_add(t.t, 0, UINT64_MAX, 7, RW), 0);
	leads(&t, 5, 12, 1, 1);
	table_close(&t);
}

int main(void)
{
	static const struct CMUnitTest plain[] = {
		cmocka_unit_test(empty_table_leads_nowhere),
		cmocka_unit_test(range_is_found_from_first_to_last_byte),
		cmocka_unit_test(zero_length_lookup_is_refused),
		cmocka_unit_test(whole_space_is_one_range),
		cmocka_unit_test(last_byte_of_the_space_can_be_a_range),
		cmocka_unit_test(permission_is_checked_per_bit),
		cmocka_unit_test(add_refuses_nonsense),
		cmocka_unit_test(add_refuses_any_overlap),
		cmocka_unit_test(full_table_says_so_and_keeps_its_contents),
		cmocka_unit_test(range_that_goes_on_joins_its_neighbours),
		cmocka_unit_test(range_that_leads_elsewhere_does_not_join),
		cmocka_unit_test(every_number_of_ranges_is_searched_right),
		cmocka_unit_test(a_table_has_room_for_1_to_4096_ranges),
		cmocka_unit_test(clear_unmaps_everything),
	};
	static struct CMUnitTest tests[ARRAY_LEN(plain) + ARRAY_LEN(del_cases)];
	unsigned int i, n = 0;

	for (i = 0; i < ARRAY_LEN(plain); i++)
		tests[n++] = plain[i];
	for (i = 0; i < ARRAY_LEN(del_cases); i++) {
		tests[n].name = del_cases[i].name;
		tests[n].test_func = test_del;
		tests[n++].initial_state = (void *)&del_cases[i];
	}
	return cmocka_run_group_tests_name("iotlb", tests, NULL, NULL);
}
