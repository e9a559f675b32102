// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Chains that only a packed ring can have: buffer ids, and lists that end where
 * the next descriptor is not available.
 */
#include "vectors.h"

const struct vec_chain vec_chains_packed[] = {
	{ .kinds = VEC_PACKED, .name = "takes_the_buffer_id_of_the_last_descriptor_of_a_list",
	  .desc = { { 0x1000, 12, N, 0xffff }, { 0x2000, 30, N, 3 }, { 0x3000, 1, W, VEC_ID } },
	  .seg = { { 0x1000, 12, 0 }, { 0x2000, 30, 0 }, { 0x3000, 1, W } } },
	{ .kinds = VEC_PACKED, .name = "stops_at_the_end_of_a_list_though_more_is_available", .nr = 3,
	  .alone = 1,
	  .desc = { { 0x1000, 12, N, 0 }, { 0x2000, 30, 0, VEC_ID }, { 0, 0, N, 7 } },
	  .seg = { { 0x1000, 12, 0 }, { 0x2000, 30, 0 } } },
	{ .kinds = VEC_PACKED, .name = "ignores_all_flags_but_write_in_a_table",
	  .desc = { { VEC_TABLE, 48, I, VEC_ID } },
	  .table = { { 0x1000, 12, 0xfffd, 0xffff }, { 0x2000, 30, I, 0xffff },
		     { 0x3000, 9, W | N | I, 0 } },
	  .seg = { { 0x1000, 12, 0 }, { 0x2000, 30, 0 }, { 0x3000, 9, W } } },
	{ .kinds = VEC_PACKED, .name = "takes_all_entries_of_a_table_without_a_next_flag",
	  .desc = { { VEC_TABLE, 64, I, VEC_ID } },
	  .table = { { 0x1000, 1, 0, 0 }, { 0x2000, 2, 0, 0 }, { 0x3000, 3, W, 0 },
		     { 0x4000, 4, W, 0 } },
	  .seg = { { 0x1000, 1, 0 }, { 0x2000, 2, 0 }, { 0x3000, 3, W }, { 0x4000, 4, W } } },

	{ .kinds = VEC_PACKED, .name = "rejects_buffer_id_just_outside_the_queue", .alone = 1,
	  .desc = { { 0x1000, 1, 0, VEC_NUM } }, .why = VRL_WHY_HEAD_RANGE },
	{ .kinds = VEC_PACKED, .name = "rejects_buffer_id_far_outside_the_queue",
	  .desc = { { 0x1000, 1, 0, 0xffff } }, .why = VRL_WHY_HEAD_RANGE },
	{ .kinds = VEC_PACKED, .name = "rejects_buffer_id_of_a_list_outside_the_queue",
	  .desc = { { 0x1000, 1, N, VEC_ID }, { 0x1000, 1, 0, 0xffff } },
	  .why = VRL_WHY_HEAD_RANGE },
	{ .kinds = VEC_PACKED, .name = "rejects_buffer_id_of_a_table_outside_the_queue",
	  .desc = { { VEC_TABLE, 16, I, 0xffff } }, .table = { { 0x1000, 1, 0, 0 } },
	  .why = VRL_WHY_HEAD_RANGE },
	{ .kinds = VEC_PACKED, .name = "rejects_list_longer_than_the_ring", .alone = 1,
	  .desc = { { 0x1000, 1, N, 5 }, { 0x1000, 1, N, 5 }, { 0x1000, 1, N, 5 },
		    { 0x1000, 1, N, 5 }, { 0x1000, 1, N, 5 }, { 0x1000, 1, N, 5 },
		    { 0x1000, 1, N, 5 }, { 0x1000, 1, N, 5 } }, .why = VRL_WHY_LOOP },
	{ .kinds = VEC_PACKED, .name = "rejects_table_at_the_head_of_a_list",
	  .desc = { { VEC_TABLE, 16, I | N, VEC_ID }, { 0x1000, 1, 0, VEC_ID } },
	  .table = { { 0x1000, 1, 0, 0 } }, .why = VRL_WHY_INDIRECT_NEXT },
	{ .kinds = VEC_PACKED, .name = "rejects_table_at_the_end_of_a_list",
	  .desc = { { 0x1000, 1, N, 0 }, { VEC_TABLE, 16, I, VEC_ID } },
	  .table = { { 0x1000, 1, 0, 0 } }, .why = VRL_WHY_INDIRECT_NEXT },
	{ .name = NULL }
};
