/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the files of vsp_iommu.ko: masters (main.c) and domains (domain.c).
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Order of locks, outermost first: the IOMMU core's group mutex,
 * vsp_domain.users_lock. The fences are spinlocks taken in any context.
 */
#ifndef VSP_IOMMU_INTERNAL_H
#define VSP_IOMMU_INTERNAL_H

#include <linux/atomic.h>
#include <linux/iommu.h>
#include <linux/kref.h>
#include <linux/rcupdate.h>

#include "vsp_iommu.h"

/**
 * struct vsp_iommu_master - see vsp_iommu.h
 * @ref:    the card's, and one per unmanaged domain that remembers it
 * @id:     stream number
 * @domain: what its DMA goes through now, NULL for none; the group mutex to
 *          write, RCU and the domain's fence to use
 * @users:  unmanaged domains that remember it
 */
struct vsp_iommu_master {
	struct kref ref;
	u32 id;
	struct iommu_domain __rcu *domain;
	atomic_t users;
};

void vsp_iommu_master_get(struct vsp_iommu_master *m);
void vsp_iommu_master_put(struct vsp_iommu_master *m);

/* domain.c: for struct iommu_ops */
extern struct iommu_domain vsp_iommu_identity;
extern struct iommu_domain vsp_iommu_blocked;
struct iommu_domain *vsp_iommu_domain_alloc(struct device *dev);

#endif /* VSP_IOMMU_INTERNAL_H */
