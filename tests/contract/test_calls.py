"""What a service's objects call is held against contracts and its own .calls."""
import os
import subprocess
import sys
import unittest
from unittest import mock

from protos import CONTRACT, TOP, Folder, changed

sys.path.insert(0, os.path.join(TOP, 'services'))
import calls  # noqa: E402

GRAPH = {'probe': [], 'tenants': ['probe'], 'zoo': ['probe'], 'edge': ['probe'], 'lone': []}


def said(service, contract, *names):
    """What is said of a service whose objects want these names."""
    with Folder() as folder, mock.patch.object(calls, 'wanted', lambda _: set(names)):
        folder.write(contract)
        found = calls.read_contracts([folder.path, f'{TOP}/proto'], ['probe.proto'])
        return sorted(calls.breaches(found, GRAPH, [(service, 'library')]))


class Calls(unittest.TestCase):
    def test_a_call_is_refused_that_its_method_does_not_list(self):
        self.assertEqual(said('tenants', CONTRACT, 'probe_call_ask', 'printf'), [])
        for stub in ('probe_call_ask', 'probe_call_ask_with'):
            self.assertEqual(said('zoo', CONTRACT, stub), [
                'proto/probe.proto:19: method probe.v1.Probe.Ask does not let zoo call it, and '
                'services/zoo does; add "zoo" to its callers'])

    def test_every_service_but_the_edge_may_call_what_lists_all(self):
        for_all = changed(('"tenants"', '"*"'))
        self.assertEqual(said('zoo', for_all, 'probe_call_ask'), [])
        self.assertEqual(len(said('edge', for_all, 'probe_call_ask')), 1)
        self.assertEqual(said('edge', for_all, 'probe_call_make'), [])  # it has a route

    def test_whom_it_calls_a_service_names(self):
        self.assertEqual(said('lone', changed(('"tenants"', '"lone"')), 'probe_call_ask'), [
            'services/lone: it calls probe.v1.Probe.Ask (proto/probe.proto:19), and .calls of struct '
            'trl_service lone_service does not name "probe"; add it'])

    def test_a_caller_is_a_service(self):
        self.assertEqual(said('probe', changed(('"tenants"', '"tenats"'))), [
            'proto/probe.proto:19: method Ask lists the caller "tenats", which is no service of '
            'services/list; correct it'])

    def test_who_speaks_to_others_machines_says_so(self):
        with mock.patch.object(calls, 'wanted', lambda _: {'trl_http_out_open'}):
            self.assertEqual(list(calls.let_out({'zoo'}, [('zoo', 'library'), ('lone', 'library')])), [
                "services/lone: it speaks to others' machines (trl_http_out_open), and struct trl_service "
                'lone_service does not say .reaches_outside or .reaches_chosen = true; add it'])
        with mock.patch.object(calls, 'wanted', lambda _: {'trl_http_open'}):
            self.assertEqual(list(calls.let_out(set(), [('lone', 'library')])), [])

    def test_the_names_that_objects_want_are_read_of_them(self):
        with Folder() as folder:
            for name, text in (('a.c', 'int probe_call_ask(void); int f(void); '
                                       'int f(void) { return probe_call_ask(); }'),
                               ('b.c', 'int probe_call_get(void); int probe_call_get(void) { return 1; }')):
                folder.write(text, name)
                subprocess.run(['cc', '-c', name], cwd=folder.path, check=True)
            subprocess.run(['ar', 'rcT', 'lib.a', 'a.o', 'b.o'], cwd=folder.path, check=True)
            self.assertEqual(calls.wanted(os.path.join(folder.path, 'lib.a')) & {
                'probe_call_ask', 'probe_call_get'}, {'probe_call_ask'})


if __name__ == '__main__':
    unittest.main()
