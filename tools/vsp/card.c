// SPDX-License-Identifier: GPL-2.0-only
/*
 * The card as seen in debugfs and sysfs: which functions there are, how one is
 * named on a command line, and their files of text.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vsp.h"

#define STATE_SIZE	16384

int read_text(const char *path, char *buf, size_t size)
{
	size_t used = 0;
	ssize_t n = 1;
	int fd, err;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	while (used < size - 1 && n > 0) {
		n = read(fd, buf + used, size - 1 - used);
		if (n > 0)
			used += n;
	}
	err = errno;
	close(fd);
	buf[used] = '\0';
	errno = err;
	return n < 0 ? -1 : 0;
}

int write_text(const char *path, const char *text)
{
	size_t len = strlen(text);
	int fd, ret, err;

	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	ret = write(fd, text, len) == (ssize_t)len ? 0 : -1;
	err = errno;
	close(fd);
	errno = err;
	return ret;
}

void read_link_name(const char *path, char *buf, size_t size)
{
	char target[VSP_PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	const char *slash;

	target[n < 0 ? 0 : n] = '\0';
	slash = strrchr(target, '/');
	snprintf(buf, size, "%s", slash ? slash + 1 : target);
}

static bool module_is_loaded(void)
{
	return !access("/sys/module/vsp_hw", F_OK);
}

void card_need(void)
{
	if (geteuid())
		die("only root can look at the card");
	if (!access(VSP_DEBUGFS, F_OK))
		return;
	if (!module_is_loaded())
		die("the module vsp_hw is not loaded; modprobe vdpa_sim_pcie loads it");
	die("there is no " VSP_DEBUGFS "; mount -t debugfs debugfs /sys/kernel/debug");
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

void card_names(struct card_names *names)
{
	DIR *dir = opendir(VSP_DEBUGFS);
	struct dirent *e;

	names->nr = 0;
	if (!dir)
		die(VSP_DEBUGFS ": %s", strerror(errno));
	while ((e = readdir(dir)) && names->nr < VSP_MAX_NAMES) {
		/* Those that have an address for a name. */
		if (!strchr(e->d_name, ':') || strlen(e->d_name) >= VSP_NAME_MAX)
			continue;
		strcpy(names->name[names->nr++], e->d_name);
	}
	closedir(dir);
	qsort(names->name, names->nr, sizeof(names->name[0]), compare_names);
}

/* The card is on bus 1, the root port on bus 0 of the same domain. */
bool card_is_port(const char *name)
{
	const char *colon = strchr(name, ':');

	return colon && !strncmp(colon, ":00:", 4);
}

/* "1" is the end of 10000:01:00.1 and of 10000:01:00.11, but not of ...0.21. */
static bool name_matches(const char *name, const char *text)
{
	size_t n = strlen(name), t = strlen(text);

	if (!strcmp(text, "port"))
		return card_is_port(name);
	if (!t || t > n || strcmp(name + n - t, text))
		return false;
	return t == n || name[n - t - 1] == ':' || name[n - t - 1] == '.';
}

static void die_with_names(const struct card_names *names, const char *text, bool is_many)
{
	char list[VSP_MAX_NAMES * VSP_NAME_MAX] = "";
	unsigned int i;

	for (i = 0; i < names->nr; i++) {
		if (is_many && !name_matches(names->name[i], text))
			continue;
		strcat(list, " ");
		strcat(list, names->name[i]);
	}
	if (is_many)
		die("%s can be one of%s", text, list);
	die("no function %s; there %s%s", text, names->nr ? "are" : "is none", list);
}

const char *card_find(const char *text)
{
	static struct card_names names;
	const char *found = NULL, *port = NULL;
	unsigned int i, nr = 0;

	card_need();
	card_names(&names);
	for (i = 0; i < names.nr; i++) {
		if (!name_matches(names.name[i], text))
			continue;
		if (card_is_port(names.name[i])) {
			port = names.name[i];
			continue;
		}
		found = names.name[i];
		nr++;
	}
	/* "0" means the card's, not its port's. */
	if (!found)
		found = port;
	if (!found || nr > 1)
		die_with_names(&names, text, nr > 1);
	return found;
}

static void card_path(char *path, const char *name, const char *file)
{
	if (name)
		snprintf(path, VSP_PATH_MAX, VSP_DEBUGFS "/%s/%s", name, file);
	else
		snprintf(path, VSP_PATH_MAX, VSP_DEBUGFS "/%s", file);
}

/* Why a file of debugfs could not be used, in words if there is more to say. */
static const char *card_error(int err)
{
	switch (err) {
	case ENOENT:
		return "not there: the root port has no such thing, or the function has left";
	case ENODEV:
		return "the function has left the bus";
	case ENXIO:
		return "the function does not answer";
	case EPERM:
		return "Operation not permitted (is the kernel locked down?)";
	default:
		return strerror(err);
	}
}

int card_open(const char *name, const char *file, int flags)
{
	char path[VSP_PATH_MAX];
	int fd;

	card_path(path, name, file);
	fd = open(path, flags | O_CLOEXEC);
	if (fd < 0)
		die("%s: %s", path, card_error(errno));
	return fd;
}

int card_write(const char *name, const char *file, const char *text)
{
	char path[VSP_PATH_MAX];

	card_path(path, name, file);
	return write_text(path, text);
}

void card_parse_state(char *text, struct card_state *st)
{
	char *line, *value, *save = NULL;

	st->nr = 0;
	for (line = strtok_r(text, "\n", &save); line && st->nr < VSP_MAX_KEYS;
	     line = strtok_r(NULL, "\n", &save)) {
		value = strstr(line, ": ");
		if (!value)
			continue;
		*value = '\0';
		snprintf(st->line[st->nr].key, sizeof(st->line[0].key), "%s", line);
		snprintf(st->line[st->nr].value, sizeof(st->line[0].value), "%s", value + 2);
		st->nr++;
	}
}

int card_try_state(const char *name, struct card_state *st)
{
	char path[VSP_PATH_MAX], text[STATE_SIZE];

	card_path(path, name, "state");
	if (read_text(path, text, sizeof(text)))
		return -1;
	card_parse_state(text, st);
	return 0;
}

void card_read_state(const char *name, const char *file, struct card_state *st)
{
	char path[VSP_PATH_MAX], text[STATE_SIZE];

	card_path(path, name, file);
	if (read_text(path, text, sizeof(text)))
		die("%s: %s", path, card_error(errno));
	card_parse_state(text, st);
}

/* "" if there is no such line. */
const char *card_value(const struct card_state *st, const char *key)
{
	unsigned int i;

	for (i = 0; i < st->nr; i++)
		if (!strcmp(st->line[i].key, key))
			return st->line[i].value;
	return "";
}

uint64_t card_number(const struct card_state *st, const char *key)
{
	return strtoull(card_value(st, key), NULL, 0);
}
