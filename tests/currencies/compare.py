"""Holds our list of currencies (the CSV's path is the argument) against currency-codes's on
standard input."""
import csv
import json
import sys


def faults(ours, theirs):
    for code, other in theirs.items():
        one = ours.get(code)
        if not one:
            yield '%s: we have no such code' % code
        elif one['number'] != other['number']:
            yield '%s: number %s, and not %s' % (code, one['number'], other['number'])
        elif int(one['exponent'] or 0) != other['digits'] and not one['amendment']:
            yield '%s: exponent %s, and not %d' % (code, one['exponent'], other['digits'])
    for code, one in ours.items():
        if code not in theirs and not one['amendment']:
            yield '%s: the list has no such code, and no amendment is named' % code


def main():
    with open(sys.argv[1], encoding='utf-8') as file:
        lines = [line for line in file if not line.startswith('#')]
    ours = {row['code']: row for row in csv.DictReader(lines)}
    theirs = {row['code']: row for row in json.load(sys.stdin)}
    found = list(faults(ours, theirs))
    if found or len(theirs) < 170:
        sys.exit('\n'.join(found) or 'currency-codes has only %d codes' % len(theirs))
    print('%d codes are those of currency-codes' % len(theirs))


if __name__ == '__main__':
    main()
