"""What runs in a signal's handler calls only what signal-safety(7) lists, and touches no
other file of Trellis: read from what the compiler made of it.

  test_crash.py BUILD
"""
import os
import subprocess
import sys
import unittest

BUILD = ''
FILES = ['crash_cfi', 'crash_handler', 'crash_walk']
# Of signal-safety(7), those that are used. With large files lseek and open have a 64.
LISTED = {'_exit', 'alarm', 'clock_gettime', 'close', 'getpid', 'lseek', 'lseek64', 'open',
          'open64', 'pause', 'raise', 'read', 'sigaction', 'sigaddset', 'sigemptyset',
          'sigprocmask', 'write', 'memset', 'memcpy'}
# The compiler's own: a canary that died ends the process.
COMPILER = {'__stack_chk_fail', '_GLOBAL_OFFSET_TABLE_'}


def symbols(name, option):
    path = os.path.join(BUILD, 'shared', 'base', 'libtrl_base.a.p', name + '.c.o')
    lines = subprocess.run(['nm', option, path], check=True, text=True,
                           capture_output=True).stdout.splitlines()
    return {line.split()[-1] for line in lines}


class Crash(unittest.TestCase):
    def test_the_handler_calls_only_what_is_listed(self):
        own = set().union(*(symbols(name, '--defined-only') for name in FILES))
        self.assertIn('crash_handle', own)
        for name in FILES:
            called = {s for s in symbols(name, '--undefined-only')
                      if not s.startswith(('__asan', '__ubsan', '__sanitizer', '__odr_asan'))}
            self.assertEqual(called - own - LISTED - COMPILER, set(), name)


if __name__ == '__main__':
    BUILD = sys.argv.pop()
    unittest.main()
