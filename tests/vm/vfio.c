// SPDX-License-Identifier: GPL-2.0-only
/*
 * A whole function driven from user space, through stock vfio-pci.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 *   vfio mailbox FUNCTION          every command of the mailbox, the wrong ones too
 *   vfio loop FUNCTION             frames to itself (vsp_hw forward=loop): doorbells,
 *                                  MSI-X eventfds, suspend, FLR
 *   vfio arp FUNCTION IP PEER_IP   one frame each way with a neighbour
 *   vfio flood FUNCTION            frames to itself until it is killed
 *
 * Prints TAP. Run by 70-vfio.t.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>

#include "lib/vfio_fn.h"

#define HDR_LEN		sizeof(struct virtio_net_hdr_v1)

static int vq_command(struct vfio_fn *fn, enum vsp_mbox_cmd cmd, uint16_t q, uint32_t value)
{
	return fn_mbox_vq(fn, cmd, q, &value);
}

/* ---- mailbox ---- */

static void test_handshake(struct vfio_fn *fn)
{
	struct vsp_mbox_msg msg = { .version = VSP_MBOX_VERSION, .cmd = 4711 };
	uint64_t before = fn_stat(fn, VSP_STAT_MBOX_COMMANDS);
	uint32_t all_ones;

	ok(fn_read32(fn, VSP_REG_MAGIC) == VSP_MAGIC, "the registers show the magic number");
	gives(fn_mbox(fn, &msg), -EOPNOTSUPP, "a command that is none");
	ok(msg.cmd == 4711, "the reply is the message, with a status");
	msg = (struct vsp_mbox_msg){ .version = 2, .cmd = VSP_MBOX_GET_STATUS };
	gives(fn_mbox(fn, &msg), -EPROTO, "a version that is not spoken");
	gives(fn_mbox_set(fn, 0, 0), -EOPNOTSUPP, "command 0");

	/* What a pulled card reads. Each command below needs several looks. */
	fn_write32(fn, VSP_BAR_MAILBOX_CSR, ~0U);
	usleep(100000);
	all_ones = fn_read32(fn, VSP_BAR_MAILBOX_CSR);
	ok(all_ones == ~0U, "all ones in the CSR are no command");
	/* Three commands, this one, and no other. */
	ok(fn_stat(fn, VSP_STAT_MBOX_COMMANDS) == before + 4, "the card counts commands");
	ok(fn_stat(fn, VSP_STAT_MBOX_ERRORS) >= 3, "and errors");
}

static void test_device(struct vfio_fn *fn)
{
	struct vsp_mbox_msg msg = { .version = VSP_MBOX_VERSION,
				    .cmd = VSP_MBOX_GET_PF_RESOURCE };
	uint64_t val = 0, required = 1ULL << VIRTIO_F_VERSION_1 |
				     1ULL << VIRTIO_F_ACCESS_PLATFORM;

	ok(!fn_mbox(fn, &msg) && msg.resource.nr_vqs == fn_read32(fn, VSP_REG_NR_VQS) &&
	   msg.resource.nr_vectors >= FN_VECTORS && msg.resource.max_vq_size >= FN_VQ_NUM,
	   "GET_PF_RESOURCE");
	ok(!fn_mbox_get(fn, VSP_MBOX_GET_FEATURES, &val) && (val & required) == required,
	   "GET_FEATURES");
	gives(fn_mbox_set(fn, VSP_MBOX_SET_FEATURES, 0), -EINVAL, "SET_FEATURES: too few");
	gives(fn_mbox_set(fn, VSP_MBOX_SET_FEATURES, ~0ULL), -EINVAL, "SET_FEATURES: too many");
	gives(fn_mbox_set(fn, VSP_MBOX_SET_FEATURES, required), 0, "SET_FEATURES");
	gives(fn_mbox_set(fn, VSP_MBOX_SET_STATUS, 0x100), -EINVAL, "SET_STATUS: no byte");
	gives(fn_mbox_set(fn, VSP_MBOX_SET_STATUS, 3), 0, "SET_STATUS");
	ok(!fn_mbox_get(fn, VSP_MBOX_GET_STATUS, &val) && val == 3 &&
	   fn_read32(fn, VSP_REG_STATUS) == 3, "GET_STATUS, and the register");
	gives(fn_mbox_set(fn, VSP_MBOX_SUSPEND, 0), -EINVAL, "SUSPEND before DRIVER_OK");
	gives(fn_mbox_set(fn, VSP_MBOX_SET_TRANSLATION, 7), -EINVAL,
	      "SET_TRANSLATION: a third kind");
	gives(fn_mbox_set(fn, VSP_MBOX_SET_TRANSLATION, VSP_TRANSLATE_PLATFORM), 0,
	      "SET_TRANSLATION: platform");
}

static void test_queues(struct vfio_fn *fn)
{
	struct vsp_mbox_msg addr = {
		.version = VSP_MBOX_VERSION, .cmd = VSP_MBOX_SET_VQ_ADDR,
		.vq_addr = { .index = 0, .desc = 8 },
	};
	struct fn_vq vq;
	uint32_t val = 0;

	gives(vq_command(fn, VSP_MBOX_SET_VQ_SIZE, 0, 3), -EINVAL, "SET_VQ_SIZE: no power of two");
	gives(vq_command(fn, VSP_MBOX_SET_VQ_SIZE, 0, 1 << 16), -EINVAL, "SET_VQ_SIZE: too large");
	gives(vq_command(fn, VSP_MBOX_SET_VQ_SIZE, 99, 64), -ENOENT, "SET_VQ_SIZE: of no queue");
	gives(fn_mbox(fn, &addr), -EINVAL, "SET_VQ_ADDR: not aligned");
	gives(vq_command(fn, VSP_MBOX_SET_VQ_MSIX, 0, 4711), -EINVAL, "SET_VQ_MSIX: no vector");
	gives(vq_command(fn, VSP_MBOX_SET_VQ_MSIX, VSP_MBOX_VQ_CONFIG, VSP_VECTOR_CONFIG), 0,
	      "SET_VQ_MSIX: configuration changes");
	gives(vq_command(fn, VSP_MBOX_SET_VQ_ENABLE, 0, 1), -EINVAL, "SET_VQ_ENABLE: no size");
	gives(vq_command(fn, VSP_MBOX_SET_VQ_SIZE, 0, 64), 0, "SET_VQ_SIZE");
	gives(vq_command(fn, VSP_MBOX_SET_VQ_ENABLE, 0, 2), -EINVAL, "SET_VQ_ENABLE: 2");
	gives(vq_command(fn, VSP_MBOX_SET_VQ_ENABLE, 0, 1), -EFAULT,
	      "SET_VQ_ENABLE: rings at addresses that are not mapped");
	gives(vq_command(fn, VSP_MBOX_SET_VQ_STATE, 0, 1 << 16), -EINVAL, "SET_VQ_STATE: no index");
	gives(vq_command(fn, VSP_MBOX_SET_VQ_STATE, 0, 77), 0, "SET_VQ_STATE");
	ok(!fn_mbox_vq(fn, VSP_MBOX_GET_VQ_STATE, 0, &val) && val == 77, "GET_VQ_STATE");
	gives(vq_command(fn, VSP_MBOX_GET_VQ_STATE, 99, 0), -ENOENT, "GET_VQ_STATE: of no queue");

	vq_init(fn, &vq, 0);
	gives(vq_enable(&vq), 0, "SET_VQ_ADDR, SET_VQ_MSIX and SET_VQ_ENABLE");
	ok(fn_read32(fn, VSP_REG_VQ(0) + VSP_REG_VQ_ENABLE) == 1 &&
	   fn_read32(fn, VSP_REG_VQ(0) + VSP_REG_VQ_DESC) == vq.iova, "the registers show it");
	gives(vq_command(fn, VSP_MBOX_SET_VQ_STATE, 0, 1), -EBUSY,
	      "SET_VQ_STATE: not while it is enabled");
	gives(fn_mbox_set(fn, VSP_MBOX_SET_TRANSLATION, VSP_TRANSLATE_CARD), -EBUSY,
	      "nor SET_TRANSLATION");
	gives(vq_command(fn, VSP_MBOX_SET_VQ_ENABLE, 0, 0), 0, "a queue is disabled");
}

static int config_command(struct vfio_fn *fn, enum vsp_mbox_cmd cmd, uint16_t at,
			  uint16_t len, uint8_t *data)
{
	struct vsp_mbox_msg msg = {
		.version = VSP_MBOX_VERSION, .cmd = cmd,
		.config = { .offset = at, .len = len },
	};
	int ret;

	memcpy(msg.config.data, data, len > VSP_MBOX_CONFIG_MAX ? 0 : len);
	ret = fn_mbox(fn, &msg);
	memcpy(data, msg.config.data, len > VSP_MBOX_CONFIG_MAX ? 0 : len);
	return ret;
}

static void test_config(struct vfio_fn *fn)
{
	uint8_t mac[6] = { 2, 0, 0, 0, 0, 0x42 }, got[6] = {}, multicast[6] = { 1 };
	uint64_t status = 1;

	gives(config_command(fn, VSP_MBOX_SET_CONFIG, 0, 6, mac), 0, "SET_CONFIG: a MAC");
	ok(!config_command(fn, VSP_MBOX_GET_CONFIG, 0, 6, got) && !memcmp(mac, got, 6) &&
	   !memcmp((void *)(uintptr_t)(fn->bar + VSP_BAR_CONFIG), mac, 6),
	   "GET_CONFIG, and the BAR");
	gives(config_command(fn, VSP_MBOX_SET_CONFIG, 0, 6, multicast), -EADDRNOTAVAIL,
	      "SET_CONFIG: a group's MAC");
	gives(config_command(fn, VSP_MBOX_GET_CONFIG, 0xffff, 6, got), -ERANGE,
	      "GET_CONFIG: behind the end");
	gives(config_command(fn, VSP_MBOX_SET_CONFIG, 0, 0xffff, got), -ERANGE,
	      "SET_CONFIG: more than there is");
	gives(fn_mbox_set(fn, VSP_MBOX_RESET, 0), 0, "RESET");
	ok(!fn_mbox_get(fn, VSP_MBOX_GET_STATUS, &status) && !status, "the status is 0");
}

static void test_pace(struct vfio_fn *fn)
{
	unsigned int i, quick = 0, best = ~0U;

	for (i = 0; i < 50; i++) {
		fn_mbox_set(fn, VSP_MBOX_RESUME, 0);
		quick += fn->mbox_us < 15000;
		best = fn->mbox_us < best ? fn->mbox_us : best;
	}
	printf("# %u of 50 commands took less than 15 ms, the best %u us\n", quick, best);
	/* The idle clock ticks every 20 ms; a busy host makes a few slow. */
	ok(quick >= 25, "a busy mailbox is looked at often");
}

static void run_mailbox(struct vfio_fn *fn)
{
	test_handshake(fn);
	fn_mbox_set(fn, VSP_MBOX_RESET, 0);
	test_device(fn);
	test_queues(fn);
	test_config(fn);
	test_pace(fn);
}

/* ---- frames ---- */

static void frame_fill(uint8_t *frame, unsigned int len, uint8_t salt)
{
	unsigned int i;

	for (i = 0; i < len; i++)
		frame[i] = (uint8_t)(i * 7 + salt);
}

static void frame_post(struct fn_vq *tx, unsigned int slot, unsigned int len, uint8_t salt)
{
	uint8_t *buf = tx->buf + slot * FN_BUF_LEN;

	memset(buf, 0, HDR_LEN);
	frame_fill(buf + HDR_LEN, len, salt);
	vq_post(tx, slot, (uint32_t)(HDR_LEN + len), false);
}

static bool frame_is(struct fn_vq *rx, uint32_t head, uint32_t len, unsigned int want,
		     uint8_t salt)
{
	uint8_t frame[FN_BUF_LEN];

	if (head >= FN_VQ_NUM || len != HDR_LEN + want)
		return false;
	frame_fill(frame, want, salt);
	return !memcmp(rx->buf + head * FN_BUF_LEN + HDR_LEN, frame, want);
}

/* Sent, and back in a receive buffer, byte for byte. */
static bool frame_loops(struct fn_vq vq[2], unsigned int slot, unsigned int len)
{
	uint32_t head, got;

	vq_post(&vq[0], slot, FN_BUF_LEN, true);
	vq_ring(&vq[0]);
	frame_post(&vq[1], slot, len, (uint8_t)slot);
	vq_ring(&vq[1]);
	if (!vq_wait_used(&vq[1], &head, &got, PATIENCE_MS) || head != slot)
		return false;
	return vq_wait_used(&vq[0], &head, &got, PATIENCE_MS) &&
	       frame_is(&vq[0], head, got, len, (uint8_t)slot);
}

static void test_suspend(struct vfio_fn *fn, struct fn_vq vq[2])
{
	uint32_t state = 0, head, len;
	unsigned int i;

	gives(fn_mbox_set(fn, VSP_MBOX_SUSPEND, 0), 0, "SUSPEND");
	ok(fn_read32(fn, VSP_REG_SUSPENDED) == 1 &&
	   fn_read32(fn, VSP_REG_VQ(1) + VSP_REG_VQ_ENABLE) == 1,
	   "the registers show it, and the queue enabled");
	vq_post(&vq[0], 40, FN_BUF_LEN, true);
	frame_post(&vq[1], 40, 100, 40);
	vq_ring(&vq[1]);
	/* The clock sees the doorbell before the last of these. */
	for (i = 0; i < 20; i++)
		fn_mbox_vq(fn, VSP_MBOX_GET_VQ_STATE, 1, &state);
	ok(vq[1].used->idx == vq[1].last_used && state == vq[1].last_used,
	   "what is sent waits, the indices stand still");
	gives(fn_mbox_set(fn, VSP_MBOX_SUSPEND, 0), 0, "SUSPEND again changes nothing");
	gives(fn_mbox_set(fn, VSP_MBOX_RESUME, 0), 0, "RESUME");
	ok(vq_wait_used(&vq[1], &head, &len, PATIENCE_MS) &&
	   vq_wait_used(&vq[0], &head, &len, PATIENCE_MS) &&
	   frame_is(&vq[0], head, len, 100, 40), "it goes on where it was");
}

static void test_restart(struct vfio_fn *fn, struct fn_vq vq[2])
{
	uint32_t magic = 0, resets = fn_read32(fn, VSP_REG_RESET_COUNT);

	gives(fn_reset(fn), 0, "VFIO_DEVICE_RESET, a function level reset");
	ok(fn_read32(fn, VSP_REG_STATUS) == 0 &&
	   fn_read32(fn, VSP_REG_VQ(1) + VSP_REG_VQ_ENABLE) == 0 &&
	   fn_read32(fn, VSP_REG_RESET_COUNT) > resets, "the function is as after power-on");
	ok(fn_read32(fn, VSP_BAR_MAILBOX) == 0, "with nothing left in the mailbox");
	ok(pread(fn->device, &magic, 4, (off_t)fn->bar_at) == 4 && magic == VSP_MAGIC,
	   "a read of the region is a read of the BAR");
	fn_config_write(fn, PCI_COMMAND, fn_config_read(fn, PCI_COMMAND, 2) | 6, 2);
	gives(fn_irqs_off(fn), 0, "the interrupts are taken down");
	gives(fn_irqs_on(fn), 0, "and set up again");
	gives(fn_start(fn, vq, 0), 0, "the queues are, too");
	ok(frame_loops(vq, 3, 64), "and a frame comes back");
}

static void run_loop(struct vfio_fn *fn)
{
	static const unsigned int sizes[] = { 60, 64, 1000, 1514 };
	uint64_t faults = fn_stat(fn, VSP_STAT_DMA_FAULTS);
	struct fn_vq vq[2];
	unsigned int i;

	gives(fn_irqs_on(fn), 0, "MSI-X vectors as eventfds");
	if (!gives(fn_start(fn, vq, 0), 0, "two queues in memory mapped by the IOMMU"))
		return;
	ok(frame_loops(vq, 0, 60), "a frame goes out and comes back");
	ok(fn_irq_wait(fn, VSP_VECTOR_VQ0, PATIENCE_MS) > 0, "the receive queue's vector fired");
	ok(fn_irq_wait(fn, VSP_VECTOR_VQ0 + 1, PATIENCE_MS) > 0, "and the transmit queue's");
	ok(fn_irq_wait(fn, VSP_VECTOR_MAILBOX, PATIENCE_MS) > 0, "and the mailbox's");
	for (i = 0; i < 30 && frame_loops(vq, i % 32, sizes[i % 4]); i++)
		;
	ok(i == 30, "30 more, of all sizes");
	ok(fn_stat(fn, VSP_STAT_VQ(1) + VSP_STAT_VQ_PACKETS) >= 31, "the card counted them");
	test_suspend(fn, vq);
	test_restart(fn, vq);
	ok(fn_stat(fn, VSP_STAT_DMA_FAULTS) == faults, "without a DMA fault");
}

static int run_flood(struct vfio_fn *fn)
{
	struct fn_vq vq[2];
	unsigned long n;

	if (fn_irqs_on(fn) || fn_start(fn, vq, 0))
		return 1;
	for (n = 0; frame_loops(vq, n % FN_VQ_NUM, 1514); n++)
		if (n == 10)
			ok(true, "running");
	return 1;
}

/* ---- a neighbour ---- */

struct arp_frame {
	uint8_t dst[6], src[6];
	uint16_t type;
	uint16_t hw, proto;
	uint8_t hw_len, proto_len;
	uint16_t op;
	uint8_t sender[6];
	uint32_t sender_ip;
	uint8_t target[6];
	uint32_t target_ip;
} __attribute__((packed));

static void arp_ask(struct fn_vq *tx, const uint8_t *mac, uint32_t ip, uint32_t peer)
{
	struct arp_frame *arp = (void *)(tx->buf + HDR_LEN);
	uint32_t head, len;

	memset(tx->buf, 0, HDR_LEN + 60);
	*arp = (struct arp_frame){
		.type = htons(0x806), .hw = htons(1), .proto = htons(0x800),
		.hw_len = 6, .proto_len = 4, .op = htons(1),
		.sender_ip = ip, .target_ip = peer,
	};
	memset(arp->dst, 0xff, 6);
	memcpy(arp->src, mac, 6);
	memcpy(arp->sender, mac, 6);
	vq_post(tx, 0, HDR_LEN + 60, false);
	vq_ring(tx);
	vq_wait_used(tx, &head, &len, PATIENCE_MS);
}

/* Other frames may come first; each buffer goes back to the device. */
static bool arp_answered(struct fn_vq *rx, uint32_t peer)
{
	const struct arp_frame *arp;
	uint32_t head, len;

	while (vq_wait_used(rx, &head, &len, 1000)) {
		arp = (const void *)(rx->buf + head * FN_BUF_LEN + HDR_LEN);
		if (len >= HDR_LEN + sizeof(*arp) && arp->type == htons(0x806) &&
		    arp->op == htons(2) && arp->sender_ip == peer)
			return true;
		vq_post(rx, head, FN_BUF_LEN, true);
		vq_ring(rx);
	}
	return false;
}

static void run_arp(struct vfio_fn *fn, const char *ip, const char *peer)
{
	const uint8_t *mac = (void *)(uintptr_t)(fn->bar + VSP_BAR_CONFIG);
	struct fn_vq vq[2];
	unsigned int i;
	bool answered = false;

	fn_irqs_on(fn);
	if (!gives(fn_start(fn, vq, 0), 0, "two queues"))
		return;
	for (i = 0; i < 32; i++)
		vq_post(&vq[0], i, FN_BUF_LEN, true);
	vq_ring(&vq[0]);
	for (i = 0; i < 20 && !answered; i++) {
		arp_ask(&vq[1], mac, inet_addr(ip), inet_addr(peer));
		answered = arp_answered(&vq[0], inet_addr(peer));
	}
	ok(answered, "the neighbour answers: one frame each way");
	ok(fn_irq_wait(fn, VSP_VECTOR_VQ0, PATIENCE_MS) > 0, "and the vector fired");
}

int main(int argc, char **argv)
{
	struct vfio_fn fn;
	const char *mode = argc > 2 ? argv[1] : "";

	if (argc < 3 || (!strcmp(mode, "arp") && argc != 5)) {
		fprintf(stderr, "usage: vfio mailbox|loop|flood|arp FUNCTION [IP PEER]\n");
		return 2;
	}
	if (!ok(!fn_open(&fn, argv[2]), "the function opens: group, container, BAR 4"))
		return done();
	if (!strcmp(mode, "flood"))
		return run_flood(&fn);
	if (!strcmp(mode, "arp"))
		run_arp(&fn, argv[3], argv[4]);
	else if (!strcmp(mode, "loop"))
		run_loop(&fn);
	else
		run_mailbox(&fn);
	fn_close(&fn);
	return done();
}
