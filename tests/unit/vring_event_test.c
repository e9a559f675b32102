// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Notifications of both kinds, and going on from saved indices.
 */
#include <endian.h>
#include <errno.h>

#include "ring.h"
#include "test.h"

static void no_interrupt_flag_is_honoured(void **state)
{
	struct ring r;

	(void)state;
	ring_open(&r, GUEST_SPLIT, 4, 0, 0);
	ring_post(&r, 60);
	ring_turn(&r, 1);
	assert_true(vrl_vq_needs_call(&r.vq));
	assert_false(vrl_vq_needs_call(&r.vq));	/* nothing new */

	guest_disable_call(&r.g);
	ring_post(&r, 60);
	ring_turn(&r, 1);
	assert_false(vrl_vq_needs_call(&r.vq));
	guest_enable_call(&r.g);
	ring_post(&r, 60);
	ring_turn(&r, 1);
	assert_true(vrl_vq_needs_call(&r.vq));
	ring_close(&r);
}

/* Push n, ask once; used_event lies at a distance from the old used idx. */
static bool event_call(uint16_t start, uint16_t distance, unsigned int n)
{
	struct vrl_used_elem e[16] = { { 0, 0 } };
	struct ring r;
	bool call;

	ring_open(&r, GUEST_SPLIT, 16, VRL_F_EVENT_IDX, start);
	assert_true(vrl_vq_needs_call(&r.vq));	/* after init: always */
	r.g.avail->ring[16] = htole16(start + distance);
	vrl_vq_consume(&r.vq, r.b, n);
	vrl_vq_push_burst(&r.vq, e, n);
	call = vrl_vq_needs_call(&r.vq);
	ring_close(&r);
	return call;
}

static void used_event_decides_for_the_whole_burst(void **state)
{
	static const uint16_t starts[] = { 0, 100, 65535, 65530, 32767 };
	unsigned int s, n, dist;

	(void)state;
	/* Call if and only if the entry used_event is among those pushed. */
	for (s = 0; s < ARRAY_LEN(starts); s++) {
		for (n = 1; n <= 16; n++) {
			for (dist = 0; dist < 20; dist++)
				assert_int_equal(event_call(starts[s], dist, n),
						 dist < n);
			assert_false(event_call(starts[s], 0xffff, n));
			assert_false(event_call(starts[s], 0x8000, n));
		}
	}
}

static void many_pushes_without_a_decision_end_in_a_call(void **state)
{
	struct vrl_used_elem e[16] = { { 0, 0 } };
	struct ring r;
	unsigned int i;

	(void)state;
	ring_open(&r, GUEST_SPLIT, 16, VRL_F_EVENT_IDX, 0);
	vrl_vq_needs_call(&r.vq);
	r.g.avail->ring[16] = htole16(40000);
	/* 65536 + 16 elements: the index alone looks like 16 elements. */
	for (i = 0; i < 4097; i++) {
		vrl_vq_consume(&r.vq, r.b, 16);
		vrl_vq_push_burst(&r.vq, e, 16);
	}
	assert_true(vrl_vq_needs_call(&r.vq));
	assert_false(vrl_vq_needs_call(&r.vq));
	ring_close(&r);
}

static void kicks(bool event_idx, uint16_t start)
{
	struct ring r;

	ring_open(&r, GUEST_SPLIT, 8, event_idx ? VRL_F_EVENT_IDX : 0, start);
	assert_false(vrl_vq_enable_kick(&r.vq));
	ring_post(&r, 60);
	assert_true(guest_needs_kick(&r.g));
	/* Came between the request and the sleep: must not sleep. */
	assert_true(vrl_vq_enable_kick(&r.vq));
	vrl_vq_disable_kick(&r.vq);
	ring_turn(&r, 1);
	ring_post(&r, 60);
	assert_false(guest_needs_kick(&r.g));
	assert_true(vrl_vq_enable_kick(&r.vq));
	ring_turn(&r, 1);
	assert_false(vrl_vq_enable_kick(&r.vq));
	ring_post(&r, 60);
	assert_true(guest_needs_kick(&r.g));
	ring_close(&r);
}

static void kick_requests_work_in_both_modes(void **state)
{
	(void)state;
	kicks(false, 0);
	kicks(true, 0);
	kicks(true, 65535);
	kicks(true, 65534);
}

static void next_owner_resumes_from_saved_indices(void **state)
{
	struct vrl_vq_state st, bad;
	struct vrl_vq_config cfg;
	struct vrl_used_elem e;
	struct vrl_vq next;
	struct ring r;
	int i, heads[4];

	(void)state;
	ring_open(&r, GUEST_SPLIT, 4, VRL_F_EVENT_IDX, 65534);
	for (i = 0; i < 4; i++)
		heads[i] = ring_post(&r, 60 + i);
	ring_turn(&r, 2);
	assert_true(vrl_vq_needs_call(&r.vq));
	/* One more is taken, and its owner dies. */
	assert_int_equal(vrl_vq_peek_burst(&r.vq, r.b, 1), 1);
	vrl_vq_consume(&r.vq, r.b, 1);
	vrl_vq_get_state(&r.vq, &st);
	assert_int_equal(st.last_avail, 1);
	assert_int_equal(st.used_idx, 0);

	guest_config(&r.g, &cfg, true);
	cfg.state.last_avail = 0;
	cfg.state.used_idx = 0;
	assert_int_equal(vrl_vq_init(&next, &cfg), 0);
	bad = (struct vrl_vq_state){ .last_avail = 5, .used_idx = 0 };
	assert_int_equal(vrl_vq_set_state(&next, &bad), -EINVAL);
	st.last_avail = st.used_idx;
	assert_int_equal(vrl_vq_set_state(&next, &st), 0);
	/* The predecessor's last interrupt may never have been raised. */
	assert_true(vrl_vq_needs_call(&next));
	assert_false(vrl_vq_needs_call(&next));
	assert_int_equal(vrl_vq_set_state(&next, &st), 0);
	assert_true(vrl_vq_needs_call(&next));
	assert_int_equal(vrl_vq_peek_burst(&next, r.b, 4), 2);
	assert_int_equal(r.b->chains[0].id, heads[2]);
	assert_int_equal(r.b->chains[1].id, heads[3]);

	r.vq = next;
	ring_turn(&r, 2);
	for (i = 0; i < 4; i++) {
		assert_true(guest_get_used(&r.g, &e));
		assert_int_equal(e.id, heads[i]);
	}
	ring_close(&r);
}

static void set_state_forgets_the_cached_avail_index(void **state)
{
	const struct vrl_vq_state back = { 0, 0 };
	struct ring r;
	int i;

	(void)state;
	ring_open(&r, GUEST_SPLIT, 8, 0, 0);
	for (i = 0; i < 8; i++)
		ring_post(&r, 60);
	assert_int_equal(vrl_vq_peek_burst(&r.vq, r.b, 1), 1);
	guest_publish_avail_idx(&r.g, 0);
	assert_int_equal(vrl_vq_set_state(&r.vq, &back), 0);
	assert_int_equal(vrl_vq_peek_burst(&r.vq, r.b, 1), 0);
	ring_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_interrupt_flag_is_honoured),
		cmocka_unit_test(used_event_decides_for_the_whole_burst),
		cmocka_unit_test(many_pushes_without_a_decision_end_in_a_call),
		cmocka_unit_test(kick_requests_work_in_both_modes),
		cmocka_unit_test(next_owner_resumes_from_saved_indices),
		cmocka_unit_test(set_state_forgets_the_cached_avail_index),
	};

	return cmocka_run_group_tests_name("vring_event", tests, NULL, NULL);
}
