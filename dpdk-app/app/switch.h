/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * The switch: its ports, its forwarding database and the options it was started
 * with; prototypes grouped by the file that defines them.
 */
#ifndef SWITCH_H
#define SWITCH_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <rte_log.h>
#include <rte_mempool.h>

#include "fdb.h"
#include "port.h"

#define SWITCH_MAX_PORTS	256
#define SWITCH_FDB_ENTRIES	16384
#define SWITCH_AGEING_S		300
/* 9216 bytes of MTU, an Ethernet header and two VLAN tags. */
#define SWITCH_MAX_FRAME	9238

extern int switch_logtype;
#define SWITCH_LOG(level, ...) \
	rte_log(RTE_LOG_ ## level, switch_logtype, "vsp-switch: " __VA_ARGS__)

struct options {
	const char *ports[SWITCH_MAX_PORTS];	/* as given; argv owns them */
	unsigned int nr_ports;
	uint32_t max_frame;
	uint32_t stats_s;		/* interval of the live view, 0: none */
	bool json;
};

struct sw {
	struct port *ports;
	unsigned int nr_ports;
	struct fdb *fdb;
	struct rte_mempool *pool;
	uint32_t now_s;			/* since start; moves in switch_run() */
	uint64_t hz;
	uint64_t start;			/* TSC */
	struct options options;
};

/* options.c */

/* Returned by options_parse() when --help or --version was answered. */
#define OPTIONS_DONE	1

/**
 * options_parse() - read the part of the command line behind "--"
 * @argc: all arguments, also those of EAL
 * @argv: the same
 * @o:    out
 *
 * Prints a line to stderr for whatever is wrong.
 *
 * Return: 0, OPTIONS_DONE, or -EINVAL.
 */
int options_parse(int argc, char **argv, struct options *o);

/** options_eal_argc() - how many of @argv are for EAL: those before "--" */
int options_eal_argc(int argc, char **argv);

/** options_is_eth() - "eth:NAME": NAME; anything else: NULL */
const char *options_is_eth(const char *spec);

/** options_usage_print() - our part of the help, for EAL's --help */
void options_usage_print(const char *program);

/* switch.c */

/**
 * switch_init() - open all ports
 * @sw: zeroed, with options set
 *
 * After rte_eal_init(), on the main lcore. Says on stderr what is wrong.
 *
 * Return: 0, or a negative errno; then everything is undone.
 */
int switch_init(struct sw *sw);

/** switch_fini() - close all ports and free everything */
void switch_fini(struct sw *sw);

/** switch_run() - forward until *@stop is set */
void switch_run(struct sw *sw, volatile sig_atomic_t *stop);

/* stats.c */

/** stats_live() - the view of --stats, @elapsed_s after the last one */
void stats_live(struct sw *sw, FILE *out, double elapsed_s);

/** stats_final() - the table at the end */
void stats_final(const struct sw *sw, FILE *out);

/* telemetry.c */

/** telemetry_start() - answer /vsp/ports and /vsp/fdb; @sw until telemetry_stop() */
int telemetry_start(const struct sw *sw);

/** telemetry_stop() - on return no answer is under way and none will come */
void telemetry_stop(void);

#endif /* SWITCH_H */
