// SPDX-License-Identifier: GPL-2.0-only
/*
 * Life of a vDPA device: create, start, queues, reset, and once more after the
 * card has been reset under it.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * A queue that becomes ready before DRIVER_OK is only noted. All are enabled on
 * the card at DRIVER_OK, after the vectors: the first place where a failure can
 * be answered. From then on a queue is enabled at once. While the card does not
 * listen everything is only noted; vsp_vdpa_restore() tells it.
 *
 * nic->lock is held in all functions but vsp_vdpa_create() and vsp_vdpa_kick().
 */
#include <linux/etherdevice.h>
#include <linux/log2.h>
#include <linux/virtio_net.h>

#include "../compat.h"
#include "driver.h"

/* What the user provisions, as the device's configuration shows it. */
void vsp_nic_config(const struct vsp_provision *prov, struct virtio_net_config *c)
{
	ether_addr_copy(c->mac, prov->mac);
	c->mtu = (__force __virtio16)cpu_to_le16(prov->mtu);
	c->max_virtqueue_pairs = (__force __virtio16)cpu_to_le16(prov->pairs);
}

/**
 * vsp_nic_configure() - put a function into a known state
 * @nic:  function; its queues are disabled
 * @prov: MAC, MTU and queue pairs that its configuration shall show
 *
 * Process context, may sleep.
 *
 * Return: 0 or the mailbox's error
 */
int vsp_nic_configure(struct vsp_nic *nic, const struct vsp_provision *prov)
{
	struct virtio_net_config c = {};
	int err;

	err = vsp_mbox_set(nic, VSP_MBOX_RESET, 0);
	if (err)
		return err;
	err = vsp_mbox_set(nic, VSP_MBOX_SET_TRANSLATION, nic->translation);
	if (err)
		return err;
	vsp_nic_config(prov, &c);
	/* The card keeps the rest, such as the link, to itself. */
	err = vsp_mbox_set_config(nic, 0, &c, offsetofend(struct virtio_net_config, mtu));
	if (!err)
		nic->prov = *prov;
	return err;
}

/*
 * Notes what has come through the control queue, which the driver does not see:
 * the MAC address, and how many queue pairs are in use.
 */
void vsp_nic_learn(struct vsp_nic *nic)
{
	u32 pairs = vsp_reg_read(nic, VSP_REG_ACTIVE_PAIRS);
	u8 mac[ETH_ALEN];

	memcpy_fromio(mac, nic->bar + VSP_BAR_CONFIG, ETH_ALEN);
	if (is_valid_ether_addr(mac))
		ether_addr_copy(nic->prov.mac, mac);
	if (nic->vdpa && pairs <= nic->prov.pairs)
		nic->vdpa->pairs = pairs;
}

/**
 * vsp_nic_set_mac() - change bytes of the MAC address
 * @nic:    function
 * @offset: first byte, up to ETH_ALEN
 * @src:    bytes
 * @len:    how many, up to ETH_ALEN - @offset
 *
 * Process context, nic->lock held.
 *
 * Return: 0; -EADDRNOTAVAIL: that is no station's address; or an error of the
 * mailbox or vsp_nic_state()
 */
int vsp_nic_set_mac(struct vsp_nic *nic, unsigned int offset, const void *src,
		    unsigned int len)
{
	int ret = vsp_nic_state(nic);
	u8 mac[ETH_ALEN];

	if (ret > 0) {
		ret = vsp_mbox_set_config(nic, offset, src, len);
		vsp_nic_learn(nic);
		return ret;
	}
	ether_addr_copy(mac, nic->prov.mac);
	memcpy(mac + offset, src, len);
	if (!is_valid_ether_addr(mac))
		return -EADDRNOTAVAIL;
	ether_addr_copy(nic->prov.mac, mac);
	return ret;
}

/**
 * vsp_vdpa_create() - allocate a vDPA device
 * @nic:  function that has none
 * @name: from the user, or NULL
 * @prov: checked
 *
 * Process context. The caller registers it; put_device() frees it before that,
 * _vdpa_unregister_device() afterwards.
 *
 * Return: the device; ERR_PTR(-EOPNOTSUPP) without DMA operations in this
 * kernel, or an error of the vDPA core
 */
struct vsp_vdpa *vsp_vdpa_create(struct vsp_nic *nic, const char *name,
				 const struct vsp_provision *prov)
{
	struct vsp_vdpa *vv;
	unsigned int i;
	int err;

	if (nic->translation == VSP_TRANSLATE_CARD)
		vv = vdpa_alloc_device(struct vsp_vdpa, vdev, &nic->pdev->dev,
				       &vsp_vdpa_card_ops, NULL, VSP_NR_GROUPS,
				       VSP_NR_ASIDS, name, false);
	else
		vv = vdpa_alloc_device(struct vsp_vdpa, vdev, &nic->pdev->dev,
				       &vsp_vdpa_ops, NULL, 1, 1, name, false);
	if (IS_ERR(vv))
		return vv;
	vv->nic = nic;
	vv->fn = nic->fn;
	vv->features = prov->features;
	vv->nr_vqs = 2 * prov->pairs;
	if (vv->features & BIT_ULL(VIRTIO_NET_F_CTRL_VQ))
		vv->nr_vqs++;
	vsp_irq_init(&vv->config_irq);
	for (i = 0; i < ARRAY_SIZE(vv->vq); i++)
		vsp_irq_init(&vv->vq[i].irq);

	err = vsp_dma_setup(vv);
	if (err) {
		put_device(&vv->vdev.dev);
		return ERR_PTR(err);
	}
	return vv;
}

/* Any context. */
void vsp_vdpa_kick(struct vsp_vdpa *vv, u16 idx)
{
	writel(idx, vv->nic->bar + VSP_BAR_DOORBELL(idx));
	vsp_hw_doorbell_ring(vv->fn, idx);
}

/* ---- queues ---- */

/**
 * vsp_vdpa_set_vq_addr() - where the rings of a queue are
 * @vv:     device
 * @idx:    queue, in range
 * @desc:   device address of the descriptor table
 * @driver: of the available ring
 * @device: of the used ring
 *
 * Process context, may sleep.
 *
 * Return: 0, the card's refusal, or an error of vsp_nic_state()
 */
int vsp_vdpa_set_vq_addr(struct vsp_vdpa *vv, u16 idx, u64 desc, u64 driver, u64 device)
{
	struct vsp_vdpa_vq *vq = &vv->vq[idx];
	int ret = vsp_nic_state(vv->nic);

	if (ret > 0)
		ret = vsp_mbox_set_vq_addr(vv->nic, idx, desc, driver, device);
	if (ret)
		return ret;
	vq->desc = desc;
	vq->driver = driver;
	vq->device = device;
	return 0;
}

/* The same for the number of entries. -EINVAL: not a power of two, or too many. */
int vsp_vdpa_set_vq_size(struct vsp_vdpa *vv, u16 idx, u32 size)
{
	int ret = vsp_nic_state(vv->nic);

	if (!is_power_of_2(size) || size > vv->nic->max_vq_size)
		return -EINVAL;
	if (ret > 0)
		ret = vsp_mbox_set_vq(vv->nic, VSP_MBOX_SET_VQ_SIZE, idx, size);
	if (!ret)
		vv->vq[idx].size = size;
	return ret;
}

/* The same for the index in the available ring at which the card goes on. */
int vsp_vdpa_set_vq_state(struct vsp_vdpa *vv, u16 idx, u16 state)
{
	int ret = vsp_nic_state(vv->nic);

	if (ret > 0)
		ret = vsp_mbox_set_vq(vv->nic, VSP_MBOX_SET_VQ_STATE, idx, state);
	if (ret)
		return ret;
	vv->vq[idx].state = state;
	vv->vq[idx].has_state = true;
	return 0;
}

/* -EAGAIN: the card is in reset, and nobody could ask it before. */
int vsp_vdpa_get_vq_state(struct vsp_vdpa *vv, u16 idx, u16 *state)
{
	struct vsp_vdpa_vq *vq = &vv->vq[idx];
	int ret = vsp_nic_state(vv->nic);
	u32 value;

	if (ret < 0)
		return ret;
	if (!ret) {
		*state = vq->state;
		return vq->has_state ? 0 : -EAGAIN;
	}
	ret = vsp_mbox_get_vq(vv->nic, VSP_MBOX_GET_VQ_STATE, idx, &value);
	if (!ret)
		*state = value;
	return ret;
}

static int vq_enable(struct vsp_vdpa *vv, u16 idx)
{
	int ret = vsp_nic_state(vv->nic);

	/* First, or an interrupt of the first chain finds nobody. */
	vsp_irq_set_live(&vv->vq[idx].irq, true);
	if (ret > 0)
		ret = vsp_mbox_set_vq(vv->nic, VSP_MBOX_SET_VQ_ENABLE, idx, 1);
	if (ret) {
		dev_err_ratelimited(&vv->vdev.dev, "can't enable queue %u: %d\n", idx, ret);
		vsp_irq_set_live(&vv->vq[idx].irq, false);
	}
	return ret;
}

/* A card that does not listen has let go of the rings, or left the bus. */
static void vq_disable(struct vsp_vdpa *vv, u16 idx)
{
	int err = 0;

	if (vsp_nic_state(vv->nic) > 0)
		err = vsp_mbox_set_vq(vv->nic, VSP_MBOX_SET_VQ_ENABLE, idx, 0);
	if (err)
		dev_err_ratelimited(&vv->vdev.dev, "can't disable queue %u: %d\n", idx, err);
	vsp_irq_set_live(&vv->vq[idx].irq, false);
	vv->vq[idx].has_state = false;
}

/**
 * vsp_vdpa_vq_ready() - a virtio driver has set up a queue, or takes it back
 * @vv:    device
 * @idx:   queue, in range
 * @ready: false: on return the device does not touch the rings any more, nor
 *         does the callback of the queue run
 *
 * Process context, may sleep.
 */
void vsp_vdpa_vq_ready(struct vsp_vdpa *vv, u16 idx, bool ready)
{
	struct vsp_vdpa_vq *vq = &vv->vq[idx];

	if (vq->ready == ready)
		return;
	if (!vv->running) {
		vq->ready = ready;
	} else if (ready) {
		vq->ready = !vq_enable(vv, idx);
	} else {
		vq->ready = false;
		vq_disable(vv, idx);
	}
}

/**
 * vsp_vdpa_start() - DRIVER_OK: enable the queues that are ready
 * @vv: device; its vectors are up
 *
 * Process context, vdev->cf_lock held for writing. Does nothing the second time.
 *
 * Return: 0, the mailbox's error, or one of vsp_nic_state(); then no queue is
 * enabled
 */
int vsp_vdpa_start(struct vsp_vdpa *vv)
{
	u16 idx;
	int err;

	if (vv->running)
		return 0;
	for (idx = 0; idx < vv->nr_vqs; idx++) {
		if (!vv->vq[idx].ready)
			continue;
		err = vq_enable(vv, idx);
		if (err)
			goto err_disable;
	}
	vv->running = true;
	return 0;

err_disable:
	while (idx--)
		if (vv->vq[idx].ready)
			vq_disable(vv, idx);
	return err;
}

static void vq_forget(struct vsp_vdpa_vq *vq)
{
	vq->ready = false;
	vq->has_state = false;
	vq->size = 0;
	vq->desc = 0;
	vq->driver = 0;
	vq->device = 0;
	vsp_irq_set_live(&vq->irq, false);
	vsp_irq_set_cb(&vq->irq, NULL);
	vsp_irq_set_affinity(&vq->irq, NULL);
}

/**
 * vsp_vdpa_reset() - back to the state of a device nobody has touched
 * @vv: device
 *
 * Process context, may sleep as long as a backend may take to let go. May be
 * called in any state and any number of times. On return the device neither
 * touches memory nor calls back; a card that did not answer has failed. MAC, MTU
 * and the like survive.
 *
 * Return: 0, the mailbox's error, or one of vsp_nic_state()
 */
int vsp_vdpa_reset(struct vsp_vdpa *vv)
{
	int ret = vsp_nic_state(vv->nic);
	u16 idx;

	if (ret > 0) {
		ret = vsp_mbox_set(vv->nic, VSP_MBOX_RESET, 0);
		/* It sleeps, or worse: what it shows is not what the driver is to see. */
		if (ret)
			vsp_nic_fail(vv->nic, "it does not take a reset", ret);
	}
	vsp_irqs_down(vv);
	for (idx = 0; idx < vv->nr_vqs; idx++)
		vq_forget(&vv->vq[idx]);
	vsp_irq_set_cb(&vv->config_irq, NULL);
	vv->running = false;
	vv->suspended = false;
	/* Closed, if nothing was ever mapped; vhost_ops.c knows otherwise. */
	vv->has_user = vv->has_maps;
	memset(vv->group_asid, 0, sizeof(vv->group_asid));
	vv->pairs = 0;
	vv->status = 0;
	vv->driver_features = 0;
	vsp_user_unpin(vv);
	return ret;
}

/* ---- a reset of the card under the device ---- */

/**
 * vsp_vdpa_quiesce() - the card is going to be reset
 * @vv: device; the card answers, but is not told anything new
 *
 * Process context, may sleep. On return the card uses no queue, and it is known
 * how far it came with each.
 */
void vsp_vdpa_quiesce(struct vsp_vdpa *vv)
{
	u32 state;
	u16 idx;

	for (idx = 0; vv->running && idx < vv->nr_vqs; idx++) {
		struct vsp_vdpa_vq *vq = &vv->vq[idx];

		vq->has_state = false;
		if (!vq->ready ||
		    vsp_mbox_set_vq(vv->nic, VSP_MBOX_SET_VQ_ENABLE, idx, 0) ||
		    vsp_mbox_get_vq(vv->nic, VSP_MBOX_GET_VQ_STATE, idx, &state))
			continue;
		vq->state = state;
		vq->has_state = true;
	}
}

static int vq_restore(struct vsp_vdpa *vv, u16 idx)
{
	struct vsp_vdpa_vq *vq = &vv->vq[idx];
	struct vsp_nic *nic = vv->nic;
	int err;

	if (!vq->size)
		return 0;
	err = vsp_mbox_set_vq(nic, VSP_MBOX_SET_VQ_SIZE, idx, vq->size);
	if (!err)
		err = vsp_mbox_set_vq_addr(nic, idx, vq->desc, vq->driver, vq->device);
	if (!err && vq->has_state)
		err = vsp_mbox_set_vq(nic, VSP_MBOX_SET_VQ_STATE, idx, vq->state);
	return err;
}

/**
 * vsp_vdpa_restore() - tell a card all that it has been told before a reset
 * @vv: device; the card has just been configured and answers
 *
 * Process context, may sleep.
 *
 * Return: 0 or the mailbox's error; the card may then be half set up
 */
int vsp_vdpa_restore(struct vsp_vdpa *vv)
{
	struct vsp_nic *nic = vv->nic;
	int err = 0;
	u16 idx;

	if (vv->driver_features)
		err = vsp_mbox_set(nic, VSP_MBOX_SET_FEATURES, vv->driver_features);
	if (!err)
		err = vsp_vdpa_restore_groups(vv);
	for (idx = 0; !err && idx < vv->nr_vqs; idx++)
		err = vq_restore(vv, idx);
	if (!err && vv->pairs > 1)
		err = vsp_mbox_set(nic, VSP_MBOX_SET_PAIRS, vv->pairs);
	if (!err && vv->irqs_up)
		err = vsp_irqs_tell(vv);
	/* Before there is a queue that could move. */
	if (!err && vv->suspended)
		err = vsp_vdpa_restore_suspended(vv);
	for (idx = 0; !err && vv->running && idx < vv->nr_vqs; idx++)
		if (vv->vq[idx].ready)
			err = vsp_mbox_set_vq(nic, VSP_MBOX_SET_VQ_ENABLE, idx, 1);
	if (!err && vv->status)
		err = vsp_mbox_set(nic, VSP_MBOX_SET_STATUS, vv->status);
	return err;
}

/**
 * vsp_vdpa_wake() - nobody shall wait for what a reset has swallowed
 * @vv: device
 *
 * Process context. Rings the doorbell of each queue, if the card listens, and
 * calls the virtio driver as if each vector had sent its interrupt.
 */
void vsp_vdpa_wake(struct vsp_vdpa *vv)
{
	u16 idx;

	for (idx = 0; vv->running && idx < vv->nr_vqs; idx++) {
		if (!vv->vq[idx].ready)
			continue;
		if (vsp_nic_state(vv->nic) > 0)
			vsp_vdpa_kick(vv, idx);
		vsp_irq_call(&vv->vq[idx].irq);
	}
	vsp_irq_call(&vv->config_irq);
}
