// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * The in-flight log's region: what is taken for one, what comes of it, and what
 * becomes of a region that somebody damaged. Crashes: inflight_crash_test.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/virtio_ring.h>
#include <vrl/inflight.h>

#include "inflight.h"
#include "test.h"

/* A queue of eight with a log, three chains posted. */
struct small {
	struct model m;
	struct device dev;
	struct vrl_vq_config cfg;
	void *ring;
	void *log;
};

static void small_open(struct small *t, uint32_t features)
{
	unsigned int i;

	memset(t, 0, sizeof(*t));
	t->ring = aligned_alloc(64, RING_BYTES);
	t->log = aligned_alloc(64, vrl_inflight_size(features, 8));
	memset(t->ring, 0, RING_BYTES);
	memset(t->log, 0, vrl_inflight_size(features, 8));
	t->dev.b = burst_create(NUM_MAX, 4 * NUM_MAX, 4 * NUM_MAX);
	driver_init(&t->m.d, t->ring, features, 8, 0);
	device_config(&t->dev, &t->m.d, t->log, &t->cfg);
	assert_int_equal(vrl_vq_init(&t->dev.vq, &t->cfg), 0);
	for (i = 0; i < 3; i++)
		assert_true(model_post(&t->m));
}

/* Whoever had the queue is gone. */
static int small_reopen(struct small *t)
{
	struct vrl_burst *b = t->dev.b;

	t->dev = (struct device){ .b = b };
	return vrl_vq_init(&t->dev.vq, &t->cfg);
}

static void small_close(struct small *t)
{
	burst_destroy(t->dev.b);
	free(t->log);
	free(t->ring);
}

static const uint32_t both_rings[] = { VRL_F_INDIRECT, VRL_F_INDIRECT | VRL_F_PACKED };

#define for_each_ring(f)	for (f = both_rings; f < both_rings + 2; f++)

static void chains_in_flight_come_again_and_count_as_taken(void **state)
{
	struct vrl_vq_state st;
	struct small t;
	const uint32_t *f;

	(void)state;
	for_each_ring(f) {
		small_open(&t, *f);
		device_take(&t.dev, 3);
		device_push(&t.dev, 2);
		assert_int_equal(small_reopen(&t), 0);
		vrl_vq_get_state(&t.dev.vq, &st);
		assert_int_equal((st.last_avail - st.used_idx) & 7, *f & VRL_F_PACKED ? 3 : 2);
		/* There is work though the driver posts nothing, nor will it kick. */
		assert_true(vrl_vq_avail_count(&t.dev.vq) > 0);
		assert_true(vrl_vq_enable_kick(&t.dev.vq));
		assert_int_equal(vrl_vq_peek_burst(&t.dev.vq, t.dev.b, 1), 1);
		assert_int_equal(t.dev.b->segs[0].iova >> 16, 0);
		assert_int_equal(vrl_vq_peek_burst(&t.dev.vq, t.dev.b, 8), 2);
		assert_int_equal(device_take(&t.dev, 1), 1);
		assert_true(vrl_vq_enable_kick(&t.dev.vq));
		assert_int_equal(device_take(&t.dev, 8), 1);
		assert_int_equal(t.dev.last_serial, 3);
		assert_int_equal(vrl_vq_avail_count(&t.dev.vq), 0);
		assert_false(vrl_vq_enable_kick(&t.dev.vq));
		/* From here on the ring. */
		assert_true(model_post(&t.m));
		assert_int_equal(device_take(&t.dev, 8), 1);
		device_push(&t.dev, ~0u);
		model_reap(&t.m);
		assert_int_equal(t.m.returned, 4);
		small_close(&t);
	}
}

static void the_log_says_where_the_queue_stands_and_nobody_else(void **state)
{
	struct vrl_vq_state st;
	struct small t;
	const uint32_t *f;

	(void)state;
	for_each_ring(f) {
		small_open(&t, *f);
		device_take(&t.dev, 3);
		vrl_vq_get_state(&t.dev.vq, &st);
		assert_int_equal(vrl_vq_set_state(&t.dev.vq, &st), -EINVAL);
		t.cfg.state.last_avail ^= 1;
		t.cfg.state.used_idx ^= 1;
		assert_int_equal(small_reopen(&t), 0);
		assert_int_equal(device_take(&t.dev, 8), 3);
		small_close(&t);
	}
}

static void a_region_is_refused_that_is_not_this_queues(void **state)
{
	struct vrl_inflight_split *h;
	struct small t;
	const uint32_t *f;

	(void)state;
	for_each_ring(f) {
		uint32_t size = vrl_inflight_size(*f, 8);

		small_open(&t, *f);
		h = t.log;
		assert_int_equal(vrl_inflight_check(t.log, size, *f, 8), 1);
		assert_int_equal(vrl_inflight_check(t.log, size - 1, *f, 8), -EINVAL);
		assert_int_equal(vrl_inflight_check(NULL, size, *f, 8), -EINVAL);
		assert_int_equal(vrl_inflight_check((char *)t.log + 4, size, *f, 8), -EINVAL);
		assert_int_equal(vrl_inflight_check(t.log, size, *f, 4), -EINVAL);
		assert_int_equal(vrl_inflight_check(t.log, size, *f, 0), -EINVAL);
		h->version = 2;
		assert_int_equal(vrl_inflight_check(t.log, size, *f, 8), -EINVAL);
		assert_int_equal(small_reopen(&t), -EINVAL);
		assert_int_equal(vrl_vq_why(&t.dev.vq), VRL_WHY_CFG_INFLIGHT);
		h->version = 1;
		h->features = 1;
		assert_int_equal(small_reopen(&t), -EINVAL);
		h->features = 0;
		h->desc_num = 16;
		assert_int_equal(small_reopen(&t), -EINVAL);
		h->desc_num = 8;
		t.cfg.resubmit = NULL;
		assert_int_equal(small_reopen(&t), -EINVAL);
		t.cfg.resubmit = t.dev.resubmit;
		assert_int_equal(small_reopen(&t), 0);
		small_close(&t);
	}
}

static void unused_memory_becomes_a_log_unless_chains_are_in_flight(void **state)
{
	struct small t;
	const uint32_t *f;

	(void)state;
	for_each_ring(f) {
		uint32_t size = vrl_inflight_size(*f, 8);

		small_open(&t, *f);
		memset(t.log, 0, size);
		assert_int_equal(vrl_inflight_check(t.log, size, *f, 8), 0);
		t.cfg.state.last_avail++;
		assert_int_equal(small_reopen(&t), -EINVAL);
		assert_int_equal(vrl_vq_why(&t.dev.vq), VRL_WHY_CFG_STATE);
		assert_int_equal(vrl_inflight_check(t.log, size, *f, 8), 0);
		t.cfg.state.last_avail--;
		assert_int_equal(small_reopen(&t), 0);
		assert_int_equal(vrl_inflight_check(t.log, size, *f, 8), 1);

		/* What it held before does not count. */
		memset(t.log, 0xff, size);
		vrl_inflight_init(t.log, *f, 8);
		assert_int_equal(small_reopen(&t), 0);
		assert_int_equal(device_take(&t.dev, 8), 3);
		small_close(&t);
	}
}

static void regions_have_the_size_of_the_protocol(void **state)
{
	(void)state;
	/* Header of 16 and 16 per entry; header of 32 and 32 per entry; to 64. */
	assert_int_equal(vrl_inflight_size(0, 256), 16 + 256 * 16 + 48);
	assert_int_equal(vrl_inflight_size(VRL_F_PACKED, 256), 32 + 256 * 32 + 32);
	assert_int_equal(vrl_inflight_size(VRL_F_PACKED, 1), 64);
	assert_int_equal(vrl_inflight_size(0, 32768), 64 + 32768 * 16);
	assert_int_equal(vrl_inflight_size(0, 0), 0);
	assert_int_equal(vrl_inflight_size(0, 32769), 0);
}

static void a_split_log_of_the_protocol_is_understood(void **state)
{
	/* Heads 5 and 2 were pushed, 7 then 1 are in flight; nothing was cleared. */
	struct small t;
	struct vrl_inflight_split *log;
	struct vring_avail *avail;
	struct vring_used *used;
	unsigned int i;

	(void)state;
	small_open(&t, 0);
	avail = t.m.d.driver_area;
	used = t.m.d.device_area;
	for (i = 0; i < 8; i++)
		t.m.d.split_desc[i] = (struct vring_desc){ .addr = i << 16, .len = 16 };
	avail->idx = 5;
	avail->ring[4] = 3;
	used->idx = 2;

	log = t.log;
	for (i = 0; i < 8; i++)
		log->desc[i] = (struct vrl_inflight_split_desc){ .counter = 77 };
	log->desc[7] = (struct vrl_inflight_split_desc){ .inflight = 1, .counter = 10 };
	log->desc[5] = (struct vrl_inflight_split_desc){ .inflight = 1, .counter = 11 };
	log->desc[1] = (struct vrl_inflight_split_desc){ .inflight = 1, .counter = 12 };
	log->desc[2] = (struct vrl_inflight_split_desc){ .inflight = 1, .counter = 13 };
	log->desc[5].next = 4;
	log->desc[2].next = 5;
	log->last_batch_head = 2;
	log->used_idx = 0;

	assert_int_equal(small_reopen(&t), 0);
	assert_int_equal(vrl_vq_peek_burst(&t.dev.vq, t.dev.b, 8), 2);
	assert_int_equal(t.dev.b->chains[0].id, 7);
	assert_int_equal(t.dev.b->chains[1].id, 1);
	assert_int_equal(log->used_idx, 2);
	vrl_vq_consume(&t.dev.vq, t.dev.b, 2);
	assert_int_equal(vrl_vq_peek_burst(&t.dev.vq, t.dev.b, 8), 1);
	assert_int_equal(t.dev.b->chains[0].id, 3);
	vrl_vq_consume(&t.dev.vq, t.dev.b, 1);
	assert_int_equal(log->desc[3].inflight, 1);
	assert_int_equal(log->desc[3].counter, 13);
	small_close(&t);
}

static void a_packed_log_of_the_protocol_is_understood(void **state)
{
	/*
	 * A chain of two (entries 0 and 1, id 6) and one of one (entry 2, id 4) were
	 * taken; the second came back in ring position 0, which the log does not say
	 * yet. Then the driver posts id 5 in position 3.
	 */
	struct small t;
	struct vrl_inflight_packed *log;
	struct vring_packed_desc *ring;
	const struct vrl_chain *c;

	(void)state;
	small_open(&t, VRL_F_PACKED);
	ring = t.m.d.packed_desc;
	ring[0] = (struct vring_packed_desc){ .id = 4, .flags = 0x8080 };
	ring[1] = (struct vring_packed_desc){ .addr = 0x6100, .len = 61, .id = 6, .flags = 0x80 };
	ring[2] = (struct vring_packed_desc){ .addr = 0x4000, .len = 40, .id = 4, .flags = 0x80 };
	ring[3] = (struct vring_packed_desc){ .addr = 0x5000, .len = 50, .id = 5, .flags = 0x80 };
	ring[4] = (struct vring_packed_desc){ .flags = 0 };

	log = t.log;
	log->desc[0] = (struct vrl_inflight_packed_desc){
		.inflight = 1, .next = 1, .last = 1, .num = 2, .counter = 8,
		.id = 6, .flags = 0x81, .len = 60, .addr = 0x6000 };
	log->desc[1] = (struct vrl_inflight_packed_desc){
		.next = 2, .id = 6, .flags = 0x82, .len = 61, .addr = 0x6100 };
	log->desc[2] = (struct vrl_inflight_packed_desc){
		.inflight = 1, .next = 3, .last = 2, .num = 1, .counter = 9,
		.id = 4, .flags = 0x80, .len = 40, .addr = 0x4000 };
	log->free = (union vrl_inflight_free){ { .head = 2, .old_head = 3 } };
	log->used = (union vrl_inflight_used){ { .idx = 1, .old_idx = 0,
		.wrap_counter = 1, .old_wrap_counter = 1 } };

	assert_int_equal(small_reopen(&t), 0);
	assert_int_equal(log->desc[2].inflight, 0);
	assert_int_equal(vrl_vq_peek_burst(&t.dev.vq, t.dev.b, 8), 1);
	c = &t.dev.b->chains[0];
	assert_int_equal(c->id & 0xffff, 6);
	assert_int_equal(c->nr_out, 1);
	assert_int_equal(c->nr_in, 1);
	assert_int_equal(c->out_len, 60);
	assert_int_equal(t.dev.b->segs[c->seg].iova, 0x6000);
	vrl_vq_consume(&t.dev.vq, t.dev.b, 1);
	assert_int_equal(vrl_vq_peek_burst(&t.dev.vq, t.dev.b, 8), 1);
	assert_int_equal(t.dev.b->chains[0].id & 0xffff, 5);
	small_close(&t);
}

static void a_driver_that_posts_a_chain_twice_breaks_the_queue(void **state)
{
	struct small t;

	(void)state;
	small_open(&t, 0);
	((struct vring_avail *)t.m.d.driver_area)->ring[1] = 0;
	assert_int_equal(vrl_vq_peek_burst(&t.dev.vq, t.dev.b, 8), 3);
	vrl_vq_consume(&t.dev.vq, t.dev.b, 3);
	assert_int_equal(vrl_vq_why(&t.dev.vq), VRL_WHY_ID_BUSY);
	assert_int_equal(vrl_vq_peek_burst(&t.dev.vq, t.dev.b, 8), -EPROTO);
	small_close(&t);

	small_open(&t, VRL_F_PACKED);
	/* Chains of two, two and one descriptors: the id counts in the last. */
	t.m.d.packed_desc[3].id = 0;
	assert_int_equal(vrl_vq_peek_burst(&t.dev.vq, t.dev.b, 8), 3);
	vrl_vq_consume(&t.dev.vq, t.dev.b, 3);
	assert_int_equal(vrl_vq_why(&t.dev.vq), VRL_WHY_ID_BUSY);
	small_close(&t);
}

static void a_log_that_somebody_writes_to_breaks_the_queue(void **state)
{
	struct vrl_inflight_packed *log;
	struct small t;

	(void)state;
	small_open(&t, VRL_F_PACKED);
	log = t.log;
	device_take(&t.dev, 8);
	assert_int_equal(small_reopen(&t), 0);
	/* Five descriptors are in flight: a chain of six would end behind them. */
	log->desc[0].num = 6;
	assert_int_equal(vrl_vq_peek_burst(&t.dev.vq, t.dev.b, 8), -EPROTO);
	assert_int_equal(vrl_vq_why(&t.dev.vq), VRL_WHY_INFLIGHT);
	small_close(&t);

	small_open(&t, VRL_F_PACKED);
	log = t.log;
	log->desc[0].next = 8;
	assert_int_equal(vrl_vq_peek_burst(&t.dev.vq, t.dev.b, 8), 3);
	vrl_vq_consume(&t.dev.vq, t.dev.b, 3);
	assert_int_equal(vrl_vq_why(&t.dev.vq), VRL_WHY_INFLIGHT);
	small_close(&t);
}

/* Take and give back whatever comes; the address sanitizer looks on. */
static void device_go_on(struct small *t, uint32_t *seed)
{
	struct vrl_used_elem e[64];
	unsigned int turns = 40, nr = 0;
	int i, n;

	while (turns--) {
		n = vrl_vq_peek_burst(&t->dev.vq, t->dev.b, 1 + test_random(seed) % 4);
		if (n <= 0)
			break;
		for (i = 0; i < n && nr < 64; i++)
			e[nr++] = (struct vrl_used_elem){ .id = t->dev.b->chains[i].id };
		vrl_vq_consume(&t->dev.vq, t->dev.b, (unsigned int)n);
		if (test_random(seed) % 2) {
			vrl_vq_push_burst(&t->dev.vq, e, nr);
			nr = 0;
		}
		/* Somebody else writes to the log while the queue runs. */
		if (test_random(seed) % 4 == 0)
			((uint8_t *)t->log)[test_random(seed) %
					    vrl_inflight_size(t->m.d.features, 8)] =
				(uint8_t)test_random(seed);
	}
	vrl_vq_push_burst(&t->dev.vq, e, nr);
}

static void a_torn_region_is_refused_or_harmless(void **state)
{
	unsigned int round, i, refused = 0, gone_on = 0;
	uint32_t seed = 42;
	struct small t;

	(void)state;
	for (round = 0; round < 20000; round++) {
		uint32_t features = both_rings[round % 2], size = vrl_inflight_size(features, 8);
		uint8_t *log;

		small_open(&t, features);
		device_take(&t.dev, 1 + test_random(&seed) % 3);
		device_push(&t.dev, test_random(&seed) % 8);
		log = t.log;
		for (i = 1 + test_random(&seed) % 4; i; i--)
			log[test_random(&seed) % size] = test_random(&seed) % 4 ?
				test_random(&seed) % 9 : test_random(&seed);
		if (small_reopen(&t)) {
			refused++;
		} else {
			gone_on++;
			device_go_on(&t, &seed);
		}
		small_close(&t);
	}
	/* Both happen, or this has tested nothing. */
	assert_in_range(refused, 1000, 19000);
	assert_in_range(gone_on, 1000, 19000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chains_in_flight_come_again_and_count_as_taken),
		cmocka_unit_test(the_log_says_where_the_queue_stands_and_nobody_else),
		cmocka_unit_test(a_region_is_refused_that_is_not_this_queues),
		cmocka_unit_test(unused_memory_becomes_a_log_unless_chains_are_in_flight),
		cmocka_unit_test(regions_have_the_size_of_the_protocol),
		cmocka_unit_test(a_split_log_of_the_protocol_is_understood),
		cmocka_unit_test(a_packed_log_of_the_protocol_is_understood),
		cmocka_unit_test(a_driver_that_posts_a_chain_twice_breaks_the_queue),
		cmocka_unit_test(a_log_that_somebody_writes_to_breaks_the_queue),
		cmocka_unit_test(a_torn_region_is_refused_or_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
