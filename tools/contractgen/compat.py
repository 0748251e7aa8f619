#!/usr/bin/python3
"""compat.py - holds the contracts against the kept baseline: what clients, other
services of another age, and stored bytes rely on may be added to, not changed.

  compat.py                     Trellis's contracts, by tests/contract/baseline.json
  compat.py --product FOLDER    a product's own, by FOLDER/baseline.json
  compat.py --update ...        writes what was added into the baseline

--update refuses while something is broken. Ends with 1 when it is.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

from google.protobuf import descriptor_pb2  # noqa: E402
from google.protobuf.compiler import plugin_pb2  # noqa: E402

from trlgen.model import Contracts  # noqa: E402
from trlgen.snapshot import breaches, keep_promises, snapshot  # noqa: E402

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))


def read_contracts(includes, files):
    """The contracts as protoc reads them; ends with 2 where it cannot."""
    with tempfile.NamedTemporaryFile() as out:
        command = ['protoc', *(f'-I{i}' for i in includes), '-I/usr/include',
                   '--include_imports', '--include_source_info',
                   f'--descriptor_set_out={out.name}', *files]
        if subprocess.run(command, check=False).returncode != 0:
            sys.exit(2)
        found = descriptor_pb2.FileDescriptorSet.FromString(out.read())
    request = plugin_pb2.CodeGeneratorRequest(file_to_generate=files)
    request.proto_file.extend(found.file)
    return Contracts(request)


def contracts_of(folder, below):
    """Every contract there: the .proto files in service/vN folders."""
    found = []
    for path, _, names in os.walk(os.path.join(folder, below)):
        if os.path.basename(path)[:1] == 'v' and os.path.basename(path)[1:].isdigit():
            found += [os.path.relpath(os.path.join(path, n), folder)
                      for n in names if n.endswith('.proto')]
    return sorted(found)


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--baseline')
    parser.add_argument('--product')
    parser.add_argument('--update', action='store_true')
    parser.add_argument('-I', dest='includes', action='append')
    parser.add_argument('files', nargs='*')
    options = parser.parse_args(arguments)
    includes = options.includes or [os.path.join(TOP, 'proto')]
    files, only, again = options.files or contracts_of(includes[0], 'trellis'), None, ''
    baseline = options.baseline or os.path.join(TOP, 'tests/contract/baseline.json')
    if options.product:
        includes.append(os.path.join(options.product, 'proto'))
        files = only = contracts_of(includes[-1], '.')
        baseline = options.baseline or os.path.join(options.product, 'baseline.json')
        again = f' --product {options.product}'

    new = snapshot(read_contracts(includes, files), only)
    try:
        with open(baseline, encoding='utf-8') as file:
            old = json.load(file)
    except FileNotFoundError:
        old = {'codes': {}, 'methods': {}, 'messages': {}, 'enums': {}}
    broken = breaches(old, new)
    keep_promises(old, new)
    for sentence in broken:
        print(f'incompatible: {sentence}')
    if broken:
        print('A contract may be added to, not changed: keep the old beside the new, '
              'or make a v2.')
        return 1
    if old != new and options.update:
        with open(baseline, 'w', encoding='utf-8') as file:
            json.dump(new, file, indent=1, sort_keys=True)
            file.write('\n')
        print(f'{baseline} now holds what was added; commit it with the contract.')
    elif old != new:
        print('The contracts have more than the baseline. Take it in, so that it is '
              f'kept from now on:\n  tools/contractgen/compat.py{again} --update')
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
