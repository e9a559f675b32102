/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Statistics for people (a table) and for programs (one JSON object per line).
 */
#include <inttypes.h>
#include <unistd.h>

#include <rte_cycles.h>

#include "switch.h"

static const char stats_clear_screen[] = "\033[H\033[2J";

static unsigned int stats_fdb_count(const struct sw *sw)
{
	struct fdb_entry entry;
	unsigned int nr = 0;
	uint32_t pos = 0;

	while (fdb_next(sw->fdb, &pos, sw->now_s, &entry))
		nr++;
	return nr;
}

static void stats_json_port(const struct port *port, FILE *out, double elapsed_s)
{
	const struct port_counters *c = &port->total;
	const struct port_counters *before = &port->shown;

	fprintf(out, "{\"name\":\"%s\",\"kind\":\"%s\",\"up\":%s",
		port->name, port->ops->kind, port->up ? "true" : "false");
	if (port->way)
		fprintf(out, ",\"way\":\"%s\"", port->way);
	fprintf(out, ",\"rx_packets\":%" PRIu64 ",\"rx_bytes\":%" PRIu64
		",\"rx_drops\":%" PRIu64,
		c->rx_packets, c->rx_bytes, c->rx_drops);
	fprintf(out, ",\"tx_packets\":%" PRIu64 ",\"tx_bytes\":%" PRIu64
		",\"tx_drops\":%" PRIu64,
		c->tx_packets, c->tx_bytes, c->tx_drops);
	fprintf(out, ",\"flooded\":%" PRIu64 ",\"filtered\":%" PRIu64,
		c->flooded, c->filtered);
	if (elapsed_s > 0)
		fprintf(out, ",\"rx_pps\":%.0f,\"rx_bps\":%.0f,\"tx_pps\":%.0f,\"tx_bps\":%.0f",
			(c->rx_packets - before->rx_packets) / elapsed_s,
			(c->rx_bytes - before->rx_bytes) * 8 / elapsed_s,
			(c->tx_packets - before->tx_packets) / elapsed_s,
			(c->tx_bytes - before->tx_bytes) * 8 / elapsed_s);
	fputc('}', out);
}

/* @elapsed_s 0: no rates. Names need no escapes: options.c sees to that. */
static void stats_json(const struct sw *sw, FILE *out, const char *kind,
		       double elapsed_s)
{
	unsigned int i;

	fprintf(out, "{\"stats\":\"%s\",\"uptime_s\":%" PRIu32
		",\"fdb_entries\":%u,\"fdb_unlearnt\":%" PRIu64 ",\"ports\":[",
		kind, sw->now_s, stats_fdb_count(sw), fdb_unlearnt(sw->fdb));
	for (i = 0; i < sw->nr_ports; i++) {
		if (i)
			fputc(',', out);
		stats_json_port(&sw->ports[i], out, elapsed_s);
	}
	fputs("]}\n", out);
	fflush(out);
}

static void stats_table(const struct sw *sw, FILE *out)
{
	unsigned int i;

	fprintf(out, "%-20s %-4s %12s %14s %9s %12s %14s %9s\n", "port", "link",
		"rx packets", "rx bytes", "rx drops", "tx packets", "tx bytes",
		"tx drops");
	for (i = 0; i < sw->nr_ports; i++) {
		const struct port *port = &sw->ports[i];
		const struct port_counters *c = &port->total;

		fprintf(out, "%-20s %-4s %12" PRIu64 " %14" PRIu64 " %9" PRIu64
			" %12" PRIu64 " %14" PRIu64 " %9" PRIu64 "\n",
			port->name, port->up ? "up" : "down", c->rx_packets,
			c->rx_bytes, c->rx_drops, c->tx_packets, c->tx_bytes,
			c->tx_drops);
	}
}

static void stats_rates(const struct sw *sw, FILE *out, double elapsed_s)
{
	unsigned int i;

	fprintf(out, "%-20s %12s %12s %12s %12s\n", "per second", "rx packets",
		"rx Mbit", "tx packets", "tx Mbit");
	for (i = 0; i < sw->nr_ports; i++) {
		const struct port_counters *c = &sw->ports[i].total;
		const struct port_counters *before = &sw->ports[i].shown;

		fprintf(out, "%-20s %12.0f %12.2f %12.0f %12.2f\n",
			sw->ports[i].name,
			(c->rx_packets - before->rx_packets) / elapsed_s,
			(c->rx_bytes - before->rx_bytes) * 8e-6 / elapsed_s,
			(c->tx_packets - before->tx_packets) / elapsed_s,
			(c->tx_bytes - before->tx_bytes) * 8e-6 / elapsed_s);
	}
}

void stats_live(struct sw *sw, FILE *out, double elapsed_s)
{
	unsigned int i;

	if (sw->options.json) {
		stats_json(sw, out, "interval", elapsed_s);
	} else {
		if (isatty(fileno(out)))
			fputs(stats_clear_screen, out);
		fprintf(out, "vsp-switch, %" PRIu32 " s, %u stations\n", sw->now_s,
			stats_fdb_count(sw));
		stats_table(sw, out);
		stats_rates(sw, out, elapsed_s);
		fputc('\n', out);
		fflush(out);
	}
	for (i = 0; i < sw->nr_ports; i++)
		sw->ports[i].shown = sw->ports[i].total;
}

void stats_final(const struct sw *sw, FILE *out)
{
	if (sw->options.json) {
		stats_json(sw, out, "final", 0);
		return;
	}
	stats_table(sw, out);
	fflush(out);
}
