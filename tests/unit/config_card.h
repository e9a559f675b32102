/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * A card's configuration space for the unit tests: one image of each kind. The
 * sources are the kernel module's own; if they stop to compile here, they have
 * grown a dependency that they must not have.
 */
#ifndef CONFIG_CARD_H
#define CONFIG_CARD_H

#include <linux/pci_regs.h>

#include "config_space.h"

#define BAR4		0x105000000ULL
#define VF_BAR4		0x105040000ULL
#define BAR4_SIZE	0x40000ULL
#define WINDOW_END	0x1052fffffULL

#define EXP(reg)	(VSP_CAP_EXP + (reg))
#define MSIX(reg)	(VSP_CAP_MSIX + (reg))
#define SRIOV(reg)	(VSP_ECAP_SRIOV + (reg))
#define AER(reg)	(VSP_ECAP_AER + (reg))
#define VPD(reg)	(VSP_CAP_VPD + (reg))

struct card {
	struct vsp_cfg port;
	struct vsp_cfg pf;
	struct vsp_cfg vf;
	u8 *vpd;
};

/* What @pf and @vf are made of; for tests that want another one. */
struct vsp_cfg_ep config_card_ep(void);

/* cmocka's fixture: *state is a struct card. */
int config_card_create(void **state);
int config_card_destroy(void **state);

#endif
