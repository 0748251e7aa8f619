"""currencies.py IN OUT - the table of currencies in C, from iso4217.csv."""
import csv
import sys

KINDS = {'money', 'fund', 'none', 'former'}


def main(source, target):
    with open(source, encoding='utf-8', newline='') as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith('#')))
    codes = [row['code'] for row in rows]
    if codes != sorted(set(codes)):
        sys.exit(f'{source}: the codes must stand in order, each once')
    with open(target, 'w', encoding='utf-8') as out:
        out.write('/* Made from iso4217.csv. */\n#include "currencies.h"\n\n'
                  'const struct trl_currency trl_currencies[] = {\n')
        for row in rows:
            if row['kind'] not in KINDS or (row['kind'] == 'none') == bool(row['exponent']):
                sys.exit(f'{source}: {row["code"]}: kind and exponent do not fit')
            out.write(f'\t{{ "{row["code"]}", {row["exponent"] or 0}, TRL_CURRENCY_{row["kind"].upper()} }},\n')
        out.write(f'}};\nconst size_t trl_n_currencies = {len(rows)};\n')


main(*sys.argv[1:])
