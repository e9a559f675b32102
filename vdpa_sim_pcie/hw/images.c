// SPDX-License-Identifier: GPL-2.0-only
/*
 * The card's parameters as configuration images of its functions: BARs, bridge
 * window and bus numbers are preset, as firmware leaves them.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 */
#include <linux/pci.h>

#include "pci.h"
#include "regs.h"

static void images_build_port(struct vsp_card *card)
{
	struct resource *window = vsp_window_resource(card->window);
	struct vsp_cfg_port port = {
		.id		= {
			.vendor	= VSP_VENDOR_ID,
			.device	= VSP_PORT_DEVICE_ID,
			.class	= PCI_CLASS_BRIDGE_PCI << 8,
		},
		.primary	= VSP_ROOT_BUS,
		.secondary	= VSP_CARD_BUS,
		.pref_start	= window->start,
		.pref_end	= window->end,
		.slot		= VSP_SLOT_NR,
		.link		= card->link,
	};

	vsp_cfg_build_root_port(card->port.cfg, &port);
}

static void images_build_pf(struct vsp_card *card, struct vsp_pci_fn *fn,
			    struct vsp_cfg_ep *ep)
{
	unsigned int vf = vsp_first_vf(card, fn->index);

	ep->fn_nr = fn->index;
	ep->next_fn = fn->index + 1 < card->nr_pfs ? fn->index + 1 : 0;
	/* The card's memory is behind its first function. */
	ep->bar2 = vsp_window_resource(card->window)->start;
	ep->bar2_size = fn->index ? 0 : card->ddr_size;
	ep->bar4 = fn->bar4_phys;
	ep->vf_offset = vf - fn->index;
	ep->vf_bar4 = card->total_vfs ? card->fn[vf]->bar4_phys : 0;
	vsp_cfg_build_pf(fn->cfg, ep);
}

void vsp_images_build(struct vsp_card *card)
{
	struct vsp_cfg_ep ep = {
		.id			= card->id,
		.is_multi_function	= card->nr_pfs > 1,
		.bar4_size		= VSP_BAR_SIZE,
		.total_vfs		= card->total_vfs,
		.vf_device		= card->vf_device,
		.nr_vectors		= card->nr_vectors,
		.msix_table		= VSP_BAR_MSIX_TABLE,
		.msix_pba		= VSP_BAR_MSIX_PBA,
		.vpd			= card->vpd,
		.vpd_len		= card->vpd_len,
		.serial_number		= card->serial_number,
		.link			= card->link,
	};
	unsigned int i;

	images_build_port(card);
	for (i = 0; i < card->nr_fns; i++) {
		struct vsp_pci_fn *fn = card->fn[i];

		if (fn->kind == VSP_PCI_PF)
			images_build_pf(card, fn, &ep);
		else
			vsp_cfg_build_vf(fn->cfg, &ep);
	}
}
