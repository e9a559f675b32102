/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The PCI half of the simulated card: structures shared by the files that make
 * it a PCI device (host_bridge.c, config_space.c, window.c, msix.c, main.c) and
 * what they offer to, and want from, the virtio half (function.c and others).
 *
 * Lock order: vsp_card.slot_lock, a function's plug_lock, vsp_card.cfg_lock,
 * vsp_msix.lock. The last two are raw and taken
 * with interrupts off, because the PCI core asks for configuration space
 * without a lock and from any context.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 */
#ifndef VSP_PCI_H
#define VSP_PCI_H

#include <linux/atomic.h>
#include <linux/irq_work.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "../compat.h"
#include "config_space.h"
#include "regs.h"

#define VSP_MAX_PFS		8u
#define VSP_MAX_VFS		31u		/* of one PF */
/* As many as a bus with ARI can have. */
#define VSP_MAX_FNS		(VSP_MAX_PFS * (1u + VSP_MAX_VFS))
#define VSP_MAX_QUEUE_PAIRS	8u
/* Mailbox, configuration change, control queue; then two per queue pair. */
#define VSP_MSIX_FIXED_VECTORS	3u
#define VSP_MSIX_MIN_VECTORS	11u
#define VSP_MSIX_MAX_VECTORS	(VSP_MSIX_FIXED_VECTORS + 2u * VSP_MAX_QUEUE_PAIRS)

/* Bus numbers of the root port and of what is behind it; the slot's number. */
#define VSP_ROOT_BUS		0
#define VSP_CARD_BUS		1
#define VSP_SLOT_NR		7

struct vsp_card;
struct vsp_iommu_master;
struct vsp_pci_fn;
struct vsp_window;

enum vsp_pci_kind {
	VSP_PCI_ROOT_PORT,
	VSP_PCI_PF,
	VSP_PCI_VF,
};

struct vsp_msix_vec {
	struct vsp_pci_fn *fn;
	unsigned int nr;
	unsigned int virq;		/* 0 while no interrupt is allocated */
	unsigned int cpu;		/* where smp_affinity wants it */
	atomic_t in_flight;		/* message sent, handler not yet called */
	call_single_data_t csd;
	struct irq_work work;
	atomic64_t sent;
	atomic64_t coalesced;
	atomic64_t masked;
	atomic64_t dropped;
};

struct vsp_msix {
	raw_spinlock_t lock;		/* pending and its image in the PBA */
	u32 pending;
	bool enabled;			/* MSI-X Enable and Bus Master Enable */
	bool function_mask;
	unsigned int nr_vectors;
	struct vsp_msix_vec *vec;
};

/**
 * struct vsp_msix_stats - what became of the raised interrupts of one vector
 * @sent:      messages sent to a CPU; each calls the handler once
 * @coalesced: raised while an earlier message had not reached its handler
 * @masked:    raised while masked, latched in the pending bit array
 * @dropped:   raised while MSI-X or bus mastering was off, or not allocated
 * @pending:   the pending bit of the moment
 */
struct vsp_msix_stats {
	u64 sent;
	u64 coalesced;
	u64 masked;
	u64 dropped;
	bool pending;
};

/**
 * struct vsp_pci_fn - one PCI function of the card, or its root port
 * @card:      the card it belongs to
 * @kind:      root port, PF or VF
 * @index:     place in vsp_card.fn, equal to its devfn on the card's bus: first
 *             the PFs, then the VFs of PF 0, those of PF 1 and so on
 * @vf_index:  VF number of its PF, from 0; meaningless for other kinds
 * @present:   answers in configuration space; a VF only while VF Enable is set
 *             and its number is below NumVFs. Protected by vsp_card.cfg_lock
 * @in_reset:  a function level reset runs; configuration reads answer "retry".
 *             Protected by vsp_card.cfg_lock
 * @cfg:       configuration space image; protected by vsp_card.cfg_lock
 * @bar4:      the module's own mapping of BAR 4, valid from vsp_fn_plugged()
 *             to vsp_fn_free(), whatever a driver does with the BAR. NULL for
 *             the root port
 * @bar4_phys: CPU physical address of BAR 4
 * @msix:      MSI-X delivery state
 * @pf:        the PF it belongs to; a PF is its own. NULL for the root port
 * @master:    who its DMA comes from, for the IOMMU in front of the card; NULL if
 *             there is none. From vsp_platform_create() to vsp_platform_destroy()
 * @power_state: 0 for D0, 3 for D3hot; protected by vsp_card.cfg_lock
 * @pdev:      the kernel's device while plugged, else NULL; the PCI half holds a
 *             reference from vsp_fn_plugged() to vsp_fn_unplugged()
 * @plug_lock: @plugged, and calls of the virtio half about plug and reset
 * @plugged:   vsp_fn_plugged() returned 0 for @pdev
 * @flr_work:  calls vsp_fn_flr() in process context
 * @power_work: calls vsp_fn_power() in process context
 * @is_blank:  BAR 4 reads all ones, slot_lock
 * @debug_dir: directory in debugfs, while plugged; the root port's always
 * @debug_nodes: what its files point to (debugfs.c)
 * @name:      "10000:01:00.1"
 */
struct vsp_pci_fn {
	struct vsp_card *card;
	enum vsp_pci_kind kind;
	unsigned int index;
	unsigned int vf_index;
	bool present;
	bool in_reset;
	struct vsp_cfg *cfg;
	void __iomem *bar4;
	phys_addr_t bar4_phys;
	struct vsp_msix msix;
	struct vsp_pci_fn *pf;
	struct vsp_iommu_master *master;
	u8 power_state;
	struct pci_dev *pdev;
	struct mutex plug_lock;
	bool plugged;
	struct work_struct flr_work;
	struct work_struct power_work;
	bool is_blank;
	struct dentry *debug_dir;
	struct debug_node *debug_nodes;
	char name[24];
};

/**
 * struct vsp_card - the card, its root port and its host bridge
 * @sysdata:      what every bus of the card carries in bus->sysdata; this is how
 *                our own devices are told from others, as bus->ops may be
 *                swapped by aer_inject
 * @cfg_lock:     all configuration images and which functions are present
 * @port:         the root port, 00.0 on the root bus
 * @fn:           the functions of the card, @nr_fns of them
 * @nr_pfs:       physical functions, 1 to VSP_MAX_PFS
 * @total_vfs:    TotalVFs of each PF
 * @queue_pairs:  data queue pairs per function
 * @nr_vectors:   MSI-X table size per function
 * @id:           identity of PF and VFs; the device id is the PF's
 * @vf_device:    device id of the VFs
 * @vpd:          vital product data, @vpd_len bytes
 * @serial_number: the serial number in it, as a number
 * @link:         between root port and card
 * @ddr_size:     the card's own memory, BAR 2 of PF 0; bytes, 0 for none
 * @window:       memory behind all BARs
 * @msi_domain:   parent of the interrupt domains of all functions
 * @msix_unmask:  the PCI core's own callbacks, which ours go around
 * @msix_startup: likewise; NULL where the kernel has none
 * @wq:           function level resets, power states, the slot
 * @port_irqs:    causes of the port's interrupt that are there, cfg_lock
 * @slot_lock:    one change of the slot at a time; outside of cfg_lock
 * @is_occupied:  the card is in its slot, slot_lock to write
 * @is_up:        and answers; slot_lock and cfg_lock to write
 * @slot_work:    makes the card come up or go down
 * @is_scanned:   the first scan is over: what is found now has been hot-added
 *                and its BARs are claimed one by one
 * @domain_nr:    PCI domain
 */
struct vsp_card {
	struct vsp_pci_sysdata sysdata;
	raw_spinlock_t cfg_lock;
	struct vsp_pci_fn port;
	struct vsp_pci_fn **fn;
	unsigned int nr_fns;
	unsigned int nr_pfs;
	unsigned int total_vfs;
	unsigned int queue_pairs;
	unsigned int nr_vectors;
	struct vsp_cfg_id id;
	u16 vf_device;
	u8 vpd[256];
	unsigned int vpd_len;
	u64 serial_number;
	struct vsp_cfg_link link;
	u64 ddr_size;

	struct vsp_window *window;
	struct irq_domain *msi_domain;
	struct fwnode_handle *msi_fwnode;
	void (*msix_unmask)(struct irq_data *d);
	unsigned int (*msix_startup)(struct irq_data *d);
	struct workqueue_struct *wq;

	u32 port_irqs;
	struct mutex slot_lock;
	bool is_occupied;
	bool is_up;
	struct work_struct slot_work;

	struct platform_device *parent;
	struct pci_host_bridge *bridge;
	struct resource bus_res;
	struct resource io_res;
	struct resource mem32_res;
	struct notifier_block nb;
	bool is_scanned;
	int domain_nr;
};

/*
 * Index of VF 0 of the PF with index @pf: all PFs come first, then the VFs of each
 * of them, so that the VFs' BARs lie side by side.
 */
static inline unsigned int vsp_first_vf(const struct vsp_card *card, unsigned int pf)
{
	return card->nr_pfs + pf * card->total_vfs;
}

/* ---- wanted from the virtio half (function.c) ---- */

/**
 * vsp_fn_alloc() - allocate one function of the card
 * @card:  the card; its parameters (total_vfs, queue_pairs, nr_vectors) are set
 * @index: place in vsp_card.fn, as in struct vsp_pci_fn
 *
 * Process context, at module load. The result is the zeroed member @pci of the
 * caller's own structure; the PCI half fills it after this returned, so that it
 * may be used from vsp_fn_plugged() on.
 *
 * Return: the function, or an ERR_PTR
 */
struct vsp_pci_fn *vsp_fn_alloc(struct vsp_card *card, unsigned int index);

/* Undoes vsp_fn_alloc(); the function is unplugged and no work of it runs. */
void vsp_fn_free(struct vsp_pci_fn *fn);

/**
 * vsp_fn_plugged() - the kernel has found the function
 * @fn: the function; @fn->pdev is valid, no driver is bound yet
 *
 * Process context, from the bus notifier (BUS_NOTIFY_ADD_DEVICE), device lock
 * and the PCI rescan lock may be held. An error is logged by the caller and
 * leaves the function without what failed; vsp_fn_unplugged() is then not
 * called.
 *
 * Return: 0 or a negative errno
 */
int vsp_fn_plugged(struct vsp_pci_fn *fn);

/*
 * The function goes. Process context, from BUS_NOTIFY_REMOVED_DEVICE: the
 * driver is unbound, a reset in progress has ended, @fn->pdev is still valid
 * until this returns.
 */
void vsp_fn_unplugged(struct vsp_pci_fn *fn);

/*
 * Function level reset: the device state of the function goes back to what it
 * was at power on. Process context (a work item). Configuration space, MSI-X
 * table and pending bits are already reset; until this returns the function
 * answers configuration reads with "retry", so the kernel waits for it. Never
 * runs beside vsp_fn_plugged() and vsp_fn_unplugged() of the same function.
 */
void vsp_fn_flr(struct vsp_pci_fn *fn);

/*
 * The function's power state is now @d_state (0: D0, 3: D3hot). Process context, a
 * work item; runs beside neither of the above. Going to D3hot, on return the
 * backend touches no queue; the state of the function is kept.
 */
void vsp_fn_power(struct vsp_pci_fn *fn, unsigned int d_state);

/* ---- root_port.c: what goes on at the card's slot ---- */

/**
 * vsp_slot_unplug() - pull the card out of its slot, without a warning
 * @card: the card
 *
 * Process context. Configuration reads and BARs give all ones at once; the root
 * port reports Presence Detect Changed and link down, and pciehp removes the
 * functions some time later. (PCIe 6.7.3)
 *
 * Return: 0, or -ENODEV if it is out already
 */
int vsp_slot_unplug(struct vsp_card *card);

/**
 * vsp_slot_plug() - put the card back, as after power on
 * @card: the card
 *
 * Process context. pciehp finds the functions some time later.
 *
 * Return: 0; -EEXIST if it is in; -EBUSY while the kernel still has functions of
 * the card that was pulled
 */
int vsp_slot_plug(struct vsp_card *card);

bool vsp_slot_is_occupied(const struct vsp_card *card);

/* At load: the card is in. */
void vsp_slot_init(struct vsp_card *card);

/* A register of the root port was written. cfg_lock held. */
void vsp_port_written(struct vsp_card *card);

/* Status of the root port has changed: send its interrupt if due. cfg_lock held. */
void vsp_port_update(struct vsp_card *card);

/* ---- aer.c: errors that the card reports ---- */

enum vsp_aer_class {
	VSP_AER_CORRECTABLE,
	VSP_AER_NONFATAL,
	VSP_AER_FATAL,
};

/**
 * vsp_aer_inject() - have a function detect an error and report it
 * @fn:    the function, or the root port itself
 * @class: kind of message that is sent to the root port
 * @bits:  bits of the (un)correctable error status register; 0 takes a usual one
 *         of the class
 *
 * Process context. Status, header log, source id and the root port's interrupt
 * follow the rules for logging and signalling (PCIe 6.2), masks included. For an
 * uncorrectable error the severity register is made to agree with @class.
 *
 * Return: 0; -EINVAL: @bits are not of that class; -ENODEV: the function is not
 * there, or in reset; -EPERM: masked, or reporting is disabled in Device Control
 */
int vsp_aer_inject(struct vsp_pci_fn *fn, enum vsp_aer_class class, u32 bits);

/* ---- platform.c: the IOMMU in front of the card ---- */

/* Before the bus is scanned. Process context. Return: 0 or -ENOMEM. */
int vsp_platform_create(struct vsp_card *card);

/* Undoes it; the bus has gone. */
void vsp_platform_destroy(struct vsp_card *card);

/*
 * The kernel has found a function, or the root port: before the IOMMU core looks
 * at it, say which IOMMU it is behind. Process context.
 */
void vsp_platform_claim(struct vsp_pci_fn *fn, struct pci_dev *pdev);

/* ---- main.c ---- */

/* The card, or NULL before and after its life. */
struct vsp_card *vsp_card_get_only(void);

/* ---- host_bridge.c ---- */

/**
 * vsp_bridge_create() - put the card on a PCI bus of its own
 * @card: functions, window and MSI domain exist
 *
 * Process context. The bus is scanned and drivers are bound before it returns.
 *
 * Return: 0 or a negative errno; nothing is left behind then
 */
int vsp_bridge_create(struct vsp_card *card);

/* Undoes it: drivers are unbound, all functions unplugged, no reset runs. */
void vsp_bridge_destroy(struct vsp_card *card);

/**
 * vsp_pci_fn_of() - the simulated function behind a PCI device
 * @pdev: any PCI device; the caller holds a reference
 *
 * Any context. The result lives as long as @pdev is plugged.
 *
 * Return: the function, or NULL if @pdev is not a function of this card (the
 * root port is none)
 */
struct vsp_pci_fn *vsp_pci_fn_of(struct pci_dev *pdev);

/* The same, and the root port too. */
struct vsp_pci_fn *vsp_bridge_find(struct vsp_card *card, struct pci_dev *pdev);

/*
 * The PCI half of a reset, at once; the virtio half follows in process context,
 * and until it is done the function answers "retry". A function that is not
 * plugged has no virtio half to wait for. cfg_lock held.
 */
void vsp_bridge_reset_fn(struct vsp_pci_fn *fn);

/* Bus Master Enable of the command register. Any context. */
bool vsp_pci_fn_bus_master(const struct vsp_pci_fn *fn);

/* "10000:01:00.1"; valid from the scan of the bus on. */
const char *vsp_pci_fn_name(const struct vsp_pci_fn *fn);

/* ---- debugfs.c: /sys/kernel/debug/vsp ---- */

/* The directory of all, before the first function and after the last. */
void vsp_debugfs_init(void);
void vsp_debugfs_exit(void);

/*
 * The directory of one function or of the root port. Process context; the caller
 * excludes the one against the other. On return from vsp_debugfs_remove() nobody
 * is in one of its files, so it may be called with no lock that those take.
 */
void vsp_debugfs_add(struct vsp_pci_fn *fn);
void vsp_debugfs_remove(struct vsp_pci_fn *fn);

/* ---- images.c ---- */

/* Configuration space of all functions, the root port too, as at power on. */
void vsp_images_build(struct vsp_card *card);

/* ---- window.c ---- */

struct vsp_window *vsp_window_create(u64 ddr_size, u64 bars_size);
void vsp_window_destroy(struct vsp_window *w);
/* First the card's memory, naturally aligned, then the BARs 4. */
struct resource *vsp_window_resource(struct vsp_window *w);
/* The part that the BARs 4 are in: its address, and the module's mapping of it. */
phys_addr_t vsp_window_bars(struct vsp_window *w);
void __iomem *vsp_window_io(struct vsp_window *w);

/* ---- msix.c ---- */

int vsp_msix_domain_create(struct vsp_card *card);
void vsp_msix_domain_destroy(struct vsp_card *card);
/* The function's vectors; @fn->bar4 is set unless @fn is the root port. */
int vsp_msix_init(struct vsp_pci_fn *fn, unsigned int nr_vectors);
/* Waits for messages on their way; nobody raises one any more. */
void vsp_msix_fini(struct vsp_pci_fn *fn);

/* Table back to "all masked, no message", nothing pending. cfg_lock held. */
void vsp_msix_reset(struct vsp_pci_fn *fn);

/* Take over the enable and mask bits of @fn's configuration. cfg_lock held. */
void vsp_msix_update(struct vsp_pci_fn *fn);

/**
 * vsp_msix_raise() - send the message of one vector
 * @fn:     the function
 * @vector: index in the MSI-X table; an out-of-range one is ignored
 *
 * Any context but NMI. The handler runs later, in hard interrupt context on the
 * CPU that smp_affinity chose; memory written before the call is visible to it.
 * A vector that is masked, by its own bit or by the function mask, sets its
 * pending bit and is delivered once when unmasked. (PCIe 6.1.4)
 *
 * Return: true if delivered, coalesced with one on the way, or pending; false
 * if @vector is out of range, has no interrupt, or the function may not send
 * messages (MSI-X or bus mastering off)
 */
bool vsp_msix_raise(struct vsp_pci_fn *fn, unsigned int vector);

/**
 * vsp_msix_poll() - deliver pending vectors that were unmasked by hand
 * @fn: the function
 *
 * Any context but NMI. A write to the MSI-X table that does not come through
 * the kernel's interrupt code cannot be trapped; whoever polls the function's
 * registers calls this as well. Costs one load when nothing is pending.
 *
 * Return: true if one was delivered
 */
bool vsp_msix_poll(struct vsp_pci_fn *fn);

/**
 * vsp_msix_stats() - counters of one vector since module load
 * @fn:     the function
 * @vector: index in the MSI-X table
 * @stats:  filled in; all zero if @vector is out of range
 *
 * Any context.
 */
void vsp_msix_stats(const struct vsp_pci_fn *fn, unsigned int vector,
		    struct vsp_msix_stats *stats);

#endif
