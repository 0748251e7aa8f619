"""pdf.py - of tools/bench: the CPU that trellis-pdf takes for a page and for a thousand
lines, asked as billing asks it (trl/child.h), and its memory."""
import os
import socket
import struct
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROTO = TOP + "/proto/trellis/billing/v1/billing.proto"
LINE = """lines {{ description: "{0} x Team, with what belongs to it" quantity: "{0}" unit_amount: "900" amount: {1}
    tax_category: "S" tax_rate: "20" period_start {{ seconds: {2} }} period_end {{ seconds: {3} }} }}"""
DOCUMENT = """locale: "de-AT" footer: "Acme Cloud, Wien" invoice {{ number: "INV-000042" status: open currency: "EUR"
    seller {{ name: "Acme Cloud GmbH" city: "Wien" country: "AT" vat_id: "ATU12345678" }}
    buyer {{ name: "Widgets & Sons" city: "London" country: "GB" }} {0}
    taxes {{ category: "S" rate: "20" net: 900 tax: 180 }} subtotal: 900 net: 900 tax: 180 total: 1080 amount_due: 1080
    issued_at {{ seconds: 1797811200 }} }}"""


def request(lines):
    text = DOCUMENT.format("\n".join(LINE.format(n + 1, (n + 1) * 900, 1797811200 + n, 1800489600) for n in range(lines)))
    return subprocess.run(["protoc", "-I", TOP + "/proto", "--encode=billing.v1.PdfRequest", PROTO],
                          input=text.encode(), capture_output=True, check=True).stdout


class Renderer:
    def __init__(self):
        self.socket, other = socket.socketpair()
        with other:
            self.process = subprocess.Popen([TOP + "/build/services/trellis-pdf"], stdin=other, stdout=subprocess.DEVNULL,
                                            env={"LC_ALL": "C.UTF-8", "MALLOC_ARENA_MAX": "1"})
        self.read(1)  # its version: it can be asked

    def read(self, size):
        data = b""
        while len(data) < size:
            part = self.socket.recv(size - len(data))
            if not part:
                raise EOFError("trellis-pdf went away")
            data += part
        return data

    def ask(self, asked):
        self.socket.sendall(struct.pack("<I", len(asked)) + asked)
        return self.read(struct.unpack("<I", self.read(4))[0])

    def cpu(self):
        with open(f"/proc/{self.process.pid}/schedstat", encoding="ascii") as file:
            return int(file.read().split()[0]) / 1e6

    def memory(self):
        with open(f"/proc/{self.process.pid}/smaps_rollup", encoding="ascii") as file:
            return next(int(line.split()[1]) / 1024 for line in file if line.startswith("Pss:"))

    def close(self):
        self.socket.close()
        self.process.wait()


def cost(renderer, asked, times):
    """Milliseconds of CPU for one, and its bytes."""
    size = len(renderer.ask(asked))
    before = renderer.cpu()
    for _ in range(times):
        renderer.ask(asked)
    return (renderer.cpu() - before) / times, size


def bench():
    renderer = Renderer()
    try:
        page, page_bytes = cost(renderer, request(3), 100)
        long, long_bytes = cost(renderer, request(1000), 5)
        print("\nan invoice as PDF, of a trellis-pdf that runs (at rest there is none)\n")
        print(f"  a page                                  {page:.1f} ms of CPU, {page_bytes / 1024:.0f} KiB   goal 20")
        print(f"  1,000 lines                             {long:.0f} ms of CPU, {long_bytes / 1024:.0f} KiB   goal 500")
        print(f"  its memory                              {renderer.memory():.0f} MB Pss")
    finally:
        renderer.close()


if __name__ == "__main__":
    bench()
