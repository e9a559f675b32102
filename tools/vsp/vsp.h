/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vsp: looks at the simulated card and works its switches, through debugfs and
 * sysfs only. This header is what its files share.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 */
#ifndef VSP_TOOL_H
#define VSP_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../vdpa_sim_pcie/hw/regs.h"
#include "../../vdpa_sim_pcie/uapi/vdpa_sim_pcie.h"

#define VSP_DEBUGFS	"/sys/kernel/debug/vsp"
#define VSP_PCI_DEVICES	"/sys/bus/pci/devices"
#define VSP_PATH_MAX	512
#define VSP_NAME_MAX	32

/* Most functions of a card, and its root port. */
#define VSP_MAX_NAMES	257

#define VSP_MAX_KEYS	160

enum vsp_exit {
	VSP_EXIT_OK	= 0,
	VSP_EXIT_FAILED	= 1,
	VSP_EXIT_USAGE	= 2,
};

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* ---- main.c ---- */

/* Say why on standard error and exit with VSP_EXIT_FAILED or VSP_EXIT_USAGE. */
void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
void die_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
/* The whole of @text as a number, decimal or 0x. */
uint64_t parse_number(const char *text, const char *what);

/* ---- card.c: which functions there are, and their files ---- */

struct card_names {
	unsigned int nr;
	char name[VSP_MAX_NAMES][VSP_NAME_MAX];
};

/* "key: value" lines as they are in a file of debugfs. */
struct card_state {
	unsigned int nr;
	struct {
		char key[32];
		char value[96];
	} line[VSP_MAX_KEYS];
};

/* Die with the reason if there is no card to talk to. */
void card_need(void);
/* All functions and the root port, in the order of their addresses. */
void card_names(struct card_names *names);
/* The full name of the function that is meant by @text; dies if none or many are. */
const char *card_find(const char *text);
bool card_is_port(const char *name);

/* -1 with errno if it cannot be read; the others die. */
int card_try_state(const char *name, struct card_state *st);
void card_read_state(const char *name, const char *file, struct card_state *st);
const char *card_value(const struct card_state *st, const char *key);
uint64_t card_number(const struct card_state *st, const char *key);
void card_parse_state(char *text, struct card_state *st);

/* A file of debugfs: of function @name, or of the card if it is NULL. */
int card_open(const char *name, const char *file, int flags);
int card_write(const char *name, const char *file, const char *text);
/* Null-terminated; -1 with errno. */
int read_text(const char *path, char *buf, size_t size);
int write_text(const char *path, const char *text);
/* The last component of what a symbolic link points to, or "". */
void read_link_name(const char *path, char *buf, size_t size);

/* ---- regs.c: BAR 4 by name ---- */

struct reg {
	const char *name;
	uint32_t offset;
	uint8_t size;		/* bytes */
	bool is_hex;
	const char *what;
};

/* Registers that come once, or once per queue or vector. */
struct reg_group {
	const char *prefix;	/* of the name; with %u, the number of the queue */
	uint32_t base;
	uint32_t stride;
	enum { REG_ONCE, REG_PER_VQ, REG_PER_VECTOR } repeat;
	const struct reg *regs;
	unsigned int nr_regs;
};

enum reg_group_index {
	REG_GROUP_DEVICE,
	REG_GROUP_VQ,
	REG_GROUP_MSIX,
	REG_GROUP_PBA,
	REG_GROUP_DOORBELL,
	REG_GROUP_MAILBOX,
	REG_GROUP_STATS,
	REG_GROUP_STATS_VQ,
	REG_GROUP_STATS_VECTOR,
	REG_GROUP_CONFIG,
	REG_NR_GROUPS,
};

extern const struct reg_group reg_groups[REG_NR_GROUPS];

/* Die if the function has gone. */
uint64_t reg_read(int fd, uint32_t offset, unsigned int size);
uint64_t reg_read_in(int fd, enum reg_group_index group, unsigned int i,
		     const struct reg *reg);

/* ---- commands; argv[0] is the command's name. list.c, regs.c, ops.c ---- */

int cmd_list(int argc, char **argv);
int cmd_rr(int argc, char **argv);
int cmd_wr(int argc, char **argv);
int cmd_translate(int argc, char **argv);
int cmd_aer(int argc, char **argv);
int cmd_slot(int argc, char **argv);
int cmd_flr(int argc, char **argv);
int cmd_link(int argc, char **argv);
int cmd_msix(int argc, char **argv);

#endif /* VSP_TOOL_H */
