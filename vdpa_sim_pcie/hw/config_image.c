// SPDX-License-Identifier: GPL-2.0-only
/*
 * Configuration images as the functions have them at power on: root port, PF,
 * VF. Register names and layouts are those
 * of linux/pci_regs.h; a value without a comment is what the specification
 * prescribes.
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

#define CFG_LNKCAP_ASPM_OPT	0x00400000	/* no ASPM is allowed */
#define CFG_LNKSTA2_EQUALIZED	0x1e		/* at 8 GT/s, all phases */
#define CFG_LNKCTL_WMASK	(PCI_EXP_LNKCTL_LD | PCI_EXP_LNKCTL_CCC | \
				 PCI_EXP_LNKCTL_ES | PCI_EXP_LNKCTL_HAWD)

#define CFG_COMMAND_WMASK	(PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | \
				 PCI_COMMAND_PARITY | PCI_COMMAND_SERR | \
				 PCI_COMMAND_INTX_DISABLE)
#define CFG_STATUS_W1C		0xf900

/* Relaxed order, no snoop, 512 byte read requests; 128 byte payload. */
#define CFG_DEVCTL_RESET	(PCI_EXP_DEVCTL_RELAX_EN | PCI_EXP_DEVCTL_NOSNOOP_EN | \
				 PCI_EXP_DEVCTL_READRQ_512B)
#define CFG_DEVCAP_PAYLOAD_512	2
#define CFG_DEVCAP2_TIMEOUT	(PCI_EXP_DEVCAP2_COMP_TMOUT_DIS | 0xf)	/* ranges A to D */

#define CFG_AER_UNC_BITS	0x07fff030
#define CFG_AER_UNC_FATAL	0x00462030
#define CFG_AER_COR_BITS	0x0000f1c1

/* PCI_HEADER_TYPE_MFD, which user space has not had for long. */
#define CFG_HEADER_MULTI	0x80

/* Page sizes of VF BARs: 4 KiB to 4 MiB, as the specification prescribes. */
#define CFG_SRIOV_PAGE_SIZES	0x00000553

static void img8(struct vsp_cfg *cfg, unsigned int where, u8 val, u8 wmask)
{
	cfg->value[where] = val;
	cfg->wmask[where] = wmask;
}

static void img16(struct vsp_cfg *cfg, unsigned int where, u16 val, u16 wmask)
{
	img8(cfg, where, val & 0xff, wmask & 0xff);
	img8(cfg, where + 1, val >> 8, wmask >> 8);
}

static void img32(struct vsp_cfg *cfg, unsigned int where, u32 val, u32 wmask)
{
	img16(cfg, where, val & 0xffff, wmask & 0xffff);
	img16(cfg, where + 2, val >> 16, wmask >> 16);
}

static void img_w1c16(struct vsp_cfg *cfg, unsigned int where, u16 mask)
{
	cfg->w1c[where] = mask & 0xff;
	cfg->w1c[where + 1] = mask >> 8;
}

static void img_w1c32(struct vsp_cfg *cfg, unsigned int where, u32 mask)
{
	img_w1c16(cfg, where, mask & 0xffff);
	img_w1c16(cfg, where + 2, mask >> 16);
}

static void img_cap(struct vsp_cfg *cfg, unsigned int where, u8 id, u8 next)
{
	img8(cfg, where + PCI_CAP_LIST_ID, id, 0);
	img8(cfg, where + PCI_CAP_LIST_NEXT, next, 0);
}

static void img_ecap(struct vsp_cfg *cfg, unsigned int where, u16 id, u8 version,
		     u16 next)
{
	img32(cfg, where, id | version << 16 | (u32)next << 20, 0);
}

static void img_header(struct vsp_cfg *cfg, const struct vsp_cfg_id *id, u8 type,
		       u8 first_cap)
{
	img16(cfg, PCI_VENDOR_ID, id->vendor, 0);
	img16(cfg, PCI_DEVICE_ID, id->device, 0);
	img16(cfg, PCI_COMMAND, 0, CFG_COMMAND_WMASK);
	img16(cfg, PCI_STATUS, PCI_STATUS_CAP_LIST, 0);
	img_w1c16(cfg, PCI_STATUS, CFG_STATUS_W1C);
	img32(cfg, PCI_CLASS_REVISION, id->revision | id->class << 8, 0);
	img8(cfg, PCI_CACHE_LINE_SIZE, 0, 0xff);
	img8(cfg, PCI_HEADER_TYPE, type, 0);
	img8(cfg, PCI_CAPABILITY_LIST, first_cap, 0);
	/* Interrupt Pin stays 0, or ACPI looks for a _PRT of our bus. */
	img8(cfg, PCI_INTERRUPT_LINE, 0, 0xff);
}

static void img_subsystem(struct vsp_cfg *cfg, const struct vsp_cfg_id *id)
{
	img16(cfg, PCI_SUBSYSTEM_VENDOR_ID, id->subsystem_vendor, 0);
	img16(cfg, PCI_SUBSYSTEM_ID, id->subsystem, 0);
}

static void img_bar64(struct vsp_cfg *cfg, unsigned int where, u64 addr, u64 size)
{
	u64 mask = ~(size - 1);

	img32(cfg, where, (addr & 0xffffffff) | PCI_BASE_ADDRESS_MEM_TYPE_64 |
	      PCI_BASE_ADDRESS_MEM_PREFETCH, mask & 0xffffffff);
	img32(cfg, where + 4, addr >> 32, mask >> 32);
}

/* No Soft Reset: coming back from D3hot keeps the configuration. */
static void img_pm(struct vsp_cfg *cfg, u8 next, u16 pme)
{
	img_cap(cfg, VSP_CAP_PM, PCI_CAP_ID_PM, next);
	img16(cfg, VSP_CAP_PM + PCI_PM_PMC, 3 | pme, 0);
	img16(cfg, VSP_CAP_PM + PCI_PM_CTRL, PCI_PM_CTRL_NO_SOFT_RESET,
	      PCI_PM_CTRL_STATE_MASK | (pme ? PCI_PM_CTRL_PME_ENABLE : 0));
	if (pme)
		img_w1c16(cfg, VSP_CAP_PM + PCI_PM_CTRL, PCI_PM_CTRL_PME_STATUS);
}

/* The link's capability is its state too; all slower speeds are supported. */
static void img_exp(struct vsp_cfg *cfg, u8 next, u16 type, const struct vsp_cfg_link *link)
{
	u32 speeds = ((1U << link->speed) - 1) << 1;

	img_cap(cfg, VSP_CAP_EXP, PCI_CAP_ID_EXP, next);
	img16(cfg, VSP_CAP_EXP + PCI_EXP_FLAGS, 2 | type << 4, 0);
	img_w1c16(cfg, VSP_CAP_EXP + PCI_EXP_DEVSTA, PCI_EXP_DEVSTA_CED |
		  PCI_EXP_DEVSTA_NFED | PCI_EXP_DEVSTA_FED | PCI_EXP_DEVSTA_URD);
	img32(cfg, VSP_CAP_EXP + PCI_EXP_LNKCAP, link->speed |
	      (u32)link->width << 4 | CFG_LNKCAP_ASPM_OPT, 0);
	img32(cfg, VSP_CAP_EXP + PCI_EXP_LNKCAP2, speeds, 0);
}

/* What a VF leaves to its PF: error reporting, payload sizes, the link. */
static void img_exp_own_link(struct vsp_cfg *cfg, const struct vsp_cfg_link *link,
			     u16 lnksta)
{
	img16(cfg, VSP_CAP_EXP + PCI_EXP_DEVCTL, CFG_DEVCTL_RESET, 0x7fff);
	img16(cfg, VSP_CAP_EXP + PCI_EXP_LNKCTL, 0, CFG_LNKCTL_WMASK);
	img16(cfg, VSP_CAP_EXP + PCI_EXP_LNKSTA, link->speed |
	      link->width << PCI_EXP_LNKSTA_NLW_SHIFT | PCI_EXP_LNKSTA_SLC |
	      lnksta, 0);
	img16(cfg, VSP_CAP_EXP + PCI_EXP_LNKCTL2, link->speed, PCI_EXP_LNKCTL2_TLS);
	if (link->speed >= PCI_EXP_LNKCAP_SLS_8_0GB)
		img16(cfg, VSP_CAP_EXP + PCI_EXP_LNKSTA2, CFG_LNKSTA2_EQUALIZED, 0);
}

static void img_aer(struct vsp_cfg *cfg, u16 next, bool is_root)
{
	unsigned int aer = VSP_ECAP_AER;

	img_ecap(cfg, aer, PCI_EXT_CAP_ID_ERR, 2, next);
	img_w1c32(cfg, aer + PCI_ERR_UNCOR_STATUS, CFG_AER_UNC_BITS);
	img32(cfg, aer + PCI_ERR_UNCOR_MASK, 0, CFG_AER_UNC_BITS);
	img32(cfg, aer + PCI_ERR_UNCOR_SEVER, CFG_AER_UNC_FATAL, CFG_AER_UNC_BITS);
	img_w1c32(cfg, aer + PCI_ERR_COR_STATUS, CFG_AER_COR_BITS);
	img32(cfg, aer + PCI_ERR_COR_MASK, PCI_ERR_COR_ADV_NFAT, CFG_AER_COR_BITS);
	if (is_root) {
		img32(cfg, aer + PCI_ERR_ROOT_COMMAND, 0, PCI_ERR_ROOT_CMD_COR_EN |
		      PCI_ERR_ROOT_CMD_NONFATAL_EN | PCI_ERR_ROOT_CMD_FATAL_EN);
		img_w1c32(cfg, aer + PCI_ERR_ROOT_STATUS, 0x7f);
	}
	memset(&cfg->sticky[aer], 0xff, PCI_ERR_ROOT_COMMAND);
}

static void img_init(struct vsp_cfg *cfg, enum vsp_cfg_kind kind)
{
	memset(cfg, 0, sizeof(*cfg));
	cfg->kind = kind;
}

static void img_done(struct vsp_cfg *cfg)
{
	memcpy(cfg->reset, cfg->value, sizeof(cfg->reset));
}

/*
 * I/O window: writable and disabled (base above limit). A hardwired zero would
 * read as the window 0 to 0xfff, which nobody can claim.
 */
static void img_port_windows(struct vsp_cfg *cfg, const struct vsp_cfg_port *port)
{
	img8(cfg, PCI_PRIMARY_BUS, port->primary, 0xff);
	img8(cfg, PCI_SECONDARY_BUS, port->secondary, 0xff);
	img8(cfg, PCI_SUBORDINATE_BUS, port->secondary, 0xff);
	img8(cfg, PCI_IO_BASE, 0xf0, 0xf0);
	img8(cfg, PCI_IO_LIMIT, 0x00, 0xf0);
	img_w1c16(cfg, PCI_SEC_STATUS, CFG_STATUS_W1C);
	img16(cfg, PCI_MEMORY_BASE, 0xfff0, 0xfff0);
	img16(cfg, PCI_MEMORY_LIMIT, 0x0000, 0xfff0);
	img16(cfg, PCI_PREF_MEMORY_BASE, (port->pref_start >> 16 & 0xfff0) |
	      PCI_PREF_RANGE_TYPE_64, 0xfff0);
	img16(cfg, PCI_PREF_MEMORY_LIMIT, (port->pref_end >> 16 & 0xfff0) |
	      PCI_PREF_RANGE_TYPE_64, 0xfff0);
	img32(cfg, PCI_PREF_BASE_UPPER32, port->pref_start >> 32, 0xffffffff);
	img32(cfg, PCI_PREF_LIMIT_UPPER32, port->pref_end >> 32, 0xffffffff);
	img16(cfg, PCI_BRIDGE_CONTROL, 0, PCI_BRIDGE_CTL_PARITY |
	      PCI_BRIDGE_CTL_SERR | PCI_BRIDGE_CTL_ISA | PCI_BRIDGE_CTL_BUS_RESET);
}

/* Occupied slot, link up. No Command Completed: commands act at once. */
static void img_port_slot(struct vsp_cfg *cfg, u16 slot)
{
	img16(cfg, VSP_CAP_EXP + PCI_EXP_FLAGS, 2 | PCI_EXP_TYPE_ROOT_PORT << 4 |
	      PCI_EXP_FLAGS_SLOT, 0);
	img32(cfg, VSP_CAP_EXP + PCI_EXP_SLTCAP, PCI_EXP_SLTCAP_PCP |
	      PCI_EXP_SLTCAP_HPS | PCI_EXP_SLTCAP_HPC | PCI_EXP_SLTCAP_NCCS | (u32)slot << 19, 0);
	img16(cfg, VSP_CAP_EXP + PCI_EXP_SLTCTL, 0, PCI_EXP_SLTCTL_PDCE |
	      PCI_EXP_SLTCTL_HPIE | PCI_EXP_SLTCTL_PCC | PCI_EXP_SLTCTL_DLLSCE);
	img16(cfg, VSP_CAP_EXP + PCI_EXP_SLTSTA, PCI_EXP_SLTSTA_PDS, 0);
	img_w1c16(cfg, VSP_CAP_EXP + PCI_EXP_SLTSTA, PCI_EXP_SLTSTA_PDC |
		  PCI_EXP_SLTSTA_DLLSC);
}

static void img_port_exp(struct vsp_cfg *cfg, const struct vsp_cfg_port *port)
{
	unsigned int exp = VSP_CAP_EXP;

	img_exp(cfg, 0, PCI_EXP_TYPE_ROOT_PORT, &port->link);
	img_exp_own_link(cfg, &port->link, PCI_EXP_LNKSTA_DLLLA);
	img_port_slot(cfg, port->slot);
	img32(cfg, exp + PCI_EXP_DEVCAP, CFG_DEVCAP_PAYLOAD_512 |
	      PCI_EXP_DEVCAP_EXT_TAG | PCI_EXP_DEVCAP_RBER, 0);
	vsp_cfg_set32(cfg, exp + PCI_EXP_LNKCAP, PCI_EXP_LNKCAP_DLLLARC |
		      vsp_cfg_get32(cfg, exp + PCI_EXP_LNKCAP));
	/* System errors, PME interrupt, and "retry" visible to software. */
	img16(cfg, exp + PCI_EXP_RTCTL, 0, 0x1f);
	img16(cfg, exp + PCI_EXP_RTCAP, PCI_EXP_RTCAP_CRSVIS, 0);
	img_w1c32(cfg, exp + PCI_EXP_RTSTA, PCI_EXP_RTSTA_PME);
	img32(cfg, exp + PCI_EXP_DEVCAP2, CFG_DEVCAP2_TIMEOUT | PCI_EXP_DEVCAP2_ARI, 0);
	img16(cfg, exp + PCI_EXP_DEVCTL2, 0, PCI_EXP_DEVCTL2_COMP_TIMEOUT |
	      PCI_EXP_DEVCTL2_COMP_TMOUT_DIS | PCI_EXP_DEVCTL2_ARI);
}

void vsp_cfg_build_root_port(struct vsp_cfg *cfg, const struct vsp_cfg_port *port)
{
	u16 acs = PCI_ACS_SV | PCI_ACS_RR | PCI_ACS_CR | PCI_ACS_UF;

	img_init(cfg, VSP_CFG_ROOT_PORT);
	img_header(cfg, &port->id, PCI_HEADER_TYPE_BRIDGE, VSP_CAP_PM);
	cfg->wmask[PCI_COMMAND] |= PCI_COMMAND_IO;
	img_port_windows(cfg, port);
	img_pm(cfg, VSP_CAP_MSI, 0xc800);	/* PME in D0, D3hot, D3cold */

	img_cap(cfg, VSP_CAP_MSI, PCI_CAP_ID_MSI, VSP_CAP_EXP);
	img16(cfg, VSP_CAP_MSI + PCI_MSI_FLAGS, PCI_MSI_FLAGS_64BIT, PCI_MSI_FLAGS_ENABLE);
	img32(cfg, VSP_CAP_MSI + PCI_MSI_ADDRESS_LO, 0, 0xfffffffc);
	img32(cfg, VSP_CAP_MSI + PCI_MSI_ADDRESS_HI, 0, 0xffffffff);
	img16(cfg, VSP_CAP_MSI + PCI_MSI_DATA_64, 0, 0xffff);

	img_port_exp(cfg, port);
	img_aer(cfg, VSP_ECAP_ACS, true);

	/*
	 * Enabled at power on, which other ports leave to the kernel: modules
	 * cannot ask it for that, and without these bits all functions of the
	 * card fall into one IOMMU group.
	 */
	img_ecap(cfg, VSP_ECAP_ACS, PCI_EXT_CAP_ID_ACS, 1, 0);
	img16(cfg, VSP_ECAP_ACS + PCI_ACS_CAP, acs | PCI_ACS_TB, 0);
	img16(cfg, VSP_ECAP_ACS + PCI_ACS_CTRL, acs, acs | PCI_ACS_TB);
	img_done(cfg);
}

static void img_ep_common(struct vsp_cfg *cfg, const struct vsp_cfg_ep *ep, u8 after_msix)
{
	img_subsystem(cfg, &ep->id);
	img32(cfg, VSP_CAP_EXP + PCI_EXP_DEVCAP, CFG_DEVCAP_PAYLOAD_512 |
	      PCI_EXP_DEVCAP_EXT_TAG | PCI_EXP_DEVCAP_RBER | PCI_EXP_DEVCAP_FLR, 0);
	img32(cfg, VSP_CAP_EXP + PCI_EXP_DEVCAP2, CFG_DEVCAP2_TIMEOUT, 0);

	img_cap(cfg, VSP_CAP_MSIX, PCI_CAP_ID_MSIX, after_msix);
	img16(cfg, VSP_CAP_MSIX + PCI_MSIX_FLAGS, (ep->nr_vectors - 1) &
	      PCI_MSIX_FLAGS_QSIZE, PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	img32(cfg, VSP_CAP_MSIX + PCI_MSIX_TABLE, ep->msix_table | 4, 0);
	img32(cfg, VSP_CAP_MSIX + PCI_MSIX_PBA, ep->msix_pba | 4, 0);
}

static void img_dsn(struct vsp_cfg *cfg, u64 number, u16 next)
{
	img_ecap(cfg, VSP_ECAP_DSN, PCI_EXT_CAP_ID_DSN, 1, next);
	img32(cfg, VSP_ECAP_DSN + 4, number & 0xffffffff, 0);
	img32(cfg, VSP_ECAP_DSN + 8, number >> 32, 0);
}

static void img_ari(struct vsp_cfg *cfg, u8 next_fn, u16 next)
{
	img_ecap(cfg, VSP_ECAP_ARI, PCI_EXT_CAP_ID_ARI, 1, next);
	img16(cfg, VSP_ECAP_ARI + PCI_ARI_CAP, next_fn << 8, 0);
}

static void img_sriov(struct vsp_cfg *cfg, const struct vsp_cfg_ep *ep)
{
	unsigned int s = VSP_ECAP_SRIOV;

	img_ecap(cfg, s, PCI_EXT_CAP_ID_SRIOV, 1, 0);
	/* VF offset and stride are the same with ARI and without. */
	img32(cfg, s + PCI_SRIOV_CAP, 0x2, 0);
	img16(cfg, s + PCI_SRIOV_CTRL, 0, PCI_SRIOV_CTRL_VFE | PCI_SRIOV_CTRL_MSE |
	      PCI_SRIOV_CTRL_ARI);
	img16(cfg, s + PCI_SRIOV_INITIAL_VF, ep->total_vfs, 0);
	img16(cfg, s + PCI_SRIOV_TOTAL_VF, ep->total_vfs, 0);
	img16(cfg, s + PCI_SRIOV_NUM_VF, 0, 0xffff);
	/* Depends on no other function, which its own number says. */
	img8(cfg, s + PCI_SRIOV_FUNC_LINK, ep->fn_nr, 0);
	img16(cfg, s + PCI_SRIOV_VF_OFFSET, ep->vf_offset, 0);
	img16(cfg, s + PCI_SRIOV_VF_STRIDE, 1, 0);
	img16(cfg, s + PCI_SRIOV_VF_DID, ep->vf_device, 0);
	img32(cfg, s + PCI_SRIOV_SUP_PGSIZE, CFG_SRIOV_PAGE_SIZES, 0);
	img32(cfg, s + PCI_SRIOV_SYS_PGSIZE, 1, CFG_SRIOV_PAGE_SIZES);
	img_bar64(cfg, s + PCI_SRIOV_BAR + 16, ep->vf_bar4, ep->bar4_size);
}

void vsp_cfg_build_pf(struct vsp_cfg *cfg, const struct vsp_cfg_ep *ep)
{
	img_init(cfg, VSP_CFG_PF);
	img_header(cfg, &ep->id, PCI_HEADER_TYPE_NORMAL |
		   (ep->is_multi_function ? CFG_HEADER_MULTI : 0), VSP_CAP_PM);
	if (ep->bar2_size)
		img_bar64(cfg, PCI_BASE_ADDRESS_2, ep->bar2, ep->bar2_size);
	img_bar64(cfg, PCI_BASE_ADDRESS_4, ep->bar4, ep->bar4_size);
	img_pm(cfg, VSP_CAP_EXP, 0);
	img_exp(cfg, VSP_CAP_MSIX, PCI_EXP_TYPE_ENDPOINT, &ep->link);
	img_exp_own_link(cfg, &ep->link, 0);
	img16(cfg, VSP_CAP_EXP + PCI_EXP_DEVCTL2, 0, PCI_EXP_DEVCTL2_COMP_TIMEOUT |
	      PCI_EXP_DEVCTL2_COMP_TMOUT_DIS);
	img_ep_common(cfg, ep, ep->vpd ? VSP_CAP_VPD : 0);
	if (ep->vpd) {
		img_cap(cfg, VSP_CAP_VPD, PCI_CAP_ID_VPD, 0);
		img16(cfg, VSP_CAP_VPD + PCI_VPD_ADDR, 0, 0xffff);
		img32(cfg, VSP_CAP_VPD + PCI_VPD_DATA, 0, 0xffffffff);
		cfg->vpd = ep->vpd;
		cfg->vpd_len = ep->vpd_len;
	}
	img_aer(cfg, VSP_ECAP_DSN, false);
	img_dsn(cfg, ep->serial_number, VSP_ECAP_ARI);
	img_ari(cfg, ep->next_fn, ep->total_vfs ? VSP_ECAP_SRIOV : 0);
	if (ep->total_vfs)
		img_sriov(cfg, ep);
	img_done(cfg);
}

void vsp_cfg_build_vf(struct vsp_cfg *cfg, const struct vsp_cfg_ep *ep)
{
	/*
	 * The ids come from the PF's SR-IOV capability (PCIe 9.3.4.1). Without the
	 * optional PM capability a VF is in its PF's power state (PCIe 9.6.1).
	 */
	struct vsp_cfg_id id = ep->id;

	id.vendor = 0xffff;
	id.device = 0xffff;
	img_init(cfg, VSP_CFG_VF);
	img_header(cfg, &id, PCI_HEADER_TYPE_NORMAL, VSP_CAP_EXP);
	/* Memory decoding of all VFs is the PF's VF MSE bit. */
	img16(cfg, PCI_COMMAND, 0, PCI_COMMAND_MASTER);
	img_exp(cfg, VSP_CAP_MSIX, PCI_EXP_TYPE_ENDPOINT, &ep->link);
	img_ep_common(cfg, ep, 0);
	img_aer(cfg, VSP_ECAP_ARI, false);
	img_ari(cfg, 0, 0);
	img_done(cfg);
}
