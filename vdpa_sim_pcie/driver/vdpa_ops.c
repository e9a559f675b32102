// SPDX-License-Identifier: GPL-2.0-only
/*
 * The operations of the vDPA bus, in the order of their table.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Behind vhost_vdpa a user chooses indices, sizes, addresses and the order of
 * calls, so every index is checked here, and what the card refuses is said at
 * most at a limited rate.
 */
#include <linux/virtio_ids.h>
#include <linux/virtio_net.h>
#include <net/netlink.h>
#include <uapi/linux/vdpa.h>

#include "../compat.h"
#include "driver.h"

/* The configuration is odd-numbered while the card changes it. */
#define VSP_CONFIG_TRIES 16

static struct vsp_vdpa_vq *vq_find(struct vsp_vdpa *vv, u16 idx)
{
	if (idx >= vv->nr_vqs)
		return NULL;
	return &vv->vq[idx];
}

static int vsp_op_set_vq_address(struct vdpa_device *vdev, u16 idx, u64 desc,
				 u64 driver, u64 device)
{
	struct vsp_vdpa *vv = to_vsp_vdpa(vdev);

	if (!vq_find(vv, idx))
		return -EINVAL;
	guard(mutex)(&vv->nic->lock);
	return vsp_vdpa_set_vq_addr(vv, idx, desc, driver, device);
}

static void vsp_op_set_vq_num(struct vdpa_device *vdev, u16 idx, u32 num)
{
	struct vsp_vdpa *vv = to_vsp_vdpa(vdev);
	int err;

	if (!vq_find(vv, idx))
		return;
	guard(mutex)(&vv->nic->lock);
	err = vsp_vdpa_set_vq_size(vv, idx, num);
	if (err)
		dev_err_ratelimited(&vdev->dev,
				    "queue %u: size %u refused (%d): a power of two up to %u\n",
				    idx, num, err, vv->nic->max_vq_size);
}

/* Any context. */
static void vsp_op_kick_vq(struct vdpa_device *vdev, u16 idx)
{
	struct vsp_vdpa *vv = to_vsp_vdpa(vdev);

	if (!vq_find(vv, idx))
		return;
	/*
	 * Pairs with the barrier in nic_restore(): what is not kicked here for a
	 * card in reset, has been made available before all is kicked there.
	 */
	smp_mb();
	if (READ_ONCE(vv->nic->listening))
		vsp_vdpa_kick(vv, idx);
}

static void vsp_op_set_vq_cb(struct vdpa_device *vdev, u16 idx, struct vdpa_callback *cb)
{
	struct vsp_vdpa_vq *vq = vq_find(to_vsp_vdpa(vdev), idx);

	if (vq)
		vsp_irq_set_cb(&vq->irq, cb);
}

static void vsp_op_set_vq_ready(struct vdpa_device *vdev, u16 idx, bool ready)
{
	struct vsp_vdpa *vv = to_vsp_vdpa(vdev);

	guard(mutex)(&vv->nic->lock);
	if (vq_find(vv, idx))
		vsp_vdpa_vq_ready(vv, idx, ready);
}

static bool vsp_op_get_vq_ready(struct vdpa_device *vdev, u16 idx)
{
	struct vsp_vdpa_vq *vq = vq_find(to_vsp_vdpa(vdev), idx);

	return vq && vq->ready;
}

static int vsp_op_set_vq_state(struct vdpa_device *vdev, u16 idx,
			       const struct vdpa_vq_state *state)
{
	struct vsp_vdpa *vv = to_vsp_vdpa(vdev);

	if (!vq_find(vv, idx))
		return -EINVAL;
	guard(mutex)(&vv->nic->lock);
	return vsp_vdpa_set_vq_state(vv, idx, state->split.avail_index);
}

static int vsp_op_get_vq_state(struct vdpa_device *vdev, u16 idx,
			       struct vdpa_vq_state *state)
{
	struct vsp_vdpa *vv = to_vsp_vdpa(vdev);

	if (!vq_find(vv, idx))
		return -EINVAL;
	guard(mutex)(&vv->nic->lock);
	return vsp_vdpa_get_vq_state(vv, idx, &state->split.avail_index);
}

static const struct {
	const char *name;
	u32 offset;
} vq_stats[] = {
	{ "doorbells",		VSP_STAT_VQ_DOORBELLS },
	{ "kicks",		VSP_STAT_VQ_KICKS },
	{ "packets",		VSP_STAT_VQ_PACKETS },
	{ "bytes",		VSP_STAT_VQ_BYTES },
	{ "drops",		VSP_STAT_VQ_DROPS },
	{ "msix_sent",		VSP_STAT_VQ_MSIX_SENT },
	{ "msix_merged",	VSP_STAT_VQ_MSIX_MERGED },
	{ "msix_masked",	VSP_STAT_VQ_MSIX_MASKED },
};

static int vsp_op_get_vendor_vq_stats(struct vdpa_device *vdev, u16 idx,
				      struct sk_buff *msg,
				      struct netlink_ext_ack *extack)
{
	struct vsp_vdpa *vv = to_vsp_vdpa(vdev);
	unsigned int i;
	int err;

	if (!vq_find(vv, idx)) {
		NL_SET_ERR_MSG_FMT_MOD(extack, "no queue %u: the device has %u", idx,
				       vv->nr_vqs);
		return -EINVAL;
	}
	guard(mutex)(&vv->nic->lock);
	err = vsp_nic_state(vv->nic);
	if (err <= 0) {
		NL_SET_ERR_MSG_MOD(extack, "the card does not answer now");
		return err ? err : -EAGAIN;
	}
	err = vsp_mbox_set(vv->nic, VSP_MBOX_GET_STATS, 0);
	if (err)
		return err;
	for (i = 0; i < ARRAY_SIZE(vq_stats); i++) {
		u64 value = vsp_reg_read64(vv->nic, VSP_BAR_STATS + VSP_STAT_VQ(idx) +
					   vq_stats[i].offset);

		if (nla_put_string(msg, VDPA_ATTR_DEV_VENDOR_ATTR_NAME, vq_stats[i].name) ||
		    nla_put_u64_64bit(msg, VDPA_ATTR_DEV_VENDOR_ATTR_VALUE, value,
				      VDPA_ATTR_PAD))
			return -EMSGSIZE;
	}
	return 0;
}

static int vsp_op_get_vq_irq(struct vdpa_device *vdev, u16 idx)
{
	struct vsp_vdpa_vq *vq = vq_find(to_vsp_vdpa(vdev), idx);

	if (!vq || !vq->irq.requested)
		return -EINVAL;
	return vq->irq.virq;
}

/* The used ring starts on a page of its own, as on a PCI card. */
static u32 vsp_op_get_vq_align(struct vdpa_device *vdev)
{
	return 4096;
}

static u64 vsp_op_get_device_features(struct vdpa_device *vdev)
{
	struct vsp_vdpa *vv = to_vsp_vdpa(vdev);

	guard(mutex)(&vv->nic->lock);
	vsp_user_pin(vv);
	return vv->features;
}

static int vsp_op_set_driver_features(struct vdpa_device *vdev, u64 features)
{
	struct vsp_vdpa *vv = to_vsp_vdpa(vdev);
	u64 unknown = features & ~vv->features;
	u64 missing = VSP_FEATURES_REQUIRED & ~features;
	int ret;

	/* Not a driver: the core, when somebody reads the configuration early. */
	if (!features)
		return -EINVAL;
	if (unknown || missing) {
		dev_err_ratelimited(&vdev->dev,
				    "driver features %#llx: not offered %#llx, needed %#llx\n",
				    features, unknown, missing);
		return -EINVAL;
	}
	guard(mutex)(&vv->nic->lock);
	ret = vsp_nic_state(vv->nic);
	if (ret > 0)
		ret = vsp_mbox_set(vv->nic, VSP_MBOX_SET_FEATURES, features);
	if (!ret)
		vv->driver_features = features;
	return ret;
}

static u64 vsp_op_get_driver_features(struct vdpa_device *vdev)
{
	return to_vsp_vdpa(vdev)->driver_features;
}

static void vsp_op_set_config_cb(struct vdpa_device *vdev, struct vdpa_callback *cb)
{
	vsp_irq_set_cb(&to_vsp_vdpa(vdev)->config_irq, cb);
}

static u16 vsp_op_get_vq_num_max(struct vdpa_device *vdev)
{
	return to_vsp_vdpa(vdev)->nic->max_vq_size;
}

static u32 vsp_op_get_device_id(struct vdpa_device *vdev)
{
	return VIRTIO_ID_NET;
}

static u32 vsp_op_get_vendor_id(struct vdpa_device *vdev)
{
	return to_vsp_vdpa(vdev)->nic->pdev->vendor;
}

/* The card's word, while it has one: it sets NEEDS_RESET by itself. */
static u8 vsp_op_get_status(struct vdpa_device *vdev)
{
	struct vsp_vdpa *vv = to_vsp_vdpa(vdev);
	int state;

	guard(mutex)(&vv->nic->lock);
	state = vsp_nic_state(vv->nic);
	if (state > 0)
		return vsp_reg_read(vv->nic, VSP_REG_STATUS);
	/* A driver that has reset its device sees 0, whatever became of the card. */
	if (state < 0 && vv->status)
		return vv->status | VIRTIO_CONFIG_S_NEEDS_RESET;
	return vv->status;
}

/*
 * What a status bit asks of the driver before the card may see it. Returns an
 * error when the bit must not be set; the device is as before then.
 */
static int status_prepare(struct vsp_vdpa *vv, u8 added)
{
	int err;

	if (!(added & (VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK)))
		return 0;
	if (!vv->driver_features) {
		dev_err_ratelimited(&vv->vdev.dev,
				    "status refused: no driver features were accepted\n");
		return -EINVAL;
	}
	err = vsp_irqs_up(vv);
	if (err || !(added & VIRTIO_CONFIG_S_DRIVER_OK))
		return err;
	return vsp_vdpa_start(vv);
}

static void vsp_op_set_status(struct vdpa_device *vdev, u8 status)
{
	struct vsp_vdpa *vv = to_vsp_vdpa(vdev);
	u8 added;
	int ret;

	guard(mutex)(&vv->nic->lock);
	if (!status) {
		vsp_vdpa_reset(vv);
		return;
	}
	vsp_user_pin(vv);
	/* Of a lost card nothing sticks; a driver sees it at FEATURES_OK. */
	ret = vsp_nic_state(vv->nic);
	if (ret < 0)
		return;
	added = status & ~vv->status;
	if (status_prepare(vv, added)) {
		status &= ~(added & (VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK));
		status |= VIRTIO_CONFIG_S_FAILED;
	}
	if (ret > 0)
		ret = vsp_mbox_set(vv->nic, VSP_MBOX_SET_STATUS, status);
	if (ret) {
		dev_err_ratelimited(&vdev->dev, "can't set status %#x: %d\n", status, ret);
		return;
	}
	vv->status = status;
}

static int vsp_op_reset(struct vdpa_device *vdev)
{
	struct vsp_vdpa *vv = to_vsp_vdpa(vdev);

	guard(mutex)(&vv->nic->lock);
	return vsp_vdpa_reset(vv);
}

static size_t vsp_op_get_config_size(struct vdpa_device *vdev)
{
	return to_vsp_vdpa(vdev)->nic->config_size;
}

static void config_read(struct vsp_nic *nic, unsigned int offset, void *buf,
			unsigned int len)
{
	unsigned int tries = VSP_CONFIG_TRIES;
	u32 before, after;

	do {
		before = vsp_reg_read(nic, VSP_REG_CONFIG_GEN);
		memcpy_fromio(buf, nic->bar + VSP_BAR_CONFIG + offset, len);
		after = vsp_reg_read(nic, VSP_REG_CONFIG_GEN);
	} while ((before != after || (before & 1)) && --tries);
}

/* What a card that does not listen would show; its link is down. */
static void config_recall(struct vsp_nic *nic, unsigned int offset, void *buf,
			  unsigned int len)
{
	struct virtio_net_config c = {};

	vsp_nic_config(&nic->prov, &c);
	if (offset < sizeof(c))
		memcpy(buf, (u8 *)&c + offset, min(len, sizeof(c) - offset));
}

static void vsp_op_get_config(struct vdpa_device *vdev, unsigned int offset, void *buf,
			      unsigned int len)
{
	struct vsp_nic *nic = to_vsp_vdpa(vdev)->nic;

	/* Beyond the end the reader gets zeroes, not what was in its buffer. */
	memset(buf, 0, len);
	if (offset >= nic->config_size)
		return;
	len = min(len, nic->config_size - offset);
	guard(mutex)(&nic->lock);
	if (vsp_nic_state(nic) > 0)
		config_read(nic, offset, buf, len);
	else
		config_recall(nic, offset, buf, len);
}

/*
 * The MAC address is all that a virtio network driver may write (5.1.4); the
 * rest is what the user provisioned. QEMU writes the whole configuration.
 */
static void vsp_op_set_config(struct vdpa_device *vdev, unsigned int offset,
			      const void *buf, unsigned int len)
{
	struct vsp_vdpa *vv = to_vsp_vdpa(vdev);
	int err;

	if (offset >= ETH_ALEN)
		return;
	len = min(len, ETH_ALEN - offset);
	guard(mutex)(&vv->nic->lock);
	err = vsp_nic_set_mac(vv->nic, offset, buf, len);
	if (err)
		dev_err_ratelimited(&vdev->dev, "MAC address refused: %d\n", err);
}

static u32 vsp_op_get_generation(struct vdpa_device *vdev)
{
	struct vsp_nic *nic = to_vsp_vdpa(vdev)->nic;

	guard(mutex)(&nic->lock);
	return vsp_nic_state(nic) > 0 ? vsp_reg_read(nic, VSP_REG_CONFIG_GEN) : 0;
}

static int vsp_op_set_vq_affinity(struct vdpa_device *vdev, u16 idx,
				  const struct cpumask *mask)
{
	struct vsp_vdpa_vq *vq = vq_find(to_vsp_vdpa(vdev), idx);

	if (!vq)
		return -EINVAL;
	return vsp_irq_set_affinity(&vq->irq, mask);
}

static const struct cpumask *vsp_op_get_vq_affinity(struct vdpa_device *vdev, u16 idx)
{
	struct vsp_vdpa_vq *vq = vq_find(to_vsp_vdpa(vdev), idx);

	if (!vq || !vq->irq.has_affinity)
		return NULL;
	return &vq->irq.affinity;
}

#define VSP_COMMON_OPS							\
	.set_vq_address		= vsp_op_set_vq_address,	\
	.set_vq_num		= vsp_op_set_vq_num,	\
	.kick_vq		= vsp_op_kick_vq,	\
	.set_vq_cb		= vsp_op_set_vq_cb,	\
	.set_vq_ready		= vsp_op_set_vq_ready,	\
	.get_vq_ready		= vsp_op_get_vq_ready,	\
	.set_vq_state		= vsp_op_set_vq_state,	\
	.get_vq_state		= vsp_op_get_vq_state,	\
	.get_vendor_vq_stats	= vsp_op_get_vendor_vq_stats,	\
	.get_vq_notification	= vsp_op_get_vq_notification,	\
	.get_vq_irq		= vsp_op_get_vq_irq,	\
	.get_vq_align		= vsp_op_get_vq_align,	\
	.get_device_features	= vsp_op_get_device_features,	\
	.get_backend_features	= vsp_op_get_backend_features,	\
	.set_driver_features	= vsp_op_set_driver_features,	\
	.get_driver_features	= vsp_op_get_driver_features,	\
	.set_config_cb		= vsp_op_set_config_cb,	\
	.get_vq_num_max		= vsp_op_get_vq_num_max,	\
	.get_device_id		= vsp_op_get_device_id,	\
	.get_vendor_id		= vsp_op_get_vendor_id,	\
	.get_status		= vsp_op_get_status,	\
	.set_status		= vsp_op_set_status,	\
	.reset			= vsp_op_reset,	\
	.suspend		= vsp_op_suspend,	\
	.resume			= vsp_op_resume,	\
	.get_config_size	= vsp_op_get_config_size,	\
	.get_config		= vsp_op_get_config,	\
	.set_config		= vsp_op_set_config,	\
	.get_generation		= vsp_op_get_generation,	\
	.set_vq_affinity	= vsp_op_set_vq_affinity,	\
	.get_vq_affinity	= vsp_op_get_vq_affinity

const struct vdpa_config_ops vsp_vdpa_ops = {
	VSP_COMMON_OPS,
};

const struct vdpa_config_ops vsp_vdpa_card_ops = {
	VSP_COMMON_OPS,
	.get_vq_group		= vsp_op_get_vq_group,
	.set_group_asid		= vsp_op_set_group_asid,
	.get_iova_range		= vsp_op_get_iova_range,
	.dma_map		= vsp_op_dma_map,
	.dma_unmap		= vsp_op_dma_unmap,
	.reset_map		= vsp_op_reset_map,
};
