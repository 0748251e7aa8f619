"""contract.py OUTDIR DEPFILE CONTRACT.proto PROTOC WORDS... - what is made of one contract.

protoc writes by the contract's path; C finds all in one folder, as NAME_v1.trl.h and the
like, wherever a contract stands. A file that comes out as it was is left alone, so that
nothing is compiled anew for a comment.
"""
import os
import re
import subprocess
import sys
import tempfile

INCLUDE = re.compile(r'(#include ["<])(?:\w+/)*(\w+)/(v\d+)/\2(\.[\w.-]+[">])')


def write(path, text):
    try:
        with open(path, encoding='utf-8') as file:
            if file.read() == text:
                return
    except FileNotFoundError:
        pass
    with open(path, 'w', encoding='utf-8') as file:
        file.write(text)


def made_by_plugin(path):
    """A contract without methods has neither stubs nor a server: files without a word."""
    try:
        with open(path, encoding='utf-8') as file:
            return file.read()
    except FileNotFoundError:
        return '/* This contract has no methods. */\ntypedef int nothing_is_declared;\n'


def main(out, depfile, contract, *protoc):
    folder, base = os.path.split(contract[:-len('.proto')])
    stem = f'{base}_{os.path.basename(folder)}'
    with tempfile.TemporaryDirectory() as made:
        deps = os.path.join(made, 'deps')
        words = os.path.join(out, stem + '.pb')  # the contract itself, for tools/sqlgen
        done = subprocess.run([*protoc, f'--dependency_out={deps}', f'--c_out={made}',
                               f'--descriptor_set_out={words}', '--include_imports',
                               '--include_source_info',
                               f'--trl_out=contract:{made}', contract], check=False)
        if done.returncode != 0:
            return 1
        for kind in ('.pb-c.h', '.pb-c.c'):
            with open(os.path.join(made, folder, base + kind), encoding='utf-8') as file:
                write(os.path.join(out, stem + kind), INCLUDE.sub(r'\1\2_\3\4', file.read()))
        for kind in ('.trl.h', '.trl.c', '.server.h', '.server.c', '.client.c'):
            write(os.path.join(out, stem + kind), made_by_plugin(os.path.join(made, stem + kind)))
        with open(deps, encoding='utf-8') as file:
            sources = file.read().partition(':')[2]
        with open(depfile, 'w', encoding='utf-8') as file:
            file.write(f'{os.path.join(out, stem)}.pb-c.h:{sources}')
    return 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
