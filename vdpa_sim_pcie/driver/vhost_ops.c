// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations of the vDPA bus that only vhost_vdpa asks for: memory, address spaces
 * and groups, the doorbell page, suspend.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * A device in platform translation has those of the first kind not, and vhost_vdpa
 * uses the IOMMU of the function instead.
 */
#include <linux/vhost_types.h>

#include "../compat.h"
#include "driver.h"

static_assert(VHOST_ACCESS_RO == VSP_PERM_R);
static_assert(VHOST_ACCESS_WO == VSP_PERM_W);

/*
 * vhost_vdpa has the device open: it asks for the range when somebody opens it,
 * and takes down an address space that was used when it is closed. One that was
 * not used says nothing; then the reset that goes before is the sign (device.c).
 */
struct vdpa_iova_range vsp_op_get_iova_range(struct vdpa_device *vdev)
{
	struct vsp_vdpa *vv = to_vsp_vdpa(vdev);

	guard(mutex)(&vv->nic->lock);
	vv->has_user = true;
	vsp_user_pin(vv);
	return (struct vdpa_iova_range) { .first = 0, .last = VSP_IOVA_LAST };
}

/* mmap_lock of the caller may be held. */
int vsp_op_dma_map(struct vdpa_device *vdev, unsigned int asid, u64 iova, u64 size,
		   u64 pa, u32 perm, void *opaque)
{
	struct vsp_vdpa *vv = to_vsp_vdpa(vdev);

	guard(mutex)(&vv->nic->lock);
	vv->has_user = true;
	vv->has_maps = true;
	vsp_user_pin(vv);
	/* Its function may be somebody else's by now. */
	if (vv->nic->gone)
		return -ENODEV;
	return vsp_hw_range_map(vv->fn, asid, iova, size, pa, perm);
}

int vsp_op_dma_unmap(struct vdpa_device *vdev, unsigned int asid, u64 iova, u64 size)
{
	struct vsp_vdpa *vv = to_vsp_vdpa(vdev);

	guard(mutex)(&vv->nic->lock);
	if (vv->nic->gone)
		return 0;
	return vsp_hw_range_unmap(vv->fn, asid, iova, size);
}

/* The address space is not used any more: the device is being closed. */
int vsp_op_reset_map(struct vdpa_device *vdev, unsigned int asid)
{
	struct vsp_vdpa *vv = to_vsp_vdpa(vdev);

	guard(mutex)(&vv->nic->lock);
	vv->has_maps = false;
	vv->has_user = false;
	vsp_user_unpin(vv);
	if (!vv->nic->gone)
		vsp_hw_range_clear(vv->fn, asid);
	return 0;
}

/* The control queue alone, where the features say that it is (virtio 1.3, 5.1.2). */
u32 vsp_op_get_vq_group(struct vdpa_device *vdev, u16 idx)
{
	return vsp_vdpa_is_ctrl(to_vsp_vdpa(vdev), idx) ? VSP_GROUP_CTRL : VSP_GROUP_DATA;
}

int vsp_op_set_group_asid(struct vdpa_device *vdev, unsigned int group, unsigned int asid)
{
	struct vsp_vdpa *vv = to_vsp_vdpa(vdev);
	int ret;

	if (group >= VSP_NR_GROUPS || asid >= VSP_NR_ASIDS)
		return -EINVAL;
	guard(mutex)(&vv->nic->lock);
	ret = vsp_nic_state(vv->nic);
	if (ret > 0)
		ret = vsp_hw_set_group_asid(vv->fn, group, asid);
	if (!ret)
		vv->group_asid[group] = asid;
	return ret;
}

/* ---- doorbells ---- */

/*
 * The queue's doorbell, a page of its own in BAR 4: a guest may have it, and rings
 * without the kernel. The card looks at it from time to time.
 */
struct vdpa_notification_area vsp_op_get_vq_notification(struct vdpa_device *vdev,
							 u16 idx)
{
	struct vsp_vdpa *vv = to_vsp_vdpa(vdev);

	/* An address that is not aligned says no. */
	if (idx >= vv->nr_vqs || PAGE_SIZE > VSP_DOORBELL_SIZE || READ_ONCE(vv->nic->gone))
		return (struct vdpa_notification_area) { .addr = 1, .size = 1 };
	return (struct vdpa_notification_area) {
		.addr = pci_resource_start(vv->nic->pdev, 4) + VSP_BAR_DOORBELL(idx),
		.size = VSP_DOORBELL_SIZE,
	};
}

/* ---- suspend ---- */

u64 vsp_op_get_backend_features(const struct vdpa_device *vdev)
{
	return BIT_ULL(VHOST_BACKEND_F_ENABLE_AFTER_DRIVER_OK);
}

/*
 * Suspended, no queue moves, the control queue neither, and what a queue's state
 * says is where it stands. Sleeps as long as a backend may take to stop. A card in
 * reset is told when it is back; how far it had come is known.
 */
static int vdpa_suspend(struct vsp_vdpa *vv, bool on)
{
	int ret = vsp_nic_state(vv->nic);

	if (!vv->running)
		return -EINVAL;
	if (ret > 0)
		ret = vsp_mbox_set(vv->nic, on ? VSP_MBOX_SUSPEND : VSP_MBOX_RESUME, 0);
	if (!ret)
		vv->suspended = on;
	return ret;
}

int vsp_op_suspend(struct vdpa_device *vdev)
{
	struct vsp_vdpa *vv = to_vsp_vdpa(vdev);

	guard(mutex)(&vv->nic->lock);
	return vdpa_suspend(vv, true);
}

int vsp_op_resume(struct vdpa_device *vdev)
{
	struct vsp_vdpa *vv = to_vsp_vdpa(vdev);

	guard(mutex)(&vv->nic->lock);
	return vdpa_suspend(vv, false);
}

/* After a reset of the card. nic->lock held. */
int vsp_vdpa_restore_suspended(struct vsp_vdpa *vv)
{
	int err = vsp_mbox_set(vv->nic, VSP_MBOX_SET_STATUS, vv->status);

	return err ? err : vsp_mbox_set(vv->nic, VSP_MBOX_SUSPEND, 0);
}

/* ---- for the other files ---- */

/* After a reset of the card; the ranges are still there. nic->lock held. */
int vsp_vdpa_restore_groups(struct vsp_vdpa *vv)
{
	unsigned int group;
	int err = 0;

	for (group = 0; !err && group < VSP_NR_GROUPS; group++)
		err = vsp_hw_set_group_asid(vv->fn, group, vv->group_asid[group]);
	return err;
}

/* The function leaves the device. nic->lock held. */
void vsp_vdpa_drop_maps(struct vsp_vdpa *vv)
{
	unsigned int asid;

	lockdep_assert_held(&vv->nic->lock);
	for (asid = 0; asid < VSP_NR_ASIDS; asid++)
		vsp_hw_range_clear(vv->fn, asid);
}
