// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Copies between chains and private memory (vrl/mem.h), compared with one byte
 * after the other.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "side.h"

/* Bytes of the readable or the writable segments of a chain. */
struct bytes {
	const struct side *s;
	const struct vrl_seg *seg;
	uint32_t total, perm;
	uint32_t at;			/* inside of *seg */
};

static struct bytes bytes_of(const struct side *s, unsigned int i, bool write)
{
	const struct vrl_chain *c = &s->b->chains[i];

	return (struct bytes){
		.s = s,
		.seg = &s->b->segs[c->seg + (write ? c->nr_out : 0)],
		.total = write ? c->in_len : c->out_len,
		.perm = write ? VRL_PERM_W : VRL_PERM_R,
	};
}

static void bytes_skip(struct bytes *b, uint32_t n)
{
	while (n >= b->seg->len - b->at) {
		n -= b->seg->len - b->at;
		b->seg++;
		b->at = 0;
		if (!n)
			return;
	}
	b->at += n;
}

/* Where the next byte lies, or NULL. */
static uint8_t *bytes_next(struct bytes *b, unsigned int *range)
{
	uint8_t *p;

	if (b->at == b->seg->len) {
		b->seg++;
		b->at = 0;
	}
	p = space_byte(&b->s->space, b->seg->iova + b->at, b->perm, range);
	b->at++;
	return p;
}

/* What the library has to answer. */
static int bytes_check(struct bytes b, uint32_t off, uint32_t len)
{
	unsigned int range;

	if (off > b.total || len > b.total - off)
		return -EMSGSIZE;
	if (len && off)
		bytes_skip(&b, off);
	while (len--)
		if (!bytes_next(&b, &range))
			return -EFAULT;
	return 0;
}

static void check_error(int ret, int want)
{
	CHECK(ret == want || (want == -EFAULT && ret == -EACCES));
}

void side_read(struct side *s, unsigned int i, uint32_t off, uint32_t len)
{
	struct bytes b = bytes_of(s, i, false);
	int want = bytes_check(b, off, len), ret;
	uint8_t *dst = malloc(len ? len : 1);
	unsigned int k, range;

	CHECK(dst);
	memset(dst, 0xa5, len);
	vrl_mem_sync(&s->space.mem);
	side_view_calm(s);
	ret = vrl_mem_read(&s->space.mem, s->b, &s->b->chains[i], off, dst, len);
	view_end();
	check_error(ret, want);
	if (!want && len && off)
		bytes_skip(&b, off);
	for (k = 0; k < len; k++)
		CHECK(dst[k] == (want ? 0xa5 : *bytes_next(&b, &range)));
	free(dst);
}

void side_write(struct side *s, unsigned int i, uint32_t off, uint32_t len)
{
	struct bytes b = bytes_of(s, i, true);
	int want = bytes_check(b, off, len), ret;
	uint8_t *src = malloc(len ? len : 1);
	unsigned int k, range;

	CHECK(src);
	for (k = 0; k < len; k++)
		src[k] = (uint8_t)(k * 7 + off);
	if (!want && len && off)
		bytes_skip(&b, off);
	for (k = 0; !want && k < len; k++) {
		const uint8_t *p = bytes_next(&b, &range);
		struct area *a = &s->area[MEMORY + range];

		area_expect(a, (size_t)(p - a->live), &src[k], 1);
	}
	vrl_mem_sync(&s->space.mem);
	side_view_calm(s);
	ret = vrl_mem_write(&s->space.mem, s->b, &s->b->chains[i], off, src, len);
	view_end();
	check_error(ret, want);
	free(src);
}

void side_pieces(struct side *s, unsigned int i, unsigned int max)
{
	const struct vrl_chain *c = &s->b->chains[i];
	struct bytes b = bytes_of(s, i, false);
	struct vrl_piece *p = malloc((max ? max : 1) * sizeof(*p));
	int want, ret, k;
	unsigned int range;
	uint64_t total = 0;
	uint32_t n;

	/* Longer than all memory there is: it cannot be mapped. */
	want = b.total > SPACE_BYTES ? -EFAULT : bytes_check(b, 0, b.total);
	CHECK(p);
	vrl_mem_sync(&s->space.mem);
	ret = vrl_mem_pieces(&s->space.mem, &s->b->segs[c->seg], c->nr_out,
			     VRL_PERM_R, p, max);
	if (ret >= 0) {
		CHECK(!want && (unsigned int)ret <= max);
		for (k = 0; k < ret; total += p[k].len, k++)
			for (n = 0; n < p[k].len; n++)
				CHECK((uint8_t *)p[k].addr + n == bytes_next(&b, &range));
		CHECK(total == b.total);
	} else if (ret == -ENOSPC) {
		CHECK(want || max < c->nr_out * s->space.nr);
	} else {
		check_error(ret, want);
		CHECK(want);
	}
	free(p);
}
