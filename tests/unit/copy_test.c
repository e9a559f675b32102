// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Copies between the driver's memory and this side's: every short length at
 * every alignment, long ones around the limits, and not a byte more.
 */
#include <stdlib.h>
#include <string.h>

#include <vrl/copy.h>

#include "test.h"

#define PAD	64

typedef void (*copy_fn)(void *dst, const void *src, __u64 len);

static void from_driver(void *dst, const void *src, __u64 len)
{
	vrl_copy_from_driver(dst, src, len);
}

static void to_driver(void *dst, const void *src, __u64 len)
{
	vrl_copy_to_driver(dst, src, len);
}

/* The source ends where its memory ends: the sanitizer sees a read beyond. */
static void copies_exactly(copy_fn copy, size_t len, size_t src_off,
			   size_t dst_off)
{
	unsigned char *src = malloc(src_off + len + !(src_off + len));
	unsigned char *dst = malloc(2 * PAD + len);
	size_t i;

	assert_non_null(src);
	assert_non_null(dst);
	for (i = 0; i < len; i++)
		src[src_off + i] = (unsigned char)(i * 31 + i / 256 + 1);
	memset(dst, 0xa5, 2 * PAD + len);
	copy(dst + dst_off, src + src_off, len);
	for (i = 0; i < dst_off; i++)
		assert_int_equal(dst[i], 0xa5);
	assert_memory_equal(dst + dst_off, src + src_off, len);
	for (i = dst_off + len; i < 2 * PAD + len; i++)
		assert_int_equal(dst[i], 0xa5);
	free(src);
	free(dst);
}

static void every_short_length_is_copied_exactly(void **state)
{
	size_t len;

	(void)state;
	for (len = 0; len <= 600; len++) {
		copies_exactly(from_driver, len, 0, PAD);
		copies_exactly(to_driver, len, 0, PAD);
	}
}

static void every_alignment_is_copied_exactly(void **state)
{
	static const size_t lens[] = { 1, 7, 12, 33, 64, 76, 129, 256, 257,
				       1500 };
	size_t i, a;

	(void)state;
	for (i = 0; i < ARRAY_LEN(lens); i++)
		for (a = 0; a < PAD; a++) {
			copies_exactly(from_driver, lens[i], a, PAD - a);
			copies_exactly(to_driver, lens[i], a, PAD - a);
			copies_exactly(to_driver, lens[i], 3, a);
		}
}

static void long_copies_are_exact(void **state)
{
	static const size_t lens[] = { 4095, 4096, 4097, 65226, 65536,
				       1048577 };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(lens); i++) {
		copies_exactly(from_driver, lens[i], 12, PAD);
		copies_exactly(to_driver, lens[i], 12, PAD);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_short_length_is_copied_exactly),
		cmocka_unit_test(every_alignment_is_copied_exactly),
		cmocka_unit_test(long_copies_are_exact),
	};

	return cmocka_run_group_tests_name("copy", tests, NULL, NULL);
}
