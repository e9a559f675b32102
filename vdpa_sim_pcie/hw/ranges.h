/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The card's IOTLB for mappings that live long: ranges of an address space.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * A function has two address spaces, and its queues are two groups; each group
 * uses one of the spaces. The ranges belong to the driver (vsp_hw.h); the memory
 * below is kept from going away from the moment a range is mapped until nothing
 * of it can be reached any more, also through a backend's window.
 */
#ifndef VSP_RANGES_H
#define VSP_RANGES_H

#include <linux/atomic.h>
#include <linux/rbtree.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct vrl_iotlb;
struct vsp_dma_piece;
struct vsp_fn;

/* [@first, @last], inclusive, physically contiguous; whole pages. */
struct vsp_range {
	struct rb_node node;
	u64 first;
	u64 last;
	phys_addr_t phys;
	u32 perm;		/* VSP_PERM_* */
};

/*
 * One address space. Writers hold both locks, so either is enough to look:
 * @sem for page faults of the window, which sleep; @lock, interrupts off, for an
 * access of the device, so that unmap waits for the copy in flight.
 */
struct vsp_as {
	struct rw_semaphore sem;	/* inside fn->lock and mmap_lock */
	rwlock_t lock;			/* inside sem */
	struct rb_root ranges;		/* by address, without overlap */
	unsigned int nr;

	struct vrl_iotlb *table;	/* or NULL; sem to write: range_table.c */
	u32 table_cuts;			/* times it gave up live ranges */

	/* backend_window.c */
	atomic_t sinks;			/* entries that show one, since a zap of all */
	atomic64_t faults_4k;		/* faults that were answered, by size of entry */
	atomic64_t faults_2m;
	atomic64_t strays;		/* faults outside of all ranges */
};

void vsp_as_init(struct vsp_as *as);

/* The range that @iova lies in, or NULL. @as->sem or @as->lock held. */
struct vsp_range *vsp_as_find(struct vsp_as *as, u64 iova);

/* Is any byte of [@first, @last] mapped? Locks as above. */
bool vsp_as_overlaps(struct vsp_as *as, u64 first, u64 last);

/* As vsp_iotlb_begin(), for one address space; dma.c ends the access. */
int vsp_as_begin(struct vsp_as *as, u64 iova, size_t len, u32 perm,
		 struct vsp_dma_piece *p);

struct vsp_iotlb_walk;

/* As vsp_iotlb_walk(); @kind and @nr of @w are the caller's. */
bool vsp_as_walk(struct vsp_as *as, u64 iova, struct vsp_iotlb_walk *w);

/**
 * vsp_as_get_page() - take a reference to one page of an address space
 * @as:   address space
 * @iova: of the page's first byte
 * @perm: VSP_PERM_*, all of them needed
 *
 * Any context. Return: the page, the caller's to put; or NULL: not mapped for that.
 */
struct page *vsp_as_get_page(struct vsp_as *as, u64 iova, u32 perm);

/*
 * range_table.c; @as->sem held for writing.
 * Return: 0; -ENOMEM; -ENOSPC: too many pieces
 */
int vsp_range_table_add(struct vsp_as *as, const struct vsp_range *r);
void vsp_range_table_del(struct vsp_as *as, const struct vsp_range *r);
/* Nobody has it mapped, or faults on it, any more. */
void vsp_range_table_free(struct vsp_as *as);

/* The last range goes: for a function that leaves its driver. Process context. */
void vsp_ranges_drop(struct vsp_fn *fn);

#endif /* VSP_RANGES_H */
