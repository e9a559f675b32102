// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * A queue changes its owner: migration and restart by saved indices, for both
 * kinds of ring, and queue reset. The second owner is another struct vrl_vq, which
 * knows nothing but the rings and the state.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ring.h"
#include "test.h"

/* The owner is gone without a word; the next one begins where @st says. */
static void change_owner(struct ring *r, const struct vrl_vq_state *st)
{
	struct vrl_vq_config cfg;

	ring_config(r, &cfg, !r->vq.fetch);
	cfg.state = *st;
	memset(&r->vq, 0xa5, sizeof(r->vq));
	assert_int_equal(vrl_vq_init(&r->vq, &cfg), 0);
}

/* A chain that tells its number, of 1 to 3 pieces, perhaps through a table. */
static bool post(struct ring *r, unsigned int nr, uint32_t *rnd)
{
	const struct guest_buf bufs[3] = { { nr, 1 }, { nr, 2 }, { nr, 3 } };

	return guest_post(&r->g, bufs, 1, test_random(rnd) % 3,
			  test_random(rnd) & 1) >= 0;
}

static void take_and_push(struct ring *r, unsigned int n, unsigned int *seen)
{
	struct vrl_used_elem e[RING_BURST], got;
	unsigned int i;

	for (i = 0; i < n; i++) {
		const struct vrl_chain *c = &r->b->chains[i];

		assert_int_equal(r->b->segs[c->seg].iova, *seen + i);
		e[i] = (struct vrl_used_elem){ c->id, c->in_len };
	}
	vrl_vq_consume(&r->vq, r->b, n);
	vrl_vq_push_burst(&r->vq, e, n);
	for (i = 0; i < n; i++, (*seen)++) {
		assert_true(guest_get_used(&r->g, &got));
		assert_int_equal(got.id, (uint16_t)e[i].id);
	}
}

/* After each burst, wherever in the ring that is. */
static void owners_in_turn(struct ring *r)
{
	unsigned int posted = 0, seen = 0;
	struct vrl_vq_state st, again;
	uint32_t rnd = 4711;

	while (seen < 2000) {
		int n;

		while (test_random(&rnd) % 4 && post(r, posted, &rnd))
			posted++;
		n = vrl_vq_peek_burst(&r->vq, r->b, 1 + test_random(&rnd) % 5);
		assert_true(n >= 0);
		take_and_push(r, n, &seen);
		vrl_vq_get_state(&r->vq, &st);
		assert_int_equal(st.last_avail, st.used_idx);
		change_owner(r, &st);
		vrl_vq_get_state(&r->vq, &again);
		assert_memory_equal(&st, &again, sizeof(st));
	}
}

static void each_burst_may_have_another_owner(void **state)
{
	(void)state;
	ring_with_all(owners_in_turn, 0);
}

/* Taken by the first owner and lost with it; the second takes them again. */
static void owners_die_with_chains(struct ring *r)
{
	unsigned int posted = 0, seen = 0;
	struct vrl_vq_state st;
	uint32_t rnd = 815;

	while (seen < 2000) {
		int n, done;

		while (test_random(&rnd) % 4 && post(r, posted, &rnd))
			posted++;
		n = vrl_vq_peek_burst(&r->vq, r->b, 8);
		assert_true(n >= 0);
		done = n ? (int)(test_random(&rnd) % (unsigned int)n) : 0;
		take_and_push(r, done, &seen);
		n = vrl_vq_peek_burst(&r->vq, r->b, 8);
		vrl_vq_consume(&r->vq, r->b, n);
		vrl_vq_get_state(&r->vq, &st);
		if (n)
			assert_int_not_equal(st.last_avail, st.used_idx);
		st.last_avail = st.used_idx;
		change_owner(r, &st);
		assert_int_equal(vrl_vq_peek_burst(&r->vq, r->b, 8), n);
		take_and_push(r, n, &seen);
	}
}

static void chains_in_flight_are_taken_again(void **state)
{
	(void)state;
	ring_with_all(owners_die_with_chains, 0);
}

/* The first question after a change of owner says yes, then only for new ones. */
static void first_call(struct ring *r)
{
	struct vrl_vq_state st;

	ring_post(r, 60);
	ring_post(r, 60);
	ring_turn(r, 1);
	vrl_vq_get_state(&r->vq, &st);
	change_owner(r, &st);
	guest_enable_call(&r->g);
	assert_true(vrl_vq_needs_call(&r->vq));
	assert_false(vrl_vq_needs_call(&r->vq));
	assert_int_equal(vrl_vq_set_state(&r->vq, &st), 0);
	assert_true(vrl_vq_needs_call(&r->vq));
	assert_false(vrl_vq_needs_call(&r->vq));
}

static void the_last_owners_interrupt_is_made_up_for(void **state)
{
	(void)state;
	ring_with_all(first_call, 0);
}

static void stale_index(struct ring *r)
{
	struct vrl_vq_state st;
	int i;

	vrl_vq_get_state(&r->vq, &st);
	for (i = 0; i < 8; i++)
		ring_post(r, 60);
	assert_int_equal(vrl_vq_peek_burst(&r->vq, r->b, 1), 1);
	/* The driver is another one now and has posted nothing. */
	guest_start_at(&r->g, st.used_idx);
	assert_int_equal(vrl_vq_set_state(&r->vq, &st), 0);
	assert_int_equal(vrl_vq_peek_burst(&r->vq, r->b, 1), 0);
	assert_int_equal(vrl_vq_avail_count(&r->vq), 0);
}

static void set_state_forgets_what_was_known_to_be_available(void **state)
{
	(void)state;
	ring_with_all(stale_index, 0);
}

static void broken_stays(struct ring *r)
{
	struct vrl_vq_state st;

	guest_post(&r->g, &(struct guest_buf){ 0, 0 }, 1, 0, false);
	vrl_vq_get_state(&r->vq, &st);
	assert_int_equal(vrl_vq_peek_burst(&r->vq, r->b, 1), -EPROTO);
	vrl_vq_set_state(&r->vq, &st);
	assert_true(vrl_vq_is_broken(&r->vq));
	assert_int_equal(vrl_vq_peek_burst(&r->vq, r->b, 1), -EPROTO);
	/* A new owner begins without prejudice, and finds the same. */
	change_owner(r, &st);
	assert_false(vrl_vq_is_broken(&r->vq));
	assert_int_equal(vrl_vq_peek_burst(&r->vq, r->b, 1), -EPROTO);
	assert_int_equal(vrl_vq_why(&r->vq), VRL_WHY_ZERO_LEN);
}

static void a_broken_queue_is_not_mended_by_a_state(void **state)
{
	(void)state;
	ring_with_all(broken_stays, 0);
}

/* ---- queue reset (2.6.1) ---- */

/* All memory of the rings is gone: any access would be seen by the sanitizer. */
static void rings_go(struct ring *r)
{
	struct vrl_used_elem e = { 0, 60 };
	struct vrl_vq_config cfg;
	struct vrl_vq_state st;

	ring_post(r, 60);
	ring_post(r, 60);
	assert_int_equal(vrl_vq_peek_burst(&r->vq, r->b, 1), 1);
	e.id = r->b->chains[0].id;
	vrl_vq_consume(&r->vq, r->b, 1);

	vrl_vq_reset(&r->vq);
	guest_fini(&r->g);
	assert_true(vrl_vq_is_broken(&r->vq));
	assert_int_equal(vrl_vq_why(&r->vq), VRL_WHY_RESET);
	assert_int_equal(vrl_vq_peek_burst(&r->vq, r->b, 8), -ESHUTDOWN);
	assert_int_equal(r->b->nr_chains, 0);
	assert_int_equal(vrl_vq_avail_count(&r->vq), -ESHUTDOWN);
	vrl_vq_push_burst(&r->vq, &e, 1);
	vrl_vq_push_in_order(&r->vq, &e, 1);
	assert_false(vrl_vq_needs_call(&r->vq));
	assert_false(vrl_vq_enable_kick(&r->vq));
	vrl_vq_disable_kick(&r->vq);
	assert_false(vrl_vq_notified(&r->vq, 0x1230000));
	vrl_vq_get_state(&r->vq, &st);
	vrl_vq_set_state(&r->vq, &st);
	assert_int_equal(vrl_vq_peek_burst(&r->vq, r->b, 8), -ESHUTDOWN);

	/* Enabled again, with other rings: a new queue. */
	guest_init(&r->g, r->g.kind, 4, r->g.features);
	ring_config(r, &cfg, false);
	assert_int_equal(vrl_vq_init(&r->vq, &cfg), 0);
	ring_post(r, 60);
	ring_turn(r, 1);
}

static void a_reset_queue_never_touches_its_rings(void **state)
{
	(void)state;
	ring_with_all(rings_go, 0);
}

static void reset_in_a_burst(struct ring *r)
{
	struct vrl_vq copy;

	ring_post(r, 60);
	assert_int_equal(vrl_vq_peek_burst(&r->vq, r->b, 1), 1);
	vrl_vq_reset(&r->vq);
	/* Between peek and consume: harmless. */
	vrl_vq_consume(&r->vq, r->b, 1);
	copy = r->vq;
	vrl_vq_reset(&r->vq);
	assert_memory_equal(&copy, &r->vq, sizeof(copy));
}

static void a_reset_may_come_between_peek_and_consume(void **state)
{
	(void)state;
	ring_with_all(reset_in_a_burst, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_burst_may_have_another_owner),
		cmocka_unit_test(chains_in_flight_are_taken_again),
		cmocka_unit_test(the_last_owners_interrupt_is_made_up_for),
		cmocka_unit_test(set_state_forgets_what_was_known_to_be_available),
		cmocka_unit_test(a_broken_queue_is_not_mended_by_a_state),
		cmocka_unit_test(a_reset_queue_never_touches_its_rings),
		cmocka_unit_test(a_reset_may_come_between_peek_and_consume),
	};

	return cmocka_run_group_tests_name("state", tests, NULL, NULL);
}
