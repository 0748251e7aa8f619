"""The README of billing names each field that a catalogue may hold: its author has
nothing else to read."""
import os
import re
import unittest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))


def read(path):
    with open(os.path.join(TOP, path), encoding='utf-8') as file:
        return file.read()


class Catalogue(unittest.TestCase):
    def test_each_field_stands_in_the_readme(self):
        contract = read('proto/trellis/billing/v1/billing.proto')
        table = read('services/billing/README.md').split('## What is sold')[1].split('\n## ')[0]
        waiting, seen = ['Catalogue'], set()
        while waiting:
            message = waiting.pop()
            if message in seen:
                continue
            seen.add(message)
            body = re.search(rf'^message {message} {{\n(.*?)^}}', contract, re.M | re.S).group(1)
            for kind, name in re.findall(r'^  (?:optional|repeated) (\S+) (\w+) = \d+', body, re.M):
                self.assertRegex(table, rf'`{name}(\[\])?`', f'{message}.{name}')
                if re.search(rf'^message {kind} {{', contract, re.M):
                    waiting.append(kind)
        self.assertGreater(len(seen), 9)


if __name__ == '__main__':
    unittest.main()
