"""No file or function of the tree is long and does not say why; what is too long is
found, and stops the build."""
import os
import subprocess
import sys
import tempfile
import unittest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
TOOL = os.path.join(TOP, 'tools', 'sizes.py')


def run(*words):
    return subprocess.run([sys.executable, '-B', TOOL, *words], text=True, capture_output=True,
                          check=False)


def check(name, text):
    """The exit code and what was said of a tree with one file."""
    with tempfile.TemporaryDirectory() as top:
        path = os.path.join(top, name)
        os.makedirs(os.path.dirname(path))
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
        build = run(top, os.path.join(top, 'stamp'), os.path.join(top, 'depfile'))
        assert (build.returncode == 1) == (text.count('\n') > 700 and not name.startswith('proto/'))
        if build.returncode == 0:
            with open(os.path.join(top, 'depfile'), encoding='utf-8') as file:
                assert path in file.read()
        done = run(top)
        return done.returncode, done.stdout


def function(lines, comment=''):
    return comment + 'int\nf(void)\n{\n' + '\tg();\n' * (lines - 2) + '}\n'


class Sizes(unittest.TestCase):
    def test_what_is_long_in_this_tree_says_why(self):
        done = run(TOP)
        self.assertEqual((done.stdout, done.returncode), ('', 0))

    def test_more_than_700_lines_stop_the_build_whatever_they_say(self):
        text = '/* (Over 400 lines: x.) */\n' + 'int x;\n' * 699
        self.assertEqual(check('bus/a.c', text)[0], 0)
        code, said = check('bus/a.c', text + 'int y;\n')
        self.assertEqual(code, 1)
        self.assertIn('bus/a.c: 701 lines', said)
        for name in ('tests/mesh/a.py', 'tools/up.sh', 'tests/bench/a.c'):
            self.assertEqual(check(name, '# (Over 400 lines: x.)\n' + 'x\n' * 700)[0], 1, name)
        self.assertEqual(check('proto/trellis/a/v1/a.proto', '// x\n' * 900)[0], 0)

    def test_more_than_400_have_a_reason_in_the_first_comment(self):
        for name, first in (('shared/a.c', '/* What it is. %s*/\n'), ('tests/a.py', '"""What it is. %s"""\n'),
                            ('tools/a.sh', '# What it is. %s\n')):
            self.assertEqual(check(name, first % '' + '\n' * 399)[0], 0, name)
            code, said = check(name, first % '' + '\n' * 400)
            self.assertEqual(code, 1, name)
            self.assertIn('says why', said)
            self.assertEqual(check(name, first % '(Over 400 lines: x.)' + '\n' * 400)[0], 0, name)

    def test_a_function_of_more_than_60_has_a_reason(self):
        self.assertEqual(check('bus/a.c', function(60)), (0, ''))
        code, said = check('bus/a.c', 'int x;\n\n' + function(61))
        self.assertEqual(code, 1)
        self.assertIn('bus/a.c:5: 61 lines', said)
        self.assertEqual(check('bus/a.c', function(61, '/* (Over 60 lines: x.) */\n')), (0, ''))


if __name__ == '__main__':
    unittest.main()
