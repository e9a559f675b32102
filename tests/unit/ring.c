// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * A virtqueue with its two sides and a burst: see ring.h.
 */
#include "ring.h"
#include "test.h"

void ring_open(struct ring *r, enum guest_kind kind, unsigned int num,
	       uint32_t features, uint16_t start)
{
	struct vrl_vq_config cfg;

	guest_init(&r->g, kind, num, features);
	guest_start_at(&r->g, start);
	guest_config(&r->g, &cfg, true);
	assert_int_equal(vrl_vq_init(&r->vq, &cfg), 0);
	r->b = burst_create(64, VRL_CHAIN_MAX, VRL_CHAIN_MAX);
}

void ring_close(struct ring *r)
{
	burst_destroy(r->b);
	guest_fini(&r->g);
}

int ring_post(struct ring *r, uint32_t len)
{
	const struct guest_buf buf = { 0x10000, len };

	return guest_post(&r->g, &buf, 1, 0, false);
}

void ring_turn(struct ring *r, unsigned int n)
{
	struct vrl_used_elem e[64];
	int i, got = vrl_vq_peek_burst(&r->vq, r->b, n);

	assert_int_equal(got, n);
	for (i = 0; i < got; i++) {
		e[i].id = r->b->chains[i].id;
		e[i].len = r->b->chains[i].out_len;
	}
	vrl_vq_consume(&r->vq, r->b, got);
	vrl_vq_push_burst(&r->vq, e, got);
}
