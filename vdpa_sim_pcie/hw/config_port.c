// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the root port does with events: its slot and link registers, the way of
 * an error from a function's AER capability to the root's, and which of all that
 * asks for an interrupt. Pure, as config_space.c is; who sends the interrupt and
 * makes the card come and go is root_port.c.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 */
#include <linux/pci_regs.h>
#ifdef __KERNEL__
#include <linux/errno.h>
#else
#include <errno.h>
#endif

#include "config_space.h"

#define EXP(reg)	(VSP_CAP_EXP + (reg))
#define AER(reg)	(VSP_ECAP_AER + (reg))

#define PORT_COR_BITS	0x0000f1c1
#define PORT_UNC_BITS	0x07fff030

/* Errors that a VF logs for itself; those of the link are its PF's. (PCIe 9.4.2) */
#define PORT_VF_UNC_BITS (PCI_ERR_UNC_POISON_TLP | PCI_ERR_UNC_COMP_TIME | \
			  PCI_ERR_UNC_COMP_ABORT | PCI_ERR_UNC_UNX_COMP | \
			  PCI_ERR_UNC_UNSUP | PCI_ERR_UNC_ACSV)
#define PORT_VF_COR_BITS PCI_ERR_COR_ADV_NFAT

/* Causes of the port's interrupt. */
#define PORT_IRQ_HOTPLUG	(1U << 0)
#define PORT_IRQ_COR		(1U << 1)
#define PORT_IRQ_NONFATAL	(1U << 2)
#define PORT_IRQ_FATAL		(1U << 3)
#define PORT_IRQ_PME		(1U << 4)

static void port_set_bits32(struct vsp_cfg *cfg, unsigned int where, u32 bits)
{
	vsp_cfg_set32(cfg, where, vsp_cfg_get32(cfg, where) | bits);
}

static void port_set_bits16(struct vsp_cfg *cfg, unsigned int where, u16 bits)
{
	vsp_cfg_set16(cfg, where, vsp_cfg_get16(cfg, where) | bits);
}

/* ---- errors ---- */

static bool port_is_error_of(const struct vsp_cfg *cfg, enum vsp_cfg_error class, u32 bits)
{
	u32 known = class == VSP_CFG_ERR_COR ? PORT_COR_BITS : PORT_UNC_BITS;

	if (cfg->kind == VSP_CFG_VF)
		known &= class == VSP_CFG_ERR_COR ? PORT_VF_COR_BITS : PORT_VF_UNC_BITS;
	return bits && !(bits & ~known);
}

static bool port_is_reporting_on(const struct vsp_cfg *pf, enum vsp_cfg_error class)
{
	u16 ctl = vsp_cfg_get16(pf, EXP(PCI_EXP_DEVCTL));
	u16 command = vsp_cfg_get16(pf, PCI_COMMAND);

	switch (class) {
	case VSP_CFG_ERR_COR:
		return ctl & PCI_EXP_DEVCTL_CERE;
	case VSP_CFG_ERR_NONFATAL:
		return ctl & PCI_EXP_DEVCTL_NFERE || command & PCI_COMMAND_SERR;
	default:
		return ctl & PCI_EXP_DEVCTL_FERE || command & PCI_COMMAND_SERR;
	}
}

static void port_log_header(struct vsp_cfg *cfg, u32 bits, const u32 *header)
{
	u32 cap = vsp_cfg_get32(cfg, AER(PCI_ERR_CAP));
	unsigned int i, first = 0;

	while (!(bits >> first & 1))
		first++;
	vsp_cfg_set32(cfg, AER(PCI_ERR_CAP), (cap & ~PCI_ERR_CAP_FEP(~0U)) | first);
	for (i = 0; i < 4; i++)
		vsp_cfg_set32(cfg, AER(PCI_ERR_HEADER_LOG + 4 * i), header[i]);
}

static int port_log_uncorrectable(struct vsp_cfg *cfg, struct vsp_cfg *pf,
				  enum vsp_cfg_error class, u32 bits, const u32 *header)
{
	u32 severity = vsp_cfg_get32(pf, AER(PCI_ERR_UNCOR_SEVER));
	u32 mask = vsp_cfg_get32(pf, AER(PCI_ERR_UNCOR_MASK));
	u32 old = vsp_cfg_get32(cfg, AER(PCI_ERR_UNCOR_STATUS));

	severity = class == VSP_CFG_ERR_FATAL ? severity | bits : severity & ~bits;
	vsp_cfg_set32(pf, AER(PCI_ERR_UNCOR_SEVER), severity);
	port_set_bits32(cfg, AER(PCI_ERR_UNCOR_STATUS), bits);
	bits &= ~mask;
	if (!bits)
		return -EPERM;
	/* The first error's header stays until software has cleared its status. */
	if (!(old & ~mask))
		port_log_header(cfg, bits, header);
	return 0;
}

int vsp_cfg_log_error(struct vsp_cfg *cfg, struct vsp_cfg *pf,
		      enum vsp_cfg_error class, u32 bits, const u32 *header)
{
	static const u16 device_status[] = {
		[VSP_CFG_ERR_COR]	= PCI_EXP_DEVSTA_CED,
		[VSP_CFG_ERR_NONFATAL]	= PCI_EXP_DEVSTA_NFED,
		[VSP_CFG_ERR_FATAL]	= PCI_EXP_DEVSTA_FED,
	};
	int ret = 0;

	if (!port_is_error_of(cfg, class, bits))
		return -EINVAL;

	port_set_bits16(cfg, EXP(PCI_EXP_DEVSTA), device_status[class]);
	if (class != VSP_CFG_ERR_COR) {
		if (bits & PCI_ERR_UNC_UNSUP)
			port_set_bits16(cfg, EXP(PCI_EXP_DEVSTA), PCI_EXP_DEVSTA_URD);
		ret = port_log_uncorrectable(cfg, pf, class, bits, header);
	} else {
		port_set_bits32(cfg, AER(PCI_ERR_COR_STATUS), bits);
		if (!(bits & ~vsp_cfg_get32(pf, AER(PCI_ERR_COR_MASK))))
			ret = -EPERM;
	}
	if (!ret && !port_is_reporting_on(pf, class))
		ret = -EPERM;
	/* Not for a message that Device Control alone has enabled. (PCIe 7.5.1.1.4) */
	if (!ret && class != VSP_CFG_ERR_COR &&
	    vsp_cfg_get16(pf, PCI_COMMAND) & PCI_COMMAND_SERR)
		port_set_bits16(cfg, PCI_STATUS, PCI_STATUS_SIG_SYSTEM_ERROR);
	return ret;
}

void vsp_cfg_root_error(struct vsp_cfg *port, enum vsp_cfg_error class, u16 source)
{
	u32 old = vsp_cfg_get32(port, AER(PCI_ERR_ROOT_STATUS)), add;

	if (class == VSP_CFG_ERR_COR) {
		add = PCI_ERR_ROOT_COR_RCV;
		if (old & PCI_ERR_ROOT_COR_RCV)
			add = PCI_ERR_ROOT_MULTI_COR_RCV;
		else
			vsp_cfg_set16(port, AER(PCI_ERR_ROOT_ERR_SRC), source);
		port_set_bits32(port, AER(PCI_ERR_ROOT_STATUS), add);
		return;
	}
	add = class == VSP_CFG_ERR_FATAL ? PCI_ERR_ROOT_FATAL_RCV :
					   PCI_ERR_ROOT_NONFATAL_RCV;
	if (old & PCI_ERR_ROOT_UNCOR_RCV) {
		add |= PCI_ERR_ROOT_MULTI_UNCOR_RCV;
	} else {
		add |= PCI_ERR_ROOT_UNCOR_RCV;
		if (class == VSP_CFG_ERR_FATAL)
			add |= PCI_ERR_ROOT_FIRST_FATAL;
		vsp_cfg_set16(port, AER(PCI_ERR_ROOT_ERR_SRC + 2), source);
	}
	port_set_bits32(port, AER(PCI_ERR_ROOT_STATUS), add);
	/* On this side of the bridge the bit is Received System Error. */
	if (source >> 8)
		port_set_bits16(port, PCI_SEC_STATUS, PCI_STATUS_SIG_SYSTEM_ERROR);
}

/* ---- interrupts ---- */

static bool port_wants_hotplug(const struct vsp_cfg *port)
{
	u16 ctl = vsp_cfg_get16(port, EXP(PCI_EXP_SLTCTL));
	u16 sta = vsp_cfg_get16(port, EXP(PCI_EXP_SLTSTA));

	if (!(ctl & PCI_EXP_SLTCTL_HPIE))
		return false;
	return (ctl & PCI_EXP_SLTCTL_PDCE && sta & PCI_EXP_SLTSTA_PDC) ||
	       (ctl & PCI_EXP_SLTCTL_DLLSCE && sta & PCI_EXP_SLTSTA_DLLSC);
}

static u32 port_error_interrupts(const struct vsp_cfg *port)
{
	u32 command = vsp_cfg_get32(port, AER(PCI_ERR_ROOT_COMMAND));
	u32 status = vsp_cfg_get32(port, AER(PCI_ERR_ROOT_STATUS));
	u32 irqs = 0;

	if (command & PCI_ERR_ROOT_CMD_COR_EN && status & PCI_ERR_ROOT_COR_RCV)
		irqs |= PORT_IRQ_COR;
	if (command & PCI_ERR_ROOT_CMD_NONFATAL_EN && status & PCI_ERR_ROOT_NONFATAL_RCV)
		irqs |= PORT_IRQ_NONFATAL;
	if (command & PCI_ERR_ROOT_CMD_FATAL_EN && status & PCI_ERR_ROOT_FATAL_RCV)
		irqs |= PORT_IRQ_FATAL;
	return irqs;
}

u32 vsp_cfg_port_interrupts(const struct vsp_cfg *port)
{
	u32 irqs;

	if (!(vsp_cfg_get16(port, VSP_CAP_MSI + PCI_MSI_FLAGS) & PCI_MSI_FLAGS_ENABLE) ||
	    !vsp_cfg_is_bus_master(port))
		return 0;
	irqs = port_error_interrupts(port);
	if (port_wants_hotplug(port))
		irqs |= PORT_IRQ_HOTPLUG;
	if (vsp_cfg_get16(port, EXP(PCI_EXP_RTCTL)) & PCI_EXP_RTCTL_PMEIE &&
	    vsp_cfg_get32(port, EXP(PCI_EXP_RTSTA)) & PCI_EXP_RTSTA_PME)
		irqs |= PORT_IRQ_PME;
	return irqs;
}

/* ---- slot and link ---- */

bool vsp_cfg_slot_is_on(const struct vsp_cfg *port)
{
	return !(vsp_cfg_get16(port, EXP(PCI_EXP_SLTCTL)) & PCI_EXP_SLTCTL_PCC) &&
	       !(vsp_cfg_get16(port, EXP(PCI_EXP_LNKCTL)) & PCI_EXP_LNKCTL_LD);
}

void vsp_cfg_set_slot(struct vsp_cfg *port, bool occupied, bool link_up)
{
	u16 slot = vsp_cfg_get16(port, EXP(PCI_EXP_SLTSTA));
	u16 link = vsp_cfg_get16(port, EXP(PCI_EXP_LNKSTA));

	if (!!(slot & PCI_EXP_SLTSTA_PDS) != occupied)
		slot = (slot ^ PCI_EXP_SLTSTA_PDS) | PCI_EXP_SLTSTA_PDC;
	if (!!(link & PCI_EXP_LNKSTA_DLLLA) != link_up) {
		link ^= PCI_EXP_LNKSTA_DLLLA;
		slot |= PCI_EXP_SLTSTA_DLLSC;
	}
	vsp_cfg_set16(port, EXP(PCI_EXP_LNKSTA), link);
	vsp_cfg_set16(port, EXP(PCI_EXP_SLTSTA), slot);
}

bool vsp_cfg_is_bus_reachable(const struct vsp_cfg *port)
{
	return !vsp_cfg_power_state(port) &&
	       !(vsp_cfg_get16(port, PCI_BRIDGE_CONTROL) & PCI_BRIDGE_CTL_BUS_RESET);
}
