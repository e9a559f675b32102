#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
# Tries every order in which a weakly ordered machine may run the threads of a litmus
# test, and every one of its barriers taken out in turn: with all of them the outcome
# after "exists" must not be reachable, without any single one it must be. TAP.
#
# The tests are in the language of herd7 with the kernel's memory model (linux-kernel.cfg),
# so that whoever has it can ask it, too. The machine here is a simple one: two accesses
# of a thread may change places unless they are to the same word, a barrier between
# them says otherwise, the first is an acquire or the second a release; what a thread
# stores, all others see at once. Dependencies order nothing. For two threads, of which none
# loads what it stored itself, that allows all that arm64 allows, and more.

import re
import sys

ACCESS = [
    (r'(\w+) = smp_load_acquire\((\w+)\)', lambda m: ('R', m[2], m[1], 'acquire')),
    (r'(\w+) = READ_ONCE\(\*(\w+)\)', lambda m: ('R', m[2], m[1], '')),
    (r'smp_store_release\((\w+), (\d+)\)', lambda m: ('W', m[1], int(m[2]), 'release')),
    (r'WRITE_ONCE\(\*(\w+), (\d+)\)', lambda m: ('W', m[1], int(m[2]), '')),
    (r'smp_(mb|wmb|rmb)\(\)', lambda m: ('F', m[1], None, m[1])),
]


def parse_op(line):
    for pattern, make in ACCESS:
        m = re.fullmatch(pattern, line)
        if m:
            return make(m)
    raise SystemExit(f'litmus.py: cannot read "{line}"')


def parse(text):
    text = re.sub(r'\(\*.*?\*\)', '', text, flags=re.S)
    threads = []
    for body in re.findall(r'^P\d+\(.*?\)\s*\{(.*?)^\}', text, flags=re.S | re.M):
        lines = [line.strip() for line in body.split(';')]
        threads.append([parse_op(x) for x in lines if x and not x.startswith('int ')])
    cond = re.search(r'exists (.*)', text, flags=re.S)[1].strip()
    cond = cond.replace('/\\', ' and ').replace('\\/', ' or ')
    cond = re.sub(r'(\d+):(\w+)=(\d+)', r'regs.get((\1, "\2"), 0) == \3', cond)
    return threads, compile(cond, 'exists', 'eval')


def must_wait(ops, i, j):
    """May op j of a thread not run before its op i < j?"""
    a, b = ops[i], ops[j]
    if a[1] == b[1] or a[3] == 'acquire' or b[3] == 'release':
        return True
    between = {op[1] for op in ops[i + 1:j] if op[0] == 'F'}
    return ('mb' in between or
            ('wmb' in between and a[0] == b[0] == 'W') or
            ('rmb' in between and a[0] == b[0] == 'R'))


def explore(threads, cond):
    """Is there an execution whose end fulfils the condition? And how many states."""
    before = [[[i for i in range(j) if ops[i][0] != 'F' and must_wait(ops, i, j)]
               for j in range(len(ops))] for ops in threads]
    start = tuple(frozenset(j for j, op in enumerate(ops) if op[0] != 'F') for ops in threads)
    todo, seen, found = [(start, (), ())], set(), False
    while todo:
        state = todo.pop()
        if state in seen:
            continue
        seen.add(state)
        left, memory, regs = state
        if not any(left):
            found = found or eval(cond, {'regs': dict(regs)})
        for t, ops in enumerate(threads):
            for j in left[t]:
                if any(i in left[t] for i in before[t][j]):
                    continue
                kind, where, what, _ = ops[j]
                mem, reg = dict(memory), dict(regs)
                if kind == 'W':
                    mem[where] = what
                else:
                    reg[(t, what)] = mem.get(where, 0)
                rest = left[:t] + (left[t] - {j},) + left[t + 1:]
                todo.append((rest, tuple(sorted(mem.items())), tuple(sorted(reg.items()))))
    return found, len(seen)


def without_one(threads):
    """The threads with each barrier taken out in turn, and what was taken out."""
    for t, ops in enumerate(threads):
        for j, op in enumerate(ops):
            if not op[3]:
                continue
            less = ops[:j] + ops[j + 1:] if op[0] == 'F' else ops[:j] + [op[:3] + ('',)] + ops[j + 1:]
            yield f'{op[3]} {j + 1} of P{t}', threads[:t] + [less] + threads[t + 1:]


def main():
    results = []
    for path in sys.argv[1:]:
        with open(path, encoding='utf-8') as f:
            threads, cond = parse(f.read())
        name = path.rsplit('/', 1)[-1].removesuffix('.litmus')
        found, states = explore(threads, cond)
        results.append((not found, f'{name}: never, in {states} states'))
        for what, less in without_one(threads):
            found, states = explore(less, cond)
            results.append((found, f'{name}: happens without {what}'))
    print(f'1..{len(results)}')
    for i, (ok, text) in enumerate(results, 1):
        print(f'{"ok" if ok else "not ok"} {i} - {text}')
    return not results or not all(ok for ok, _ in results)


sys.exit(main())
