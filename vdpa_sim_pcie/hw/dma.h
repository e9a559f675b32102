/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * DMA of a function: how the card reaches the driver's memory.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * One interface over two translations, chosen per function (enum vsp_translation
 * in regs.h): the card's own IOTLB, or the platform's, which is that of any PCI
 * device. An access that is not permitted is a DMA fault: counted, and an error
 * for who asked for it.
 */
#ifndef VSP_DMA_H
#define VSP_DMA_H

#include <linux/spinlock.h>
#include <linux/types.h>

struct vsp_as;
struct vsp_fn;
struct vsp_ring_mem;

/* Longest piece that is copied under a lock, in bytes. */
#define VSP_DMA_PIECE_MAX	4096U

/*
 * The first part of a range, reachable at @va until the end of the access.
 * Whoever takes the memory away waits for @lock, or the lock of @as.
 */
struct vsp_dma_piece {
	void *va;
	size_t len;
	spinlock_t *lock;		/* held, interrupts off; or NULL */
	struct vsp_as *as;		/* its lock is held for reading; or NULL */
	unsigned long flags;
	struct vsp_ring_mem *ring;	/* referenced; or NULL */
};

/**
 * vsp_dma_access() - the device reads or writes the driver's memory
 * @fn:    function whose DMA it is
 * @group: VSP_GROUP_* of the queue that named the address
 * @addr:  first byte, as in a descriptor
 * @buf:   kernel memory
 * @len:   bytes
 * @write: true to write the driver's memory
 *
 * Process context. Return: 0, or -EFAULT: a byte is not mapped for that, what came
 * before it may have been copied, and the fault has been counted.
 */
int vsp_dma_access(struct vsp_fn *fn, u32 group, u64 addr, void *buf, size_t len,
		   bool write);

/**
 * vsp_dma_copy_user() - the same for a data queue, to and from the calling process
 *
 * Process context, may sleep. Return: 0; -EFAULT: DMA fault, as above;
 * -ENOMEM: @uaddr is not memory of the caller.
 */
int vsp_dma_copy_user(struct vsp_fn *fn, u64 addr, void __user *uaddr, size_t len,
		      bool write);

/**
 * vsp_dma_ring_get() - the memory of a ring, for as long as its queue is enabled
 * @fn:    function; its lock is held
 * @group: VSP_GROUP_* of the queue
 * @addr:  first byte
 * @len:   bytes, more than 0
 * @write: the device writes it too
 *
 * Process context. vsp_ring_mem_put() lets go.
 *
 * Return: the memory, or NULL: not mapped for that, counted as a fault; or no
 * memory for the bookkeeping
 */
struct vsp_ring_mem *vsp_dma_ring_get(struct vsp_fn *fn, u32 group, u64 addr,
				      size_t len, bool write);

/*
 * The one place that hears of every DMA fault. Any context; @len is what was asked
 * for at @addr.
 */
void vsp_dma_fault(struct vsp_fn *fn, u64 addr, size_t len, bool write);

/**
 * vsp_dma_set_translation() - choose what the addresses of a function mean
 * @fn:    function; its mbox_lock is held
 * @value: enum vsp_translation, from the driver
 *
 * Process context. Return: 0; -EINVAL: no such translation; -EBUSY: a queue is
 * enabled
 */
int vsp_dma_set_translation(struct vsp_fn *fn, u64 value);

/* platform.c: the way that is not the card's own; as vsp_dma_ring_get() and so on. */
int vsp_platform_begin(struct vsp_fn *fn, u64 addr, size_t len, bool write,
		       struct vsp_dma_piece *p);
struct vsp_ring_mem *vsp_platform_ring_get(struct vsp_fn *fn, u64 addr, size_t len,
					   bool write);

/* To say why: is there memory at a physical address that the card may use? */
bool vsp_platform_is_memory(struct vsp_fn *fn, phys_addr_t phys);

/* Back to the state after power on. fn->lock held, no queue is enabled. */
void vsp_dma_reset(struct vsp_fn *fn);

#endif /* VSP_DMA_H */
