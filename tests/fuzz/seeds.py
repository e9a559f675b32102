#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
"""Write the hand-made inputs of ring_fuzz: what works, and rings that break one
rule only.

Random bytes break many rules at once, so a check that has gone missing would
hide behind the next one. The bytes are those of ring_fuzz.c. Usage: seeds.py FOLDER
"""
import pathlib
import struct
import sys

SPLIT, PACKED, BOTH = 0, 1, 2
INDIRECT, EVENT_IDX, IN_ORDER, FETCH, WINDOW, SMALL = 4, 8, 16, 32, 64, 128
# enum spoil of driver.h
INDIRECT_NEXT, TABLE_LEN, LOOP, NEXT, HEAD, NESTED, ENTRY_NEXT, OWNER = range(1, 9)
# the low bits of what is wrong with a descriptor
ZERO, HUGE, TOP, FLAGS = 4, 5, 6, 7
# an address: range 1 of two, at so many times 4 bytes
DATA = [1 + 2 * i for i in range(64)]
RANGES = ((0, 64), (1, 250))


def begin(flags, num=0x0b, start=0, ranges=RANGES, clobber=0x11, iova=None, small=None,
          top=False, log=False):
    """The virtqueue and its memory."""
    misc = (len(ranges) - 2) << 6 if not flags & WINDOW else 0
    misc |= (1 if log else 0) | (0x10 if clobber else 0) | (0x20 if iova is not None else 0)
    out = bytes([flags | (SMALL if small else 0), num | (0x80 if top else 0), misc])
    out += bytes([clobber] if clobber else []) + bytes([iova] if iova is not None else [])
    out += struct.pack("<H", start) + bytes([small] if small else [])
    return out + b"".join(bytes(r) for r in ranges)


def desc(where=0, length=59, wrong=0, arg=0):
    """12 bytes and more at DATA[where]."""
    return bytes([wrong | arg << 4, DATA[where % 64], length])


def post(descs, nr_out=1, table=None, spoil=0, arg=0, entries=0, direct=0, publish=1):
    """A chain; with @table at that place, or with one direct descriptor first."""
    how = 0x80 * publish | (0x40 if table is not None else 0)
    what = len(descs) - 1 | nr_out << 4 | (0x80 if direct else 0)
    out = bytes([how, what, spoil]) + (struct.pack("<H", arg) if spoil else b"")
    return out + (bytes([entries, table]) if table is not None else b"") + b"".join(descs)


def publish(more=None):
    return bytes([3]) if more is None else struct.pack("<BH", 0x43, more)


def peek(n=8):
    return bytes([4 | n << 4])


def consume(n):
    return bytes([5 | n << 4])


def push(n, order=(), length=4):
    return bytes([6 | n << 4]) + bytes(list(order) + [0] * (n - len(order))) + bytes([length])


def push_in_order(n, length=4):
    return bytes([7 | n << 4, length])


def call(after=0, flags=0):
    return bytes([0x88, after, flags])


def poke(area, off, data, later=None):
    out = bytes([10 if later is None else 11, area, len(data) - 1]) + struct.pack("<H", off)
    return out + data + (bytes([later]) if later is not None else b"")


def copy(off, length, chain=0, write=False, pieces=False):
    return struct.pack("<BHHB", 12 | 0x40 * write | 0x70 * pieces | 0x80, off, length, chain)


CALL, KICK, NO_KICK, TURN, RESET = bytes([8, 0, 0]), bytes([9]), bytes([0x89]), bytes([0x0d]), bytes([14])
COUNT, MOVE, REWIND = bytes([0x4e]), bytes([0x6e]) + bytes(4), bytes([0x7e]) + bytes(4)


def die(n=0, after=0, pushing=False, taking=False):
    """With a log."""
    return bytes([0xee if pushing else 0x7e if taking else 0x6e, n, after])


def set_state(last_avail, used_idx):
    return bytes([0xee]) + struct.pack("<2H", last_avail, used_idx)


def toggle(which):
    return bytes([0x1e, which])


ONE = post([desc()])
CHAIN = post([desc(0, 11), desc(8, 99), desc(40, 199)], 2)
TABLE = post([desc(0, 11), desc(8, 99)], 1, table=0)
ALL = ONE + CHAIN + TABLE + post([desc(3)], 0)


def common(kind):
    """Inputs that mean the same to both kinds of ring."""
    yield "one", begin(kind) + ONE + peek() + consume(1) + push(1) + call() + KICK
    yield "all", begin(kind | INDIRECT) + ALL + peek() + consume(4) + push(4) + call()
    yield "fetch", begin(kind | INDIRECT | FETCH) + ALL + peek(15) + b"\1" + ALL + TURN
    yield "window", begin(kind | INDIRECT | WINDOW, ranges=((0, 255),)) + ALL + TURN + COUNT
    yield "again", begin(kind | INDIRECT) + (ALL + TURN + call(2, 2) + KICK) * 4 + NO_KICK
    yield "events", begin(kind | EVENT_IDX) + (ONE * 3 + TURN + call(1, 2) + KICK) * 4 + KICK
    yield "events-exact", begin(kind | EVENT_IDX) + call() + b"".join(
        call(after, 2) + ONE * 2 + TURN + CALL for after in range(4))
    yield "order", begin(kind) + ONE + CHAIN + ONE + peek() + consume(3) + push(3, (2, 1)) + call()
    yield "in-order", begin(kind | IN_ORDER) + (ONE * 3 + peek() + consume(3) + push_in_order(3)) * 4
    yield "in-order-one", begin(kind | IN_ORDER) + (ONE * 2 + peek() + consume(2) + push(2)) * 4
    yield "some", begin(kind) + ONE * 4 + peek(2) + consume(1) + peek(2) + consume(2) + push(2) + COUNT
    yield "moved", begin(kind) + ONE * 4 + peek(2) + consume(2) + push(1) + MOVE + TURN + ONE + TURN
    yield "rewound", begin(kind) + ONE * 4 + peek() + REWIND + TURN + push(1) + REWIND + TURN
    yield "reset", begin(kind) + ONE * 2 + peek() + consume(1) + RESET + ONE + TURN
    yield "late-start", begin(kind, start=0xfffe) + (ONE * 3 + TURN + call(0, 2)) * 3
    yield "log", begin(kind | INDIRECT, log=True) + ALL + peek() + consume(3) + push(1, (1,)) + die() + TURN * 2
    yield "log-moved", begin(kind, log=True) + (
        ONE * 3 + CHAIN + peek() + consume(3) + die() + peek(2) + consume(1) + die() + TURN * 2) * 2
    yield "copied", begin(kind) + CHAIN + peek() + copy(3, 100) + copy(1, 150, write=True)
    yield "pieces", begin(kind | INDIRECT) + TABLE + CHAIN + peek() + copy(0, 9, 0, pieces=True)
    near = ((0, 5), (0, 30), (0, 40), (1, 50))
    yield "neighbours", (begin(kind | INDIRECT, ranges=near) + post([desc(0, 200, 0)] * 2, 1, table=0) +
                         ONE + peek() + copy(0, 190, 1) + copy(0, 100, 0, write=True))
    yield "hole", begin(kind | INDIRECT) + ONE + TABLE + toggle(0) + peek() + toggle(0) + peek()
    both_ways = ONE + post([desc()], 0) + peek() + copy(0, 20) + copy(0, 20, 1, write=True)
    yield "read-only", begin(kind, ranges=((0, 64), (0x81, 250))) + both_ways
    yield "write-only", begin(kind, ranges=((0, 64), (0xc1, 250))) + both_ways
    yield "table-write-only", begin(kind | INDIRECT, ranges=((0xc0, 64), (1, 250))) + TABLE + ONE + TURN
    yield "no-data", begin(kind) + ONE + toggle(1) + peek() + copy(0, 20) + toggle(1) + copy(0, 20)
    yield "half-mapped", (begin(kind) + post([desc(), desc(2, 255, 8)], 2) + post([desc(), desc(2, 255, 8)], 0) +
                          peek() + copy(0, 2000) + copy(0, 2000, 1, write=True) + copy(0, 9, 0, pieces=True))
    yield "long", (begin(kind | INDIRECT, ranges=((0, 255), (1, 250))) +
                   post([desc(0, 1)] * 4, 4, table=0, entries=250) + TURN)
    yield "too-long", (begin(kind | INDIRECT, ranges=((0, 255), (1, 250))) +
                       post([desc(0, 1)] * 4, 4, table=0, entries=251) + TURN)
    yield "small", begin(kind | INDIRECT, small=0x0b) + ALL + TURN + TURN + TURN
    yield "small-table", begin(kind | INDIRECT | FETCH, small=0x5b) + ALL + TURN + TURN
    yield "top", begin(kind, top=True) + post([desc(60, 255, 0)]) + TURN
    yield "bad-zero", begin(kind) + ONE + post([desc(), desc(1, 9, ZERO)], 2) + TURN + peek()
    yield "bad-zero-one", begin(kind) + post([desc(0, 9, ZERO)]) + peek()
    yield "bad-bytes", begin(kind) + post([desc(0, 0, HUGE), desc()], 2) + peek()
    yield "bad-bytes-both", begin(kind) + post([desc(0, 0, HUGE), desc()], 1) + peek()
    yield "bad-wrap", begin(kind) + post([desc(2, 20, TOP)]) + peek()
    yield "bad-wrap-chain", begin(kind) + post([desc(), desc(2, 20, TOP)], 2) + peek()
    yield "bad-iova", begin(kind, iova=12) + post([desc(0, 5)]) + TURN + post([desc(60, 99)]) + peek()
    yield "bad-iova-chain", begin(kind, iova=12) + post([desc(0, 5), desc(60, 99)], 2) + peek()
    yield "bad-order", begin(kind) + post([desc(), desc(3), desc(5, 9, FLAGS, 2)], 1) + peek()
    yield "bad-indirect-off", begin(kind) + ONE + TABLE + TURN + peek()
    yield "bad-indirect-next", begin(kind | INDIRECT) + post([desc()], 1, 0, INDIRECT_NEXT) + peek()
    yield "bad-indirect-len", begin(kind | INDIRECT) + post([desc()] * 2, 1, 0, TABLE_LEN, 7) + peek()
    yield "bad-table-zero", begin(kind | INDIRECT) + post([desc(), desc(1, 9, ZERO)], 2, 0) + peek()
    yield "bad-table-wrap", begin(kind | INDIRECT) + post([desc(), desc(1, 9, TOP)], 2, 0) + peek()
    yield "bad-table-order", begin(kind | INDIRECT) + post([desc()] * 2 + [desc(5, 9, FLAGS, 2)], 1, 0) + peek()
    yield "bad-table-bytes-both", begin(kind | INDIRECT) + post([desc(0, 0, HUGE), desc()], 1, 0) + peek()
    yield "bad-table-bytes", begin(kind | INDIRECT) + post([desc(0, 0, HUGE), desc()], 2, 0) + peek()


def alone(kind):
    """What only one ring by itself can show."""
    area = 0 if kind == PACKED else 1
    yield "bad-loop", begin(kind, clobber=0) + post([desc()] * 3, 3, spoil=LOOP) + peek()
    yield "bad-next", begin(kind, clobber=0) + post([desc()] * 2, 2, spoil=NEXT, arg=8) + peek()
    yield "bad-loop-both", begin(kind, clobber=0) + post([desc()] * 3, 1, spoil=NEXT, arg=1) + peek()
    yield "bad-next-both", begin(kind, clobber=0) + post([desc()] * 3, 1, spoil=NEXT, arg=0x7fff) + peek()
    yield "bad-next-far", begin(kind, clobber=0) + post([desc()] * 2, 2, spoil=NEXT, arg=0x7fff) + peek()
    yield "bad-head", begin(kind) + ONE + post([desc()], spoil=HEAD, arg=12) + TURN + peek()
    yield "bad-head-chain", begin(kind) + post([desc()] * 2, 2, spoil=HEAD, arg=4096) + peek()
    yield "bad-head-table", begin(kind | INDIRECT) + post([desc()], 1, 0, HEAD, 4096) + peek()
    yield "bad-nested", begin(kind | INDIRECT, clobber=0) + post([desc()] * 3, 2, 0, NESTED, 1) + peek()
    yield "bad-entry-next", begin(kind | INDIRECT) + post([desc()] * 3, 2, 0, ENTRY_NEXT, 3) + peek()
    yield "bad-entry-far", begin(kind | INDIRECT, clobber=0) + post([desc()] * 3, 2, 0, ENTRY_NEXT, 0x7000) + peek()
    yield "bad-entry-both", begin(kind | INDIRECT, clobber=0) + post([desc()] * 3, 1, 0, ENTRY_NEXT, 0x7001) + peek()
    yield "bad-entry-loop-both", begin(kind | INDIRECT, clobber=0) + post([desc()] * 3, 1, 0, ENTRY_NEXT, 1) + peek()
    yield "bad-entry-loop", begin(kind | INDIRECT, clobber=0) + post([desc()] * 3, 2, 0, ENTRY_NEXT, 1) + peek()
    yield "bad-owner", begin(kind, clobber=0) + post([desc()] * 3, 2, spoil=OWNER) + peek()
    yield "bad-index", begin(kind) + ONE + publish(9) + peek()
    yield "bad-index-count", begin(kind) + ONE + publish(0xfff0) + COUNT + peek()
    yield "bad-index-in-flight", begin(kind) + ONE * 4 + peek() + consume(4) + publish(5) + peek()
    yield "bad-into-flight", (begin(kind, num=3, clobber=0) + ONE * 2 + peek() + consume(2) +
                              post([desc()] * 2, 2, spoil=NEXT) + peek())
    for nr_out, name in ((8, "out"), (0, "in")):
        # 40 segments, of which the last one ends in a hole
        yield f"many-{name}", (begin(kind, num=0x66, clobber=0) + b"".join(
            post([desc(0, 9)] * 8, nr_out, spoil=NEXT, arg=8 * i) for i in range(1, 5)) +
            post([desc(0, 9)] * 7 + [desc(2, 255, 8)], nr_out) + peek(1) +
            copy(0, 1500, write=not nr_out) + copy(0, 1200, write=not nr_out))
    yield "direct-and-table", begin(kind | INDIRECT) + post([desc()] * 3, 2, 0, direct=1) + peek()
    yield "odd-table", begin(kind | INDIRECT) + post([desc()] * 3, 2, 0x82) + TURN
    yield "overrun", begin(kind, num=1) + post([desc()], spoil=HEAD, arg=0) * 5 + TURN * 2
    yield "full", begin(kind, num=1) + ONE * 2 + peek() + consume(2) + poke(0, 12, b"\x80\0\x80\0") + peek() + COUNT
    yield "state", begin(kind) + set_state(5, 3) + ONE + TURN + set_state(0x8005, 3) + set_state(3, 0x8004) + TURN
    yield "poked", begin(kind) + ONE * 3 + peek() + poke(0, 8, b"\xff\xff\xff\xff") + peek() + TURN
    yield "busy", (begin(kind, clobber=0, log=True) + post([desc()], spoil=HEAD, arg=0) * 2 +
                   peek() + consume(2) + die() + TURN)
    logged = ONE * 2 + CHAIN + peek()
    yield "die-pushing", begin(kind, clobber=0, log=True) + b"".join(
        logged + consume(3) + die(1, after, pushing=True) + TURN * 2 + die() + RESET for after in range(16))
    yield "die-taking", begin(kind, clobber=0, log=True) + b"".join(
        logged + die(2, after, taking=True) + TURN * 2 + die() + RESET for after in range(0, 32, 2))
    yield "late", begin(kind, clobber=0) + b"".join(
        ALL + poke(0, 24, b"\0\0\0\0\6\0\6\0", after) + peek() + TURN + RESET for after in range(6))
    yield "late-index", begin(kind, clobber=0) + b"".join(
        ONE * 3 + poke(area, 2, b"\xff", after) + peek() + TURN + RESET for after in range(6))
    for clobber in (0x01, 0x02, 0x80):
        yield f"clobber-{clobber:02x}", begin(kind | INDIRECT, clobber=clobber) + ALL + TURN
        yield f"clobber-fetch-{clobber:02x}", begin(kind | INDIRECT | FETCH, clobber=clobber) + ALL + TURN


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, seeds in (("both", common(BOTH)), ("split", alone(SPLIT)), ("packed", alone(PACKED))):
        for seed, data in seeds:
            (folder / f"{name}-{seed}").write_bytes(data)


main()
