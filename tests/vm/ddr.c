// SPDX-License-Identifier: GPL-2.0-only
/*
 * A card's memory as a process sees it, through a mapping.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 *   ddr peek MEM OFFSET             print the 32 bit word
 *   ddr poke MEM OFFSET VALUE       write it
 *   ddr fill FILE SIZE              a file of pseudo-random bytes
 *   ddr load MEM FILE               read(2) FILE straight into the mapping
 *   ddr save MEM SIZE [direct]      write(2) straight from the mapping to
 *                                   standard output, in one call if the kernel
 *                                   takes it; what a call has left is for the
 *                                   next. Says how often that was
 *   ddr hold MEM                    map, say so, wait for standard input to
 *                                   end, touch: is the memory still there?
 *
 * MEM is a resourceN file of sysfs, or /dev/vsp/FUNCTION for the backend's way.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../vdpa_sim_pcie/uapi/vdpa_sim_pcie.h"

struct mem {
	int fd;
	char *at;
	uint64_t size;
};

static int die(const char *what)
{
	fprintf(stderr, "ddr: %s: %s\n", what, strerror(errno));
	return 1;
}

/* The size that the function says its memory has. */
static uint64_t attach(int fd)
{
	struct vsp_attach a = { .version = VSP_CONTRACT_VERSION };

	if (ioctl(fd, VSP_IOC_ATTACH, &a) < 0)
		exit(die("attach"));
	if (!a.ddr_size) {
		fprintf(stderr, "ddr: the function has no memory\n");
		exit(1);
	}
	return a.ddr_size;
}

static struct mem map(const char *path)
{
	struct mem m = { .fd = open(path, O_RDWR | O_CLOEXEC) };
	struct stat st;
	off_t off = 0;

	if (m.fd < 0 || fstat(m.fd, &st) < 0)
		exit(die(path));
	if (S_ISCHR(st.st_mode)) {
		m.size = attach(m.fd);
		off = VSP_MMAP_DDR;
	} else {
		m.size = st.st_size;
	}
	m.at = mmap(NULL, m.size, PROT_READ | PROT_WRITE, MAP_SHARED, m.fd, off);
	if (m.at == MAP_FAILED)
		exit(die("mmap"));
	return m;
}

static volatile uint32_t *word(struct mem *m, const char *offset)
{
	uint64_t off = strtoull(offset, NULL, 0);

	if (off % 4 || off >= m->size) {
		errno = EINVAL;
		exit(die(offset));
	}
	return (volatile uint32_t *)(m->at + off);
}

/* xorshift64: no two pages alike, and faster than /dev/urandom. */
static int fill(const char *path, uint64_t size)
{
	static uint64_t block[8192];
	uint64_t x = 0x9e3779b97f4a7c15ULL, len;
	FILE *out = fopen(path, "w");
	unsigned int i;

	if (!out)
		return die(path);
	for (; size; size -= len) {
		for (i = 0; i < 8192; i++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			block[i] = x;
		}
		len = size < sizeof(block) ? size : sizeof(block);
		if (fwrite(block, 1, len, out) != len)
			return die(path);
	}
	return fclose(out) ? die(path) : 0;
}

static int load(struct mem *m, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t done = 0;
	ssize_t n = 1;

	while (fd >= 0 && n > 0) {
		n = read(fd, m->at + done, m->size - done);
		if (n > 0)
			done += n;
	}
	if (fd < 0 || n < 0)
		return die(path);
	printf("%llu\n", (unsigned long long)done);
	return 0;
}

static int save(struct mem *m, uint64_t size, int flags)
{
	struct pollfd p = { .fd = STDOUT_FILENO, .events = POLLOUT };
	uint64_t done = 0, calls = 0, partial = 0;
	ssize_t n;

	/* A pipe then takes what it has room for; a file does not care. */
	if (fcntl(STDOUT_FILENO, F_SETFL, fcntl(STDOUT_FILENO, F_GETFL) | O_NONBLOCK | flags) < 0)
		return die("standard output");
	if (size > m->size) {
		errno = ERANGE;
		return die("size");
	}
	while (done < size) {
		n = write(STDOUT_FILENO, m->at + done, size - done);
		if (n < 0 && errno == EAGAIN) {
			poll(&p, 1, -1);
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return die("write");
		calls++;
		done += n;
		partial += done < size;
	}
	if (fsync(STDOUT_FILENO) < 0 && errno != EINVAL)
		return die("fsync");
	fprintf(stderr, "%llu bytes, %llu calls, %llu partial\n", (unsigned long long)done,
		(unsigned long long)calls, (unsigned long long)partial);
	return 0;
}

static sigjmp_buf gone;

static void on_bus_error(int sig)
{
	siglongjmp(gone, sig);
}

static int hold(struct mem *m)
{
	volatile uint32_t *at = (volatile uint32_t *)m->at;
	char c;

	printf("mapped %#x\n", *at);
	fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
	signal(SIGBUS, on_bus_error);
	if (sigsetjmp(gone, 1)) {
		printf("gone\n");
		return 0;
	}
	printf("still there %#x\n", *at);
	return 1;
}

static int usage(void)
{
	fprintf(stderr, "usage: ddr peek|poke|load|save|hold MEM [ARGUMENT...], ddr fill FILE SIZE\n");
	return 2;
}

int main(int argc, char **argv)
{
	const char *cmd = argc > 2 ? argv[1] : "";
	struct mem m;

	if (!strcmp(cmd, "fill") && argc == 4)
		return fill(argv[2], strtoull(argv[3], NULL, 0));
	if (argc < 3)
		return usage();
	m = map(argv[2]);
	if (!strcmp(cmd, "peek") && argc == 4)
		return printf("0x%08x\n", *word(&m, argv[3])) < 0;
	if (!strcmp(cmd, "poke") && argc == 5) {
		*word(&m, argv[3]) = strtoul(argv[4], NULL, 0);
		return 0;
	}
	if (!strcmp(cmd, "load") && argc == 4)
		return load(&m, argv[3]);
	if (!strcmp(cmd, "save") && (argc == 4 || argc == 5))
		return save(&m, strtoull(argv[3], NULL, 0), argc == 5 ? O_DIRECT : 0);
	if (!strcmp(cmd, "hold") && argc == 3)
		return hold(&m);
	return usage();
}
