// SPDX-License-Identifier: GPL-2.0-only
/*
 * The DMA API, call by call; these hold in every mode of translation.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 */
#include <linux/dma-mapping.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "dma_test.h"

void test_fill(void *p, size_t len, u8 seed)
{
	u8 *b = p;
	size_t i;

	for (i = 0; i < len; i++)
		b[i] = seed + i + (i >> 8) * 7;
}

int test_verify(struct test_dev *t, const void *p, size_t len, u8 seed)
{
	const u8 *b = p;
	size_t i;

	for (i = 0; i < len; i++) {
		u8 want = seed + i + (i >> 8) * 7;

		if (b[i] != want) {
			test_err(t, "byte %zu of %zu is %#x, not %#x\n", i, len, b[i], want);
			return -EBADMSG;
		}
	}
	return 0;
}

/* ---- coherent ---- */

/* From the first half to the second, at its ends and in between, across pages. */
static int coherent_copy(struct test_dev *t, void *va, dma_addr_t dma, size_t size)
{
	size_t half = size / 2, len = min_t(size_t, half, 5000), at;
	size_t step = max_t(size_t, len, (half - len) / 8);
	int err = 0;
	u8 seed = 1;

	for (at = 0; !err && at + len <= half; at += step, seed++) {
		test_fill(va + at, len, seed);
		memset(va + half + at, 0, len);
		err = test_copy_one(t, dma + half + at, dma + at, len) ?:
		      test_verify(t, va + half + at, len, seed);
	}
	if (err)
		return err;
	test_fill(va, len, seed);
	return test_copy_one(t, dma + size - len, dma, len) ?:
	       test_verify(t, va + size - len, len, seed);
}

static int coherent_size(struct test_dev *t, size_t size)
{
	dma_addr_t dma;
	void *va;
	int err;

	va = dma_alloc_coherent(&t->pdev->dev, size, &dma, GFP_KERNEL);
	if (!va)
		return -ENOMEM;
	err = coherent_copy(t, va, dma, size);
	dma_free_coherent(&t->pdev->dev, size, va, dma);
	return err;
}

static int case_coherent_8k(struct test_dev *t)
{
	return coherent_size(t, SZ_8K);
}

static int case_coherent_1m(struct test_dev *t)
{
	return coherent_size(t, SZ_1M + SZ_4K);
}

static int case_coherent_2m(struct test_dev *t)
{
	return coherent_size(t, SZ_2M);
}

/* ---- streaming: one pair of mappings, copied and compared ---- */

static int stream_copy(struct test_dev *t, dma_addr_t dst, dma_addr_t src, void *from,
		       size_t len, u8 seed)
{
	struct device *dev = &t->pdev->dev;

	dma_sync_single_for_cpu(dev, src, len, DMA_TO_DEVICE);
	test_fill(from, len, seed);
	dma_sync_single_for_device(dev, src, len, DMA_TO_DEVICE);
	return test_copy_one(t, dst, src, len);
}

/* Unaligned at both ends; the offset in a page must be kept. */
static int single_stream(struct test_dev *t, void *from, void *to, size_t len)
{
	struct device *dev = &t->pdev->dev;
	dma_addr_t src, dst;
	int err = -ENOMEM;

	src = dma_map_single(dev, from, len, DMA_TO_DEVICE);
	if (dma_mapping_error(dev, src))
		return err;
	dst = dma_map_single(dev, to, len, DMA_FROM_DEVICE);
	if (dma_mapping_error(dev, dst))
		goto err_src;
	err = stream_copy(t, dst, src, from, len, 0x31);
	dma_unmap_single(dev, dst, len, DMA_FROM_DEVICE);
	if (!err)
		err = test_verify(t, to, len, 0x31);
err_src:
	dma_unmap_single(dev, src, len, DMA_TO_DEVICE);
	return err;
}

static int case_single(struct test_dev *t)
{
	u8 *from = kzalloc(SZ_8K, GFP_KERNEL), *to = kzalloc(SZ_8K, GFP_KERNEL);
	int err = -ENOMEM;

	if (from && to)
		err = single_stream(t, from + 13, to + 57, 6001);
	if (!err && (to[56] || to[57 + 6001])) {
		test_err(t, "bytes beside the buffer were written\n");
		err = -EBADMSG;
	}
	kfree(to);
	kfree(from);
	return err;
}

static int page_stream(struct test_dev *t, struct page *from, struct page *to)
{
	size_t size = SZ_64K, at = SZ_64K - 5000;
	struct device *dev = &t->pdev->dev;
	dma_addr_t src, dst;
	int err = -ENOMEM;

	src = dma_map_page(dev, from, 0, size, DMA_TO_DEVICE);
	if (dma_mapping_error(dev, src))
		return err;
	dst = dma_map_page(dev, to, 256, size - 256, DMA_FROM_DEVICE);
	if (dma_mapping_error(dev, dst))
		goto err_src;
	err = stream_copy(t, dst + at - 256, src + at, page_address(from) + at, 5000, 0x77) ?:
	      stream_copy(t, dst, src + 256, page_address(from) + 256, 3000, 0x55);
	dma_unmap_page(dev, dst, size - 256, DMA_FROM_DEVICE);
	if (!err)
		err = test_verify(t, page_address(to) + at, 5000, 0x77) ?:
		      test_verify(t, page_address(to) + 256, 3000, 0x55);
err_src:
	dma_unmap_page(dev, src, size, DMA_TO_DEVICE);
	return err;
}

static int case_page(struct test_dev *t)
{
	unsigned int order = get_order(SZ_64K);
	struct page *from = alloc_pages(GFP_KERNEL, order);
	struct page *to = alloc_pages(GFP_KERNEL, order);
	int err = -ENOMEM;

	if (from && to)
		err = page_stream(t, from, to);
	if (from)
		__free_pages(from, order);
	if (to)
		__free_pages(to, order);
	return err;
}

/* ---- scatter lists ---- */

#define SG_PAGES	4
#define SG_LAST		(TEST_MAX_COPY - 2 * SZ_4K - 100)

struct sg_test {
	struct scatterlist sg[SG_PAGES];
	struct page *page[SG_PAGES];
};

static void sg_free(struct sg_test *s)
{
	unsigned int i;

	for (i = 0; i < SG_PAGES; i++)
		if (s->page[i])
			__free_page(s->page[i]);
}

/* Two whole pages, the end of one, the beginning of another. */
static int sg_alloc(struct sg_test *s)
{
	static const unsigned int off[] = { SZ_4K - 100, 0, 0, 0 };
	static const unsigned int len[] = { 100, SZ_4K, SZ_4K, SG_LAST };
	unsigned int i;

	sg_init_table(s->sg, SG_PAGES);
	for (i = 0; i < SG_PAGES; i++) {
		s->page[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!s->page[i])
			return -ENOMEM;
		sg_set_page(&s->sg[i], s->page[i], len[i], off[i]);
	}
	return 0;
}

static unsigned int sg_segs(struct sg_test *s, int nents, struct test_seg *seg)
{
	struct scatterlist *sg;
	int i;

	for_each_sg(s->sg, sg, nents, i)
		seg[i] = (struct test_seg) { sg_dma_address(sg), sg_dma_len(sg) };
	return nents;
}

static int sg_stream(struct test_dev *t, struct sg_test *src, struct sg_test *dst, u8 *flat)
{
	struct test_seg s[SG_PAGES], d[SG_PAGES];
	struct device *dev = &t->pdev->dev;
	int n_src, n_dst, err = -ENOMEM;

	test_fill(flat, TEST_MAX_COPY, 0x13);
	sg_copy_from_buffer(src->sg, SG_PAGES, flat, TEST_MAX_COPY);
	n_src = dma_map_sg(dev, src->sg, SG_PAGES, DMA_TO_DEVICE);
	if (!n_src)
		return err;
	n_dst = dma_map_sg(dev, dst->sg, SG_PAGES, DMA_FROM_DEVICE);
	if (!n_dst)
		goto err_src;
	err = test_copy(t, d, sg_segs(dst, n_dst, d), s, sg_segs(src, n_src, s));
	dma_unmap_sg(dev, dst->sg, SG_PAGES, DMA_FROM_DEVICE);
	if (!err) {
		sg_copy_to_buffer(dst->sg, SG_PAGES, flat, TEST_MAX_COPY);
		err = test_verify(t, flat, TEST_MAX_COPY, 0x13);
	}
err_src:
	dma_unmap_sg(dev, src->sg, SG_PAGES, DMA_TO_DEVICE);
	return err;
}

static int case_sg(struct test_dev *t)
{
	struct sg_test src = {}, dst = {};
	u8 *flat = kmalloc(TEST_MAX_COPY, GFP_KERNEL);
	int err = -ENOMEM;

	if (flat && !sg_alloc(&src) && !sg_alloc(&dst))
		err = sg_stream(t, &src, &dst, flat);
	sg_free(&src);
	sg_free(&dst);
	kfree(flat);
	return err;
}

/* ---- one mapping used again and again, in both directions ---- */

static int sync_round(struct test_dev *t, u8 *buf, dma_addr_t dma, u8 seed)
{
	struct device *dev = &t->pdev->dev;
	int err;

	test_fill(buf, 3000, seed);
	dma_sync_single_for_device(dev, dma, 3000, DMA_BIDIRECTIONAL);
	err = test_copy_one(t, dma + 3000, dma, 3000);
	dma_sync_single_range_for_cpu(dev, dma, 3000, 3000, DMA_BIDIRECTIONAL);
	return err ?: test_verify(t, buf + 3000, 3000, seed);
}

static int case_sync(struct test_dev *t)
{
	struct device *dev = &t->pdev->dev;
	u8 *mem = kzalloc(SZ_8K, GFP_KERNEL), *buf = mem + 100;
	dma_addr_t dma;
	int err, i;

	if (!mem)
		return -ENOMEM;
	dma = dma_map_single(dev, buf, 6000, DMA_BIDIRECTIONAL);
	err = dma_mapping_error(dev, dma);
	for (i = 0; !err && i < 4; i++)
		err = sync_round(t, buf, dma, 0x20 * i + 3);
	if (!dma_mapping_error(dev, dma))
		dma_unmap_single(dev, dma, 6000, DMA_BIDIRECTIONAL);
	kfree(mem);
	return err;
}

/* ---- masks ---- */

static int mask32_single(struct test_dev *t, void *buf)
{
	struct device *dev = &t->pdev->dev;
	dma_addr_t dma = dma_map_single(dev, buf, SZ_4K, DMA_TO_DEVICE);
	int err = dma_mapping_error(dev, dma);

	if (err)
		return err;
	if (dma + SZ_4K > BIT_ULL(32)) {
		test_err(t, "%pad is above 4 GiB\n", &dma);
		err = -ERANGE;
	}
	dma_unmap_single(dev, dma, SZ_4K, DMA_TO_DEVICE);
	return err;
}

static int case_mask32(struct test_dev *t)
{
	/* As high as there is memory. */
	struct page *page = alloc_pages(GFP_HIGHUSER, 1);
	int err;

	if (!page)
		return -ENOMEM;
	err = dma_set_mask_and_coherent(&t->pdev->dev, DMA_BIT_MASK(32)) ?:
	      mask32_single(t, page_address(page)) ?:
	      coherent_size(t, SZ_8K) ?: case_single(t);
	dma_set_mask_and_coherent(&t->pdev->dev, DMA_BIT_MASK(64));
	__free_pages(page, 1);
	return err;
}

const struct test_case test_cases[] = {
	{ "coherent-8k",	case_coherent_8k },
	{ "coherent-1m",	case_coherent_1m },
	{ "coherent-2m",	case_coherent_2m },
	{ "single",		case_single },
	{ "page",		case_page },
	{ "sg",			case_sg },
	{ "sync",		case_sync },
	{ "mask32",		case_mask32 },
	{ }
};
