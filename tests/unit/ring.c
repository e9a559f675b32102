// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * A virtqueue with its two sides and a burst: see ring.h.
 */
#include <stdlib.h>

#include "ring.h"
#include "test.h"

const struct ring_setup ring_setups[] = {
	{ GUEST_SPLIT, 32, 0, 0, false },
	{ GUEST_SPLIT, 32, VRL_F_EVENT_IDX, 65530, false },
	{ GUEST_SPLIT, 16, VRL_F_EVENT_IDX, 65535, true },
	{ GUEST_SPLIT, 32, VRL_F_IN_ORDER, 0, true },
	{ GUEST_PACKED, 32, 0, VRL_STATE_WRAP, false },
	{ GUEST_PACKED, 31, VRL_F_EVENT_IDX, 29, false },
	{ GUEST_PACKED, 17, VRL_F_EVENT_IDX, VRL_STATE_WRAP | 16, true },
	{ GUEST_PACKED, 32, VRL_F_IN_ORDER, VRL_STATE_WRAP, true },
};

const unsigned int ring_nr_setups = ARRAY_LEN(ring_setups);

void ring_config(struct ring *r, struct vrl_vq_config *cfg, bool in_place)
{
	guest_config(&r->g, cfg, true);
	if (in_place) {
		cfg->mem = &r->mem;
		cfg->fetch = NULL;
	}
}

static void ring_init(struct ring *r, bool in_place)
{
	struct vrl_vq_config cfg;

	r->tlb = malloc(vrl_iotlb_size(2));
	assert_non_null(r->tlb);
	assert_int_equal(vrl_iotlb_init(r->tlb, 2), 0);
	assert_int_equal(vrl_iotlb_add(r->tlb, 0, UINT64_MAX, 0,
				       VRL_PERM_R | VRL_PERM_W), 0);
	r->mem = (struct vrl_mem){ .tlb = r->tlb };
	ring_config(r, &cfg, in_place);
	assert_int_equal(vrl_vq_init(&r->vq, &cfg), 0);
	r->b = burst_create(RING_BURST, VRL_CHAIN_MAX, VRL_CHAIN_MAX);
}

void ring_open(struct ring *r, enum guest_kind kind, unsigned int num,
	       uint32_t features, uint16_t start)
{
	guest_init(&r->g, kind, num, features);
	guest_start_at(&r->g, start);
	ring_init(r, false);
}

void ring_open_setup(struct ring *r, const struct ring_setup *s,
		     unsigned int num)
{
	guest_init(&r->g, s->kind, num ? num : s->num, s->features);
	if (!num)
		guest_start_at(&r->g, s->start);
	ring_init(r, s->in_place);
}

void ring_with_all(void (*test)(struct ring *r), unsigned int num)
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

void ring_close(struct ring *r)
{
	burst_destroy(r->b);
	guest_fini(&r->g);
	free(r->tlb);
}

int ring_post(struct ring *r, uint32_t len)
{
	const struct guest_buf buf = { 0x10000, len };

	return guest_post(&r->g, &buf, 1, 0, false);
}

void ring_turn(struct ring *r, unsigned int n)
{
	struct vrl_used_elem e[RING_BURST];
	int i, got = vrl_vq_peek_burst(&r->vq, r->b, n);

	assert_int_equal(got, n);
	for (i = 0; i < got; i++) {
		e[i].id = r->b->chains[i].id;
		e[i].len = r->b->chains[i].out_len;
	}
	vrl_vq_consume(&r->vq, r->b, got);
	vrl_vq_push_burst(&r->vq, e, got);
}
