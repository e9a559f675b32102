// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Runs a fuzz harness over files and folders, without libFuzzer, so that any
 * compiler can replay a corpus or a crash. Each input is a heap block of its
 * exact size.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned int nr_files;

static int replay_file(const char *path, size_t size)
{
	uint8_t *data = malloc(size ? size : 1);
	FILE *f = fopen(path, "rb");
	int ret = -1;

	if (data && f && fread(data, 1, size, f) == size) {
		/* Named first: a crash below leaves it as the last line. */
		if (getenv("VERBOSE"))
			fprintf(stderr, "%s\n", path);
		LLVMFuzzerTestOneInput(data, size);
		nr_files++;
		ret = 0;
	} else {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
	}
	if (f)
		fclose(f);
	free(data);
	return ret;
}

static int replay(const char *path);

static int replay_folder(const char *path)
{
	char name[4096];
	struct dirent *e;
	DIR *d = opendir(path);
	int ret = 0;

	if (!d) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return -1;
	}
	while (!ret && (e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, e->d_name);
		ret = replay(name);
	}
	closedir(d);
	return ret;
}

static int replay(const char *path)
{
	struct stat st;

	if (stat(path, &st)) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return -1;
	}
	if (S_ISDIR(st.st_mode))
		return replay_folder(path);
	return replay_file(path, (size_t)st.st_size);
}

int main(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (replay(argv[i]))
			return 1;
	printf("%s: %u inputs replayed\n", argv[0], nr_files);
	/* An empty corpus would pass without having tried anything. */
	return nr_files ? 0 : 1;
}
