// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * What is pushed together becomes visible together, by one store, which is the
 * last one (2.7.8, 2.8.9): buffers of one mergeable packet (5.1.6.4) depend on
 * it. The rings are compiled into this program with stores that look through the
 * driver's eyes first.
 */
#include <stdlib.h>
#include <string.h>

#include "ring.h"
#include "guest_ops.h"
#include "test.h"

#include "../../vringh-lib/src/platform.h"

static struct guest *watcher;
static unsigned int nr_stores, nr_releases;
/* The frame that must be there when the driver is told. */
static const uint8_t *frame_want, *frame_is;
static size_t frame_len;

static bool sees_used(void)
{
	return (watcher->kind == GUEST_PACKED ? &guest_packed_ops :
		&guest_split_ops)->has_used(watcher);
}

static void before_store(void)
{
	if (!watcher)
		return;
	nr_stores++;
	assert_int_equal(nr_releases, 0);
	assert_false(sees_used());
}

static void before_release(void)
{
	if (!watcher)
		return;
	before_store();
	nr_releases++;
	if (frame_len)
		assert_memory_equal(frame_want, frame_is, frame_len);
}

#undef WRITE_ONCE
#undef smp_store_release
#define WRITE_ONCE(x, v) do {						\
	before_store();							\
	*(volatile __typeof__(x) *)&(x) = (v);				\
} while (0)
#define smp_store_release(p, v) do {					\
	before_release();						\
	*(volatile __typeof__(*(p)) *)(p) = (v);			\
} while (0)

#include "../../vringh-lib/src/chain.c"
#include "../../vringh-lib/src/inflight.c"
#include "../../vringh-lib/src/inflight_packed.c"
#include "../../vringh-lib/src/packed.c"
#include "../../vringh-lib/src/packed_used.c"
#include "../../vringh-lib/src/split.c"
#include "../../vringh-lib/src/split_used.c"
#include "../../vringh-lib/src/vring.c"

static void watch(struct ring *r)
{
	nr_stores = 0;
	nr_releases = 0;
	watcher = &r->g;
}

static void check_published(struct ring *r, const struct vrl_used_elem *e,
			    unsigned int n)
{
	struct vrl_used_elem got;
	unsigned int i;

	watcher = NULL;
	assert_int_equal(nr_releases, 1);
	for (i = 0; i < n; i++) {
		assert_true(guest_get_used(&r->g, &got));
		assert_int_equal(got.id, (uint16_t)e[i].id);
		assert_int_equal(got.len, e[i].len);
	}
	assert_false(guest_get_used(&r->g, &got));
}

/* n chains of 1 to 3 descriptors, all written in full. */
static void publish(struct ring *r, unsigned int n, bool in_order)
{
	const struct guest_buf bufs[3] = { { 0, 10 }, { 0, 20 }, { 0, 30 } };
	struct vrl_used_elem e[RING_BURST];
	unsigned int i;

	for (i = 0; i < n; i++)
		assert_true(guest_post(&r->g, bufs, 0, 1 + i % 3, i & 1) >= 0);
	assert_int_equal(vrl_vq_peek_burst(&r->vq, r->b, n), n);
	vrl_vq_consume(&r->vq, r->b, n);
	for (i = 0; i < n; i++)
		e[i] = (struct vrl_used_elem){ r->b->chains[i].id,
					       r->b->chains[i].in_len };
	watch(r);
	if (in_order)
		vrl_vq_push_in_order(&r->vq, e, n);
	else
		vrl_vq_push_burst(&r->vq, e, n);
	check_published(r, e, n);
}

static void publish_with_all(bool in_order)
{
	unsigned int s, n, round;
	struct ring r;

	for (s = 0; s < ring_nr_setups; s++) {
		if (in_order && !(ring_setups[s].features & VRL_F_IN_ORDER))
			continue;
		ring_open_setup(&r, &ring_setups[s], 0);
		for (round = 0; round < 8; round++)
			for (n = 1; n <= 8; n++)
				publish(&r, n, in_order);
		ring_close(&r);
	}
}

static void a_burst_becomes_visible_by_its_last_store(void **state)
{
	(void)state;
	publish_with_all(false);
}

static void a_batch_in_order_becomes_visible_by_its_last_store(void **state)
{
	(void)state;
	publish_with_all(true);
}

/*
 * A frame of len bytes over chains of 3 pieces; the buffers of the driver follow
 * each other, so that the frame must lie there as it is.
 */
static void merge(struct ring *r, uint32_t len, uint32_t piece)
{
	uint8_t *frame = malloc(len), *buffers = calloc(1, len + 3 * piece);
	struct vrl_piece src[2] = { { frame, 12 }, { frame + 12, len - 12 } };
	unsigned int i, n = (len + 3 * piece - 1) / (3 * piece);
	struct vrl_used_elem e[RING_BURST];
	uint32_t rnd = len;
	int ret;

	for (i = 0; i < len; i++)
		frame[i] = (uint8_t)test_random(&rnd);
	for (i = 0; i < n; i++) {
		uint64_t at = (uintptr_t)buffers + 3 * i * piece;
		const struct guest_buf bufs[3] = {
			{ at, piece }, { at + piece, piece }, { at + 2 * piece, piece },
		};

		assert_true(guest_post(&r->g, bufs, 0, 3, i & 1) >= 0);
	}
	assert_int_equal(vrl_vq_peek_burst(&r->vq, r->b, n), n);
	assert_int_equal(vrl_mem_frame_chains(r->b, 0, len), n);
	ret = vrl_mem_write_frame(&r->mem, r->b, 0, src, 2, e);
	assert_int_equal(ret, n);
	for (i = 0; i < n - 1; i++)
		assert_int_equal(e[i].len, 3 * piece);
	assert_int_equal(e[i].len, len - 3 * piece * (n - 1));

	vrl_vq_consume(&r->vq, r->b, n);
	frame_want = frame;
	frame_is = buffers;
	frame_len = len;
	watch(r);
	vrl_vq_push_burst(&r->vq, e, n);
	check_published(r, e, n);
	frame_len = 0;
	/* Not one byte behind the frame. */
	for (i = len; i < len + 3 * piece; i++)
		assert_int_equal(buffers[i], 0);
	free(buffers);
	free(frame);
}

static void all_buffers_of_a_frame_become_visible_at_once(void **state)
{
	static const uint32_t lens[] = { 60, 599, 600, 601, 1514, 3000, 4800 };
	unsigned int s, i;
	struct ring r;

	(void)state;
	for (s = 0; s < ring_nr_setups; s++) {
		if (ring_setups[s].num < 24)
			continue;
		ring_open_setup(&r, &ring_setups[s], 0);
		for (i = 0; i < 3 * ARRAY_LEN(lens); i++)
			merge(&r, lens[i % ARRAY_LEN(lens)], 200);
		ring_close(&r);
	}
}

static void a_frame_that_does_not_fit_takes_nothing(void **state)
{
	uint8_t frame[100] = { 0 }, buffer[99];
	const struct guest_buf buf = { (uintptr_t)buffer, sizeof(buffer) };
	struct vrl_piece src = { frame, sizeof(frame) };
	struct vrl_used_elem e[4];
	unsigned int s;
	struct ring r;

	(void)state;
	for (s = 0; s < ring_nr_setups; s++) {
		ring_open_setup(&r, &ring_setups[s], 0);
		guest_post(&r.g, &buf, 0, 1, false);
		assert_int_equal(vrl_vq_peek_burst(&r.vq, r.b, 4), 1);
		assert_int_equal(vrl_mem_frame_chains(r.b, 0, 100), 0);
		assert_int_equal(vrl_mem_write_frame(&r.mem, r.b, 0, &src, 1, e), -ENOBUFS);
		/* Still there, with those that come. */
		guest_post(&r.g, &buf, 0, 1, false);
		assert_int_equal(vrl_vq_peek_burst(&r.vq, r.b, 4), 2);
		assert_int_equal(vrl_mem_write_frame(&r.mem, r.b, 0, &src, 1, e), 2);
		ring_close(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_burst_becomes_visible_by_its_last_store),
		cmocka_unit_test(a_batch_in_order_becomes_visible_by_its_last_store),
		cmocka_unit_test(all_buffers_of_a_frame_become_visible_at_once),
		cmocka_unit_test(a_frame_that_does_not_fit_takes_nothing),
	};

	return cmocka_run_group_tests_name("publish", tests, NULL, NULL);
}
