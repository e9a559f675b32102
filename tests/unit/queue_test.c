// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * What is true of every ring, split or packed, in order or not, with tables
 * fetched or read in place: bursts and their limits, chains of all shapes going
 * round, completion out of order. What only one kind has is in vring_test.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ring.h"
#include "test.h"

static const struct guest_buf ones[8] = {
	{ 0, 1 }, { 0, 1 }, { 0, 1 }, { 0, 1 }, { 0, 1 }, { 0, 1 }, { 0, 1 }, { 0, 1 },
};

/* The test once per setup; num 0: the setup's. */
static void with_all(void (*test)(struct ring *r), unsigned int num)
{
	struct ring r;
	unsigned int i;

	for (i = 0; i < ring_nr_setups; i++) {
		ring_open_setup(&r, &ring_setups[i], num);
		test(&r);
		assert_int_equal(r.g.stray, 0);
		ring_close(&r);
	}
}

static void init_writes_nothing(struct ring *r)
{
	const struct guest *g = &r->g;

	if (g->kind == GUEST_PACKED) {
		assert_int_equal(g->device_event->flags, 0);
		assert_int_equal(g->device_event->off_wrap, 0);
	} else {
		assert_int_equal(g->used->flags, 0);
		assert_int_equal(g->used->ring[0].id, 0);
	}
	assert_false(vrl_vq_is_broken(&r->vq));
}

static void init_writes_nothing_to_the_rings(void **state)
{
	(void)state;
	with_all(init_writes_nothing, 8);
}

static void peek_twice(struct ring *r)
{
	int i, id;

	assert_int_equal(vrl_vq_peek_burst(&r->vq, r->b, 8), 0);
	id = ring_post(r, 60);
	for (i = 0; i < 3; i++) {
		assert_int_equal(vrl_vq_peek_burst(&r->vq, r->b, 8), 1);
		assert_int_equal(ring_id(&r->b->chains[0]), id);
		assert_int_equal(vrl_vq_avail_count(&r->vq), 1);
	}
	vrl_vq_consume(&r->vq, r->b, 1);
	assert_int_equal(vrl_vq_peek_burst(&r->vq, r->b, 8), 0);
	assert_int_equal(vrl_vq_avail_count(&r->vq), 0);
}

static void peek_takes_nothing(void **state)
{
	(void)state;
	with_all(peek_twice, 0);
}

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
	with_all(peek_limited, 0);
}

/* ---- traffic ---- */

/* Posts up to want chains whose segments tell which they are; how many. */
static unsigned int post_some(struct ring *r, unsigned int posted,
			      unsigned int want, uint32_t *rnd)
{
	struct guest_buf bufs[6];
	unsigned int i, k;

	for (i = 0; i < want; i++) {
		unsigned int out = 1 + test_random(rnd) % 3;
		unsigned int in = test_random(rnd) % 4;

		for (k = 0; k < out + in; k++)
			bufs[k] = (struct guest_buf){ posted + i, k + 1 };
		if (guest_post(&r->g, bufs, out, in, test_random(rnd) & 1) < 0)
			break;
	}
	return i;
}

static void check_chain(const struct vrl_burst *b, const struct vrl_chain *c,
			unsigned int nr)
{
	unsigned int k, len = 0;

	assert_int_equal(c->flags, 0);
	for (k = 0; k < c->nr_out + c->nr_in; k++, len += k) {
		const struct vrl_seg *s = &b->segs[c->seg + k];

		assert_int_equal(s->iova, nr);
		assert_int_equal(s->len, k + 1);
		assert_int_equal(s->flags, k < c->nr_out ? 0 : VRL_SEG_WRITE);
	}
	assert_int_equal(c->out_len + c->in_len, len);
}

static void traffic(struct ring *r)
{
	struct vrl_used_elem e, out[RING_BURST];
	unsigned int i, seen = 0, posted = 0;
	uint32_t rnd = 0x1234567;

	while (seen < 3000) {
		int n;

		posted += post_some(r, posted, 1 + test_random(&rnd) % 8, &rnd);
		n = vrl_vq_peek_burst(&r->vq, r->b, 5);
		assert_true(n >= 0);
		for (i = 0; i < (unsigned int)n; i++) {
			check_chain(r->b, &r->b->chains[i], seen + i);
			out[i].id = r->b->chains[i].id;
			out[i].len = r->b->chains[i].in_len;
		}
		vrl_vq_consume(&r->vq, r->b, n);
		vrl_vq_push_burst(&r->vq, out, n);
		for (i = 0; i < (unsigned int)n; i++, seen++) {
			assert_true(guest_get_used(&r->g, &e));
			assert_int_equal(e.id, (uint16_t)out[i].id);
			assert_int_equal(e.len, out[i].len);
		}
		assert_false(guest_get_used(&r->g, &e));
	}
}

static void chains_of_every_shape_come_through_in_order(void **state)
{
	(void)state;
	with_all(traffic, 0);
}

static void small_and_odd_queues_work_as_well(void **state)
{
	static const unsigned int nums[] = { 6, 7, 9, 33, 63, 255, 1000 };
	unsigned int i, s;
	struct ring r;

	(void)state;
	for (i = 0; i < ARRAY_LEN(nums); i++) {
		for (s = 0; s < ring_nr_setups; s++) {
			if (ring_setups[s].kind != GUEST_PACKED)
				continue;
			ring_open_setup(&r, &ring_setups[s], nums[i]);
			traffic(&r);
			ring_close(&r);
		}
	}
}

static void smallest(struct ring *r)
{
	struct vrl_used_elem e;
	unsigned int i, k, num = r->g.num;

	for (i = 0; i < 20; i++) {
		for (k = 0; k < num; k++)
			assert_true(ring_post(r, 60 + i) >= 0);
		assert_int_equal(ring_post(r, 60), -1);
		ring_turn(r, num);
		for (k = 0; k < num; k++)
			assert_true(guest_get_used(&r->g, &e));
		assert_int_equal(vrl_vq_avail_count(&r->vq), 0);
	}
}

static void queues_of_1_and_2_entries_go_round(void **state)
{
	(void)state;
	with_all(smallest, 1);
	with_all(smallest, 2);
}

static void largest_queue_can_be_full(void **state)
{
	struct vrl_burst *b = burst_create(VRL_NUM_MAX, VRL_NUM_MAX, 0);
	struct vrl_used_elem *e = calloc(VRL_NUM_MAX, sizeof(*e)), got;
	unsigned int i, s, round;
	struct ring r;

	(void)state;
	for (s = 0; s < ring_nr_setups; s++) {
		ring_open_setup(&r, &ring_setups[s], VRL_NUM_MAX);
		for (round = 0; round < 3; round++) {
			for (i = 0; i < VRL_NUM_MAX; i++)
				assert_true(ring_post(&r, 1) >= 0);
			assert_int_equal(vrl_vq_peek_burst(&r.vq, b, VRL_NUM_MAX),
					 VRL_NUM_MAX);
			for (i = 0; i < VRL_NUM_MAX; i++)
				e[i].id = b->chains[i].id;
			vrl_vq_consume(&r.vq, b, VRL_NUM_MAX);
			assert_int_equal(vrl_vq_avail_count(&r.vq), 0);
			assert_int_equal(vrl_vq_peek_burst(&r.vq, b, 1), 0);
			vrl_vq_push_burst(&r.vq, e, VRL_NUM_MAX);
			for (i = 0; i < VRL_NUM_MAX; i++)
				assert_true(guest_get_used(&r.g, &got));
			assert_false(guest_get_used(&r.g, &got));
		}
		assert_int_equal(r.g.stray, 0);
		ring_close(&r);
	}
	free(e);
	burst_destroy(b);
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
	with_all(no_room, 0);
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
	with_all(no_table_room, 0);
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
	with_all(fetch_at_once, 0);
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
	with_all(fetch_fails, 0);
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
	with_all(one_fault_in_the_middle, 0);
}

/* ---- giving back ---- */

static void out_of_order(struct ring *r)
{
	struct vrl_used_elem e[4], got;
	int i, sizes[4] = { 1, 3, 2, 1 };

	if (r->g.in_order)
		return;
	for (i = 0; i < 4; i++)
		assert_true(guest_post(&r->g, ones, 0, sizes[i], false) >= 0);
	assert_int_equal(vrl_vq_peek_burst(&r->vq, r->b, 4), 4);
	vrl_vq_consume(&r->vq, r->b, 4);
	for (i = 0; i < 4; i++)
		e[3 - i] = (struct vrl_used_elem){ r->b->chains[i].id, i };
	vrl_vq_push_burst(&r->vq, e, 3);
	vrl_vq_push_burst(&r->vq, e + 3, 1);
	vrl_vq_push_burst(&r->vq, e, 0);
	for (i = 3; i >= 0; i--) {
		assert_true(guest_get_used(&r->g, &got));
		assert_int_equal(got.len, i);
	}
	assert_false(guest_get_used(&r->g, &got));
}

static void chains_may_be_given_back_in_any_order(void **state)
{
	(void)state;
	with_all(out_of_order, 0);
}

/* Many in flight for long, completed at random, while others come and go. */
static void churn(struct ring *r)
{
	struct vrl_used_elem held[RING_BURST], got;
	unsigned int nr = 0, done = 0, posted = 0, i;
	uint32_t rnd = 99;
	int n;

	if (r->g.in_order)
		return;
	while (done < 3000) {
		posted += post_some(r, posted, 3, &rnd);
		n = vrl_vq_peek_burst(&r->vq, r->b, RING_BURST - nr);
		assert_true(n >= 0);
		vrl_vq_consume(&r->vq, r->b, n);
		for (i = 0; i < (unsigned int)n; i++)
			held[nr++].id = r->b->chains[i].id;
		while (nr && test_random(&rnd) % 3) {
			i = test_random(&rnd) % nr;
			held[i].len = done;
			vrl_vq_push_burst(&r->vq, &held[i], 1);
			assert_true(guest_get_used(&r->g, &got));
			assert_int_equal(got.id, (uint16_t)held[i].id);
			assert_int_equal(got.len, done++);
			held[i] = held[--nr];
		}
	}
}

static void long_lived_chains_do_not_confuse_the_ring(void **state)
{
	(void)state;
	with_all(churn, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(init_writes_nothing_to_the_rings),
		cmocka_unit_test(peek_takes_nothing),
		cmocka_unit_test(peek_honours_all_limits),
		cmocka_unit_test(chains_of_every_shape_come_through_in_order),
		cmocka_unit_test(small_and_odd_queues_work_as_well),
		cmocka_unit_test(queues_of_1_and_2_entries_go_round),
		cmocka_unit_test(largest_queue_can_be_full),
		cmocka_unit_test(burst_ends_before_a_chain_without_room),
		cmocka_unit_test(burst_ends_before_a_table_without_room),
		cmocka_unit_test(all_tables_of_a_burst_are_fetched_at_once),
		cmocka_unit_test(failing_fetch_loses_nothing),
		cmocka_unit_test(unreadable_table_is_a_fault_of_its_chain_only),
		cmocka_unit_test(chains_may_be_given_back_in_any_order),
		cmocka_unit_test(long_lived_chains_do_not_confuse_the_ring),
	};

	return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
