// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Bursts, for both kinds of ring: the limits of their arrays, and how indirect
 * tables come into them, fetched or read in place.
 */
#include <errno.h>
#include <stdlib.h>

#include "ring.h"
#include "test.h"

static const struct guest_buf ones[4] = { { 0, 1 }, { 0, 1 }, { 0, 1 }, { 0, 1 } };

static void peek_limited(struct ring *r)
{
	int i;

	for (i = 0; i < 8; i++)
		ring_post(r, 60);
	assert_int_equal(vrl_vq_peek_burst(&r->vq, r->b, 0), 0);
	assert_int_equal(vrl_vq_peek_burst(&r->vq, r->b, 3), 3);
	r->b->max_chains = 5;
	assert_int_equal(vrl_vq_peek_burst(&r->vq, r->b, 100), 5);
	r->b->max_segs = 4;
	assert_int_equal(vrl_vq_peek_burst(&r->vq, r->b, 100), 4);
	r->b->max_segs = 0;
	assert_int_equal(vrl_vq_peek_burst(&r->vq, r->b, 100), -E2BIG);
	assert_false(vrl_vq_is_broken(&r->vq));
}

static void peek_honours_all_limits(void **state)
{
	(void)state;
	ring_with_all(peek_limited, 0);
}

/* ---- room in the arrays ---- */

static void no_room(struct ring *r)
{
	guest_post(&r->g, ones, 2, 0, false);
	guest_post(&r->g, ones, 2, 2, true);
	guest_post(&r->g, ones, 3, 0, false);

	r->b->max_segs = 8;
	assert_int_equal(vrl_vq_peek_burst(&r->vq, r->b, 8), 2);
	r->b->max_segs = 9;
	assert_int_equal(vrl_vq_peek_burst(&r->vq, r->b, 8), 3);
	r->b->max_segs = 5;
	assert_int_equal(vrl_vq_peek_burst(&r->vq, r->b, 8), 1);

	/* First in the burst: said, not broken, and again with more room. */
	vrl_vq_consume(&r->vq, r->b, 1);
	r->b->max_segs = 3;
	assert_int_equal(vrl_vq_peek_burst(&r->vq, r->b, 8), -E2BIG);
	assert_int_equal(r->b->nr_chains, 0);
	assert_false(vrl_vq_is_broken(&r->vq));
	r->b->max_segs = 4;
	assert_int_equal(vrl_vq_peek_burst(&r->vq, r->b, 8), 1);
	vrl_vq_consume(&r->vq, r->b, 1);
	r->b->max_segs = 2;
	assert_int_equal(vrl_vq_peek_burst(&r->vq, r->b, 8), -E2BIG);
	r->b->max_segs = 3;
	assert_int_equal(vrl_vq_peek_burst(&r->vq, r->b, 8), 1);
}

static void burst_ends_before_a_chain_without_room(void **state)
{
	(void)state;
	ring_with_all(no_room, 0);
}

/* Frames with their header, which have a way of their own: also they must fit. */
static void no_room_for_two(struct ring *r)
{
	const bool indirect[] = { false, true };
	unsigned int i, k;

	for (k = 0; k < 2; k++) {
		for (i = 0; i < 3; i++)
			guest_post(&r->g, ones, 2, 0, indirect[k]);
		r->b->max_segs = 5;
		assert_int_equal(vrl_vq_peek_burst(&r->vq, r->b, 8), 2);
		assert_int_equal(r->b->nr_segs, 4);
		r->b->max_segs = 1;
		assert_int_equal(vrl_vq_peek_burst(&r->vq, r->b, 8), -E2BIG);
		r->b->max_segs = 6;
		assert_int_equal(vrl_vq_peek_burst(&r->vq, r->b, 8), 3);
		vrl_vq_consume(&r->vq, r->b, 3);
	}
}

static void burst_ends_before_a_pair_without_room(void **state)
{
	(void)state;
	ring_with_all(no_room_for_two, 0);
}

static void no_table_room(struct ring *r)
{
	bool in_place = !r->vq.fetch;

	guest_post(&r->g, ones, 2, 0, false);
	guest_post(&r->g, ones, 2, 2, true);
	r->b->max_table = 3;
	/* In place there is no need for room. */
	assert_int_equal(vrl_vq_peek_burst(&r->vq, r->b, 8), in_place ? 2 : 1);
	vrl_vq_consume(&r->vq, r->b, 1);
	assert_int_equal(vrl_vq_peek_burst(&r->vq, r->b, 8), in_place ? 1 : -E2BIG);
	assert_false(vrl_vq_is_broken(&r->vq));
	r->b->max_table = 4;
	assert_int_equal(vrl_vq_peek_burst(&r->vq, r->b, 8), 1);
}

static void burst_ends_before_a_table_without_room(void **state)
{
	(void)state;
	ring_with_all(no_table_room, 0);
}

/* A table in two ranges is put together in the burst, which takes room. */
static void split_table(struct ring *r)
{
	uint64_t p;
	int id;

	if (r->vq.fetch)
		return;
	id = guest_post(&r->g, ones, 2, 2, true);
	p = (uintptr_t)r->g.chain[id].table;
	assert_int_equal(vrl_iotlb_del(r->tlb, p + 24, UINT64_MAX), 0);
	assert_int_equal(vrl_iotlb_add(r->tlb, p + 24, UINT64_MAX, p + 24, VRL_PERM_R), 0);
	vrl_mem_sync(&r->mem);
	r->b->max_table = 3;
	assert_int_equal(vrl_vq_peek_burst(&r->vq, r->b, 8), -E2BIG);
	assert_false(vrl_vq_is_broken(&r->vq));
	r->b->max_table = 4;
	assert_int_equal(vrl_vq_peek_burst(&r->vq, r->b, 8), 1);
	assert_int_equal(r->b->chains[0].out_len, 2);
	assert_int_equal(r->b->chains[0].in_len, 2);

	/* While the writer of the table is at work nothing can be said. */
	r->tlb->seq++;
	vrl_mem_sync(&r->mem);
	assert_int_equal(vrl_vq_peek_burst(&r->vq, r->b, 8), -EAGAIN);
	assert_false(vrl_vq_is_broken(&r->vq));
	r->tlb->seq++;
	vrl_mem_sync(&r->mem);
	assert_int_equal(vrl_vq_peek_burst(&r->vq, r->b, 8), 1);
}

static void table_in_two_ranges_is_put_together(void **state)
{
	(void)state;
	ring_with_all(split_table, 0);
}

/* ---- the fetch op ---- */

static void fetch_at_once(struct ring *r)
{
	int i;

	if (!r->vq.fetch)
		return;
	for (i = 0; i < 8; i++)
		guest_post(&r->g, ones, 2, 0, i & 1);
	assert_int_equal(vrl_vq_peek_burst(&r->vq, r->b, 16), 8);
	assert_int_equal(r->g.fetch_calls, 1);
	assert_int_equal(r->g.fetch_reqs, 4);
	vrl_vq_consume(&r->vq, r->b, 8);
	assert_int_equal(vrl_vq_peek_burst(&r->vq, r->b, 16), 0);
	assert_int_equal(r->g.fetch_calls, 1);
}

static void all_tables_of_a_burst_are_fetched_at_once(void **state)
{
	(void)state;
	ring_with_all(fetch_at_once, 0);
}

static void fetch_fails(struct ring *r)
{
	if (!r->vq.fetch)
		return;
	ring_post(r, 60);
	guest_post(&r->g, ones, 2, 0, true);
	r->g.fetch_ret = -EINTR;
	assert_int_equal(vrl_vq_peek_burst(&r->vq, r->b, 8), -EINTR);
	assert_int_equal(r->b->nr_chains, 0);
	assert_false(vrl_vq_is_broken(&r->vq));
	r->g.fetch_ret = 0;
	assert_int_equal(vrl_vq_peek_burst(&r->vq, r->b, 8), 2);
}

static void failing_fetch_loses_nothing(void **state)
{
	(void)state;
	ring_with_all(fetch_fails, 0);
}

static void one_fault_in_the_middle(struct ring *r)
{
	const struct vrl_chain *c = r->b->chains;
	struct vrl_used_elem e[3], got;
	int i, ids[3];

	for (i = 0; i < 3; i++)
		ids[i] = guest_post(&r->g, ones, 2, 1, true);
	/* The second one's table goes away before the device looks. */
	if (r->vq.fetch) {
		free(r->g.chain[ids[1]].table);
		r->g.chain[ids[1]].table = NULL;
	} else {
		uint64_t p = (uintptr_t)r->g.chain[ids[1]].table;

		vrl_iotlb_clear(r->tlb);
		assert_int_equal(vrl_iotlb_add(r->tlb, 0, p + 15, 0, VRL_PERM_R), 0);
		vrl_mem_sync(&r->mem);
	}
	assert_int_equal(vrl_vq_peek_burst(&r->vq, r->b, 8), 3);
	assert_int_equal(c[1].flags, VRL_CHAIN_FAULT);
	assert_int_equal(ring_id(&c[1]), ids[1]);
	assert_int_equal(c[1].nr_out + c[1].nr_in, 0);
	assert_int_equal(c[1].out_len + c[1].in_len, 0);
	if (r->vq.fetch) {
		assert_int_equal(c[0].flags + c[2].flags, 0);
		assert_int_equal(c[0].out_len + c[2].in_len, 3);
	}
	assert_false(vrl_vq_is_broken(&r->vq));

	for (i = 0; i < 3; i++)
		e[i] = (struct vrl_used_elem){ c[i].id, 0 };
	vrl_vq_consume(&r->vq, r->b, 3);
	vrl_vq_push_burst(&r->vq, e, 3);
	for (i = 0; i < 3; i++) {
		assert_true(guest_get_used(&r->g, &got));
		assert_int_equal(got.id, ids[i]);
	}
}

static void unreadable_table_is_a_fault_of_its_chain_only(void **state)
{
	(void)state;
	ring_with_all(one_fault_in_the_middle, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(peek_honours_all_limits),
		cmocka_unit_test(burst_ends_before_a_chain_without_room),
		cmocka_unit_test(burst_ends_before_a_pair_without_room),
		cmocka_unit_test(burst_ends_before_a_table_without_room),
		cmocka_unit_test(table_in_two_ranges_is_put_together),
		cmocka_unit_test(all_tables_of_a_burst_are_fetched_at_once),
		cmocka_unit_test(failing_fetch_loses_nothing),
		cmocka_unit_test(unreadable_table_is_a_fault_of_its_chain_only),
	};

	return cmocka_run_group_tests_name("burst", tests, NULL, NULL);
}
