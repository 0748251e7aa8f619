"""renew.py - certificates of the bus that are renewed while the mesh runs, as cert-manager
and a kubelet do it: each process has its files in a folder of its own, which a link
leads to, and the link is swapped. Whoever leaves for it is started again, as by a
supervisor, and two of a service are enough for nobody to notice."""
import contextlib
import json
import os
import shutil
import threading
import unittest

from case import MeshCase
from common import come_again, wait_for
from stack import Stack

FILES = {"CA": "ca.crt", "CERT": "tls.crt", "KEY": "tls.key"}
OURS = {"ca.crt": "ca.crt", "tls.crt": "bus.crt", "tls.key": "bus.key"}


class Mounted(Stack):
    serial_of_mount = 0
    renew_seconds = 1

    def mount(self, name, sources=None):
        """Puts files into a process's folder, all at once; the bus's own where not said."""
        folder = os.path.join(self.folder, "tls", name)
        self.serial_of_mount += 1
        made = os.path.join(folder, f"..{self.serial_of_mount}")
        os.makedirs(made)
        for file, source in (sources or OURS).items():
            shutil.copy(os.path.join(self.folder, source), os.path.join(made, file))
        os.symlink(os.path.basename(made), os.path.join(folder, "..new"))
        os.rename(os.path.join(folder, "..new"), os.path.join(folder, "..data"))

    def _make_certificates(self):
        super()._make_certificates()
        for name in self.names():
            self.mount(name)

    def environment(self, name):
        env = super().environment(name)
        for what, file in FILES.items():
            env[f"TRELLIS_BUS_TLS_{what}_FILE"] = os.path.join(self.folder, "tls", name, "..data", file)
        env["TRELLIS_RENEW_SECONDS"] = str(self.renew_seconds)
        return env


class Asking(threading.Thread):
    """Somebody who asks all the time, reading and writing."""

    def __init__(self, test, person):
        super().__init__()
        self.test, self.person = test, person
        self.tenant = test.stack.found(person)
        self.bad, self.late, self.asked, self.over = [], [], 0, False

    def run(self):
        at = f"/api/v1/tenants/{self.tenant}"
        while not self.over:
            try:
                self.ask(lambda: self.person.get(at))
                self.ask(lambda: self.person.patch(at, {"display_name": f"Acme {self.asked}"},
                                                   Idempotency_Key=f"renew-{self.asked}"))
                self.ask(lambda: self.person.get("/api/v1/notifications"))
            except Exception as error:  # said by the test
                self.bad.append(repr(error))

    def ask(self, call):
        """200; one that is told to come later comes again, as the same, until it is."""
        self.asked += 1
        answer = call()
        if answer.status == 503:
            self.late.append(str(answer))
            answer = come_again(call)
        if answer.status != 200:
            self.bad.append(str(answer))


class Renewal(MeshCase):
    replicas = 2
    stack_class = Mounted

    @contextlib.contextmanager
    def asked(self):
        asking = Asking(self, self.stack.sign_up())
        asking.start()
        try:
            yield asking
        finally:
            asking.over = True
            asking.join()
        self.assertEqual(asking.bad, [])
        if asking.late:  # a machine with so much else to do that both of a service were silent for seconds
            self.assertIn("no answer", [line["reason"] for line in self.lines("edge", "peer ejected")], asking.late)
        self.assertGreater(asking.asked, 50)

    def lines(self, name, body):
        with open(self.stack.log_path(name), encoding="utf-8") as log:
            return [line for line in map(json.loads, log) if body in line["body"]]

    def stale(self, name):
        return [line for line in self.stack.metrics(name).splitlines()
                if line.startswith('trellis_setting_stale{setting="TRELLIS_BUS_TLS_') and line.endswith("} 1")]

    def ends(self, name):
        """When its certificate does, as the process shows it."""
        start = 'trellis_certificate_expiry_timestamp_seconds{certificate="TRELLIS_BUS_TLS_CERT"} '
        return next(float(line[len(start):]) for line in self.stack.metrics(name).splitlines()
                    if line.startswith(start))

    def renew(self, names, starts):
        for name in names:
            self.stack.mount(name)
        for name in names:
            wait_for(f"{name} has been started again", lambda: starts[name] == 1)
        for name in names:
            wait_for(f"{name} is ready", lambda: self.stack.says_ready(name))
        for name in names:
            self.stack.await_replicas(name.partition(".")[0])
        wait_for("the mesh is ready", lambda: self.stack.client().get("/readyz").status == 200)

    def test_certificates_are_renewed_and_every_request_is_answered(self):
        names = self.stack.names()
        before = {name: self.ends(name) for name in names}
        self.stack.make_certificate("bus", "ca")  # a second later at least: they end later
        with self.stack.supervised(code=0) as starts:
            with self.asked() as asking:
                self.renew([name for name in names if name.endswith(".2")], starts)
                self.renew([name for name in names if not name.endswith(".2") and name != "edge"], starts)
                asked = asking.asked
                wait_for("it is asked on", lambda: asking.asked > asked + 20)
            self.renew(["edge"], starts)  # there is only one
        self.assertEqual(starts, {name: 1 for name in names})
        for name in names:
            self.assertGreater(self.ends(name), before[name], name)
            self.assertEqual(self.stale(name), [])
            self.assertEqual(len(self.lines(name, "stopping, to be started with the files")), 1, name)

    def test_a_certificate_that_cannot_be_used_ends_nobody(self):
        stack = self.stack
        stack.make_authority("others")
        stack.make_certificate("strange", "others")
        stack.make_certificate("spare", "ca")
        with open(os.path.join(stack.folder, "half.crt"), "wb") as half, \
                open(os.path.join(stack.folder, "spare.crt"), "rb") as whole:
            half.write(whole.read()[:300])
        broken = {
            "auth": ({**OURS, "tls.crt": "half.crt"}, "the certificate is none in PEM"),
            "auth.2": ({**OURS, "tls.key": "spare.key"}, "the key is another certificate's"),
            "tenants": ({**OURS, "tls.crt": "strange.crt", "tls.key": "strange.key"},
                        "none of the authorities has signed the certificate"),
            "tenants.2": ({**OURS, "ca.crt": "bus.key"}, "the authorities are no certificates in PEM"),
            "notify": ({**OURS, "tls.key": "half.crt"}, "the key is none in PEM"),
        }
        with stack.supervised(code=0) as starts, self.asked():
            for name, (files, _) in broken.items():
                stack.mount(name, files)
            for name, (_, why) in broken.items():
                wait_for(f"{name} says so", lambda: self.lines(name, "it stays as it is"))
                self.assertIn(why, self.lines(name, "it stays as it is")[-1]["reason"])
                self.assertEqual(len(self.stale(name)), 2 if name == "tenants" else 1)
            for name in broken:  # as they were
                stack.mount(name)
            for name in broken:
                wait_for(f"{name} is as it was", lambda: not self.stale(name))
        self.assertEqual(sum(starts.values()), 0)

    def test_replicas_choose_moments_of_their_own(self):
        """And whoever waits for one goes at once on a signal."""
        stack = self.stack
        names = [name for name in stack.names() if name.startswith(("auth", "edge"))]
        stack.renew_seconds = 3600
        chosen = {name: len(self.lines(name, "files can be used")) for name in names}
        for name in names:
            self.assertEqual(stack.stop_service(name), 0)
            stack.start_service(name)
        stack.make_certificate("bus", "ca")
        for name in names:
            wait_for(f"{name} is ready", lambda: stack.says_ready(name))
            stack.mount(name)
        moments = []
        for name in names:
            wait_for(f"{name} has chosen one", lambda: len(self.lines(name, "files can be used")) > chosen[name])
            moments.append(self.lines(name, "files can be used")[-1]["restart_in_seconds"])
        self.assertTrue(all(0 <= moment < 3600 for moment in moments), moments)
        self.assertGreater(len(set(moments)), 1, moments)
        stack.renew_seconds = Mounted.renew_seconds
        for name in names:
            self.assertEqual(stack.stop_service(name), 0)
            stack.start_service(name)
        for name in names:  # one that has just begun would die of the signal that ends the mesh
            wait_for(f"{name} is ready", lambda: stack.says_ready(name))


if __name__ == "__main__":
    unittest.main()
