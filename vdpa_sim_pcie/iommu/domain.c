// SPDX-License-Identifier: GPL-2.0-only
/*
 * Domains: what addresses mean to the masters that are attached.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * The fence. A master's access holds one of its domain's fence locks, interrupts
 * off, while it translates and copies. Who must know that nothing is on its way
 * to memory any more takes and drops all of them: iotlb_sync() after an unmap of
 * a strict domain, flush_iotlb_all() before a lazy domain reuses addresses, and a
 * switch of domains. All of that may run in softirq, so nobody sleeps here.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpumask.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "../compat.h"
#include "iommu.h"
#include "trace.h"

/* More CPUs share; more locks make every unmap dearer. */
#define FENCE_LOCKS	8

struct vsp_fence {
	spinlock_t lock;
} ____cacheline_aligned_in_smp;

/* An unmanaged domain remembers a master that it was attached to. */
struct vsp_domain_user {
	struct list_head list;
	struct vsp_iommu_master *master;
};

struct vsp_domain {
	struct iommu_domain domain;
	struct vsp_radix table;
	struct mutex users_lock;	/* users */
	struct list_head users;
	struct rcu_head rcu;
	struct vsp_fence fence[FENCE_LOCKS];
};

static struct vsp_domain *to_vsp_domain(struct iommu_domain *domain)
{
	return container_of(domain, struct vsp_domain, domain);
}

static bool domain_is_paging(const struct iommu_domain *domain)
{
	return domain && domain != &vsp_iommu_identity && domain != &vsp_iommu_blocked;
}

static unsigned int fence_locks(void)
{
	return min_t(unsigned int, FENCE_LOCKS, nr_cpu_ids);
}

/* On return every access that began before the call is over. */
static void domain_fence(struct vsp_domain *vd)
{
	unsigned long flags;
	unsigned int i;

	for (i = 0; i < fence_locks(); i++) {
		spin_lock_irqsave(&vd->fence[i].lock, flags);
		spin_unlock_irqrestore(&vd->fence[i].lock, flags);
	}
}

/* ---- accesses of the hardware ---- */

static int domain_begin(struct vsp_iommu_master *m, struct vsp_domain *vd, u64 iova,
			u32 perm, struct vsp_iommu_access *a)
{
	unsigned int i = raw_smp_processor_id() % fence_locks();
	u64 phys;
	int ret;

	a->lock = &vd->fence[i].lock;
	spin_lock_irqsave(a->lock, a->flags);
	/* Switched before the lock was taken: the fence has not waited for us. */
	if (unlikely(rcu_access_pointer(m->domain) != &vd->domain))
		ret = -EAGAIN;
	else
		ret = vsp_radix_lookup(&vd->table, iova, perm, &phys, &a->len) ? 0 : -EFAULT;
	if (ret)
		spin_unlock_irqrestore(a->lock, a->flags);
	else
		a->phys = phys;
	return ret;
}

int vsp_iommu_begin(struct vsp_iommu_master *m, u64 iova, u32 perm,
		    struct vsp_iommu_access *a)
{
	struct iommu_domain *domain;
	int ret = -EFAULT;

	rcu_read_lock();
	do {
		domain = rcu_dereference(m->domain);
		if (domain_is_paging(domain)) {
			ret = domain_begin(m, to_vsp_domain(domain), iova, perm, a);
		} else if (domain == &vsp_iommu_identity) {
			a->phys = iova;
			a->len = U64_MAX - iova;
			a->lock = NULL;
			ret = 0;
		} else {
			ret = -EFAULT;
		}
	} while (unlikely(ret == -EAGAIN));
	rcu_read_unlock();
	if (unlikely(ret))
		trace_vsp_iommu_fault(m->id, iova, perm);
	return ret;
}
EXPORT_SYMBOL_GPL(vsp_iommu_begin);

enum vsp_iommu_mode vsp_iommu_inspect(struct vsp_iommu_master *m, u64 iova,
				      struct vsp_radix_walk *w)
{
	enum vsp_iommu_mode mode = VSP_IOMMU_PAGING;
	struct iommu_domain *domain;
	struct vsp_iommu_access a;

	/* The fence keeps the tree; RCU alone keeps the domain only. */
	if (w)
		*w = (struct vsp_radix_walk) {};
	rcu_read_lock();
	domain = rcu_dereference(m->domain);
	if (!domain) {
		mode = VSP_IOMMU_NONE;
	} else if (domain == &vsp_iommu_blocked) {
		mode = VSP_IOMMU_BLOCKED;
	} else if (domain == &vsp_iommu_identity) {
		mode = VSP_IOMMU_IDENTITY;
	} else if (w) {
		struct vsp_domain *vd = to_vsp_domain(domain);

		a.lock = &vd->fence[0].lock;
		spin_lock_irqsave(a.lock, a.flags);
		if (rcu_access_pointer(m->domain) == domain)
			vsp_radix_walk(&vd->table, iova, w);
		vsp_iommu_end(&a);
	}
	rcu_read_unlock();
	return mode;
}
EXPORT_SYMBOL_GPL(vsp_iommu_inspect);

/* ---- attach ---- */

/*
 * The domain pins this module too: vhost frees its domain after the device, and
 * with it the core's reference, has gone.
 */
static int domain_remember(struct vsp_domain *vd, struct vsp_iommu_master *m)
{
	struct vsp_domain_user *user;

	guard(mutex)(&vd->users_lock);
	list_for_each_entry(user, &vd->users, list)
		if (user->master == m)
			return 0;
	user = kzalloc(sizeof(*user), GFP_KERNEL_ACCOUNT);
	if (!user)
		return -ENOMEM;
	__module_get(THIS_MODULE);
	vsp_iommu_master_get(m);
	atomic_inc(&m->users);
	user->master = m;
	list_add(&user->list, &vd->users);
	return 0;
}

/* Process context, group mutex held; the only ones that write @m->domain. */
static void domain_switch(struct vsp_iommu_master *m, struct iommu_domain *domain)
{
	struct iommu_domain *old = rcu_dereference_protected(m->domain, true);

	rcu_assign_pointer(m->domain, domain);
	if (domain_is_paging(old))
		domain_fence(to_vsp_domain(old));
}

static int vsp_domain_attach(struct iommu_domain *domain, struct device *dev,
			     struct iommu_domain *old)
{
	struct vsp_iommu_master *m = dev_iommu_priv_get(dev);
	int err = 0;

	if (domain->type == IOMMU_DOMAIN_UNMANAGED)
		err = domain_remember(to_vsp_domain(domain), m);
	if (!err)
		domain_switch(m, domain);
	return err;
}
VSP_IOMMU_ATTACH(vsp_domain_attach)

static int vsp_static_attach(struct iommu_domain *domain, struct device *dev,
			     struct iommu_domain *old)
{
	domain_switch(dev_iommu_priv_get(dev), domain);
	return 0;
}
VSP_IOMMU_ATTACH(vsp_static_attach)

/* ---- map and unmap: any context ---- */

static int vsp_domain_map_pages(struct iommu_domain *domain, unsigned long iova,
				phys_addr_t phys, size_t pgsize, size_t pgcount,
				int prot, gfp_t gfp, size_t *mapped)
{
	struct vsp_domain *vd = to_vsp_domain(domain);
	u32 perm = 0;
	u64 done;
	int err;

	if (prot & IOMMU_READ)
		perm |= VSP_RADIX_READ;
	if (prot & IOMMU_WRITE)
		perm |= VSP_RADIX_WRITE;
	err = vsp_radix_map(&vd->table, iova, phys, (u64)pgsize * pgcount, pgsize, perm,
			    gfp, &done);
	trace_vsp_iommu_map(&vd->table, iova, phys, done, perm);
	*mapped = done;
	return err;
}

static size_t vsp_domain_unmap_pages(struct iommu_domain *domain, unsigned long iova,
				     size_t pgsize, size_t pgcount,
				     struct iommu_iotlb_gather *gather)
{
	struct vsp_radix *table = &to_vsp_domain(domain)->table;
	u64 done = vsp_radix_unmap(table, iova, (u64)pgsize * pgcount);

	trace_vsp_iommu_unmap(table, iova, done);
	return done;
}

static phys_addr_t vsp_domain_iova_to_phys(struct iommu_domain *domain, dma_addr_t iova)
{
	u64 phys, len;

	if (!vsp_radix_lookup(&to_vsp_domain(domain)->table, iova, 0, &phys, &len))
		return 0;
	return phys;
}

static void vsp_domain_iotlb_sync(struct iommu_domain *domain,
				  struct iommu_iotlb_gather *gather)
{
	domain_fence(to_vsp_domain(domain));
}

static void vsp_domain_flush_iotlb_all(struct iommu_domain *domain)
{
	domain_fence(to_vsp_domain(domain));
}

/* The CPU copies: everything is coherent. */
static bool vsp_domain_enforce_cache_coherency(struct iommu_domain *domain)
{
	return true;
}

/* ---- life ---- */

/* No device is attached; the hardware may still hold the pointer under RCU. */
static void vsp_domain_free(struct iommu_domain *domain)
{
	struct vsp_domain *vd = to_vsp_domain(domain);
	struct vsp_domain_user *user, *next;

	list_for_each_entry_safe(user, next, &vd->users, list) {
		atomic_dec(&user->master->users);
		vsp_iommu_master_put(user->master);
		kfree(user);
		module_put(THIS_MODULE);
	}
	vsp_radix_fini(&vd->table);
	mutex_destroy(&vd->users_lock);
	kfree_rcu(vd, rcu);
}

static const struct iommu_domain_ops vsp_domain_ops = {
	.attach_dev		= VSP_IOMMU_ATTACH_OP(vsp_domain_attach),
	.map_pages		= vsp_domain_map_pages,
	.unmap_pages		= vsp_domain_unmap_pages,
	.iova_to_phys		= vsp_domain_iova_to_phys,
	.iotlb_sync		= vsp_domain_iotlb_sync,
	.flush_iotlb_all	= vsp_domain_flush_iotlb_all,
	.enforce_cache_coherency = vsp_domain_enforce_cache_coherency,
	.free			= vsp_domain_free,
};

struct iommu_domain *vsp_iommu_domain_alloc(struct device *dev)
{
	struct vsp_domain *vd = kzalloc(sizeof(*vd), GFP_KERNEL_ACCOUNT);
	unsigned int i;

	if (!vd)
		return ERR_PTR(-ENOMEM);
	if (vsp_radix_init(&vd->table, GFP_KERNEL_ACCOUNT)) {
		kfree(vd);
		return ERR_PTR(-ENOMEM);
	}
	mutex_init(&vd->users_lock);
	INIT_LIST_HEAD(&vd->users);
	for (i = 0; i < FENCE_LOCKS; i++)
		spin_lock_init(&vd->fence[i].lock);
	vd->domain.ops = &vsp_domain_ops;
	vd->domain.pgsize_bitmap = SZ_4K | SZ_2M | SZ_1G;
	vd->domain.geometry.aperture_end = (1ULL << VSP_RADIX_ADDR_BITS) - 1;
	vd->domain.geometry.force_aperture = true;
	return &vd->domain;
}

static const struct iommu_domain_ops vsp_static_ops = {
	.attach_dev	= VSP_IOMMU_ATTACH_OP(vsp_static_attach),
};

struct iommu_domain vsp_iommu_identity = {
	.type	= IOMMU_DOMAIN_IDENTITY,
	.ops	= &vsp_static_ops,
};

struct iommu_domain vsp_iommu_blocked = {
	.type	= IOMMU_DOMAIN_BLOCKED,
	.ops	= &vsp_static_ops,
};
