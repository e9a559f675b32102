// SPDX-License-Identifier: GPL-2.0-only
/*
 * A backend that keeps to the contract, word by word, and one that does not.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 *   contract idle FUNCTION     no driver on the function
 *   contract live FUNCTION     a driver has set DRIVER_OK
 *   contract silent FUNCTION   attaches, never acknowledges, waits to be lost
 *   contract burst FUNCTION    that vector 5000 times
 *   contract call FUNCTION     eventfds raise the configuration vector of a driver
 *   contract power FUNCTION    likewise; its PF goes to D3hot and back meanwhile
 *
 * Prints TAP. Run by 15-contract.t.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../vdpa_sim_pcie/uapi/vdpa_sim_pcie.h"

#define PAGE 4096

static unsigned int tests, failures;

static bool ok(bool good, const char *name)
{
	tests++;
	failures += !good;
	printf("%sok %u - %s\n", good ? "" : "not ", tests, name);
	return good;
}

/* The call fails with just this errno. */
static void refused(int ret, int want, const char *name)
{
	int got = ret < 0 ? errno : 0;

	if (!ok(got == want, name))
		printf("# got %d (%s), wanted %d (%s)\n", got, strerror(got), want,
		       strerror(want));
}

static int open_function(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/dev/vsp/%s", name);
	return open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
}

static void *map(int fd, size_t len, int prot, int flags, uint64_t off)
{
	return mmap(NULL, len, prot, flags, fd, (off_t)off);
}

static void refused_map(void *p, int want, const char *name)
{
	refused(p == MAP_FAILED ? -1 : 0, want, name);
}

static int copy_one(int fd, uint64_t iova, void *addr, uint32_t len, uint16_t dir,
		    uint16_t *status)
{
	struct vsp_copy_seg seg = {
		.iova = iova, .addr = (uintptr_t)addr, .len = len, .dir = dir,
	};
	struct vsp_copy copy = { .segs = (uintptr_t)&seg, .nr_segs = 1 };
	int ret = ioctl(fd, VSP_IOC_COPY, &copy);

	if (status)
		*status = seg.status;
	return ret;
}

static void test_handshake(int fd, const char *name)
{
	struct vsp_attach a = { .version = VSP_CONTRACT_VERSION };
	struct vsp_state st;

	refused(open_function(name), EBUSY, "a second backend is refused with EBUSY");
	refused(ioctl(fd, VSP_IOC_GET_STATE, &st), EPROTO, "nothing works before ATTACH");
	refused_map(map(fd, PAGE, PROT_READ, MAP_SHARED, VSP_MMAP_CTL), EPROTO,
		    "nor does mmap");
	a.flags = 1;
	refused(ioctl(fd, VSP_IOC_ATTACH, &a), EINVAL, "ATTACH refuses unknown flags");
	a = (struct vsp_attach){ .version = 4711 };
	refused(ioctl(fd, VSP_IOC_ATTACH, &a), EPROTO, "ATTACH refuses another version");
	ok(a.version == VSP_CONTRACT_VERSION, "and says which one the kernel speaks");
	a = (struct vsp_attach){ .version = VSP_CONTRACT_VERSION,
				 .backend_features = VSP_BE_F_WINDOW | 1ULL << 63 };
	ok(!ioctl(fd, VSP_IOC_ATTACH, &a), "ATTACH works");
	ok(a.backend_features == VSP_BE_F_WINDOW, "ATTACH grants what the kernel knows");
	ok(a.device_id == 1 && a.nr_vqs >= 3 && a.nr_vqs <= VSP_MAX_VQS &&
	   a.nr_vectors >= 11 && a.max_copy_segs, "and describes a network card");
	refused(ioctl(fd, VSP_IOC_ATTACH, &a), EALREADY, "but only once");
	refused(ioctl(fd, _IO(VSP_IOC_MAGIC, 99)), ENOTTY, "an unknown ioctl is ENOTTY");
}

static void test_maps(int fd)
{
	volatile uint32_t *ring;
	void *p;

	refused_map(map(fd, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, VSP_MMAP_CTL),
		    EACCES, "the control page cannot be mapped for writing");
	p = map(fd, PAGE, PROT_READ, MAP_SHARED, VSP_MMAP_CTL);
	ok(p != MAP_FAILED, "but for reading");
	ok(mprotect(p, PAGE, PROT_READ | PROT_WRITE) < 0 && errno == EACCES,
	   "and mprotect does not help");
	refused_map(map(fd, 2 * PAGE, PROT_READ, MAP_SHARED, VSP_MMAP_BE), EINVAL,
		    "the backend page is one page");
	refused_map(map(fd, PAGE, PROT_READ, MAP_PRIVATE, VSP_MMAP_BE), EINVAL,
		    "private mappings are refused");
	refused_map(map(fd, PAGE, PROT_READ, MAP_SHARED, 0x5000000), EINVAL,
		    "there is nothing between the pages and the rings");
	refused_map(map(fd, PAGE, PROT_READ, MAP_SHARED, VSP_MMAP_RING(VSP_MAX_VQS, 0)),
		    EINVAL, "nor behind the last ring");
	refused_map(map(fd, (1UL << VSP_MMAP_RING_SHIFT) + PAGE, PROT_READ, MAP_SHARED,
			VSP_MMAP_RING(0, 0)), EINVAL, "a mapping is of one area");
	ring = map(fd, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
		   VSP_MMAP_RING(VSP_MAX_VQS - 1, VSP_RING_DEVICE));
	ok(ring != MAP_FAILED && ring[0] == 0, "a queue that is not there shows zeroes");
	ring[0] = 1;
	ok(ring[0] == 1, "and takes writes without harm");
}

static void test_arguments(int fd)
{
	struct vsp_raise raise = { .vectors = 1ULL << 63 };
	struct vsp_vq_state vq = { .index = VSP_MAX_VQS };
	struct vsp_kick kick = { .index = 0, .fd = 4711 };
	struct vsp_call call = { .vector = 0, .fd = 4711 };
	struct vsp_needs_reset nr = { .index = 4711 };
	struct vsp_link link = { .up = 2 };
	struct vsp_ack ack = { .seq = ~0ULL };
	struct vsp_copy copy = { .nr_segs = ~0U };
	struct vsp_state st;

	refused(ioctl(fd, VSP_IOC_RAISE, &raise), EINVAL, "a vector beyond the table");
	raise.vectors = 0;
	ok(!ioctl(fd, VSP_IOC_RAISE, &raise), "no vector at all is fine");
	refused(ioctl(fd, VSP_IOC_GET_VQ, &vq), EINVAL, "a queue that is not there");
	refused(ioctl(fd, VSP_IOC_SET_KICK, &kick), EBADF, "a kick that is no file");
	kick.fd = fd;
	refused(ioctl(fd, VSP_IOC_SET_KICK, &kick), EINVAL, "a kick that is no eventfd");
	kick = (struct vsp_kick){ .index = VSP_MAX_VQS, .fd = -1 };
	refused(ioctl(fd, VSP_IOC_SET_KICK, &kick), EINVAL, "a kick for no queue");
	refused(ioctl(fd, VSP_IOC_SET_CALL, &call), EBADF, "a call that is no file");
	call.fd = fd;
	refused(ioctl(fd, VSP_IOC_SET_CALL, &call), EINVAL, "a call that is no eventfd");
	call.fd = -2;
	refused(ioctl(fd, VSP_IOC_SET_CALL, &call), EINVAL, "a call that is below nothing");
	call = (struct vsp_call){ .vector = ~0U, .fd = -1 };
	refused(ioctl(fd, VSP_IOC_SET_CALL, &call), EINVAL, "a call of no vector");
	call = (struct vsp_call){ .fd = -1, .reserved[1] = 1 };
	refused(ioctl(fd, VSP_IOC_SET_CALL, &call), EINVAL, "a call with reserved fields");
	call.reserved[1] = 0;
	ok(!ioctl(fd, VSP_IOC_SET_CALL, &call), "a call that is not there can be removed");
	refused(ioctl(fd, VSP_IOC_NEEDS_RESET, &nr), EINVAL, "a reset for no queue");
	refused(ioctl(fd, VSP_IOC_SET_LINK, &link), EINVAL, "a link that is up twice");
	refused(ioctl(fd, VSP_IOC_ACK, &ack), EINVAL, "an event that has not been");
	refused(ioctl(fd, VSP_IOC_COPY, &copy), EINVAL, "more segments than allowed");
	copy = (struct vsp_copy){ .flags = 1 };
	refused(ioctl(fd, VSP_IOC_COPY, &copy), EINVAL, "unknown flags of a copy");
	refused(ioctl(fd, VSP_IOC_GET_STATE, (void *)8), EFAULT, "an argument nowhere");
	ok(!ioctl(fd, VSP_IOC_GET_STATE, &st) && st.mtu >= 68 && !(st.mac[0] & 1),
	   "the state has a MTU and a unicast MAC");
}

static int next_event(int fd, uint32_t type)
{
	struct vsp_event ev;

	while (read(fd, &ev, sizeof(ev)) == sizeof(ev))
		if (ev.type == type)
			return ev.value;
	return -1;
}

static void test_idle(int fd)
{
	uint8_t byte;

	refused(read(fd, &byte, 1), EINVAL, "a read too short for an event");
	ok(next_event(fd, VSP_EVENT_STATUS) >= 0, "ATTACH replays the status");
	refused(read(fd, &(struct vsp_event){}, sizeof(struct vsp_event)), EAGAIN,
		"then there is no event");
	refused(copy_one(fd, 0, &byte, 1, VSP_COPY_FROM_DRIVER, NULL), EAGAIN,
		"without a driver nothing can be copied");
}

/* Addresses that the driver has not mapped; each is a fault, none is harmful. */
static void test_copy_faults(int fd)
{
	static const uint64_t iovas[] = {
		0, 0xfff, ~0ULL, ~0ULL - 63, 1ULL << 39, 1ULL << 40, 1ULL << 63,
		(1ULL << 40) - 1, 0xfffffULL << 20, 0xffff888000000000ULL,
	};
	uint8_t buf[64] = {};
	uint16_t status;
	unsigned int i, faults = 0;

	for (i = 0; i < sizeof(iovas) / sizeof(*iovas); i++) {
		/* The first ring lies at 1 << 40; reading it is legal. */
		if (iovas[i] == 1ULL << 40)
			continue;
		faults += copy_one(fd, iovas[i], buf, sizeof(buf), VSP_COPY_FROM_DRIVER,
				   &status) == 1 && status == VSP_COPY_FAULT;
		faults += copy_one(fd, iovas[i], buf, sizeof(buf), VSP_COPY_TO_DRIVER,
				   &status) == 1 && status == VSP_COPY_FAULT;
	}
	ok(faults == 2 * (i - 1), "copies at addresses not mapped are faults");
	refused(copy_one(fd, 0, buf, 1, 2, NULL), EINVAL, "a third direction");
	ok(!copy_one(fd, ~0ULL, buf, 0, VSP_COPY_FROM_DRIVER, &status) && !status,
	   "no byte is no fault");
}

/* The first receive buffer that the driver has posted, from the ring itself. */
static bool first_buffer(int fd, struct vsp_vq_state *vq, uint64_t *iova, uint32_t *len)
{
	uint64_t *desc;
	uint8_t *p;

	vq->index = 0;
	if (ioctl(fd, VSP_IOC_GET_VQ, vq) || !vq->ready)
		return false;
	p = map(fd, PAGE * (1 + vq->size / 256), PROT_READ, MAP_SHARED,
		VSP_MMAP_RING(0, VSP_RING_DESC));
	if (p == MAP_FAILED)
		return false;
	desc = (uint64_t *)(p + (vq->desc & (PAGE - 1)));
	*iova = desc[0];
	*len = (uint32_t)desc[1];
	return true;
}

static void test_copy_live(int fd)
{
	struct vsp_vq_state vq;
	uint8_t buf[64] = {};
	uint64_t iova = 0;
	uint32_t len = 0;
	uint16_t status;

	if (!ok(first_buffer(fd, &vq, &iova, &len) && len, "the driver has posted a buffer"))
		return;
	ok(!copy_one(fd, iova, buf, 12, VSP_COPY_TO_DRIVER, &status), "it can be written");
	ok(!copy_one(fd, iova + len - 1, buf, 1, VSP_COPY_TO_DRIVER, &status),
	   "to the last byte");
	ok(copy_one(fd, iova, buf, 12, VSP_COPY_FROM_DRIVER, &status) == 1 &&
	   status == VSP_COPY_FAULT, "but not be read: it is for the device to fill");
	ok(copy_one(fd, iova | 0xfffff, buf, 1, VSP_COPY_TO_DRIVER, &status) == 1 &&
	   status == VSP_COPY_FAULT, "nor written behind its end");
	refused(copy_one(fd, iova, (void *)8, 12, VSP_COPY_TO_DRIVER, NULL), EFAULT,
		"from memory that the backend has");
	refused(copy_one(fd, iova, (void *)(1UL << 63), 12, VSP_COPY_TO_DRIVER, NULL),
		EFAULT, "and not from the kernel's");
}

static int run_silent(int fd)
{
	struct vsp_attach a = { .version = VSP_CONTRACT_VERSION };
	struct pollfd pfd = { .fd = fd };
	struct vsp_state st;

	if (ioctl(fd, VSP_IOC_ATTACH, &a))
		return 1;
	printf("# attached\n");
	ok(poll(&pfd, 1, 60000) == 1 && (pfd.revents & POLLHUP),
	   "a backend that does not answer sees POLLHUP");
	refused(ioctl(fd, VSP_IOC_GET_STATE, &st), ENOTCONN, "and ENOTCONN from then on");
	ok(next_event(fd, VSP_EVENT_RESET) >= 0 || next_event(fd, VSP_EVENT_VQ_DISABLE) >= 0,
	   "what it should have answered can still be read");
	refused(read(fd, &(struct vsp_event){}, sizeof(struct vsp_event)), ENOTCONN,
		"then the reads end");
	return 0;
}

/* ---- call: VSP_IOC_SET_CALL against a driver that has its vectors ---------- */

#define CONFIG_VECTOR	1

/* Times that the configuration vector's handler was called, on all CPUs. */
static long interrupts(const char *name)
{
	char line[512], want[64];
	long sum = -1;
	FILE *f = fopen("/proc/interrupts", "r");

	snprintf(want, sizeof(want), "vsp-%s-config\n", name);
	while (f && sum < 0 && fgets(line, sizeof(line), f)) {
		char *p = strchr(line, ':'), *end;

		if (!p || !strstr(line, want))
			continue;
		for (sum = 0, p++; ; p = end) {
			long n = strtol(p, &end, 10);

			if (end == p)
				break;
			sum += n;
		}
	}
	if (f)
		fclose(f);
	return sum;
}

/* It has been called @want times, and once all is quiet not more often. */
static bool interrupted(const char *name, long want)
{
	unsigned int i;

	for (i = 0; i < 2000 && interrupts(name) < want; i++)
		usleep(5000);
	if (interrupts(name) == want)
		return true;
	printf("# %ld interrupts, wanted %ld\n", interrupts(name), want);
	return false;
}

static int set_call(int fd, int efd)
{
	struct vsp_call call = { .vector = CONFIG_VECTOR, .fd = efd };

	return ioctl(fd, VSP_IOC_SET_CALL, &call);
}

/* The vector's own way; what an eventfd raised before it has arrived by then. */
static void raise_config(int fd)
{
	struct vsp_raise raise = { .vectors = 1ULL << CONFIG_VECTOR };

	ioctl(fd, VSP_IOC_RAISE, &raise);
}

static void signal_in_a_child(int efd)
{
	pid_t pid = fork();

	if (!pid)
		_exit(eventfd_write(efd, 1) ? 1 : 0);
	waitpid(pid, NULL, 0);
}

static void test_call(int fd, const char *name, int efd, long n)
{
	int other = eventfd(1, EFD_CLOEXEC);

	ok(n >= 0, "the driver has the configuration vector");
	ok(!set_call(fd, efd) && interrupted(name, n), "an eventfd is registered");
	eventfd_write(efd, 1);
	ok(interrupted(name, n + 1), "a signal of it raises the vector");
	eventfd_write(efd, 7);
	ok(interrupted(name, n + 2), "one of 7 does it once");
	signal_in_a_child(efd);
	ok(interrupted(name, n + 3), "and one by another process as well");
	ok(!set_call(fd, other) && interrupted(name, n + 4),
	   "another takes its place; signalled already, it raises the vector at once");
	eventfd_write(efd, 1);
	raise_config(fd);
	ok(interrupted(name, n + 5), "the first one raises nothing any more");
	close(other);
	ok(!set_call(fd, efd) && interrupted(name, n + 6), "a closed one can be replaced");
	ok(!set_call(fd, -1), "and removed");
	eventfd_write(efd, 1);
	raise_config(fd);
	ok(interrupted(name, n + 7), "which ends it");
	set_call(fd, efd);
	ok(interrupted(name, n + 8), "it can come back");
}

static int run_call(int fd, const char *name)
{
	struct vsp_attach a = { .version = VSP_CONTRACT_VERSION };
	int efd = eventfd(0, EFD_CLOEXEC);
	long n;

	if (ioctl(fd, VSP_IOC_ATTACH, &a))
		return 1;
	n = interrupts(name);
	test_call(fd, name, efd, n);
	close(fd);
	eventfd_write(efd, 1);
	fd = open_function(name);
	a = (struct vsp_attach){ .version = VSP_CONTRACT_VERSION };
	ok(fd >= 0 && !ioctl(fd, VSP_IOC_ATTACH, &a), "the next backend attaches");
	raise_config(fd);
	ok(interrupted(name, n + 9), "the eventfd of the last one is forgotten");
	return 0;
}

/* Faster than they are handled; the card's books must say what became of each. */
static int run_burst(int fd, const char *name)
{
	struct vsp_attach a = { .version = VSP_CONTRACT_VERSION };
	long n = interrupts(name);
	unsigned int i;

	if (!ok(!ioctl(fd, VSP_IOC_ATTACH, &a) && n >= 0, "attached"))
		return 1;
	for (i = 0; i < 5000; i++)
		raise_config(fd);
	/* The last one raised is sent or merged into one that comes later. */
	for (i = 0; i < 2000 && interrupts(name) == n; i++)
		usleep(5000);
	n = interrupts(name) - n;
	printf("# 5000 raised, %ld handled\n", n);
	ok(n > 0 && n <= 5000, "5000 are raised, and handled in fewer or as many");
	return 0;
}

/* The next event about power is that one, and wants an answer. */
static bool power_event(int fd, uint32_t value, __u64 *seq)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	struct vsp_event ev;

	while (poll(&pfd, 1, 30000) == 1)
		while (read(fd, &ev, sizeof(ev)) == sizeof(ev))
			if (ev.type == VSP_EVENT_POWER) {
				*seq = ev.seq;
				return ev.value == value && ev.flags & VSP_EVENT_FLAG_ACK;
			}
	return false;
}

static int run_power(int fd, const char *name)
{
	struct vsp_attach a = { .version = VSP_CONTRACT_VERSION };
	long n = interrupts(name);
	struct vsp_ack ack;
	uint8_t b;

	ok(!ioctl(fd, VSP_IOC_ATTACH, &a), "ATTACH works");
	printf("# attached\n");
	ok(power_event(fd, 3, &ack.seq), "D3hot is an event that wants an answer");
	refused(copy_one(fd, 0, &b, 1, 0, NULL), EAGAIN, "nothing can be copied");
	ok(!ioctl(fd, VSP_IOC_ACK, &ack), "it is acknowledged");
	raise_config(fd);
	usleep(500000);
	ok(n >= 0 && interrupts(name) == n, "an interrupt is held back");
	printf("# asleep\n");
	ok(power_event(fd, 0, &ack.seq), "so is D0");
	ok(interrupted(name, n + 1), "the interrupt arrives, once");
	ok(copy_one(fd, 0, &b, 1, 0, NULL) == 1, "a copy is looked at again, and a fault");
	return 0;
}

int main(int argc, char **argv)
{
	int fd;

	if (argc != 3) {
		fprintf(stderr, "usage: contract idle|live|silent|call|burst|power FUNCTION\n");
		return 2;
	}
	setlinebuf(stdout);
	fd = open_function(argv[2]);
	if (fd < 0) {
		printf("Bail out! /dev/vsp/%s: %s\n", argv[2], strerror(errno));
		return 1;
	}
	if (!strcmp(argv[1], "silent")) {
		if (run_silent(fd))
			return 1;
	} else if (!strcmp(argv[1], "call")) {
		if (run_call(fd, argv[2]))
			return 1;
	} else if (!strcmp(argv[1], "burst")) {
		if (run_burst(fd, argv[2]))
			return 1;
	} else if (!strcmp(argv[1], "power")) {
		if (run_power(fd, argv[2]))
			return 1;
	} else {
		test_handshake(fd, argv[2]);
		test_maps(fd);
		test_arguments(fd);
		if (!strcmp(argv[1], "idle")) {
			test_idle(fd);
		} else {
			test_copy_faults(fd);
			test_copy_live(fd);
		}
	}
	printf("1..%u\n", tests);
	return failures != 0;
}
