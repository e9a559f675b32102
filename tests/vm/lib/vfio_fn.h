/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A function of the card in user space, through stock vfio-pci: what a driver
 * there needs, for the programs of tests/vm.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Functions that return int give 0 or a negative errno, unless they say more.
 */
#ifndef VFIO_FN_H
#define VFIO_FN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/virtio_ring.h>

#include "../../../vdpa_sim_pcie/hw/regs.h"

#define FN_VECTORS	5	/* mailbox, configuration, two data queues, control */
#define FN_DMA_IOVA	0x10000000ULL
#define FN_DMA_SIZE	0x200000
#define FN_BUF_LEN	2048
#define FN_VQ_NUM	64
#define PATIENCE_MS	10000	/* only a fault lets it pass */

struct vfio_fn {
	const char *name;
	int container;
	int group;
	int device;
	int irq[FN_VECTORS];	/* eventfds by vector; -1 without */
	uint64_t config_at;	/* of configuration space in @device */
	uint64_t bar_at;
	volatile uint8_t *bar;
	uint8_t *dma;		/* FN_DMA_SIZE bytes, at FN_DMA_IOVA for the device */
	unsigned int mbox_us;	/* the last command took so long */
};

/* One virtqueue: three pages for the rings, then a buffer per descriptor. */
struct fn_vq {
	struct vfio_fn *fn;
	unsigned int index;
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	uint64_t iova;
	uint8_t *buf;
	uint64_t buf_iova;
	uint16_t last_used;
};

/* Program-wide TAP. ok() returns @good. */
bool ok(bool good, const char *name);
bool gives(int got, int want, const char *name);
int done(void);		/* prints the plan; the program's exit status */

/* Calls @cond until it is true; false after @ms. */
bool wait_until(bool (*cond)(void *arg), void *arg, unsigned int ms);

/* splitmix64: the same seed gives the same numbers. */
extern uint64_t fn_seed;
uint64_t rnd(void);
uint64_t below(uint64_t n);

int fn_open(struct vfio_fn *fn, const char *name);
void fn_close(struct vfio_fn *fn);
int fn_reset(struct vfio_fn *fn);
int fn_map(struct vfio_fn *fn, void *va, uint64_t iova, uint64_t len, uint32_t flags);
int fn_unmap(struct vfio_fn *fn, uint64_t iova, uint64_t len);
int fn_irqs_on(struct vfio_fn *fn);
int fn_irqs_off(struct vfio_fn *fn);
/* Signals of a vector's eventfd since the last call; waits up to @ms for the first. */
uint64_t fn_irq_wait(struct vfio_fn *fn, unsigned int vector, int ms);

uint32_t fn_config_read(struct vfio_fn *fn, unsigned int at, unsigned int len);
int fn_config_write(struct vfio_fn *fn, unsigned int at, uint32_t val, unsigned int len);

static inline uint32_t fn_read32(struct vfio_fn *fn, uint32_t reg)
{
	return *(volatile uint32_t *)(fn->bar + reg);
}

static inline void fn_write32(struct vfio_fn *fn, uint32_t reg, uint32_t val)
{
	*(volatile uint32_t *)(fn->bar + reg) = val;
}

/* A counter of the statistics, brought up to date before. */
uint64_t fn_stat(struct vfio_fn *fn, uint32_t stat);

bool fn_mbox_is_answered(void *fn);
/* The handshake of regs.h. @msg: request, then reply. -ETIMEDOUT: no reply. */
int fn_mbox(struct vfio_fn *fn, struct vsp_mbox_msg *msg);
int fn_mbox_set(struct vfio_fn *fn, enum vsp_mbox_cmd cmd, uint64_t value);
int fn_mbox_get(struct vfio_fn *fn, enum vsp_mbox_cmd cmd, uint64_t *value);
int fn_mbox_vq(struct vfio_fn *fn, enum vsp_mbox_cmd cmd, uint16_t q, uint32_t *value);

/* Reset, then all that comes before queues: status and @features. */
int fn_negotiate(struct vfio_fn *fn, uint64_t features);
/* Two data queues with their vectors, then DRIVER_OK. */
int fn_start(struct vfio_fn *fn, struct fn_vq vq[2], uint64_t features);
/* Reset by FLR, it takes two queues. What it was before does not matter. */
bool fn_works(struct vfio_fn *fn);

void vq_init(struct vfio_fn *fn, struct fn_vq *vq, unsigned int index);
int vq_enable(struct fn_vq *vq);
/* One descriptor at its own buffer, published; vq_ring() tells the device. */
void vq_post(struct fn_vq *vq, unsigned int slot, uint32_t len, bool device_writes);
void vq_ring(struct fn_vq *vq);
/* True: a chain came back, its head and length are stored. Waits up to @ms. */
bool vq_wait_used(struct fn_vq *vq, uint32_t *head, uint32_t *len, unsigned int ms);

#endif /* VFIO_FN_H */
