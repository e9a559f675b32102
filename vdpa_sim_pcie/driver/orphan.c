// SPDX-License-Identifier: GPL-2.0-only
/*
 * vDPA devices whose function has gone while somebody holds /dev/vhost-vdpa-N.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * vhost_vdpa lets a device be removed only when its user has closed it, without
 * limit, and the lock of the whole vDPA bus is held meanwhile. So such a device is
 * not removed with its function: it loses the card, the interrupts, the IOMMU
 * domain and its place in the PCI device's sysfs folder, its user finds it in need
 * of a reset, and a work item removes it when the user has gone. Until then it
 * keeps its name, and this module.
 *
 * A user is somebody who has put the PCI device in an IOMMU domain of its own, as
 * vhost_vdpa does when it is opened; with the card's translation, one who has
 * opened it and not closed it as far as one can tell (vhost_ops.c).
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/iommu.h>
#include <linux/module.h>
#include <linux/rcupdate.h>

#include "../compat.h"
#include "driver.h"

#define ORPHAN_POLL_MS	100

static struct device *orphan_parent;	/* what `vdpa dev show` has as mgmtdev */
static struct workqueue_struct *orphan_wq;

static struct iommu_domain *orphan_domain(struct vsp_nic *nic)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(&nic->pdev->dev);

	return domain && domain->type == IOMMU_DOMAIN_UNMANAGED ? domain : NULL;
}

static bool orphan_is_card(const struct vsp_vdpa *vv)
{
	return vv->vdev.config == &vsp_vdpa_card_ops;
}

/**
 * vsp_user_pin() - the module stays while a user of vhost_vdpa has a device
 * @vv: device; nic->lock held
 *
 * Process context. To be called when a driver shows itself; vsp_user_unpin()
 * follows with the reset, or what comes after it (vhost_ops.c). In module exit a
 * device cannot be left behind.
 */
void vsp_user_pin(struct vsp_vdpa *vv)
{
	lockdep_assert_held(&vv->nic->lock);
	if (!vv->pinned && !vv->nic->gone && (vv->has_user || orphan_domain(vv->nic)))
		vv->pinned = try_module_get(THIS_MODULE);
}

void vsp_user_unpin(struct vsp_vdpa *vv)
{
	lockdep_assert_held(&vv->nic->lock);
	if (!vv->pinned || vv->has_user)
		return;
	vv->pinned = false;
	module_put(THIS_MODULE);
}

/* Some time after its user has closed it, and at once when asked to. */
static void orphan_reap(struct work_struct *work)
{
	struct vsp_vdpa *vv = container_of(to_delayed_work(work), struct vsp_vdpa, reap);
	struct vsp_nic *nic = vv->nic;

	if (orphan_is_card(vv) ? READ_ONCE(vv->has_user) : vsp_hw_dma_has_user(vv->fn)) {
		queue_delayed_work(orphan_wq, &vv->reap, msecs_to_jiffies(ORPHAN_POLL_MS));
		return;
	}
	vdpa_unregister_device(&vv->vdev);
	vsp_nic_put(nic);
	module_put(THIS_MODULE);
}

static int orphan_dev_add(struct vdpa_mgmt_dev *mgmt, const char *name,
			  const struct vdpa_dev_set_config *config)
{
	return -EOPNOTSUPP;
}

static void orphan_dev_del(struct vdpa_mgmt_dev *mgmt, struct vdpa_device *vdev)
{
	dev_warn(&vdev->dev, "the device goes when its user has closed it\n");
}

static const struct vdpa_mgmtdev_ops orphan_ops = {
	.dev_add	= orphan_dev_add,
	.dev_del	= orphan_dev_del,
};

/* Never registered: nothing can be added to it. */
static struct vdpa_mgmt_dev orphan_mgmt = {
	.ops = &orphan_ops,
};

/*
 * The user has attached its domain to a device that goes now. It detaches by the
 * vDPA device's DMA device, which therefore becomes one without an IOMMU first.
 */
static void orphan_detach(struct vsp_vdpa *vv, struct iommu_domain *domain)
{
	struct iommu_group *group = iommu_group_get(&vv->nic->pdev->dev);

	vsp_vdpa_set_dma_dev(&vv->vdev, &vv->vdev.dev);
	/* Who has just read the old one is through with it soon. */
	synchronize_rcu();
	if (!group)
		return;
	iommu_detach_group(domain, group);
	iommu_group_put(group);
}

/**
 * vsp_orphan_adopt() - part a vDPA device from its function, if it has a user
 * @vv: device whose function is being unbound; vdpa_dev_lock held
 *
 * Process context, may sleep.
 *
 * Return: true if the device is none of the function's any more; false if nobody
 * uses it, or the module is being unloaded: then nothing has been done
 */
bool vsp_orphan_adopt(struct vsp_vdpa *vv)
{
	struct vsp_nic *nic = vv->nic;
	struct iommu_domain *domain = orphan_domain(nic);

	if (!(domain || READ_ONCE(vv->has_user)) || !try_module_get(THIS_MODULE))
		return false;
	kref_get(&nic->ref);
	scoped_guard(mutex, &nic->lock) {
		if (vsp_nic_state(nic) > 0)
			vsp_mbox_set(nic, VSP_MBOX_RESET, 0);
		vsp_nic_fail(nic, "it is unbound", -ENODEV);
		vsp_irqs_down(vv);
		vsp_vdpa_drop_maps(vv);
		nic->gone = true;
		nic->vdpa = NULL;
	}
	if (domain)
		orphan_detach(vv, domain);
	device_move(&vv->vdev.dev, NULL, DPM_ORDER_NONE);
	vv->vdev.mdev = &orphan_mgmt;
	dev_warn(&vv->vdev.dev,
		 "its function has gone; the device stays until its user has closed it\n");
	INIT_DELAYED_WORK(&vv->reap, orphan_reap);
	queue_delayed_work(orphan_wq, &vv->reap, msecs_to_jiffies(ORPHAN_POLL_MS));
	return true;
}

int vsp_orphan_init(void)
{
	orphan_wq = alloc_workqueue("vsp_orphan", WQ_UNBOUND, 0);
	if (!orphan_wq)
		return -ENOMEM;
	orphan_parent = root_device_register("vdpa_sim_pcie-removed");
	if (IS_ERR(orphan_parent)) {
		destroy_workqueue(orphan_wq);
		return PTR_ERR(orphan_parent);
	}
	orphan_mgmt.device = orphan_parent;
	return 0;
}

/* No device is left behind; a work item that let go of the last may still end. */
void vsp_orphan_exit(void)
{
	destroy_workqueue(orphan_wq);
	root_device_unregister(orphan_parent);
}
