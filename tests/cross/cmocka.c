// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Runs a group of tests and prints TAP: see cmocka.h.
 */
#include "cmocka.h"

jmp_buf cross_failed;

void cross_fail(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("# %s:%d: ", file, line);
	vprintf(fmt, ap);
	printf("\n");
	va_end(ap);
	longjmp(cross_failed, 1);
}

static int cross_run_one(const struct CMUnitTest *t)
{
	void *state = t->initial_state;

	if (setjmp(cross_failed))
		return -1;
	if (t->setup_func && t->setup_func(&state))
		fail_msg("set-up failed");
	t->test_func(&state);
	if (t->teardown_func && t->teardown_func(&state))
		fail_msg("teardown failed");
	return 0;
}

int cross_run(const struct CMUnitTest *tests, size_t nr)
{
	int failed = 0;
	size_t i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	/* An array may be longer than what is in it. */
	while (nr && !tests[nr - 1].test_func)
		nr--;
	printf("1..%zu\n", nr);
	for (i = 0; i < nr; i++) {
		int ret = cross_run_one(&tests[i]);

		printf("%sok %zu - %s\n", ret ? "not " : "", i + 1, tests[i].name);
		failed -= ret;
	}
	return failed;
}
