"""trellis crash show, on the file of a process that really crashed.

  test_crash_show.py TRELLIS CRASH_VICTIM
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

TRELLIS = VICTIM = ''
# A build with a sanitizer leaves no crash files; it shows those of others all the same.
SAMPLE = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__)))),
                      'tests', 'fuzz', 'corpus', 'crash', 'heap')


class CrashShow(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix='trellis-crash.', dir='/var/tmp')
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.dir = os.path.join(cls.folder, 'crash')
        subprocess.run([VICTIM, 'heap', cls.dir], check=False, stderr=subprocess.DEVNULL)
        found = os.listdir(cls.dir) if os.path.isdir(cls.dir) else []
        cls.sanitized = not found
        if cls.sanitized:
            os.makedirs(cls.dir, exist_ok=True)
            shutil.copy(SAMPLE, os.path.join(cls.dir, 'victim-000001-1.crash'))
        cls.file, = os.listdir(cls.dir)
        with open(os.path.join(cls.dir, cls.file), encoding='utf-8') as file:
            cls.text = file.read()

    def ask(self, *words, code=0, cwd=None, **env):
        env = {'TRELLIS_CRASH_DIR': self.dir, 'PATH': os.environ['PATH'], **env}
        done = subprocess.run([TRELLIS, 'crash', 'show', *words], env=env, text=True, cwd=cwd,
                              capture_output=True, check=False, timeout=60)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def changed(self, text):
        path = os.path.join(self.folder, 'changed')
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
        return path

    def test_it_lists_the_files(self):
        said = self.ask()
        self.assertRegex(said, rf'{self.file} .*SIGABRT +new +victim\.v1\.Victims\.Crash')
        item, = json.loads(self.ask('--json'))['items']
        self.assertEqual((item['file'], item['signal'], item['whole'], item['state']),
                         (self.file, 'SIGABRT', True, 'new'))
        self.assertEqual(json.loads(self.ask('--json', '--service', 'auth'))['items'], [])

    def test_it_names_functions_and_lines(self):
        frames = json.loads(self.ask(self.file, '--json'))['frames']
        named = {f['function']: f for f in frames if 'function' in f}
        if self.sanitized:
            self.assertNotIn('crash_heap', named)  # it was of another build
            return
        for function in ('crash_heap', 'act'):
            self.assertRegex(named[function]['place'], r'crash_victim\.c:\d+$')
        self.assertTrue(named['act']['certain'])
        self.assertTrue(all(f['certain'] for f in frames))
        self.assertTrue(all('module' in f and 'offset' in f for f in frames))
        said = self.ask(self.file)
        self.assertRegex(said, r'\d+  0x[0-9a-f]+  crash_heap  .*crash_victim\.c:\d+')
        self.assertRegex(said, r'signal +SIGABRT\n')
        self.assertRegex(said, r'method +victim\.v1\.Victims\.Crash\n')
        self.assertRegex(said, r'libc\.so\.6\+0x|abort')
        self.assertIn('crash_heap', self.ask(os.path.join(self.dir, self.file)))

    def test_what_was_stripped_is_found_by_its_build_id(self):
        if self.sanitized:
            return
        build = re.search('^build ([0-9a-f]+)$', self.text, re.M)[1]
        place = os.path.join(self.folder, '.build-id', build[:2])
        text = self.changed(self.text.replace(VICTIM, '/nowhere/crash_victim'))
        self.assertNotIn('crash_victim.c', self.ask(text, cwd=self.folder))
        os.makedirs(place)
        subprocess.run(['objcopy', '--only-keep-debug', VICTIM, os.path.join(place, build[2:] + '.debug')],
                       check=True)
        self.assertRegex(self.ask(text, cwd=self.folder), r'  crash_heap  .*crash_victim\.c:\d+')

    def test_without_addr2line_it_says_where_that_is_from(self):
        if not self.sanitized:
            self.assertIn('Debian package binutils', self.ask(self.file, PATH='/nowhere'))

    def test_symbols_of_another_build_are_not_believed(self):
        build = re.search('^build ([0-9a-f]+)$', self.text, re.M)[1]
        said = self.ask(self.changed(self.text.replace(build, '0' * 39 + '1')))
        self.assertIn('of another build: put the one of build 0000', said)
        self.assertNotIn('crash_victim.c', said)

    def test_a_file_that_is_cut_off_is_shown_as_far_as_it_goes(self):
        said = self.ask(self.changed(self.text[:self.text.index('module ')]))
        self.assertIn('The file is cut off', said)
        self.assertIn('(nowhere)', said)

    def test_what_is_none_is_refused(self):
        self.assertIn('is no crash file', self.ask(self.changed('\x7fELF\0\n'), code=1))
        self.assertIn('No such file', self.ask('victim-000009-1.crash', code=1))
        self.assertIn('Not a directory', self.ask(TRELLIS_CRASH_DIR='/etc/passwd', code=1))
        self.assertIn('No crash has left a file', self.ask(TRELLIS_CRASH_DIR='/nowhere/at/all'))


if __name__ == '__main__':
    VICTIM, TRELLIS = sys.argv.pop(), sys.argv.pop()
    unittest.main()
