/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Configuration space of one function: a 4 KiB image with a mask of writable
 * bits and one of write-1-to-clear bits, and what a write asks the device to do.
 *
 * Pure: no PCI core, no lock, no memory of its own, so the host's unit tests
 * compile the config_*.c files as they are. The caller serialises.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 */
#ifndef VSP_CONFIG_SPACE_H
#define VSP_CONFIG_SPACE_H

#include <linux/types.h>
#ifndef __KERNEL__
#include <stdbool.h>
#include <stdint.h>
typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
#endif

#define VSP_CFG_SIZE		4096

/* Where the capabilities are, in every function that has them. */
#define VSP_CAP_PM		0x40
#define VSP_CAP_MSI		0x50	/* root port */
#define VSP_CAP_EXP		0x70
#define VSP_CAP_MSIX		0xb0
#define VSP_CAP_VPD		0xd0	/* PF */
#define VSP_ECAP_AER		0x100
#define VSP_ECAP_ACS		0x148	/* root port */
#define VSP_ECAP_DSN		0x150	/* PF */
#define VSP_ECAP_ARI		0x1a0
#define VSP_ECAP_SRIOV		0x210	/* PF */

/* Effects of a write: what changed, for the caller to act upon. */
#define VSP_CFG_COMMAND		(1U << 0)	/* Bus Master Enable changed */
#define VSP_CFG_MSIX		(1U << 1)	/* MSI-X enable or function mask */
#define VSP_CFG_FLR		(1U << 2)	/* function level reset asked for */
#define VSP_CFG_VF_ENABLE	(1U << 3)	/* VF Enable or NumVFs changed */
#define VSP_CFG_BRIDGE_RESET	(1U << 4)	/* secondary bus reset begun */
#define VSP_CFG_VPD		(1U << 5)	/* VPD access done */
#define VSP_CFG_POWER		(1U << 6)	/* the power state changed */

enum vsp_cfg_kind {
	VSP_CFG_ROOT_PORT,
	VSP_CFG_PF,
	VSP_CFG_VF,
};

/**
 * struct vsp_cfg - configuration space of one function
 * @kind:    decides which registers have effects
 * @value:   what a read returns
 * @reset:   what @value becomes at reset, but for the sticky bits
 * @wmask:   bits that a write sets or clears
 * @w1c:     bits that a write of 1 clears; disjoint from @wmask
 * @sticky:  bits that survive a reset
 * @vpd:     vital product data, or NULL
 * @vpd_len: its length in bytes, at most 0x8000
 */
struct vsp_cfg {
	enum vsp_cfg_kind kind;
	u8 value[VSP_CFG_SIZE];
	u8 reset[VSP_CFG_SIZE];
	u8 wmask[VSP_CFG_SIZE];
	u8 w1c[VSP_CFG_SIZE];
	u8 sticky[VSP_CFG_SIZE];
	const u8 *vpd;
	unsigned int vpd_len;
};

/* Identity, the same for all kinds. */
struct vsp_cfg_id {
	u16 vendor;
	u16 device;
	u16 subsystem_vendor;
	u16 subsystem;
	u8 revision;
	u32 class;		/* 24 bit: class, subclass, interface */
};

/* What both ends of the link support, and have agreed upon. */
struct vsp_cfg_link {
	u8 speed;		/* 1 to 6: 2.5, 5, 8, 16, 32, 64 GT/s */
	u8 width;		/* lanes: 1, 2, 4, 8 or 16 */
};

/**
 * struct vsp_cfg_port - a root port
 * @id:       identity
 * @primary:  bus number of the port itself
 * @secondary: bus number of the card, also the last one below
 * @pref_start: first bus address of the prefetchable window, 1 MiB aligned
 * @pref_end: last bus address of it
 * @slot:     physical slot number
 * @link:     to the card
 */
struct vsp_cfg_port {
	struct vsp_cfg_id id;
	u8 primary;
	u8 secondary;
	u64 pref_start;
	u64 pref_end;
	u16 slot;
	struct vsp_cfg_link link;
};

/**
 * struct vsp_cfg_ep - an endpoint function, PF or VF
 * @id:         identity; a VF shows ffff:ffff and takes only class and subsystem
 * @fn_nr:      function number on the bus; PF only
 * @is_multi_function: there is more than one PF; PF only
 * @bar2:       bus address of BAR 2, PF only
 * @bar2_size:  a power of two, >= 4096; 0 for no BAR 2
 * @bar4:       bus address of BAR 4, PF only
 * @bar4_size:  a power of two, >= 4096
 * @vf_bar4:    bus address of the first VF's BAR 4, PF only
 * @vf_offset:  function number of the first VF less that of this PF; PF only
 * @total_vfs:  TotalVFs; 0 leaves the SR-IOV capability out; PF only
 * @vf_device:  device id that all VFs have; PF only
 * @nr_vectors: MSI-X table size, 1 to 2048
 * @msix_table: offset of the MSI-X table in BAR 4, 8 byte aligned
 * @msix_pba:   offset of the pending bit array in BAR 4, 8 byte aligned
 * @next_fn:    ARI: number of the next PF, 0 for none; PF only
 * @vpd:        vital product data, kept by reference; PF only, may be NULL
 * @vpd_len:    its length
 * @serial_number: for the Device Serial Number capability; PF only
 * @link:       to the root port
 */
struct vsp_cfg_ep {
	struct vsp_cfg_id id;
	u8 fn_nr;
	bool is_multi_function;
	u64 bar2;
	u64 bar2_size;
	u64 bar4;
	u64 bar4_size;
	u64 vf_bar4;
	u16 vf_offset;
	u16 total_vfs;
	u16 vf_device;
	u16 nr_vectors;
	u32 msix_table;
	u32 msix_pba;
	u8 next_fn;
	const u8 *vpd;
	unsigned int vpd_len;
	u64 serial_number;
	struct vsp_cfg_link link;
};

/* ---- config_image.c ---- */

void vsp_cfg_build_root_port(struct vsp_cfg *cfg, const struct vsp_cfg_port *port);
void vsp_cfg_build_pf(struct vsp_cfg *cfg, const struct vsp_cfg_ep *ep);
void vsp_cfg_build_vf(struct vsp_cfg *cfg, const struct vsp_cfg_ep *ep);

/* ---- config_vpd.c ---- */

/**
 * vsp_cfg_build_vpd() - vital product data of a card
 * @buf:     result
 * @size:    its size in bytes
 * @name:    product name
 * @part:    part number, up to 255 characters
 * @serial:  serial number, up to 255 characters
 *
 * Return: bytes used (a multiple of 4), or -ENOSPC. (PCI 6.28.2)
 */
int vsp_cfg_build_vpd(u8 *buf, unsigned int size, const char *name,
		      const char *part, const char *serial);

/* The serial number as an EUI-64, the same for the same text. (PCIe 7.9.3) */
u64 vsp_cfg_serial_number(const char *serial);

/* ---- config_space.c ---- */

/* Registers as the driver sees them, little endian; @where is inside the space. */
u16 vsp_cfg_get16(const struct vsp_cfg *cfg, unsigned int where);
u32 vsp_cfg_get32(const struct vsp_cfg *cfg, unsigned int where);

/* What the device itself shows: past the write masks, without effects. */
void vsp_cfg_set16(struct vsp_cfg *cfg, unsigned int where, u16 val);
void vsp_cfg_set32(struct vsp_cfg *cfg, unsigned int where, u32 val);

/**
 * vsp_cfg_read() - a configuration read request
 * @cfg:   the function
 * @where: offset
 * @size:  1, 2 or 4 bytes, naturally aligned
 *
 * Return: the value; all ones for a request that is out of range or unaligned
 */
u32 vsp_cfg_read(const struct vsp_cfg *cfg, unsigned int where, unsigned int size);

/**
 * vsp_cfg_write() - a configuration write request
 * @cfg:   the function
 * @where: offset
 * @size:  1, 2 or 4 bytes, naturally aligned
 * @val:   the value; bits beyond @size are ignored
 *
 * Return: VSP_CFG_* effects, 0 if there are none or the request is invalid
 */
u32 vsp_cfg_write(struct vsp_cfg *cfg, unsigned int where, unsigned int size, u32 val);

/* Function level or hot reset: back to the reset values but for sticky bits. */
void vsp_cfg_reset(struct vsp_cfg *cfg);

/* The same with the sticky bits. */
void vsp_cfg_power_on(struct vsp_cfg *cfg);

/* Predicates on the image that the bridge asks for. */
bool vsp_cfg_is_bus_master(const struct vsp_cfg *cfg);
bool vsp_cfg_is_msix_enabled(const struct vsp_cfg *cfg);
bool vsp_cfg_is_msix_masked(const struct vsp_cfg *cfg);
u16 vsp_cfg_nr_vfs(const struct vsp_cfg *cfg);	/* 0 while VF Enable is clear */
u8 vsp_cfg_power_state(const struct vsp_cfg *cfg);	/* 0: D0, 3: D3hot */

/* ---- config_port.c: the root port's slot, link, errors and interrupts ---- */

enum vsp_cfg_error {
	VSP_CFG_ERR_COR,
	VSP_CFG_ERR_NONFATAL,
	VSP_CFG_ERR_FATAL,
};

/**
 * vsp_cfg_log_error() - a function detects an error
 * @cfg:    the function, or a root port
 * @pf:     its PF, whose masks, severities and enables a VF shares; else @cfg
 * @class:  kind of the error
 * @bits:   bits of the (un)correctable error status register
 * @header: TLP header to log, 4 double words, for an uncorrectable error
 *
 * Status, device status, severity, first error pointer and header log as
 * PCIe 6.2.4 has them; one that is masked goes into the status only.
 *
 * Return: 0 if a message goes to the root port, -EPERM if it is masked or
 * reporting is disabled, -EINVAL if @bits are not of that class, or not for a VF
 */
int vsp_cfg_log_error(struct vsp_cfg *cfg, struct vsp_cfg *pf,
		      enum vsp_cfg_error class, u32 bits, const u32 *header);

/*
 * The root port receives an error message from @source, a requester id; its own is
 * on bus 0. (PCIe 6.2.4.1)
 */
void vsp_cfg_root_error(struct vsp_cfg *port, enum vsp_cfg_error class, u16 source);

/**
 * vsp_cfg_port_interrupts() - what the root port wants to interrupt for
 * @port: the root port
 *
 * Return: one bit for each cause that is both there and enabled; a message is
 * due when a bit rises (PCIe 6.7.3.4, 6.2.4.1.2). 0 while MSI is off.
 */
u32 vsp_cfg_port_interrupts(const struct vsp_cfg *port);

/* Slot power is on and the link is not disabled: a card in the slot comes up. */
bool vsp_cfg_slot_is_on(const struct vsp_cfg *port);

/* Show what is in the slot and on the link; a change sets its event bit. */
void vsp_cfg_set_slot(struct vsp_cfg *port, bool occupied, bool link_up);

/*
 * Who is below answers; not in a secondary bus reset, nor while the port is in
 * D3hot, where its link sleeps. (PCIe 7.5.1.3.13, 5.3.1.4.1)
 */
bool vsp_cfg_is_bus_reachable(const struct vsp_cfg *port);

#endif
