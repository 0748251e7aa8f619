"""Reads the command, judges the names, and writes the files of texts.py."""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

import texts
from fields import Field, camel, refuse_word
from folders import Refused, Tree, name_is_wrong


def plural(noun):
    """As tools/contractgen/trlgen/resource.py has it."""
    if noun[-1] == 'y' and noun[-2:-1] not in tuple('aeiou'):
        return noun[:-1] + 'ies'
    return noun + ('es' if noun.endswith(('s', 'x', 'ch', 'sh')) else 's')


def aligned(rows):
    """Columns of a table, their types below each other."""
    width = max(len(name) for name, _ in rows)
    return ',\n'.join(f'    {name:<{width}} {type_}' for name, type_ in rows)


class Service:
    """The names and texts of one service with one resource."""

    def __init__(self, name, resource, fields, proto):
        self.name, self.resource, self.fields = name, resource, fields
        words = resource.replace('_', ' ')
        a = 'an' if words[0] in 'aeiou' else 'a'
        self.words = {
            'name': name, 'Service': camel(name), 'resource': resource,
            'Resource': camel(resource), 'Resources': camel(plural(resource)),
            'words': words, 'a': a, 'A': a.capitalize(), 'proto': proto,
            'plural_words': plural(words), 'Plural_words': plural(words).capitalize(),
            'path': plural(resource).replace('_', '-'),
        }

    def field(self, field, number, *more, inside=True):
        kind = field.type if inside or not field.values else f'{camel(self.resource)}.{field.type}'
        line = f'  optional {kind} {field.name} = {number}'
        rule = field.rule(*more)
        if len(line + rule) > 99:
            rule = '\n     ' + rule
        return f'  // {field.comment}\n{line}{rule};\n'

    def contract(self):
        n = len(self.fields)
        changed = ''.join(
            self.field(f, i, *(() if f.never_null else ('nullable: true',)), inside=False)
            for i, f in enumerate(self.fields, 2))
        if not all(f.never_null for f in self.fields):
            changed += f'  // Names of the fields that null clears.\n  repeated string clear = {n + 2};\n'
        unique = [f for f in self.fields if f.unique]
        called = self.words['words']
        return texts.CONTRACT.format(
            enums=''.join(self.enum(f) for f in self.fields if f.values),
            fields=''.join(self.field(f, i) for i, f in enumerate(self.fields, 2)),
            given=''.join(self.field(f, i, 'required: true' if f.required else '', inside=False)
                          for i, f in enumerate(self.fields, 1)),
            changed=changed, version=n + 2, created=n + 3, updated=n + 4,
            filters=''.join(self.field(f, i, inside=False).replace(
                f'// {f.comment}', f'// Only those of this {f.name.replace("_", " ")}.')
                for i, f in enumerate((f for f in self.fields if f.filter), 3)),
            unique=''.join(f'\n    unique: {{ fields: "{f.name}" says: "There is {self.words["a"]} {called} '
                           f'of this {f.name.replace("_", " ")}." }}' for f in unique),
            exists='EXISTS, ' if unique else '', **self.words)

    @staticmethod
    def enum(field):
        rows = ''.join(f'    {v} = {i};\n' for i, v in enumerate(field.values, 1))
        return f'  enum {field.type} {{\n{rows}  }}\n'

    def migration(self):
        table = self.resource
        rows = [('tenant_id', 'uuid not null'), ('id', 'uuid not null')]
        rows += [(f.name, f.column + (' not null' if f.never_null else '')) for f in self.fields]
        rows += [('version', 'bigint not null'), ('created_at', 'timestamptz not null'),
                 ('updated_at', 'timestamptz not null')]
        constraints = [f'constraint {table}_{f.name}_key unique (tenant_id, {f.name})'
                       for f in self.fields if f.unique]
        constraints += ['constraint {}_{}_check check ({} in ({}))'.format(
            table, f.name, f.name, ', '.join(f"'{v}'" for v in f.values))
            for f in self.fields if f.values]
        return texts.MIGRATION.format(
            columns=aligned(rows), constraints=''.join(f',\n    {c}' for c in constraints),
            indexes=''.join(f'create index {table}_by_{f.name} on {table} (tenant_id, {f.name}, id);\n'
                            for f in self.fields if f.filter and not f.unique), **self.words)

    def files(self):
        """Path and text of each, from the folder that has services/ and proto/."""
        folder = f'services/{self.name}'
        yield self.words['proto'], self.contract()
        yield f'{folder}/{self.name}.c', texts.DECLARATION.format(**self.words)
        yield f'{folder}/sql/schema/0001_{self.name}.sql', self.migration()
        yield f'{folder}/README.md', texts.README.format(**self.words)


def read_arguments(arguments, about):
    parser = argparse.ArgumentParser(prog='tools/new-service', usage=about, add_help=False)
    parser.add_argument('--product', default=os.environ.get('TRELLIS_PRODUCT', ''))
    parser.add_argument('--dry-run', action='store_true')
    parser.add_argument('-h', '--help', action='store_true')
    parser.add_argument('words', nargs='*')
    parser.error = lambda said: (_ for _ in ()).throw(Refused(f'{said}; tools/new-service --help says how'))
    options = parser.parse_intermixed_args(arguments)
    if not options.help and len(options.words) < 2:
        raise Refused('it takes the name of a service and of what it keeps, such as '
                      'tools/new-service projects project; --help says more')
    return options


def refuse_names(name, resource, fields, trees, top):
    wrong = name_is_wrong(name)
    if wrong:
        raise Refused(wrong)
    for tree in trees:
        if os.path.isdir(tree.folder(name)) or os.path.isdir(os.path.join(tree.proto, name)) or name in tree.names:
            raise Refused(f'there is a service or contract {name} in {tree.top} already; '
                          'choose another name, or add the resource to its contract')
    refuse_word(resource, 'resource')
    sys.path.insert(0, os.path.join(top, 'tools', 'sqlgen'))
    from sqltext import framework_tables
    if resource in framework_tables():
        raise Refused(f'"{resource}" is a table of the framework, and in every schema; choose another name for the resource')
    seen = set()
    for field in fields:
        if field.name in seen or field.name == f'{resource}_id':
            raise Refused(f'the field {field.name} is there twice')
        seen.add(field.name)


def refuse_contract(top, product, proto, text, trees):
    """What the build would say of it, beside all other contracts: a taken path, say."""
    if not shutil.which('protoc'):
        return
    with tempfile.TemporaryDirectory() as made:
        inside = re.sub(r'^proto/', '', proto)
        path = os.path.join(made, inside)
        os.makedirs(os.path.dirname(path))
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
        others = [os.path.relpath(os.path.join(folder, n), root) for tree in trees
                  for root in [tree.root] for folder, _, names in os.walk(tree.proto)
                  for n in names if re.search(r'/v\d+$', folder) and n.endswith('.proto')]
        includes = [f'-I{top}/proto', *([f'-I{product}/proto'] if os.path.isdir(f'{product}/proto') else []),
                    f'-I{made}', '-I/usr/include']
        plugin = f'--plugin=protoc-gen-trl={top}/tools/contractgen/protoc-gen-trl'
        done = subprocess.run(['protoc', *includes, plugin, f'--trl_out=catalogue:{made}', *others, inside],
                              capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = [line for line in done.stderr.split('\n') if line.startswith('proto/')]
        raise Refused('the contract would be refused:\n  ' + '\n  '.join(said or [done.stderr.strip()]))


def write(base, files):
    for name, text in files:
        path = os.path.join(base, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'x', encoding='utf-8') as file:
            file.write(text)
        print(f'wrote {path}')


def add_line(tree, name, is_product):
    os.makedirs(os.path.dirname(tree.list), exist_ok=True)
    with open(tree.list, 'a', encoding='utf-8') as file:
        if is_product and file.tell() == 0:
            file.write(texts.PRODUCT_LIST)
        file.write(f'{name}\n')
    print(f'added {name} to {tree.list}')


def say_next(path, product, base):
    where = f' --product {product}' if product else ''
    print(f'''
Next:
  tools/up{where}
      builds and starts it: GET /api/v1/{path} answers
  tools/contractgen/compat.py{where} --update
      once its contract is as it shall be: from then on it is a promise
  k8s/generate
      once it is built: the cluster's manifests and chart have it, too
  tools/test{where} --quick
      and all else in services/README.md, "A service of your own"''')


def begin(options, top):
    name, resource, *described = options.words
    product = os.path.abspath(os.path.expanduser(options.product)) if options.product else ''
    if product and os.path.isdir(product) and os.listdir(product) and \
            not os.path.isfile(os.path.join(product, 'services', 'list')):
        raise Refused(f'{product} has other things in it and no services/list; name a product\'s folder, or a new one')
    trees = [Tree.of_trellis(top)] + ([Tree.of_product(product)] if product else [])
    for tree in trees:
        if os.path.isfile(tree.list):
            tree.read([])
    fields = [Field(text) for text in described or ['name:name:required:unique']]
    refuse_names(name, resource, fields, trees, top)
    proto = f'proto/{name}/v1/{name}.proto' if product else f'proto/trellis/{name}/v1/{name}.proto'
    service = Service(name, resource, fields, proto)
    files = list(service.files())
    refuse_contract(top, product, proto, files[0][1], trees)
    if options.dry_run:
        for path, text in files:
            print(f'==> {os.path.join(product or top, path)}\n{text}')
        print(f'==> and the line "{name}" in {trees[-1].list}')
        return
    write(product or top, files)
    add_line(trees[-1], name, bool(product))
    say_next(service.words['path'], product, trees[-1])


def main(arguments, about, top):
    try:
        options = read_arguments(arguments, about)
        if options.help:
            print(about.strip())
        else:
            begin(options, top)
        return 0
    except (Refused, OSError) as refused:
        print(f'error: {refused}.', file=sys.stderr)
        return 1
