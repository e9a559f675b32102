/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * A virtqueue with its two sides and a burst, for the tests of the rings.
 */
#ifndef RING_H
#define RING_H

#include <vrl/mem.h>

#include "guest.h"

#define RING_BURST	64	/* chains of the burst */

struct ring {
	struct guest g;
	struct vrl_vq vq;
	struct vrl_burst *b;
	struct vrl_iotlb *tlb;		/* all of this program's memory, as it is */
	struct vrl_mem mem;
};

/* Both kinds of ring, in the sizes and at the places where they differ. */
struct ring_setup {
	enum guest_kind kind;
	unsigned int num;
	uint32_t features;
	uint16_t start;
	bool in_place;		/* tables through vrl_vq_config.mem */
};

extern const struct ring_setup ring_setups[];
extern const unsigned int ring_nr_setups;

/* Both sides start at index start; arrays for any one chain. */
void ring_open(struct ring *r, enum guest_kind kind, unsigned int num,
	       uint32_t features, uint16_t start);
/* The same by a setup; num 0: that of the setup. */
void ring_open_setup(struct ring *r, const struct ring_setup *s,
		     unsigned int num);
void ring_close(struct ring *r);
/* The test once per setup; num 0: the setup's. */
void ring_with_all(void (*test)(struct ring *r), unsigned int num);
/* As ring_open() sets the device side up. */
void ring_config(struct ring *r, struct vrl_vq_config *cfg, bool in_place);
/* The driver posts one readable buffer; returns its head or id. */
int ring_post(struct ring *r, uint32_t len);
/* The device takes n chains, all of which must be there, and pushes them. */
void ring_turn(struct ring *r, unsigned int n);

/* What a test does with the library's id of a chain. */
static inline uint16_t ring_id(const struct vrl_chain *c)
{
	return (uint16_t)c->id;
}

#endif /* RING_H */
