// SPDX-License-Identifier: GPL-2.0-only
/*
 * The card's IOTLB for mappings that live as long as one packet; and the way from
 * an address to all kinds of them.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * IOVA = slot << 20 | offset in page: mapping is a pop from a list, looking up
 * is an index, and both ends are exact to the byte. Rings have a range of their
 * own above (ring_mem.c).
 *
 * Protection is the slot's lock: it is held, interrupts off, while the device
 * copies at most one page, and by unmap. So unmap, which may run in any
 * context, waits for the copy in flight and no other follows.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/io.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "dma.h"
#include "trace.h"
#include "vsp.h"

#define SLOT_SHIFT	20
#define SLOT_MASK	((1UL << SLOT_SHIFT) - 1)
#define CHUNK_SHIFT	7
#define CHUNK_SLOTS	(1U << CHUNK_SHIFT)
#define MAX_CHUNKS	2048U

static struct vsp_slot *iotlb_slot(struct vsp_iotlb *t, u64 iova)
{
	u64 n = iova >> SLOT_SHIFT;

	/* Pairs with the release in iotlb_grow(): the chunk before its slots. */
	if (!n || n >= smp_load_acquire(&t->nr_slots))
		return NULL;
	return &t->chunks[n >> CHUNK_SHIFT][n & (CHUNK_SLOTS - 1)];
}

static u32 iotlb_grow(struct vsp_iotlb *t)
{
	u32 chunk = t->nr_slots >> CHUNK_SHIFT, base = t->nr_slots, i;
	struct vsp_slot *slots;

	lockdep_assert_held(&t->free_lock);
	if (chunk == MAX_CHUNKS)
		return 0;
	slots = kcalloc(CHUNK_SLOTS, sizeof(*slots), GFP_ATOMIC | __GFP_NOWARN);
	if (!slots)
		return 0;
	for (i = 0; i < CHUNK_SLOTS; i++) {
		spin_lock_init(&slots[i].lock);
		slots[i].next = i + 1 < CHUNK_SLOTS ? base + i + 1 : 0;
	}
	t->chunks[chunk] = slots;
	smp_store_release(&t->nr_slots, base + CHUNK_SLOTS);
	return base ? base : 1;
}

static u32 iotlb_pop(struct vsp_iotlb *t)
{
	unsigned long flags;
	u32 n;

	spin_lock_irqsave(&t->free_lock, flags);
	n = t->free_head ? t->free_head : iotlb_grow(t);
	if (n)
		t->free_head = t->chunks[n >> CHUNK_SHIFT][n & (CHUNK_SLOTS - 1)].next;
	spin_unlock_irqrestore(&t->free_lock, flags);
	return n;
}

static void iotlb_push(struct vsp_iotlb *t, u32 n, struct vsp_slot *slot)
{
	unsigned long flags;

	spin_lock_irqsave(&t->free_lock, flags);
	slot->next = t->free_head;
	t->free_head = n;
	spin_unlock_irqrestore(&t->free_lock, flags);
}

u64 vsp_hw_iotlb_map(struct vsp_fn *fn, phys_addr_t phys, size_t len, u32 perm)
{
	struct vsp_slot *slot;
	unsigned long flags;
	u64 iova;
	u32 n;

	if (!len || len > VSP_IOTLB_MAX_LEN)
		return VSP_IOVA_ERROR;
	n = iotlb_pop(&fn->iotlb);
	if (!n)
		return VSP_IOVA_ERROR;

	slot = iotlb_slot(&fn->iotlb, (u64)n << SLOT_SHIFT);
	spin_lock_irqsave(&slot->lock, flags);
	slot->phys = phys;
	slot->len = len;
	slot->perm = perm;
	spin_unlock_irqrestore(&slot->lock, flags);
	iova = (u64)n << SLOT_SHIFT | offset_in_page(phys);
	trace_vsp_map(&fn->pci, iova, phys, len, perm);
	return iova;
}
EXPORT_SYMBOL_GPL(vsp_hw_iotlb_map);

void vsp_hw_iotlb_unmap(struct vsp_fn *fn, u64 iova)
{
	struct vsp_slot *slot = iotlb_slot(&fn->iotlb, iova);
	unsigned long flags;
	bool mapped = false;

	if (slot) {
		spin_lock_irqsave(&slot->lock, flags);
		mapped = slot->len;
		if (mapped)
			trace_vsp_unmap(&fn->pci, iova, slot->phys, slot->len, slot->perm);
		slot->len = 0;
		spin_unlock_irqrestore(&slot->lock, flags);
	}
	if (mapped)
		iotlb_push(&fn->iotlb, iova >> SLOT_SHIFT, slot);
	else
		vsp_dma_fault(fn, iova, 0, false);
}
EXPORT_SYMBOL_GPL(vsp_hw_iotlb_unmap);

static int slot_begin(struct vsp_iotlb *t, u64 iova, size_t len, u32 perm,
		      struct vsp_dma_piece *p)
{
	struct vsp_slot *slot = iotlb_slot(t, iova);
	unsigned long start;

	if (!slot)
		return -EFAULT;
	p->lock = &slot->lock;
	p->ring = NULL;
	spin_lock_irqsave(&slot->lock, p->flags);
	/* Wraps to a huge offset below the mapping's first byte. */
	start = (iova & SLOT_MASK) - offset_in_page(slot->phys);
	if (start < slot->len && (slot->perm & perm)) {
		p->va = phys_to_virt(slot->phys + start);
		p->len = min3(len, (size_t)slot->len - start, (size_t)VSP_DMA_PIECE_MAX);
		return 0;
	}
	spin_unlock_irqrestore(&slot->lock, p->flags);
	return -EFAULT;
}

static int ring_begin(struct vsp_iotlb *t, u64 iova, size_t len, struct vsp_dma_piece *p)
{
	p->len = min_t(size_t, len,
		       VSP_DMA_PIECE_MAX - (iova & (VSP_DMA_PIECE_MAX - 1)));
	p->lock = NULL;
	p->ring = vsp_ring_mem_get(t, iova, p->len);
	if (!p->ring)
		return -EFAULT;
	p->va = p->ring->va + (iova - p->ring->iova);
	return 0;
}

/*
 * Slots and ranges use the same numbers, but one driver uses only one of them: the
 * DMA API of virtio_vdpa, or vhost_vdpa.
 */
int vsp_iotlb_begin(struct vsp_iotlb *t, u32 asid, u64 iova, size_t len, u32 perm,
		    struct vsp_dma_piece *p)
{
	if (unlikely(READ_ONCE(t->as[asid].nr)) &&
	    !vsp_as_begin(&t->as[asid], iova, len, perm, p))
		return 0;
	if (unlikely(vsp_iova_is_ring(iova)))
		return ring_begin(t, iova, len, p);
	return slot_begin(t, iova, len, perm, p);
}

static bool slot_walk(struct vsp_iotlb *t, u64 iova, struct vsp_iotlb_walk *w)
{
	struct vsp_slot *slot = iotlb_slot(t, iova);
	unsigned long flags, start;
	bool found;

	w->kind = VSP_WALK_SLOT;
	w->nr = iova >> SLOT_SHIFT;
	if (!slot)
		return false;
	spin_lock_irqsave(&slot->lock, flags);
	start = (iova & SLOT_MASK) - offset_in_page(slot->phys);
	found = start < slot->len;
	w->first = iova - start;
	w->last = w->first + slot->len - 1;
	w->phys = slot->phys + start;
	w->perm = slot->perm;
	spin_unlock_irqrestore(&slot->lock, flags);
	return found;
}

static bool ring_walk(struct vsp_iotlb *t, u64 iova, struct vsp_iotlb_walk *w)
{
	struct vsp_ring_mem *mem = vsp_ring_mem_get(t, iova, 1);

	w->kind = VSP_WALK_RING;
	w->nr = (iova & ~(1ULL << 40)) >> SLOT_SHIFT;
	if (!mem)
		return false;
	w->first = mem->iova;
	w->last = mem->iova + mem->size - 1;
	w->phys = virt_to_phys(mem->va + (iova - mem->iova));
	w->perm = VSP_PERM_R | VSP_PERM_W;
	vsp_ring_mem_put(mem);
	return true;
}

static bool range_walk(struct vsp_iotlb *t, u64 iova, struct vsp_iotlb_walk *w)
{
	u32 asid;

	w->kind = VSP_WALK_RANGE;
	for (asid = 0; asid < VSP_NR_ASIDS; asid++) {
		w->nr = asid;
		if (vsp_as_walk(&t->as[asid], iova, w))
			return true;
	}
	return false;
}

bool vsp_iotlb_walk(struct vsp_iotlb *t, u64 iova, struct vsp_iotlb_walk *w)
{
	if (range_walk(t, iova, w))
		return true;
	return vsp_iova_is_ring(iova) ? ring_walk(t, iova, w) : slot_walk(t, iova, w);
}

int vsp_iotlb_init(struct vsp_iotlb *t)
{
	unsigned int i;

	t->chunks = kvcalloc(MAX_CHUNKS, sizeof(*t->chunks), GFP_KERNEL);
	if (!t->chunks)
		return -ENOMEM;
	spin_lock_init(&t->free_lock);
	vsp_ring_mem_init(t);
	for (i = 0; i < VSP_NR_ASIDS; i++)
		vsp_as_init(&t->as[i]);
	return 0;
}

void vsp_iotlb_fini(struct vsp_iotlb *t)
{
	u32 i;

	vsp_ring_mem_fini(t);
	for (i = 0; i < VSP_NR_ASIDS; i++)
		vsp_range_table_free(&t->as[i]);
	for (i = 0; i < t->nr_slots >> CHUNK_SHIFT; i++)
		kfree(t->chunks[i]);
	kvfree(t->chunks);
}
