// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of virtqueue rings: allocated for the driver, mapped for the device.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * A backend has the pages in its address space while the queue is enabled, and
 * the queue a reference: when the driver frees its ring before that, the pages
 * stay what they are and never become somebody else's memory under the backend.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "dma.h"
#include "vsp.h"

#define RING_BASE	(1ULL << 40)
#define RING_SHIFT	20
#define RING_LIMIT	XA_LIMIT(0, 1023)

static void gathered_let_go(struct vsp_ring_mem *mem)
{
	unsigned long i;

	for_each_set_bit(i, &mem->held, BITS_PER_LONG)
		folio_put(page_folio(mem->pages[i]));
}

/* Process context. */
static void gathered_release(struct vsp_ring_mem *mem)
{
	vunmap(mem->va);
	gathered_let_go(mem);
}

static void ring_mem_release(struct kref *ref)
{
	struct vsp_ring_mem *mem = container_of(ref, struct vsp_ring_mem, ref);

	if (mem->is_gathered)
		gathered_release(mem);
	else
		free_pages_exact(mem->va, mem->size);
	kfree(mem);
}

void vsp_ring_mem_put(struct vsp_ring_mem *mem)
{
	if (mem)
		kref_put(&mem->ref, ring_mem_release);
}

struct vsp_ring_mem *vsp_ring_mem_get(struct vsp_iotlb *t, u64 iova, size_t len)
{
	u64 n = (iova - RING_BASE) >> RING_SHIFT;
	struct vsp_ring_mem *mem;
	unsigned long flags;
	u64 off;

	if (iova < RING_BASE || n > RING_LIMIT.max)
		return NULL;
	xa_lock_irqsave(&t->rings, flags);
	mem = xa_load(&t->rings, n);
	if (mem) {
		off = iova - mem->iova;
		if (off >= mem->size || len > mem->size - off)
			mem = NULL;
		else
			kref_get(&mem->ref);
	}
	xa_unlock_irqrestore(&t->rings, flags);
	return mem;
}

struct page *vsp_ring_mem_page(struct vsp_ring_mem *mem, size_t offset)
{
	if (mem->is_gathered)
		return mem->pages[offset >> PAGE_SHIFT];
	return virt_to_page(mem->va + offset);
}

struct vsp_ring_mem *vsp_ring_mem_gather(struct vsp_fn *fn, u64 addr, size_t len,
					 bool write, vsp_ring_page_fn find)
{
	u64 first = addr & PAGE_MASK;
	struct vsp_ring_mem *mem;
	unsigned int i, nr;

	if (addr + len < addr)
		return NULL;
	nr = (PAGE_ALIGN(addr + len) - first) >> PAGE_SHIFT;
	if (nr > BITS_PER_LONG)
		return NULL;
	mem = kzalloc(struct_size(mem, pages, nr), GFP_KERNEL);
	if (!mem)
		return NULL;
	kref_init(&mem->ref);
	mem->is_gathered = true;
	mem->writable = write;
	mem->iova = first;
	mem->size = (size_t)nr << PAGE_SHIFT;
	for (i = 0; i < nr; i++)
		if (find(fn, first + ((u64)i << PAGE_SHIFT), mem, i))
			goto err_let_go;
	mem->va = vmap(mem->pages, nr, VM_MAP, PAGE_KERNEL);
	if (!mem->va)
		goto err_let_go;
	return mem;

err_let_go:
	gathered_let_go(mem);
	kfree(mem);
	return NULL;
}

void *vsp_hw_ring_alloc(struct vsp_fn *fn, size_t size, u64 *iova, gfp_t gfp)
{
	struct vsp_ring_mem *mem;
	unsigned long flags;
	int ret;
	u32 n;

	if (!size || size > VSP_IOTLB_RING_MAX_LEN)
		return NULL;
	mem = kzalloc(sizeof(*mem), gfpflags_allow_blocking(gfp) ? GFP_KERNEL : GFP_ATOMIC);
	if (!mem)
		return NULL;
	kref_init(&mem->ref);
	mem->writable = true;
	mem->size = PAGE_ALIGN(size);
	mem->va = alloc_pages_exact(mem->size, (gfp & ~__GFP_COMP) | __GFP_ZERO);
	if (!mem->va)
		goto err_alloc;
	/* A reader of the table sees the entry with its IOVA, or not at all. */
	xa_lock_irqsave(&fn->iotlb.rings, flags);
	ret = __xa_alloc(&fn->iotlb.rings, &n, mem, RING_LIMIT, GFP_ATOMIC);
	if (!ret)
		mem->iova = RING_BASE + ((u64)n << RING_SHIFT);
	xa_unlock_irqrestore(&fn->iotlb.rings, flags);
	if (ret)
		goto err_pages;
	*iova = mem->iova;
	return mem->va;

err_pages:
	free_pages_exact(mem->va, mem->size);
err_alloc:
	kfree(mem);
	return NULL;
}
EXPORT_SYMBOL_GPL(vsp_hw_ring_alloc);

void vsp_hw_ring_free(struct vsp_fn *fn, u64 iova)
{
	u64 n = (iova - RING_BASE) >> RING_SHIFT;
	struct vsp_ring_mem *mem = NULL;
	unsigned long flags;

	if (iova >= RING_BASE && n <= RING_LIMIT.max) {
		xa_lock_irqsave(&fn->iotlb.rings, flags);
		mem = __xa_erase(&fn->iotlb.rings, n);
		xa_unlock_irqrestore(&fn->iotlb.rings, flags);
	}
	vsp_ring_mem_put(mem);
}
EXPORT_SYMBOL_GPL(vsp_hw_ring_free);

void vsp_ring_mem_init(struct vsp_iotlb *t)
{
	xa_init_flags(&t->rings, XA_FLAGS_ALLOC | XA_FLAGS_LOCK_IRQ);
}

void vsp_ring_mem_fini(struct vsp_iotlb *t)
{
	struct vsp_ring_mem *mem;
	unsigned long n;

	xa_for_each(&t->rings, n, mem)
		vsp_ring_mem_put(mem);
	xa_destroy(&t->rings);
}
