// SPDX-License-Identifier: GPL-2.0-only
/*
 * Errors that a function of the card, or its root port, detects on request. The
 * registers follow config_port.c; from the root port's interrupt on it is the
 * kernel's AER service that acts.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/pci.h>

#include "pci.h"

static_assert((int)VSP_AER_CORRECTABLE == (int)VSP_CFG_ERR_COR);
static_assert((int)VSP_AER_NONFATAL == (int)VSP_CFG_ERR_NONFATAL);
static_assert((int)VSP_AER_FATAL == (int)VSP_CFG_ERR_FATAL);

/* A usual error of the class; one that a VF may report where that is asked. */
static u32 aer_default_bits(const struct vsp_pci_fn *fn, enum vsp_aer_class class)
{
	bool is_vf = fn->kind == VSP_PCI_VF;

	switch (class) {
	case VSP_AER_CORRECTABLE:
		return is_vf ? PCI_ERR_COR_ADV_NFAT : PCI_ERR_COR_BAD_TLP;
	case VSP_AER_NONFATAL:
		return PCI_ERR_UNC_POISON_TLP;
	default:
		return is_vf ? PCI_ERR_UNC_COMP_ABORT : PCI_ERR_UNC_MALF_TLP;
	}
}

/* Bus, device and function number, as in a TLP. */
static u16 aer_requester_id(const struct vsp_pci_fn *fn)
{
	if (fn->kind == VSP_PCI_ROOT_PORT)
		return 0;
	return fn->card->port.cfg->value[PCI_SECONDARY_BUS] << 8 | fn->index;
}

/* The TLP that is said to be at fault: a memory read of one word of BAR 4. */
static void aer_make_header(const struct vsp_pci_fn *fn, u32 *header)
{
	header[0] = 0x20000001;		/* MRd, 64 bit address, 1 double word */
	header[1] = 0x0000000f;		/* from the root complex, all bytes */
	header[2] = fn->bar4_phys >> 32;
	header[3] = fn->bar4_phys & 0xfffffffc;
}

int vsp_aer_inject(struct vsp_pci_fn *fn, enum vsp_aer_class class, u32 bits)
{
	struct vsp_card *card = fn->card;
	u32 header[4];
	int ret;

	if (class > VSP_AER_FATAL)
		return -EINVAL;
	if (!bits)
		bits = aer_default_bits(fn, class);
	aer_make_header(fn, header);

	guard(raw_spinlock_irqsave)(&card->cfg_lock);
	/* A function in reset detects nothing, and its message would not get through. */
	if (!fn->present || fn->in_reset ||
	    (fn->kind != VSP_PCI_ROOT_PORT &&
	     (!card->is_up || !vsp_cfg_is_bus_reachable(card->port.cfg))))
		return -ENODEV;
	ret = vsp_cfg_log_error(fn->cfg, fn->pf ? fn->pf->cfg : fn->cfg,
				(enum vsp_cfg_error)class, bits, header);
	if (ret)
		return ret;
	vsp_cfg_root_error(card->port.cfg, (enum vsp_cfg_error)class,
			   aer_requester_id(fn));
	vsp_port_update(card);
	return 0;
}
