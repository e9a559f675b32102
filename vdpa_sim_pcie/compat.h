/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Differences between kernels 6.12 and 7.2, and nothing else. The code is
 * written for the newest kernel; an entry gives older ones that shape, under
 * the kernel's own name where that is free. No other file asks for a version
 * or an architecture.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 */
#ifndef VSP_COMPAT_H
#define VSP_COMPAT_H

#include <linux/dma-map-ops.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/iommu.h>
#include <linux/irq.h>
#include <linux/irqdomain.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/msi.h>
#include <linux/page_table_check.h>
#include <linux/pci.h>
#include <linux/vdpa.h>
#include <linux/version.h>

/* ---- PCI ---- */

/*
 * What an architecture wants to find in pci_bus.sysdata. Only x86 has been
 * thought through; elsewhere the card builds but vsp_window_create() refuses,
 * as ioremap() of memory does.
 */
#ifdef CONFIG_X86
#include <asm/set_memory.h>

#define VSP_HAVE_WINDOW		1

struct vsp_pci_sysdata {
	struct pci_sysdata x86;
};

static inline void vsp_pci_sysdata_init(struct vsp_pci_sysdata *sd, int domain, int node)
{
	sd->x86.domain = domain;
	sd->x86.node = node;
}
#else
#define VSP_HAVE_WINDOW		0

struct vsp_pci_sysdata {
	int domain;
};

static inline void vsp_pci_sysdata_init(struct vsp_pci_sysdata *sd, int domain, int node)
{
	sd->domain = domain;
}

static inline int set_memory_uc(unsigned long addr, int numpages)
{
	return -EOPNOTSUPP;
}

static inline int set_memory_wb(unsigned long addr, int numpages)
{
	return -EOPNOTSUPP;
}
#endif

/*
 * 6.19: one number space for the domains of emulated buses. Before, each
 * driver looks at what is there, as VMD did. Goes with 6.12.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0)
static inline int pci_bus_find_emul_domain_nr(u32 hint, u32 min, u32 max)
{
	int domain = min - 1;
	struct pci_bus *bus = NULL;

	while ((bus = pci_find_next_bus(bus)))
		domain = max_t(int, domain, pci_domain_nr(bus));
	return domain < (int)max ? domain + 1 : -ENOSPC;
}

static inline void pci_bus_release_emul_domain_nr(int domain_nr)
{
}
#endif

/* ---- interrupts ---- */

/*
 * 6.16: an MSI parent domain is made in one call. Before, the parts were there.
 * In 6.15 IRQ_MOVE_PCNTXT went, moving at once became the default. Goes with
 * 6.12.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 16, 0)
static inline struct irq_domain *
msi_create_parent_irq_domain(struct irq_domain_info *info, const struct msi_parent_ops *ops)
{
	struct irq_domain *d;

	info->domain_flags |= IRQ_DOMAIN_FLAG_MSI_PARENT;
	info->bus_token = ops->bus_select_token;
	d = irq_domain_instantiate(info);
	if (IS_ERR(d))
		return NULL;
	d->msi_parent_ops = ops;
	return d;
}

static inline void vsp_irq_set_move_immediate(unsigned int virq)
{
	irq_set_status_flags(virq, IRQ_MOVE_PCNTXT);
}
#else
static inline void vsp_irq_set_move_immediate(unsigned int virq)
{
}
#endif

/* ---- memory ---- */

/*
 * 6.17: alloc_contig_range() takes flags; before, the kind of pages that may be
 * moved away. Goes with 6.12.
 */
#ifdef ACR_FLAGS_NONE
#define VSP_CONTIG_FLAGS ACR_FLAGS_NONE
#else
#define VSP_CONTIG_FLAGS MIGRATE_MOVABLE
#endif

/*
 * 6.17: vmf_insert_pfn_pmd() takes a number; before, a pfn_t. Goes with 6.12.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
#include <linux/pfn_t.h>

static inline vm_fault_t vsp_insert_pfn_pmd(struct vm_fault *vmf, unsigned long pfn,
					    bool write)
{
	return vmf_insert_pfn_pmd(vmf, pfn_to_pfn_t(pfn), write);
}
#define vmf_insert_pfn_pmd vsp_insert_pfn_pmd
#endif

/*
 * A kernel that checks its page tables wants anonymous memory to be writable in one
 * of them only, and stops when it is not. Not a matter of versions, but of what a
 * kernel is built with: page_table_check=off.
 */
static inline bool vsp_page_tables_are_checked(void)
{
#ifdef CONFIG_PAGE_TABLE_CHECK
	return !static_branch_likely(&page_table_check_disabled);
#else
	return false;
#endif
}

/* ---- IOMMU ---- */

/*
 * 6.19: attach_dev() is told the old domain as well. VSP_IOMMU_ATTACH(fn) makes
 * the variant without it where that is wanted. Goes with 6.12.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0)
#define VSP_IOMMU_ATTACH(fn)							\
static int fn##_dev(struct iommu_domain *domain, struct device *dev)		\
{										\
	return fn(domain, dev, NULL);						\
}
#define VSP_IOMMU_ATTACH_OP(fn)	fn##_dev
#else
#define VSP_IOMMU_ATTACH(fn)
#define VSP_IOMMU_ATTACH_OP(fn)	fn
#endif

/* ---- vdpa ---- */

/*
 * 6.18: vdpa_alloc_device() takes mapping operations (always NULL here), and
 * vdpa_device.dma_dev went into the union vdpa_device.vmap. Goes with 6.12.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 18, 0)
#undef vdpa_alloc_device
#define vdpa_alloc_device(type, member, parent, config, map, ngroups, nas, name, use_va) \
	container_of(__vdpa_alloc_device(parent, config, ngroups, nas,			\
					 sizeof(type) +					\
					 BUILD_BUG_ON_ZERO(offsetof(type, member)),	\
					 name, use_va), type, member)

static inline void vsp_vdpa_set_dma_dev(struct vdpa_device *vdev, struct device *dev)
{
	vdev->dma_dev = dev;
}

static inline struct device *vsp_vdpa_dma_dev(struct vdpa_device *vdev)
{
	return vdev->dma_dev;
}
#else
static inline void vsp_vdpa_set_dma_dev(struct vdpa_device *vdev, struct device *dev)
{
	vdev->vmap.dma_dev = dev;
}

static inline struct device *vsp_vdpa_dma_dev(struct vdpa_device *vdev)
{
	return vdev->vmap.dma_dev;
}
#endif

/*
 * 6.19: dma_map_ops maps physical addresses; before, pages. VSP_DMA_MAP_PAGE(fn)
 * makes the page variant of fn() where it is wanted, VSP_DMA_PHYS_OPS() fills in
 * the members. 6.18: DMA_ATTR_MMIO; before, such memory came to map_resource.
 * Goes with 6.12.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0)
#define VSP_DMA_MAP_PAGE(fn)							\
static dma_addr_t fn##_page(struct device *dev, struct page *page,		\
			    unsigned long offset, size_t size,			\
			    enum dma_data_direction dir, unsigned long attrs)	\
{										\
	return fn(dev, page_to_phys(page) + offset, size, dir, attrs);		\
}
#define VSP_DMA_PHYS_OPS(map, unmap) .map_page = map##_page, .unmap_page = unmap
#else
#define VSP_DMA_MAP_PAGE(fn)
#define VSP_DMA_PHYS_OPS(map, unmap) .map_phys = map, .unmap_phys = unmap
#endif

#ifndef DMA_ATTR_MMIO
#define DMA_ATTR_MMIO 0
#endif

#endif /* VSP_COMPAT_H */
