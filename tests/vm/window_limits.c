// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a user of vhost_vdpa may not map, and what is charged for what it may.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 *   window_limits FUNCTION DEVICE
 *
 * DEVICE is a /dev/vhost-vdpa-N. Each refusal has an error that says what is wrong,
 * and leaves nothing: no range, no pinned page. Prints TAP. Run by 90-window.t.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "lib/vdpa_user.h"

#define BASE	(16ULL << 20)
#define SIZE	(4 * HUGE)

static struct backend be;
static struct user user;

static volatile uint64_t *at(uint64_t iova)
{
	return (volatile uint64_t *)(be.window[0] + iova);
}

/* The pages that the kernel has charged to this process. */
static long long pinned(void)
{
	return (long long)user_pinned_kib() / 4;
}

/*
 * A range that is refused: nothing is mapped, nothing pinned. Whatever the reason,
 * vhost says EFAULT; only what is wrong by itself it calls invalid.
 */
static void refuses_as(int error, uint64_t iova, void *mem, uint64_t size, const char *name)
{
	long long pins = pinned(), ranges = (long long)be_counter(&be, "as0.ranges");
	int ret = user_map(&user, iova, mem, size, VHOST_ACCESS_RW);

	if (!ok(ret == error && pinned() == pins &&
		(long long)be_counter(&be, "as0.ranges") == ranges, name))
		printf("# %d, wanted %d; pages pinned %lld, before %lld\n", ret, error, pinned(),
		       pins);
}

static void refuses(uint64_t iova, void *mem, uint64_t size, const char *name)
{
	refuses_as(-EFAULT, iova, mem, size, name);
}

/* Pieces with holes between them, until no more can be had. */
static void test_many(void)
{
	struct rlimit lim = { .rlim_cur = 64 << 20, .rlim_max = 64 << 20 };
	uint64_t i, max = 5000;
	uint8_t *mem = mem_anon(PAGE * max, MADV_NOHUGEPAGE);
	int ret = 0;

	need(!setrlimit(RLIMIT_MEMLOCK, &lim), "setrlimit");
	for (i = 0; i < max && !ret; i += !ret)
		ret = user_map(&user, BASE + 2 * i * PAGE, mem + i * PAGE, PAGE, VHOST_ACCESS_RW);
	printf("# %llu pieces\n", (unsigned long long)i);
	ok(i >= 2048 && i <= VRL_IOTLB_MAX, "too many pieces are refused");
	is(ret, -EFAULT, "as vhost refuses");
	is(pinned(), (long long)i, "all before are pinned, and not more");
	is(be_counter(&be, "as0.ranges"), (long long)i, "all before are there");
	is(be.table[0]->nr, (long long)i, "in the table too");
	*(volatile uint64_t *)mem = 5;
	is(*at(BASE), 5, "and can be used");
	user_unmap(&user, 0, 1ULL << 40);
	is(be_counter(&be, "as0.ranges") + be.table[0]->nr, 0, "one unmap takes them all");
	is(pinned(), 0, "and no page is pinned");
	munmap(mem, PAGE * max);
}

/* What is charged is what is mapped, until RLIMIT_MEMLOCK. */
static void test_memlock(uint8_t *mem)
{
	struct rlimit lim = { .rlim_cur = 1 << 20, .rlim_max = 1 << 20 };

	need(!setrlimit(RLIMIT_MEMLOCK, &lim), "setrlimit");
	refuses(BASE, mem, SIZE, "more than RLIMIT_MEMLOCK is refused");
	ok(be_hidden(&be, BASE, mem) && be_hidden(&be, BASE + SIZE - PAGE, mem + SIZE - PAGE),
	   "no page of it is in the window");
	is(user_map(&user, BASE, mem, 1 << 19, VHOST_ACCESS_RW), 0, "less is good");
	is(pinned(), (1 << 19) / PAGE, "and charged");
	is(user_map(&user, BASE + SIZE, mem, 1 << 19, VHOST_ACCESS_RW), 0, "as much again, too");
	refuses(BASE + 2 * SIZE, mem, PAGE, "then there is not room for a page");
	user_unmap(&user, BASE, 1 << 19);
	is(pinned(), (1 << 19) / PAGE, "what is unmapped is not charged any more");
}

static void run_limits(const char *function, const char *device)
{
	uint8_t *mem = mem_anon(SIZE, MADV_NOHUGEPAGE);
	void *none = mmap(NULL, SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t first, last;

	be_open(&be, function, true);
	user_open(&user, device);
	mem_fill(mem, SIZE, 1);
	user_iova_range(&user, &first, &last);
	ok(first == 0 && last == be.window_size - 1, "the IOVA range is that of the window");
	refuses_as(-EINVAL, BASE, mem, 0, "no size is refused");
	refuses(last + 1, mem, PAGE, "beyond the range, too");
	refuses(last + 1 - PAGE, mem, 2 * PAGE, "over its end");
	refuses(0, mem, ~0ULL, "the whole 64-bit space");
	refuses_as(-EINVAL, 0, mem, 0, "as it is said by a size of 0");
	refuses(PAGE, mem, ~0ULL - PAGE + 1, "what wraps");
	refuses(~0ULL - PAGE + 1, mem, PAGE, "the last page of all");
	refuses(BASE, none, SIZE, "memory that is not there");
	is(user_map(&user, last + 1 - PAGE, mem, PAGE, VHOST_ACCESS_RW), 0, "the last page is good");
	is(*at(last + 1 - PAGE), 1, "and seen");
	is(user_map(&user, BASE, mem, 2 * PAGE, VHOST_ACCESS_RW), 0, "a range");
	is(pinned(), 3, "its pages are pinned");
	refuses(BASE + PAGE, mem, PAGE, "it cannot be mapped over");
	refuses(BASE - PAGE, mem, 2 * PAGE, "nor in part");
	ok(*at(BASE - PAGE) != 1, "of which nothing is left");
	is(*at(BASE + PAGE), 1 + PAGE, "and the range stays what it is");
	is(user_unmap(&user, 0, last + 1), 0, "all can be unmapped at once");
	is(be_counter(&be, "as0.ranges") + (unsigned long long)pinned(), 0,
	   "leaving no range and no page");
	test_many();
	test_memlock(mem);
	user_close(&user);
	is(be_counter(&be, "as0.ranges"), 0, "closing the device unmaps all");
	is(pinned(), 0, "no page is charged");
	ok(be_hidden(&be, BASE + SIZE, mem), "none is in the window");
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "Usage: window_limits FUNCTION DEVICE\n");
		return 2;
	}
	setlinebuf(stdout);
	run_limits(argv[1], argv[2]);
	return done();
}
