/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The virtio half of the card: one struct vsp_fn per PCI function.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Order of locks, outermost first:
 *
 *   fn->mbox_lock      one mailbox command at a time; held while waiting for a
 *                      backend's acknowledgement
 *   vsp_forward_lock   the built-in data path, or none, uses the rings
 *   fn->lock           device state: status, features, queues, session
 *   mmap_lock          of a process: never taken below fn->lock; mapping memory for
 *                      the device comes with it held
 *   fn->map_lock       which ring pages a queue has; page faults take it
 *   vsp_as.sem         ranges of an address space; page faults take it
 *   (spinlocks, any context) session->event_lock, fn->kick_lock,
 *   iotlb.ring_lock, iotlb.free_lock, slot->lock, vsp_as.lock: never nested
 *
 * The queue of a backend's eventfd is locked below fn->lock and fn->kick_lock;
 * only vsp_msix.lock comes below it (call.c).
 */
#ifndef VSP_H
#define VSP_H

#include <linux/cdev.h>
#include <linux/eventfd.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <linux/xarray.h>

#include "../uapi/vdpa_sim_pcie.h"
#include "pci.h"
#include "ranges.h"
#include "regs.h"
#include "vsp_hw.h"
#include <vrl/vring.h>

#define VSP_MAX_VQ_SIZE		1024
#define VSP_NR_RING_AREAS	3

struct vsp_dma_piece;
struct vsp_session;

/* ---- iotlb.c, ring_mem.c --------------------------------------------------- */

/*
 * A mapping of the card's IOTLB. The slot number is the upper part of its IOVA,
 * so a lookup is an index and a comparison. @lock is held while the device
 * touches the memory: unmap waits for it, and nobody touches it afterwards.
 */
struct vsp_slot {
	spinlock_t lock;
	u32 len;		/* 0: not mapped */
	phys_addr_t phys;
	u32 perm;
	u32 next;		/* free list */
};

struct vsp_iotlb {
	struct vsp_slot **chunks;
	u32 nr_slots;		/* grows; slots below it exist */
	u32 free_head;		/* 0: none, slot 0 is never used */
	spinlock_t free_lock;	/* chunks, nr_slots, free_head, slot->next */
	struct xarray rings;	/* struct vsp_ring_mem by ring number */
	struct vsp_as as[VSP_NR_ASIDS];
};

/*
 * Pages of a driver's rings, one piece in the kernel's address space; whoever
 * looks at them holds a reference. Or they are anybody's pages, gathered for one
 * queue: those of platform translation, and those in a range of the card's.
 */
struct vsp_ring_mem {
	struct kref ref;
	void *va;
	size_t size;		/* whole pages */
	u64 iova;		/* of va */
	bool is_gathered;
	bool writable;		/* by the device */
	unsigned long held;	/* gathered: pages with a reference of ours */
	struct page *pages[];	/* gathered */
};

int vsp_iotlb_init(struct vsp_iotlb *t);
void vsp_iotlb_fini(struct vsp_iotlb *t);

/**
 * vsp_iotlb_begin() - find memory and keep it mapped, for vsp_dma_access() and such
 * @t:    table
 * @asid: whose ranges, if @iova is no handle; below VSP_NR_ASIDS
 * @iova: first byte
 * @len:  bytes, more than 0
 * @perm: VSP_PERM_R or VSP_PERM_W
 * @p:    out: the first piece of it; dma.c ends the access
 *
 * Any context. Return: 0, or -EFAULT: not mapped for that.
 */
int vsp_iotlb_begin(struct vsp_iotlb *t, u32 asid, u64 iova, size_t len, u32 perm,
		    struct vsp_dma_piece *p);

enum vsp_walk_kind {
	VSP_WALK_SLOT,
	VSP_WALK_RING,
	VSP_WALK_RANGE,
};

/* What the IOTLB has for an IOVA: @first to @last is mapped as one. */
struct vsp_iotlb_walk {
	enum vsp_walk_kind kind;
	u64 nr;			/* of slot or ring; the ASID of a range */
	u64 first, last;
	phys_addr_t phys;	/* of the IOVA asked for */
	u32 perm;
};

/**
 * vsp_iotlb_walk() - look up an IOVA to show it
 * @t:    table
 * @iova: any
 * @w:    filled in; @kind and @nr also if nothing is mapped
 *
 * Any context; counts no fault. Return: true if @iova is mapped.
 */
bool vsp_iotlb_walk(struct vsp_iotlb *t, u64 iova, struct vsp_iotlb_walk *w);

void vsp_ring_mem_init(struct vsp_iotlb *t);
void vsp_ring_mem_fini(struct vsp_iotlb *t);

/**
 * vsp_ring_mem_get() - take a reference to the ring memory at an IOVA
 *
 * Any context. Return: the memory if [@iova, @iova + @len) lies in it, or NULL.
 */
struct vsp_ring_mem *vsp_ring_mem_get(struct vsp_iotlb *t, u64 iova, size_t len);
void vsp_ring_mem_put(struct vsp_ring_mem *mem);

/* The page @offset bytes, below its size, into the memory. */
struct page *vsp_ring_mem_page(struct vsp_ring_mem *mem, size_t offset);

/*
 * Find page @i of @mem, which is at @addr, and note it in mem->pages, with its bit
 * in mem->held if a reference was taken. Return: 0 or a negative errno.
 */
typedef int (*vsp_ring_page_fn)(struct vsp_fn *fn, u64 addr, struct vsp_ring_mem *mem,
				unsigned int i);

/**
 * vsp_ring_mem_gather() - make a ring's pages, wherever they are, one piece
 * @fn:    function
 * @addr:  first byte
 * @len:   bytes, more than 0
 * @write: the device writes it, too
 * @find:  finds one page
 *
 * Process context. vsp_ring_mem_put() lets go.
 *
 * Return: the memory, or NULL: a page was not found, too many, or no memory
 */
struct vsp_ring_mem *vsp_ring_mem_gather(struct vsp_fn *fn, u64 addr, size_t len,
					 bool write, vsp_ring_page_fn find);

static inline bool vsp_iova_is_ring(u64 iova)
{
	return iova >> 40;
}

/* ---- the function ------------------------------------------------------------ */

struct vsp_vq {
	u16 index;
	u16 vector;
	u32 size;
	bool enabled;
	bool stopping;		/* a disable waits for the backend */
	u16 last_avail;
	u64 addr[VSP_NR_RING_AREAS];
	struct vsp_ring_mem *mem[VSP_NR_RING_AREAS];	/* while enabled; map_lock */
	struct eventfd_ctx *kick;			/* kick_lock */
	atomic64_t doorbells;
	u64 polled_rings;	/* @doorbells at the last look; poll.c alone */
	atomic64_t kicks;
	/* moved by the kernel, and by backends that have gone */
	u64 packets;
	u64 bytes;
	u64 drops;
};

/* A queue that the kernel itself works on: ctrl_vq.c, forward.c; see kvq.c. */
struct vsp_kvq {
	struct vrl_vq vrl;
	struct vsp_fn *fn;
	u32 group;		/* VSP_GROUP_* */
	bool on;
};

/* Arrays for one burst of it, for chains of up to VRL_CHAIN_MAX segments. */
struct vsp_kburst {
	u32 group;		/* VSP_GROUP_*, whose buffers they are */
	struct vrl_burst b;
	struct vrl_chain *chains;
	struct vrl_seg *segs;
};

/* Why a function's queues stand still; any of them is enough. */
#define VSP_HELD_SUSPEND	BIT(0)	/* by VSP_MBOX_SUSPEND */
#define VSP_HELD_POWER		BIT(1)	/* D3hot */

struct vsp_fn {
	struct vsp_pci_fn pci;
	unsigned int index;		/* in the card; the char device's minor */
	bool plugged;			/* lock */

	struct mutex mbox_lock;
	struct work_struct mbox_work;
	u64 mbox_commands;
	u64 mbox_errors;

	struct mutex lock;
	u8 status;
	u8 held;			/* VSP_HELD_*; queues stand still */
	u64 device_features;
	u64 driver_features;
	u16 config_vector;
	u16 active_pairs;
	u32 config_gen;
	u32 reset_count;
	bool link_up;
	u32 link_speed;
	struct virtio_net_config config;
	unsigned int nr_vqs;
	unsigned int ctrl_index;
	struct vsp_vq vq[VSP_MAX_VQS];

	struct mutex map_lock;
	u32 translation;		/* enum vsp_translation; lock to write */
	struct vsp_iotlb iotlb;
	u32 group_asid[VSP_NR_GROUPS];	/* lock to write */
	atomic64_t dma_faults;

	struct vsp_session *session;	/* lock */
	spinlock_t kick_lock;
	struct vsp_be_page *be_page;	/* kick_lock; while a session is attached */
	u64 backends_lost;
	struct device *chrdev;

	struct work_struct ctrl_work;
	struct vsp_kvq ctrl;
	struct vsp_kburst *ctrl_burst;

	struct work_struct forward_work;
	struct vsp_kvq forward_rx;	/* to the driver, queue 0 */
	struct vsp_kvq forward_tx;	/* from the driver, queue 1 */
};

static inline struct vsp_fn *vsp_fn(struct vsp_pci_fn *pci)
{
	return container_of(pci, struct vsp_fn, pci);
}

/* The control queue is a group of its own, so that a VMM can keep it to itself. */
static inline u32 vsp_vq_group(const struct vsp_fn *fn, unsigned int q)
{
	return q == fn->ctrl_index ? VSP_GROUP_CTRL : VSP_GROUP_DATA;
}

/* The driver maps ranges, and so a backend's window has something to show. */
static inline bool vsp_fn_has_ranges(const struct vsp_fn *fn)
{
	return READ_ONCE(fn->iotlb.as[0].nr) || READ_ONCE(fn->iotlb.as[1].nr);
}

/* Bytes of the card's memory that are this function's. */
static inline u64 vsp_fn_ddr_size(const struct vsp_fn *fn)
{
	return fn->index ? 0 : fn->pci.card->ddr_size;
}

#define fn_info(fn, fmt, ...) \
	pr_info("%s: " fmt, vsp_pci_fn_name(&(fn)->pci), ##__VA_ARGS__)
#define fn_warn_ratelimited(fn, fmt, ...) \
	pr_warn_ratelimited("%s: " fmt, vsp_pci_fn_name(&(fn)->pci), ##__VA_ARGS__)

/* function.c */
int vsp_functions_init(void);
void vsp_functions_exit(void);
extern struct workqueue_struct *vsp_wq;
void vsp_fn_look(struct vsp_fn *fn, unsigned int q);

/* poll.c */
int vsp_poll_start(struct vsp_card *card);
void vsp_poll_stop(void);

/* registers.c: what the BAR shows */
void vsp_regs_init(struct vsp_fn *fn);
void vsp_regs_publish(struct vsp_fn *fn);
void vsp_regs_publish_vq(struct vsp_fn *fn, unsigned int q);
void vsp_regs_publish_config(struct vsp_fn *fn);
void vsp_stats_publish(struct vsp_fn *fn);

/* mailbox.c */
void vsp_mailbox_init(struct vsp_fn *fn);
bool vsp_mailbox_pending(struct vsp_fn *fn);

/* virtio_dev.c: the commands of the mailbox; fn->mbox_lock held */
void vsp_dev_init(struct vsp_fn *fn);
void vsp_dev_default_mac(struct vsp_fn *fn);
int vsp_dev_set_status(struct vsp_fn *fn, u64 status);
int vsp_dev_set_features(struct vsp_fn *fn, u64 features);
int vsp_dev_set_config(struct vsp_fn *fn, unsigned int off, const void *src,
		       unsigned int len);
int vsp_dev_reset(struct vsp_fn *fn, enum vsp_event_type why);

/**
 * vsp_dev_hold() - have all queues of a function stand still
 * @fn:  function
 * @why: one of VSP_HELD_*
 *
 * Process context, fn->mbox_lock held. On return neither the kernel nor the
 * backend touches rings or buffers, indices are frozen and queues stay enabled.
 * Waits for the backend, within its time limit.
 */
void vsp_dev_hold(struct vsp_fn *fn, u8 why);

/* Undoes it: the queues go on unless there is another reason. */
void vsp_dev_release(struct vsp_fn *fn, u8 why);
/* Tell the backend about one reason of fn->held. fn->lock held. */
u64 vsp_dev_post_held(struct vsp_fn *fn, u8 why);
/* fn->lock held */
int vsp_dev_set_pairs(struct vsp_fn *fn, u64 pairs);
void vsp_dev_config_changed(struct vsp_fn *fn);
void vsp_dev_set_link(struct vsp_fn *fn, bool up, u32 speed_mbps);
void vsp_dev_needs_reset(struct vsp_fn *fn, unsigned int q, const char *why);

static inline bool vsp_dev_driver_ok(struct vsp_fn *fn)
{
	return READ_ONCE(fn->status) & VIRTIO_CONFIG_S_DRIVER_OK;
}

/* The device may work on its queues. Any context. */
static inline bool vsp_dev_is_running(struct vsp_fn *fn)
{
	return vsp_dev_driver_ok(fn) && !READ_ONCE(fn->held);
}

static inline bool vsp_dev_has(struct vsp_fn *fn, unsigned int feature)
{
	return fn->driver_features & BIT_ULL(feature);
}

/* virtqueue.c; fn->mbox_lock held */
void vsp_vq_init(struct vsp_fn *fn, unsigned int q);
int vsp_vq_set_addr(struct vsp_fn *fn, unsigned int q, u64 desc, u64 driver,
		    u64 device);
int vsp_vq_set_size(struct vsp_fn *fn, unsigned int q, u32 size);
int vsp_vq_set_vector(struct vsp_fn *fn, unsigned int q, u32 vector);
int vsp_vq_set_enable(struct vsp_fn *fn, unsigned int q, u32 enable);
int vsp_vq_get_state(struct vsp_fn *fn, unsigned int q, u32 *last_avail);
int vsp_vq_set_state(struct vsp_fn *fn, unsigned int q, u32 last_avail);
/* fn->lock held */
void vsp_vq_stop(struct vsp_fn *fn, unsigned int q);
void vsp_vq_indices(struct vsp_vq *vq, u16 *last_avail, u16 *used_idx);
void *vsp_vq_area(struct vsp_vq *vq, enum vsp_ring_area area);

/* kvq.c */
struct vsp_kburst *vsp_kburst_create(unsigned int chains, unsigned int segs, u32 group);
void vsp_kburst_destroy(struct vsp_kburst *kb);
int vsp_kvq_init(struct vsp_fn *fn, unsigned int q, struct vsp_kvq *kvq);
int vsp_kvq_read(struct vsp_fn *fn, const struct vsp_kburst *kb,
		 const struct vrl_chain *c, void *buf, size_t size);
int vsp_kvq_write(struct vsp_fn *fn, const struct vsp_kburst *kb,
		  const struct vrl_chain *c, const void *buf, size_t len);
void vsp_kvq_push(struct vsp_fn *fn, unsigned int q, struct vsp_kvq *kvq,
		  const struct vrl_used_elem *used, unsigned int n);

/* ctrl_vq.c; start and stop with fn->lock held */
int vsp_ctrl_init(struct vsp_fn *fn);
void vsp_ctrl_fini(struct vsp_fn *fn);
void vsp_ctrl_kick(struct vsp_fn *fn);
void vsp_ctrl_start(struct vsp_fn *fn);
void vsp_ctrl_stop(struct vsp_fn *fn);

/* forward.c: the built-in data path, when no backend is there */
int vsp_forward_register(void);
void vsp_forward_unregister(void);
void vsp_forward_init(struct vsp_fn *fn);
bool vsp_forward_on(void);
void vsp_forward_kick(struct vsp_fn *fn, unsigned int q);
void vsp_forward_stop(struct vsp_fn *fn);
void vsp_forward_update(struct vsp_fn *fn);

/* backend.c: /dev/vsp/<function> */
int vsp_backend_register(unsigned int nr);
void vsp_backend_unregister(void);
int vsp_backend_add(struct vsp_fn *fn, struct device *parent);
void vsp_backend_remove(struct vsp_fn *fn);
void vsp_backend_kick(struct vsp_fn *fn, unsigned int q);

#endif /* VSP_H */
