#!/usr/bin/python3
"""folders.py - what services there are, and what their folders hold: the one place where
services/list is read, and a name that cannot be is refused. A product's own services
stand in its folder's services/list, and come after Trellis's.

  folders.py TOP PRODUCT             tells meson.build: a line a finding, tabs between
  folders.py TOP PRODUCT OUT DEPFILE the same into OUT, which stays as it is where
                                     nothing changed; DEPFILE names what was looked at
  folders.py --postconf OUT BUILD    has BUILD configured anew whenever OUT changes: so
                                     a new file is built without being listed anywhere

PRODUCT is an absolute path, or empty. The lines are
  service NAME FOLDER      source NAME PATH.c     config NAME PATH/config.c
  test NAME PATH/test_X.c  sql NAME PATH/sql      uses NAME LIBRARY
  contract NAME_v1 IMPORT.proto
and of a folder NAME/PROGRAM with a main.c, which is a program of its own beside the
service (trl/child.h) and no part of it,
  program NAME PROGRAM            program_source PROGRAM PATH.c
  program_test PROGRAM PATH/test_X.c              program_uses PROGRAM LIBRARY
where paths inside of TOP's services/ are relative to it.
"""
import os
import re
import sys

NAME = re.compile(r'[a-z][a-z0-9]{1,30}')
# What a name would be taken for: a word of Trellis, of C (struct NAME), of SQL (the
# schema NAME).
RESERVED = {
    'in Trellis': 'all any audit bus calls config contract contracts core ctl event events fact google '
                  'list mesh operator platform proto public sample seen service services shared sql '
                  'system test tests tools trellis trl words',
    'in C': 'auto bool break case char const continue default do double else enum extern float '
            'for goto if inline int long main register restrict return short signed sizeof '
            'static struct switch typedef union unsigned void volatile while',
    'in SQL': 'analyse analyze and array as asc both cast check collate column constraint create '
              'current deferrable desc distinct end except false fetch foreign from grant group '
              'having initially intersect into lateral leading limit not null offset on only or '
              'order placing primary references returning select session some symmetric table '
              'then to trailing true union unique user using variadic when where window with',
}
HAS_MEANING = {word: where for where, words in RESERVED.items() for word in words.split()}


class Refused(Exception):
    pass


def name_is_wrong(name):
    """A sentence of why no service can have this name, or None."""
    if not NAME.fullmatch(name):
        return f'"{name}" is not a name for a service: 2 to 31 of a-z and 0-9, a letter first'
    if name in HAS_MEANING:
        return f'"{name}" has another meaning {HAS_MEANING[name]}; choose another name'
    return None


class Tree:
    """Trellis's own services, or a product's: where its list, folders and contracts are."""

    def __init__(self, top, title, root, proto):
        self.top, self.title, self.root, self.proto = top, title, root, proto
        self.list = os.path.join(top, 'services', 'list')
        self.names = []

    @classmethod
    def of_trellis(cls, top):
        root = os.path.join(top, 'proto')
        return cls(top, '', root, os.path.join(root, 'trellis'))

    @classmethod
    def of_product(cls, top):
        root = os.path.join(top, 'proto')
        return cls(top, top.rstrip('/') + '/', root, root)

    def place(self, line=None):
        at = f'{self.title}services/list'
        return f'{at}:{line}' if line else at

    def read(self, above):
        """Names in the order of the list; above are the trees that stand before it."""
        try:
            with open(self.list, encoding='utf-8') as file:
                lines = file.read().split('\n')
        except OSError as error:
            raise Refused(f'{self.place()} cannot be read: {error.strerror}. It has the services, a name a line.') from error
        for at, name in enumerate(lines, 1):
            if not name.strip() or name.startswith('#'):
                continue
            self.names.append(self.judged(name, at, above))

    def judged(self, name, at, above):
        wrong = name_is_wrong(name)
        if wrong:
            raise Refused(f'{self.place(at)}: {wrong}.')
        if name in self.names:
            raise Refused(f'{self.place(at)}: "{name}" stands there twice.')
        for other in above:
            if name in other.names or self.taken_in(other, name):
                raise Refused(f'{self.place(at)}: "{name}" is a service or contract of Trellis itself; choose another name.')
        if not os.path.isdir(self.folder(name)):
            raise Refused(f'{self.place(at)}: there is no folder {self.title}services/{name}; make it, or take the line out.')
        return name

    @staticmethod
    def taken_in(other, name):
        return os.path.isdir(os.path.join(other.proto, name)) or \
            os.path.isdir(os.path.join(other.top, 'services', name))

    def folder(self, name):
        return os.path.join(self.top, 'services', name)


class Findings:
    """Lines, and every file and folder that they follow from."""

    def __init__(self, top, trees):
        self.services = os.path.join(top, 'services')
        self.trees = trees
        self.lines, self.seen, self.programs = [], [], []

    def tell(self, *words):
        self.lines.append('\t'.join(words))

    def path(self, path):
        inside = os.path.relpath(path, self.services)
        return path if inside.startswith('..') else inside

    def service(self, tree, name):
        folder = tree.folder(name)
        self.tell('service', name, self.path(folder))
        for path, inside, names in os.walk(folder):
            inside[:] = sorted(i for i in inside if i != 'sql' and not i.startswith('.'))
            self.seen.append(path)
            if path != folder and 'main.c' in names:
                inside[:] = []
                self.program(tree, name, path, names)
                continue
            for file in sorted(n for n in names if not n.startswith('.')):
                self.file(name, os.path.join(path, file), path == folder)
        if not any(line.startswith(f'source\t{name}\t') for line in self.lines):
            raise Refused(f'{tree.title}services/{name} has no .c file: it begins with {name}.c, which declares '
                          f'struct trl_service {name}_service.')
        if os.path.isdir(os.path.join(folder, 'sql')):
            self.tell('sql', name, self.path(os.path.join(folder, 'sql')))

    def file(self, name, path, is_top, kind=''):
        base = os.path.basename(path)
        if base == 'config.c' and is_top and not kind:
            self.tell('config', name, self.path(path))
        elif base.endswith('.c'):
            self.tell(kind + ('test' if base.startswith('test_') else 'source'), name, self.path(path))
        elif base == 'uses' and is_top:
            self.seen.append(path)
            with open(path, encoding='utf-8') as file:
                for line in file.read().split('\n'):
                    if line and not line.startswith('#'):
                        self.tell(kind + 'uses', name, line)

    def program(self, tree, service, folder, names):
        name = os.path.basename(folder)
        wrong = name_is_wrong(name)
        if wrong:
            raise Refused(f'{tree.title}services/{os.path.relpath(folder, os.path.dirname(tree.list))}/main.c: {wrong}.')
        if name in self.programs or any(name in t.names for t in self.trees):
            raise Refused(f'{tree.title}services/{service}/{name}/main.c: trellis-{name} is there already; '
                          'choose another name.')
        self.programs.append(name)
        self.tell('program', service, name)
        for file in sorted(n for n in names if not n.startswith('.')):
            self.file(name, os.path.join(folder, file), True, 'program_')

    def contracts(self, tree, name):
        """proto/.../NAME/v1/NAME.proto, and v2 beside it."""
        folder = os.path.join(tree.proto, name)
        if not os.path.isdir(folder):
            return
        self.seen.append(folder)
        for version in sorted(v for v in os.listdir(folder) if re.fullmatch(r'v\d+', v)):
            path = os.path.join(folder, version, f'{name}.proto')
            if not os.path.isfile(path):
                raise Refused(f'{path} is missing: the contract of {name} {version} stands there.')
            self.tell('contract', f'{name}_{version}', os.path.relpath(path, tree.root))


# Contracts that the skeleton of every service serves or tells by.
NOBODYS_OWN = ('audit', 'events', 'operator')


def folders_in(path):
    return sorted(n for n in (os.listdir(path) if os.path.isdir(path) else ())
                  if n[0] not in '._' and os.path.isdir(os.path.join(path, n)))


def refuse_unlisted(tree):
    """A folder that the list does not have would be forgotten without a word."""
    services = os.path.dirname(tree.list)
    for name in folders_in(services):
        if name not in tree.names and any(f.endswith('.c') for f in os.listdir(os.path.join(services, name))):
            raise Refused(f'{tree.title}services/{name} is not in {tree.place()}: add the line, '
                          'or take the folder away.')
    for name in folders_in(tree.proto):
        has_contract = any(re.fullmatch(r'v\d+', v) for v in folders_in(os.path.join(tree.proto, name)))
        if name not in tree.names and (tree.title or has_contract and name not in NOBODYS_OWN):
            raise Refused(f'{tree.title}{os.path.relpath(tree.proto, tree.top)}/{name} is the contract of no '
                          f'service in {tree.place()}: add the line, or take the folder away.')


def find(top, product):
    core = Tree.of_trellis(top)
    core.read([])
    trees = [core]
    if product:
        if not os.path.isabs(product) or not os.path.isdir(product):
            raise Refused(f'the product folder {product} is not there; its path is absolute, and it has services/list.')
        own = Tree.of_product(product)
        own.read(trees)
        trees.append(own)
    found = Findings(top, trees)
    for tree in trees:
        refuse_unlisted(tree)
        found.seen += [tree.list, os.path.dirname(tree.list), tree.proto]
        for name in tree.names:
            found.service(tree, name)
            found.contracts(tree, name)
    return found


def write(found, out, depfile):
    text = '\n'.join(found.lines) + '\n'
    seen = ' '.join(p.replace(' ', r'\ ') for p in found.seen if os.path.exists(p))
    with open(depfile, 'w', encoding='utf-8') as file:
        file.write(f'{out}: {seen}\n')
    if os.path.exists(out):
        with open(out, encoding='utf-8') as file:
            if file.read() == text:
                return
    with open(out, 'w', encoding='utf-8') as file:
        file.write(text)


def make_anew_upon(out, build):
    """build.ninja follows OUT as it follows every meson.build."""
    path = os.path.join(build, 'build.ninja')
    with open(path, encoding='utf-8') as file:
        before, rule, after = file.read().partition('build build.ninja: REGENERATE_BUILD ')
    if not rule:
        raise Refused(f'{path} is made as no ninja file that this knows; mend services/folders.py.')
    with open(path, 'w', encoding='utf-8') as file:
        file.write(f'{before}{rule}{out} {after}')


def main(arguments):
    try:
        if arguments[:1] == ['--postconf']:
            make_anew_upon(arguments[1], os.environ['MESON_BUILD_ROOT'])
            return 0
        found = find(*arguments[:2])
        if arguments[2:]:
            write(found, *arguments[2:])
        else:
            print('\n'.join(found.lines))
        return 0
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 1


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
