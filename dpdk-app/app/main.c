/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * vsp-switch: start, stop, exit status. 0: stopped by SIGINT or SIGTERM (or
 * help was asked for); 1: did not start; 2: the command line is wrong.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_errno.h>

#include "switch.h"

#define EXIT_USAGE	2

static volatile sig_atomic_t main_stop;

static void main_on_signal(int signal)
{
	(void)signal;
	main_stop = 1;
}

static void main_catch_signals(void)
{
	struct sigaction action = { .sa_handler = main_on_signal };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	/* A reader of the statistics that goes away is no reason to stop. */
	signal(SIGPIPE, SIG_IGN);
}

static int main_switch(const struct options *options)
{
	struct sw sw = { .options = *options };

	main_catch_signals();
	if (switch_init(&sw))
		return 1;
	if (telemetry_start(&sw))
		SWITCH_LOG(WARNING, "no telemetry\n");

	fprintf(stderr, "vsp-switch: forwarding between %u port%s\n", sw.nr_ports,
		sw.nr_ports == 1 ? "" : "s");
	switch_run(&sw, &main_stop);

	telemetry_stop();
	stats_final(&sw, stdout);
	switch_fini(&sw);
	return 0;
}

int main(int argc, char **argv)
{
	struct options options;
	int ret;

	ret = options_parse(argc, argv, &options);
	if (ret)
		return ret == OPTIONS_DONE ? 0 : EXIT_USAGE;

	rte_set_application_usage_hook(options_usage_print);
	if (rte_eal_init(options_eal_argc(argc, argv), argv) < 0) {
		fprintf(stderr, "vsp-switch: EAL did not start: %s\n",
			rte_strerror(rte_errno));
		return 1;
	}
	ret = main_switch(&options);
	rte_eal_cleanup();
	return ret;
}
