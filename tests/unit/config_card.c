// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * The card of the unit tests about configuration space.
 */
#include <stdlib.h>
#include <string.h>

#include "config_card.h"

struct vsp_cfg_ep config_card_ep(void)
{
	struct vsp_cfg_ep ep = {
		.id = {
			.vendor = 0x5653, .device = 0x1000,
			.subsystem_vendor = 0x5653, .subsystem = 7,
			.revision = 1, .class = 0x020000,
		},
		.bar4 = BAR4, .bar4_size = BAR4_SIZE, .vf_bar4 = VF_BAR4,
		.vf_offset = 1, .total_vfs = 8, .vf_device = 0x1001, .nr_vectors = 11,
		.msix_table = 0x1000, .msix_pba = 0x9000,
		.serial_number = 0x0256530123456789ULL,
		.link = { .speed = 4, .width = 16 },
	};

	return ep;
}

int config_card_create(void **state)
{
	struct vsp_cfg_port port = {
		.id = { .vendor = 0x5653, .device = 0x0100, .class = 0x060400 },
		.primary = 0, .secondary = 1,
		.pref_start = BAR4, .pref_end = WINDOW_END, .slot = 7,
		.link = { .speed = 4, .width = 16 },
	};
	struct vsp_cfg_ep ep = config_card_ep();
	struct card *c = calloc(1, sizeof(*c));
	u8 buf[256];
	int len;

	if (!c)
		return -1;
	len = vsp_cfg_build_vpd(buf, sizeof(buf), "name", "part", "serial");
	if (len < 0)
		return -1;
	/* Exactly sized on the heap: the sanitizer guards the end. */
	c->vpd = malloc(len);
	memcpy(c->vpd, buf, len);
	ep.vpd = c->vpd;
	ep.vpd_len = len;
	vsp_cfg_build_root_port(&c->port, &port);
	vsp_cfg_build_pf(&c->pf, &ep);
	vsp_cfg_build_vf(&c->vf, &ep);
	*state = c;
	return 0;
}

int config_card_destroy(void **state)
{
	struct card *c = *state;

	free(c->vpd);
	free(c);
	return 0;
}
