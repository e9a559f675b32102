// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * The reader of an IOTLB range table that somebody else writes: its hot range,
 * what it notices of changes and when, a writer that stopped half way, and
 * tables full of nonsense.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <vrl/iotlb.h>

#include "test.h"

#define R	VRL_PERM_R
#define RW	(VRL_PERM_R | VRL_PERM_W)
#define PAGE	4096u
#define HOT	64			/* lookups that make any range hot */

/* A table in pages of its own, which can be taken away. */
struct shared {
	struct vrl_iotlb *t;
	struct vrl_iotlb_hint hint;
};

static void shared_open(struct shared *s)
{
	s->t = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(s->t, MAP_FAILED);
	assert_int_equal(vrl_iotlb_init(s->t, 100), 0);
	assert_int_equal(vrl_iotlb_attach(&s->hint, PAGE), 0);
	assert_int_equal(vrl_iotlb_add(s->t, 100, 199, 1100, RW), 0);
	assert_int_equal(vrl_iotlb_add(s->t, 200, 299, 9200, R), 0);
}

static void shared_close(struct shared *s)
{
	munmap(s->t, PAGE);
}

static void shared_hide(struct shared *s, bool hidden)
{
	assert_int_equal(mprotect(s->t, PAGE, hidden ? PROT_NONE :
				  PROT_READ | PROT_WRITE), 0);
}

static int look(struct shared *s, uint64_t iova, uint32_t perm, uint64_t *addr,
		uint64_t len)
{
	__u64 a = 0, l = len;
	int ret = vrl_iotlb_translate(s->t, &s->hint, iova, perm, &a, &l);

	assert_true(ret || l == len);
	*addr = a;
	return ret;
}

static void leads(struct shared *s, uint64_t iova, uint64_t want)
{
	uint64_t addr;

	assert_int_equal(look(s, iova, R, &addr, 1), 0);
	assert_int_equal(addr, want);
}

static void make_hot(struct shared *s, uint64_t iova, uint64_t want)
{
	unsigned int i;

	for (i = 0; i < HOT; i++)
		leads(s, iova, want);
}

static void the_hot_range_needs_no_table(void **state)
{
	struct shared s;
	uint64_t i, addr;

	(void)state;
	shared_open(&s);
	make_hot(&s, 150, 1150);
	shared_hide(&s, true);
	for (i = 100; i < 200; i++) {
		leads(&s, i, i + 1000);
		assert_int_equal(look(&s, i, RW, &addr, 200 - i), 0);
		assert_int_equal(addr, i + 1000);
	}
	shared_hide(&s, false);
	shared_close(&s);
}

static void another_range_is_found_while_one_is_hot(void **state)
{
	uint64_t addr, len = 20;
	struct shared s;

	(void)state;
	shared_open(&s);
	make_hot(&s, 150, 1150);
	leads(&s, 200, 9200);
	leads(&s, 150, 1150);
	make_hot(&s, 250, 9250);
	assert_int_equal(look(&s, 250, RW, &addr, 1), -EACCES);
	assert_int_equal(look(&s, 99, R, &addr, 1), -EFAULT);
	make_hot(&s, 250, 9250);
	/* Longer than the hot range: cut, not refused. */
	assert_int_equal(vrl_iotlb_translate(s.t, &s.hint, 295, R,
					     (__u64 *)&addr, (__u64 *)&len), 0);
	assert_int_equal(addr, 9295);
	assert_int_equal(len, 5);
	shared_close(&s);
}

/* A range that is used in turn with another never gets hot. */
static void ranges_in_turn_are_always_looked_up(void **state)
{
	struct shared s;
	unsigned int i;

	(void)state;
	shared_open(&s);
	for (i = 0; i < HOT; i++) {
		leads(&s, 110 + i, 1110 + i);
		leads(&s, 210 + i, 9210 + i);
		assert_int_equal(s.hint.size, 0);
	}
	shared_close(&s);
}

static void a_deleted_range_is_gone_after_the_next_sync(void **state)
{
	struct shared s;
	uint64_t addr;

	(void)state;
	shared_open(&s);
	make_hot(&s, 150, 1150);
	assert_int_equal(vrl_iotlb_del(s.t, 100, 149), 0);
	leads(&s, 120, 1120);
	vrl_iotlb_sync(s.t, &s.hint);
	assert_int_equal(look(&s, 120, R, &addr, 1), -EFAULT);
	leads(&s, 150, 1150);

	make_hot(&s, 150, 1150);
	vrl_iotlb_sync(s.t, &s.hint);
	shared_hide(&s, true);
	leads(&s, 199, 1199);		/* nothing changed: still hot */
	shared_hide(&s, false);

	/* The same IOVAs lead elsewhere now. */
	assert_int_equal(vrl_iotlb_del(s.t, 0, 199), 0);
	assert_int_equal(vrl_iotlb_add(s.t, 100, 199, 5100, RW), 0);
	vrl_iotlb_sync(s.t, &s.hint);
	leads(&s, 150, 5150);
	vrl_iotlb_clear(s.t);
	vrl_iotlb_sync(s.t, &s.hint);
	assert_int_equal(look(&s, 150, R, &addr, 1), -EFAULT);
	shared_close(&s);
}

static void a_failed_change_is_none_for_the_reader(void **state)
{
	struct shared s;

	(void)state;
	shared_open(&s);
	make_hot(&s, 150, 1150);
	assert_int_equal(vrl_iotlb_add(s.t, 100, 100, 0, RW), -EEXIST);
	assert_int_equal(vrl_iotlb_add(s.t, 2, 1, 0, RW), -EINVAL);
	assert_int_equal(vrl_iotlb_del(s.t, 300, 400), -ENOENT);
	vrl_iotlb_sync(s.t, &s.hint);
	shared_hide(&s, true);
	leads(&s, 150, 1150);
	shared_hide(&s, false);
	shared_close(&s);
}

static void a_writer_that_stopped_half_way_is_not_waited_for(void **state)
{
	struct shared s;
	uint64_t addr;

	(void)state;
	shared_open(&s);
	s.t->seq++;
	assert_int_equal(look(&s, 150, R, &addr, 1), -EAGAIN);
	assert_int_equal(look(&s, 5000, R, &addr, 1), -EAGAIN);
	/* The next writer brings it back. */
	vrl_iotlb_clear(s.t);
	assert_int_equal(vrl_iotlb_add(s.t, 100, 199, 1100, RW), 0);
	leads(&s, 150, 1150);
	s.t->seq++;
	assert_int_equal(vrl_iotlb_add(s.t, 50, 59, 1050, RW), 0);
	leads(&s, 55, 1055);
	shared_close(&s);
}

/* The second page of the mapping is not there: one step outside is a crash. */
static void no_table_leads_the_reader_outside(void **state)
{
	static const uint32_t nrs[] = { 0, 1, 3, 127, 128, 4096, 4097,
					UINT32_MAX };
	struct vrl_iotlb_hint hint;
	unsigned char *pages;
	struct vrl_iotlb *t;
	unsigned int i, k;
	uint32_t size;

	(void)state;
	pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(pages, MAP_FAILED);
	assert_int_equal(mprotect(pages + PAGE, PAGE, PROT_NONE), 0);
	for (size = 48; size <= PAGE; size += 32) {
		t = (struct vrl_iotlb *)(pages + PAGE - size);
		for (i = 0; i < size / 4; i++)
			((uint32_t *)t)[i] = (uint32_t)rand();
		t->seq = 0;
		t->max = UINT32_MAX;
		for (i = 0; i < ARRAY_LEN(nrs); i++) {
			t->nr = nrs[i];
			assert_int_equal(vrl_iotlb_attach(&hint, size), 0);
			for (k = 0; k < 64; k++) {
				__u64 iova = k < 2 ? -(__u64)k :
					     (__u64)rand() << 33 | (__u64)rand();
				__u64 addr, len = 64;

				vrl_iotlb_translate(t, &hint, iova, R, &addr,
						    &len);
				assert_true(len && len <= 64);
			}
		}
	}
	munmap(pages, 2 * PAGE);
}

static void a_mapping_too_small_for_a_range_is_refused(void **state)
{
	struct vrl_iotlb_hint hint;

	(void)state;
	assert_int_equal(vrl_iotlb_attach(&hint, 0), -EINVAL);
	assert_int_equal(vrl_iotlb_attach(&hint, vrl_iotlb_size(1) - 1),
			 -EINVAL);
	assert_int_equal(vrl_iotlb_attach(&hint, vrl_iotlb_size(1)), 0);
	assert_int_equal(hint.max, 1);
	assert_int_equal(vrl_iotlb_attach(&hint, UINT64_MAX), 0);
	assert_int_equal(hint.max, VRL_IOTLB_MAX);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_hot_range_needs_no_table),
		cmocka_unit_test(another_range_is_found_while_one_is_hot),
		cmocka_unit_test(ranges_in_turn_are_always_looked_up),
		cmocka_unit_test(a_deleted_range_is_gone_after_the_next_sync),
		cmocka_unit_test(a_failed_change_is_none_for_the_reader),
		cmocka_unit_test(a_writer_that_stopped_half_way_is_not_waited_for),
		cmocka_unit_test(no_table_leads_the_reader_outside),
		cmocka_unit_test(a_mapping_too_small_for_a_range_is_refused),
	};

	return cmocka_run_group_tests_name("iotlb_reader", tests, NULL, NULL);
}
