// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory behind the card's BARs: RAM that the kernel is made to see as bus
 * address space, so that BARs can be claimed in it, mapped by drivers and user
 * space, and requested as regions, like those of any card.
 *
 *   before:  |                  System RAM                   |
 *   carved:  |  System RAM  |       vsp_hw       |  "tail"   |
 *                           | DDR |    BARs 4    |
 *
 * One window for the card's memory and the BARs 4, as the root port has one
 * prefetchable window.
 *
 * PageReserved without the carving is not enough: the second ioremap() of a
 * page fails in the PAT code, and that is what MSI-X set-up does.
 *
 * The linear mapping is made uncached first, because two mappings of a page
 * must agree; the module itself uses the window's own mapping only, and has none
 * of the card's memory: so that one is uncached or write-combining as the first
 * user wants it, as with any card.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ioport.h>
#include <linux/log2.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/stop_machine.h>

#include "pci.h"

/* What may lie in one System RAM entry behind the window: kernel image, crash kernel. */
#define WINDOW_MAX_CHILDREN	32
/* Given back at a time. */
#define WINDOW_FREE_PAGES	16384UL

struct vsp_window {
	struct resource res;
	struct resource tail;		/* System RAM behind the window */
	struct resource *ram;		/* the entry it was cut out of */
	resource_size_t ram_start;	/* and its extent before */
	resource_size_t ram_end;
	struct page *pages;
	unsigned long nr_pages;
	bool is_contig;			/* from the contiguous range allocator */
	u64 ddr_size;			/* at the beginning; 0 for none */
	void __iomem *io;		/* of the rest */
	struct resource *busy;		/* at the end: keeps user mappings out */
	struct resource *child[WINDOW_MAX_CHILDREN];
	unsigned int nr_children;
};

/* ---- the resource tree; all CPUs stopped, so nobody holds its lock ---- */

static struct resource *window_find_ram(const struct vsp_window *w)
{
	struct resource *r;

	for (r = iomem_resource.child; r; r = r->sibling)
		if (r->start <= w->res.start && r->end >= w->res.end)
			break;
	if (!r || (r->flags & IORESOURCE_SYSTEM_RAM) != IORESOURCE_SYSTEM_RAM)
		return NULL;
	return r;
}

static int window_take_children(struct vsp_window *w, struct resource *parent,
				resource_size_t first)
{
	struct resource *r, *next;

	w->nr_children = 0;
	for (r = parent->child; r; r = r->sibling)
		if (r->start >= first && w->nr_children++ == WINDOW_MAX_CHILDREN)
			return -E2BIG;

	w->nr_children = 0;
	for (r = parent->child; r; r = next) {
		next = r->sibling;
		if (r->start < first)
			continue;
		release_resource(r);
		w->child[w->nr_children++] = r;
	}
	return 0;
}

static int window_give_children(struct vsp_window *w, struct resource *parent)
{
	int err = 0;

	while (w->nr_children) {
		int e = request_resource(parent, w->child[--w->nr_children]);

		if (e)
			err = e;
	}
	return err;
}

static int window_carve_tail(struct vsp_window *w)
{
	int err;

	if (w->res.end == w->ram_end)
		return 0;
	w->tail.name = w->ram->name;
	w->tail.start = w->res.end + 1;
	w->tail.end = w->ram_end;
	w->tail.flags = w->ram->flags;
	w->tail.desc = w->ram->desc;
	err = request_resource(&iomem_resource, &w->tail);
	if (err)
		return err;
	return window_give_children(w, &w->tail);
}

static int window_restore_ram(struct vsp_window *w)
{
	return adjust_resource(w->ram, w->ram_start, w->ram_end - w->ram_start + 1);
}

/* The entry begins with the window and is left with what is behind. */
static int window_carve_first(struct vsp_window *w)
{
	int err;

	if (w->ram_end == w->res.end)
		return -EBUSY;
	err = adjust_resource(w->ram, w->res.end + 1, w->ram_end - w->res.end);
	if (err)
		return err;
	err = request_resource(&iomem_resource, &w->res);
	if (err)
		window_restore_ram(w);
	return err;
}

static int window_carve(void *data)
{
	struct vsp_window *w = data;
	int err;

	w->ram = window_find_ram(w);
	if (!w->ram)
		return -ENOENT;
	w->ram_start = w->ram->start;
	w->ram_end = w->ram->end;
	if (w->ram_start == w->res.start)
		return window_carve_first(w);

	err = window_take_children(w, w->ram, w->res.end + 1);
	if (err)
		return err;
	err = adjust_resource(w->ram, w->ram_start, w->res.start - w->ram_start);
	if (err)
		goto err_give_children;
	err = window_carve_tail(w);
	if (err)
		goto err_restore_ram;
	err = request_resource(&iomem_resource, &w->res);
	if (err)
		goto err_carve_tail;
	return 0;

err_carve_tail:
	if (w->tail.parent) {
		window_take_children(w, &w->tail, w->tail.start);
		release_resource(&w->tail);
	}
err_restore_ram:
	window_restore_ram(w);
err_give_children:
	window_give_children(w, w->ram);
	return err;
}

static int window_uncarve(void *data)
{
	struct vsp_window *w = data;
	int err;

	if (w->busy)
		release_resource(w->busy);
	err = release_resource(&w->res);
	if (err)
		return err;
	if (w->tail.parent) {
		err = window_take_children(w, &w->tail, w->tail.start);
		if (err)
			return err;
		release_resource(&w->tail);
	}
	err = window_restore_ram(w);
	return window_give_children(w, w->ram) ?: err;
}

/* ---- the pages ---- */

static bool window_is_candidate(unsigned long pfn, unsigned long nr_pages)
{
	struct zone *zone = NULL;
	unsigned long i;

	for (i = pfn; i < pfn + nr_pages; i++) {
		struct page *page = pfn_to_online_page(i);

		if (!page || PageReserved(page) || PageHuge(page))
			return false;
		if (zone && page_zone(page) != zone)
			return false;
		zone = page_zone(page);
	}
	return true;
}

/*
 * alloc_contig_pages() aligns to the size, if it is a power of two; here the size
 * is not, and the alignment is smaller. From the end of the node down.
 */
static struct page *window_alloc_contig(int nid, unsigned long nr_pages, unsigned long align)
{
	unsigned long start = node_start_pfn(nid), end = node_end_pfn(nid), pfn;

	if (end < start + nr_pages)
		return NULL;
	for (pfn = ALIGN_DOWN(end - nr_pages, align); pfn >= start; pfn -= align) {
		cond_resched();
		if (window_is_candidate(pfn, nr_pages) &&
		    !alloc_contig_range(pfn, pfn + nr_pages, VSP_CONTIG_FLAGS,
					GFP_KERNEL | __GFP_NOWARN))
			return pfn_to_page(pfn);
		if (pfn < align)
			break;
	}
	return NULL;
}

/* @align is a power of two and does not exceed @size rounded up to one. */
static int window_alloc_pages(struct vsp_window *w, u64 size, u64 align)
{
	unsigned long i;
	void *va;
	int nid;

	w->nr_pages = size >> PAGE_SHIFT;
	if (size <= (PAGE_SIZE << MAX_PAGE_ORDER)) {
		va = alloc_pages_exact(size, GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN);
		if (!va)
			return -ENOMEM;
		w->pages = virt_to_page(va);
		return 0;
	}

	w->is_contig = true;
	for_each_online_node(nid) {
		w->pages = window_alloc_contig(nid, w->nr_pages, align >> PAGE_SHIFT);
		if (w->pages)
			break;
	}
	if (!w->pages)
		return -ENOMEM;
	for (i = 0; i < w->nr_pages; i++) {
		clear_highpage(w->pages + i);
		cond_resched();
	}
	return 0;
}

static void window_free_pages(struct vsp_window *w)
{
	unsigned long pfn = page_to_pfn(w->pages), i, nr;

	if (!w->is_contig) {
		free_pages_exact(page_address(w->pages), w->nr_pages << PAGE_SHIFT);
		return;
	}
	for (i = 0; i < w->nr_pages; i += nr) {
		nr = min(w->nr_pages - i, WINDOW_FREE_PAGES);
		free_contig_range(pfn + i, nr);
		cond_resched();
	}
}

static unsigned long window_va(const struct vsp_window *w)
{
	return (unsigned long)page_address(w->pages);
}

/* ---- the window ---- */

/*
 * Mappings of a BAR by a process survive the function, and even the module, as
 * the kernel has a card's memory for something that is never put to other use.
 * To make a region busy takes them away (CONFIG_IO_STRICT_DEVMEM), and keeps
 * /dev/mem out until it is RAM again, which that file does not show.
 */
static void window_revoke(struct vsp_window *w)
{
	w->busy = request_mem_region(w->res.start, resource_size(&w->res), KBUILD_MODNAME);
	if (!w->busy)
		pr_warn("cannot make %pR busy: who has it mapped still sees the memory\n", &w->res);
}

/**
 * vsp_window_create() - take memory out of RAM and make it bus address space
 * @ddr_size:  bytes of the card's memory, a power of two of 1 MiB or more, or 0
 * @bars_size: bytes of the BARs 4, a multiple of 1 MiB, which is what a bridge
 *             window is made of
 *
 * Process context, sleeps; stops all CPUs for some microseconds. The memory is
 * zeroed, aligned to 1 MiB and to @ddr_size, and one entry of /proc/iomem.
 *
 * Return: the window, or an ERR_PTR: -ENOMEM if no contiguous memory is free,
 * -EOPNOTSUPP if the architecture cannot map RAM as device memory
 */
struct vsp_window *vsp_window_create(u64 ddr_size, u64 bars_size)
{
	u64 align = max(ddr_size, roundup_pow_of_two(bars_size));
	struct vsp_window *w;
	int err;

	if (!VSP_HAVE_WINDOW) {
		pr_err("this architecture cannot show RAM as a BAR\n");
		return ERR_PTR(-EOPNOTSUPP);
	}
	w = kzalloc(sizeof(*w), GFP_KERNEL);
	if (!w)
		return ERR_PTR(-ENOMEM);
	w->ddr_size = ddr_size;
	err = window_alloc_pages(w, ddr_size + bars_size, align);
	if (err) {
		pr_err("no %llu MiB of contiguous memory for the BARs\n",
		       (ddr_size + bars_size) / SZ_1M);
		goto err_free;
	}
	w->res.name = KBUILD_MODNAME;
	w->res.start = page_to_phys(w->pages);
	w->res.end = w->res.start + (w->nr_pages << PAGE_SHIFT) - 1;
	w->res.flags = IORESOURCE_MEM | IORESOURCE_MEM_64 | IORESOURCE_PREFETCH;

	err = set_memory_uc(window_va(w), w->nr_pages);
	if (err)
		goto err_free_pages;
	err = stop_machine(window_carve, w, NULL);
	if (err) {
		pr_err("cannot take %pR out of the resource tree: %d\n", &w->res, err);
		goto err_set_memory_wb;
	}
	w->io = ioremap(vsp_window_bars(w), bars_size);
	if (!w->io) {
		err = -ENOMEM;
		goto err_uncarve;
	}
	return w;

err_uncarve:
	stop_machine(window_uncarve, w, NULL);
err_set_memory_wb:
	set_memory_wb(window_va(w), w->nr_pages);
err_free_pages:
	window_free_pages(w);
err_free:
	kfree(w);
	return ERR_PTR(err);
}

/**
 * vsp_window_destroy() - give the memory back
 * @w: the window; nothing maps it and no resource lies in it any more
 *
 * Process context, sleeps. If the resource tree cannot be put together again,
 * the memory and the entries that point to it stay where they are for good,
 * which is the only safe thing.
 */
void vsp_window_destroy(struct vsp_window *w)
{
	int err;

	iounmap(w->io);
	window_revoke(w);
	err = stop_machine(window_uncarve, w, NULL);
	if (err) {
		pr_err("cannot give %pR back: %d; it is lost until reboot\n", &w->res, err);
		return;
	}
	kfree(w->busy);
	set_memory_wb(window_va(w), w->nr_pages);
	window_free_pages(w);
	kfree(w);
}

struct resource *vsp_window_resource(struct vsp_window *w)
{
	return &w->res;
}

phys_addr_t vsp_window_bars(struct vsp_window *w)
{
	return w->res.start + w->ddr_size;
}

void __iomem *vsp_window_io(struct vsp_window *w)
{
	return w->io;
}
