"""The README's table of settings is the code's own.

  test_settings.py build/tools/ctl/trellis                compares
  test_settings.py build/tools/ctl/trellis --update       writes it anew
"""
import os
import re
import subprocess
import sys
import unittest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
README = os.path.join(TOP, 'README.md')
BEGIN = '<!-- settings: made by `trellis config --markdown`, checked by the tests -->\n'
END = '<!-- end of settings -->\n'
BINARY = ''


def made():
    return subprocess.run([BINARY, 'config', '--markdown'], check=True, text=True,
                          capture_output=True).stdout


def parts():
    """The README before, inside and behind its table."""
    with open(README, encoding='utf-8') as file:
        before, rest = file.read().split(BEGIN)
    inside, behind = rest.split(END)
    return before, inside, behind


def variables(folder):
    """Names that C code there reads: those of configuration tables."""
    found = set()
    for path, _, names in os.walk(os.path.join(TOP, folder)):
        for name in names:
            if not name.endswith('.c') or name.startswith('test_'):
                continue
            with open(os.path.join(path, name), encoding='utf-8') as file:
                found |= set(re.findall(r'TRL_CONFIG_[A-Z_]+\([^"]*"(TRELLIS_\w+)"', file.read()))
    return found


class Settings(unittest.TestCase):
    def test_the_readme_has_what_the_code_says(self):
        self.assertEqual(parts()[1], made(),
                         'run tests/contract/test_settings.py BINARY --update')

    def test_every_variable_that_the_code_declares_is_in_it(self):
        listed = set(re.findall(r'^\| `(TRELLIS_\w+)(?:<NAME>)?`', made(), re.M))
        declared = variables('bus') | variables('services') | variables('shared/access') | variables('shared/telemetry')
        self.assertGreater(len(declared), 30)
        self.assertEqual(listed, declared)


if __name__ == '__main__':
    BINARY = os.path.abspath(sys.argv.pop(1))
    if sys.argv[1:] == ['--update']:
        first, _, last = parts()
        with open(README, 'w', encoding='utf-8') as out:
            out.write(first + BEGIN + made() + END + last)
    else:
        unittest.main()
