// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSI-X vectors: one per virtqueue and one for configuration changes.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * The PCI core allocates the vectors when the function is bound. They are
 * requested when a virtio driver has agreed on features, so that a failure can
 * still be told to it (FEATURES_OK does not stick), and freed at reset.
 */
#include <linux/interrupt.h>

#include "driver.h"

/* The vector is ours alone, so the interrupt is ours even if nothing is to do. */
static irqreturn_t vsp_irq_handler(int virq, void *data)
{
	struct vsp_irq *irq = data;
	struct vdpa_callback cb = {};
	unsigned long flags;

	spin_lock_irqsave(&irq->lock, flags);
	if (irq->live)
		cb = irq->cb;
	spin_unlock_irqrestore(&irq->lock, flags);

	if (cb.callback)
		cb.callback(cb.private);
	return IRQ_HANDLED;
}

/**
 * vsp_irq_call() - call back as if the vector had sent its interrupt
 * @irq: vector
 *
 * Process context. Never beside the handler of a real one. What the callback
 * raises as a softirq has run on return.
 */
void vsp_irq_call(struct vsp_irq *irq)
{
	if (!irq->requested)
		return;
	disable_irq(irq->virq);
	local_bh_disable();
	vsp_irq_handler(irq->virq, irq);
	local_bh_enable();
	enable_irq(irq->virq);
}

void vsp_irq_init(struct vsp_irq *irq)
{
	spin_lock_init(&irq->lock);
}

/* Any time, also while interrupts arrive. @cb: NULL for none. */
void vsp_irq_set_cb(struct vsp_irq *irq, const struct vdpa_callback *cb)
{
	struct vdpa_callback new = {};
	unsigned long flags;

	if (cb)
		new = *cb;
	spin_lock_irqsave(&irq->lock, flags);
	irq->cb = new;
	spin_unlock_irqrestore(&irq->lock, flags);
}

/**
 * vsp_irq_set_live() - let the callback be called, or not
 * @irq:  vector
 * @live: false: on return the callback does not run and will not
 *
 * Process context; with @live false not from the callback.
 */
void vsp_irq_set_live(struct vsp_irq *irq, bool live)
{
	unsigned long flags;

	spin_lock_irqsave(&irq->lock, flags);
	irq->live = live;
	spin_unlock_irqrestore(&irq->lock, flags);
	if (!live && irq->requested)
		synchronize_irq(irq->virq);
}

/**
 * vsp_irq_set_affinity() - choose the CPUs of a vector
 * @irq:  vector
 * @mask: CPUs, copied; NULL leaves the choice to the kernel
 *
 * Process context. Before the vector is requested the mask is remembered.
 *
 * Return: 0, or the interrupt core's error
 */
int vsp_irq_set_affinity(struct vsp_irq *irq, const struct cpumask *mask)
{
	irq->has_affinity = mask;
	if (mask)
		cpumask_copy(&irq->affinity, mask);
	if (!irq->requested)
		return 0;
	if (!mask)
		return irq_update_affinity_hint(irq->virq, NULL);
	return irq_set_affinity_and_hint(irq->virq, &irq->affinity);
}

static int irq_request(struct vsp_vdpa *vv, struct vsp_irq *irq, unsigned int vector)
{
	int virq = pci_irq_vector(vv->nic->pdev, vector);
	int err;

	if (virq < 0)
		return virq;
	err = request_irq(virq, vsp_irq_handler, 0, irq->name, irq);
	if (err)
		return err;
	irq->virq = virq;
	irq->requested = true;
	/* Only a wish: a mask without online CPUs is no reason to fail. */
	if (irq->has_affinity)
		irq_set_affinity_and_hint(virq, &irq->affinity);
	return 0;
}

static void irq_release(struct vsp_irq *irq)
{
	if (!irq->requested)
		return;
	irq->requested = false;
	/* free_irq() complains about a hint that is left. */
	irq_update_affinity_hint(irq->virq, NULL);
	free_irq(irq->virq, irq);
}

/* The control queue's place depends on MQ (virtio 1.3, 5.1.2). */
bool vsp_vdpa_is_ctrl(const struct vsp_vdpa *vv, u16 idx)
{
	bool mq = vv->driver_features & BIT_ULL(VIRTIO_NET_F_MQ);

	return vv->driver_features & BIT_ULL(VIRTIO_NET_F_CTRL_VQ) &&
	       idx == (mq ? vv->nr_vqs - 1 : 2);
}

static void irq_name_vq(struct vsp_vdpa *vv, u16 idx)
{
	const char *fn = pci_name(vv->nic->pdev);
	struct vsp_irq *irq = &vv->vq[idx].irq;

	if (vsp_vdpa_is_ctrl(vv, idx))
		snprintf(irq->name, sizeof(irq->name), "vsp-%s-ctrl", fn);
	else
		snprintf(irq->name, sizeof(irq->name), "vsp-%s-%s%u", fn,
			 idx & 1 ? "tx" : "rx", idx / 2);
}

static int irq_up_vq(struct vsp_vdpa *vv, u16 idx)
{
	irq_name_vq(vv, idx);
	return irq_request(vv, &vv->vq[idx].irq, VSP_VECTOR_VQ0 + idx);
}

static int irq_up_config(struct vsp_vdpa *vv)
{
	struct vsp_irq *irq = &vv->config_irq;
	int err;

	snprintf(irq->name, sizeof(irq->name), "vsp-%s-config", pci_name(vv->nic->pdev));
	err = irq_request(vv, irq, VSP_VECTOR_CONFIG);
	if (!err)
		vsp_irq_set_live(irq, true);
	return err;
}

/**
 * vsp_irqs_tell() - tell the card which vectors to use
 * @vv: device
 *
 * Process context, nic->lock held.
 *
 * Return: 0 or the mailbox's error
 */
int vsp_irqs_tell(struct vsp_vdpa *vv)
{
	int err;
	u16 idx;

	err = vsp_mbox_set_vq(vv->nic, VSP_MBOX_SET_VQ_MSIX, VSP_MBOX_VQ_CONFIG,
			      VSP_VECTOR_CONFIG);
	for (idx = 0; !err && idx < vv->nr_vqs; idx++)
		err = vsp_mbox_set_vq(vv->nic, VSP_MBOX_SET_VQ_MSIX, idx,
				      VSP_VECTOR_VQ0 + idx);
	return err;
}

/**
 * vsp_irqs_up() - request the vectors of a device and tell the card
 * @vv: device; its driver features are known
 *
 * Process context, nic->lock held. Does nothing the second time. All queues get
 * theirs, not only those that are ready: vhost_vdpa enables queues after
 * DRIVER_OK. A card that does not listen is told when it is restored.
 *
 * Return: 0, or what failed: request_irq() or the mailbox; then no vector is
 * requested
 */
int vsp_irqs_up(struct vsp_vdpa *vv)
{
	u16 idx;
	int err;

	if (vv->irqs_up)
		return 0;
	err = irq_up_config(vv);
	for (idx = 0; !err && idx < vv->nr_vqs; idx++)
		err = irq_up_vq(vv, idx);
	if (!err && vsp_nic_state(vv->nic) > 0)
		err = vsp_irqs_tell(vv);
	if (err) {
		dev_err(&vv->nic->pdev->dev, "can't set up MSI-X vectors: %d\n", err);
		vsp_irqs_down(vv);
		return err;
	}
	vv->irqs_up = true;
	return 0;
}

/*
 * On return no handler runs. The card may still name the vectors: it is reset
 * before, or about to be.
 */
void vsp_irqs_down(struct vsp_vdpa *vv)
{
	u16 idx;

	for (idx = 0; idx < vv->nr_vqs; idx++)
		irq_release(&vv->vq[idx].irq);
	vsp_irq_set_live(&vv->config_irq, false);
	irq_release(&vv->config_irq);
	vv->irqs_up = false;
}
