/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Memory that the library shares with a driver, watched. Every area is kept
 * twice: as the library sees it, and as it must be. During a call of the library
 * each word that it reads is noted with the value it got, so that the oracle can
 * judge by what was seen however often the driver rewrote it meanwhile; and what
 * the library may not change is found changed.
 */
#ifndef FUZZ_VIEW_H
#define FUZZ_VIEW_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Says what does not hold, and ends. */
void check_failed(const char *what, const char *file, int line)
	__attribute__((noreturn));
#define CHECK(x)	do {						\
	if (__builtin_expect(!(x), 0))					\
		check_failed(#x, __FILE__, __LINE__);			\
} while (0)

/* Both are heap blocks of the exact size: a byte beyond is the sanitizer's. */
struct area {
	uint8_t *live;		/* what the library works on */
	uint8_t *want;		/* what has to be in it after each call */
	size_t size;
	void *block;		/* that live lies in */
	uint8_t *given;		/* view_saw_all()'s, zero between its calls */
};

/* @skew: bytes by which the area misses the alignment of 16. */
void area_init(struct area *a, size_t size, unsigned int skew);
void area_fini(struct area *a);
/* The driver writes. */
void area_poke(struct area *a, size_t off, const void *p, size_t len);
/* The library is about to write this. */
void area_expect(struct area *a, size_t off, const void *p, size_t len);
/* The library was free to write here. */
void area_accept(struct area *a, size_t off, size_t len);

/* Between begin and end the library runs. */
struct view_config {
	struct area *areas;
	unsigned int nr;
	/* Xored into every byte right after it has been read, until the end; or 0. */
	uint8_t clobber;
	bool calm;		/* late pokes wait for the next view */
	/* Before each releasing store into an area. */
	void (*release)(void *opaque, const volatile void *p);
	void *opaque;
};

void view_begin(const struct view_config *cfg);
/* Everything is as it must be again, or this traps. */
void view_end(void);

/*
 * The driver changes up to 8 bytes when the library has read @after more words.
 * Only between begin and end, or waiting for the next.
 */
void view_poke_later(struct area *a, size_t off, const void *p, size_t len,
		     unsigned int after);
void view_forget_pokes(void);
/* Something has been changed since view_begin(), or is about to be. */
bool view_is_changing(void);

/*
 * What the library saw there, first look first: each look is given out once. False
 * if it has not looked at all of these bytes (so often). @copied: when it made a
 * copy of more than a word, else when it looked at words.
 */
bool view_saw(const void *p, void *dst, size_t len, bool copied);
/* No word was looked at again that view_saw() has given out; copies do not count. */
bool view_saw_all(void);
/* What view_saw() has just given out was looked at after the last store. */
bool view_saw_after_store(void);
/*
 * The process dies right before the @after-th store from now on that is one of the
 * library's WRITE_ONCE() or smp_store_release(), wherever it goes: back to *@to.
 * The view is then ended, and all areas are as they have been left.
 */
void view_die(jmp_buf *to, unsigned int after);
/* It did not: the view is ended in the same way. */
void view_survive(void);
/* The driver rewrites all that it can, until the end. */
void view_clobber_all(void);

#endif /* FUZZ_VIEW_H */
