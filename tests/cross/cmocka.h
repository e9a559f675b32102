/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * What the unit tests use of cmocka, for processors that this machine has a compiler
 * and an emulator for but no libcmocka. A test ends at its first failure.
 */
#ifndef CROSS_CMOCKA_H
#define CROSS_CMOCKA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void (*CMUnitTestFunction)(void **state);
typedef int (*CMFixtureFunction)(void **state);

struct CMUnitTest {
	const char *name;
	CMUnitTestFunction test_func;
	CMFixtureFunction setup_func;
	CMFixtureFunction teardown_func;
	void *initial_state;
};

extern jmp_buf cross_failed;
_Noreturn void cross_fail(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int cross_run(const struct CMUnitTest *tests, size_t nr);

#define cmocka_unit_test_setup_teardown(f, setup, teardown) \
	{ #f, f, setup, teardown, NULL }
#define cmocka_unit_test(f) cmocka_unit_test_setup_teardown(f, NULL, NULL)
#define cmocka_unit_test_teardown(f, teardown) \
	cmocka_unit_test_setup_teardown(f, NULL, teardown)
/* Nobody here has a set-up for the whole group. */
#define _cmocka_run_group_tests(name, tests, nr, setup, teardown) cross_run(tests, nr)
#define cmocka_run_group_tests(tests, setup, teardown) \
	cross_run(tests, sizeof(tests) / sizeof((tests)[0]))
#define cmocka_run_group_tests_name(name, tests, setup, teardown) \
	cmocka_run_group_tests(tests, setup, teardown)

#define fail_msg(...)	cross_fail(__FILE__, __LINE__, __VA_ARGS__)
#define fail()		fail_msg("fail")
#define print_message	printf

#define assert_true(c) \
	do { if (!(c)) fail_msg("not true: %s", #c); } while (0)
#define assert_false(c)			assert_true(!(c))
#define assert_null(p)			assert_true((p) == NULL)
#define assert_non_null(p)		assert_true((p) != NULL)
#define assert_ptr_equal(a, b)		assert_true((const void *)(a) == (const void *)(b))
#define assert_ptr_not_equal(a, b)	assert_true((const void *)(a) != (const void *)(b))
#define assert_string_equal(a, b)	assert_true(!strcmp(a, b))
#define assert_string_not_equal(a, b)	assert_true(strcmp(a, b))
#define assert_memory_equal(a, b, n)	assert_true(!memcmp(a, b, n))

static inline void cross_equal(uint64_t a, uint64_t b, int want, const char *what,
			       const char *file, int line)
{
	if ((a == b) != want)
		cross_fail(file, line, "%s: %llx, %llx", what, (unsigned long long)a,
			   (unsigned long long)b);
}

#define assert_int_equal(a, b) \
	cross_equal((uint64_t)(a), (uint64_t)(b), 1, #a " == " #b, __FILE__, __LINE__)
#define assert_int_not_equal(a, b) \
	cross_equal((uint64_t)(a), (uint64_t)(b), 0, #a " != " #b, __FILE__, __LINE__)
#define assert_in_range(v, low, high) \
	assert_true((uint64_t)(v) - (uint64_t)(low) <= (uint64_t)(high) - (uint64_t)(low))

#endif /* CROSS_CMOCKA_H */
