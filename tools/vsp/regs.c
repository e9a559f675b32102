// SPDX-License-Identifier: GPL-2.0-only
/*
 * BAR 4 by name. Offsets come from hw/regs.h, and a register's name is that of
 * its macro there in small letters (scripts/check.sh registers).
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/pci_regs.h>
#include <linux/virtio_net.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vsp.h"

#define REG(name, offset, size, what)	{ name, offset, size, false, what }
#define REG_X(name, offset, size, what)	{ name, offset, size, true, what }

/* A member of a structure at the group's base. */
#define MEMBER(name, type, member, what) \
	{ name, offsetof(type, member), sizeof(((type *)0)->member), true, what }

static const struct reg device_regs[] = {
	REG_X("magic", VSP_REG_MAGIC, 4, "VSP1"),
	REG_X("version", VSP_REG_VERSION, 4, "of the register layout"),
	REG("fn_type", VSP_REG_FN_TYPE, 4, "1: network card, 2: virtio"),
	REG_X("ltssm", VSP_REG_LTSSM, 4, "link state, 0x11: L0"),
	REG("reset_count", VSP_REG_RESET_COUNT, 4, "resets since power on"),
	REG("link", VSP_REG_LINK, 4, "1: up"),
	REG("link_speed", VSP_REG_LINK_SPEED, 4, "Mbit/s"),
	REG("nr_vqs", VSP_REG_NR_VQS, 4, "virtqueues"),
	REG_X("dev_features", VSP_REG_DEV_FEATURES, 8, "offered"),
	REG_X("drv_features", VSP_REG_DRV_FEATURES, 8, "accepted by the driver"),
	REG_X("status", VSP_REG_STATUS, 4, "virtio device status"),
	REG("config_gen", VSP_REG_CONFIG_GEN, 4, "configuration generation"),
	REG_X("config_vector", VSP_REG_CONFIG_VECTOR, 4, "0xffff: none"),
	REG("max_vq_size", VSP_REG_MAX_VQ_SIZE, 4, "descriptors"),
	REG("config_size", VSP_REG_CONFIG_SIZE, 4, "bytes of configuration"),
	REG("translation", VSP_REG_TRANSLATION, 4, "0: platform, 1: card"),
	REG("suspended", VSP_REG_SUSPENDED, 4, "1: queues stand still"),
	REG("active_pairs", VSP_REG_ACTIVE_PAIRS, 4, "queue pairs the driver uses"),
};

static const struct reg vq_regs[] = {
	REG("size", VSP_REG_VQ_SIZE, 4, "descriptors"),
	REG_X("vector", VSP_REG_VQ_VECTOR, 4, "MSI-X vector, 0xffff: none"),
	REG("enable", VSP_REG_VQ_ENABLE, 4, "1: ready"),
	REG_X("notify", VSP_REG_VQ_NOTIFY, 4, "offset of the doorbell"),
	REG_X("desc", VSP_REG_VQ_DESC, 8, "descriptor area"),
	REG_X("driver", VSP_REG_VQ_DRIVER, 8, "driver area"),
	REG_X("device", VSP_REG_VQ_DEVICE, 8, "device area"),
};

static const struct reg msix_regs[] = {
	REG_X("address", PCI_MSIX_ENTRY_LOWER_ADDR, 8, "message address"),
	REG_X("data", PCI_MSIX_ENTRY_DATA, 4, "message data"),
	REG_X("control", PCI_MSIX_ENTRY_VECTOR_CTRL, 4, "bit 0: masked"),
};

static const struct reg pba_regs[] = {
	REG_X("pba", 0, 8, "pending bits"),
};

static const struct reg doorbell_regs[] = {
	REG_X("doorbell", 0, 4, "written by the driver"),
};

static const struct reg mailbox_regs[] = {
	MEMBER("version", struct vsp_mbox_msg, version, "of the message"),
	MEMBER("cmd", struct vsp_mbox_msg, cmd, "enum vsp_mbox_cmd"),
	MEMBER("status", struct vsp_mbox_msg, status, "of the reply"),
	MEMBER("value", struct vsp_mbox_msg, value, "argument or result"),
	REG_X("csr", VSP_BAR_MAILBOX_CSR - VSP_BAR_MAILBOX, 4,
	      "bit 8: command waits, bit 12: reply is there"),
};

static const struct reg stats_regs[] = {
	REG("dma_faults", VSP_STAT_DMA_FAULTS, 8, "accesses without permission"),
	REG("mbox_commands", VSP_STAT_MBOX_COMMANDS, 8, "mailbox commands"),
	REG("mbox_errors", VSP_STAT_MBOX_ERRORS, 8, "that failed"),
	REG("backends_lost", VSP_STAT_BACKENDS_LOST, 8, "did not acknowledge in time"),
};

static const struct reg stats_vq_regs[] = {
	REG("doorbells", VSP_STAT_VQ_DOORBELLS, 8, "rung by the driver"),
	REG("kicks", VSP_STAT_VQ_KICKS, 8, "that woke the backend"),
	REG("packets", VSP_STAT_VQ_PACKETS, 8, "moved"),
	REG("bytes", VSP_STAT_VQ_BYTES, 8, "moved"),
	REG("drops", VSP_STAT_VQ_DROPS, 8, "packets"),
	REG("msix_sent", VSP_STAT_VQ_MSIX_SENT, 8, "messages of the queue's vector"),
	REG("msix_merged", VSP_STAT_VQ_MSIX_MERGED, 8, "raised while one was under way"),
	REG("msix_masked", VSP_STAT_VQ_MSIX_MASKED, 8, "went to the pending bit"),
};

static const struct reg stats_vector_regs[] = {
	REG("sent", VSP_STAT_VECTOR_SENT, 8, "messages"),
	REG("merged", VSP_STAT_VECTOR_MERGED, 8, "raised while one was under way"),
	REG("masked", VSP_STAT_VECTOR_MASKED, 8, "went to the pending bit"),
	REG("dropped", VSP_STAT_VECTOR_DROPPED, 8, "MSI-X or bus mastering was off"),
	REG("pending", VSP_STAT_VECTOR_PENDING, 8, "the pending bit now"),
};

static const struct reg config_regs[] = {
	REG_X("mac_low", offsetof(struct virtio_net_config, mac), 4, "first four bytes"),
	REG_X("mac_high", offsetof(struct virtio_net_config, mac) + 4, 2, "last two bytes"),
	MEMBER("status", struct virtio_net_config, status, "bit 0: link up"),
	MEMBER("max_virtqueue_pairs", struct virtio_net_config, max_virtqueue_pairs, "pairs"),
	MEMBER("mtu", struct virtio_net_config, mtu, "bytes"),
};

#define REGS(table)	.regs = table, .nr_regs = ARRAY_SIZE(table)

const struct reg_group reg_groups[REG_NR_GROUPS] = {
	[REG_GROUP_DEVICE] = { "", 0, 0, REG_ONCE, REGS(device_regs) },
	[REG_GROUP_VQ] = { "vq%u.", VSP_REG_VQ(0), VSP_REG_VQ(1) - VSP_REG_VQ(0),
			   REG_PER_VQ, REGS(vq_regs) },
	[REG_GROUP_MSIX] = { "msix%u.", VSP_BAR_MSIX_TABLE, PCI_MSIX_ENTRY_SIZE,
			     REG_PER_VECTOR, REGS(msix_regs) },
	[REG_GROUP_PBA] = { "", VSP_BAR_MSIX_PBA, 0, REG_ONCE, REGS(pba_regs) },
	[REG_GROUP_DOORBELL] = { "vq%u.", VSP_BAR_DOORBELL(0),
				 VSP_BAR_DOORBELL(1) - VSP_BAR_DOORBELL(0), REG_PER_VQ,
				 REGS(doorbell_regs) },
	[REG_GROUP_MAILBOX] = { "mailbox.", VSP_BAR_MAILBOX, 0, REG_ONCE,
				REGS(mailbox_regs) },
	[REG_GROUP_STATS] = { "stats.", VSP_BAR_STATS, 0, REG_ONCE, REGS(stats_regs) },
	[REG_GROUP_STATS_VQ] = { "stats.vq%u.", VSP_BAR_STATS + VSP_STAT_VQ(0),
				 VSP_STAT_VQ(1) - VSP_STAT_VQ(0), REG_PER_VQ,
				 REGS(stats_vq_regs) },
	[REG_GROUP_STATS_VECTOR] = { "stats.vector%u.", VSP_BAR_STATS + VSP_STAT_VECTOR(0),
				     VSP_STAT_VECTOR(1) - VSP_STAT_VECTOR(0),
				     REG_PER_VECTOR, REGS(stats_vector_regs) },
	[REG_GROUP_CONFIG] = { "config.", VSP_BAR_CONFIG, 0, REG_ONCE, REGS(config_regs) },
};

/* ---- access ---- */

uint64_t reg_read(int fd, uint32_t offset, unsigned int size)
{
	uint64_t value = 0;
	ssize_t n = pread(fd, &value, size, offset);

	if (n != (ssize_t)size)
		die("cannot read %u bytes at %#x: %s", size, offset,
		    n < 0 ? strerror(errno) : "beyond the BAR");
	return le64toh(value);
}

uint64_t reg_read_in(int fd, enum reg_group_index group, unsigned int i,
		     const struct reg *reg)
{
	const struct reg_group *g = &reg_groups[group];

	return reg_read(fd, g->base + i * g->stride + reg->offset, reg->size);
}

static void reg_write(int fd, uint32_t offset, unsigned int size, uint64_t value)
{
	uint64_t le = htole64(value);

	if (size < 8 && value >> (8 * size))
		die_usage("%#" PRIx64 " has more than %u bits", value, 8 * size);
	if (pwrite(fd, &le, size, offset) != (ssize_t)size)
		die("cannot write %u bytes at %#x: %s", size, offset, strerror(errno));
}

/* ---- names ---- */

struct reg_counts {
	unsigned int vqs, vectors;
};

/* Return: true to stop. */
typedef bool (*reg_visit)(void *ctx, const char *name, uint32_t offset,
			  const struct reg *reg);

static bool reg_walk_block(const struct reg_group *g, unsigned int i, reg_visit visit,
			   void *ctx)
{
	char name[64];
	unsigned int r;
	int n;

	for (r = 0; r < g->nr_regs; r++) {
		n = snprintf(name, sizeof(name), g->prefix, i);
		snprintf(name + n, sizeof(name) - n, "%s", g->regs[r].name);
		if (visit(ctx, name, g->base + i * g->stride + g->regs[r].offset, &g->regs[r]))
			return true;
	}
	return false;
}

static unsigned int group_count(const struct reg_group *g, const struct reg_counts *counts)
{
	switch (g->repeat) {
	case REG_PER_VQ:
		return counts->vqs;
	case REG_PER_VECTOR:
		return counts->vectors;
	default:
		return 1;
	}
}

static bool reg_walk(const struct reg_counts *counts, reg_visit visit, void *ctx)
{
	unsigned int g, i;

	for (g = 0; g < REG_NR_GROUPS; g++)
		for (i = 0; i < group_count(&reg_groups[g], counts); i++)
			if (reg_walk_block(&reg_groups[g], i, visit, ctx))
				return true;
	return false;
}

static void reg_count(const char *function, struct reg_counts *counts)
{
	static struct card_state st;

	card_read_state(function, "state", &st);
	counts->vqs = card_number(&st, "nr_vqs");
	counts->vectors = card_number(&st, "nr_vectors");
	if (counts->vqs > VSP_MAX_VQS || counts->vectors > VSP_MAX_VECTORS)
		die("%s has more queues or vectors than this program knows", function);
}

struct reg_place {
	const char *name;
	uint32_t offset;
	unsigned int size;
};

static bool reg_is(void *ctx, const char *name, uint32_t offset, const struct reg *reg)
{
	struct reg_place *p = ctx;

	if (strcmp(name, p->name))
		return false;
	p->offset = offset;
	p->size = reg->size;
	return true;
}

/* OFFSET[.8|.16|.32|.64] */
static void place_by_offset(struct reg_place *p)
{
	const char *dot = strchr(p->name, '.');
	char number[32];
	unsigned long bits = 32;
	uint64_t offset;

	snprintf(number, sizeof(number), "%.*s",
		 dot ? (int)(dot - p->name) : (int)strlen(p->name), p->name);
	offset = parse_number(number, "offset");
	if (dot)
		bits = parse_number(dot + 1, "width");
	if (bits != 8 && bits != 16 && bits != 32 && bits != 64)
		die_usage("the width is 8, 16, 32 or 64 bits, not %lu", bits);
	p->size = bits / 8;
	if (offset > VSP_BAR_SIZE - p->size || offset & (p->size - 1))
		die_usage("%#" PRIx64 " is beyond the BAR or not aligned to %lu bits", offset,
			  bits);
	p->offset = offset;
}

static struct reg_place reg_find(const char *function, const char *name)
{
	struct reg_place p = { .name = name };
	struct reg_counts counts;

	reg_count(function, &counts);
	if (*name >= '0' && *name <= '9')
		place_by_offset(&p);
	else if (!reg_walk(&counts, reg_is, &p))
		die_usage("%s has no register %s; vsp rr %s lists them", function, name,
			  function);
	return p;
}

/* ---- commands ---- */

static bool reg_print(void *ctx, const char *name, uint32_t offset, const struct reg *reg)
{
	uint64_t value = reg_read(*(int *)ctx, offset, reg->size);

	printf(reg->is_hex ? "%05x  %-24s 0x%-18" PRIx64 " %s\n"
			   : "%05x  %-24s %-20" PRIu64 " %s\n",
	       offset, name, value, reg->what);
	return false;
}

static bool reg_print_name(void *ctx, const char *name, uint32_t offset,
			   const struct reg *reg)
{
	(void)ctx;
	(void)offset;
	(void)reg;
	puts(name);
	return false;
}

int cmd_rr(int argc, char **argv)
{
	static const struct reg_counts all = { VSP_MAX_VQS, VSP_MAX_VECTORS };
	struct reg_counts counts;
	struct reg_place p;
	const char *function;
	int fd;

	if (!strcmp(argv[1], "--names")) {
		reg_walk(&all, reg_print_name, NULL);
		return VSP_EXIT_OK;
	}
	function = card_find(argv[1]);
	fd = card_open(function, "registers", O_RDONLY);
	if (argc == 2) {
		reg_count(function, &counts);
		reg_walk(&counts, reg_print, &fd);
	} else {
		p = reg_find(function, argv[2]);
		printf("0x%" PRIx64 "\n", reg_read(fd, p.offset, p.size));
	}
	close(fd);
	return VSP_EXIT_OK;
}

int cmd_wr(int argc, char **argv)
{
	const char *function = card_find(argv[1]);
	struct reg_place p = reg_find(function, argv[2]);
	uint64_t value = parse_number(argv[3], "value");
	int fd = card_open(function, "registers", O_WRONLY);

	(void)argc;
	reg_write(fd, p.offset, p.size, value);
	close(fd);
	return VSP_EXIT_OK;
}
