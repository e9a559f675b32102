// SPDX-License-Identifier: GPL-2.0-only
/*
 * vsp_iommu.ko: a software IOMMU for the devices that claim it, and no others.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * A module of its own because the IOMMU core holds a reference to it for every
 * device behind it. The card's module is free to go, takes its devices along,
 * and this one can follow.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/device.h>
#include <linux/err.h>
#include <linux/lockdep.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/platform_device.h>
#include <linux/property.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "iommu.h"

/* Where message signalled interrupts go; no memory may be mapped there. */
#define MSI_START	0xfee00000UL
#define MSI_LENGTH	0x00100000UL

static struct iommu_device iommu;
static struct fwnode_handle *iommu_fwnode;
static struct platform_device *iommu_parent;

/* All masters by stream number. */
static DEFINE_XARRAY_ALLOC(iommu_masters);

/* ---- masters ---- */

struct vsp_iommu_master *vsp_iommu_master_create(void)
{
	struct vsp_iommu_master *m = kzalloc(sizeof(*m), GFP_KERNEL);

	if (!m)
		return NULL;
	kref_init(&m->ref);
	if (xa_alloc(&iommu_masters, &m->id, m, xa_limit_31b, GFP_KERNEL)) {
		kfree(m);
		return NULL;
	}
	return m;
}
EXPORT_SYMBOL_GPL(vsp_iommu_master_create);

static void master_release(struct kref *ref)
{
	kfree(container_of(ref, struct vsp_iommu_master, ref));
}

void vsp_iommu_master_get(struct vsp_iommu_master *m)
{
	kref_get(&m->ref);
}

void vsp_iommu_master_put(struct vsp_iommu_master *m)
{
	kref_put(&m->ref, master_release);
}

void vsp_iommu_master_destroy(struct vsp_iommu_master *m)
{
	if (!m)
		return;
	xa_erase(&iommu_masters, m->id);
	vsp_iommu_master_put(m);
}
EXPORT_SYMBOL_GPL(vsp_iommu_master_destroy);

int vsp_iommu_claim(struct vsp_iommu_master *m, struct device *dev)
{
	int err;

	/*
	 * The core asserts its iommu_probe_device_lock here, which is not for
	 * modules to take. It is there against somebody else who looks at the
	 * device now. The core does that after us, so that only another IOMMU
	 * could that is registered at this moment, which is what boot is for.
	 */
	lockdep_off();
	err = iommu_fwspec_init(dev, iommu_fwnode);
	lockdep_on();
	return err ? err : iommu_fwspec_add_ids(dev, &m->id, 1);
}
EXPORT_SYMBOL_GPL(vsp_iommu_claim);

bool vsp_iommu_has_user(const struct vsp_iommu_master *m)
{
	return atomic_read(&m->users);
}
EXPORT_SYMBOL_GPL(vsp_iommu_has_user);

/* ---- what the IOMMU core asks ---- */

static bool vsp_iommu_capable(struct device *dev, enum iommu_cap cap)
{
	switch (cap) {
	case IOMMU_CAP_CACHE_COHERENCY:
	case IOMMU_CAP_ENFORCE_CACHE_COHERENCY:
	case IOMMU_CAP_DEFERRED_FLUSH:
		return true;
	default:
		return false;
	}
}

/* The core finds us by the firmware node; the stream number says who it is. */
static struct iommu_device *vsp_iommu_probe_device(struct device *dev)
{
	struct iommu_fwspec *fwspec = dev_iommu_fwspec_get(dev);
	struct vsp_iommu_master *m;

	if (!fwspec || fwspec->num_ids != 1)
		return ERR_PTR(-ENODEV);
	m = xa_load(&iommu_masters, fwspec->ids[0]);
	if (!m)
		return ERR_PTR(-ENODEV);
	dev_iommu_priv_set(dev, m);
	return &iommu;
}

/* The core has attached the blocked domain. */
static void vsp_iommu_release_device(struct device *dev)
{
	struct vsp_iommu_master *m = dev_iommu_priv_get(dev);

	rcu_assign_pointer(m->domain, NULL);
}

static void vsp_iommu_get_resv_regions(struct device *dev, struct list_head *head)
{
	struct iommu_resv_region *region;

	region = iommu_alloc_resv_region(MSI_START, MSI_LENGTH,
					 IOMMU_WRITE | IOMMU_NOEXEC | IOMMU_MMIO,
					 IOMMU_RESV_MSI, GFP_KERNEL);
	if (region)
		list_add_tail(&region->list, head);
}

static const struct iommu_ops vsp_iommu_ops = {
	.owner			= THIS_MODULE,
	.capable		= vsp_iommu_capable,
	.probe_device		= vsp_iommu_probe_device,
	.release_device		= vsp_iommu_release_device,
	.device_group		= pci_device_group,
	.get_resv_regions	= vsp_iommu_get_resv_regions,
	.domain_alloc_paging	= vsp_iommu_domain_alloc,
	.identity_domain	= &vsp_iommu_identity,
	.blocked_domain		= &vsp_iommu_blocked,
	.release_domain		= &vsp_iommu_blocked,
};

/* ---- the module ---- */

/*
 * The firmware node is a must: without one the core would offer us every device
 * of the machine.
 */
static int iommu_register(void)
{
	int err;

	iommu_fwnode = fwnode_create_software_node(NULL, NULL);
	if (IS_ERR(iommu_fwnode))
		return PTR_ERR(iommu_fwnode);
	err = iommu_device_sysfs_add(&iommu, &iommu_parent->dev, NULL, KBUILD_MODNAME);
	if (err)
		goto err_fwnode;
	iommu.fwnode = iommu_fwnode;
	err = iommu_device_register(&iommu, &vsp_iommu_ops, NULL);
	if (err)
		goto err_sysfs;
	return 0;

err_sysfs:
	iommu_device_sysfs_remove(&iommu);
err_fwnode:
	fwnode_remove_software_node(iommu_fwnode);
	return err;
}

static int __init vsp_iommu_init(void)
{
	int err;

	iommu_parent = platform_device_register_simple(KBUILD_MODNAME,
						       PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(iommu_parent))
		return PTR_ERR(iommu_parent);
	err = iommu_register();
	if (err)
		platform_device_unregister(iommu_parent);
	return err;
}

static void __exit vsp_iommu_exit(void)
{
	iommu_device_unregister(&iommu);
	iommu_device_sysfs_remove(&iommu);
	fwnode_remove_software_node(iommu_fwnode);
	platform_device_unregister(iommu_parent);
	xa_destroy(&iommu_masters);
}

module_init(vsp_iommu_init);
module_exit(vsp_iommu_exit);

MODULE_DESCRIPTION("Software IOMMU of the simulated vDPA SmartNIC");
MODULE_AUTHOR("The vdpa_sim_pcie authors");
MODULE_LICENSE("GPL");
