// SPDX-License-Identifier: GPL-2.0-only
/*
 * The commands that do something to the card, and the walk of an address.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vsp.h"

/* ---- slot, reset, errors, link ---- */

int cmd_slot(int argc, char **argv)
{
	bool plug = !strcmp(argv[0], "plug");

	(void)argc;
	card_need();
	if (!card_write(NULL, "slot", plug ? "1" : "0"))
		return VSP_EXIT_OK;
	switch (errno) {
	case EEXIST:
		die("the card is in its slot already");
	case ENODEV:
		die("the card is out of its slot already");
	case EBUSY:
		die("the kernel still removes functions of the card that was pulled; try again");
	default:
		die("%s: %s", argv[0], strerror(errno));
	}
}

int cmd_flr(int argc, char **argv)
{
	const char *function = card_find(argv[1]);
	char path[VSP_PATH_MAX], methods[64];

	(void)argc;
	snprintf(path, sizeof(path), VSP_PCI_DEVICES "/%s/reset_method", function);
	if (read_text(path, methods, sizeof(methods)) || strncmp(methods, "flr", 3))
		die("%s has no function level reset, or it is not the kernel's first choice",
		    function);
	snprintf(path, sizeof(path), VSP_PCI_DEVICES "/%s/reset", function);
	if (write_text(path, "1"))
		die("%s: %s", path, strerror(errno));
	return VSP_EXIT_OK;
}

int cmd_aer(int argc, char **argv)
{
	static const char *const classes[] = { "correctable", "nonfatal", "fatal" };
	const char *function;
	char text[64];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(classes) && strcmp(argv[2], classes[i]); i++)
		;
	if (i == ARRAY_SIZE(classes))
		die_usage("no class of errors: %s", argv[2]);
	snprintf(text, sizeof(text), "%s %#" PRIx64, argv[2],
		 argc > 3 ? parse_number(argv[3], "BITS") : 0);
	function = card_find(argv[1]);
	if (!card_write(function, "aer", text))
		return VSP_EXIT_OK;
	switch (errno) {
	case EINVAL:
		die("%s: the bits are not those of a %s error that it can have", function, argv[2]);
	case EPERM:
		die("%s does not report it: it is masked, or disabled in Device Control",
		    function);
	case ENODEV:
		die("%s is not there", function);
	default:
		die("aer: %s", strerror(errno));
	}
}

int cmd_link(int argc, char **argv)
{
	const char *function = card_find(argv[1]);
	char text[64], path[VSP_PATH_MAX];

	if (argc == 2) {
		snprintf(path, sizeof(path), VSP_DEBUGFS "/%s/link", function);
		if (read_text(path, text, sizeof(text)))
			die("%s: %s", path, strerror(errno));
		fputs(text, stdout);
		return VSP_EXIT_OK;
	}
	if (strcmp(argv[2], "up") && strcmp(argv[2], "down"))
		die_usage("the link is up or down, not %s", argv[2]);
	if (argc > 3)
		snprintf(text, sizeof(text), "%s %" PRIu64, argv[2],
			 parse_number(argv[3], "MBITS"));
	else
		snprintf(text, sizeof(text), "%s", argv[2]);
	if (card_write(function, "link", text))
		die("link: %s", strerror(errno));
	return VSP_EXIT_OK;
}

int cmd_msix(int argc, char **argv)
{
	const char *function = card_find(argv[1]);
	unsigned long long sent, coalesced, masked, dropped;
	unsigned int vector, irq, pending;
	char line[256], path[VSP_PATH_MAX];
	FILE *in;
	int cpu;

	(void)argc;
	snprintf(path, sizeof(path), VSP_DEBUGFS "/%s/msix", function);
	in = fopen(path, "re");
	if (!in)
		die("%s: %s", path, strerror(errno));
	printf("vector    irq  cpu       sent  coalesced     masked    dropped  pending\n");
	while (fgets(line, sizeof(line), in)) {
		if (sscanf(line, "%u %u %d %llu %llu %llu %u %llu", &vector, &irq, &cpu, &sent,
			   &coalesced, &masked, &pending, &dropped) != 8)
			die("%s: a line that this program does not know: %s", path, line);
		if (irq)
			printf("%6u %6u %4d", vector, irq, cpu);
		else
			printf("%6u %6s %4s", vector, "-", "-");
		printf(" %10llu %10llu %10llu %10llu  %s\n", sent, coalesced, masked, dropped,
		       pending ? "yes" : "-");
	}
	fclose(in);
	return VSP_EXIT_OK;
}

/* ---- translate ---- */

static uint64_t read_u64_at(const char *path, uint64_t index)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t value = 0;

	if (fd < 0)
		return 0;
	if (pread(fd, &value, sizeof(value), index * sizeof(value)) != sizeof(value))
		value = 0;
	close(fd);
	return value;
}

/* Write an address to a file of the function, read what it says of it. */
static int ask(const char *function, const char *file, uint64_t address, char *text,
	       size_t size)
{
	int fd = card_open(function, file, O_RDWR);
	ssize_t n;

	snprintf(text, size, "%#" PRIx64, address);
	n = write(fd, text, strlen(text));
	if (n >= 0)
		n = pread(fd, text, size - 1, 0);
	close(fd);
	if (n < 0)
		return -1;
	text[n] = '\0';
	return 0;
}

static void print_host_page(uint64_t physical)
{
	uint64_t pfn = physical / sysconf(_SC_PAGESIZE);

	printf("host page: frame %#" PRIx64 ", mapped %" PRIu64 " times, flags %#" PRIx64 "\n",
	       pfn, read_u64_at("/proc/kpagecount", pfn), read_u64_at("/proc/kpageflags", pfn));
}

/* Where the backend finds a ring: offset in the function's character device. */
struct ring_place {
	unsigned int queue;
	unsigned int area;
	uint64_t offset;
};

static bool find_ring(const char *function, unsigned int nr_vqs, uint64_t iova,
		      struct ring_place *p)
{
	static const uint32_t where[] = { VSP_REG_VQ_DESC, VSP_REG_VQ_DRIVER, VSP_REG_VQ_DEVICE };
	int fd = card_open(function, "registers", O_RDONLY);
	uint64_t page = sysconf(_SC_PAGESIZE), start, entries;
	bool found = false;

	for (p->queue = 0; p->queue < nr_vqs && !found; p->queue += !found) {
		entries = reg_read(fd, VSP_REG_VQ(p->queue) + VSP_REG_VQ_SIZE, 4);
		for (p->area = 0; p->area < ARRAY_SIZE(where) && !found; p->area += !found) {
			start = reg_read(fd, VSP_REG_VQ(p->queue) + where[p->area], 8);
			found = entries && iova >= start &&
				iova - start < vsp_ring_area_size(entries, p->area);
			p->offset = VSP_MMAP_RING(p->queue, p->area) + iova -
				    (start & ~(page - 1));
		}
	}
	close(fd);
	return found;
}

/* The card tells the entry; pagemap leaves out mappings by frame number. */
static void print_pte(const char *function, const struct ring_place *p, uint64_t va)
{
	static const char *const areas[] = { "descriptor", "driver", "device" };
	static struct card_state st;
	char text[256];

	printf("backend address: %#" PRIx64 ", %s area of queue %u\n", va, areas[p->area],
	       p->queue);
	if (ask(function, "pte", va, text, sizeof(text)))
		die("pte: %s", strerror(errno));
	card_parse_state(text, &st);
	printf("backend pte: %s\n", card_value(&st, "pte"));
}

/* The backend's mapping of the place, by its offset in /proc/PID/maps. */
static bool print_backend_mapping(const char *pid, const char *function,
				  const struct ring_place *p)
{
	char path[VSP_PATH_MAX], line[VSP_PATH_MAX], device[64];
	uint64_t start, end, offset;
	bool found = false;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%s/maps", pid);
	snprintf(device, sizeof(device), "/dev/vsp/%s\n", function);
	maps = fopen(path, "re");
	while (maps && !found && fgets(line, sizeof(line), maps)) {
		size_t n = strlen(line), d = strlen(device);

		if (n < d || strcmp(line + n - d, device) ||
		    sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %" SCNx64, &start, &end,
			   &offset) != 3)
			continue;
		found = p->offset >= offset && p->offset - offset < end - start;
		if (found)
			print_pte(function, p, start + (p->offset - offset));
	}
	if (maps)
		fclose(maps);
	return found;
}

static void print_backend(const char *function, uint64_t iova)
{
	static struct card_state st;
	struct ring_place p;
	const char *pid;

	card_read_state(function, "state", &st);
	pid = card_value(&st, "backend_pid");
	if (!*pid) {
		printf("backend: none\n");
		return;
	}
	printf("backend: %s (pid %s)\n", card_value(&st, "backend_comm"), pid);
	if (!find_ring(function, card_number(&st, "nr_vqs"), iova, &p))
		printf("backend address: none, the kernel copies buffers for it\n");
	else if (!print_backend_mapping(pid, function, &p))
		printf("backend address: none, it has not mapped this ring\n");
}

int cmd_translate(int argc, char **argv)
{
	static struct card_state st;
	const char *function = card_find(argv[1]);
	uint64_t iova = parse_number(argv[2], "IOVA");
	char text[4096];
	unsigned int i;

	(void)argc;
	if (ask(function, "translate", iova, text, sizeof(text)))
		die("translate: %s", strerror(errno));
	card_parse_state(text, &st);
	for (i = 0; i < st.nr; i++)
		printf("%s: %s\n", st.line[i].key, st.line[i].value);
	if (!*card_value(&st, "physical"))
		return VSP_EXIT_FAILED;
	print_host_page(card_number(&st, "physical"));
	print_backend(function, iova);
	return VSP_EXIT_OK;
}
