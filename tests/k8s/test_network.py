"""The network policies are the call graph, and what stores, scraper and operator need; and
names can be resolved wherever that is done."""
import unittest

from rendering import matches, mesh, of_kind, rendered, template, title


class Network(unittest.TestCase):
    """What the policies let through, worked out as a cluster does."""

    def policies(self, objects, labels, direction):
        return [one['spec'] for one in of_kind(objects, 'NetworkPolicy')
                if matches(one['spec']['podSelector'], labels) and direction in one['spec']['policyTypes']]

    def lets(self, objects, source, target, port, protocol='TCP'):
        """Whether a pod with these labels reaches another; None is somebody in no namespace."""
        def through(rules, side, other):
            for rule in rules or []:
                numbers = [(p['protocol'], p['port']) for p in rule.get('ports', [])]
                if numbers and (protocol, port) not in numbers:
                    continue
                ends = rule.get(side)
                if ends is None:
                    return True
                for end in ends:
                    if other is None and 'ipBlock' in end:
                        return True
                    if other is not None and 'podSelector' in end and matches(end['podSelector'], other):
                        return True
            return False
        out = [] if source is None else self.policies(objects, source, 'Egress')
        into = [] if target is None else self.policies(objects, target, 'Ingress')
        return (not out or any(through(p.get('egress'), 'to', target) for p in out)) and \
            (not into or any(through(p.get('ingress'), 'from', source) for p in into))

    def setUp(self):
        self.base = rendered()['base']
        self.labels = {one['metadata']['name']: template(one)['metadata']['labels']
                       for one in of_kind(self.base, 'Deployment')}
        self.tasks = {one['metadata']['name']: template(one)['metadata']['labels']
                      for one in of_kind(self.base, 'Job', 'CronJob') if one['metadata']['name'] != 'ctl'}

    def test_it_is_the_call_graph(self):
        for one in mesh().services:
            for other in mesh().names:
                for port in (7100, 7110):
                    self.assertEqual(self.lets(self.base, self.labels[one.name], self.labels[other], port),
                                     other in one.finds, f'{one.name} to {other}:{port}')

    def test_a_stranger_in_the_namespace_reaches_only_the_door(self):
        stranger = {'app.kubernetes.io/name': 'other'}
        for name, labels in self.labels.items():
            open_to = [port for port in (7100, 7110, 9100, 8080) if self.lets(self.base, stranger, labels, port)]
            door = next(one for one in mesh().services if one.name == name).door
            self.assertEqual(open_to, [8080] if door else [], name)

    def test_who_watches_and_who_operates(self):
        prometheus = {'app.kubernetes.io/name': 'prometheus'}
        ctl = {'app.kubernetes.io/name': 'ctl', 'app.kubernetes.io/component': 'ctl', 'app.kubernetes.io/part-of': 'trellis'}
        for name, labels in self.labels.items():
            self.assertTrue(self.lets(self.base, prometheus, labels, 9100), name)
            self.assertFalse(self.lets(self.base, prometheus, labels, 7100), name)
            self.assertTrue(self.lets(self.base, ctl, labels, 7100), name)
            self.assertFalse(self.lets(self.base, ctl, None, 443))
        command, = [one for one in of_kind(self.base, 'CronJob') if one['metadata']['name'] == 'ctl']
        self.assertEqual(template(command)['metadata']['labels'], ctl)
        self.assertTrue(command['spec']['suspend'])

    def test_names_are_resolved_by_udp_and_tcp_anywhere(self):
        for where, objects in rendered().items():
            for one in of_kind(objects, 'Deployment', 'Job', 'CronJob'):
                labels = template(one)['metadata']['labels']
                for protocol in ('UDP', 'TCP'):
                    rules = [rule for policy in self.policies(objects, labels, 'Egress')
                             for rule in policy.get('egress') or []
                             if {'protocol': protocol, 'port': 53} in rule.get('ports', [])]
                    self.assertTrue(any('to' not in rule for rule in rules), f'{where}: {title(one)} {protocol}')

    def test_only_who_says_so_reaches_outside(self):
        for one in mesh().services:
            self.assertEqual(self.lets(self.base, self.labels[one.name], None, 443), one.outside, one.name)
        for one in of_kind(self.base, 'NetworkPolicy'):
            for rule in one['spec'].get('egress') or []:
                for end in rule.get('to', []):
                    if end.get('ipBlock', {}).get('cidr') == '0.0.0.0/0':
                        for private in ('10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16', '127.0.0.0/8'):
                            self.assertIn(private, end['ipBlock']['except'])
                    elif 'ipBlock' in end:
                        self.assertIn('fc00::/7', end['ipBlock']['except'])

    def test_stores_are_reached_by_who_has_them(self):
        for one in mesh().services:
            self.assertEqual(self.lets(self.base, self.labels[one.name], None, 5432), one.schema, one.name)
            self.assertEqual(self.lets(self.base, self.labels[one.name], None, 6379), one.redis, one.name)
        for name, labels in self.tasks.items():
            self.assertTrue(self.lets(self.base, labels, None, 5432), name)
            self.assertFalse(self.lets(self.base, labels, None, 443), name)

    def test_what_has_no_policy_of_its_own_is_denied(self):
        nobody = {'app.kubernetes.io/part-of': 'trellis', 'app.kubernetes.io/name': 'new'}
        self.assertFalse(self.lets(self.base, nobody, None, 53, 'UDP'))
        self.assertFalse(self.lets(self.base, None, nobody, 8080))


if __name__ == '__main__':
    unittest.main()
