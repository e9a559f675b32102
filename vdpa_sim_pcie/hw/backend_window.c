// SPDX-License-Identifier: GPL-2.0-only
/*
 * The window: a driver's ranges in the address space of a backend.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Byte IOVA of address space ASID is at byte IOVA of the mapping at
 * VSP_MMAP_WINDOW(ASID). Entries come by page fault, so what nobody touches costs
 * nothing: 2 MiB at a time where memory and addresses allow, else some pages
 * around. The CPU's page table is then the card's IOTLB. A range goes with its
 * entries (ranges.c), under vsp_as.sem, which faults hold: none slips in behind.
 *
 * Where no range is, or none that may be written, a private page of the session
 * appears, the sink. What is written there is lost, what is read means nothing; but
 * a driver that names an address it has not mapped does not kill the backend.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fs.h>
#include <linux/mm.h>

#include "../compat.h"
#include "dma.h"
#include "session.h"
#include "vsp.h"

/* Pages that a fault brings along, of the same range; a power of two. */
#define FAULT_AROUND		16U

/* One at a time costs a page table of its own, if it comes to the worst. */
#define MAX_SINKS		4096

struct window_at {
	struct vsp_session *s;
	struct vsp_fn *fn;
	struct vsp_as *as;
	u32 asid;
	u64 iova;		/* of the page */
};

static void window_where(const struct vm_fault *vmf, struct window_at *at)
{
	u64 off = ((u64)vmf->pgoff << PAGE_SHIFT) - VSP_MMAP_WINDOW(0);

	at->s = vmf->vma->vm_private_data;
	at->fn = at->s->fn;
	/* Checked when it was mapped. */
	at->asid = off >> VSP_MMAP_WINDOW_SHIFT;
	at->as = &at->fn->iotlb.as[at->asid];
	at->iova = off & ((1ULL << VSP_MMAP_WINDOW_SHIFT) - 1);
}

/* The range that a fault may show, or NULL. at->as->sem held. */
static struct vsp_range *window_range(const struct window_at *at, bool write)
{
	struct vsp_range *r = at->s->window_closed ? NULL : vsp_as_find(at->as, at->iova);

	return r && (!write || r->perm & VSP_PERM_W) ? r : NULL;
}

/* Not vm_page_prot: as there is a pfn_mkwrite(), that is read-only. */
static pgprot_t window_prot(const struct vm_area_struct *vma, u32 perm)
{
	return vm_get_page_prot(perm & VSP_PERM_W ? vma->vm_flags :
						    vma->vm_flags & ~VM_WRITE);
}

/* ---- the sink ---- */

/*
 * One that cannot be had in 2 MiB comes page by page. Then entries are limited by
 * starting anew: what is in use comes back by itself.
 */
static vm_fault_t sink_fault(struct vm_fault *vmf, const struct window_at *at)
{
	pgprot_t prot = window_prot(vmf->vma, VSP_PERM_W);

	if (atomic_inc_return(&at->as->sinks) > MAX_SINKS) {
		unmap_mapping_range(vmf->vma->vm_file->f_mapping,
				    VSP_MMAP_WINDOW(at->asid), VSP_IOVA_LAST + 1, 1);
		atomic_set(&at->as->sinks, 1);
	}
	return vmf_insert_pfn_prot(vmf->vma, vmf->address & PAGE_MASK,
				   page_to_pfn(at->s->sink_page), prot);
}

static void window_stray(const struct window_at *at, bool write)
{
	atomic64_inc(&at->as->strays);
	vsp_dma_fault(at->fn, at->iova, PAGE_SIZE, write);
}

/* ---- faults ---- */

/* With it come the pages behind, up to a multiple of FAULT_AROUND. at->as->sem held. */
static vm_fault_t range_fault(struct vm_fault *vmf, const struct window_at *at,
			      const struct vsp_range *r)
{
	struct vm_area_struct *vma = vmf->vma;
	unsigned long address = vmf->address & PAGE_MASK;
	u64 room = min(r->last - at->iova + 1, (u64)(vma->vm_end - address));
	unsigned int i, nr = FAULT_AROUND - (at->iova / PAGE_SIZE) % FAULT_AROUND;
	unsigned long pfn = PHYS_PFN(r->phys + (at->iova - r->first));
	pgprot_t prot = window_prot(vma, r->perm);
	vm_fault_t ret;

	atomic64_inc(&at->as->faults_4k);
	ret = vmf_insert_pfn_prot(vma, address, pfn, prot);
	nr = min_t(u64, nr, room >> PAGE_SHIFT);
	for (i = 1; ret == VM_FAULT_NOPAGE && i < nr; i++)
		if (vmf_insert_pfn_prot(vma, address + i * PAGE_SIZE, pfn + i, prot) !=
		    VM_FAULT_NOPAGE)
			break;
	return ret;
}

static vm_fault_t window_fault(struct vm_fault *vmf)
{
	bool write = vmf->flags & FAULT_FLAG_WRITE;
	struct window_at at;
	struct vsp_range *r;

	window_where(vmf, &at);
	guard(rwsem_read)(&at.as->sem);
	r = window_range(&at, write);
	if (r)
		return range_fault(vmf, &at, r);
	window_stray(&at, write);
	return sink_fault(vmf, &at);
}

/*
 * A write to a page that is there, but for reading. As a range that may be written
 * is so from the start, either this one may not, or somebody played with
 * mprotect(). The entry is never made writable as it is: it could be another one
 * by then.
 */
static vm_fault_t window_pfn_mkwrite(struct vm_fault *vmf)
{
	unmap_mapping_range(vmf->vma->vm_file->f_mapping, (loff_t)vmf->pgoff << PAGE_SHIFT,
			    PAGE_SIZE, 1);
	vmf->flags |= FAULT_FLAG_WRITE;
	return window_fault(vmf);
}

/* ---- 2 MiB at once ---- */

static bool pmd_is_inside(const struct vm_area_struct *vma, unsigned long start, u64 iova)
{
	return IS_ALIGNED(iova, PMD_SIZE) && start >= vma->vm_start &&
	       start + PMD_SIZE <= vma->vm_end;
}

/* at->iova is the first byte of the 2 MiB; at->as->sem held. */
static vm_fault_t window_pmd_fault(struct vm_fault *vmf, const struct window_at *at,
				   bool write)
{
	struct vsp_range *r = window_range(at, false);
	u64 last = at->iova + PMD_SIZE - 1;
	phys_addr_t phys;
	vm_fault_t ret;

	if (r) {
		phys = r->phys + (at->iova - r->first);
		if (r->last < last || !IS_ALIGNED(phys, PMD_SIZE) ||
		    (write && !(r->perm & VSP_PERM_W)))
			return VM_FAULT_FALLBACK;
		ret = vmf_insert_pfn_pmd(vmf, PHYS_PFN(phys), r->perm & VSP_PERM_W);
		if (ret == VM_FAULT_NOPAGE)
			atomic64_inc(&at->as->faults_2m);
		return ret;
	}
	if (!at->s->window_closed && vsp_as_overlaps(at->as, at->iova, last))
		return VM_FAULT_FALLBACK;
	if (!at->s->big_sink)
		return VM_FAULT_FALLBACK;
	atomic_inc(&at->as->sinks);
	window_stray(at, write);
	return vmf_insert_pfn_pmd(vmf, page_to_pfn(at->s->big_sink), true);
}

static vm_fault_t window_huge_fault(struct vm_fault *vmf, unsigned int order)
{
	unsigned long start = vmf->address & PMD_MASK;
	struct window_at at;

	if (!IS_ENABLED(CONFIG_TRANSPARENT_HUGEPAGE) || order != PMD_ORDER)
		return VM_FAULT_FALLBACK;
	window_where(vmf, &at);
	at.iova -= (vmf->address & PAGE_MASK) - start;
	if (!pmd_is_inside(vmf->vma, start, at.iova))
		return VM_FAULT_FALLBACK;
	guard(rwsem_read)(&at.as->sem);
	return window_pmd_fault(vmf, &at, vmf->flags & FAULT_FLAG_WRITE);
}

static const struct vm_operations_struct window_vm_ops = {
	.fault = window_fault,
	.huge_fault = window_huge_fault,
	.pfn_mkwrite = window_pfn_mkwrite,
};

/* ---- for the session ---- */

/* VSP_BE_F_* that this kernel can grant. */
u64 vsp_window_features(void)
{
	if (!vsp_page_tables_are_checked())
		return VSP_BE_F_WINDOW;
	pr_info_once("no windows: this kernel checks page tables (page_table_check=off allows them)\n");
	return 0;
}

/*
 * A part of one window. No process can pin what is in it, a child does not inherit
 * it, and it can be moved but not grown.
 */
int vsp_window_mmap(struct vsp_session *s, struct vm_area_struct *vma)
{
	u64 start = ((u64)vma->vm_pgoff << PAGE_SHIFT) - VSP_MMAP_WINDOW(0);
	u64 iova = start & ((1ULL << VSP_MMAP_WINDOW_SHIFT) - 1);
	u64 len = vma->vm_end - vma->vm_start;

	if (!(s->features & VSP_BE_F_WINDOW))
		return -EPROTO;
	if (start >> VSP_MMAP_WINDOW_SHIFT >= VSP_NR_ASIDS || iova > VSP_IOVA_LAST ||
	    len - 1 > VSP_IOVA_LAST - iova)
		return -EINVAL;
	if (vma->vm_flags & VM_EXEC)
		return -EPERM;
	/* Large entries also where the system gives them to who asks only. */
	vm_flags_mod(vma, VM_PFNMAP | VM_IO | VM_HUGEPAGE, VM_MAYEXEC);
	vma->vm_private_data = s;
	vma->vm_ops = &window_vm_ops;
	return 0;
}

void vsp_session_zap_window(struct vsp_session *s, u32 asid, u64 first, u64 last)
{
	if (!s)
		return;
	lockdep_assert_held(&s->fn->lock);
	guard(mutex)(&s->mapping_lock);
	if (s->mapping)
		unmap_mapping_range(s->mapping, VSP_MMAP_WINDOW(asid) + first,
				    last - first + 1, 1);
}

static void session_zap_tables(struct vsp_session *s)
{
	guard(mutex)(&s->mapping_lock);
	if (s->mapping)
		unmap_mapping_range(s->mapping, VSP_MMAP_IOTLB(0),
				    (u64)VSP_NR_ASIDS << VSP_MMAP_IOTLB_SHIFT, 1);
}

void vsp_session_close_window(struct vsp_session *s)
{
	struct vsp_as *as = s->fn->iotlb.as;
	u32 asid;

	lockdep_assert_held(&s->fn->lock);
	/* Faults look at the flag with either held, at the one they are for. */
	down_write(&as[0].sem);
	down_write_nested(&as[1].sem, SINGLE_DEPTH_NESTING);
	s->window_closed = true;
	for (asid = 0; asid < VSP_NR_ASIDS; asid++) {
		vsp_session_zap_window(s, asid, 0, VSP_IOVA_LAST);
		atomic_set(&as[asid].sinks, 0);
	}
	session_zap_tables(s);
	up_write(&as[1].sem);
	up_write(&as[0].sem);
}

void vsp_session_maps_changed(struct vsp_session *s)
{
	struct vsp_ctl_page *ctl;

	if (!s)
		return;
	lockdep_assert_held(&s->fn->lock);
	ctl = page_address(s->ctl_page);
	WRITE_ONCE(ctl->map_generation, ctl->map_generation + 1);
	/* Who sees this one move sees the other one's new value. */
	smp_store_release(&ctl->generation, ctl->generation + 1);
}

/* Without it strays cost a page table each; it is asked for once, and not hard. */
void vsp_window_create_sink(struct vsp_session *s)
{
	if (IS_ENABLED(CONFIG_TRANSPARENT_HUGEPAGE))
		s->big_sink = alloc_pages(GFP_KERNEL_ACCOUNT | __GFP_COMP | __GFP_ZERO |
					  __GFP_NOWARN | __GFP_NORETRY, PMD_ORDER);
}
