// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * One frame into as many chains as it takes (5.1.6.4): where its bytes land,
 * what the used elements say, and that a frame which cannot be written whole
 * leaves no trace.
 */
#include <errno.h>
#include <string.h>

#include "mem_world.h"

#define W	VRL_PERM_W
#define RW	(VRL_PERM_R | VRL_PERM_W)
#define MAX	300

struct frame_case {
	const char *name;
	uint32_t piece[4];		/* lengths of the source's */
	unsigned int nr;
	unsigned int first;
	int want;			/* chains, or an error */
	uint32_t used[4];		/* their lengths */
};

/*
 * Chains: 0 has 20 bytes in one range; 1 has 20 over two ranges; 2 has 10, 3 and
 * 7 in three segments, the last over two ranges, after a readable one; 3 has
 * nothing writable; 4 has 20, of which the last 5 are in a hole; 5 has 20 behind
 * a range that is read-only; 6 has 200 of which one byte lies elsewhere.
 */
static void world_frames(struct world *w)
{
	world_open(w);
	world_map(w, 100, 50, RW);
	world_map(w, 150, 50, W);
	world_map(w, 1000, 20, VRL_PERM_R);
	world_map(w, 1020, 20, RW);
	world_map(w, 2000, 199, W);
	world_map(w, 2199, 1, W);
	world_map(w, 3000, 15, W);
	world_remember(w);

	world_chain(w);
	world_seg(w, 100, 20, VRL_SEG_WRITE);
	world_chain(w);
	world_seg(w, 140, 20, VRL_SEG_WRITE);
	world_chain(w);
	world_seg(w, 1000, 12, 0);
	world_seg(w, 170, 10, VRL_SEG_WRITE);
	world_seg(w, 125, 3, VRL_SEG_WRITE);
	world_seg(w, 2195, 5, VRL_SEG_WRITE);
	world_seg(w, 3000, 2, VRL_SEG_WRITE);
	world_chain(w);
	world_seg(w, 1000, 12, 0);
	world_chain(w);
	world_seg(w, 3000, 20, VRL_SEG_WRITE);
	world_chain(w);
	world_seg(w, 1010, 20, VRL_SEG_WRITE);
	world_chain(w);
	world_seg(w, 2000, 200, VRL_SEG_WRITE);
}

static const struct frame_case cases[] = {
	{ "a_frame_in_one_chain", { 12, 8 }, 2, 0, 1, { 20 } },
	{ "a_short_frame_leaves_the_rest_of_the_buffer", { 1 }, 1, 0, 1, { 1 } },
	{ "a_frame_over_two_ranges_of_one_chain", { 12, 5 }, 2, 1, 1, { 17 } },
	{ "a_frame_over_three_chains", { 12, 38, 10 }, 3, 0, 3,
	  { 20, 20, 20 } },
	{ "the_last_chain_of_a_frame_may_stay_half_empty", { 41 }, 1, 0, 3,
	  { 20, 20, 1 } },
	{ "a_frame_in_segments_after_a_readable_one", { 3, 9, 8 }, 3, 2, 1,
	  { 20 } },
	{ "empty_pieces_are_passed_over", { 0, 12, 0, 20 }, 4, 0, 2,
	  { 20, 12 } },
	{ "a_frame_without_bytes_is_refused", { 0, 0 }, 2, 0, -EINVAL, { 0 } },
	{ "a_frame_of_no_pieces_is_refused", { 0 }, 0, 0, -EINVAL, { 0 } },
	{ "a_chain_without_room_refuses_the_frame", { 61 }, 1, 0, -EFAULT,
	  { 0 } },
	{ "a_chain_without_room_refuses_it_at_once", { 1 }, 1, 3, -EFAULT,
	  { 0 } },
	{ "a_buffer_that_is_used_up_to_a_hole_is_written", { 15 }, 1, 4, 1,
	  { 15 } },
	{ "a_buffer_that_ends_in_a_hole_is_refused", { 16 }, 1, 4, -EFAULT,
	  { 0 } },
	{ "a_buffer_that_may_not_be_written_is_refused", { 2, 9 }, 2, 5,
	  -EACCES, { 0 } },
	{ "all_but_the_last_byte_fits", { 199 }, 1, 6, 1, { 199 } },
	{ "all_of_the_last_chain_fits", { 150, 50 }, 2, 6, 1, { 200 } },
	{ "a_frame_longer_than_all_chains_waits", { 201 }, 1, 6, -ENOBUFS,
	  { 0 } },
	{ "a_frame_finds_no_chain_behind_the_last", { 1 }, 1, 7, -ENOBUFS,
	  { 0 } },
};

/* Takes the frame's bytes back out of the chains, and compares. */
static void frame_take_back(struct world *w, const struct frame_case *c,
			    const unsigned char *frame,
			    const struct vrl_used_elem *used)
{
	const struct vrl_chain *ch = &w->chains[c->first];
	unsigned int at = 0;
	uint32_t off;
	int i;

	for (i = 0; i < c->want; i++, ch++) {
		assert_int_equal(used[i].id, ch->id);
		assert_int_equal(used[i].len, c->used[i]);
		for (off = 0; off < used[i].len; off++, at++) {
			unsigned char *p = world_chain_byte(w, ch, off, W);

			assert_int_equal(*p, frame[at]);
			*p = world_was(w, p);
		}
	}
	world_assert_unchanged(w);
}

static void test_frame(void **state)
{
	const struct frame_case *c = *state;
	unsigned char frame[4 * MAX], apart[4][MAX];
	struct vrl_used_elem used[WORLD_CHAINS];
	struct vrl_piece src[4];
	unsigned int i, n = 0;
	struct world w;

	world_frames(&w);
	for (i = 0; i < sizeof(frame); i++)
		frame[i] = (unsigned char)(i * 7 + 3);
	for (i = 0; i < c->nr; i++) {
		memcpy(apart[i], frame + n, c->piece[i]);
		src[i] = (struct vrl_piece){ apart[i], c->piece[i] };
		n += c->piece[i];
	}
	/* Twice cold and often hot. */
	for (i = 0; i < 40; i++) {
		memset(used, 0xee, sizeof(used));
		assert_int_equal(vrl_mem_write_frame(&w.m, &w.b, c->first, src,
						     c->nr, used), c->want);
		frame_take_back(&w, c, frame, used);
	}
	if (c->want > 0)
		assert_int_equal(vrl_mem_frame_chains(&w.b, c->first, n),
				 c->want);
	if (c->want == -ENOBUFS)
		assert_int_equal(vrl_mem_frame_chains(&w.b, c->first, n), 0);
	world_close(&w);
}

/* More pieces than are translated at once, in two chains. */
static void a_frame_over_a_hundred_ranges_is_all_or_nothing(void **state)
{
	static unsigned char frame[1000];
	const struct vrl_piece src[] = { { frame, 12 }, { frame + 12, 988 } };
	struct vrl_used_elem used[2];
	struct world w;
	unsigned int i;

	(void)state;
	world_open(&w);
	for (i = 0; i < 100; i++)
		world_map(&w, 1000 + 10 * i, 10, W);
	world_remember(&w);
	world_chain(&w);
	world_seg(&w, 1000, 500, VRL_SEG_WRITE);
	world_chain(&w);
	world_seg(&w, 1501, 500, VRL_SEG_WRITE);
	for (i = 0; i < sizeof(frame); i++)
		frame[i] = (unsigned char)(i * 11);

	assert_int_equal(vrl_mem_write_frame(&w.m, &w.b, 0, src, 2, used),
			 -EFAULT);
	world_assert_unchanged(&w);
	w.segs[1].iova = 1500;
	assert_int_equal(vrl_mem_write_frame(&w.m, &w.b, 0, src, 2, used), 2);
	for (i = 0; i < 1000; i++)
		assert_int_equal(*world_byte(&w, 1000 + i, W), frame[i]);
	world_close(&w);
}

static void prefetch_passes_over_what_is_not_mapped(void **state)
{
	struct world w;

	(void)state;
	world_frames(&w);
	w.segs[0].iova = 99999;
	vrl_mem_prefetch(&w.m, &w.b);
	world_assert_unchanged(&w);
	w.b.nr_chains = 0;
	vrl_mem_prefetch(&w.m, &w.b);
	world_close(&w);
}

int main(void)
{
	static const struct CMUnitTest plain[] = {
		cmocka_unit_test(a_frame_over_a_hundred_ranges_is_all_or_nothing),
		cmocka_unit_test(prefetch_passes_over_what_is_not_mapped),
	};
	static struct CMUnitTest tests[ARRAY_LEN(plain) + ARRAY_LEN(cases)];
	unsigned int i, n = 0;

	for (i = 0; i < ARRAY_LEN(plain); i++)
		tests[n++] = plain[i];
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		tests[n].name = cases[i].name;
		tests[n].test_func = test_frame;
		tests[n++].initial_state = (void *)&cases[i];
	}
	return cmocka_run_group_tests_name("mem_frame", tests, NULL, NULL);
}
