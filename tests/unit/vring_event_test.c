// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Notifications, both ways, for both kinds of ring.
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

/* Push n, ask once; the event lies dist entries or descriptors ahead. */
static bool event_call(enum guest_kind kind, uint16_t start, uint16_t dist,
		       unsigned int n)
{
	struct ring r;
	unsigned int i;
	bool call;

	ring_open(&r, kind, 16, VRL_F_EVENT_IDX, start);
	assert_true(vrl_vq_needs_call(&r.vq));	/* after init: always */
	guest_call_after(&r.g, dist);
	for (i = 0; i < n; i++)
		ring_post(&r, 60);
	ring_turn(&r, n);
	call = vrl_vq_needs_call(&r.vq);
	assert_false(vrl_vq_needs_call(&r.vq));
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
				assert_int_equal(event_call(GUEST_SPLIT, starts[s], dist, n),
						 dist < n);
			assert_false(event_call(GUEST_SPLIT, starts[s], 0xffff, n));
			assert_false(event_call(GUEST_SPLIT, starts[s], 0x8000, n));
		}
	}
}

static void descriptor_event_decides_for_the_whole_burst(void **state)
{
	unsigned int off, n, dist;

	(void)state;
	/* All that there is: each place in both laps, each event, each burst. */
	for (off = 0; off < 16; off++) {
		for (n = 1; n <= 16; n++) {
			for (dist = 0; dist < 32; dist++) {
				assert_int_equal(event_call(GUEST_PACKED, off, dist, n),
						 dist < n);
				assert_int_equal(event_call(GUEST_PACKED,
							    VRL_STATE_WRAP | off, dist, n),
						 dist < n);
			}
		}
	}
}

static void two_laps_without_a_decision_end_in_a_call(void **state)
{
	struct vrl_used_elem e;
	struct ring r;
	unsigned int i;

	(void)state;
	ring_open(&r, GUEST_PACKED, 5, VRL_F_EVENT_IDX, VRL_STATE_WRAP | 2);
	vrl_vq_needs_call(&r.vq);
	guest_call_after(&r.g, 9);
	/* 11 descriptors: the positions alone look like one. */
	for (i = 0; i < 11; i++) {
		ring_post(&r, 60);
		ring_turn(&r, 1);
		guest_get_used(&r.g, &e);
	}
	assert_true(vrl_vq_needs_call(&r.vq));
	assert_false(vrl_vq_needs_call(&r.vq));
	ring_close(&r);
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

static void kicks(enum guest_kind kind, uint32_t features, uint16_t start)
{
	struct ring r;

	ring_open(&r, kind, 8, features, start);
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
	unsigned int off;

	(void)state;
	kicks(GUEST_SPLIT, 0, 0);
	kicks(GUEST_SPLIT, VRL_F_EVENT_IDX, 0);
	kicks(GUEST_SPLIT, VRL_F_EVENT_IDX, 65535);
	kicks(GUEST_SPLIT, VRL_F_EVENT_IDX, 65534);
	for (off = 0; off < 8; off++) {
		kicks(GUEST_PACKED, 0, off);
		kicks(GUEST_PACKED, VRL_F_EVENT_IDX, off);
		kicks(GUEST_PACKED, VRL_F_EVENT_IDX, VRL_STATE_WRAP | off);
	}
}

/* The driver posts lists; a kick when it passes what the device has taken. */
static void a_kick_comes_at_the_next_buffer_only(void **state)
{
	const struct guest_buf bufs[3] = { { 0, 1 }, { 0, 2 }, { 0, 3 } };
	struct vrl_used_elem e;
	enum guest_kind kind;
	unsigned int i;
	struct ring r;

	(void)state;
	for (kind = GUEST_SPLIT; kind <= GUEST_PACKED; kind++) {
		ring_open(&r, kind, 8, VRL_F_EVENT_IDX,
			  kind == GUEST_PACKED ? VRL_STATE_WRAP : 0);
		for (i = 0; i < 30; i++) {
			assert_false(vrl_vq_enable_kick(&r.vq));
			guest_post(&r.g, bufs, 2 + i % 2, 0, false);
			assert_true(guest_needs_kick(&r.g));
			guest_post(&r.g, bufs, 3, 0, false);
			assert_false(guest_needs_kick(&r.g));
			ring_turn(&r, 2);
			assert_true(guest_get_used(&r.g, &e));
			assert_true(guest_get_used(&r.g, &e));
		}
		ring_close(&r);
	}
}

static void notification_data_is_a_hint_only(void **state)
{
	enum guest_kind kind;
	struct ring r;

	(void)state;
	for (kind = GUEST_SPLIT; kind <= GUEST_PACKED; kind++) {
		ring_open(&r, kind, 8, 0, kind == GUEST_PACKED ? VRL_STATE_WRAP | 7 : 65535);
		assert_false(vrl_vq_notified(&r.vq, guest_notify_data(&r.g, 5)));
		ring_post(&r, 60);
		assert_true(vrl_vq_notified(&r.vq, guest_notify_data(&r.g, 5)));
		assert_int_equal(vrl_notify_vqn(guest_notify_data(&r.g, 5)), 5);
		ring_turn(&r, 1);
		assert_false(vrl_vq_notified(&r.vq, guest_notify_data(&r.g, 5)));
		/* A lie costs a peek that finds nothing. */
		assert_true(vrl_vq_notified(&r.vq, 0x12345678));
		assert_int_equal(vrl_vq_peek_burst(&r.vq, r.b, 8), 0);
		ring_close(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_interrupt_flag_is_honoured),
		cmocka_unit_test(used_event_decides_for_the_whole_burst),
		cmocka_unit_test(descriptor_event_decides_for_the_whole_burst),
		cmocka_unit_test(two_laps_without_a_decision_end_in_a_call),
		cmocka_unit_test(many_pushes_without_a_decision_end_in_a_call),
		cmocka_unit_test(kick_requests_work_in_both_modes),
		cmocka_unit_test(a_kick_comes_at_the_next_buffer_only),
		cmocka_unit_test(notification_data_is_a_hint_only),
	};

	return cmocka_run_group_tests_name("vring_event", tests, NULL, NULL);
}
