// SPDX-License-Identifier: GPL-2.0-only
/*
 * A user of vhost_vdpa and the backend of its function, in one process: what the
 * one maps the other sees in its window, and nothing else.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 *   window map FUNCTION DEVICE        all kinds of memory, read-only, unmap, strays
 *   window hold - DEVICE              maps, says "held", waits for a signal
 *   window spy FUNCTION DEVICE        looks for what a neighbour holds
 *   window look FUNCTION              a backend alone; says what is at 16 MiB
 *
 * DEVICE is a /dev/vhost-vdpa-N. Prints TAP. Run by 90-window.t.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/vdpa_user.h"

#define BASE	(16ULL << 20)	/* where most tests map */
#define SIZE	(4 * HUGE)

static struct backend be;
static struct user user;

static volatile uint64_t *at(uint64_t iova)
{
	return (volatile uint64_t *)(be.window[0] + iova);
}

static bool window_has(uint64_t iova, uint64_t size, uint64_t seed)
{
	uint64_t i;

	for (i = 0; i < size; i += PAGE)
		if (*at(iova + i) != seed + i) {
			printf("# at %#llx: %#llx, wanted %#llx\n",
			       (unsigned long long)(iova + i),
			       (unsigned long long)*at(iova + i),
			       (unsigned long long)(seed + i));
			return false;
		}
	return true;
}

/* ---- kinds of memory ---- */

static void *mem_hugetlb(uint64_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static void *mem_memfd(uint64_t size)
{
	int fd = memfd_create("window", 0);
	void *p;

	need(fd >= 0 && !ftruncate(fd, (off_t)size), "memfd");
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	need(p != MAP_FAILED, "mmap of a memfd");
	close(fd);
	return p;
}

/*
 * A page table that was needed once stays, empty, and is in the way of a large
 * entry; so each kind has an address of its own.
 */
static void test_kind(const char *kind, void *mem, bool huge)
{
	static uint64_t base = BASE + (1ULL << 32);

	uint64_t before = be_counter(&be, "as0.faults_2m");
	char name[80];

	mem_fill(mem, SIZE, 7);
	snprintf(name, sizeof(name), "%s memory can be mapped", kind);
	is(user_map(&user, base, mem, SIZE, VHOST_ACCESS_RW), 0, name);
	snprintf(name, sizeof(name), "%s: the backend reads what the user wrote", kind);
	ok(window_has(base, SIZE, 7), name);
	*at(base + SIZE - 8) = 0x1122334455667788;
	snprintf(name, sizeof(name), "%s: the user reads what the backend wrote", kind);
	ok(*(volatile uint64_t *)(mem + SIZE - 8) == 0x1122334455667788, name);
	snprintf(name, sizeof(name), "%s: by entries of 2 MiB%s", kind, huge ? "" : ", not");
	is(be_counter(&be, "as0.faults_2m") - before, huge ? SIZE / HUGE : 0, name);
	snprintf(name, sizeof(name), "%s: can be unmapped", kind);
	is(user_unmap(&user, base, SIZE), 0, name);
	is(be_counter(&be, "as0.ranges"), 0, "and no range is left");
	ok(be_hidden(&be, base, mem) && be_hidden(&be, base + SIZE - PAGE, mem + SIZE - PAGE),
	   "nothing of it can be read or written then");
	base += 1ULL << 32;
}

static void test_kinds(void)
{
	void *mem;

	test_kind("anonymous", mem_anon(SIZE, MADV_NOHUGEPAGE), false);
	mem = mem_anon(SIZE, MADV_HUGEPAGE);
	mem_fill(mem, SIZE, 0);
	test_kind("transparent huge", mem, true);
	mem = mem_hugetlb(SIZE);
	if (ok(mem, "the system has huge pages"))
		test_kind("hugetlb", mem, true);
	test_kind("shared file", mem_memfd(SIZE), false);
}

/* ---- permissions ---- */

static void test_read_only(void)
{
	void *mem = mem_anon(SIZE, MADV_HUGEPAGE), *small = mem_anon(PAGE * 16, MADV_NOHUGEPAGE);
	uint64_t strays = be_counter(&be, "as0.strays");

	mem_fill(mem, SIZE, 3);
	mem_fill(small, PAGE * 16, 5);
	user_map(&user, BASE + 2 * SIZE, mem, HUGE, VHOST_ACCESS_RO);
	*at(BASE + 2 * SIZE) = 99;
	is(*(volatile uint64_t *)mem, 3, "a first write to read-only memory is lost");
	user_unmap(&user, BASE + 2 * SIZE, HUGE);
	strays++;
	is(user_map(&user, BASE, mem, SIZE, VHOST_ACCESS_RO), 0, "2 MiB pages, read-only");
	is(user_map(&user, BASE + SIZE, small, PAGE * 16, VHOST_ACCESS_RO), 0, "4 KiB pages, too");
	ok(window_has(BASE, SIZE, 3) && window_has(BASE + SIZE, PAGE * 16, 5), "can be read");
	*at(BASE) = 99;
	*at(BASE + SIZE + PAGE) = 99;
	*at(BASE + SIZE + 3 * PAGE + 8) = 99;
	ok(*(volatile uint64_t *)mem == 3 && *(volatile uint64_t *)(small + PAGE) == 5 + PAGE,
	   "but not written, not after a read either");
	is(be_counter(&be, "as0.strays") - strays, 3, "each try is counted");
	ok(window_has(BASE + HUGE, SIZE - HUGE, 3 + HUGE), "what is beside it can still be read");
	is(be_copy(&be, BASE + HUGE, VSP_COPY_TO_DRIVER), 1, "the kernel's copy refuses it as well");
	is(be_copy(&be, BASE + HUGE, VSP_COPY_FROM_DRIVER), 0, "but reads it");
	is(be.copied, 3 + HUGE, "rightly");
	user_unmap(&user, BASE, SIZE);
	user_unmap(&user, BASE + SIZE, PAGE * 16);
	is(user_map(&user, BASE, mem, SIZE, VHOST_ACCESS_RW), 0, "the same, mapped for writing");
	*at(BASE) = 99;
	ok(*(volatile uint64_t *)mem == 99, "can be written at once");
	ok(!mprotect(be.window[0] + BASE, SIZE, PROT_READ) && *at(BASE) == 99 &&
	   !mprotect(be.window[0] + BASE, SIZE, PROT_READ | PROT_WRITE), "mprotect and back");
	*at(BASE) = 100;
	ok(*(volatile uint64_t *)mem == 100, "and still");
	is(be_copy(&be, BASE + 8, VSP_COPY_TO_DRIVER), 0, "the kernel's copy writes it");
	user_unmap(&user, BASE, SIZE);
}

/* ---- holes ---- */

static void test_strays(void)
{
	uint64_t faults = be_dma_faults(&be), i;
	uint8_t *mem = mem_anon(SIZE, MADV_NOHUGEPAGE);

	mem_fill(mem, SIZE, 11);
	ok(be_hidden(&be, 1ULL << 39, mem + 3 * PAGE), "an address nobody has mapped shows nothing");
	ok(be_dma_faults(&be) > faults, "and is a DMA fault");
	is(be_copy(&be, 1ULL << 39, VSP_COPY_FROM_DRIVER), 1, "as it is for the kernel's copy");

	user_map(&user, BASE + PAGE, mem, PAGE, VHOST_ACCESS_RW);
	ok(be_hidden(&be, BASE, mem + 3 * PAGE), "the page before a mapping is a hole");
	is(*at(BASE + PAGE), 11, "the mapping is not");
	ok(be_hidden(&be, BASE + 2 * PAGE, mem + 3 * PAGE), "the page behind is one");
	user_map(&user, BASE + 2 * PAGE, mem + 2 * PAGE, PAGE, VHOST_ACCESS_RW);
	is(*at(BASE + 2 * PAGE), 11 + 2 * PAGE, "mapped after it was touched, it shows");
	user_map(&user, BASE + HUGE, mem + HUGE, PAGE, VHOST_ACCESS_RW);
	is(*at(BASE + HUGE), 11 + HUGE, "also where 2 MiB were empty");
	user_unmap(&user, BASE, 2 * HUGE);
	is(be_counter(&be, "as0.ranges"), 0, "one unmap takes all ranges it meets");

	for (i = 0; i < 64 * 1024; i++)
		*at((1ULL << 39) + i * (1ULL << 22)) = i;
	ok(be_memory_kib() < 32 * 1024, "a walk over 256 GiB of nothing costs little memory");
	mem_fill(mem, SIZE, 11);
	ok(user_map(&user, BASE, mem, SIZE, VHOST_ACCESS_RW) == 0 && window_has(BASE, SIZE, 11),
	   "and afterwards all works");
	user_unmap(&user, BASE, SIZE);
}

/* Some pages of a huge one: those beside them, in the same, are nobody's. */
static void test_part(void)
{
	uint64_t iova = 9ULL << 32;
	uint8_t *mem = mem_anon(SIZE, MADV_HUGEPAGE);

	mem_fill(mem, SIZE, 13);
	user_map(&user, iova, mem, 3 * PAGE, VHOST_ACCESS_RW);
	is(*at(iova), 13, "a part of a huge page is in the window");
	ok(window_has(iova, 3 * PAGE, 13), "all of it");
	ok(be_hidden(&be, iova + 3 * PAGE, mem + 3 * PAGE) &&
	   be_hidden(&be, iova + HUGE - PAGE, mem + HUGE - PAGE), "and no more");
	mem_fill(mem, SIZE, 13);
	is(be_copy(&be, iova + 3 * PAGE - 4, VSP_COPY_FROM_DRIVER), 1,
	   "the kernel's copy does not go over the end");
	be.copied = ~0ULL;
	is(be_copy(&be, iova + 3 * PAGE - 4, VSP_COPY_TO_DRIVER), 1, "in either direction");
	is(*(volatile uint64_t *)(mem + 3 * PAGE), 13 + 3 * PAGE, "so nothing is written there");
	mem_fill(mem, SIZE, 13);
	user_map(&user, iova + 3 * PAGE, mem + 16 * PAGE, PAGE, VHOST_ACCESS_RW);
	is(be_copy(&be, iova + 3 * PAGE - 4, VSP_COPY_FROM_DRIVER), 0, "over a seam it does");
	is((long long)(be.copied >> 32), 13 + 16 * PAGE, "to what is mapped there");
	mem_fill(mem, SIZE, 13);
	user_map(&user, iova + 2 * HUGE + PAGE, mem + HUGE + PAGE, HUGE - PAGE, VHOST_ACCESS_RW);
	ok(window_has(iova + 2 * HUGE + PAGE, HUGE - PAGE, 13 + HUGE + PAGE),
	   "a huge page but for its first part");
	ok(be_hidden(&be, iova + 2 * HUGE, mem + HUGE), "which is not there");
	user_unmap(&user, iova, 4 * HUGE);
}

/* ---- what a process does with mappings ---- */

static void test_process(void)
{
	uint8_t *mem = mem_anon(SIZE, MADV_NOHUGEPAGE);
	struct iovec local, remote;
	char buf[8];
	int status;
	void *p;
	pid_t pid;

	mem_fill(mem, SIZE, 1);
	user_map(&user, BASE, mem, SIZE, VHOST_ACCESS_RW);
	is(*at(BASE), 1, "something is mapped");
	pid = fork();
	if (!pid) {
		signal(SIGSEGV, SIG_DFL);
		_exit(*at(BASE) == 1);
	}
	ok(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV,
	   "a child does not inherit the window");
	local = (struct iovec){ .iov_base = buf, .iov_len = sizeof(buf) };
	remote = (struct iovec){ .iov_base = (void *)(uintptr_t)at(BASE), .iov_len = sizeof(buf) };
	/* ENOSYS: the kernel of the lab that checks everything has no such call. */
	ok(process_vm_readv(getpid(), &local, 1, &remote, 1, 0) < 0 &&
	   (errno == EFAULT || errno == ENOSYS),
	   "nobody can pin what is in it");
	p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, be.fd,
		 (off_t)(VSP_MMAP_WINDOW(0) + BASE));
	ok(p != MAP_FAILED && *(volatile uint64_t *)p == 1, "a part can be mapped twice");
	p = mremap(p, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, mmap(NULL, PAGE, PROT_NONE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	ok(p != MAP_FAILED && *(volatile uint64_t *)p == 1, "moved");
	ok(mremap(p, PAGE, 2 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED && errno == EFAULT,
	   "but not grown");
	user_unmap(&user, BASE, SIZE);
	*(volatile uint64_t *)mem = 4711;
	ok(*(volatile uint64_t *)p != 4711, "unmap reaches the moved one");
	munmap(p, PAGE);
	ok(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, be.fd, (off_t)VSP_MMAP_WINDOW(0)) ==
	   MAP_FAILED && errno == EINVAL, "a private mapping is refused");
	ok(mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, be.fd,
		(off_t)VSP_MMAP_WINDOW(0)) == MAP_FAILED && errno == EPERM,
	   "so is one to run code from");
	ok(mprotect(be.window[0], PAGE, PROT_READ | PROT_EXEC) && errno == EACCES,
	   "nor does one become that");
	ok(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, be.fd, (off_t)VSP_MMAP_WINDOW(2)) ==
	   MAP_FAILED && errno == EINVAL, "and that of a third address space");
	ok(mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, be.fd,
		(off_t)(VSP_MMAP_WINDOW(0) + be.window_size - PAGE)) == MAP_FAILED &&
	   errno == EINVAL, "and one over the end");
}

/* ---- address spaces, state ---- */

static void test_state(void)
{
	uint8_t *mem = mem_anon(SIZE, MADV_NOHUGEPAGE);
	uint32_t gen = be.ctl->generation, maps = be.ctl->map_generation;
	unsigned int seen = be.events[VSP_EVENT_CONFIG];
	struct vsp_state st;

	need(!ioctl(be.fd, VSP_IOC_GET_STATE, &st), "VSP_IOC_GET_STATE");
	is(st.way, VSP_WAY_COPY, "without a range the way is to copy");
	mem_fill(mem, SIZE, 21);
	user_map(&user, BASE, mem, HUGE, VHOST_ACCESS_RW);
	ok(be.ctl->generation != gen && be.ctl->map_generation != maps,
	   "both generation words move with a range");
	is(be_wait_event(&be, VSP_EVENT_CONFIG, seen), 0, "the first one is an event");
	need(!ioctl(be.fd, VSP_IOC_GET_STATE, &st), "VSP_IOC_GET_STATE");
	is(st.way, VSP_WAY_WINDOW, "with one it is the window");
	gen = be.ctl->generation;
	is(user_map_as(&user, 1, BASE, mem + HUGE, HUGE, VHOST_ACCESS_RW), 0,
	   "the same address in the other address space");
	ok(*at(BASE) == 21 && *(volatile uint64_t *)(be.window[1] + BASE) == 21 + HUGE,
	   "is something else");
	ok(be.ctl->generation != gen, "the generation word moves again");
	gen = be.ctl->generation;
	is(user_unmap_as(&user, 1, BASE, HUGE), 0, "unmap there");
	ok(*(volatile uint64_t *)(be.window[1] + BASE) != 21 + HUGE && *at(BASE) == 21,
	   "does not touch this one");
	ok(be.ctl->generation != gen, "and moves the word");
	user_unmap(&user, BASE, HUGE);
}

/* ---- the table of ranges ---- */

/* Where the table says that @iova leads, or a negative errno; the bytes from there. */
static long long lookup(uint32_t asid, uint64_t iova, uint32_t perm, __u64 *len)
{
	static struct vrl_iotlb_hint hint[2];
	__u64 addr;
	int ret;

	need(hint[asid].max || !vrl_iotlb_attach(&hint[asid], VSP_MMAP_IOTLB_SIZE), "attach");
	vrl_iotlb_sync(be.table[asid], &hint[asid]);
	*len = ~0ULL;
	ret = vrl_iotlb_translate(be.table[asid], &hint[asid], iova, perm, &addr, len);
	return ret ? ret : (long long)addr;
}

static void test_table(void)
{
	uint8_t *mem = mem_anon(SIZE, MADV_NOHUGEPAGE);
	__u64 len;

	mem_fill(mem, SIZE, 1);
	ok(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, be.fd,
		(off_t)VSP_MMAP_IOTLB(0)) == MAP_FAILED && errno == EACCES,
	   "the table of ranges cannot be mapped for writing");
	ok(mprotect((void *)(uintptr_t)be.table[0], PAGE, PROT_READ | PROT_WRITE) &&
	   errno == EACCES, "nor be made writable");
	is(be.table[0]->nr, 0, "it is empty where nothing is mapped");
	/* One after the other, backwards: no two are contiguous in memory. */
	user_map(&user, BASE + 2 * PAGE, mem, PAGE, VHOST_ACCESS_RW);
	user_map(&user, BASE, mem + 4 * PAGE, PAGE, VHOST_ACCESS_RW);
	user_map(&user, BASE + PAGE, mem + 8 * PAGE, PAGE, VHOST_ACCESS_RW);
	is(be_counter(&be, "as0.ranges"), 3, "three ranges side by side");
	is(be.table[0]->nr, 1, "are one entry");
	is(lookup(0, BASE + 8, VRL_PERM_W, &len), BASE + 8, "that leads to the window");
	is(len, 3 * PAGE - 8, "to its end");
	user_map(&user, BASE + 3 * PAGE, mem, PAGE, VHOST_ACCESS_RO);
	is(lookup(0, BASE + 3 * PAGE, VRL_PERM_W, &len), -EACCES, "read-only memory says so");
	user_map_as(&user, 1, BASE, mem, PAGE, VHOST_ACCESS_RW);
	is(lookup(1, BASE, VRL_PERM_W, &len), BASE, "the other address space has its own");
	user_unmap(&user, BASE + PAGE, PAGE);
	is(lookup(0, BASE + PAGE, VRL_PERM_R, &len), -EFAULT, "what is unmapped has gone from it");
	ok(lookup(0, BASE, VRL_PERM_R, &len) == (long long)BASE && len == PAGE &&
	   lookup(0, BASE + 2 * PAGE, VRL_PERM_R, &len) > 0, "and what is beside it has not");
	user_unmap(&user, 0, 1ULL << 40);
	user_unmap_as(&user, 1, BASE, PAGE);
	is(be.table[0]->nr + be.table[1]->nr, 0, "in the end both are empty");
}

static int run_map(const char *function, const char *device)
{
	be_open(&be, function, true);
	user_open(&user, device);
	user_start(&user);
	ok(be.window_size == 1ULL << 40, "the window has 1 TiB");
	test_kinds();
	test_read_only();
	test_strays();
	test_part();
	test_process();
	test_state();
	test_table();
	user_close(&user);
	return 0;
}

/* ---- for the other tests ---- */

static int run_hold(const char *device)
{
	uint8_t *mem = mem_anon(SIZE, MADV_HUGEPAGE);
	sigset_t set;
	uint64_t i;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	user_open(&user, device);
	mem_fill(mem, SIZE, 0x5ec2e7);
	need(!user_map(&user, BASE, mem, SIZE, VHOST_ACCESS_RW), "map");
	printf("held\n");
	sigwait(&set, &sig);
	for (i = 0; i < SIZE && *(volatile uint64_t *)(mem + i) == 0x5ec2e7 + i; i += PAGE)
		;
	ok(i == SIZE, "nobody has written to the memory");
	user_close(&user);
	return 0;
}

static int run_look(const char *function)
{
	be_open(&be, function, true);
	printf("sees %#llx\n", (unsigned long long)*at(BASE));
	*at(BASE) = *at(BASE) ? *at(BASE) : 1;
	printf("ranges %llu\n", (unsigned long long)be_counter(&be, "as0.ranges"));
	return 0;
}

/* What a backend gets of a neighbour, who has BASE mapped: nothing, however it asks. */
static int run_spy(const char *function, const char *device)
{
	uint8_t *mem = mem_anon(SIZE, MADV_NOHUGEPAGE);
	uint64_t i, seen = 0;
	__u64 len;

	be_open(&be, function, true);
	user_open(&user, device);
	user_start(&user);
	/* So that the way is the window, and copies are taken. */
	need(!user_map(&user, BASE + 2 * SIZE, mem, SIZE, VHOST_ACCESS_RW), "map");
	for (i = 0; i < SIZE; i += PAGE) {
		seen += *at(BASE + i) == 0x5ec2e7 + i;
		seen += *(volatile uint64_t *)(be.window[1] + BASE + i) == 0x5ec2e7 + i;
		*at(BASE + i) = 1;
		*(volatile uint64_t *)(be.window[1] + BASE + i) = 1;
	}
	is((long long)seen, 0, "a window shows nothing of a neighbour");
	is(be_copy(&be, BASE, VSP_COPY_FROM_DRIVER), 1, "nothing is copied from it");
	is(be_copy(&be, BASE, VSP_COPY_TO_DRIVER), 1, "nor to it");
	is(lookup(0, BASE, VRL_PERM_R, &len), -EFAULT, "the table does not know it");
	ok(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, be.fd,
		(off_t)VSP_MMAP_RING(VSP_MAX_VQS, 0)) == MAP_FAILED && errno == EINVAL,
	   "behind the last ring there is none");
	user_close(&user);
	return 0;
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	int ret = 2;

	setlinebuf(stdout);
	if (!strcmp(mode, "map") && argc == 4)
		ret = run_map(argv[2], argv[3]);
	else if (!strcmp(mode, "hold") && argc == 4)
		ret = run_hold(argv[3]);
	else if (!strcmp(mode, "spy") && argc == 4)
		ret = run_spy(argv[2], argv[3]);
	else if (!strcmp(mode, "look") && argc == 3)
		ret = run_look(argv[2]);
	else
		fprintf(stderr, "Usage: window map|hold|spy FUNCTION DEVICE, look FUNCTION\n");
	return ret ? ret : done();
}
