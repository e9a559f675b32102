// SPDX-License-Identifier: GPL-2.0-only
/*
 * What holds with an IOMMU that translates: what is not mapped faults.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 */
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/iommu.h>
#include <linux/ktime.h>
#include <linux/random.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "dma_test.h"

#define FENCE_ROUNDS	400
#define FENCE_MAX_US	400

/* The card may not do that, and says so in its statistics. */
static int must_fault(struct test_dev *t, const char *what, dma_addr_t dst, dma_addr_t src,
		      u32 len)
{
	u64 before = test_faults(t);
	int err = test_copy_one(t, dst, src, len);

	if (err != -EFAULT) {
		test_err(t, "%s: %d, not a fault\n", what, err);
		return err ? err : -EBADMSG;
	}
	if (test_faults(t) <= before) {
		test_err(t, "%s: the fault was not counted\n", what);
		return -EBADMSG;
	}
	return 0;
}

/* A buffer that is always mapped, for the other end of a copy. */
struct anchor {
	void *va;
	dma_addr_t dma;
};

static int anchor_alloc(struct test_dev *t, struct anchor *a)
{
	a->va = dma_alloc_coherent(&t->pdev->dev, SZ_16K, &a->dma, GFP_KERNEL);
	return a->va ? 0 : -ENOMEM;
}

static void anchor_free(struct test_dev *t, struct anchor *a)
{
	dma_free_coherent(&t->pdev->dev, SZ_16K, a->va, a->dma);
}

/* ---- nothing is left after unmap ---- */

static int unmapped_single(struct test_dev *t, struct anchor *a, void *buf)
{
	struct device *dev = &t->pdev->dev;
	dma_addr_t dma = dma_map_single(dev, buf, SZ_8K, DMA_BIDIRECTIONAL);
	int err = dma_mapping_error(dev, dma);

	if (err)
		return err;
	err = test_copy_one(t, a->dma, dma, SZ_8K) ?: test_copy_one(t, dma, a->dma, SZ_8K);
	dma_unmap_single(dev, dma, SZ_8K, DMA_BIDIRECTIONAL);
	return err ?: must_fault(t, "reads after unmap", a->dma, dma, 100) ?:
	       must_fault(t, "reads its end after unmap", a->dma, dma + SZ_8K - 100, 100) ?:
	       must_fault(t, "writes after unmap", dma, a->dma, 100);
}

static int unmapped_coherent(struct test_dev *t, struct anchor *a)
{
	size_t size = SZ_2M + SZ_4K;
	dma_addr_t dma;
	void *va;

	va = dma_alloc_coherent(&t->pdev->dev, size, &dma, GFP_KERNEL);
	if (!va)
		return -ENOMEM;
	dma_free_coherent(&t->pdev->dev, size, va, dma);
	return must_fault(t, "writes coherent memory after free", dma, a->dma, 100) ?:
	       must_fault(t, "reads its end", a->dma, dma + size - 100, 100);
}

static int case_unmapped(struct test_dev *t)
{
	void *buf = kzalloc(SZ_8K, GFP_KERNEL);
	struct anchor a;
	int err = buf ? anchor_alloc(t, &a) : -ENOMEM;

	if (!err) {
		err = unmapped_single(t, &a, buf) ?: unmapped_coherent(t, &a);
		anchor_free(t, &a);
	}
	kfree(buf);
	return err;
}

/* ---- directions ---- */

static int direction(struct test_dev *t, struct anchor *a, void *buf, bool to_device)
{
	enum dma_data_direction dir = to_device ? DMA_TO_DEVICE : DMA_FROM_DEVICE;
	struct device *dev = &t->pdev->dev;
	dma_addr_t dma = dma_map_single(dev, buf, SZ_4K, dir);
	int err = dma_mapping_error(dev, dma);

	if (err)
		return err;
	if (to_device)
		err = test_copy_one(t, a->dma, dma, 100) ?:
		      must_fault(t, "writes what it may only read", dma, a->dma, 100);
	else
		err = test_copy_one(t, dma, a->dma, 100) ?:
		      must_fault(t, "reads what it may only write", a->dma, dma, 100);
	dma_unmap_single(dev, dma, SZ_4K, dir);
	return err;
}

static int case_direction(struct test_dev *t)
{
	void *buf = kzalloc(SZ_4K, GFP_KERNEL);
	struct anchor a;
	int err = buf ? anchor_alloc(t, &a) : -ENOMEM;

	if (!err) {
		err = direction(t, &a, buf, true) ?: direction(t, &a, buf, false);
		anchor_free(t, &a);
	}
	kfree(buf);
	return err;
}

/* ---- not without Bus Master Enable ---- */

static int case_master(struct test_dev *t)
{
	struct anchor a;
	int err = anchor_alloc(t, &a);
	u64 before;

	if (err)
		return err;
	before = test_faults(t);
	pci_clear_master(t->pdev);
	/* Afterwards no queue can be enabled either: rings are memory too. */
	test_copy_post(t, &(struct test_seg) { a.dma, 100 }, 1,
		       &(struct test_seg) { a.dma + SZ_8K, 100 }, 1);
	err = test_copy_wait(t, 100);
	pci_set_master(t->pdev);
	if (err != -EFAULT) {
		test_err(t, "a copy without bus mastering: %d, not a fault\n", err);
		err = err ? err : -EBADMSG;
	} else {
		err = test_faults(t) > before ? test_start(t) : -EBADMSG;
	}
	err = err ?: test_copy_one(t, a.dma, a.dma + SZ_8K, 100);
	anchor_free(t, &a);
	return err;
}

/* ---- requests that must be refused ---- */

static int refused(struct test_dev *t, const char *what, int err, int want)
{
	if (err == want)
		return 0;
	test_err(t, "%s: %d, not %d\n", what, err, want);
	return err < 0 ? err : -EBADMSG;
}

static int case_unaligned(struct test_dev *t)
{
	struct iommu_domain *d = iommu_paging_domain_alloc(&t->pdev->dev);
	phys_addr_t phys = virt_to_phys(t) & PAGE_MASK;
	struct vsp_mbox_msg msg = {
		.cmd		= cpu_to_le16(VSP_MBOX_SET_VQ_ADDR),
		.vq_addr.desc	= cpu_to_le64(t->q[0].dma + 8),
	};
	int err;

	if (IS_ERR(d))
		return PTR_ERR(d);
	test_stop(t);
	err = refused(t, "a ring that is not aligned", test_mbox(t, &msg), -EINVAL) ?:
	      refused(t, "an address that is not aligned",
		      iommu_map(d, 0x1001, phys, SZ_4K, IOMMU_READ, GFP_KERNEL), -EINVAL) ?:
	      refused(t, "memory that is not aligned",
		      iommu_map(d, 0x1000, phys + 8, SZ_4K, IOMMU_READ, GFP_KERNEL), -EINVAL) ?:
	      refused(t, "a size that is not aligned",
		      iommu_map(d, 0x1000, phys, 100, IOMMU_READ, GFP_KERNEL), -EINVAL) ?:
	      refused(t, "unmap of nothing", iommu_unmap(d, 0x1000, SZ_4K), 0);
	iommu_domain_free(d);
	return err;
}

/* An address space of 16 MiB for 32 MiB of memory. */
static int oversized_alloc(struct test_dev *t)
{
	struct device *dev = &t->pdev->dev;
	dma_addr_t dma;
	void *va;
	int err;

	err = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(24));
	if (err)
		return err;
	va = dma_alloc_coherent(dev, SZ_32M, &dma, GFP_KERNEL | __GFP_NOWARN);
	if (va)
		dma_free_coherent(dev, SZ_32M, va, dma);
	err = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(64));
	return va ? refused(t, "32 MiB in 16 MiB", 0, -ENOMEM) : err;
}

static int case_oversized(struct test_dev *t)
{
	struct iommu_domain *d = iommu_paging_domain_alloc(&t->pdev->dev);
	int err;

	if (IS_ERR(d))
		return PTR_ERR(d);
	test_stop(t);
	err = refused(t, "a queue of 2048", test_mbox_vq(t, VSP_MBOX_SET_VQ_SIZE, 0, 2048),
		      -EINVAL) ?:
	      refused(t, "an address of 49 bits",
		      iommu_map(d, BIT_ULL(48), 0, SZ_4K, IOMMU_READ, GFP_KERNEL), -ERANGE) ?:
	      oversized_alloc(t);
	iommu_domain_free(d);
	return err;
}

/* ---- on return from unmap the card does not write any more (strict) ---- */

static int fence_round(struct test_dev *t, struct anchor *a, u8 *buf)
{
	struct device *dev = &t->pdev->dev;
	dma_addr_t dma = dma_map_single(dev, buf, SZ_4K, DMA_FROM_DEVICE);
	struct test_seg dst = { dma, SZ_4K }, src = { a->dma, SZ_4K };
	int err = dma_mapping_error(dev, dma);

	if (err)
		return err;
	test_copy_post(t, &dst, 1, &src, 1);
	udelay(get_random_u32_below(FENCE_MAX_US));
	dma_unmap_single(dev, dma, SZ_4K, DMA_FROM_DEVICE);
	memset(buf, 0xee, SZ_4K);
	err = test_copy_wait(t, SZ_4K);
	if (memchr_inv(buf, 0xee, SZ_4K)) {
		test_err(t, "the card wrote after unmap\n");
		return -EBADMSG;
	}
	return err == -EFAULT ? 1 : err;
}

static int case_fence(struct test_dev *t)
{
	struct anchor a;
	int err = anchor_alloc(t, &a), i, faults = 0;
	u8 *buf = (u8 *)__get_free_page(GFP_KERNEL);

	if (err || !buf)
		return -ENOMEM;
	memset(a.va, 0x11, SZ_16K);
	for (i = 0; err >= 0 && i < FENCE_ROUNDS; i++) {
		err = fence_round(t, &a, buf);
		faults += err == 1;
	}
	pci_info(t->pdev, "dma test: %d of %d unmaps came first\n", faults, i);
	free_page((unsigned long)buf);
	anchor_free(t, &a);
	return min(err, 0);
}

/* ---- domains of others, such as vhost's ---- */

static int user_is(struct test_dev *t, const char *when, bool want)
{
	return refused(t, when, vsp_hw_dma_has_user(t->fn) ? -EBUSY : 0, want ? -EBUSY : 0);
}

/* The card remembers such a domain until it is freed, not until it is detached. */
static int case_user(struct test_dev *t)
{
	struct iommu_domain *d = iommu_paging_domain_alloc(&t->pdev->dev);
	int err;

	if (IS_ERR(d))
		return PTR_ERR(d);
	test_stop(t);
	err = user_is(t, "a user before there is one", false) ?:
	      iommu_attach_device(d, &t->pdev->dev);
	if (!err) {
		err = user_is(t, "a user while it is attached", true);
		iommu_detach_device(d, &t->pdev->dev);
		err = err ?: user_is(t, "a user after it was detached", true);
	}
	iommu_domain_free(d);
	return err ?: user_is(t, "a user after it was freed", false);
}

/* A copy on its way when the domain under it changes, and the new one goes. */
static int switch_round(struct test_dev *t, struct anchor *a)
{
	struct iommu_domain *d = iommu_paging_domain_alloc(&t->pdev->dev);
	struct test_seg dst = { a->dma, SZ_4K }, src = { a->dma + SZ_8K, SZ_4K };
	int err;

	if (IS_ERR(d))
		return PTR_ERR(d);
	test_copy_post(t, &dst, 1, &src, 1);
	udelay(get_random_u32_below(FENCE_MAX_US));
	err = iommu_attach_device(d, &t->pdev->dev);
	if (!err) {
		udelay(get_random_u32_below(FENCE_MAX_US));
		iommu_detach_device(d, &t->pdev->dev);
	}
	iommu_domain_free(d);
	if (err)
		return err;
	err = test_copy_wait(t, SZ_4K);
	return err == -EFAULT ? 1 : err;
}

static int case_switch(struct test_dev *t)
{
	struct anchor a;
	int err = anchor_alloc(t, &a), i, faults = 0;

	if (err)
		return err;
	for (i = 0; err >= 0 && i < FENCE_ROUNDS / 2; i++) {
		err = switch_round(t, &a);
		faults += err == 1;
	}
	pci_info(t->pdev, "dma test: %d of %d switches came first\n", faults, i);
	if (err >= 0)
		err = test_copy_one(t, a.dma, a.dma + SZ_8K, SZ_4K);
	anchor_free(t, &a);
	return min(err, 0);
}

/* ---- what mapping costs; the number is for people ---- */

#define COST_ROUNDS	20000

static int cost_of(struct test_dev *t, struct page *page, size_t len)
{
	struct device *dev = &t->pdev->dev;
	ktime_t start = ktime_get();
	dma_addr_t dma;
	int i;

	for (i = 0; i < COST_ROUNDS; i++) {
		dma = dma_map_page(dev, page, 0, len, DMA_TO_DEVICE);
		if (dma_mapping_error(dev, dma))
			return -ENOMEM;
		dma_unmap_page(dev, dma, len, DMA_TO_DEVICE);
	}
	pci_info(t->pdev, "dma test: %zu KiB: %lld ns per map and unmap\n", len / SZ_1K,
		 ktime_to_ns(ktime_sub(ktime_get(), start)) / COST_ROUNDS);
	return 0;
}

static int case_cost(struct test_dev *t)
{
	struct page *page = alloc_pages(GFP_KERNEL, get_order(SZ_64K));
	int err;

	if (!page)
		return -ENOMEM;
	err = cost_of(t, page, SZ_4K) ?: cost_of(t, page, SZ_64K);
	__free_pages(page, get_order(SZ_64K));
	return err;
}

const struct test_case test_translated_cases[] = {
	{ "unmapped",	case_unmapped },
	{ "direction",	case_direction },
	{ "master",	case_master },
	{ "unaligned",	case_unaligned },
	{ "oversized",	case_oversized },
	{ "fence",	case_fence },
	{ "user",	case_user },
	{ "switch",	case_switch },
	{ "cost",	case_cost },
	{ }
};
