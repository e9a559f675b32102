/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * DPDK telemetry: /vsp/ports and /vsp/fdb. Answers are given by a thread of EAL
 * while the switch runs. It reads counters and table entries that change under
 * it, each in one piece; the lock only keeps the switch from being freed.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_telemetry.h>
#include <rte_version.h>

#include "switch.h"

/*
 * An answer has room for 16 KiB and cuts what is longer. The parameter of both
 * commands is the number of the first line wanted.
 */
#define TELEMETRY_MAX_PORTS	40
#define TELEMETRY_MAX_STATIONS	200

/* Protects telemetry_sw, and what it points to while a callback runs. */
static pthread_mutex_t telemetry_lock = PTHREAD_MUTEX_INITIALIZER;
static const struct sw *telemetry_sw;

/* One name for two: DPDK 23.03 renamed it. */
static void telemetry_add(struct rte_tel_data *dict, const char *name, uint64_t value)
{
#if RTE_VERSION >= RTE_VERSION_NUM(23, 3, 0, 0)
	rte_tel_data_add_dict_uint(dict, name, value);
#else
	rte_tel_data_add_dict_u64(dict, name, value);
#endif
}

static unsigned int telemetry_first(const char *params)
{
	return params ? (unsigned int)strtoul(params, NULL, 10) : 0;
}

static void telemetry_add_port(struct rte_tel_data *dict, const struct port *port)
{
	const struct port_counters *c = &port->total;

	rte_tel_data_add_dict_string(dict, "name", port->name);
	rte_tel_data_add_dict_string(dict, "kind", port->ops->kind);
	rte_tel_data_add_dict_string(dict, "link", port->up ? "up" : "down");
	if (port->way)
		rte_tel_data_add_dict_string(dict, "way", port->way);
	telemetry_add(dict, "rx_packets", c->rx_packets);
	telemetry_add(dict, "rx_bytes", c->rx_bytes);
	telemetry_add(dict, "rx_drops", c->rx_drops);
	telemetry_add(dict, "tx_packets", c->tx_packets);
	telemetry_add(dict, "tx_bytes", c->tx_bytes);
	telemetry_add(dict, "tx_drops", c->tx_drops);
	telemetry_add(dict, "flooded", c->flooded);
	telemetry_add(dict, "filtered", c->filtered);
}

static int telemetry_ports(const char *cmd, const char *params,
			   struct rte_tel_data *d)
{
	const unsigned int first = telemetry_first(params);
	unsigned int i;

	(void)cmd;
	rte_tel_data_start_array(d, RTE_TEL_CONTAINER);
	pthread_mutex_lock(&telemetry_lock);
	for (i = first; telemetry_sw && i < telemetry_sw->nr_ports; i++) {
		struct rte_tel_data *dict;

		dict = i - first < TELEMETRY_MAX_PORTS ? rte_tel_data_alloc() : NULL;
		if (!dict)
			break;
		rte_tel_data_start_dict(dict);
		telemetry_add_port(dict, &telemetry_sw->ports[i]);
		rte_tel_data_add_array_container(d, dict, 0);
	}
	pthread_mutex_unlock(&telemetry_lock);
	return 0;
}

static int telemetry_add_station(struct rte_tel_data *d, const struct fdb_entry *e)
{
	struct rte_tel_data *dict = rte_tel_data_alloc();
	char mac[3 * FDB_MAC_LEN];

	if (!dict)
		return -ENOMEM;
	snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", e->mac[0],
		 e->mac[1], e->mac[2], e->mac[3], e->mac[4], e->mac[5]);
	rte_tel_data_start_dict(dict);
	rte_tel_data_add_dict_string(dict, "mac", mac);
	rte_tel_data_add_dict_string(dict, "port",
				     telemetry_sw->ports[e->port].name);
	telemetry_add(dict, "age_s", e->age_s);
	rte_tel_data_add_array_container(d, dict, 0);
	return 0;
}

static int telemetry_fdb(const char *cmd, const char *params, struct rte_tel_data *d)
{
	unsigned int skip = telemetry_first(params);
	struct fdb_entry entry;
	unsigned int nr = 0;
	uint32_t pos = 0;

	(void)cmd;
	rte_tel_data_start_array(d, RTE_TEL_CONTAINER);
	pthread_mutex_lock(&telemetry_lock);
	while (telemetry_sw && nr < TELEMETRY_MAX_STATIONS &&
	       fdb_next(telemetry_sw->fdb, &pos, telemetry_sw->now_s, &entry)) {
		if (skip) {
			skip--;
			continue;
		}
		if (telemetry_add_station(d, &entry))
			break;
		nr++;
	}
	pthread_mutex_unlock(&telemetry_lock);
	return 0;
}

int telemetry_start(const struct sw *sw)
{
	int ret;

	telemetry_sw = sw;
	ret = rte_telemetry_register_cmd("/vsp/ports", telemetry_ports,
					 "Ports of the switch with their counters. Parameter: first port");
	if (ret)
		return ret;
	return rte_telemetry_register_cmd("/vsp/fdb", telemetry_fdb,
					  "Stations and their ports. Parameter: first station");
}

void telemetry_stop(void)
{
	pthread_mutex_lock(&telemetry_lock);
	telemetry_sw = NULL;
	pthread_mutex_unlock(&telemetry_lock);
}
