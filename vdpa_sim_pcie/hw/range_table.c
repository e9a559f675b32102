// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of ranges that a backend reads, so that it need not touch an address to
 * find out whether it is one.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * vringh-lib's range table (vrl/iotlb.h), in pages that the backend maps for
 * reading. Ranges that lie side by side, with the same permission, are one entry
 * there, as in the window they are one piece; so it has room for much more memory
 * than vhost_vdpa's chunks of it would leave. What a backend does not find in it is
 * not mapped, or came and went meanwhile.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/mm.h>
#include <linux/preempt.h>
#include <linux/vmalloc.h>

#include <vrl/iotlb.h>

#include "session.h"
#include "vsp.h"

static_assert(VSP_PERM_R == VRL_PERM_R && VSP_PERM_W == VRL_PERM_W);
static_assert(sizeof(struct vrl_iotlb) + VRL_IOTLB_MAX * sizeof(struct vrl_iotlb_entry) <=
	      VSP_MMAP_IOTLB_SIZE);

/* The table, made when it is first needed. as->sem held for writing. */
static struct vrl_iotlb *table_get(struct vsp_as *as)
{
	if (!as->table) {
		as->table = vmalloc_user(VSP_MMAP_IOTLB_SIZE);
		if (as->table)
			vrl_iotlb_init(as->table, VRL_IOTLB_MAX);
	}
	return as->table;
}

void vsp_range_table_free(struct vsp_as *as)
{
	vfree(as->table);
}

int vsp_range_table_add(struct vsp_as *as, const struct vsp_range *r)
{
	struct vrl_iotlb *t = table_get(as);

	lockdep_assert_held_write(&as->sem);
	if (!t)
		return -ENOMEM;
	/* A reader does not wait for a writer that is not running. */
	guard(preempt)();
	return vrl_iotlb_join(t, r->first, r->last, r->first, r->perm);
}

/*
 * A hole needs a further entry, and there may be none. Then all behind it in the
 * same entry is given up, rather than leaving in what has gone.
 */
void vsp_range_table_del(struct vsp_as *as, const struct vsp_range *r)
{
	struct vrl_iotlb_hint hint = {};
	u64 addr, len = U64_MAX;

	lockdep_assert_held_write(&as->sem);
	guard(preempt)();
	if (vrl_iotlb_del(as->table, r->first, r->last) != -ENOSPC)
		return;
	if (!vrl_iotlb_translate(as->table, &hint, r->first, r->perm, &addr, &len))
		vrl_iotlb_del(as->table, r->first, r->first + len - 1);
	as->table_cuts++;
}

/* ---- the backend's mapping ---- */

static vm_fault_t table_fault(struct vm_fault *vmf)
{
	u64 off = ((u64)vmf->pgoff << PAGE_SHIFT) - VSP_MMAP_IOTLB(0);
	struct vsp_session *s = vmf->vma->vm_private_data;
	struct vsp_as *as = &s->fn->iotlb.as[off >> VSP_MMAP_IOTLB_SHIFT];
	struct page *page;

	off &= (1ULL << VSP_MMAP_IOTLB_SHIFT) - 1;
	guard(rwsem_read)(&as->sem);
	/* The next backend's ranges are none of its business: an empty table. */
	page = s->window_closed ? s->sink_page : vmalloc_to_page((void *)as->table + off);
	return vmf_insert_pfn(vmf->vma, vmf->address & PAGE_MASK, page_to_pfn(page));
}

static const struct vm_operations_struct table_vm_ops = {
	.fault = table_fault,
};

int vsp_range_table_mmap(struct vsp_session *s, struct vm_area_struct *vma)
{
	u64 start = ((u64)vma->vm_pgoff << PAGE_SHIFT) - VSP_MMAP_IOTLB(0);
	u64 off = start & ((1ULL << VSP_MMAP_IOTLB_SHIFT) - 1);
	u64 asid = start >> VSP_MMAP_IOTLB_SHIFT;

	if (!(s->features & VSP_BE_F_WINDOW))
		return -EPROTO;
	if (asid >= VSP_NR_ASIDS || off >= VSP_MMAP_IOTLB_SIZE ||
	    vma->vm_end - vma->vm_start > VSP_MMAP_IOTLB_SIZE - off)
		return -EINVAL;
	if (vma->vm_flags & VM_WRITE)
		return -EACCES;
	down_write(&s->fn->iotlb.as[asid].sem);
	table_get(&s->fn->iotlb.as[asid]);
	up_write(&s->fn->iotlb.as[asid].sem);
	if (!s->fn->iotlb.as[asid].table)
		return -ENOMEM;
	vm_flags_mod(vma, VM_PFNMAP, VM_MAYWRITE);
	vma->vm_private_data = s;
	vma->vm_ops = &table_vm_ops;
	return 0;
}
