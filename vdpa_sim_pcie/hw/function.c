// SPDX-License-Identifier: GPL-2.0-only
/*
 * A function of the card: allocated at load, plugged when the bus shows it.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/nospec.h>
#include <linux/slab.h>

#include "dma.h"
#include "session.h"
#include "trace.h"
#include "vsp.h"

struct workqueue_struct *vsp_wq;

struct vsp_pci_fn *vsp_fn_alloc(struct vsp_card *card, unsigned int index)
{
	struct vsp_fn *fn = kzalloc(sizeof(*fn), GFP_KERNEL);
	int ret;

	if (!fn)
		return ERR_PTR(-ENOMEM);
	fn->pci.card = card;
	fn->index = index;
	ret = vsp_iotlb_init(&fn->iotlb);
	if (ret)
		goto err_fn;
	ret = vsp_ctrl_init(fn);
	if (ret)
		goto err_iotlb;
	vsp_mailbox_init(fn);
	vsp_forward_init(fn);
	vsp_dev_init(fn);
	return &fn->pci;

err_iotlb:
	vsp_iotlb_fini(&fn->iotlb);
err_fn:
	kfree(fn);
	return ERR_PTR(ret);
}

void vsp_fn_free(struct vsp_pci_fn *pci)
{
	struct vsp_fn *fn = vsp_fn(pci);

	cancel_work_sync(&fn->mbox_work);
	cancel_work_sync(&fn->forward_work);
	vsp_ctrl_fini(fn);
	vsp_iotlb_fini(&fn->iotlb);
	kfree(fn);
}

int vsp_fn_plugged(struct vsp_pci_fn *pci)
{
	struct vsp_fn *fn = vsp_fn(pci);
	int ret;

	scoped_guard(mutex, &fn->lock) {
		vsp_dev_default_mac(fn);
		vsp_regs_init(fn);
		WRITE_ONCE(fn->plugged, true);
	}
	trace_vsp_state(pci, VSP_TRACE_PLUG, 0, 1);
	vsp_forward_update(fn);
	ret = vsp_backend_add(fn, &pci->pdev->dev);
	if (ret)
		WRITE_ONCE(fn->plugged, false);
	else
		vsp_debugfs_add(pci);
	return ret;
}

/* The driver has gone; whatever it left is put back to the power-on state. */
void vsp_fn_unplugged(struct vsp_pci_fn *pci)
{
	struct vsp_fn *fn = vsp_fn(pci);

	vsp_debugfs_remove(pci);
	trace_vsp_state(pci, VSP_TRACE_UNPLUG, 1, 0);
	vsp_backend_remove(fn);
	scoped_guard(mutex, &fn->lock) {
		WRITE_ONCE(fn->plugged, false);
		vsp_session_post(fn->session, VSP_EVENT_UNPLUG, 0, 0);
		vsp_session_lose(fn);
	}
	scoped_guard(mutex, &fn->mbox_lock)
		vsp_dev_reset(fn, VSP_EVENT_RESET);
	scoped_guard(mutex, &fn->lock)
		vsp_dma_reset(fn);
	vsp_ranges_drop(fn);
	cancel_work_sync(&fn->mbox_work);
	cancel_work_sync(&fn->forward_work);
	cancel_work_sync(&fn->ctrl_work);
}

void vsp_fn_flr(struct vsp_pci_fn *pci)
{
	struct vsp_fn *fn = vsp_fn(pci);

	guard(mutex)(&fn->mbox_lock);
	vsp_dev_reset(fn, VSP_EVENT_FLR);
	guard(mutex)(&fn->lock);
	vsp_dma_reset(fn);
	vsp_regs_init(fn);
}

void vsp_fn_power(struct vsp_pci_fn *pci, unsigned int d_state)
{
	struct vsp_fn *fn = vsp_fn(pci);

	guard(mutex)(&fn->mbox_lock);
	trace_vsp_state(pci, VSP_TRACE_POWER, d_state ? 0 : 3, d_state);
	if (d_state)
		vsp_dev_hold(fn, VSP_HELD_POWER);
	else
		vsp_dev_release(fn, VSP_HELD_POWER);
}

struct vsp_fn *vsp_hw_fn(struct pci_dev *pdev)
{
	struct vsp_pci_fn *pci = vsp_pci_fn_of(pdev);

	return pci ? vsp_fn(pci) : NULL;
}
EXPORT_SYMBOL_GPL(vsp_hw_fn);

void vsp_hw_doorbell_ring(struct vsp_fn *fn, unsigned int q)
{
	if (q >= fn->nr_vqs)
		return;
	q = array_index_nospec(q, fn->nr_vqs);
	atomic64_inc(&fn->vq[q].doorbells);
	trace_vsp_doorbell(&fn->pci, q);
	vsp_fn_look(fn, q);
}
EXPORT_SYMBOL_GPL(vsp_hw_doorbell_ring);

/* Somebody may have made something available in queue @q, in range. Any context. */
void vsp_fn_look(struct vsp_fn *fn, unsigned int q)
{
	if (q == READ_ONCE(fn->ctrl_index))
		vsp_ctrl_kick(fn);
	else if (READ_ONCE(fn->session))
		vsp_backend_kick(fn, q);
	else if (vsp_forward_on())
		vsp_forward_kick(fn, q);
}

/* Before the first vsp_fn_alloc(). */
int vsp_functions_init(void)
{
	int ret;

	ret = vsp_forward_register();
	if (ret)
		return ret;
	vsp_wq = alloc_workqueue("vsp", WQ_UNBOUND | WQ_HIGHPRI, 0);
	if (!vsp_wq) {
		ret = -ENOMEM;
		goto err_forward;
	}
	ret = vsp_backend_register(VSP_MAX_FNS);
	if (ret)
		goto err_wq;
	vsp_debugfs_init();
	return 0;

err_wq:
	destroy_workqueue(vsp_wq);
err_forward:
	vsp_forward_unregister();
	return ret;
}

/* After the last vsp_fn_free(). */
void vsp_functions_exit(void)
{
	vsp_debugfs_exit();
	vsp_backend_unregister();
	destroy_workqueue(vsp_wq);
	vsp_forward_unregister();
}
