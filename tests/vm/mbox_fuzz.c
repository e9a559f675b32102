// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random mailbox messages by a driver in user space, for a while.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 *   mbox_fuzz FUNCTION SECONDS [SEED]
 *
 * The same seed gives the same messages. Most are nearly right, so that they get
 * behind the first checks: valid commands, small queue numbers, addresses in and
 * around the mapped memory. The CSR gets random words, too. Now and then there is
 * traffic on whatever the messages have made. Every few thousand, and at the end,
 * the function has to work after a reset: that is the oracle, beside the kernel's
 * log. Run by 75-hostile.t.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/vfio_fn.h"

#define CHECK_EVERY	2000

static uint64_t address(void)
{
	switch (below(8)) {
	case 0:
		return rnd();
	case 1:
		return FN_DMA_IOVA + FN_DMA_SIZE - below(0x2000);
	case 2:
		return 0xfee00000 + below(0x2000);
	case 3:
		return ~0ULL - below(0x2000);
	default:
		return FN_DMA_IOVA + (below(FN_DMA_SIZE) & ~0xfffULL);
	}
}

static uint32_t small_or_any(uint32_t n)
{
	return below(8) ? (uint32_t)below(n) : (uint32_t)rnd();
}

static void message_vq(struct vsp_mbox_msg *msg)
{
	static const uint32_t sizes[] = { 1, 2, 64, 256, 1024 };

	msg->vq.index = (uint16_t)small_or_any(4);
	if (msg->cmd == VSP_MBOX_SET_VQ_SIZE)
		msg->vq.value = below(4) ? sizes[below(5)] : small_or_any(2048);
	else
		msg->vq.value = small_or_any(msg->cmd == VSP_MBOX_SET_VQ_ENABLE ? 2 : 12);
}

static void message(struct vsp_mbox_msg *msg)
{
	unsigned int i;

	for (i = 0; i < sizeof(*msg) / 8; i++)
		((uint64_t *)msg)[i] = rnd();
	if (!below(16))
		return;
	msg->version = VSP_MBOX_VERSION;
	msg->cmd = below(16) ? 1 + (uint16_t)below(20) : (uint16_t)rnd();
	switch (msg->cmd) {
	case VSP_MBOX_SET_STATUS:
		msg->value = below(4) ? 0xf : small_or_any(0x100);
		break;
	case VSP_MBOX_SET_FEATURES:
		msg->value = 3ULL << 32 | (below(2) ? rnd() & 0x30028003 : 0);
		break;
	case VSP_MBOX_SET_VQ_ADDR:
		msg->vq_addr.index = (uint16_t)small_or_any(4);
		msg->vq_addr.desc = address();
		msg->vq_addr.driver = address();
		msg->vq_addr.device = address();
		break;
	case VSP_MBOX_GET_CONFIG:
	case VSP_MBOX_SET_CONFIG:
		msg->config.offset = (uint16_t)small_or_any(64);
		msg->config.len = (uint16_t)small_or_any(70);
		break;
	case VSP_MBOX_SET_TRANSLATION:
		msg->value = small_or_any(3);
		break;
	default:
		message_vq(msg);
		break;
	}
}

/* What the device finds in the rings is as bad. */
static void scribble(struct vfio_fn *fn)
{
	unsigned int n = 1 + (unsigned int)below(64);

	while (n--)
		fn->dma[below(FN_DMA_SIZE / 8)] = (uint8_t)rnd();
	fn_write32(fn, VSP_BAR_DOORBELL(below(4)), (uint32_t)rnd());
}

/* If that was a command, its answer must not meet the next message. */
static void random_csr(struct vfio_fn *fn)
{
	uint32_t csr = (uint32_t)rnd();

	fn_write32(fn, VSP_BAR_MAILBOX_CSR, csr);
	if (csr & VSP_CSR2_READY)
		wait_until(fn_mbox_is_answered, fn, PATIENCE_MS);
}

static int fuzz_one(struct vfio_fn *fn)
{
	struct vsp_mbox_msg msg;
	int ret;

	message(&msg);
	if (!below(8))
		scribble(fn);
	if (!below(64))
		random_csr(fn);
	ret = fn_mbox(fn, &msg);
	return ret > 0 || ret < -4095 || ret == -ETIMEDOUT ? -1 : 0;
}

int main(int argc, char **argv)
{
	unsigned long n = 0, refused = 0, seconds;
	struct vfio_fn fn;
	time_t end;
	bool good = true;

	if (argc < 3) {
		fprintf(stderr, "usage: mbox_fuzz FUNCTION SECONDS [SEED]\n");
		return 2;
	}
	seconds = strtoul(argv[2], NULL, 0);
	fn_seed = argc > 3 ? strtoull(argv[3], NULL, 0) : (uint64_t)time(NULL);
	printf("# seed %#llx\n", (unsigned long long)fn_seed);
	if (!ok(!fn_open(&fn, argv[1]), "the function opens"))
		return done();
	fn_irqs_on(&fn);
	for (end = time(NULL) + (time_t)seconds; good && time(NULL) < end; n++) {
		if (fuzz_one(&fn)) {
			refused++;
			good = false;
		}
		if (n % CHECK_EVERY == CHECK_EVERY - 1)
			good = good && fn_works(&fn);
	}
	printf("# %lu messages\n", n);
	ok(good && !refused, "each message got an answer in time, with a status that is one");
	ok(n >= 10 * seconds, "there were many");
	ok(fn_works(&fn), "after a reset the function works");
	fn_close(&fn);
	return done();
}
