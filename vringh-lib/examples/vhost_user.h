/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Back-end side of the vhost-user protocol, as much as a device with two queues
 * needs to be set up: features, memory, rings. What comes from the front-end is
 * the driver's memory and where its rings are; the rest is vringh-lib's.
 */
#ifndef VHOST_USER_H
#define VHOST_USER_H

#include <stdbool.h>
#include <stdint.h>

#include <vrl/mem.h>
#include <vrl/vring.h>

#define VHOST_USER_QUEUES	2

struct vhost_user_queue {
	struct vrl_vq vq;
	struct vrl_vq_config cfg;
	int kick;			/* eventfd of the driver, or -1 */
	int call;			/* eventfd to the driver, or -1 */
	bool running;
};

struct vhost_user {
	int sock;
	uint64_t offered;		/* features, as in virtio */
	uint64_t features;		/* what the driver took of them */
	struct vrl_iotlb *guest;	/* the driver's addresses */
	struct vrl_iotlb *user;		/* the front-end's, which SET_VRING_ADDR speaks of */
	struct vrl_mem mem;
	struct vrl_mem ring_mem;
	struct vhost_user_queue queues[VHOST_USER_QUEUES];
};

/* Wait for a front-end at @path. Like all here, ends the program on an error. */
void vhost_user_accept(struct vhost_user *vu, const char *path, uint64_t offered);

/* Take one message and answer it. False: the front-end has hung up. */
bool vhost_user_serve(struct vhost_user *vu);

#endif /* VHOST_USER_H */
