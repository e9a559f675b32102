/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What vsp_iommu.ko offers to the hardware behind it.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * A master is whatever issues DMA: one per function of the card and one for the
 * root port, made by the card and known to the IOMMU by a stream number. It
 * outlives the device that the kernel has for it, which comes and goes with the
 * bus. Which domain a master's DMA goes through is the kernel's choice: the DMA
 * API's, identity, or that of vfio or vhost.
 */
#ifndef VSP_IOMMU_H
#define VSP_IOMMU_H

#include <linux/spinlock.h>
#include <linux/types.h>

#include "radix.h"

struct device;
struct vsp_iommu_master;

/**
 * struct vsp_iommu_access - memory that a master may touch for a moment
 * @phys:  CPU physical address. Nothing says that it is RAM
 * @len:   bytes from there on
 * @lock:  held, interrupts off, so that who unmaps waits; NULL: identity
 * @flags: of the lock
 */
struct vsp_iommu_access {
	phys_addr_t phys;
	u64 len;
	spinlock_t *lock;
	unsigned long flags;
};

/* What vsp_iommu_inspect() tells about a master. */
enum vsp_iommu_mode {
	VSP_IOMMU_NONE,		/* no device, or no domain */
	VSP_IOMMU_BLOCKED,
	VSP_IOMMU_IDENTITY,
	VSP_IOMMU_PAGING,
};

/**
 * vsp_iommu_master_create() - something that issues DMA
 *
 * Process context. Return: the master, or NULL for no memory.
 */
struct vsp_iommu_master *vsp_iommu_master_create(void);

/*
 * The owner lets go: no device is claimed for it any more and nobody accesses
 * memory through it. Process context. NULL is fine.
 */
void vsp_iommu_master_destroy(struct vsp_iommu_master *m);

/**
 * vsp_iommu_claim() - tell the kernel that this IOMMU is in front of a device
 * @m:   master that the device is
 * @dev: device that the IOMMU core has not looked at yet, that is from
 *       BUS_NOTIFY_ADD_DEVICE with a priority above 0
 *
 * Process context. Return: 0 or a negative errno; the device has no IOMMU then.
 */
int vsp_iommu_claim(struct vsp_iommu_master *m, struct device *dev);

/**
 * vsp_iommu_begin() - translate for an access of a master
 * @m:    master
 * @iova: address that it uses
 * @perm: VSP_RADIX_READ, VSP_RADIX_WRITE or both
 * @a:    out: the memory; end the access soon, by vsp_iommu_end(), without
 *        sleeping
 *
 * Any context. Until the end no unmap of a strict domain, no flush of a lazy one
 * and no switch of domains is over.
 *
 * Return: 0, or -EFAULT: not mapped for that, or no domain
 */
int vsp_iommu_begin(struct vsp_iommu_master *m, u64 iova, u32 perm,
		    struct vsp_iommu_access *a);

static inline void vsp_iommu_end(struct vsp_iommu_access *a)
{
	if (a->lock)
		spin_unlock_irqrestore(a->lock, a->flags);
}

/*
 * True while a domain of vfio, vhost or the like that the master was attached to
 * at any time has not been freed. Any context.
 */
bool vsp_iommu_has_user(const struct vsp_iommu_master *m);

/**
 * vsp_iommu_inspect() - how a master's address would be translated, for people
 * @m:    master
 * @iova: address
 * @w:    out: the words of the table, for VSP_IOMMU_PAGING; may be NULL
 *
 * Any context.
 */
enum vsp_iommu_mode vsp_iommu_inspect(struct vsp_iommu_master *m, u64 iova,
				      struct vsp_radix_walk *w);

#endif /* VSP_IOMMU_H */
