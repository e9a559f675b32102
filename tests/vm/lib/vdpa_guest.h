/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A driver of a whole function through vhost_vdpa: memory, the first queue pair,
 * the control queue; and the netdev of somebody else as the other end of the wire.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * It is as honest as the program that uses it: chains are posted as they are given.
 * The backend polls, so that nothing here kicks but the control queue.
 */
#ifndef VDPA_GUEST_H
#define VDPA_GUEST_H

#include <linux/virtio_ring.h>

#include "vdpa_user.h"

#define UQ_NUM		64U
#define UQ_CTRL		2U
#define BUF_SIZE	2048U
#define FRAME_LEN	60U
#define HDR_LEN		12U		/* virtio_net_hdr_v1 */
#define PATIENCE_MS	10000U		/* only a fault lets it pass */

/* The memory of a guest: rings, then a buffer per descriptor, then room. */
#define RINGS_AT(q)	((q) * 0x4000U)
#define BUFS_AT(q)	(0x10000U + (q) * UQ_NUM * BUF_SIZE)
#define ROOM_AT		0x80000U
#define GUEST_SIZE	0x100000U

/* What nobody else may see: a page of it is a frame, to who can read it. */
#define SECRET		0x5ec2e75ec2e7ULL

struct uq {
	struct user *user;
	unsigned int index;
	struct vring vring;
	uint16_t next;		/* descriptor */
	uint16_t last_used;
	int kick;
};

struct guest {
	struct user user;
	const char *device;
	uint64_t iova;		/* of all of @mem */
	uint8_t *mem;
	uint8_t tag;		/* last byte of its address */
	struct uq rx, tx, ctrl;
	uint32_t seq;
	unsigned int rx_posted;
};

/* ---- queues ---- */

/* Rings in @mem, at @iova for the device; not enabled yet. */
void uq_setup(struct uq *q, struct user *u, unsigned int index, void *mem, uint64_t iova);
int uq_enable(struct uq *q);
/* A chain of @nr descriptors, of which the flags but NEXT count. Return: its head. */
unsigned int uq_post(struct uq *q, const struct vring_desc *descs, unsigned int nr);
void uq_kick(struct uq *q);
/* What has come back next; false: nothing for so long. */
bool uq_take(struct uq *q, struct vring_used_elem *e, unsigned int ms);

/* ---- guests ---- */

/* Opens @device and maps @g->mem, which the first call makes, at @iova. */
void guest_open(struct guest *g, const char *device, uint64_t iova, uint8_t tag);
/* Negotiates, sets three queues up and enables them. */
void guest_start(struct guest *g, uint64_t more_features);
/* The device's reset; what is mapped stays. */
void guest_reset(struct guest *g);
uint8_t guest_status(struct guest *g);
/* A good frame. Return: its number. */
uint32_t guest_send(struct guest *g);
/* A good receive buffer. */
void guest_offer(struct guest *g);
/* Frames go both ways, and the control queue answers. */
bool guest_works(struct guest *g);
/* Pages that are frames with SECRET in them. */
void secret_write(uint8_t *mem, uint64_t size);
bool secret_is_whole(const uint8_t *mem, uint64_t size);

/* ---- the wire ---- */

/* The netdev net0 in the namespace red, which the process enters. */
void wire_open(void);
void wire_send(uint32_t seq);
/* The number of the next frame from @tag; -1: nothing for so long. */
long wire_take(uint8_t tag, unsigned int ms);
/* Frames that it met: with SECRET in it, not of a network, of another guest. */
extern unsigned long wire_secrets, wire_strays, wire_others;

#endif
