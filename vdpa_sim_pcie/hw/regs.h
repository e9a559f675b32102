/* SPDX-License-Identifier: (GPL-2.0-only WITH Linux-syscall-note) OR BSD-3-Clause */
/*
 * What a driver finds behind BAR 4: registers, doorbells, mailbox, statistics.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * All little endian. The BAR is plain memory and a write to it traps nowhere.
 * So the device changes its state on mailbox commands only; the registers at 0
 * and the statistics show that state and what a driver writes there is lost.
 * A driver in user space rings by CSR2_READY and is served by polling, the
 * in-kernel driver calls vsp_hw_mailbox_ring() after it (vsp_hw.h).
 *
 *   0x00000  device registers       0x25000  mailbox message
 *   0x01000  MSI-X table            0x25280  mailbox CSR
 *   0x09000  MSI-X pending bits     0x26000  statistics
 *   0x11000  doorbells, 4 KiB each  0x27000  device configuration
 */
#ifndef VSP_REGS_H
#define VSP_REGS_H

#include <linux/types.h>

/*
 * PCI identity. "VS" in ASCII is a vendor number that the PCI-SIG has not given
 * out, so no stock driver binds and none binds by class alone. Not 1af4: the
 * stock virtio_pci would take the function and find no virtio registers.
 */
#define VSP_VENDOR_ID		0x5653
#define VSP_DEVICE_ID		0x1000	/* the PF */
#define VSP_VF_DEVICE_ID	0x1001
#define VSP_PORT_DEVICE_ID	0x0100	/* the root port above the card */

#define VSP_BAR			4
#define VSP_DDR_BAR		2	/* the card's own memory, PF 0 only */
#define VSP_BAR_SIZE		0x40000

/* ---- device registers ---------------------------------------------------- */

#define VSP_REG_MAGIC		0x000	/* VSP_MAGIC */
#define VSP_REG_VERSION		0x004
#define VSP_REG_FN_TYPE		0x008	/* VSP_FN_TYPE_* */
#define VSP_REG_LTSSM		0x00c	/* 0x11: L0 */
#define VSP_REG_RESET_COUNT	0x010	/* resets since power-on */
#define VSP_REG_LINK		0x014	/* bit 0: up */
#define VSP_REG_LINK_SPEED	0x018	/* Mbit/s */
#define VSP_REG_NR_VQS		0x01c
#define VSP_REG_DEV_FEATURES	0x020	/* 64 bit */
#define VSP_REG_DRV_FEATURES	0x028	/* 64 bit */
#define VSP_REG_STATUS		0x030	/* virtio device status */
#define VSP_REG_CONFIG_GEN	0x034	/* configuration generation */
#define VSP_REG_CONFIG_VECTOR	0x038
#define VSP_REG_MAX_VQ_SIZE	0x03c
#define VSP_REG_CONFIG_SIZE	0x040	/* bytes at VSP_BAR_CONFIG */
#define VSP_REG_TRANSLATION	0x044	/* enum vsp_translation */
#define VSP_REG_SUSPENDED	0x048	/* 1 between SUSPEND and RESUME */
#define VSP_REG_ACTIVE_PAIRS	0x04c	/* queue pairs the driver uses (MQ) */

#define VSP_REG_VQ(q)		(0x100 + (q) * 0x40)
#define VSP_REG_VQ_SIZE		0x00
#define VSP_REG_VQ_VECTOR	0x04
#define VSP_REG_VQ_ENABLE	0x08
#define VSP_REG_VQ_NOTIFY	0x0c	/* offset of the doorbell in the BAR */
#define VSP_REG_VQ_DESC		0x10
#define VSP_REG_VQ_DRIVER	0x18
#define VSP_REG_VQ_DEVICE	0x20

#define VSP_MAGIC		0x31505356	/* "VSP1" */
#define VSP_REGS_VERSION	0x00010000
#define VSP_FN_TYPE_NIC		1
#define VSP_FN_TYPE_VIRTIO	2
#define VSP_LTSSM_L0		0x11

/* ---- MSI-X, doorbells ---------------------------------------------------- */

#define VSP_BAR_MSIX_TABLE	0x01000
#define VSP_BAR_MSIX_PBA	0x09000
#define VSP_DOORBELL_SIZE	0x1000
#define VSP_BAR_DOORBELL(q)	(0x11000 + (q) * VSP_DOORBELL_SIZE)
/*
 * What the device leaves in a doorbell. A driver writes the queue's number (any
 * other value will do), 2 or 4 bytes, after the available index.
 */
#define VSP_DOORBELL_ARMED	0xffffffff

/* Fixed use of the first vectors; queues are free to take any. */
#define VSP_VECTOR_MAILBOX	0
#define VSP_VECTOR_CONFIG	1
#define VSP_VECTOR_VQ0		2

/* ---- mailbox -------------------------------------------------------------- */

#define VSP_BAR_MAILBOX		0x25000
#define VSP_BAR_MAILBOX_CSR	0x25280
/*
 * CSR2: the host sets it when the message is whole, the device clears it when it
 * has taken the command. CSR3: the device sets it when the reply is whole, the
 * host clears it by writing 1. Memory cannot clear on a write of 1, so the
 * device does that at the next command: the host starts one by writing
 * CSR2 | CSR3, then waits until CSR2 is 0 and CSR3 is 1.
 */
#define VSP_CSR2_READY		(1U << 8)
#define VSP_CSR3_READY		(1U << 12)

#define VSP_MBOX_VERSION	1

enum vsp_mbox_cmd {
	VSP_MBOX_GET_PF_RESOURCE	= 1,	/* reply: resource */
	VSP_MBOX_GET_STATUS		= 2,	/* reply: value */
	VSP_MBOX_SET_STATUS		= 3,	/* value; 0 is VSP_MBOX_RESET */
	VSP_MBOX_GET_FEATURES		= 4,	/* reply: value, the device's */
	VSP_MBOX_SET_FEATURES		= 5,	/* value, the driver's */
	VSP_MBOX_SET_VQ_ADDR		= 6,	/* vq_addr */
	VSP_MBOX_SET_VQ_SIZE		= 7,	/* vq */
	VSP_MBOX_SET_VQ_MSIX		= 8,	/* vq; index 0xffff: configuration */
	VSP_MBOX_SET_VQ_ENABLE		= 9,	/* vq */
	VSP_MBOX_GET_VQ_STATE		= 10,	/* vq; reply: vq.value, available index */
	VSP_MBOX_SET_VQ_STATE		= 11,	/* vq */
	VSP_MBOX_SUSPEND		= 12,	/* queues stand still, see below */
	VSP_MBOX_RESUME			= 13,	/* and go on where they were */
	VSP_MBOX_GET_CONFIG		= 14,	/* config; reply: config */
	VSP_MBOX_SET_CONFIG		= 15,	/* config */
	VSP_MBOX_RESET			= 16,
	VSP_MBOX_GET_STATS		= 17,	/* brings the statistics up to date */
	VSP_MBOX_SET_TRANSLATION	= 18,	/* value: enum vsp_translation */
	VSP_MBOX_SET_PAIRS		= 19,	/* value: as by the control queue's MQ */
};

/*
 * SUSPEND: once it is answered the device neither reads nor writes rings and
 * buffers, the control queue's included. Queues stay enabled, their indices are
 * frozen (GET_VQ_STATE), and what the driver makes available waits. RESUME, or a
 * reset, ends it. Both do nothing the second time. SUSPEND before DRIVER_OK is
 * -EINVAL. It waits for the backend, but not longer than the backend's time limit.
 */

/*
 * What the addresses in a function's rings are. Platform is the state after power
 * on and function level reset, and what a driver in user space has; a queue must
 * not be enabled when it changes.
 */
enum vsp_translation {
	VSP_TRANSLATE_PLATFORM	= 0,	/* DMA addresses of the PCI function */
	VSP_TRANSLATE_CARD	= 1,	/* IOVAs of the card's own IOTLB */
};

#define VSP_MBOX_VQ_CONFIG	0xffff
#define VSP_MBOX_CONFIG_MAX	64

struct vsp_mbox_vq {
	__le16 index;
	__le16 reserved;
	__le32 value;
};

struct vsp_mbox_vq_addr {
	__le16 index;
	__le16 reserved[3];
	__le64 desc;
	__le64 driver;
	__le64 device;
};

struct vsp_mbox_config {
	__le16 offset;
	__le16 len;
	__le32 reserved;
	__u8 data[VSP_MBOX_CONFIG_MAX];
};

struct vsp_mbox_resource {
	__le32 total_vfs;
	__le32 nr_vqs;
	__le32 nr_vectors;
	__le32 max_vq_size;
};

/* One layout for request and reply; the device answers in place. */
struct vsp_mbox_msg {
	__le16 version;
	__le16 cmd;
	__le32 status;		/* reply: 0 or a negative errno */
	__le64 reserved;
	union {
		__le64 value;
		struct vsp_mbox_vq vq;
		struct vsp_mbox_vq_addr vq_addr;
		struct vsp_mbox_config config;
		struct vsp_mbox_resource resource;
	};
};

/* ---- statistics ------------------------------------------------------------ */

#define VSP_BAR_STATS		0x26000
#define VSP_STAT_DMA_FAULTS	0x00
#define VSP_STAT_MBOX_COMMANDS	0x08
#define VSP_STAT_MBOX_ERRORS	0x10
#define VSP_STAT_BACKENDS_LOST	0x20	/* did not acknowledge in time */

#define VSP_STAT_VQ(q)		(0x100 + (q) * 0x80)
#define VSP_STAT_VQ_DOORBELLS	0x00
#define VSP_STAT_VQ_KICKS	0x08	/* doorbells that woke the backend */
#define VSP_STAT_VQ_PACKETS	0x10
#define VSP_STAT_VQ_BYTES	0x18
#define VSP_STAT_VQ_DROPS	0x20
#define VSP_STAT_VQ_MSIX_SENT	0x28
#define VSP_STAT_VQ_MSIX_MERGED	0x30	/* raised while one was under way */
#define VSP_STAT_VQ_MSIX_MASKED	0x38	/* went to the pending bit */

/* One block per MSI-X vector, also those that no queue uses. */
#define VSP_STAT_VECTOR(v)	(0xa00 + (v) * 0x40)
#define VSP_STAT_VECTOR_SENT	0x00	/* the handler was called so often */
#define VSP_STAT_VECTOR_MERGED	0x08	/* raised while one was under way */
#define VSP_STAT_VECTOR_MASKED	0x10	/* went to the pending bit */
#define VSP_STAT_VECTOR_DROPPED	0x18	/* MSI-X or bus mastering was off */
#define VSP_STAT_VECTOR_PENDING	0x20	/* the pending bit now */

/* ---- device configuration: struct virtio_net_config ------------------------ */

#define VSP_BAR_CONFIG		0x27000

/*
 * Features that a driver must accept (<linux/virtio_config.h> has the numbers): the
 * card knows no old layouts, and virtio_ring bypasses the DMA API for a device
 * without ACCESS_PLATFORM and puts physical addresses in the rings.
 */
#define VSP_FEATURES_REQUIRED \
	(1ULL << VIRTIO_F_VERSION_1 | 1ULL << VIRTIO_F_ACCESS_PLATFORM)

#define VSP_MTU_MIN		68	/* virtio 1.3, 5.1.4.1 */
#define VSP_MTU_MAX		9216

#endif /* VSP_REGS_H */
