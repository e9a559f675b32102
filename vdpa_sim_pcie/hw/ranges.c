// SPDX-License-Identifier: GPL-2.0-only
/*
 * The card's IOTLB for mappings that live long: map, unmap, look up.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * vhost_vdpa hands a driver memory that it has pinned, and unpins it before it
 * says so. A range therefore has references of its own, one per folio, which go
 * last: after the copies in flight and after the entries of a backend's window.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/io.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "dma.h"
#include "session.h"
#include "trace.h"
#include "vsp.h"

void vsp_as_init(struct vsp_as *as)
{
	init_rwsem(&as->sem);
	rwlock_init(&as->lock);
	as->ranges = RB_ROOT;
}

static struct vsp_range *range_of(struct rb_node *node)
{
	return node ? rb_entry(node, struct vsp_range, node) : NULL;
}

/* The first range that does not end before @iova. */
static struct vsp_range *as_from(struct vsp_as *as, u64 iova)
{
	struct rb_node *node = as->ranges.rb_node;
	struct vsp_range *found = NULL;

	while (node) {
		struct vsp_range *r = range_of(node);

		if (r->last >= iova) {
			found = r;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return found;
}

struct vsp_range *vsp_as_find(struct vsp_as *as, u64 iova)
{
	struct vsp_range *r = as_from(as, iova);

	return r && r->first <= iova ? r : NULL;
}

bool vsp_as_overlaps(struct vsp_as *as, u64 first, u64 last)
{
	struct vsp_range *r = as_from(as, first);

	return r && r->first <= last;
}

static void as_insert(struct vsp_as *as, struct vsp_range *new)
{
	struct rb_node **link = &as->ranges.rb_node, *parent = NULL;
	unsigned long flags;

	lockdep_assert_held_write(&as->sem);
	while (*link) {
		parent = *link;
		link = new->first < range_of(parent)->first ? &parent->rb_left :
							      &parent->rb_right;
	}
	write_lock_irqsave(&as->lock, flags);
	rb_link_node(&new->node, parent, link);
	rb_insert_color(&new->node, &as->ranges);
	as->nr++;
	write_unlock_irqrestore(&as->lock, flags);
}

/* On return the device does not touch the range any more. */
static void as_erase(struct vsp_as *as, struct vsp_range *r)
{
	unsigned long flags;

	lockdep_assert_held_write(&as->sem);
	write_lock_irqsave(&as->lock, flags);
	rb_erase(&r->node, &as->ranges);
	as->nr--;
	write_unlock_irqrestore(&as->lock, flags);
}

/* ---- accesses of the device ---- */

int vsp_as_begin(struct vsp_as *as, u64 iova, size_t len, u32 perm,
		 struct vsp_dma_piece *p)
{
	struct vsp_range *r;

	read_lock_irqsave(&as->lock, p->flags);
	r = vsp_as_find(as, iova);
	if (r && (r->perm & perm)) {
		p->va = phys_to_virt(r->phys + (iova - r->first));
		p->len = min3((u64)len, r->last - iova + 1, (u64)VSP_DMA_PIECE_MAX);
		p->lock = NULL;
		p->ring = NULL;
		p->as = as;
		return 0;
	}
	read_unlock_irqrestore(&as->lock, p->flags);
	return -EFAULT;
}

bool vsp_as_walk(struct vsp_as *as, u64 iova, struct vsp_iotlb_walk *w)
{
	struct vsp_range *r;
	unsigned long flags;

	read_lock_irqsave(&as->lock, flags);
	r = vsp_as_find(as, iova);
	if (r) {
		w->first = r->first;
		w->last = r->last;
		w->phys = r->phys + (iova - r->first);
		w->perm = r->perm;
	}
	read_unlock_irqrestore(&as->lock, flags);
	return r;
}

struct page *vsp_as_get_page(struct vsp_as *as, u64 iova, u32 perm)
{
	struct page *page = NULL;
	struct vsp_range *r;
	unsigned long flags;

	read_lock_irqsave(&as->lock, flags);
	r = vsp_as_find(as, iova);
	if (r && (r->perm & perm) == perm) {
		page = pfn_to_page(PHYS_PFN(r->phys + (iova - r->first)));
		folio_get(page_folio(page));
	}
	read_unlock_irqrestore(&as->lock, flags);
	return page;
}

/* ---- the memory below ---- */

/* Pages of @r from its page @i on that are in one folio; 0: it is no memory. */
static unsigned long range_folio(const struct vsp_range *r, unsigned long i,
				 struct folio **folio)
{
	unsigned long nr = (r->last - r->first + 1) >> PAGE_SHIFT;
	unsigned long pfn = PHYS_PFN(r->phys) + i;
	struct page *page;

	if (!pfn_valid(pfn))
		return 0;
	page = pfn_to_page(pfn);
	*folio = page_folio(page);
	return min_t(unsigned long, nr - i,
		     folio_nr_pages(*folio) - folio_page_idx(*folio, page));
}

static void range_put_pages(const struct vsp_range *r, unsigned long nr)
{
	struct folio *folio;
	unsigned long i, n;

	/* Folios do not change their size while somebody has a reference. */
	for (i = 0; i < nr; i += n) {
		n = range_folio(r, i, &folio);
		folio_put(folio);
		cond_resched();
	}
}

/* The caller has the pages pinned, so that none can go in between. */
static int range_get_pages(const struct vsp_range *r)
{
	unsigned long nr = (r->last - r->first + 1) >> PAGE_SHIFT;
	struct folio *folio;
	unsigned long i, n;

	for (i = 0; i < nr; i += n) {
		n = range_folio(r, i, &folio);
		if (!n || folio_is_zone_device(folio) || !folio_try_get(folio)) {
			range_put_pages(r, i);
			return -EINVAL;
		}
		cond_resched();
	}
	return 0;
}

static void range_free(struct vsp_range *r)
{
	range_put_pages(r, (r->last - r->first + 1) >> PAGE_SHIFT);
	kfree(r);
}

/* ---- for the driver ---- */

static struct vsp_as *fn_as(struct vsp_fn *fn, u32 asid)
{
	if (asid >= VSP_NR_ASIDS)
		return NULL;
	return &fn->iotlb.as[array_index_nospec(asid, VSP_NR_ASIDS)];
}

static struct vsp_range *range_create(u64 iova, u64 size, phys_addr_t phys, u32 perm)
{
	struct vsp_range *r;
	int err;

	if (!size || !IS_ALIGNED(iova | size | phys, PAGE_SIZE) || phys + size < phys ||
	    !perm || perm & ~(VSP_PERM_R | VSP_PERM_W))
		return ERR_PTR(-EINVAL);
	if (iova > VSP_IOVA_LAST || size - 1 > VSP_IOVA_LAST - iova)
		return ERR_PTR(-ERANGE);
	r = kzalloc(sizeof(*r), GFP_KERNEL_ACCOUNT);
	if (!r)
		return ERR_PTR(-ENOMEM);
	r->first = iova;
	r->last = iova + size - 1;
	r->phys = phys;
	r->perm = perm;
	err = range_get_pages(r);
	if (err) {
		kfree(r);
		return ERR_PTR(err);
	}
	return r;
}

/* The backend looks at addresses anew, and asks which way to go if that is new. */
static void ranges_changed(struct vsp_fn *fn, bool had_any)
{
	lockdep_assert_held(&fn->lock);
	vsp_session_maps_changed(fn->session);
	if (had_any != vsp_fn_has_ranges(fn))
		vsp_session_post(fn->session, VSP_EVENT_CONFIG, 0, 0);
}

static int as_add(struct vsp_fn *fn, struct vsp_as *as, struct vsp_range *r)
{
	bool had_any = vsp_fn_has_ranges(fn);
	int err;

	lockdep_assert_held(&fn->lock);
	guard(rwsem_write)(&as->sem);
	if (vsp_as_overlaps(as, r->first, r->last))
		return -EEXIST;
	if (as->nr >= VSP_MAX_RANGES)
		return -ENOSPC;
	err = vsp_range_table_add(as, r);
	if (err)
		return err;
	as_insert(as, r);
	/* Who has touched the addresses before sees a sink there. */
	if (atomic_read(&as->sinks))
		vsp_session_zap_window(fn->session, as - fn->iotlb.as, r->first, r->last);
	trace_vsp_map(&fn->pci, r->first, r->phys, r->last - r->first + 1, r->perm);
	ranges_changed(fn, had_any);
	return 0;
}

int vsp_hw_range_map(struct vsp_fn *fn, u32 asid, u64 iova, u64 size, phys_addr_t phys,
		     u32 perm)
{
	struct vsp_as *as = fn_as(fn, asid);
	struct vsp_range *r;
	int err;

	if (!as)
		return -EINVAL;
	r = range_create(iova, size, phys, perm);
	if (IS_ERR(r))
		return PTR_ERR(r);
	scoped_guard(mutex, &fn->lock)
		err = as_add(fn, as, r);
	if (err)
		range_free(r);
	return err;
}
EXPORT_SYMBOL_GPL(vsp_hw_range_map);

/*
 * Take all ranges out that have a byte in [@first, @last], and out of a window as
 * well. Return: the first of them; the others hang on rb_right.
 */
static struct vsp_range *as_take(struct vsp_fn *fn, struct vsp_as *as, u64 first, u64 last)
{
	struct vsp_range *r, *taken = NULL;
	bool had_any = vsp_fn_has_ranges(fn);

	lockdep_assert_held(&fn->lock);
	guard(rwsem_write)(&as->sem);
	while ((r = as_from(as, first)) && r->first <= last) {
		as_erase(as, r);
		vsp_range_table_del(as, r);
		trace_vsp_unmap(&fn->pci, r->first, r->phys, r->last - r->first + 1, r->perm);
		first = min(first, r->first);
		last = max(last, r->last);
		r->node.rb_right = taken ? &taken->node : NULL;
		taken = r;
	}
	if (taken) {
		vsp_session_zap_window(fn->session, as - fn->iotlb.as, first,
				       min(last, VSP_IOVA_LAST));
		ranges_changed(fn, had_any);
	}
	return taken;
}

int vsp_hw_range_unmap(struct vsp_fn *fn, u32 asid, u64 iova, u64 size)
{
	struct vsp_as *as = fn_as(fn, asid);
	struct vsp_range *r, *next;

	if (!as || !size || size - 1 > U64_MAX - iova)
		return -EINVAL;
	scoped_guard(mutex, &fn->lock)
		r = as_take(fn, as, iova, iova + size - 1);
	if (!r)
		return -ENOENT;
	for (; r; r = next) {
		next = range_of(r->node.rb_right);
		range_free(r);
	}
	return 0;
}
EXPORT_SYMBOL_GPL(vsp_hw_range_unmap);

void vsp_hw_range_clear(struct vsp_fn *fn, u32 asid)
{
	/* The last address alone is missing: no range has it. */
	vsp_hw_range_unmap(fn, asid, 0, U64_MAX);
}
EXPORT_SYMBOL_GPL(vsp_hw_range_clear);

int vsp_hw_set_group_asid(struct vsp_fn *fn, u32 group, u32 asid)
{
	unsigned int q;

	if (group >= VSP_NR_GROUPS || asid >= VSP_NR_ASIDS)
		return -EINVAL;
	group = array_index_nospec(group, VSP_NR_GROUPS);
	guard(mutex)(&fn->lock);
	if (fn->group_asid[group] == asid)
		return 0;
	for (q = 0; q < fn->nr_vqs; q++)
		if (fn->vq[q].enabled && vsp_vq_group(fn, q) == group)
			return -EBUSY;
	WRITE_ONCE(fn->group_asid[group], asid);
	return 0;
}
EXPORT_SYMBOL_GPL(vsp_hw_set_group_asid);

void vsp_ranges_drop(struct vsp_fn *fn)
{
	u32 asid;

	for (asid = 0; asid < VSP_NR_ASIDS; asid++)
		vsp_hw_range_clear(fn, asid);
}
