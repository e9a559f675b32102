// SPDX-License-Identifier: GPL-2.0-only
/*
 * vsp: the commands, their help, and how the program ends. 0: done; 1: could not
 * be done; 2: the command line is wrong.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vsp.h"

struct command {
	const char *name;
	const char *args;
	const char *help;
	int min_args, max_args;
	int (*run)(int argc, char **argv);
};

static const struct command commands[] = {
	{ "list", "[--json]",
	  "All functions of the card: driver, translation, IOMMU group, vDPA device,\n"
	  "virtio status, link, backend, queues and counters.\n", 0, 1, cmd_list },
	{ "rr", "FUNCTION [REGISTER | OFFSET[.8|.16|.32|.64]]",
	  "Read a register of BAR 4; without one, all that have a name. An offset is\n"
	  "read 32 bits wide if nothing else is said. vsp rr --names lists the names.\n",
	  1, 2, cmd_rr },
	{ "wr", "FUNCTION REGISTER|OFFSET[.8|.16|.32|.64] VALUE",
	  "Write a register of BAR 4, as a driver would. The device acts upon mailbox\n"
	  "and doorbells; its registers and statistics it writes anew.\n", 3, 3, cmd_wr },
	{ "translate", "FUNCTION IOVA",
	  "Where an address of the function leads: each level of the translation, the\n"
	  "page of this machine, and where the backend has it.\n", 2, 2, cmd_translate },
	{ "aer", "FUNCTION correctable|nonfatal|fatal [BITS]",
	  "Have the function (or the root port: \"port\") report an error. BITS are those\n"
	  "of the (un)correctable error status register.\n", 2, 3, cmd_aer },
	{ "unplug", "", "Pull the card out of its slot, without a warning.\n", 0, 0, cmd_slot },
	{ "plug", "", "Put the card back into its slot.\n", 0, 0, cmd_slot },
	{ "flr", "FUNCTION", "Function level reset, by the kernel.\n", 1, 1, cmd_flr },
	{ "link", "FUNCTION [up|down [MBITS]]",
	  "Show or set the link that the function reports to its driver. A backend may\n"
	  "set it again.\n", 1, 3, cmd_link },
	{ "msix", "FUNCTION", "Interrupt vectors and what became of what was raised.\n",
	  1, 1, cmd_msix },
};

static const struct command *current;

static void usage(FILE *out)
{
	unsigned int i;

	fprintf(out, "Usage: vsp COMMAND [ARGUMENT...]\n\n");
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(out, "  vsp %s %s\n", commands[i].name, commands[i].args);
	fprintf(out,
		"\nFUNCTION is a PCI address, 10000:01:00.1, or the end of one, 01:00.1 or 1,\n"
		"if only one function ends so; \"port\" is the root port.\n"
		"vsp COMMAND --help says more; the manual page is vsp(8).\n");
}

static void usage_command(FILE *out, const struct command *c)
{
	fprintf(out, "Usage: vsp %s %s\n", c->name, c->args);
	if (out == stdout)
		fprintf(out, "\n%s", c->help);
}

void die(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fputs("vsp: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(VSP_EXIT_FAILED);
}

void die_usage(const char *fmt, ...)
{
	va_list ap;

	fputs("vsp: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	if (current)
		usage_command(stderr, current);
	else
		fprintf(stderr, "vsp --help lists the commands\n");
	exit(VSP_EXIT_USAGE);
}

uint64_t parse_number(const char *text, const char *what)
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 0);
	if (errno || end == text || *end || *text == '-')
		die_usage("%s is no number: %s", what, text);
	return value;
}

static const struct command *find_command(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static bool is_help(const char *arg)
{
	return !strcmp(arg, "--help") || !strcmp(arg, "-h");
}

static int run_command(int argc, char **argv)
{
	int i;

	current = find_command(argv[0]);
	if (!current)
		die_usage("no command %s", argv[0]);
	for (i = 1; i < argc; i++) {
		if (!is_help(argv[i]))
			continue;
		usage_command(stdout, current);
		return VSP_EXIT_OK;
	}
	if (argc - 1 < current->min_args)
		die_usage("%s wants more arguments", argv[0]);
	if (argc - 1 > current->max_args)
		die_usage("%s wants fewer arguments", argv[0]);
	return current->run(argc, argv);
}

int main(int argc, char **argv)
{
	int ret;

	if (argc < 2) {
		usage(stderr);
		return VSP_EXIT_USAGE;
	}
	if (is_help(argv[1]) || !strcmp(argv[1], "help")) {
		usage(stdout);
		return VSP_EXIT_OK;
	}
	ret = run_command(argc - 1, argv + 1);
	/* A full disk behind a redirection is a failure too. */
	if (fflush(stdout))
		die("standard output: %s", strerror(errno));
	return ret;
}
