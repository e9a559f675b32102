/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * A virtqueue with its two sides and a burst, for the tests of the rings.
 */
#ifndef RING_H
#define RING_H

#include "guest.h"

struct ring {
	struct guest g;
	struct vrl_vq vq;
	struct vrl_burst *b;
};

/* Both sides start at index start; arrays for any one chain. */
void ring_open(struct ring *r, enum guest_kind kind, unsigned int num,
	       uint32_t features, uint16_t start);
void ring_close(struct ring *r);
/* The driver posts one readable buffer; returns its head or id. */
int ring_post(struct ring *r, uint32_t len);
/* The device takes n chains, all of which must be there, and pushes them. */
void ring_turn(struct ring *r, unsigned int n);

#endif /* RING_H */
