#!/usr/bin/python3
"""handlers.py - a function that a contract asks of its service and nobody wrote is told
before the linker fails for it: with its beginning, to be copied.

  handlers.py OUT NAME LIBRARY [NAME_v1.server.h]
"""
import re
import subprocess
import sys

SOURCE = re.compile(r'Made by contractgen from (\S+)\.')
DECLARED = re.compile(r'^(?:enum trl_code|void) (\w+)\([^;]*\)', re.M)


def defined(library):
    """The names that a library's objects define."""
    said = subprocess.run(['nm', '--defined-only', '--format=posix', library], check=True,
                          capture_output=True, text=True).stdout
    return {line.split()[0] for line in said.splitlines() if ' ' in line}


def missing(name, header, found):
    if f'{name}_service' not in found:
        yield (f'services/{name}: no file of it defines "const struct trl_service {name}_service", '
               'which says what the service is made of.')
    for declared in DECLARED.finditer(header):
        if declared[1] not in found:
            begin = declared[0].replace(f' {declared[1]}', f'\n{declared[1]}', 1)
            yield (f'services/{name}: no file of it defines {declared[1]}, which '
                   f'{SOURCE.search(header)[1]} asks for. It begins:\n\n{begin}\n{{\n')


def main(out, name, library, *headers):
    texts = []
    for path in headers:
        with open(path, encoding='utf-8') as file:
            texts.append(file.read())
    told = list(missing(name, '\n'.join(texts), defined(library)))
    if told:
        sys.exit('\n'.join(told))
    with open(out, 'w', encoding='utf-8') as file:
        file.write('fine\n')


if __name__ == '__main__':
    main(*sys.argv[1:])
