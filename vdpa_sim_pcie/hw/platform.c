// SPDX-License-Identifier: GPL-2.0-only
/*
 * Platform translation: the addresses of a function are those of any PCI device,
 * and mean what the IOMMU in front of the card, or none, makes of them.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Without an IOMMU, or with one that passes through, an address is a physical
 * one. Nothing then stops the card from reaching any memory, as with any card;
 * but it keeps to RAM, as the CPU copies and other addresses have side effects or
 * are not mapped at all.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>

#include "../iommu/vsp_iommu.h"
#include "dma.h"
#include "vsp.h"

static bool iommu = true;
module_param(iommu, bool, 0444);
MODULE_PARM_DESC(iommu, "put a software IOMMU in front of the card (default 1)");

static bool untrusted;
module_param(untrusted, bool, 0444);
MODULE_PARM_DESC(untrusted, "mark the card as untrusted, like one behind an external port (default 0)");

/* ---- the functions as the IOMMU knows them ---- */

static int platform_create_fn(struct vsp_pci_fn *fn)
{
	if (!iommu)
		return 0;
	fn->master = vsp_iommu_master_create();
	return fn->master ? 0 : -ENOMEM;
}

int vsp_platform_create(struct vsp_card *card)
{
	unsigned int i;
	int err;

	err = platform_create_fn(&card->port);
	for (i = 0; !err && i < card->nr_fns; i++)
		err = platform_create_fn(card->fn[i]);
	if (err)
		vsp_platform_destroy(card);
	return err;
}

void vsp_platform_destroy(struct vsp_card *card)
{
	unsigned int i;

	for (i = 0; i < card->nr_fns; i++)
		vsp_iommu_master_destroy(card->fn[i]->master);
	vsp_iommu_master_destroy(card->port.master);
}

void vsp_platform_claim(struct vsp_pci_fn *fn, struct pci_dev *pdev)
{
	int err;

	if (fn->kind != VSP_PCI_ROOT_PORT)
		pdev->untrusted = untrusted;
	if (!fn->master)
		return;
	err = vsp_iommu_claim(fn->master, &pdev->dev);
	if (err)
		pci_err(pdev, "no IOMMU for it: %d\n", err);
}

bool vsp_hw_dma_has_user(struct vsp_fn *fn)
{
	return fn->pci.master && vsp_iommu_has_user(fn->pci.master);
}
EXPORT_SYMBOL_GPL(vsp_hw_dma_has_user);

/* ---- accesses ---- */

/*
 * The page at a physical address, or NULL if that is not RAM. A reserved page may
 * or may not be: the caller asks page_is_ram().
 */
static struct page *platform_page(struct vsp_fn *fn, phys_addr_t phys)
{
	const struct resource *window = vsp_window_resource(fn->pci.card->window);
	unsigned long pfn = PHYS_PFN(phys);
	struct page *page;

	/* An address that is no number of a page. */
	if (phys != PFN_PHYS(pfn) + offset_in_page(phys) || phys >> MAX_PHYSMEM_BITS)
		return NULL;
	/* BARs, the card's own. */
	if (phys >= window->start && phys <= window->end)
		return NULL;
	page = pfn_to_online_page(pfn);
	return page && !PageHighMem(page) ? page : NULL;
}

bool vsp_platform_is_memory(struct vsp_fn *fn, phys_addr_t phys)
{
	return platform_page(fn, phys);
}

static int platform_translate(struct vsp_fn *fn, u64 addr, u32 perm,
			      struct vsp_iommu_access *a)
{
	if (fn->pci.master)
		return vsp_iommu_begin(fn->pci.master, addr, perm, a);
	a->phys = addr;
	a->len = U64_MAX - addr;
	a->lock = NULL;
	return 0;
}

/*
 * Begin an access to RAM. Reserved pages are what is left of boot, such as bounce
 * buffers and the zero page, or no memory at all. Which of both, the resource
 * tree knows; its lock is not one to take below the fence's, as interrupts take
 * that. So it is asked in between, once per page: boot memory stays what it is.
 */
static int platform_begin(struct vsp_fn *fn, u64 addr, u32 perm,
			  struct vsp_iommu_access *a, struct page **page)
{
	struct page *known = NULL;
	int err;

	for (;;) {
		err = platform_translate(fn, addr, perm, a);
		if (err)
			return err;
		*page = platform_page(fn, a->phys);
		if (likely(*page && (*page == known || !PageReserved(*page))))
			return 0;
		vsp_iommu_end(a);
		known = *page;
		if (!known || !page_is_ram(page_to_pfn(known)))
			return -EFAULT;
	}
}

int vsp_platform_begin(struct vsp_fn *fn, u64 addr, size_t len, bool write,
		       struct vsp_dma_piece *p)
{
	struct vsp_iommu_access a;
	struct page *page;
	size_t offset;
	int err;

	err = platform_begin(fn, addr, write ? VSP_RADIX_WRITE : VSP_RADIX_READ, &a, &page);
	if (err)
		return err;
	offset = offset_in_page(a.phys);
	p->va = page_address(page) + offset;
	p->len = min3((u64)len, a.len,
		      (u64)min_t(size_t, PAGE_SIZE - offset, VSP_DMA_PIECE_MAX));
	p->lock = a.lock;
	p->flags = a.flags;
	p->ring = NULL;
	return 0;
}

/* ---- rings ---- */

/*
 * A reference, where the page has a count: user memory does, and what the DMA
 * API allocates page by page. The tail of a block that is not compound has none.
 */
static bool platform_hold(struct page *page)
{
	struct folio *folio;

	do {
		folio = page_folio(page);
		if (!folio_try_get(folio))
			return false;
		if (likely(page_folio(page) == folio))
			return true;
		folio_put(folio);
	} while (true);
}

/*
 * One page of a ring. Between translation and reference it may be unmapped and
 * become somebody else's: it has not if the translation still is the same.
 */
static int platform_ring_page(struct vsp_fn *fn, u64 addr, struct vsp_ring_mem *mem,
			      unsigned int i)
{
	u32 perm = VSP_RADIX_READ | (mem->writable ? VSP_RADIX_WRITE : 0);
	struct vsp_iommu_access a, again;
	struct page *page;
	int err;

	err = platform_begin(fn, addr, perm, &a, &page);
	if (err)
		return err;
	if (platform_hold(page))
		__set_bit(i, &mem->held);
	vsp_iommu_end(&a);
	if (!IS_ALIGNED(a.phys, PAGE_SIZE) || a.len < PAGE_SIZE)
		err = -EFAULT;
	mem->pages[i] = page;

	if (platform_translate(fn, addr, perm, &again))
		return -EFAULT;
	vsp_iommu_end(&again);
	return again.phys == a.phys ? err : -EFAULT;
}

struct vsp_ring_mem *vsp_platform_ring_get(struct vsp_fn *fn, u64 addr, size_t len,
					   bool write)
{
	return vsp_ring_mem_gather(fn, addr, len, write, platform_ring_page);
}
