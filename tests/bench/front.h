/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * A vhost-user front-end of the smallest size: what QEMU says to a back-end until
 * one ring runs.
 */
#ifndef FRONT_H
#define FRONT_H

#include <stdint.h>

struct front_ring {
	uint32_t num;
	uint32_t base;			/* SET_VRING_BASE; packed: with wrap counters */
	uint64_t desc, avail, used;	/* pointers, or IOVAs with an IOTLB */
};

struct front {
	int sock;
	int backend;			/* the back-end's own requests, or -1 */
};

int front_connect(struct front *f, const char *path);
/* Features that both have, or 0 on error. */
uint64_t front_negotiate(struct front *f, uint64_t features);
int front_memory(struct front *f, int fd, void *base, uint64_t size, uint64_t gpa);
int front_ring(struct front *f, uint32_t index, const struct front_ring *r);
/* One entry into the back-end's IOTLB; returns when it is there. */
int front_iotlb(struct front *f, uint64_t iova, uint64_t size, void *uaddr);
void front_close(struct front *f);

#endif /* FRONT_H */
