#!/usr/bin/python3
"""pictures.py BUILD ROUNDS - thumbnails of photographs of 12 megapixels by trellis-picture,
confined as it always is, beside vipsthumbnail: the same files, size and format, and one
thread in both. Then what trellis-picture holds after 1,000 and after 5,000 mixed pictures
(JPEG, PNG, WebP, GIF with frames).

Of tools/bench. The request and reply are picture/picture.h's.
"""
import os
import re
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time

FILES, SIZE, QUALITY = 24, 400, 80
VERSION, MAKE, CONTAIN, JPEG, PNG, WEBP, GIF = 2, 2, 0, 1, 2, 3, 4
DONE, REPLY_HEAD = 1, 6 * 4 + 40 + 160


class Renderer:
    """The program, asked as trl/child.h asks it."""

    def __init__(self, program):
        self.socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self.process = subprocess.Popen([program], stdin=theirs, stdout=subprocess.DEVNULL)
        theirs.close()
        if self.read(1) != bytes([VERSION]):
            sys.exit("trellis-picture is of another release")

    def ask(self, path, size, form):
        """Gives the bytes of the picture."""
        asked = struct.pack("<7I", MAKE, CONTAIN, form, size, size, QUALITY, 0)
        with open(path, "rb") as file:
            socket.send_fds(self.socket, [struct.pack("<I", len(asked))], [file.fileno()])
        self.socket.sendall(asked)
        length, = struct.unpack("<I", self.read(4))
        reply = self.read(length)
        status = struct.unpack_from("<I", reply)[0]
        if status != DONE:
            sys.exit(f"{path} was rejected: {reply[6 * 4 + 40:REPLY_HEAD].split(bytes(1))[0].decode()}")
        return reply[REPLY_HEAD:]

    def read(self, n):
        got = self.socket.recv(n, socket.MSG_WAITALL)
        if len(got) != n:
            sys.exit("trellis-picture has ended")
        return got

    def rss_mib(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1]) / 1024

    def end(self):
        self.socket.close()
        self.process.wait()


def vips(*words):
    subprocess.run(["vips", *words], check=True)


def photographs(folder, n, width, height):
    """Clouds with grain, in colour: about 4 MB at 12 megapixels."""
    made = []
    for i in range(n):
        bands = []
        for band in range(3):
            cloud, grey = f"{folder}/cloud.v", f"{folder}/band{band}.v"
            vips("perlin", cloud, str(width), str(height), "--cell-size", "256", "--seed", str(3 * i + band))
            vips("linear", cloud, grey, "90", "128")
            bands.append(grey)
        vips("bandjoin", " ".join(bands), f"{folder}/joined.v")
        vips("gaussnoise", f"{folder}/grain.v", str(width), str(height), "--sigma", "6", "--mean", "0", "--seed", str(i))
        vips("add", f"{folder}/joined.v", f"{folder}/grain.v", f"{folder}/sum.v")
        vips("cast", f"{folder}/sum.v", f"{folder}/bytes.v", "uchar")
        vips("copy", f"{folder}/bytes.v", f"{folder}/whole.v", "--interpretation", "srgb")
        made.append(f"{folder}/photo{i}.jpg")
        vips("copy", f"{folder}/whole.v", made[-1] + "[Q=90]")
    return made


def rate_of_vipsthumbnail(folder, files):
    env = dict(os.environ, VIPS_CONCURRENCY="1")
    begun = time.monotonic()
    subprocess.run(["vipsthumbnail", "--size", f"{SIZE}x{SIZE}", "-o",
                    f"{folder}/%s.thumb[Q={QUALITY},optimize_coding,strip]".replace(".thumb", ".thumb.jpg"), *files],
                   check=True, env=env)
    return len(files) / (time.monotonic() - begun)


def rate_of_ours(renderer, files):
    begun = time.monotonic()
    for path in files:
        renderer.ask(path, SIZE, JPEG)
    return len(files) / (time.monotonic() - begun)


def growth(renderer, folder, photos):
    small = []
    for end in ("png", "webp", "gif", "jpg"):
        path = f"{folder}/small.{end}"
        subprocess.run(["vipsthumbnail", "--size", "640x480", "-o", path, photos[0]], check=True)
        small.append((path, {"png": PNG, "webp": WEBP, "gif": GIF, "jpg": JPEG}[end]))
    mixed = small * 6 + [(photos[0], JPEG)]
    sizes = {}
    for i in range(1, 5001):
        path, form = mixed[i % len(mixed)]
        renderer.ask(path, 100 + i % 300, form)
        if i in (1000, 5000):
            sizes[i] = renderer.rss_mib()
    return sizes[1000], sizes[5000]


def main():
    build, rounds = sys.argv[1], int(sys.argv[2])
    with tempfile.TemporaryDirectory(prefix="trellis-pictures.", dir="/var/tmp") as folder:
        four = photographs(folder, 4, 4000, 3000)
        files = []
        for i in range(FILES):
            files.append(f"{folder}/{i}.jpg")
            os.link(four[i % 4], files[-1])
        renderer = Renderer(os.path.join(build, "services", "trellis-picture"))
        rate_of_ours(renderer, files[:2])
        ours, theirs = [], []
        for _ in range(rounds):
            theirs.append(rate_of_vipsthumbnail(folder, files))
            ours.append(rate_of_ours(renderer, files))
        mine, other = statistics.median(ours), statistics.median(theirs)
        print(f"  vipsthumbnail                    {other:6.1f} a second ({os.path.getsize(four[0]) / 1e6:.1f} MB a file)")
        print(f"  trellis-picture                  {mine:6.1f} a second   {mine / other:.2f}x   goal 0.90x")
        first, last = growth(renderer, folder, four)
        print(f"  its memory after 1,000 pictures  {first:6.1f} MiB, after 5,000 {last:.1f} MiB   "
              f"{(last / first - 1) * 100:+.1f} %   goal 5 %")
        renderer.end()


main()
