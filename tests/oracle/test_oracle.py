#!/usr/bin/env python3
"""Billing's code against its second implementation.

    test_oracle.py REPLAY [HISTORIES [FIRST]]

Both live the same random histories and must say the same, line by line. HISTORIES is 2,000;
FIRST is the number of the first, to see one again. Before that, both count the boundaries of
periods in every zone of the world."""
import itertools
import multiprocessing
import random
import subprocess
import sys
import zoneinfo

import histories
import sums

AT_ONCE = 100


def differences(job):
    """Of so many histories: how many lines were compared, and what is said of the first
    that differs."""
    replay, first, n = job
    told = [histories.History(seed) for seed in range(first, first + n)]
    lines = '\n'.join(line for one in told for line in one.lines) + '\n'
    run = subprocess.run([replay], input=lines, capture_output=True, text=True)
    answers = run.stdout.split('history ')[1:]
    compared = 0
    for one, answer in itertools.zip_longest(told, answers, fillvalue=''):
        got = ('history ' + answer).rstrip('\n').split('\n')
        compared += len(one.said)
        if got != one.said:
            return compared, describe(one, got, run)
    return compared, None


def describe(one, got, run):
    at = next((i for i, pair in enumerate(itertools.zip_longest(one.said, got)) if pair[0] != pair[1]))
    told = one.said[max(0, at - 6):at]
    return '\n'.join(
        ['%s:' % one.lines[0]] + ['  ' + line for line in one.lines[1:]] + ['both say:'] + ['  ' + line for line in told]
        + ['expected: ' + (one.said[at] if at < len(one.said) else 'no more'),
           'got:      ' + (got[at] if at < len(got) else 'no more'), run.stderr[-1000:]])


def check_boundaries(replay, n):
    """n periods of each zone, from 1970 to 2100: each ends where the next one starts, later."""
    dice, lines, expected = random.Random(n), [], []
    for zone in sorted(zoneinfo.available_timezones()):
        if zone in ('localtime', 'Factory'):
            continue
        for _ in range(n):
            anchor, interval = dice.randint(0, 3000000000), dice.choice(histories.INTERVALS)
            count, k = dice.choice((1, 1, 1, 3, 12)), dice.randint(0, 40)
            starts = [sums.boundary(sums.zone_of(zone), anchor, interval, count, at) for at in (k, k + 1)]
            if starts[1] <= starts[0] and interval != 'day':   # Apia had no 30 December 2011
                sys.exit('%s: period %d of %d is empty' % (zone, k, anchor))
            for at, start in zip((k, k + 1), starts):
                lines.append('boundary %s %d %d %d %d' % (zone, anchor, histories.INTERVALS.index(interval), count, at))
                expected.append(str(start))
    run = subprocess.run([replay], input='\n'.join(lines) + '\n', capture_output=True, text=True)
    for line, got, wanted in itertools.zip_longest(lines, run.stdout.split(), expected):
        if got != wanted:
            sys.exit('%s\nexpected: %s\ngot:      %s\n%s' % (line, wanted, got, run.stderr[-1000:]))
    return len(lines)


def main():
    replay = sys.argv[1]
    n = int(sys.argv[2]) if len(sys.argv) > 2 else 2000
    first = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    jobs = [(replay, at, min(AT_ONCE, first + n - at)) for at in range(first, first + n, AT_ONCE)]
    boundaries = check_boundaries(replay, max(1, n // 100)) if first == 1 else 0
    compared = 0
    with multiprocessing.Pool() as pool:
        for lines, difference in pool.imap(differences, jobs):
            compared += lines
            if difference:
                pool.terminate()
                sys.exit(difference)
    print('%d boundaries, %d histories of %d lines: both say the same' % (boundaries, n, compared))


if __name__ == '__main__':
    main()
