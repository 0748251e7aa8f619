"""A service's files are where, and called as, the README's rule says; and within a
service includes have a direction: of two folders at most one sees the other."""
import collections
import os
import re
import unittest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
SERVICES = os.path.join(TOP, 'services')
# What may be called the same in several services, because it is the same there.
SAME = {'config', 'check_config', 'events_in', 'events_out', 'snapshot', 'guard', 'maintain'}
# Names under which anything may lie.
EMPTY = {'common', 'util', 'utils', 'helper', 'helpers', 'misc', 'model', 'models', 'types', 'data', 'info',
         'manager', 'base', 'main', 'change', 'changes', 'heard', 'told'}
INCLUDE = re.compile(r'^#include "(?:([a-z0-9_]+)/)?([a-z0-9_]+\.h)"', re.M)


def services():
    with open(os.path.join(SERVICES, 'list'), encoding='utf-8') as file:
        return [line for line in file.read().split() if not line.startswith('#')]


def sources(service):
    """(folder within the service, or '', name) of each C file."""
    top = os.path.join(SERVICES, service)
    for path, folders, names in os.walk(top):
        folders.sort()
        for name in sorted(names):
            if name.endswith(('.c', '.h')):
                inside = os.path.relpath(path, top)
                yield '' if inside == '.' else inside, name


def circle(graph):
    """Folders that lead back to the first, or None."""
    def walk(at, way):
        if at in way:
            return way[way.index(at):] + [at]
        for to in sorted(graph[at]):
            found = walk(to, way + [at])
            if found:
                return found
        return None
    return next(filter(None, (walk(start, []) for start in sorted(graph))), None)


def wrong_names(files):
    """Sentences about a service's (folder, name) pairs."""
    beside = collections.defaultdict(set)
    for folder, name in files:
        beside[name].add(folder)
    for folder, name in files:
        stem = name.rsplit('.', 1)[0]
        if stem in EMPTY and not (folder and stem == 'main'):  # a program beside the service
            yield f'{os.path.join(folder, name)} says nothing: name it for the thing that it holds'
        if folder and stem.startswith(folder + '_'):
            yield f'{os.path.join(folder, name)} repeats its folder'
        tested = name[len('test_'):]
        if name.startswith('test_') and beside[tested] and folder not in beside[tested]:
            yield f'{os.path.join(folder, name)} does not stand beside {tested}'
    for folder in {folder for folder, _ in files if folder}:
        if (folder, os.path.basename(folder) + '.h') not in files:
            yield f'{folder}/ has no header of its name, which says what it offers'


class Rooms(unittest.TestCase):
    def test_of_two_folders_at_most_one_sees_the_other(self):
        for service in services():
            graph = collections.defaultdict(set)
            for folder, name in sources(service):
                with open(os.path.join(SERVICES, service, folder, name), encoding='utf-8') as file:
                    for other, _ in INCLUDE.findall(file.read()):
                        if folder and other and other != folder and not name.startswith('test_'):
                            graph[folder].add(other)
                            graph.setdefault(other, set())
            with self.subTest(service):
                self.assertIsNone(circle(graph))

    def test_names_follow_the_rule(self):
        for service in services():
            with self.subTest(service):
                self.assertEqual(list(wrong_names(list(sources(service)))), [])

    def test_a_name_that_two_services_have_means_one_thing(self):
        owners = collections.defaultdict(list)
        for service in services():
            for folder, name in sources(service):
                if not folder and name.endswith('.c') and not name.startswith('test_'):
                    owners[name[:-2]].append(service)
        self.assertEqual({name: who for name, who in owners.items() if len(who) > 1 and name not in SAME}, {})

    def test_the_checks_find_what_they_look_for(self):
        self.assertEqual(circle({'a': {'b'}, 'b': {'c'}, 'c': {'a'}}), ['a', 'b', 'c', 'a'])
        self.assertIsNone(circle({'a': {'b', 'c'}, 'b': {'c'}, 'c': set()}))
        found = list(wrong_names([('', 'model.c'), ('mail', 'mail_send.c'), ('', 'test_send.c'), ('mail', 'send.c')]))
        self.assertEqual(len(found), 4, found)


if __name__ == '__main__':
    unittest.main()
