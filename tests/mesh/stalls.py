"""stalls.py - how long the machine stood still. A process of its own asks PostgreSQL for a
commit and the disk for a write, again and again, beside the stories: what takes long here
has nothing to do with Trellis. As a program: stalls.py SOCKET USER DATABASE, until its
input ends; then it prints the longest time in seconds that one round took."""
import os
import select
import subprocess
import sys
import tempfile
import time

EVERY = 0.05  # seconds between rounds


class Stalls:
    """The longest stall since it began; of use once, when the stories are over."""

    def __init__(self, path, user, database):
        self.process = subprocess.Popen([sys.executable, __file__, path, user, database],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def longest(self):
        said, _ = self.process.communicate()
        if self.process.returncode:
            raise AssertionError(f"stalls.py ended with {self.process.returncode}")
        return float(said)


def watch(sql):
    longest, until = 0.0, time.monotonic()
    with tempfile.TemporaryFile(dir="/var/tmp") as file:
        while not select.select([sys.stdin], [], [], EVERY)[0]:
            sql.rows("select txid_current()")
            os.pwrite(file.fileno(), bytes(65536), 0)
            now = time.monotonic()
            longest, until = max(longest, now - until - EVERY), now
    return longest


if __name__ == "__main__":
    from postgres import Sql
    print(watch(Sql(*sys.argv[1:])))
