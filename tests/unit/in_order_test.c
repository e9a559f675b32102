// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * VIRTIO_F_IN_ORDER (2.7.9, 2.8.8): one used entry for a whole batch, for both
 * kinds of ring, with interrupts that count what the entry stands for.
 */
#include <stdlib.h>
#include <string.h>

#include <vrl/inflight.h>

#include "ring.h"
#include "test.h"

#define MAX_BATCH	8

struct fifo {
	uint16_t id[RING_BURST];
	uint32_t in_len[RING_BURST];
	uint32_t vrl_id[RING_BURST];
	unsigned int nr;
};

static bool post(struct ring *r, uint32_t *rnd)
{
	const struct guest_buf bufs[4] = { { 0, 10 }, { 0, 20 }, { 0, 30 }, { 0, 40 } };
	unsigned int out = test_random(rnd) % 3, in = test_random(rnd) % 3;

	if (!out && !in)
		out = 1;
	return guest_post(&r->g, bufs, out, in, test_random(rnd) & 1) >= 0;
}

static void take(struct ring *r, struct fifo *f)
{
	int i, n = vrl_vq_peek_burst(&r->vq, r->b, RING_BURST - f->nr);

	assert_true(n >= 0);
	for (i = 0; i < n; i++) {
		const struct vrl_chain *c = &r->b->chains[i];

		f->vrl_id[f->nr] = c->id;
		f->id[f->nr] = ring_id(c);
		f->in_len[f->nr++] = c->in_len;
	}
	vrl_vq_consume(&r->vq, r->b, n);
}

/* The oldest n go back at once; the last of them short by one byte. */
static void give(struct ring *r, struct fifo *f, unsigned int n)
{
	struct vrl_used_elem e[RING_BURST], got;
	unsigned int i;

	for (i = 0; i < n; i++)
		e[i] = (struct vrl_used_elem){ f->vrl_id[i], f->in_len[i] };
	if (e[n - 1].len)
		e[n - 1].len--;
	vrl_vq_push_in_order(&r->vq, e, n);
	for (i = 0; i < n; i++) {
		assert_true(guest_get_used(&r->g, &got));
		assert_int_equal(got.id, f->id[i]);
		assert_int_equal(got.len, e[i].len);
	}
	assert_false(guest_get_used(&r->g, &got));
	f->nr -= n;
	memmove(f->id, f->id + n, f->nr * sizeof(f->id[0]));
	memmove(f->in_len, f->in_len + n, f->nr * sizeof(f->in_len[0]));
	memmove(f->vrl_id, f->vrl_id + n, f->nr * sizeof(f->vrl_id[0]));
}

static void traffic(enum guest_kind kind, unsigned int num, uint16_t start)
{
	struct fifo f = { .nr = 0 };
	uint32_t rnd = 31337;
	unsigned int done = 0;
	struct ring r;

	ring_open(&r, kind, num, VRL_F_IN_ORDER, start);
	while (done < 3000) {
		unsigned int n = 1 + test_random(&rnd) % MAX_BATCH;

		while (test_random(&rnd) % 5 && post(&r, &rnd))
			;
		take(&r, &f);
		if (n > f.nr)
			continue;
		give(&r, &f, n);
		done += n;
	}
	assert_int_equal(r.g.stray, 0);
	ring_close(&r);
}

static void batches_of_any_size_come_back_in_order(void **state)
{
	(void)state;
	traffic(GUEST_SPLIT, 16, 0);
	traffic(GUEST_SPLIT, 64, 65530);
	traffic(GUEST_PACKED, 16, VRL_STATE_WRAP);
	traffic(GUEST_PACKED, 61, 60);
	traffic(GUEST_PACKED, 9, VRL_STATE_WRAP | 5);
}

/* A batch writes one entry: what lies behind it is as it was. */
static void a_batch_is_one_used_entry(void **state)
{
	struct fifo f = { .nr = 0 };
	struct ring r;
	int i;

	(void)state;
	ring_open(&r, GUEST_SPLIT, 8, VRL_F_IN_ORDER, 0);
	memset(r.g.used->ring, 0x77, 8 * sizeof(r.g.used->ring[0]));
	for (i = 0; i < 5; i++)
		ring_post(&r, 60);
	take(&r, &f);
	give(&r, &f, 5);
	assert_int_equal(r.g.used->ring[0].id, 4);
	for (i = 1; i < 8; i++)
		assert_int_equal(r.g.used->ring[i].id, 0x77777777);
	ring_close(&r);

	ring_open(&r, GUEST_PACKED, 8, VRL_F_IN_ORDER, VRL_STATE_WRAP);
	for (i = 0; i < 5; i++)
		ring_post(&r, 60);
	take(&r, &f);
	give(&r, &f, 5);
	for (i = 0; i < 5; i++)
		assert_int_equal(!!(r.g.ring[i].flags & 1 << VRING_PACKED_DESC_F_USED), i == 0);
	ring_close(&r);
}

/* An interrupt if the entry or descriptor asked for is anywhere in the batch. */
static void batch_events(enum guest_kind kind, uint16_t start)
{
	struct vrl_used_elem e[MAX_BATCH], got;
	unsigned int n, dist, i;
	struct ring r;

	for (n = 1; n <= MAX_BATCH; n++) {
		for (dist = 0; dist < 2 * MAX_BATCH; dist++) {
			ring_open(&r, kind, MAX_BATCH, VRL_F_IN_ORDER | VRL_F_EVENT_IDX,
				  start);
			vrl_vq_needs_call(&r.vq);
			guest_call_after(&r.g, dist);
			for (i = 0; i < n; i++)
				ring_post(&r, 60);
			assert_int_equal(vrl_vq_peek_burst(&r.vq, r.b, n), n);
			vrl_vq_consume(&r.vq, r.b, n);
			for (i = 0; i < n; i++)
				e[i] = (struct vrl_used_elem){ r.b->chains[i].id, 0 };
			vrl_vq_push_in_order(&r.vq, e, n);
			assert_int_equal(vrl_vq_needs_call(&r.vq), dist < n);
			for (i = 0; i < n; i++)
				assert_true(guest_get_used(&r.g, &got));
			ring_close(&r);
		}
	}
}

static void events_count_what_a_batch_stands_for(void **state)
{
	(void)state;
	batch_events(GUEST_SPLIT, 65533);
	batch_events(GUEST_PACKED, VRL_STATE_WRAP | 6);
	batch_events(GUEST_PACKED, 3);
}

/* 5.1.6.4 and others: single pushes are allowed in order, too. */
static void bursts_without_batching_work_in_order(void **state)
{
	enum guest_kind kind;
	struct vrl_used_elem got;
	unsigned int i, k;
	struct ring r;

	(void)state;
	for (kind = GUEST_SPLIT; kind <= GUEST_PACKED; kind++) {
		ring_open(&r, kind, 8, VRL_F_IN_ORDER,
			  kind == GUEST_PACKED ? VRL_STATE_WRAP : 0);
		for (i = 0; i < 20; i++) {
			for (k = 0; k < 3; k++)
				ring_post(&r, 60 + k);
			ring_turn(&r, 3);
			for (k = 0; k < 3; k++) {
				assert_true(guest_get_used(&r.g, &got));
				assert_int_equal(got.len, 60 + k);
			}
		}
		ring_close(&r);
	}
}

/* ---- with an in-flight log ---- */

static void take_ids(struct ring *r, struct vrl_used_elem *e, unsigned int want,
		     const int *ids)
{
	unsigned int i;

	assert_int_equal(vrl_vq_peek_burst(&r->vq, r->b, 8), want);
	vrl_vq_consume(&r->vq, r->b, want);
	for (i = 0; i < want; i++) {
		assert_int_equal(ring_id(&r->b->chains[i]), ids[i]);
		e[i] = (struct vrl_used_elem){ r->b->chains[i].id, r->b->chains[i].in_len };
	}
}

static void give_batch(struct ring *r, const struct vrl_used_elem *e, unsigned int n)
{
	struct vrl_used_elem got;
	unsigned int i;

	vrl_vq_push_in_order(&r->vq, e, n);
	for (i = 0; i < n; i++) {
		assert_true(guest_get_used(&r->g, &got));
		assert_int_equal(got.id, (uint16_t)e[i].id);
	}
	assert_false(guest_get_used(&r->g, &got));
}

/* Five are taken, three come back as a batch; then the device is another one. */
static void log_and_batch(enum guest_kind kind, uint32_t features, uint16_t start)
{
	const struct guest_buf bufs[2] = { { 0x1000, 10 }, { 0x2000, 20 } };
	uint16_t resubmit[2 * 8];
	struct vrl_used_elem e[8];
	struct vrl_vq_config cfg;
	unsigned int i, round;
	struct ring r;
	int ids[5];

	ring_open(&r, kind, 8, VRL_F_IN_ORDER, start);
	ring_config(&r, &cfg, false);
	cfg.inflight = aligned_alloc(64, vrl_inflight_size(features, 8));
	memset(cfg.inflight, 0, vrl_inflight_size(features, 8));
	cfg.resubmit = resubmit;
	assert_int_equal(vrl_vq_init(&r.vq, &cfg), 0);
	for (round = 0; round < 5; round++) {
		for (i = 0; i < 5; i++)
			ids[i] = guest_post(&r.g, bufs, 0, 1 + i % 2, false);
		take_ids(&r, e, 5, ids);
		give_batch(&r, e, 3);
		memset(&r.vq, 0xa5, sizeof(r.vq));
		assert_int_equal(vrl_vq_init(&r.vq, &cfg), 0);
		take_ids(&r, e, 2, ids + 3);
		give_batch(&r, e, 2);
	}
	/* Nothing is in flight, and so nothing comes again. */
	assert_int_equal(vrl_vq_init(&r.vq, &cfg), 0);
	assert_int_equal(vrl_vq_peek_burst(&r.vq, r.b, 8), 0);
	free(cfg.inflight);
	ring_close(&r);
}

static void a_batch_leaves_the_log_as_a_whole(void **state)
{
	(void)state;
	log_and_batch(GUEST_SPLIT, VRL_F_IN_ORDER, 0);
	log_and_batch(GUEST_PACKED, VRL_F_IN_ORDER | VRL_F_PACKED, VRL_STATE_WRAP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(batches_of_any_size_come_back_in_order),
		cmocka_unit_test(a_batch_is_one_used_entry),
		cmocka_unit_test(events_count_what_a_batch_stands_for),
		cmocka_unit_test(a_batch_leaves_the_log_as_a_whole),
		cmocka_unit_test(bursts_without_batching_work_in_order),
	};

	return cmocka_run_group_tests_name("in_order", tests, NULL, NULL);
}
