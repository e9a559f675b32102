// SPDX-License-Identifier: GPL-2.0-only
/*
 * Life of a vDPA device: create, start, queues, reset.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * A queue that becomes ready before DRIVER_OK is only noted. All are enabled on
 * the card at DRIVER_OK, after the vectors: the first place where a failure can
 * be answered. From then on a queue is enabled at once.
 */
#include <linux/etherdevice.h>
#include <linux/virtio_net.h>

#include "../compat.h"
#include "driver.h"

/**
 * vsp_nic_configure() - put a function into a known state
 * @nic:  function; no virtio driver uses it
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
	err = vsp_mbox_set(nic, VSP_MBOX_SET_TRANSLATION, VSP_TRANSLATE_CARD);
	if (err)
		return err;
	ether_addr_copy(c.mac, prov->mac);
	c.mtu = (__force __virtio16)cpu_to_le16(prov->mtu);
	c.max_virtqueue_pairs = (__force __virtio16)cpu_to_le16(prov->pairs);
	/* The card keeps the rest, such as the link, to itself. */
	return vsp_mbox_set_config(nic, 0, &c, offsetofend(struct virtio_net_config, mtu));
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

	vv = vdpa_alloc_device(struct vsp_vdpa, vdev, &nic->pdev->dev, &vsp_vdpa_ops,
			       NULL, 1, 1, name, false);
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

static int vq_enable(struct vsp_vdpa *vv, u16 idx)
{
	int err;

	/* First, or an interrupt of the first chain finds nobody. */
	vsp_irq_set_live(&vv->vq[idx].irq, true);
	err = vsp_mbox_set_vq(vv->nic, VSP_MBOX_SET_VQ_ENABLE, idx, 1);
	if (err) {
		dev_err_ratelimited(&vv->nic->pdev->dev, "can't enable queue %u: %d\n",
				    idx, err);
		vsp_irq_set_live(&vv->vq[idx].irq, false);
	}
	return err;
}

static void vq_disable(struct vsp_vdpa *vv, u16 idx)
{
	int err;

	err = vsp_mbox_set_vq(vv->nic, VSP_MBOX_SET_VQ_ENABLE, idx, 0);
	if (err)
		dev_err_ratelimited(&vv->nic->pdev->dev, "can't disable queue %u: %d\n",
				    idx, err);
	vsp_irq_set_live(&vv->vq[idx].irq, false);
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
 * Return: 0 or the mailbox's error; then no queue is enabled
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

/**
 * vsp_vdpa_reset() - back to the state of a device nobody has touched
 * @vv: device
 *
 * Process context, may sleep as long as a backend may take to let go. May be
 * called in any state and any number of times. On return the device neither
 * touches memory nor calls back, also when the card did not answer: then it has
 * left the bus. MAC, MTU and the like survive.
 *
 * Return: 0 or the mailbox's error
 */
int vsp_vdpa_reset(struct vsp_vdpa *vv)
{
	u16 idx;
	int err;

	err = vsp_mbox_set(vv->nic, VSP_MBOX_RESET, 0);
	vsp_irqs_down(vv);
	for (idx = 0; idx < vv->nr_vqs; idx++) {
		vv->vq[idx].ready = false;
		vsp_irq_set_live(&vv->vq[idx].irq, false);
		vsp_irq_set_cb(&vv->vq[idx].irq, NULL);
		vsp_irq_set_affinity(&vv->vq[idx].irq, NULL);
	}
	vsp_irq_set_cb(&vv->config_irq, NULL);
	vv->running = false;
	vv->status = 0;
	vv->driver_features = 0;
	return err;
}
