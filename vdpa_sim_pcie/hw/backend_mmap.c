// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a backend maps: the two control pages, the rings and the card's memory; the
 * windows are in backend_window.c.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Ring pages come by page fault, under fn->map_lock, so that a queue that stops
 * can take them away (vsp_session_zap_queue()) without a page slipping in
 * behind. What is not a ring of this session any more shows the sink page.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/nospec.h>

#include "session.h"
#include "vsp.h"

#define RING_AREA_BYTES		(1ULL << VSP_MMAP_RING_SHIFT)
#define RING_END		VSP_MMAP_RING(VSP_MAX_VQS, 0)

/* The queue, if it is enabled and this session's, or NULL. */
static struct vsp_vq *ring_vq(struct vsp_session *s, unsigned int q, unsigned int area)
{
	struct vsp_vq *vq;

	lockdep_assert_held(&s->fn->map_lock);
	if (s->lost || q >= s->fn->nr_vqs || area >= VSP_NR_RING_AREAS)
		return NULL;
	vq = &s->fn->vq[array_index_nospec(q, s->fn->nr_vqs)];
	return vq->mem[area] ? vq : NULL;
}

static struct page *ring_page(struct vsp_session *s, unsigned int q, unsigned int area,
			      u64 index)
{
	struct vsp_vq *vq = ring_vq(s, q, area);
	struct vsp_ring_mem *mem;
	u64 byte, end;

	if (!vq)
		return NULL;
	mem = vq->mem[area];
	/* Both within the pages of mem, as vq_map_rings() has checked. */
	byte = (vq->addr[area] & PAGE_MASK) - mem->iova + (index << PAGE_SHIFT);
	end = vq->addr[area] - mem->iova + vsp_ring_area_size(vq->size, area);
	return byte < end ? vsp_ring_mem_page(mem, byte) : NULL;
}

/* Which page of which area. Return: the index of the page in the area. */
static u64 ring_where(const struct vm_fault *vmf, unsigned int *q, unsigned int *area)
{
	u64 off = ((u64)vmf->pgoff << PAGE_SHIFT) - VSP_MMAP_RING_BASE;
	u64 n = off >> VSP_MMAP_RING_SHIFT;

	*q = n >> 2;
	*area = n & 3;
	return (off & (RING_AREA_BYTES - 1)) >> PAGE_SHIFT;
}

/*
 * By number, without a reference: the pages are the queue's until it stops, and
 * nobody can pin them through the backend's mapping for longer.
 */
static vm_fault_t ring_fault(struct vm_fault *vmf)
{
	struct vsp_session *s = vmf->vma->vm_private_data;
	unsigned int q, area;
	struct page *page;
	u64 index;

	guard(mutex)(&s->fn->map_lock);
	index = ring_where(vmf, &q, &area);
	page = ring_page(s, q, area, index);
	return vmf_insert_pfn(vmf->vma, vmf->address & PAGE_MASK,
			      page_to_pfn(page ? page : s->sink_page));
}

/* First write to a page: not where the driver lets the device read only. */
static vm_fault_t ring_pfn_mkwrite(struct vm_fault *vmf)
{
	struct vsp_session *s = vmf->vma->vm_private_data;
	unsigned int q, area;
	struct vsp_vq *vq;

	guard(mutex)(&s->fn->map_lock);
	ring_where(vmf, &q, &area);
	vq = ring_vq(s, q, area);
	return vq && !vq->mem[area]->writable ? VM_FAULT_SIGBUS : 0;
}

static const struct vm_operations_struct ring_vm_ops = {
	.fault = ring_fault,
	.pfn_mkwrite = ring_pfn_mkwrite,
};

static int mmap_ring(struct vsp_session *s, struct vm_area_struct *vma)
{
	u64 start = (u64)vma->vm_pgoff << PAGE_SHIFT;
	u64 len = vma->vm_end - vma->vm_start;

	/* One area per mapping. */
	if (start >= RING_END || len > RING_AREA_BYTES - (start & (RING_AREA_BYTES - 1)))
		return -EINVAL;
	vm_flags_set(vma, VM_PFNMAP);
	vma->vm_private_data = s;
	vma->vm_ops = &ring_vm_ops;
	return 0;
}

/* Write-combining, as is usual for memory of a card. */
static int mmap_ddr(struct vsp_session *s, struct vm_area_struct *vma)
{
	const struct vsp_card *card = s->fn->pci.card;
	u64 off = ((u64)vma->vm_pgoff << PAGE_SHIFT) - VSP_MMAP_DDR;
	u64 len = vma->vm_end - vma->vm_start, size = vsp_fn_ddr_size(s->fn);

	if (off >= size || len > size - off)
		return -EINVAL;
	vma->vm_page_prot = pgprot_writecombine(vma->vm_page_prot);
	return io_remap_pfn_range(vma, vma->vm_start,
				  PHYS_PFN(vsp_window_resource(card->window)->start + off),
				  len, vma->vm_page_prot);
}

static int mmap_page(struct vm_area_struct *vma, struct page *page)
{
	if (vma->vm_end - vma->vm_start != PAGE_SIZE)
		return -EINVAL;
	return vm_insert_page(vma, vma->vm_start, page);
}

/* The file keeps the session alive, and the mapping the file. */
int vsp_backend_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct vsp_session *s = file->private_data;
	u64 start = (u64)vma->vm_pgoff << PAGE_SHIFT;

	if (!READ_ONCE(s->attached))
		return -EPROTO;
	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP | VM_DONTCOPY);

	if (start >= VSP_MMAP_WINDOW(0))
		return vsp_window_mmap(s, vma);
	if (start >= VSP_MMAP_IOTLB(0))
		return vsp_range_table_mmap(s, vma);
	if (start >= VSP_MMAP_DDR)
		return mmap_ddr(s, vma);
	if (start >= VSP_MMAP_RING_BASE)
		return mmap_ring(s, vma);
	if (start == VSP_MMAP_BE)
		return mmap_page(vma, s->be_page);
	if (start == VSP_MMAP_CTL) {
		if (vma->vm_flags & VM_WRITE)
			return -EACCES;
		vm_flags_clear(vma, VM_MAYWRITE);
		return mmap_page(vma, s->ctl_page);
	}
	return -EINVAL;
}
