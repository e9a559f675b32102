// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * What is true of every ring, split or packed, in order or not, with tables
 * fetched or read in place: chains of all shapes going round, queues of all sizes,
 * completion out of order. What only one kind has is in vring_test.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ring.h"
#include "test.h"

static const struct guest_buf ones[8] = {
	{ 0, 1 }, { 0, 1 }, { 0, 1 }, { 0, 1 }, { 0, 1 }, { 0, 1 }, { 0, 1 }, { 0, 1 },
};

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
	ring_with_all(init_writes_nothing, 8);
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
	ring_with_all(peek_twice, 0);
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

static void traffic(struct ring *r, unsigned int chains)
{
	struct vrl_used_elem e, out[RING_BURST];
	unsigned int i, seen = 0, posted = 0;
	uint32_t rnd = 0x1234567;

	while (seen < chains) {
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

static void traffic_of_3000(struct ring *r)
{
	traffic(r, 3000);
}

static void chains_of_every_shape_come_through_in_order(void **state)
{
	(void)state;
	ring_with_all(traffic_of_3000, 0);
}

static void every_small_and_some_odd_packed_queues_work(void **state)
{
	static const unsigned int odd[] = { 255, 1000, 32767 };
	unsigned int i, s;
	struct ring r;

	(void)state;
	for (s = 0; s < ring_nr_setups; s++) {
		if (ring_setups[s].kind != GUEST_PACKED)
			continue;
		for (i = 1; i <= 70 + ARRAY_LEN(odd); i++) {
			ring_open_setup(&r, &ring_setups[s], i <= 70 ? i : odd[i - 71]);
			traffic(&r, 500);
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
	ring_with_all(smallest, 1);
	ring_with_all(smallest, 2);
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
	ring_with_all(out_of_order, 0);
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
	ring_with_all(churn, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(init_writes_nothing_to_the_rings),
		cmocka_unit_test(peek_takes_nothing),
		cmocka_unit_test(chains_of_every_shape_come_through_in_order),
		cmocka_unit_test(every_small_and_some_odd_packed_queues_work),
		cmocka_unit_test(queues_of_1_and_2_entries_go_round),
		cmocka_unit_test(largest_queue_can_be_full),
		cmocka_unit_test(chains_may_be_given_back_in_any_order),
		cmocka_unit_test(long_lived_chains_do_not_confuse_the_ring),
	};

	return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
