// SPDX-License-Identifier: GPL-2.0-only
/*
 * The PCI bus that the card is on, in a domain of its own:
 *
 *   10000:00 ── 00.0 root port (slot, AER, PME, ACS)
 *                 └── 10000:01 ── 00.0 ... PFs
 *                                 then the VFs of PF 0, of PF 1 and so on,
 *                                 while SR-IOV is enabled in their PF
 *
 * BARs, bridge windows and bus numbers are preset in the images, as firmware
 * leaves them, and claimed after the scan. They are never assigned by the
 * kernel: the window is RAM in the firmware's map, which it assigns nothing in.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/nospec.h>
#include <linux/pci.h>
#include <linux/platform_device.h>
#include <linux/sizes.h>

#include "pci.h"
#include "regs.h"

/* Domains below are those of ACPI, whose _SEG has 16 bits. */
#define BRIDGE_MIN_DOMAIN	0x10000
/* Spare space that a hot-plug port asks for; nothing is behind it. */
#define BRIDGE_SPARE_IO		0x1000
#define BRIDGE_SPARE_MEM	SZ_4M
#define BRIDGE_SPARE_MEM_BUS	0xf0000000

static struct vsp_card *bridge_card(const struct pci_bus *bus)
{
	return container_of(bus->sysdata, struct vsp_card, sysdata);
}

/* ---- configuration requests: any context, no sleeping ---- */

static struct vsp_pci_fn *bridge_route(struct vsp_card *card, struct pci_bus *bus,
				       unsigned int devfn)
{
	struct vsp_pci_fn *fn;

	lockdep_assert_held(&card->cfg_lock);
	if (bus->number == VSP_ROOT_BUS)
		return devfn ? NULL : &card->port;
	if (bus->number != card->port.cfg->value[PCI_SECONDARY_BUS])
		return NULL;
	if (devfn >= card->nr_fns || !vsp_cfg_is_bus_reachable(card->port.cfg))
		return NULL;
	fn = card->fn[array_index_nospec(devfn, card->nr_fns)];
	return fn->present ? fn : NULL;
}

/*
 * A function in reset completes with "request retry", which the kernel waits
 * out. The root port turns that into all ones, but for the vendor id if
 * software visibility is on. (PCIe 2.3.2)
 */
static u32 bridge_read_retry(struct vsp_card *card, int where, int size)
{
	u16 rtctl = vsp_cfg_get16(card->port.cfg, VSP_CAP_EXP + PCI_EXP_RTCTL);

	if (where == PCI_VENDOR_ID && size >= 2 && rtctl & PCI_EXP_RTCTL_CRSSVE)
		return size == 2 ? 0x0001 : 0xffff0001;
	return ~0U;
}

static int bridge_read(struct pci_bus *bus, unsigned int devfn, int where, int size,
		       u32 *val)
{
	struct vsp_card *card = bridge_card(bus);
	int ret = PCIBIOS_SUCCESSFUL;
	struct vsp_pci_fn *fn;
	unsigned long flags;

	raw_spin_lock_irqsave(&card->cfg_lock, flags);
	fn = bridge_route(card, bus, devfn);
	if (!fn) {
		*val = ~0U;
		ret = PCIBIOS_DEVICE_NOT_FOUND;
	} else if (fn->in_reset) {
		*val = bridge_read_retry(card, where, size);
	} else {
		*val = vsp_cfg_read(fn->cfg, where, size);
	}
	raw_spin_unlock_irqrestore(&card->cfg_lock, flags);
	return ret;
}

/* A VF is in the power state of its PF. (PCIe 9.6.1) */
static void bridge_set_power(struct vsp_pci_fn *fn)
{
	u8 state = vsp_cfg_power_state(fn->pf->cfg);

	if (fn->power_state == state)
		return;
	WRITE_ONCE(fn->power_state, state);
	vsp_msix_update(fn);
	queue_work(fn->card->wq, &fn->power_work);
}

static void bridge_power_changed(struct vsp_pci_fn *pf)
{
	struct vsp_card *card = pf->card;
	unsigned int first = vsp_first_vf(card, pf->index), i;

	bridge_set_power(pf);
	for (i = 0; i < card->total_vfs; i++)
		bridge_set_power(card->fn[first + i]);
}

void vsp_bridge_reset_fn(struct vsp_pci_fn *fn)
{
	lockdep_assert_held(&fn->card->cfg_lock);
	vsp_cfg_reset(fn->cfg);
	vsp_msix_reset(fn);
	bridge_set_power(fn);
	if (!READ_ONCE(fn->plugged))
		return;
	fn->in_reset = true;
	queue_work(fn->card->wq, &fn->flr_work);
}

/* VFs come and go with their PF's VF Enable. One that comes is as after power on. */
static void bridge_update_vfs(struct vsp_pci_fn *pf)
{
	struct vsp_card *card = pf->card;
	u16 nr_vfs = min_t(u16, vsp_cfg_nr_vfs(pf->cfg), card->total_vfs);
	unsigned int first = vsp_first_vf(card, pf->index), i;

	lockdep_assert_held(&card->cfg_lock);
	for (i = 0; i < card->total_vfs; i++) {
		struct vsp_pci_fn *vf = card->fn[first + i];
		bool present = i < nr_vfs;

		if (vf->present == present)
			continue;
		WRITE_ONCE(vf->present, present);
		if (present)
			vsp_cfg_power_on(vf->cfg);
		vsp_bridge_reset_fn(vf);
	}
}

/* A PF that is reset takes its own VFs along, and nobody else's. (PCIe 9.2.2.2) */
static void bridge_reset_pf(struct vsp_pci_fn *pf)
{
	vsp_bridge_reset_fn(pf);
	bridge_update_vfs(pf);
}

static void bridge_reset_bus(struct vsp_card *card)
{
	unsigned int i;

	for (i = 0; i < card->nr_pfs; i++)
		bridge_reset_pf(card->fn[i]);
}

static void bridge_act(struct vsp_pci_fn *fn, u32 effects)
{
	if (effects & VSP_CFG_BRIDGE_RESET)
		bridge_reset_bus(fn->card);
	if (fn->kind == VSP_PCI_ROOT_PORT) {
		vsp_port_written(fn->card);
		return;
	}
	if (effects & VSP_CFG_FLR) {
		if (fn->kind == VSP_PCI_PF)
			bridge_reset_pf(fn);
		else
			vsp_bridge_reset_fn(fn);
		return;
	}
	if (effects & (VSP_CFG_COMMAND | VSP_CFG_MSIX))
		vsp_msix_update(fn);
	if (effects & VSP_CFG_POWER)
		bridge_power_changed(fn);
	if (effects & VSP_CFG_VF_ENABLE)
		bridge_update_vfs(fn);
}

static int bridge_write(struct pci_bus *bus, unsigned int devfn, int where, int size,
			u32 val)
{
	struct vsp_card *card = bridge_card(bus);
	struct vsp_pci_fn *fn;
	unsigned long flags;

	raw_spin_lock_irqsave(&card->cfg_lock, flags);
	fn = bridge_route(card, bus, devfn);
	if (fn && !fn->in_reset)
		bridge_act(fn, vsp_cfg_write(fn->cfg, where, size, val));
	raw_spin_unlock_irqrestore(&card->cfg_lock, flags);
	return fn ? PCIBIOS_SUCCESSFUL : PCIBIOS_DEVICE_NOT_FOUND;
}

static struct pci_ops bridge_ops = {
	.read	= bridge_read,
	.write	= bridge_write,
};

static void bridge_power_work(struct work_struct *work)
{
	struct vsp_pci_fn *fn = container_of(work, struct vsp_pci_fn, power_work);

	guard(mutex)(&fn->plug_lock);
	if (fn->plugged)
		vsp_fn_power(fn, READ_ONCE(fn->power_state));
}

static void bridge_flr_work(struct work_struct *work)
{
	struct vsp_pci_fn *fn = container_of(work, struct vsp_pci_fn, flr_work);
	unsigned long flags;

	scoped_guard(mutex, &fn->plug_lock)
		if (fn->plugged)
			vsp_fn_flr(fn);

	/* Another reset may have begun; then it is that run which ends it. */
	raw_spin_lock_irqsave(&fn->card->cfg_lock, flags);
	if (!work_pending(&fn->flr_work))
		fn->in_reset = false;
	raw_spin_unlock_irqrestore(&fn->card->cfg_lock, flags);
}

/* ---- which device is which function ---- */

struct vsp_pci_fn *vsp_bridge_find(struct vsp_card *card, struct pci_dev *pdev)
{
	if (pdev->bus->sysdata != &card->sysdata)
		return NULL;
	if (pci_is_root_bus(pdev->bus))
		return pdev->devfn ? NULL : &card->port;
	return pdev->devfn < card->nr_fns ? card->fn[pdev->devfn] : NULL;
}

struct vsp_pci_fn *vsp_pci_fn_of(struct pci_dev *pdev)
{
	struct vsp_card *card = vsp_card_get_only();
	struct vsp_pci_fn *fn = card ? vsp_bridge_find(card, pdev) : NULL;

	return fn && fn->kind != VSP_PCI_ROOT_PORT ? fn : NULL;
}

bool vsp_pci_fn_bus_master(const struct vsp_pci_fn *fn)
{
	return READ_ONCE(fn->cfg->value[PCI_COMMAND]) & PCI_COMMAND_MASTER;
}

const char *vsp_pci_fn_name(const struct vsp_pci_fn *fn)
{
	return fn->name;
}

/* ---- devices come and go ---- */

/*
 * The root port itself was removed and found again: give it back its window,
 * which the kernel has not read yet, so that it assigns none.
 */
static void bridge_claim_port(struct vsp_card *card, struct pci_dev *pdev)
{
	struct resource *res = &pdev->resource[PCI_BRIDGE_PREF_MEM_WINDOW];
	struct resource *window = vsp_window_resource(card->window);

	if (res->parent)
		return;
	res->start = window->start;
	res->end = window->end;
	res->flags = IORESOURCE_MEM | IORESOURCE_PREFETCH | IORESOURCE_MEM_64 |
		     PCI_PREF_RANGE_TYPE_64;
	pci_claim_resource(pdev, PCI_BRIDGE_PREF_MEM_WINDOW);
}

static void bridge_claim_bars(struct pci_dev *pdev)
{
	int i;

	for (i = 0; i < PCI_BRIDGE_RESOURCES; i++) {
		struct resource *res = &pdev->resource[i];

		if (res->flags && !res->parent && resource_size(res))
			pci_claim_resource(pdev, i);
	}
}

static void bridge_device_added(struct vsp_card *card, struct vsp_pci_fn *fn,
				struct pci_dev *pdev)
{
	int err;

	vsp_platform_claim(fn, pdev);
	/* Before the first scan is over the port's window is not known yet. */
	if (card->is_scanned) {
		if (fn->kind == VSP_PCI_ROOT_PORT)
			bridge_claim_port(card, pdev);
		else
			bridge_claim_bars(pdev);
	}
	if (fn->kind == VSP_PCI_ROOT_PORT)
		return;

	guard(mutex)(&fn->plug_lock);
	fn->pdev = pci_dev_get(pdev);
	err = vsp_fn_plugged(fn);
	WRITE_ONCE(fn->plugged, !err);
	if (err)
		pci_err(pdev, "the card's firmware did not start: %d\n", err);
}

static void bridge_device_removed(struct vsp_pci_fn *fn, struct pci_dev *pdev)
{
	guard(mutex)(&fn->plug_lock);
	if (fn->pdev != pdev)
		return;
	if (fn->plugged)
		vsp_fn_unplugged(fn);
	WRITE_ONCE(fn->plugged, false);
	fn->pdev = NULL;
	pci_dev_put(pdev);
}

static int bridge_notify(struct notifier_block *nb, unsigned long action, void *data)
{
	struct vsp_card *card = container_of(nb, struct vsp_card, nb);
	struct pci_dev *pdev = to_pci_dev(data);
	struct vsp_pci_fn *fn = vsp_bridge_find(card, pdev);

	if (!fn)
		return NOTIFY_DONE;
	/* Not DEL_DEVICE: at REMOVED_DEVICE no driver is bound any more. */
	if (action == BUS_NOTIFY_ADD_DEVICE)
		bridge_device_added(card, fn, pdev);
	else if (action == BUS_NOTIFY_REMOVED_DEVICE)
		bridge_device_removed(fn, pdev);
	return NOTIFY_OK;
}

/* ---- the bridge ---- */

static void bridge_init_fn(struct vsp_pci_fn *fn, u8 bus)
{
	INIT_WORK(&fn->flr_work, bridge_flr_work);
	INIT_WORK(&fn->power_work, bridge_power_work);
	mutex_init(&fn->plug_lock);
	snprintf(fn->name, sizeof(fn->name), "%05x:%02x:%02x.%x", fn->card->domain_nr, bus,
		 PCI_SLOT(fn->index), PCI_FUNC(fn->index));
}

static void bridge_init_fns(struct vsp_card *card)
{
	unsigned int i;

	bridge_init_fn(&card->port, VSP_ROOT_BUS);
	for (i = 0; i < card->nr_fns; i++) {
		card->fn[i]->present = card->fn[i]->kind == VSP_PCI_PF;
		bridge_init_fn(card->fn[i], VSP_CARD_BUS);
	}
	vsp_images_build(card);
}

/*
 * The spare windows hang in no resource tree, as there is nothing behind them.
 * Without them a rescan finds no room for what a hot-plug port asks for, and
 * 7.2 then takes away the windows that were claimed.
 */
static void bridge_add_windows(struct vsp_card *card)
{
	struct list_head *windows = &card->bridge->windows;
	/* Above what the CPU can address, where no firmware entry is in the way. */
	resource_size_t mem = ALIGN(iomem_resource.end + 1, BRIDGE_SPARE_MEM);

	card->bus_res = DEFINE_RES_NAMED(VSP_ROOT_BUS, 256, "vsp bus", IORESOURCE_BUS);
	card->io_res = DEFINE_RES_NAMED(BRIDGE_SPARE_IO, BRIDGE_SPARE_IO, "vsp spare io",
					IORESOURCE_IO);
	card->mem32_res = DEFINE_RES_NAMED(mem, BRIDGE_SPARE_MEM, "vsp spare mem",
					   IORESOURCE_MEM);
	pci_add_resource(windows, &card->bus_res);
	pci_add_resource(windows, vsp_window_resource(card->window));
	pci_add_resource(windows, &card->io_res);
	pci_add_resource_offset(windows, &card->mem32_res, mem - BRIDGE_SPARE_MEM_BUS);
}

static int bridge_scan(struct vsp_card *card)
{
	struct pci_host_bridge *bridge = card->bridge;
	struct pci_bus *child;
	int err;

	pci_lock_rescan_remove();
	err = pci_scan_root_bus_bridge(bridge);
	if (err) {
		pr_err("cannot create bus %05x:00: %d\n", card->domain_nr, err);
		goto out_unlock;
	}
	pci_bus_claim_resources(bridge->bus);
	card->is_scanned = true;
	list_for_each_entry(child, &bridge->bus->children, node)
		pcie_bus_configure_settings(child);
	pci_bus_add_devices(bridge->bus);
out_unlock:
	pci_unlock_rescan_remove();
	return err;
}

int vsp_bridge_create(struct vsp_card *card)
{
	struct resource *window = vsp_window_resource(card->window);
	int err;

	card->domain_nr = pci_bus_find_emul_domain_nr(0, BRIDGE_MIN_DOMAIN, INT_MAX);
	if (card->domain_nr < 0)
		return card->domain_nr;
	vsp_pci_sysdata_init(&card->sysdata, card->domain_nr,
			     page_to_nid(pfn_to_page(PHYS_PFN(window->start))));
	bridge_init_fns(card);
	vsp_slot_init(card);

	/* Or the root bus would hang in the air in sysfs. */
	card->parent = platform_device_register_simple(KBUILD_MODNAME,
						       PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(card->parent)) {
		err = PTR_ERR(card->parent);
		goto err_release_domain;
	}
	card->bridge = pci_alloc_host_bridge(0);
	if (!card->bridge) {
		err = -ENOMEM;
		goto err_unregister_parent;
	}
	card->bridge->dev.parent = &card->parent->dev;
	card->bridge->sysdata = &card->sysdata;
	card->bridge->ops = &bridge_ops;
	card->bridge->busnr = VSP_ROOT_BUS;
	dev_set_msi_domain(&card->bridge->dev, card->msi_domain);
	bridge_add_windows(card);

	/*
	 * Ahead of the IOMMU core's own notifier (priority 0), so that what is
	 * set here is there when it looks for the function's IOMMU.
	 */
	card->nb.notifier_call = bridge_notify;
	card->nb.priority = 10;
	err = bus_register_notifier(&pci_bus_type, &card->nb);
	if (err)
		goto err_put_bridge;
	err = bridge_scan(card);
	if (err)
		goto err_unregister_notifier;
	return 0;

err_unregister_notifier:
	bus_unregister_notifier(&pci_bus_type, &card->nb);
err_put_bridge:
	put_device(&card->bridge->dev);
err_unregister_parent:
	platform_device_unregister(card->parent);
err_release_domain:
	pci_bus_release_emul_domain_nr(card->domain_nr);
	return err;
}

void vsp_bridge_destroy(struct vsp_card *card)
{
	pci_lock_rescan_remove();
	pci_stop_root_bus(card->bridge->bus);
	pci_remove_root_bus(card->bridge->bus);
	pci_unlock_rescan_remove();
	bus_unregister_notifier(&pci_bus_type, &card->nb);
	flush_workqueue(card->wq);
	put_device(&card->bridge->dev);
	platform_device_unregister(card->parent);
	pci_bus_release_emul_domain_nr(card->domain_nr);
}
