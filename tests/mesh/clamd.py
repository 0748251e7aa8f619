"""clamd.py - Debian's clamd with one signature of our own, for a mesh."""
import os
import shutil
import socket
import subprocess
import tempfile

from stack import wait_for

# Not to be found in this file.
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}" + b"$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


class Clamd:
    LIMIT = 512 << 10  # of what it takes

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="trl-clamd.", dir="/var/tmp")
        self.path = os.path.join(self.folder, "socket")
        self.process = None
        os.mkdir(os.path.join(self.folder, "db"))
        self._write("db/test.ndb", f"Test.Eicar:0:*:{EICAR.hex()}\n")
        self._write("clamd.conf", f"LocalSocket {self.path}\nDatabaseDirectory {self.folder}/db\n"
                                  f"Foreground yes\nStreamMaxLength {self.LIMIT}\nAlertExceedsMax yes\n")
        self.start()

    def _write(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(text)

    def start(self):
        self.process = subprocess.Popen(["/usr/sbin/clamd", f"--config-file={self.folder}/clamd.conf"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for("clamd answers", self._answers)

    def _answers(self):
        assert self.process.poll() is None, "clamd ended; is the Debian package clamav-daemon there?"
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(self.path) != 0:
                return False
            probe.sendall(b"zPING\0")
            return probe.recv(8) == b"PONG\0"

    def kill(self):
        self.process.kill()
        self.process.wait()
        os.path.exists(self.path) and os.unlink(self.path)

    def close(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
