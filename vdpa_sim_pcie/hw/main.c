// SPDX-License-Identifier: GPL-2.0-only
/*
 * vsp_hw.ko, the simulated card: parameters, and what is built in which order.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ctype.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "pci.h"
#include "regs.h"
#include "vsp.h"

#define SERIAL_MAX	32u
#define DDR_MAX_MB	65536u

static unsigned int pfs = 1;
module_param(pfs, uint, 0444);
MODULE_PARM_DESC(pfs, "physical functions of the card, 1 to 8 (default 1)");

static unsigned int total_vfs = 8;
module_param(total_vfs, uint, 0444);
MODULE_PARM_DESC(total_vfs, "SR-IOV TotalVFs of each physical function, 0 to 31 (default 8)");

static unsigned int queue_pairs = 1;
module_param(queue_pairs, uint, 0444);
MODULE_PARM_DESC(queue_pairs, "data queue pairs per function, 1 to 8 (default 1)");

static unsigned int vendor_id = VSP_VENDOR_ID;
module_param(vendor_id, uint, 0444);
MODULE_PARM_DESC(vendor_id, "PCI vendor id (default 0x5653, which no stock driver binds)");

static unsigned int device_id = VSP_DEVICE_ID;
module_param(device_id, uint, 0444);
MODULE_PARM_DESC(device_id, "PCI device id of the PF (default 0x1000)");

static unsigned int vf_device_id = VSP_VF_DEVICE_ID;
module_param(vf_device_id, uint, 0444);
MODULE_PARM_DESC(vf_device_id, "PCI device id of the VFs (default 0x1001)");

static unsigned int subsystem_vendor_id = VSP_VENDOR_ID;
module_param(subsystem_vendor_id, uint, 0444);
MODULE_PARM_DESC(subsystem_vendor_id, "PCI subsystem vendor id (default 0x5653)");

static unsigned int subsystem_id = 1;
module_param(subsystem_id, uint, 0444);
MODULE_PARM_DESC(subsystem_id, "PCI subsystem id (default 1)");

static char *link_speed = "16";
module_param(link_speed, charp, 0444);
MODULE_PARM_DESC(link_speed, "speed of the PCIe link in GT/s: 2.5, 5, 8, 16, 32 or 64 (default 16)");

static unsigned int link_width = 16;
module_param(link_width, uint, 0444);
MODULE_PARM_DESC(link_width, "lanes of the PCIe link: 1, 2, 4, 8 or 16 (default 16)");

static char *serial = "VSP00000001";
module_param(serial, charp, 0444);
MODULE_PARM_DESC(serial, "serial number in the vital product data, 1 to 32 characters (default VSP00000001)");

static unsigned int ddr_mb;
module_param(ddr_mb, uint, 0444);
MODULE_PARM_DESC(ddr_mb, "memory of the card in MiB, BAR 2 of the first PF, a power of two; 0 for none (default 0)");

/* As Link Capabilities counts speeds, from 1. */
static const char * const link_speeds[] = { "2.5", "5", "8", "16", "32", "64" };

static struct vsp_card *the_card;

struct vsp_card *vsp_card_get_only(void)
{
	return the_card;
}

static int check_range(const char *name, unsigned int val, unsigned int min,
		       unsigned int max)
{
	if (val >= min && val <= max)
		return 0;
	pr_err("parameter %s=%u is out of range, permitted: %u to %u\n", name, val, min, max);
	return -EINVAL;
}

static int check_id(const char *name, unsigned int val, unsigned int max)
{
	if (val <= max)
		return 0;
	pr_err("parameter %s=%#x is out of range, permitted: 0x0 to %#x\n", name, val, max);
	return -EINVAL;
}

static int check_link(void)
{
	if (match_string(link_speeds, ARRAY_SIZE(link_speeds), link_speed) < 0) {
		pr_err("parameter link_speed=%s is none of 2.5, 5, 8, 16, 32, 64\n", link_speed);
		return -EINVAL;
	}
	if (!is_power_of_2(link_width) || link_width > 16) {
		pr_err("parameter link_width=%u is none of 1, 2, 4, 8, 16\n", link_width);
		return -EINVAL;
	}
	return 0;
}

static int check_serial(void)
{
	size_t len = strlen(serial), i;

	for (i = 0; i < len && isascii(serial[i]) && isgraph(serial[i]); i++)
		;
	if (len && len <= SERIAL_MAX && i == len)
		return 0;
	pr_err("parameter serial needs 1 to %u printable characters and no blanks\n", SERIAL_MAX);
	return -EINVAL;
}

static int check_ddr(void)
{
	if (!ddr_mb || (is_power_of_2(ddr_mb) && ddr_mb <= DDR_MAX_MB))
		return 0;
	pr_err("parameter ddr_mb=%u is neither 0 nor a power of two up to %u\n", ddr_mb,
	       DDR_MAX_MB);
	return -EINVAL;
}

static int check_parameters(void)
{
	/* ffff as vendor or device reads as "nobody there". */
	return check_range("pfs", pfs, 1, VSP_MAX_PFS) ?:
	       check_range("total_vfs", total_vfs, 0, VSP_MAX_VFS) ?:
	       check_range("queue_pairs", queue_pairs, 1, VSP_MAX_QUEUE_PAIRS) ?:
	       check_id("vendor_id", vendor_id, 0xfffe) ?:
	       check_id("device_id", device_id, 0xfffe) ?:
	       check_id("vf_device_id", vf_device_id, 0xfffe) ?:
	       check_id("subsystem_vendor_id", subsystem_vendor_id, 0xffff) ?:
	       check_id("subsystem_id", subsystem_id, 0xffff) ?:
	       check_link() ?: check_serial() ?: check_ddr();
}

/* ---- functions ---- */

/* The BARs 4 lie in the order of the functions, so those of a PF's VFs touch. */
static u64 card_bars_size(const struct vsp_card *card)
{
	return ALIGN(card->nr_fns * (u64)VSP_BAR_SIZE, SZ_1M);
}

static int card_alloc_fn(struct vsp_card *card, unsigned int index)
{
	size_t offset = index * (size_t)VSP_BAR_SIZE;
	struct vsp_pci_fn *fn;
	int err;

	fn = vsp_fn_alloc(card, index);
	if (IS_ERR(fn))
		return PTR_ERR(fn);
	fn->card = card;
	fn->index = index;
	if (index < card->nr_pfs) {
		fn->kind = VSP_PCI_PF;
		fn->pf = fn;
	} else {
		/* The PFs are there by now. */
		fn->kind = VSP_PCI_VF;
		fn->pf = card->fn[(index - card->nr_pfs) / card->total_vfs];
		fn->vf_index = (index - card->nr_pfs) % card->total_vfs;
	}
	fn->bar4 = vsp_window_io(card->window) + offset;
	fn->bar4_phys = vsp_window_bars(card->window) + offset;
	fn->cfg = kzalloc(sizeof(*fn->cfg), GFP_KERNEL);
	if (!fn->cfg) {
		err = -ENOMEM;
		goto err_free_fn;
	}
	err = vsp_msix_init(fn, card->nr_vectors);
	if (err)
		goto err_free_cfg;
	card->fn[index] = fn;
	return 0;

err_free_cfg:
	kfree(fn->cfg);
err_free_fn:
	vsp_fn_free(fn);
	return err;
}

static void card_free_fns(struct vsp_card *card, unsigned int nr)
{
	while (nr) {
		struct vsp_pci_fn *fn = card->fn[--nr];

		vsp_msix_fini(fn);
		kfree(fn->cfg);
		vsp_fn_free(fn);
	}
}

static int card_alloc_fns(struct vsp_card *card)
{
	unsigned int i;
	int err;

	for (i = 0; i < card->nr_fns; i++) {
		err = card_alloc_fn(card, i);
		if (err) {
			card_free_fns(card, i);
			return err;
		}
	}
	return 0;
}

static int card_init_port(struct vsp_card *card)
{
	struct vsp_pci_fn *port = &card->port;
	int err;

	port->card = card;
	port->kind = VSP_PCI_ROOT_PORT;
	port->present = true;
	port->cfg = kzalloc(sizeof(*port->cfg), GFP_KERNEL);
	if (!port->cfg)
		return -ENOMEM;
	err = vsp_msix_init(port, 1);
	if (err)
		kfree(port->cfg);
	return err;
}

static void card_fini_port(struct vsp_card *card)
{
	vsp_msix_fini(&card->port);
	kfree(card->port.cfg);
}

/* ---- the card ---- */

static struct vsp_card *card_alloc(void)
{
	struct vsp_card *card = kzalloc(sizeof(*card), GFP_KERNEL);
	int len;

	if (!card)
		return ERR_PTR(-ENOMEM);
	raw_spin_lock_init(&card->cfg_lock);
	card->nr_pfs = pfs;
	card->total_vfs = total_vfs;
	card->nr_fns = pfs * (1 + total_vfs);
	card->queue_pairs = queue_pairs;
	card->nr_vectors = max(VSP_MSIX_MIN_VECTORS,
			       VSP_MSIX_FIXED_VECTORS + 2 * queue_pairs);
	card->id = (struct vsp_cfg_id) {
		.vendor			= vendor_id,
		.device			= device_id,
		.subsystem_vendor	= subsystem_vendor_id,
		.subsystem		= subsystem_id,
		.revision		= 1,
		.class			= PCI_CLASS_NETWORK_ETHERNET << 8,
	};
	card->vf_device = vf_device_id;
	len = vsp_cfg_build_vpd(card->vpd, sizeof(card->vpd), "vdpa_sim_pcie vDPA SmartNIC",
				"VSP-1", serial);
	card->serial_number = vsp_cfg_serial_number(serial);
	card->link.speed = 1 + match_string(link_speeds, ARRAY_SIZE(link_speeds), link_speed);
	card->link.width = link_width;
	card->ddr_size = (u64)ddr_mb * SZ_1M;
	card->fn = kcalloc(card->nr_fns, sizeof(*card->fn), GFP_KERNEL);
	if (len < 0 || !card->fn) {
		kfree(card->fn);
		kfree(card);
		return ERR_PTR(len < 0 ? len : -ENOMEM);
	}
	card->vpd_len = len;
	return card;
}

static void card_free(struct vsp_card *card)
{
	kfree(card->fn);
	kfree(card);
}

static int card_create(struct vsp_card *card)
{
	int err;

	card->wq = alloc_workqueue("vsp_reset", WQ_UNBOUND | WQ_HIGHPRI, 0);
	if (!card->wq)
		return -ENOMEM;
	card->window = vsp_window_create(card->ddr_size, card_bars_size(card));
	if (IS_ERR(card->window)) {
		err = PTR_ERR(card->window);
		goto err_destroy_wq;
	}
	err = card_init_port(card);
	if (err)
		goto err_destroy_window;
	err = card_alloc_fns(card);
	if (err)
		goto err_fini_port;
	err = vsp_platform_create(card);
	if (err)
		goto err_free_fns;
	err = vsp_msix_domain_create(card);
	if (err)
		goto err_destroy_platform;
	err = vsp_bridge_create(card);
	if (err)
		goto err_destroy_msix_domain;
	return 0;

err_destroy_msix_domain:
	vsp_msix_domain_destroy(card);
err_destroy_platform:
	vsp_platform_destroy(card);
err_free_fns:
	card_free_fns(card, card->nr_fns);
err_fini_port:
	card_fini_port(card);
err_destroy_window:
	vsp_window_destroy(card->window);
err_destroy_wq:
	destroy_workqueue(card->wq);
	return err;
}

static void card_destroy(struct vsp_card *card)
{
	vsp_bridge_destroy(card);
	vsp_msix_domain_destroy(card);
	vsp_platform_destroy(card);
	card_free_fns(card, card->nr_fns);
	card_fini_port(card);
	vsp_window_destroy(card->window);
	destroy_workqueue(card->wq);
}

static int __init vsp_hw_init(void)
{
	int err;

	err = check_parameters();
	if (err)
		return err;
	err = vsp_functions_init();
	if (err)
		return err;
	the_card = card_alloc();
	if (IS_ERR(the_card)) {
		err = PTR_ERR(the_card);
		goto err_functions_exit;
	}
	err = card_create(the_card);
	if (err)
		goto err_free_card;
	err = vsp_poll_start(the_card);
	if (err)
		goto err_destroy_card;
	vsp_debugfs_add(&the_card->port);
	pr_info("%s: card with %u PFs of up to %u VFs, %u queue pairs, %u interrupt vectors per function\n",
		vsp_pci_fn_name(the_card->fn[0]), the_card->nr_pfs, the_card->total_vfs,
		the_card->queue_pairs, the_card->nr_vectors);
	return 0;

err_destroy_card:
	card_destroy(the_card);
err_free_card:
	card_free(the_card);
err_functions_exit:
	the_card = NULL;
	vsp_functions_exit();
	return err;
}

static void __exit vsp_hw_exit(void)
{
	vsp_debugfs_remove(&the_card->port);
	vsp_poll_stop();
	card_destroy(the_card);
	card_free(the_card);
	the_card = NULL;
	vsp_functions_exit();
}

module_init(vsp_hw_init);
module_exit(vsp_hw_exit);

MODULE_DESCRIPTION("Simulated vDPA SmartNIC: the PCI Express card");
MODULE_AUTHOR("The vdpa_sim_pcie authors");
MODULE_LICENSE("GPL");
