// SPDX-License-Identifier: GPL-2.0-only
/*
 * Configuration space requests: masked writes, write-1-to-clear, reset, and the
 * few registers whose write does something. The images are made by
 * config_image.c; who acts on the effects is host_bridge.c.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 */
#include <linux/pci_regs.h>
#ifdef __KERNEL__
#include <linux/string.h>
#else
#include <string.h>
#endif

#include "config_space.h"

u16 vsp_cfg_get16(const struct vsp_cfg *cfg, unsigned int where)
{
	return cfg->value[where] | cfg->value[where + 1] << 8;
}

u32 vsp_cfg_get32(const struct vsp_cfg *cfg, unsigned int where)
{
	return vsp_cfg_get16(cfg, where) | (u32)vsp_cfg_get16(cfg, where + 2) << 16;
}

void vsp_cfg_set16(struct vsp_cfg *cfg, unsigned int where, u16 val)
{
	cfg->value[where] = val & 0xff;
	cfg->value[where + 1] = val >> 8;
}

void vsp_cfg_set32(struct vsp_cfg *cfg, unsigned int where, u32 val)
{
	vsp_cfg_set16(cfg, where, val & 0xffff);
	vsp_cfg_set16(cfg, where + 2, val >> 16);
}

bool vsp_cfg_is_bus_master(const struct vsp_cfg *cfg)
{
	return vsp_cfg_get16(cfg, PCI_COMMAND) & PCI_COMMAND_MASTER;
}

bool vsp_cfg_is_msix_enabled(const struct vsp_cfg *cfg)
{
	return vsp_cfg_get16(cfg, VSP_CAP_MSIX + PCI_MSIX_FLAGS) & PCI_MSIX_FLAGS_ENABLE;
}

bool vsp_cfg_is_msix_masked(const struct vsp_cfg *cfg)
{
	return vsp_cfg_get16(cfg, VSP_CAP_MSIX + PCI_MSIX_FLAGS) & PCI_MSIX_FLAGS_MASKALL;
}

u16 vsp_cfg_nr_vfs(const struct vsp_cfg *cfg)
{
	if (cfg->kind != VSP_CFG_PF)
		return 0;
	if (!(vsp_cfg_get16(cfg, VSP_ECAP_SRIOV + PCI_SRIOV_CTRL) & PCI_SRIOV_CTRL_VFE))
		return 0;
	return vsp_cfg_get16(cfg, VSP_ECAP_SRIOV + PCI_SRIOV_NUM_VF);
}

/* A VF has no PM capability: its registers there read 0. */
u8 vsp_cfg_power_state(const struct vsp_cfg *cfg)
{
	return cfg->value[VSP_CAP_PM + PCI_PM_CTRL] & PCI_PM_CTRL_STATE_MASK;
}

static bool cfg_is_valid(unsigned int where, unsigned int size)
{
	return (size == 1 || size == 2 || size == 4) && !(where & (size - 1)) &&
	       where < VSP_CFG_SIZE;
}

u32 vsp_cfg_read(const struct vsp_cfg *cfg, unsigned int where, unsigned int size)
{
	if (!cfg_is_valid(where, size))
		return ~0U;
	if (size == 1)
		return cfg->value[where];
	return size == 2 ? vsp_cfg_get16(cfg, where) : vsp_cfg_get32(cfg, where);
}

static void cfg_store(struct vsp_cfg *cfg, unsigned int where, unsigned int size, u32 val)
{
	unsigned int i;

	for (i = 0; i < size; i++, val >>= 8) {
		u8 *v = &cfg->value[where + i];
		u8 b = val & 0xff;

		*v = (*v & ~cfg->wmask[where + i]) | (b & cfg->wmask[where + i]);
		*v &= ~(b & cfg->w1c[where + i]);
	}
}

static bool cfg_touches(unsigned int where, unsigned int size, unsigned int reg,
			unsigned int reg_size)
{
	return where < reg + reg_size && reg < where + size;
}

/*
 * A VPD address with F clear asks for four bytes, with F set hands four over.
 * Both are done at once, which is told by F having changed. The data is the
 * card's own and read-only, so what is handed over is dropped, as real cards do
 * outside their VPD-W area. The address is written with 16 bit, or it is only
 * half a request. (PCI 6.28.1)
 */
static u32 cfg_vpd_access(struct vsp_cfg *cfg)
{
	u16 addr = vsp_cfg_get16(cfg, VSP_CAP_VPD + PCI_VPD_ADDR);
	unsigned int at = addr & PCI_VPD_ADDR_MASK, i;
	u32 data = 0;

	if (!(addr & PCI_VPD_ADDR_F)) {
		for (i = 0; i < 4; i++)
			if (at + i < cfg->vpd_len)
				data |= (u32)cfg->vpd[at + i] << (8 * i);
		vsp_cfg_set32(cfg, VSP_CAP_VPD + PCI_VPD_DATA, data);
	}
	vsp_cfg_set16(cfg, VSP_CAP_VPD + PCI_VPD_ADDR, addr ^ PCI_VPD_ADDR_F);
	return VSP_CFG_VPD;
}

/* NumVFs is frozen while VF Enable is set. (PCIe 9.3.3.7) */
static void cfg_update_sriov_masks(struct vsp_cfg *cfg)
{
	u16 ctrl = vsp_cfg_get16(cfg, VSP_ECAP_SRIOV + PCI_SRIOV_CTRL);
	u8 mask = ctrl & PCI_SRIOV_CTRL_VFE ? 0x00 : 0xff;

	cfg->wmask[VSP_ECAP_SRIOV + PCI_SRIOV_NUM_VF] = mask;
	cfg->wmask[VSP_ECAP_SRIOV + PCI_SRIOV_NUM_VF + 1] = mask;
}

/* The self-clearing bit is not in the write mask, so look at what was written. */
static u32 cfg_endpoint_devctl(unsigned int where, unsigned int size, u32 val)
{
	unsigned int reg = VSP_CAP_EXP + PCI_EXP_DEVCTL + 1;

	if (!cfg_touches(where, size, reg, 1))
		return 0;
	if (val >> (8 * (reg - where)) & (PCI_EXP_DEVCTL_BCR_FLR >> 8))
		return VSP_CFG_FLR;
	return 0;
}

static u32 cfg_pf_effects(struct vsp_cfg *cfg, unsigned int where, unsigned int size,
			  u16 old_nr_vfs)
{
	u32 effects = 0;

	if (cfg->vpd && where <= VSP_CAP_VPD + PCI_VPD_ADDR &&
	    where + size >= VSP_CAP_VPD + PCI_VPD_ADDR + 2)
		effects |= cfg_vpd_access(cfg);
	if (cfg->value[VSP_ECAP_SRIOV] && cfg_touches(where, size, VSP_ECAP_SRIOV +
						      PCI_SRIOV_CTRL, 2)) {
		cfg_update_sriov_masks(cfg);
		if (vsp_cfg_nr_vfs(cfg) != old_nr_vfs)
			effects |= VSP_CFG_VF_ENABLE;
	}
	return effects;
}

/* There is no D1 and no D2: asking for them changes nothing. (PCIe 7.5.2.2) */
static u32 cfg_update_power(struct vsp_cfg *cfg, u8 old)
{
	u8 *pmcsr = &cfg->value[VSP_CAP_PM + PCI_PM_CTRL];
	u8 power = vsp_cfg_power_state(cfg);

	if (power == 1 || power == 2)
		*pmcsr = (*pmcsr & ~PCI_PM_CTRL_STATE_MASK) | old;
	return vsp_cfg_power_state(cfg) == old ? 0 : VSP_CFG_POWER;
}

u32 vsp_cfg_write(struct vsp_cfg *cfg, unsigned int where, unsigned int size, u32 val)
{
	u16 nr_vfs, bridge;
	bool master;
	u32 effects;
	u8 power;

	if (!cfg_is_valid(where, size))
		return 0;

	master = vsp_cfg_is_bus_master(cfg);
	nr_vfs = vsp_cfg_nr_vfs(cfg);
	bridge = vsp_cfg_get16(cfg, PCI_BRIDGE_CONTROL);
	power = vsp_cfg_power_state(cfg);
	cfg_store(cfg, where, size, val);

	effects = cfg_update_power(cfg, power);
	if (vsp_cfg_is_bus_master(cfg) != master)
		effects |= VSP_CFG_COMMAND;

	if (cfg->kind == VSP_CFG_ROOT_PORT) {
		if (~bridge & vsp_cfg_get16(cfg, PCI_BRIDGE_CONTROL) &
		    PCI_BRIDGE_CTL_BUS_RESET)
			effects |= VSP_CFG_BRIDGE_RESET;
		return effects;
	}

	if (cfg_touches(where, size, VSP_CAP_MSIX + PCI_MSIX_FLAGS, 2))
		effects |= VSP_CFG_MSIX;
	effects |= cfg_endpoint_devctl(where, size, val);
	if (cfg->kind == VSP_CFG_PF)
		effects |= cfg_pf_effects(cfg, where, size, nr_vfs);
	return effects;
}

void vsp_cfg_reset(struct vsp_cfg *cfg)
{
	unsigned int i;

	for (i = 0; i < VSP_CFG_SIZE; i++)
		cfg->value[i] = (cfg->value[i] & cfg->sticky[i]) |
				(cfg->reset[i] & ~cfg->sticky[i]);
	if (cfg->kind == VSP_CFG_PF && cfg->value[VSP_ECAP_SRIOV])
		cfg_update_sriov_masks(cfg);
}

void vsp_cfg_power_on(struct vsp_cfg *cfg)
{
	memcpy(cfg->value, cfg->reset, sizeof(cfg->value));
	if (cfg->kind == VSP_CFG_PF && cfg->value[VSP_ECAP_SRIOV])
		cfg_update_sriov_masks(cfg);
}
