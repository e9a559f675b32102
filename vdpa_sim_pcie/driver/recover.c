// SPDX-License-Identifier: GPL-2.0-only
/*
 * A function that is reset under its vDPA device: by function level reset, with
 * its PF, in a PCIe error recovery, over a system sleep.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * virtio drivers do not recover from a device that needs a reset, so they are not
 * told of one. The card is stopped before, as far as it still answers; what is
 * asked meanwhile is only noted (device.c); when the last reason to be away has
 * ended the card is told everything anew and all queues are woken. What had been
 * taken from a ring but not been used is done again: a frame may be doubled.
 *
 * A VF loses with its PF what the kernel restores only of the PF: MSI-X and bus
 * mastering.
 *
 * A card that cannot be restored has failed. Its device then needs a reset, and
 * the virtio driver's queues are broken: virtio_net waits for its control queue
 * with the RTNL lock held and without limit, so nobody could delete the device.
 */
#include <linux/delay.h>
#include <linux/suspend.h>
#include <linux/virtio.h>

#include "../compat.h"
#include "driver.h"

/* After its PF's reset a VF answers when its backend has, and that has a limit. */
#define NIC_READY_MS		5000
#define NIC_POLL_MS		10
/* For management commands. They hold a lock of the whole vDPA bus. */
#define NIC_AWAY_MS		5000
/* An error recovery in which a driver has no say, ends without a word. */
#define NIC_WATCH_MS		10000

static LIST_HEAD(vsp_nics);
static DEFINE_MUTEX(vsp_nics_lock);	/* the list; not what is on it */

/* ---- does the card listen? ---- */

static void nic_update(struct vsp_nic *nic)
{
	lockdep_assert_held(&nic->lock);
	WRITE_ONCE(nic->listening, !nic->away && !nic->failed && !nic->gone);
	wake_up_all(&nic->wait);
}

/**
 * vsp_nic_state() - does the card listen?
 * @nic: function; nic->lock held
 *
 * Return: 1: yes; 0: it is in reset, note what it is to know; -EIO: it has
 * failed; -ENODEV: it has gone
 */
int vsp_nic_state(struct vsp_nic *nic)
{
	lockdep_assert_held(&nic->lock);
	if (nic->gone)
		return -ENODEV;
	if (nic->failed)
		return -EIO;
	return !nic->away;
}

static int break_child(struct device *dev, void *data)
{
	if (dev->bus && !strcmp(dev->bus->name, "virtio"))
		virtio_break_device(dev_to_virtio(dev));
	return 0;
}

/* virtio_vdpa registers its device below the DMA device, or below ours. */
static void break_virtio(struct vdpa_device *vdev)
{
	struct device *dma_dev = vsp_vdpa_dma_dev(vdev);

	device_for_each_child(&vdev->dev, NULL, break_child);
	if (dma_dev != &vdev->dev)
		device_for_each_child(dma_dev, NULL, break_child);
}

/**
 * vsp_nic_fail() - the card cannot be used any more
 * @nic: function; nic->lock held
 * @why: for the kernel log
 * @err: the same
 *
 * Process context. The first time it says so, and whoever waits for the device is
 * woken and finds it in need of a reset.
 */
void vsp_nic_fail(struct vsp_nic *nic, const char *why, int err)
{
	struct vsp_vdpa *vv = nic->vdpa;

	lockdep_assert_held(&nic->lock);
	if (nic->failed || nic->gone)
		return;
	pci_err(nic->pdev, "the function is lost: %s (%d)\n", why, err);
	nic->failed = true;
	nic_update(nic);
	if (!vv)
		return;
	break_virtio(&vv->vdev);
	vsp_vdpa_wake(vv);
}

/* ---- back to where it was ---- */

static bool nic_config_answers(struct vsp_nic *nic)
{
	u32 command;

	return !pci_read_config_dword(nic->pdev, PCI_COMMAND, &command) && command != ~0U;
}

/*
 * Configuration space and MSI-X, where nobody else has restored them: of VFs, and
 * of all functions after a reset of the bus. A VF may still be in reset.
 */
static int nic_restore_config(struct vsp_nic *nic)
{
	u16 wanted = PCI_COMMAND_MASTER | (nic->pdev->is_virtfn ? 0 : PCI_COMMAND_MEMORY);
	unsigned int ms;
	u16 command;

	for (ms = 0; !nic_config_answers(nic); ms += NIC_POLL_MS) {
		if (ms >= NIC_READY_MS)
			return -ETIMEDOUT;
		msleep(NIC_POLL_MS);
	}
	pci_read_config_word(nic->pdev, PCI_COMMAND, &command);
	if ((command & wanted) == wanted)
		return 0;
	if (!nic->saved)
		return -EIO;
	pci_load_saved_state(nic->pdev, nic->saved);
	pci_restore_state(nic->pdev);
	return 0;
}

static int nic_restore(struct vsp_nic *nic)
{
	int err;

	lockdep_assert_held(&nic->lock);
	nic->failed = false;
	err = nic_restore_config(nic);
	if (!err)
		err = vsp_nic_identify(nic);
	if (!err)
		err = vsp_nic_configure(nic, &nic->prov);
	if (!err && nic->vdpa)
		err = vsp_vdpa_restore(nic->vdpa);
	if (err) {
		vsp_nic_fail(nic, "it could not be restored after a reset", err);
		return err;
	}
	nic_update(nic);
	/* Pairs with the barrier in vsp_op_kick_vq(). */
	smp_mb();
	if (nic->vdpa)
		vsp_vdpa_wake(nic->vdpa);
	return 0;
}

/**
 * vsp_nic_wait() - wait until a function is not in reset
 * @nic: function; nic->lock held, but released meanwhile
 *
 * Process context. A function that has failed is tried once more.
 *
 * Return: 0; -EBUSY: it still is in reset; -EIO, -ENODEV: it is lost
 */
int vsp_nic_wait(struct vsp_nic *nic)
{
	long left = msecs_to_jiffies(NIC_AWAY_MS);
	int state;

	lockdep_assert_held(&nic->lock);
	/* The next reset may have come before the lock. */
	while (nic->away && !nic->gone && left) {
		mutex_unlock(&nic->lock);
		left = wait_event_timeout(nic->wait,
					  !READ_ONCE(nic->away) || READ_ONCE(nic->gone), left);
		mutex_lock(&nic->lock);
	}
	if (nic->failed && !nic->away && !nic->gone)
		nic_restore(nic);
	state = vsp_nic_state(nic);
	return state ? min(state, 0) : -EBUSY;
}

/* The card is going to be reset, or has been: then it does not answer. */
static void nic_leave(struct vsp_nic *nic, enum vsp_away why, bool answers)
{
	bool was_listening;

	guard(mutex)(&nic->lock);
	was_listening = nic->listening;
	nic->away |= why;
	nic_update(nic);
	if (!was_listening)
		return;
	vsp_nic_learn(nic);
	if (!answers)
		return;
	if (nic->vdpa)
		vsp_vdpa_quiesce(nic->vdpa);
	vsp_mbox_set(nic, VSP_MBOX_RESET, 0);
}

static void nic_return(struct vsp_nic *nic, u32 why)
{
	guard(mutex)(&nic->lock);
	if (!(nic->away & why))
		return;
	nic->away &= ~why;
	if (!nic->away && !nic->gone)
		nic_restore(nic);
	nic_update(nic);
}

/* ---- the functions that are bound ---- */

static bool is_vf_of(const struct vsp_nic *nic, struct pci_dev *pf)
{
	return nic->pdev->is_virtfn && pci_physfn(nic->pdev) == pf;
}

static void vfs_leave(struct pci_dev *pf)
{
	struct vsp_nic *nic;

	guard(mutex)(&vsp_nics_lock);
	list_for_each_entry(nic, &vsp_nics, node)
		if (is_vf_of(nic, pf))
			nic_leave(nic, VSP_AWAY_PF, true);
}

static void vfs_return(struct pci_dev *pf)
{
	struct vsp_nic *nic;

	guard(mutex)(&vsp_nics_lock);
	list_for_each_entry(nic, &vsp_nics, node)
		if (is_vf_of(nic, pf))
			nic_return(nic, VSP_AWAY_PF);
}

/**
 * vsp_nics_look() - has the card been pulled?
 *
 * Process context. For the remove of the first function: that of another one may
 * have to wait for a lock whose owner waits for a control queue.
 */
void vsp_nics_look(void)
{
	struct vsp_nic *nic;

	guard(mutex)(&vsp_nics_lock);
	list_for_each_entry(nic, &vsp_nics, node) {
		guard(mutex)(&nic->lock);
		if (vsp_reg_read(nic, VSP_REG_MAGIC) == ~0U)
			vsp_nic_fail(nic, "it is not there any more", -ENODEV);
	}
}

static void nic_watch(struct work_struct *work)
{
	struct vsp_nic *nic = container_of(to_delayed_work(work), struct vsp_nic, watch);

	guard(mutex)(&nic->lock);
	if (nic->away & VSP_AWAY_AER)
		vsp_nic_fail(nic, "the recovery from a PCIe error did not end", -ETIMEDOUT);
}

/* Before anything else; vsp_nic_put() frees it. */
void vsp_nic_init(struct vsp_nic *nic)
{
	kref_init(&nic->ref);
	INIT_LIST_HEAD(&nic->node);
	mutex_init(&nic->lock);
	init_waitqueue_head(&nic->wait);
	INIT_DELAYED_WORK(&nic->watch, nic_watch);
}

/**
 * vsp_nic_enlist() - the function is ready for use
 * @nic: function; what it has now in configuration space is what a reset of the
 *       bus shall leave
 *
 * Process context.
 */
void vsp_nic_enlist(struct vsp_nic *nic)
{
	pci_save_state(nic->pdev);
	nic->saved = pci_store_saved_state(nic->pdev);
	scoped_guard(mutex, &nic->lock)
		nic_update(nic);
	guard(mutex)(&vsp_nics_lock);
	list_add_tail(&nic->node, &vsp_nics);
}

/* Undoes vsp_nic_enlist(), or its lack; the card is not touched any more. */
void vsp_nic_retire(struct vsp_nic *nic)
{
	scoped_guard(mutex, &vsp_nics_lock)
		list_del_init(&nic->node);
	scoped_guard(mutex, &nic->lock) {
		nic->gone = true;
		nic_update(nic);
	}
	cancel_delayed_work_sync(&nic->watch);
}

static void nic_release(struct kref *ref)
{
	struct vsp_nic *nic = container_of(ref, struct vsp_nic, ref);

	if (nic->bar)
		pci_iounmap(nic->pdev, nic->bar);
	pci_dev_put(nic->pdev);
	kfree(nic->saved);
	kfree(nic);
}

void vsp_nic_put(struct vsp_nic *nic)
{
	kref_put(&nic->ref, nic_release);
}

/* ---- what the PCI core reports; the device lock is held ---- */

static void vsp_reset_prepare(struct pci_dev *pdev)
{
	if (!pdev->is_virtfn)
		vfs_leave(pdev);
	nic_leave(pci_get_drvdata(pdev), VSP_AWAY_RESET, true);
}

/* Also the way out of an error recovery that failed. */
static void vsp_reset_done(struct pci_dev *pdev)
{
	nic_return(pci_get_drvdata(pdev), VSP_AWAY_RESET | VSP_AWAY_AER);
	if (!pdev->is_virtfn)
		vfs_return(pdev);
}

static pci_ers_result_t vsp_error_detected(struct pci_dev *pdev, pci_channel_state_t state)
{
	struct vsp_nic *nic = pci_get_drvdata(pdev);

	switch (state) {
	case pci_channel_io_normal:
		return PCI_ERS_RESULT_CAN_RECOVER;
	case pci_channel_io_frozen:
		nic_leave(nic, VSP_AWAY_AER, false);
		mod_delayed_work(system_wq, &nic->watch, msecs_to_jiffies(NIC_WATCH_MS));
		return PCI_ERS_RESULT_NEED_RESET;
	default:
		scoped_guard(mutex, &nic->lock)
			vsp_nic_fail(nic, "its PCIe link is lost for good", -EIO);
		return PCI_ERS_RESULT_DISCONNECT;
	}
}

/* Something went wrong on the link, which works: does the card? */
static pci_ers_result_t vsp_mmio_enabled(struct pci_dev *pdev)
{
	struct vsp_nic *nic = pci_get_drvdata(pdev);
	u64 status;

	guard(mutex)(&nic->lock);
	if (vsp_nic_state(nic) > 0 && vsp_mbox_get(nic, VSP_MBOX_GET_STATUS, &status))
		return PCI_ERS_RESULT_NEED_RESET;
	return PCI_ERS_RESULT_RECOVERED;
}

/* Some kernels come here without a reset; what is done in resume() suits both. */
static pci_ers_result_t vsp_slot_reset(struct pci_dev *pdev)
{
	struct vsp_nic *nic = pci_get_drvdata(pdev);

	nic_leave(nic, VSP_AWAY_AER, false);
	guard(mutex)(&nic->lock);
	if (nic_restore_config(nic)) {
		vsp_nic_fail(nic, "it does not answer after a reset of its bus", -ENODEV);
		return PCI_ERS_RESULT_DISCONNECT;
	}
	return PCI_ERS_RESULT_RECOVERED;
}

static void vsp_resume_io(struct pci_dev *pdev)
{
	struct vsp_nic *nic = pci_get_drvdata(pdev);

	cancel_delayed_work(&nic->watch);
	nic_return(nic, VSP_AWAY_AER);
}

const struct pci_error_handlers vsp_err_handlers = {
	.error_detected	= vsp_error_detected,
	.mmio_enabled	= vsp_mmio_enabled,
	.slot_reset	= vsp_slot_reset,
	.resume		= vsp_resume_io,
	.reset_prepare	= vsp_reset_prepare,
	.reset_done	= vsp_reset_done,
};

/* ---- the system sleeps ---- */

/*
 * Before processes are frozen and after they are thawed: stopping a queue waits
 * for the backend, which is one.
 */
static int vsp_pm_notify(struct notifier_block *nb, unsigned long action, void *data)
{
	struct vsp_nic *nic;

	guard(mutex)(&vsp_nics_lock);
	list_for_each_entry(nic, &vsp_nics, node) {
		switch (action) {
		case PM_SUSPEND_PREPARE:
		case PM_HIBERNATION_PREPARE:
			nic_leave(nic, VSP_AWAY_PM, true);
			break;
		case PM_POST_SUSPEND:
		case PM_POST_HIBERNATION:
			nic_return(nic, VSP_AWAY_PM);
			break;
		}
	}
	return NOTIFY_OK;
}

static struct notifier_block vsp_pm_nb = {
	.notifier_call = vsp_pm_notify,
};

int vsp_recover_init(void)
{
	return register_pm_notifier(&vsp_pm_nb);
}

void vsp_recover_exit(void)
{
	unregister_pm_notifier(&vsp_pm_nb);
}

static int vsp_suspend(struct device *dev)
{
	struct vsp_nic *nic = dev_get_drvdata(dev);

	guard(mutex)(&nic->lock);
	/* Bound after the others were told: not now. */
	return nic->listening && nic->vdpa ? -EBUSY : 0;
}

/* All is told to the card at the end of the sleep. */
static int vsp_resume(struct device *dev)
{
	return 0;
}

/* With these the PCI core saves the function's state and takes it to D3hot. */
const struct dev_pm_ops vsp_pm_ops = {
	SYSTEM_SLEEP_PM_OPS(vsp_suspend, vsp_resume)
};
