// SPDX-License-Identifier: GPL-2.0-only
/*
 * DMA of a function, over the card's IOTLB or the platform's translation.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * A range is walked in pieces of at most a page. begin finds a piece and keeps
 * it reachable, end lets it go; in between the CPU copies. That time is short
 * and never sleeps, as whoever takes memory away from the device, in any
 * context, waits for it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/rcupdate.h>
#include <linux/uaccess.h>

#include "../iommu/vsp_iommu.h"
#include "dma.h"
#include "trace.h"
#include "vsp.h"

static bool dma_is_card(struct vsp_fn *fn)
{
	return READ_ONCE(fn->translation) == VSP_TRANSLATE_CARD;
}

static const char *platform_fault_reason(struct vsp_fn *fn, u64 addr, u32 perm)
{
	enum vsp_iommu_mode mode = VSP_IOMMU_IDENTITY;
	struct vsp_radix_walk w = {};

	static_assert(VSP_PERM_R == VSP_RADIX_READ && VSP_PERM_W == VSP_RADIX_WRITE);
	if (fn->pci.master)
		mode = vsp_iommu_inspect(fn->pci.master, addr, &w);
	if (mode == VSP_IOMMU_NONE || mode == VSP_IOMMU_BLOCKED)
		return "platform: blocked";
	if (mode == VSP_IOMMU_PAGING && !w.size)
		return "platform: not mapped";
	if (mode == VSP_IOMMU_PAGING && !(w.perm & perm))
		return "platform: not permitted";
	return "platform: no memory";
}

/* For the trace only: looked at afterwards, when it may have changed. */
static const char *dma_fault_reason(struct vsp_fn *fn, u64 addr, size_t len, u32 perm)
{
	struct vsp_iotlb_walk w = {};

	if (!len)
		return "unmap of what is not mapped";
	if (!vsp_pci_fn_bus_master(&fn->pci))
		return "bus master is off";
	if (!dma_is_card(fn))
		return platform_fault_reason(fn, addr, perm);
	if (!vsp_iotlb_walk(&fn->iotlb, addr, &w))
		return "card: not mapped";
	return w.perm & perm ? "card: leaves the mapping" : "card: not permitted";
}

void vsp_dma_fault(struct vsp_fn *fn, u64 addr, size_t len, bool write)
{
	u32 perm = write ? VSP_PERM_W : VSP_PERM_R;

	atomic64_inc(&fn->dma_faults);
	if (trace_vsp_dma_fault_enabled())
		trace_vsp_dma_fault(&fn->pci, addr, len, perm,
				    dma_fault_reason(fn, addr, len, perm));
}

/* Return: 0, or -EFAULT, not counted yet. */
static int dma_begin(struct vsp_fn *fn, u32 group, u64 addr, size_t len, bool write,
		     struct vsp_dma_piece *p)
{
	p->as = NULL;
	if (unlikely(!vsp_pci_fn_bus_master(&fn->pci)))
		return -EFAULT;
	if (dma_is_card(fn))
		return vsp_iotlb_begin(&fn->iotlb, READ_ONCE(fn->group_asid[group]), addr,
				       len, write ? VSP_PERM_W : VSP_PERM_R, p);
	return vsp_platform_begin(fn, addr, len, write, p);
}

static void dma_end(struct vsp_dma_piece *p)
{
	if (p->lock)
		spin_unlock_irqrestore(p->lock, p->flags);
	else if (p->as)
		read_unlock_irqrestore(&p->as->lock, p->flags);
	else
		vsp_ring_mem_put(p->ring);
}

int vsp_dma_access(struct vsp_fn *fn, u32 group, u64 addr, void *buf, size_t len,
		   bool write)
{
	struct vsp_dma_piece p;

	for (; len; len -= p.len, addr += p.len, buf += p.len) {
		if (unlikely(dma_begin(fn, group, addr, len, write, &p))) {
			vsp_dma_fault(fn, addr, len, write);
			return -EFAULT;
		}
		if (write)
			memcpy(p.va, buf, p.len);
		else
			memcpy(buf, p.va, p.len);
		dma_end(&p);
	}
	return 0;
}

/* Return: bytes copied; 0: the caller's page is not there; -EFAULT: DMA fault. */
static __always_inline ssize_t dma_move_user(struct vsp_fn *fn, u64 addr,
					     void __user *uaddr, size_t len, bool write)
{
	struct vsp_dma_piece p;
	long left;

	if (unlikely(dma_begin(fn, VSP_GROUP_DATA, addr, len, write, &p))) {
		vsp_dma_fault(fn, addr, len, write);
		return -EFAULT;
	}
	if (write)
		left = copy_from_user_nofault(p.va, uaddr, p.len);
	else
		left = copy_to_user_nofault(uaddr, p.va, p.len);
	dma_end(&p);
	return left ? 0 : p.len;
}

/* As dma_move_user(), but not for a driver that has reset the device. */
static __always_inline ssize_t dma_move_user_live(struct vsp_fn *fn, u64 addr,
						  void __user *uaddr, size_t len, bool write)
{
	/*
	 * A reset waits for the backend, but not for ever; then it waits for this.
	 * Behind it addresses may mean something else. Pairs with vsp_dev_reset().
	 */
	guard(rcu)();
	if (unlikely(!vsp_dev_driver_ok(fn)))
		return -EFAULT;
	return dma_move_user(fn, addr, uaddr, len, write);
}

/* Bring the caller's page in; during an access it must not fault. */
static int fault_in_user(char __user *uaddr, size_t len, bool write)
{
	size_t n = min_t(size_t, len, VSP_DMA_PIECE_MAX);
	size_t left;

	/* The device writes the driver's memory: it reads the caller's. */
	if (write)
		left = fault_in_readable(uaddr, n);
	else
		left = fault_in_writeable(uaddr, n);
	return left ? -ENOMEM : 0;
}

int vsp_dma_copy_user(struct vsp_fn *fn, u64 addr, void __user *uaddr, size_t len,
		      bool write)
{
	unsigned int retries = 0;
	ssize_t n;

	while (len) {
		n = dma_move_user_live(fn, addr, uaddr, len, write);
		if (likely(n > 0)) {
			len -= n;
			addr += n;
			uaddr += n;
			retries = 0;
			continue;
		}
		if (n < 0)
			return n;
		/* A page can be taken away again between the two, but not for ever. */
		if (++retries > 8 || fault_in_user(uaddr, len, write))
			return -ENOMEM;
		cond_resched();
	}
	return 0;
}

/* One page of a ring that lies in ranges; the reference stays with the ring. */
static int card_ring_page(struct vsp_fn *fn, u32 group, u64 addr,
			  struct vsp_ring_mem *mem, unsigned int i)
{
	u32 perm = VSP_PERM_R | (mem->writable ? VSP_PERM_W : 0);

	mem->pages[i] = vsp_as_get_page(&fn->iotlb.as[fn->group_asid[group]], addr, perm);
	if (!mem->pages[i])
		return -EFAULT;
	__set_bit(i, &mem->held);
	return 0;
}

static int ring_page_data(struct vsp_fn *fn, u64 addr, struct vsp_ring_mem *mem,
			  unsigned int i)
{
	return card_ring_page(fn, VSP_GROUP_DATA, addr, mem, i);
}

static int ring_page_ctrl(struct vsp_fn *fn, u64 addr, struct vsp_ring_mem *mem,
			  unsigned int i)
{
	return card_ring_page(fn, VSP_GROUP_CTRL, addr, mem, i);
}

/* Of the DMA API, or somewhere in what vhost_vdpa has mapped. */
static struct vsp_ring_mem *card_ring_get(struct vsp_fn *fn, u32 group, u64 addr,
					  size_t len, bool write)
{
	if (!READ_ONCE(fn->iotlb.as[fn->group_asid[group]].nr))
		return vsp_ring_mem_get(&fn->iotlb, addr, len);
	return vsp_ring_mem_gather(fn, addr, len, write,
				   group == VSP_GROUP_CTRL ? ring_page_ctrl :
							     ring_page_data);
}

struct vsp_ring_mem *vsp_dma_ring_get(struct vsp_fn *fn, u32 group, u64 addr,
				      size_t len, bool write)
{
	struct vsp_ring_mem *mem;

	lockdep_assert_held(&fn->lock);
	if (!vsp_pci_fn_bus_master(&fn->pci))
		mem = NULL;
	else if (dma_is_card(fn))
		mem = card_ring_get(fn, group, addr, len, write);
	else
		mem = vsp_platform_ring_get(fn, addr, len, write);
	if (!mem)
		vsp_dma_fault(fn, addr, len, write);
	return mem;
}

int vsp_dma_set_translation(struct vsp_fn *fn, u64 value)
{
	unsigned int q;

	if (value != VSP_TRANSLATE_PLATFORM && value != VSP_TRANSLATE_CARD)
		return -EINVAL;

	guard(mutex)(&fn->lock);
	for (q = 0; q < fn->nr_vqs; q++)
		if (fn->vq[q].enabled)
			return -EBUSY;
	WRITE_ONCE(fn->translation, value);
	vsp_regs_publish(fn);
	return 0;
}

void vsp_dma_reset(struct vsp_fn *fn)
{
	lockdep_assert_held(&fn->lock);
	WRITE_ONCE(fn->translation, VSP_TRANSLATE_PLATFORM);
}
