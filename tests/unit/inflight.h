/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * For the tests of the in-flight log: a driver that knows each chain by a serial
 * number, and a device side that takes chains, holds them and gives them back.
 */
#ifndef INFLIGHT_H
#define INFLIGHT_H

#include "driver.h"
#include "guest.h"

#define NUM_MAX		8
#define SERIALS		256
#define RING_BYTES	512
#define LOG_BYTES	512
#define MEM_BYTES	(RING_BYTES + LOG_BYTES)

/* The driver and what it knows; copied with the memory. */
struct model {
	struct driver d;
	unsigned int serial_of[NUM_MAX];	/* of an id */
	unsigned int posted;
	unsigned int returned;
	bool done[SERIALS];
};

/* What dies. */
struct device {
	struct vrl_vq vq;
	__u16 resubmit[2 * NUM_MAX];
	struct vrl_burst *b;
	struct vrl_used_elem held[NUM_MAX];	/* taken, not given back */
	unsigned int nr_held;
	unsigned int last_serial;		/* highest handed out + 1 */
};

/* Posts the chain of the next serial number; false if there is no room. */
bool model_post(struct model *m);
/* Takes all that came back: each chain once, with the length it should have. */
void model_reap(struct model *m);

/* Indirect tables are read with a fetch operation. */
void device_config(struct device *dev, const struct driver *d, void *log,
		   struct vrl_vq_config *cfg);
/* Takes up to @max chains; each is as posted, and later than all before. */
unsigned int device_take(struct device *dev, unsigned int max);
/*
 * The held chains whose bits are set come back, the last one first; with
 * VRL_F_IN_ORDER all up to the highest bit, by one used element.
 */
void device_push(struct device *dev, unsigned int mask);

#endif /* INFLIGHT_H */
