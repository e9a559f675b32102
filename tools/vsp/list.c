// SPDX-License-Identifier: GPL-2.0-only
/*
 * vsp list: the functions of the card as a table or as JSON.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/virtio_config.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vsp.h"

#define VDPA_DEVICES	"/sys/bus/vdpa/devices"

struct function {
	const char *name;
	struct card_state st;
	char driver[64];
	char group[16];
	char group_type[32];
	char vdpa[256];		/* the first, a function has one at most */
	int regs;		/* of BAR 4, or -1: root port, or pulled just now */
};

/* ---- gathering ---- */

/* Which vDPA device has this function for a parent? */
static void find_vdpa(struct function *f)
{
	char path[VSP_PATH_MAX + 256], real[PATH_MAX], *slash;
	DIR *dir = opendir(VDPA_DEVICES);
	struct dirent *e;

	f->vdpa[0] = '\0';
	while (dir && (e = readdir(dir))) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), VDPA_DEVICES "/%s", e->d_name);
		if (!realpath(path, real))
			continue;
		slash = strrchr(real, '/');
		*slash = '\0';
		slash = strrchr(real, '/');
		if (slash && !strcmp(slash + 1, f->name))
			snprintf(f->vdpa, sizeof(f->vdpa), "%s", e->d_name);
	}
	if (dir)
		closedir(dir);
}

/* False if the function has left meanwhile. */
static bool gather(const char *name, struct function *f)
{
	char path[VSP_PATH_MAX];

	f->name = name;
	f->regs = -1;
	if (card_try_state(name, &f->st)) {
		if (errno == ENOENT || errno == ENODEV)
			return false;
		die(VSP_DEBUGFS "/%s/state: %s", name, strerror(errno));
	}
	snprintf(path, sizeof(path), VSP_PCI_DEVICES "/%s/driver", name);
	read_link_name(path, f->driver, sizeof(f->driver));
	snprintf(path, sizeof(path), VSP_PCI_DEVICES "/%s/iommu_group", name);
	read_link_name(path, f->group, sizeof(f->group));
	snprintf(path, sizeof(path), VSP_PCI_DEVICES "/%s/iommu_group/type", name);
	if (read_text(path, f->group_type, sizeof(f->group_type)))
		f->group_type[0] = '\0';
	f->group_type[strcspn(f->group_type, "\n")] = '\0';
	find_vdpa(f);
	if (!card_is_port(name) && card_number(&f->st, "present"))
		f->regs = card_open(name, "registers", O_RDONLY);
	return true;
}

static void let_go(struct function *f)
{
	if (f->regs >= 0)
		close(f->regs);
}

static uint64_t reg_by_name(int fd, enum reg_group_index group, unsigned int i,
			    const char *name)
{
	const struct reg_group *g = &reg_groups[group];
	unsigned int r;

	for (r = 0; r < g->nr_regs; r++)
		if (!strcmp(g->regs[r].name, name))
			return reg_read_in(fd, group, i, &g->regs[r]);
	abort();	/* the name is in this program twice, or not at all */
}

static unsigned int nr_queues(const struct function *f)
{
	uint64_t nr = card_number(&f->st, "nr_vqs");

	return nr < VSP_MAX_VQS ? nr : VSP_MAX_VQS;
}

/* -1: no card in the slot, or none to ask. */
static int slot_is_occupied(void)
{
	char text[16];

	if (read_text(VSP_DEBUGFS "/slot", text, sizeof(text)))
		return -1;
	return atoi(text);
}

/* ---- table ---- */

static const char *status_word(uint64_t status)
{
	if (status & VIRTIO_CONFIG_S_FAILED)
		return "failed";
	if (status & VIRTIO_CONFIG_S_NEEDS_RESET)
		return "needs reset";
	if (status & VIRTIO_CONFIG_S_DRIVER_OK)
		return "running";
	return status ? "starting" : "reset";
}

static const char *or_dash(const char *text)
{
	return *text ? text : "-";
}

static void print_backend(const struct function *f)
{
	if (!*card_value(&f->st, "backend_pid"))
		printf("  %s\n", card_value(&f->st, "backend"));
	else
		printf("  %s (%s)\n", card_value(&f->st, "backend_comm"),
		       card_value(&f->st, "backend_pid"));
}

static void print_queue(const struct function *f, unsigned int q)
{
	uint64_t size = reg_by_name(f->regs, REG_GROUP_VQ, q, "size");
	bool ready = reg_by_name(f->regs, REG_GROUP_VQ, q, "enable");

	if (!size)
		return;
	printf("  queue %-2u  size %-5" PRIu64 " %-9s  packets %-10" PRIu64 " drops %-6" PRIu64
	       " doorbells %-8" PRIu64 " interrupts %" PRIu64 "%s\n",
	       q, size, ready ? "ready" : "not ready",
	       reg_by_name(f->regs, REG_GROUP_STATS_VQ, q, "packets"),
	       reg_by_name(f->regs, REG_GROUP_STATS_VQ, q, "drops"),
	       reg_by_name(f->regs, REG_GROUP_STATS_VQ, q, "doorbells"),
	       reg_by_name(f->regs, REG_GROUP_STATS_VQ, q, "msix_sent"),
	       q == card_number(&f->st, "ctrl_vq") ? "  (control)" : "");
}

static void print_function(const struct function *f)
{
	unsigned int q;
	char group[64], link[32];

	snprintf(group, sizeof(group), "%s %s", or_dash(f->group), f->group_type);
	printf("%-13s %-4s %-14s %-11s", f->name, card_value(&f->st, "kind"),
	       or_dash(f->driver), group);
	if (f->regs < 0) {
		putchar('\n');
		return;
	}
	snprintf(link, sizeof(link), "%s %s", card_value(&f->st, "link"),
		 card_value(&f->st, "link_mbps"));
	printf(" %-8s %-8s %-11s %-11s %6" PRIu64 " %7" PRIu64,
	       card_value(&f->st, "translation"), or_dash(f->vdpa),
	       status_word(card_number(&f->st, "status")), link,
	       reg_by_name(f->regs, REG_GROUP_STATS, 0, "dma_faults"),
	       reg_by_name(f->regs, REG_GROUP_STATS, 0, "mbox_commands"));
	print_backend(f);
	for (q = 0; q < nr_queues(f); q++)
		print_queue(f, q);
}

static void print_heading(void)
{
	if (slot_is_occupied() == 0)
		printf("The card is out of its slot.\n");
	printf("%-13s %-4s %-14s %-11s %-8s %-8s %-11s %-11s %6s %7s  %s\n", "function",
	       "kind", "driver", "group", "transl.", "vdpa", "status", "link", "faults",
	       "mailbox", "backend");
}

/* ---- JSON ---- */

static void json_string(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		unsigned char c = *text;

		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
}

static void json_text(const char *key, const char *value)
{
	printf(", \"%s\": ", key);
	if (*value)
		json_string(value);
	else
		printf("null");
}

static bool is_number(const char *value)
{
	return *value && strspn(value, "0123456789") == strlen(value);
}

/* What the kernel says, as it says it; numbers as numbers. */
static void json_state(const struct card_state *st)
{
	unsigned int i;

	for (i = 0; i < st->nr; i++) {
		/* vqN.x are with their queue, name stands first. */
		if (strchr(st->line[i].key, '.') || !strcmp(st->line[i].key, "name"))
			continue;
		if (is_number(st->line[i].value))
			printf(", \"%s\": %s", st->line[i].key, st->line[i].value);
		else
			json_text(st->line[i].key, st->line[i].value);
	}
}

static void json_group(int fd, enum reg_group_index group, unsigned int i)
{
	const struct reg_group *g = &reg_groups[group];
	unsigned int r;

	for (r = 0; r < g->nr_regs; r++) {
		uint64_t value = reg_read_in(fd, group, i, &g->regs[r]);

		/* 64 bit addresses are more than a number of JSON holds everywhere. */
		printf(g->regs[r].size == 8 && g->regs[r].is_hex
			       ? ", \"%s\": \"0x%" PRIx64 "\"" : ", \"%s\": %" PRIu64,
		       g->regs[r].name, value);
	}
}

static void json_queue_state(const struct function *f, unsigned int q)
{
	char prefix[16];
	unsigned int i;
	size_t n = snprintf(prefix, sizeof(prefix), "vq%u.", q);

	for (i = 0; i < f->st.nr; i++)
		if (!strncmp(f->st.line[i].key, prefix, n))
			printf(", \"%s\": %s", f->st.line[i].key + n, f->st.line[i].value);
}

static void json_blocks(const struct function *f)
{
	unsigned int i, nr_vectors = card_number(&f->st, "nr_vectors");

	printf(", \"stats\": {\"resets\": %" PRIu64, card_number(&f->st, "resets"));
	json_group(f->regs, REG_GROUP_STATS, 0);
	printf("}, \"queues\": [");
	for (i = 0; i < nr_queues(f); i++) {
		printf("%s\n    {\"index\": %u", i ? "," : "", i);
		json_group(f->regs, REG_GROUP_VQ, i);
		json_group(f->regs, REG_GROUP_STATS_VQ, i);
		json_queue_state(f, i);
		putchar('}');
	}
	printf("], \"vectors\": [");
	for (i = 0; i < nr_vectors && i < VSP_MAX_VECTORS; i++) {
		printf("%s\n    {\"index\": %u", i ? "," : "", i);
		json_group(f->regs, REG_GROUP_STATS_VECTOR, i);
		putchar('}');
	}
	putchar(']');
}

static void json_function(const struct function *f)
{
	printf("  {\"name\": ");
	json_string(f->name);
	json_text("driver", f->driver);
	json_text("iommu_group", f->group);
	json_text("iommu_group_type", f->group_type);
	json_text("vdpa", f->vdpa);
	json_state(&f->st);
	if (f->regs >= 0)
		json_blocks(f);
	putchar('}');
}

int cmd_list(int argc, char **argv)
{
	static struct card_names names;
	static struct function f;
	bool json = argc > 1, first = true;
	int slot;
	unsigned int i;

	if (json && strcmp(argv[1], "--json"))
		die_usage("no option %s", argv[1]);
	card_need();
	card_names(&names);
	slot = slot_is_occupied();
	if (json)
		printf("{\"slot_occupied\": %s, \"functions\": [\n", slot ? "true" : "false");
	else
		print_heading();
	for (i = 0; i < names.nr; i++) {
		if (!gather(names.name[i], &f))
			continue;
		if (json) {
			printf("%s", first ? "" : ",\n");
			json_function(&f);
		} else {
			print_function(&f);
		}
		first = false;
		let_go(&f);
	}
	if (json)
		printf("\n]}\n");
	return VSP_EXIT_OK;
}
