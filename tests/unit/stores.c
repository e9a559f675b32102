// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Memory after each store: see stores.h. A store faults, the fault handler opens
 * the memory and sets the trap flag, the instruction runs, the trap handler takes
 * the picture and closes the memory again. x86 only; where there is no trap flag
 * in user space a debugger's single step would do the same.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "stores.h"

#ifndef __x86_64__
#error "stores.c needs a trap flag"
#endif
#define TRAP_FLAG	0x100

static struct stores *recording;

static size_t stores_pages(const struct stores *s)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (s->len + page - 1) / page * page;
}

static void stores_protect(const struct stores *s, int prot)
{
	if (mprotect(s->mem, stores_pages(s), prot))
		abort();
}

static void stores_snap(struct stores *s)
{
	if (s->nr == s->max)
		abort();
	memcpy(s->snaps + s->nr * s->len, s->mem, s->len);
	s->nr++;
}

static void stores_set_trap(ucontext_t *uc, int on)
{
	if (on)
		uc->uc_mcontext.gregs[REG_EFL] |= TRAP_FLAG;
	else
		uc->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
}

static void stores_on_fault(int sig, siginfo_t *info, void *context)
{
	struct stores *s = recording;
	char *addr = info->si_addr;

	if (!s || addr < s->mem || addr >= s->mem + stores_pages(s)) {
		signal(sig, SIG_DFL);
		return;
	}
	stores_protect(s, PROT_READ | PROT_WRITE);
	stores_set_trap(context, 1);
}

static void stores_on_trap(int sig, siginfo_t *info, void *context)
{
	struct stores *s = recording;

	(void)sig;
	(void)info;
	stores_set_trap(context, 0);
	if (!s)
		abort();
	stores_snap(s);
	stores_protect(s, PROT_READ);
}

void stores_init(struct stores *s, size_t len, unsigned int max)
{
	struct sigaction fault = { .sa_sigaction = stores_on_fault, .sa_flags = SA_SIGINFO };
	struct sigaction trap = { .sa_sigaction = stores_on_trap, .sa_flags = SA_SIGINFO };

	s->len = len;
	s->max = max;
	s->nr = 0;
	s->mem = mmap(NULL, stores_pages(s), PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	s->snaps = malloc(len * max);
	if (s->mem == MAP_FAILED || !s->snaps || sigaction(SIGSEGV, &fault, NULL) ||
	    sigaction(SIGTRAP, &trap, NULL))
		abort();
}

void stores_fini(struct stores *s)
{
	signal(SIGSEGV, SIG_DFL);
	signal(SIGTRAP, SIG_DFL);
	munmap(s->mem, stores_pages(s));
	free(s->snaps);
}

void stores_record(struct stores *s, void (*fn)(void *arg), void *arg)
{
	s->nr = 0;
	stores_snap(s);
	recording = s;
	stores_protect(s, PROT_READ);
	fn(arg);
	stores_protect(s, PROT_READ | PROT_WRITE);
	recording = NULL;
}
