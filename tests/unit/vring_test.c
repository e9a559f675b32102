// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * The rings: bursts, indices and their wraps, limits. Notifications and resume are
 * in vring_event_test.c.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ring.h"
#include "test.h"

static void init_refuses(const struct vrl_vq_config *cfg, enum vrl_why why)
{
	const struct vrl_used_elem e = { 0, 0 };
	struct vrl_burst b = { .max_chains = 1 };
	struct vrl_vq vq;

	assert_int_equal(vrl_vq_init(&vq, cfg), -EINVAL);
	assert_string_equal(vrl_why_str(vrl_vq_why(&vq)), vrl_why_str(why));
	assert_int_equal(vrl_vq_peek_burst(&vq, &b, 1), -EPROTO);
	/* Safe to use: it goes nowhere. */
	vrl_vq_push_burst(&vq, &e, 1);
	vrl_vq_disable_kick(&vq);
}

static void init_refuses_bad_configurations(void **state)
{
	static const uint32_t bad_num[] = { 0, 3, 255, 32769, 65536, 1u << 31 };
	struct vrl_vq_config good, cfg;
	struct guest g;
	unsigned int i;

	(void)state;
	guest_init(&g, GUEST_SPLIT, 8, 0);
	guest_config(&g, &good, true);
	for (i = 0; i < ARRAY_LEN(bad_num); i++) {
		cfg = good;
		cfg.num = bad_num[i];
		init_refuses(&cfg, VRL_WHY_CFG_NUM);
	}
	cfg = good; cfg.desc = NULL;
	init_refuses(&cfg, VRL_WHY_CFG_ADDR);
	cfg = good; cfg.driver = NULL;
	init_refuses(&cfg, VRL_WHY_CFG_ADDR);
	cfg = good; cfg.device = NULL;
	init_refuses(&cfg, VRL_WHY_CFG_ADDR);
	cfg = good; cfg.desc = (char *)cfg.desc + 8;
	init_refuses(&cfg, VRL_WHY_CFG_ALIGN);
	cfg = good; cfg.driver = (char *)cfg.driver + 1;
	init_refuses(&cfg, VRL_WHY_CFG_ALIGN);
	cfg = good; cfg.device = (char *)cfg.device + 2;
	init_refuses(&cfg, VRL_WHY_CFG_ALIGN);
	cfg = good; cfg.features = 1u << 5;
	init_refuses(&cfg, VRL_WHY_CFG_FEATURES);
	cfg = good; cfg.fetch = NULL;
	init_refuses(&cfg, VRL_WHY_CFG_FETCH);
	cfg = good; cfg.state.last_avail = 9;
	init_refuses(&cfg, VRL_WHY_CFG_STATE);
	cfg = good; cfg.device = (char *)cfg.desc + 8 * 16 - 4;
	init_refuses(&cfg, VRL_WHY_CFG_OVERLAP);
	cfg = good; cfg.driver = (char *)cfg.device + 4 + 8 * 8 - 2;
	init_refuses(&cfg, VRL_WHY_CFG_OVERLAP);
	cfg = good; cfg.driver = (void *)(UINTPTR_MAX - 15);
	init_refuses(&cfg, VRL_WHY_CFG_ADDR);
	guest_fini(&g);
}

static void init_writes_nothing_to_the_rings(void **state)
{
	struct ring r;
	unsigned int i;
	char *used;

	(void)state;
	ring_open(&r, GUEST_SPLIT, 8, VRL_F_EVENT_IDX, 0);
	used = (char *)r.g.used;
	for (i = 0; i < 4 + 8 * 8 + 2; i++)
		assert_int_equal(used[i], 0);
	ring_close(&r);
}

static void peek_takes_nothing(void **state)
{
	struct ring r;
	int i, head;

	(void)state;
	ring_open(&r, GUEST_SPLIT, 4, 0, 0);
	assert_int_equal(vrl_vq_peek_burst(&r.vq, r.b, 8), 0);
	head = ring_post(&r, 60);
	for (i = 0; i < 3; i++) {
		assert_int_equal(vrl_vq_peek_burst(&r.vq, r.b, 8), 1);
		assert_int_equal(r.b->chains[0].id, head);
		assert_int_equal(vrl_vq_avail_count(&r.vq), 1);
	}
	vrl_vq_consume(&r.vq, r.b, 1);
	assert_int_equal(vrl_vq_peek_burst(&r.vq, r.b, 8), 0);
	assert_int_equal(vrl_vq_avail_count(&r.vq), 0);
	ring_close(&r);
}

static void peek_honours_both_limits(void **state)
{
	struct ring r;
	int i;

	(void)state;
	ring_open(&r, GUEST_SPLIT, 8, 0, 0);
	for (i = 0; i < 8; i++)
		ring_post(&r, 60);
	assert_int_equal(vrl_vq_peek_burst(&r.vq, r.b, 0), 0);
	assert_int_equal(vrl_vq_peek_burst(&r.vq, r.b, 3), 3);
	r.b->max_chains = 5;
	assert_int_equal(vrl_vq_peek_burst(&r.vq, r.b, 100), 5);
	ring_close(&r);
}

/* Chains of every shape for several rounds of the 16-bit index. */
static void traffic(bool event_idx, uint16_t start, unsigned int rounds)
{
	struct guest_buf bufs[6];
	struct vrl_used_elem e, out[64];
	uint32_t rnd = 0x1234567;
	unsigned int i, k, seen = 0, posted = 0;
	struct ring r;

	ring_open(&r, GUEST_SPLIT, 32, event_idx ? VRL_F_EVENT_IDX : 0, start);
	while (seen < rounds) {
		unsigned int want = 1 + test_random(&rnd) % 8;
		int n;

		for (i = 0; i < want; i++) {
			unsigned int o = 1 + test_random(&rnd) % 3;
			unsigned int in = test_random(&rnd) % 4;

			for (k = 0; k < o + in; k++)
				bufs[k] = (struct guest_buf){ posted, k + 1 };
			if (guest_post(&r.g, bufs, o, in,
				       test_random(&rnd) & 1) < 0)
				break;
			posted++;
		}
		n = vrl_vq_peek_burst(&r.vq, r.b, 5);
		assert_true(n >= 0);
		for (i = 0; i < (unsigned int)n; i++) {
			const struct vrl_chain *c = &r.b->chains[i];

			for (k = 0; k < c->nr_out + c->nr_in; k++) {
				assert_int_equal(r.b->segs[c->seg + k].iova,
						 seen + i);
				assert_int_equal(r.b->segs[c->seg + k].len,
						 k + 1);
			}
			out[i].id = c->id;
			out[i].len = (seen + i) * 3;
		}
		vrl_vq_consume(&r.vq, r.b, n);
		vrl_vq_push_burst(&r.vq, out, n);
		for (i = 0; i < (unsigned int)n; i++, seen++) {
			assert_true(guest_get_used(&r.g, &e));
			assert_int_equal(e.id, out[i].id);
			assert_int_equal(e.len, seen * 3);
		}
		assert_false(guest_get_used(&r.g, &e));
	}
	ring_close(&r);
}

static void chains_of_every_shape_come_through_in_order(void **state)
{
	(void)state;
	traffic(false, 0, 5000);
	traffic(true, 0, 5000);
}

static void indices_wrap_from_65535_to_0(void **state)
{
	(void)state;
	traffic(false, 65530, 200);
	traffic(true, 65530, 200);
}

static void push_wraps_inside_one_burst_and_stores_the_index_last(void **state)
{
	struct vrl_used_elem e;
	struct ring r;
	int i;

	(void)state;
	ring_open(&r, GUEST_SPLIT, 8, 0, 65533);
	for (i = 0; i < 8; i++)
		ring_post(&r, 100 + i);
	ring_turn(&r, 8);
	assert_int_equal(le16toh(r.g.used->idx), 5);
	for (i = 0; i < 8; i++) {
		assert_true(guest_get_used(&r.g, &e));
		assert_int_equal(e.len, 100 + i);
	}
	ring_close(&r);
}

static void largest_queue_can_be_full(void **state)
{
	struct vrl_burst *b = burst_create(VRL_NUM_MAX, VRL_NUM_MAX, 0);
	struct vrl_used_elem *e = calloc(VRL_NUM_MAX, sizeof(*e));
	struct ring r;
	unsigned int i;

	(void)state;
	ring_open(&r, GUEST_SPLIT, VRL_NUM_MAX, VRL_F_EVENT_IDX, 40000);
	for (i = 0; i < VRL_NUM_MAX; i++) {
		guest_set_desc(&r.g, i, 0x1000, 1, 0, 0);
		r.g.avail->ring[(40000 + i) % VRL_NUM_MAX] = htole16(i);
	}
	guest_publish_avail_idx(&r.g, (uint16_t)(40000 + VRL_NUM_MAX));
	assert_int_equal(vrl_vq_avail_count(&r.vq), VRL_NUM_MAX);
	assert_int_equal(vrl_vq_peek_burst(&r.vq, b, VRL_NUM_MAX), VRL_NUM_MAX);
	for (i = 0; i < VRL_NUM_MAX; i++)
		e[i].id = b->chains[i].id;
	vrl_vq_consume(&r.vq, r.b, VRL_NUM_MAX);
	assert_int_equal(vrl_vq_avail_count(&r.vq), 0);
	vrl_vq_push_burst(&r.vq, e, VRL_NUM_MAX);
	assert_int_equal(le16toh(r.g.used->idx), (uint16_t)(40000 + VRL_NUM_MAX));
	ring_close(&r);
	free(e);
	burst_destroy(b);
}

static void jump(unsigned int num, uint16_t in_flight, uint16_t by, bool legal)
{
	struct vrl_vq_config cfg;
	struct vrl_vq vq;
	struct guest g;

	guest_init(&g, GUEST_SPLIT, num, 0);
	guest_config(&g, &cfg, false);
	cfg.state.last_avail = 65530;
	cfg.state.used_idx = 65530 - in_flight;
	assert_int_equal(vrl_vq_init(&vq, &cfg), 0);
	guest_publish_avail_idx(&g, 65530 + by);
	if (legal) {
		assert_int_equal(vrl_vq_avail_count(&vq), by);
	} else {
		assert_int_equal(vrl_vq_avail_count(&vq), -EPROTO);
		assert_int_equal(vrl_vq_why(&vq), VRL_WHY_AVAIL_JUMP);
	}
	guest_fini(&g);
}

static void avail_index_may_not_jump(void **state)
{
	(void)state;
	jump(8, 0, 8, true);
	jump(8, 0, 9, false);
	jump(8, 3, 5, true);
	jump(8, 3, 6, false);		/* more outstanding than descriptors */
	jump(8, 8, 0, true);
	jump(8, 0, 0xffff, false);	/* backwards */
	jump(VRL_NUM_MAX, 0, 32768, true);
	jump(VRL_NUM_MAX, 1, 32768, false);
	jump(VRL_NUM_MAX, 0, 32769, false);
}

static void jump_is_found_by_peek_and_enable_kick_does_not_sleep(void **state)
{
	struct ring r;

	(void)state;
	ring_open(&r, GUEST_SPLIT, 8, VRL_F_EVENT_IDX, 0);
	guest_publish_avail_idx(&r.g, 100);
	assert_true(vrl_vq_enable_kick(&r.vq));
	assert_int_equal(vrl_vq_peek_burst(&r.vq, r.b, 4), -EPROTO);
	assert_int_equal(vrl_vq_why(&r.vq), VRL_WHY_AVAIL_JUMP);
	ring_close(&r);
}

static void burst_ends_before_a_chain_without_room(void **state)
{
	const struct guest_buf bufs[4] = {
		{ 0, 1 }, { 0, 1 }, { 0, 1 }, { 0, 1 },
	};
	struct ring r;

	(void)state;
	ring_open(&r, GUEST_SPLIT, 16, 0, 0);
	guest_post(&r.g, bufs, 2, 0, false);
	guest_post(&r.g, bufs, 2, 2, true);
	guest_post(&r.g, bufs, 3, 0, false);

	r.b->max_segs = 8;
	assert_int_equal(vrl_vq_peek_burst(&r.vq, r.b, 8), 2);
	r.b->max_segs = 9;
	assert_int_equal(vrl_vq_peek_burst(&r.vq, r.b, 8), 3);
	r.b->max_segs = 5;
	assert_int_equal(vrl_vq_peek_burst(&r.vq, r.b, 8), 1);
	r.b->max_segs = 9;
	r.b->max_table = 3;
	assert_int_equal(vrl_vq_peek_burst(&r.vq, r.b, 8), 1);

	/* First in the burst: said, not broken, and again with more room. */
	vrl_vq_consume(&r.vq, r.b, 1);
	assert_int_equal(vrl_vq_peek_burst(&r.vq, r.b, 8), -E2BIG);
	r.b->max_table = 4;
	r.b->max_segs = 3;
	assert_int_equal(vrl_vq_peek_burst(&r.vq, r.b, 8), -E2BIG);
	assert_false(vrl_vq_is_broken(&r.vq));
	r.b->max_segs = 4;
	assert_int_equal(vrl_vq_peek_burst(&r.vq, r.b, 8), 1);
	ring_close(&r);
}

static void burst_of_single_descriptors_ends_with_the_segments(void **state)
{
	struct ring r;
	int i;

	(void)state;
	ring_open(&r, GUEST_SPLIT, 16, 0, 0);
	burst_destroy(r.b);
	r.b = burst_create(16, 5, 0);
	for (i = 0; i < 16; i++)
		ring_post(&r, 60);
	assert_int_equal(vrl_vq_peek_burst(&r.vq, r.b, 16), 5);
	r.b->max_segs = 0;
	assert_int_equal(vrl_vq_peek_burst(&r.vq, r.b, 16), -E2BIG);
	assert_false(vrl_vq_is_broken(&r.vq));
	ring_close(&r);
}

/* Never asked to come back with more room than the whole queue needs. */
static void loop_is_one_also_where_room_is_short(void **state)
{
	struct ring r;

	(void)state;
	ring_open(&r, GUEST_SPLIT, 4, 0, 0);
	burst_destroy(r.b);
	r.b = burst_create(1, 4, 0);
	guest_set_desc(&r.g, 0, 0x1000, 1, VRING_DESC_F_NEXT, 1);
	guest_set_desc(&r.g, 1, 0x1000, 1, VRING_DESC_F_NEXT, 0);
	guest_offer(&r.g, 0);
	assert_int_equal(vrl_vq_peek_burst(&r.vq, r.b, 1), -EPROTO);
	assert_int_equal(vrl_vq_why(&r.vq), VRL_WHY_LOOP);
	ring_close(&r);
}

static void all_tables_of_a_burst_are_fetched_at_once(void **state)
{
	const struct guest_buf bufs[2] = { { 0, 1 }, { 0, 1 } };
	struct ring r;
	int i;

	(void)state;
	ring_open(&r, GUEST_SPLIT, 16, 0, 0);
	for (i = 0; i < 8; i++)
		guest_post(&r.g, bufs, 2, 0, i & 1);
	assert_int_equal(vrl_vq_peek_burst(&r.vq, r.b, 16), 8);
	assert_int_equal(r.g.fetch_calls, 1);
	assert_int_equal(r.g.fetch_reqs, 4);
	vrl_vq_consume(&r.vq, r.b, 8);
	assert_int_equal(vrl_vq_peek_burst(&r.vq, r.b, 16), 0);
	assert_int_equal(r.g.fetch_calls, 1);
	ring_close(&r);
}

static void unreadable_table_is_a_fault_of_its_chain_only(void **state)
{
	const struct guest_buf bufs[3] = { { 0, 1 }, { 0, 2 }, { 0, 3 } };
	const struct vrl_chain *c;
	struct ring r;

	(void)state;
	ring_open(&r, GUEST_SPLIT, 16, 0, 0);
	guest_post(&r.g, bufs, 2, 1, true);
	guest_set_desc(&r.g, 8, 0x1000, 64, VRING_DESC_F_NEXT, 9);
	guest_set_desc(&r.g, 9, 0xdead0000, 32, VRING_DESC_F_INDIRECT, 0);
	guest_offer(&r.g, 8);
	guest_post(&r.g, bufs, 2, 1, true);

	assert_int_equal(vrl_vq_peek_burst(&r.vq, r.b, 8), 3);
	c = r.b->chains;
	assert_int_equal(c[0].flags, 0);
	assert_int_equal(c[0].nr_out + c[0].nr_in, 3);
	assert_int_equal(c[1].flags, VRL_CHAIN_FAULT);
	assert_int_equal(c[1].id, 8);
	assert_int_equal(c[1].nr_out + c[1].nr_in, 0);
	assert_int_equal(c[1].out_len + c[1].in_len, 0);
	assert_int_equal(c[2].flags, 0);
	assert_int_equal(c[2].nr_out + c[2].nr_in, 3);
	assert_int_equal(c[2].out_len, 3);
	assert_false(vrl_vq_is_broken(&r.vq));
	ring_close(&r);
}

static void failing_fetch_loses_nothing(void **state)
{
	const struct guest_buf bufs[2] = { { 0, 1 }, { 0, 1 } };
	struct ring r;

	(void)state;
	ring_open(&r, GUEST_SPLIT, 16, 0, 0);
	ring_post(&r, 60);
	guest_post(&r.g, bufs, 2, 0, true);
	r.g.fetch_ret = -EINTR;
	assert_int_equal(vrl_vq_peek_burst(&r.vq, r.b, 8), -EINTR);
	assert_int_equal(r.b->nr_chains, 0);
	assert_false(vrl_vq_is_broken(&r.vq));
	r.g.fetch_ret = 0;
	assert_int_equal(vrl_vq_peek_burst(&r.vq, r.b, 8), 2);
	ring_close(&r);
}

static void completion_out_of_order(void **state)
{
	struct vrl_used_elem e[4], got;
	struct ring r;
	int i;

	(void)state;
	ring_open(&r, GUEST_SPLIT, 4, 0, 0);
	for (i = 0; i < 4; i++)
		ring_post(&r, 60 + i);
	assert_int_equal(vrl_vq_peek_burst(&r.vq, r.b, 4), 4);
	vrl_vq_consume(&r.vq, r.b, 4);
	for (i = 0; i < 4; i++)
		e[3 - i] = (struct vrl_used_elem){ r.b->chains[i].id, i };
	vrl_vq_push_burst(&r.vq, e, 3);
	vrl_vq_push_burst(&r.vq, e + 3, 1);
	for (i = 3; i >= 0; i--) {
		assert_true(guest_get_used(&r.g, &got));
		assert_int_equal(got.len, i);
	}
	ring_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(init_refuses_bad_configurations),
		cmocka_unit_test(init_writes_nothing_to_the_rings),
		cmocka_unit_test(peek_takes_nothing),
		cmocka_unit_test(peek_honours_both_limits),
		cmocka_unit_test(chains_of_every_shape_come_through_in_order),
		cmocka_unit_test(indices_wrap_from_65535_to_0),
		cmocka_unit_test(push_wraps_inside_one_burst_and_stores_the_index_last),
		cmocka_unit_test(largest_queue_can_be_full),
		cmocka_unit_test(avail_index_may_not_jump),
		cmocka_unit_test(jump_is_found_by_peek_and_enable_kick_does_not_sleep),
		cmocka_unit_test(burst_ends_before_a_chain_without_room),
		cmocka_unit_test(burst_of_single_descriptors_ends_with_the_segments),
		cmocka_unit_test(loop_is_one_also_where_room_is_short),
		cmocka_unit_test(all_tables_of_a_burst_are_fetched_at_once),
		cmocka_unit_test(unreadable_table_is_a_fault_of_its_chain_only),
		cmocka_unit_test(failing_fetch_loses_nothing),
		cmocka_unit_test(completion_out_of_order),
	};

	return cmocka_run_group_tests_name("vring", tests, NULL, NULL);
}
