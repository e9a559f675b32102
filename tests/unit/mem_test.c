// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * The driver's memory by table and by window: pointers, pieces, and copies from
 * and to chains. Frames are mem_frame_test.c's, plain copies copy_test.c's.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "mem_world.h"

#define R	VRL_PERM_R
#define W	VRL_PERM_W
#define RW	(VRL_PERM_R | VRL_PERM_W)

/* IOVA ranges by neighbours: 5 bytes, 1 byte, 3 bytes, a hole of one, 40 bytes. */
static void world_small(struct world *w)
{
	world_open(w);
	world_map(w, 106, 3, RW);
	world_map(w, 100, 5, RW);
	world_map(w, 105, 1, RW);
	world_map(w, 110, 40, RW);
	world_remember(w);
}

/* What the model says of [off, off + len) of the chain: 0 or -EFAULT. */
static int model(struct world *w, const struct vrl_chain *c, uint32_t off,
		 uint32_t len, uint32_t perm)
{
	for (; len; len--, off++)
		if (!world_chain_byte(w, c, off, perm))
			return -EFAULT;
	return 0;
}

static void read_agrees(struct world *w, const struct vrl_chain *c,
			uint32_t off, uint32_t len)
{
	unsigned char dst[256], want[256];
	uint32_t i;

	memset(dst, 0xa5, sizeof(dst));
	memset(want, 0xa5, sizeof(want));
	if (!model(w, c, off, len, R))
		for (i = 0; i < len; i++)
			want[i] = *world_chain_byte(w, c, off + i, R);
	assert_int_equal(vrl_mem_read(&w->m, &w->b, c, off, dst, len),
			 model(w, c, off, len, R));
	assert_memory_equal(dst, want, sizeof(dst));
	world_assert_unchanged(w);
}

static void write_agrees(struct world *w, const struct vrl_chain *c,
			 uint32_t off, uint32_t len)
{
	unsigned char src[256];
	static unsigned char salt;
	unsigned char *p;
	uint32_t i;
	int ret;

	ret = model(w, c, off, len, W);
	salt += 89;
	for (i = 0; i < len; i++)
		src[i] = (unsigned char)(salt + i);
	assert_int_equal(vrl_mem_write(&w->m, &w->b, c, off, src, len), ret);
	for (i = 0; i < len && !ret; i++) {
		p = world_chain_byte(w, c, off + i, W);
		assert_int_equal(*p, src[i]);
		*p = world_was(w, p);
	}
	world_assert_unchanged(w);
}

static void make_hot(struct world *w, uint64_t iova)
{
	unsigned int i;

	for (i = 0; i < 20; i++) {
		assert_non_null(vrl_mem_at(&w->m, iova, 1, R));
		assert_non_null(vrl_mem_at(&w->m, iova, 1, W));
	}
	assert_int_not_equal(w->m.out.size, 0);
	assert_int_not_equal(w->m.in.size, 0);
}

struct span_case {
	const char *name;
	struct { uint64_t iova; uint32_t len; } seg[3];
	unsigned int nr;
};

static const struct span_case span_cases[] = {
	{ "a_buffer_in_one_range_is_copied", { { 111, 30 } }, 1 },
	{ "a_buffer_over_two_neighbours_is_copied", { { 101, 5 } }, 1 },
	{ "a_buffer_over_three_neighbours_is_copied", { { 100, 9 } }, 1 },
	{ "a_buffer_that_ends_in_a_hole_is_refused_whole", { { 100, 10 } }, 1 },
	{ "a_buffer_that_begins_in_a_hole_is_refused_whole",
	  { { 109, 10 } }, 1 },
	{ "a_buffer_with_a_hole_inside_is_refused_whole", { { 104, 20 } }, 1 },
	{ "a_buffer_nobody_mapped_is_refused", { { 5000, 8 } }, 1 },
	{ "segments_in_different_ranges_are_one_stream",
	  { { 120, 7 }, { 103, 6 }, { 110, 2 } }, 3 },
	{ "a_hole_in_the_last_segment_refuses_the_chain",
	  { { 120, 7 }, { 103, 2 }, { 108, 2 } }, 3 },
	{ "a_hole_in_the_first_segment_refuses_the_chain",
	  { { 108, 2 }, { 120, 7 }, { 103, 2 } }, 3 },
};

/*
 * Every part of the chain, so also those that stop short of the hole; once more
 * with the range from 110 on hot.
 */
static void test_span(void **state)
{
	const struct span_case *c = *state;
	struct vrl_chain *out, *in;
	uint32_t off, len;
	unsigned int i;
	struct world w;

	world_small(&w);
	out = world_chain(&w);
	for (i = 0; i < c->nr; i++)
		world_seg(&w, c->seg[i].iova, c->seg[i].len, 0);
	in = world_chain(&w);
	world_seg(&w, 140, 3, 0);
	for (i = 0; i < c->nr; i++)
		world_seg(&w, c->seg[i].iova, c->seg[i].len, VRL_SEG_WRITE);

	for (off = 0; off <= out->out_len; off++)
		for (len = 0; len <= out->out_len - off; len++) {
			read_agrees(&w, out, off, len);
			write_agrees(&w, in, off, len);
			make_hot(&w, 110);
			read_agrees(&w, out, off, len);
			write_agrees(&w, in, off, len);
		}
	world_close(&w);
}

static void too_short_is_said(struct world *w, const struct vrl_chain *c)
{
	static const struct { uint32_t off, len; int want; } cases[] = {
		{ 0, 12, 0 }, { 0, 13, -EMSGSIZE }, { 12, 0, 0 },
		{ 12, 1, -EMSGSIZE }, { 13, 0, -EMSGSIZE }, { 5, 8, -EMSGSIZE },
		{ UINT32_MAX, 2, -EMSGSIZE }, { 2, UINT32_MAX, -EMSGSIZE },
	};
	char mem[16] = { 0 }, *buf = mem;
	unsigned int i;

	/* Or the compiler warns of what never comes to pass. */
	__asm__("" : "+r"(buf));
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(vrl_mem_read(&w->m, &w->b, c, cases[i].off, buf,
					      cases[i].len), cases[i].want);
		assert_int_equal(vrl_mem_write(&w->m, &w->b, c, cases[i].off, buf,
					       cases[i].len), cases[i].want);
	}
}

static void a_chain_that_is_too_short_is_said_so(void **state)
{
	static char window[256], byte;
	struct vrl_chain *c, *none;
	struct world w;

	(void)state;
	world_small(&w);
	c = world_chain(&w);
	world_seg(&w, 110, 8, 0);
	world_seg(&w, 120, 4, 0);
	world_seg(&w, 130, 8, VRL_SEG_WRITE);
	world_seg(&w, 140, 4, VRL_SEG_WRITE);
	none = world_chain(&w);
	too_short_is_said(&w, c);
	assert_int_equal(vrl_mem_read(&w.m, &w.b, none, 0, &byte, 0), 0);
	assert_int_equal(vrl_mem_read(&w.m, &w.b, none, 0, &byte, 1), -EMSGSIZE);
	assert_int_equal(vrl_mem_write(&w.m, &w.b, none, 0, &byte, 1), -EMSGSIZE);
	w.m = (struct vrl_mem){ .window = window };
	too_short_is_said(&w, c);
	world_close(&w);
}

static void a_range_for_one_direction_refuses_the_other(void **state)
{
	struct vrl_chain *c;
	char buf[8] = { 0 };
	struct world w;

	(void)state;
	world_open(&w);
	world_map(&w, 100, 50, R);
	world_map(&w, 150, 50, W);
	world_map(&w, 200, 50, RW);
	world_remember(&w);
	c = world_chain(&w);
	world_seg(&w, 146, 8, 0);
	world_seg(&w, 146, 8, VRL_SEG_WRITE);
	assert_int_equal(vrl_mem_read(&w.m, &w.b, c, 0, buf, 4), 0);
	assert_int_equal(vrl_mem_read(&w.m, &w.b, c, 0, buf, 8), -EACCES);
	assert_int_equal(vrl_mem_write(&w.m, &w.b, c, 4, buf, 0), 0);
	assert_int_equal(vrl_mem_write(&w.m, &w.b, c, 0, buf, 8), -EACCES);
	world_assert_unchanged(&w);
	assert_int_equal(vrl_mem_write(&w.m, &w.b, c, 4, buf, 4), 0);

	assert_non_null(vrl_mem_at(&w.m, 100, 4, R));
	assert_null(vrl_mem_at(&w.m, 100, 4, W));
	assert_null(vrl_mem_at(&w.m, 100, 4, RW));
	assert_null(vrl_mem_at(&w.m, 150, 4, RW));
	assert_non_null(vrl_mem_at(&w.m, 200, 4, RW));
	world_close(&w);
}

/* More pieces than are translated at once: 100 segments over two ranges each. */
static void a_long_chain_with_its_hole_at_the_end_is_refused_whole(void **state)
{
	static unsigned char buf[1000], want[1000];
	struct vrl_chain *out, *in;
	struct world w;
	unsigned int i;

	(void)state;
	world_open(&w);
	for (i = 0; i <= 100; i++)
		world_map(&w, 1000 + 10 * i, 10, RW);
	world_remember(&w);
	out = world_chain(&w);
	for (i = 0; i < 100; i++)
		world_seg(&w, 1005 + 10 * i, 10, 0);
	in = world_chain(&w);
	for (i = 0; i < 100; i++)
		world_seg(&w, 1005 + 10 * i, 10, VRL_SEG_WRITE);

	for (i = 0; i < 1000; i++)
		want[i] = *world_byte(&w, 1005 + i, R);
	assert_int_equal(vrl_mem_read(&w.m, &w.b, out, 0, buf, 1000), 0);
	assert_memory_equal(buf, want, 1000);

	w.segs[99].iova = 1006 + 10 * 99 + 10 - 5;
	w.segs[199].iova = w.segs[99].iova;
	memset(buf, 0x5a, sizeof(buf));
	assert_int_equal(vrl_mem_read(&w.m, &w.b, out, 0, buf, 1000), -EFAULT);
	assert_int_equal(vrl_mem_write(&w.m, &w.b, in, 0, want, 1000), -EFAULT);
	for (i = 0; i < 1000; i++)
		assert_int_equal(buf[i], 0x5a);
	world_assert_unchanged(&w);

	/* All but the last byte is there. */
	assert_int_equal(vrl_mem_write(&w.m, &w.b, in, 0, want, 999), 0);
	world_close(&w);
}

static void a_window_is_added_to_the_iova(void **state)
{
	unsigned char mem[64], buf[16];
	struct vrl_piece p[2];
	struct vrl_chain *c;
	struct world w;
	unsigned int i;

	(void)state;
	world_open(&w);
	for (i = 0; i < sizeof(mem); i++)
		mem[i] = (unsigned char)i;
	w.m = (struct vrl_mem){ .window = mem };
	c = world_chain(&w);
	world_seg(&w, 8, 4, 0);
	world_seg(&w, 50, 4, 0);
	world_seg(&w, 20, 8, VRL_SEG_WRITE);
	vrl_mem_sync(&w.m);
	assert_ptr_equal(vrl_mem_at(&w.m, 33, 4, RW), mem + 33);
	assert_int_equal(vrl_mem_read(&w.m, &w.b, c, 2, buf, 4), 0);
	assert_memory_equal(buf, "\12\13\62\63", 4);
	assert_int_equal(vrl_mem_write(&w.m, &w.b, c, 1, "abc", 3), 0);
	assert_memory_equal(mem + 20, "\24abc\30", 5);
	assert_int_equal(vrl_mem_pieces(&w.m, w.segs, 2, R, p, 2), 2);
	assert_ptr_equal(p[1].addr, mem + 50);
	assert_int_equal(p[1].len, 4);
	vrl_mem_prefetch(&w.m, &w.b);
	world_close(&w);
}

/* Segments of @len[], with a gap behind each; then bytes 0..@want of them in turn. */
static void window_agrees(const uint32_t *len, unsigned int nr, uint32_t want)
{
	static unsigned char mem[4096], was[4096], buf[2048];
	struct vrl_used_elem used = { .len = 0 };
	struct vrl_piece frame = { .addr = buf, .len = want };
	uint32_t flags, at = 3, i, off;
	struct world w;

	for (flags = 0; flags <= VRL_SEG_WRITE; flags += VRL_SEG_WRITE) {
		world_open(&w);
		w.m = (struct vrl_mem){ .window = mem };
		world_chain(&w);
		for (i = 0, at = 3; i < nr; at += len[i++] + 5)
			world_seg(&w, at, len[i], flags);
		for (i = 0; i < sizeof(mem); i++)
			mem[i] = was[i] = (unsigned char)(i * 7 + (i >> 8));
		for (i = 0; i < sizeof(buf); i++)
			buf[i] = (unsigned char)(i * 13 + 1);
		if (!flags) {
			assert_int_equal(vrl_mem_read(&w.m, &w.b, w.chains, 0, buf, want), 0);
		} else {
			assert_int_equal(vrl_mem_write_frame(&w.m, &w.b, 0, &frame, 1, &used), 1);
			assert_int_equal(used.len, want);
		}
		for (i = 0, off = 0, at = 3; i < nr; at += len[i++] + 5)
			for (uint32_t j = 0; j < len[i] && off < want; j++, off++) {
				assert_int_equal(buf[off], mem[at + j]);
				was[at + j] = mem[at + j];
			}
		assert_memory_equal(mem, was, sizeof(mem));
		assert_int_equal(buf[want], (unsigned char)(want * 13 + 1));
		world_close(&w);
	}
}

static void segments_of_any_length_are_copied_through_a_window(void **state)
{
	static const uint32_t len[][3] = {
		{ 12, 64, 1 }, { 12, 1500, 3 }, { 1, 2, 4 }, { 8, 16, 32 }, { 65, 128, 63 },
		{ 129, 100, 20 }, { 256, 257, 255 }, { 3, 15, 31 },
	};
	unsigned int i, nr;
	uint32_t sum, cut;

	(void)state;
	for (i = 0; i < sizeof(len) / sizeof(len[0]); i++)
		for (nr = 1, sum = 0; nr <= 3; nr++) {
			sum += len[i][nr - 1];
			for (cut = 0; cut < 3 && cut < len[i][nr - 1]; cut++)
				window_agrees(len[i], nr, sum - cut);
		}
}

static void pieces_are_those_of_the_ranges(void **state)
{
	static const uint32_t len[] = { 2, 5, 1, 3, 1 };
	static const uint64_t iova[] = { 110, 100, 105, 106, 149 };
	struct vrl_piece p[8];
	struct world w;
	unsigned int i;

	(void)state;
	world_small(&w);
	world_chain(&w);
	world_seg(&w, 110, 2, 0);
	world_seg(&w, 100, 9, 0);
	world_seg(&w, 149, 1, 0);
	assert_int_equal(vrl_mem_pieces(&w.m, w.segs, 3, R, p, 8), 5);
	for (i = 0; i < 5; i++) {
		assert_ptr_equal(p[i].addr, world_byte(&w, iova[i], R));
		assert_int_equal(p[i].len, len[i]);
	}
	assert_int_equal(vrl_mem_pieces(&w.m, w.segs, 3, R, p, 5), 5);
	for (i = 0; i < 5; i++)
		assert_int_equal(vrl_mem_pieces(&w.m, w.segs, 3, R, p, i),
				 -ENOSPC);
	assert_int_equal(vrl_mem_pieces(&w.m, w.segs, 0, R, p, 0), 0);
	w.segs[2].len = 2;
	assert_int_equal(vrl_mem_pieces(&w.m, w.segs, 3, R, p, 8), -EFAULT);
	world_close(&w);
}

/* The table lies in memory that is taken away under the reader. */
static void the_hot_range_is_used_without_the_table(void **state)
{
	unsigned char mem[32];
	struct vrl_mem m = { .base = mem };
	struct vrl_iotlb *t;
	unsigned int i;

	(void)state;
	t = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(t, MAP_FAILED);
	assert_int_equal(vrl_iotlb_init(t, 4), 0);
	assert_int_equal(vrl_iotlb_add(t, 1000, 1031, 0, RW), 0);
	assert_int_equal(vrl_mem_attach(&m, t, 4096, mem), 0);
	for (i = 0; i < 20; i++) {
		assert_ptr_equal(vrl_mem_at(&m, 1000 + i, 4, R), mem + i);
		assert_ptr_equal(vrl_mem_at(&m, 1000 + i, 4, W), mem + i);
	}
	vrl_mem_sync(&m);
	assert_int_equal(mprotect(t, 4096, PROT_NONE), 0);
	for (i = 0; i < 32; i++) {
		assert_ptr_equal(vrl_mem_at(&m, 1000 + i, 32 - i, R), mem + i);
		assert_ptr_equal(vrl_mem_at(&m, 1000, i + 1, RW), mem);
	}
	assert_int_equal(mprotect(t, 4096, PROT_READ | PROT_WRITE), 0);

	/* Gone after the next sync, and not before. */
	assert_int_equal(vrl_iotlb_del(t, 1000, 1015), 0);
	assert_ptr_equal(vrl_mem_at(&m, 1000, 4, R), mem);
	vrl_mem_sync(&m);
	assert_null(vrl_mem_at(&m, 1000, 4, R));
	assert_null(vrl_mem_at(&m, 1012, 8, W));
	assert_ptr_equal(vrl_mem_at(&m, 1016, 16, W), mem + 16);
	munmap(t, 4096);
}

static void a_buffer_at_the_end_of_the_space_is_reached(void **state)
{
	struct vrl_piece p[1];
	struct world w;
	unsigned int i;

	(void)state;
	world_open(&w);
	/* The whole space; only the sum of IOVA and address matters. */
	assert_int_equal(vrl_iotlb_add(w.tlb, 0, UINT64_MAX,
				       (uintptr_t)&w + 8, RW), 0);
	world_chain(&w);
	world_seg(&w, UINT64_MAX - 7, 8, 0);
	for (i = 0; i < 20; i++) {
		assert_ptr_equal(vrl_mem_at(&w.m, UINT64_MAX - 7, 8, R), &w);
		assert_ptr_equal(vrl_mem_at(&w.m, 0, 8, R), (char *)&w + 8);
		assert_int_equal(vrl_mem_pieces(&w.m, w.segs, 1, R, p, 1), 1);
		assert_ptr_equal(p[0].addr, &w);
	}
	world_close(&w);
}

static void a_writer_that_never_rests_is_not_waited_for(void **state)
{
	struct vrl_piece p[1];
	struct vrl_chain *c;
	struct world w;
	char buf[4];

	(void)state;
	world_small(&w);
	c = world_chain(&w);
	world_seg(&w, 110, 4, 0);
	world_seg(&w, 110, 4, VRL_SEG_WRITE);
	w.tlb->seq++;			/* as if it had died at work */
	assert_int_equal(vrl_mem_read(&w.m, &w.b, c, 0, buf, 4), -EAGAIN);
	assert_int_equal(vrl_mem_write(&w.m, &w.b, c, 0, "abcd", 4), -EAGAIN);
	assert_int_equal(vrl_mem_pieces(&w.m, w.segs, 1, R, p, 1), -EAGAIN);
	assert_null(vrl_mem_at(&w.m, 110, 4, R));
	world_assert_unchanged(&w);
	w.tlb->seq++;
	assert_int_equal(vrl_mem_read(&w.m, &w.b, c, 0, buf, 4), 0);
	world_close(&w);
}

static void memory_without_table_and_window_is_not_there(void **state)
{
	struct vrl_mem m = { .window = NULL };
	struct vrl_seg seg = { .iova = 0, .len = 1 };
	struct vrl_piece p;

	(void)state;
	vrl_mem_sync(&m);
	assert_null(vrl_mem_at(&m, 0, 1, R));
	assert_null(vrl_mem_at(&m, 0, 1, W));
	assert_int_equal(vrl_mem_pieces(&m, &seg, 1, R, &p, 1), -EFAULT);
	assert_int_equal(vrl_mem_attach(&m, NULL, 47, NULL), -EINVAL);
	assert_null(vrl_mem_at(&m, 0, 1, R));
}

int main(void)
{
	static const struct CMUnitTest plain[] = {
		cmocka_unit_test(a_chain_that_is_too_short_is_said_so),
		cmocka_unit_test(a_range_for_one_direction_refuses_the_other),
		cmocka_unit_test(a_long_chain_with_its_hole_at_the_end_is_refused_whole),
		cmocka_unit_test(a_window_is_added_to_the_iova),
		cmocka_unit_test(segments_of_any_length_are_copied_through_a_window),
		cmocka_unit_test(pieces_are_those_of_the_ranges),
		cmocka_unit_test(the_hot_range_is_used_without_the_table),
		cmocka_unit_test(a_buffer_at_the_end_of_the_space_is_reached),
		cmocka_unit_test(a_writer_that_never_rests_is_not_waited_for),
		cmocka_unit_test(memory_without_table_and_window_is_not_there),
	};
	static struct CMUnitTest tests[ARRAY_LEN(plain) +
				       ARRAY_LEN(span_cases)];
	unsigned int i, n = 0;

	for (i = 0; i < ARRAY_LEN(plain); i++)
		tests[n++] = plain[i];
	for (i = 0; i < ARRAY_LEN(span_cases); i++) {
		tests[n].name = span_cases[i].name;
		tests[n].test_func = test_span;
		tests[n++].initial_state = (void *)&span_cases[i];
	}
	return cmocka_run_group_tests_name("mem", tests, NULL, NULL);
}
