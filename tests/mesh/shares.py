"""shares.py - slow clients of one organisation, as many as there may be: they are kept within its share, and
another's uploads and downloads go as ever."""
import os
import select
import socket

from case import MeshCase
from common import wait_for

LENGTH = 300_000
CROWD = 25  # that come at a time


class ShareCase(MeshCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ada = cls.stack.sign_up("ada")
        cls.crowded = cls.stack.found(cls.ada)
        cls.bob = cls.stack.sign_up("bob")
        cls.other = cls.stack.found(cls.bob)

    def begin(self, *head):
        """A client that sends the head of a request, and then neither sends nor reads."""
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", self.stack.port))
        connection.sendall("\r\n".join([*head, "Host: trellis", "", ""]).encode())
        self.addCleanup(connection.close)
        return connection

    def answers(self, connections):
        """What those that have an answer were told."""
        poll = select.poll()
        by_fd = {connection.fileno(): connection for connection in connections}
        for fd in by_fd:
            poll.register(fd, select.POLLIN)
        return [by_fd[fd].recv(4096, socket.MSG_PEEK) for fd, _ in poll.poll(0)]

    def crowd(self, n, *head):
        """So many that do the same; how many of them were refused."""
        refused = 0
        for _ in range(n // CROWD):
            connections = [self.begin(*head) for _ in range(CROWD)]
            wait_for("each is told", lambda: len(self.answers(connections)) == CROWD)
            told = [answer.lower() for answer in self.answers(connections) if b" 503 " in answer[:20]]
            for answer in told:
                self.assertIn(b"\r\nretry-after: ", answer)
            refused += len(told)
        return refused

    @staticmethod
    def upload(person, tenant, length=LENGTH):
        return person.call("POST", "/api/v1/files", raw=os.urandom(length), headers={
            "X-Tenant-Id": tenant, "Content-Type": "application/octet-stream"})

    def works_for_others(self):
        answer = self.upload(self.bob, self.other)
        self.assertEqual(answer.status, 201, answer)
        answer = self.bob.get(f"/api/v1/files/{answer['id']}/content", X_Tenant_Id=self.other)
        self.assertEqual((answer.status, len(answer.body)), (200, LENGTH))


class Uploads(ShareCase):
    def test_slow_uploads_of_one_organisation_keep_no_other_out(self):
        refused = self.crowd(
            400, "POST /api/v1/files HTTP/1.1", f"Content-Length: {10 << 20}", "Expect: 100-continue",
            "Content-Type: application/octet-stream", f"Authorization: Bearer {self.ada.token}",
            f"X-Tenant-Id: {self.crowded}")
        self.assertTrue(0 < refused < 200, refused)
        self.assertEqual(self.upload(self.ada, self.crowded).status, 503)
        self.works_for_others()


class Downloads(ShareCase):
    settings = {**ShareCase.settings, "TRELLIS_MAX_ACTORS": "128"}

    def test_a_crowd_before_one_organisations_links_keeps_no_other_out(self):
        file = self.upload(self.ada, self.crowded, 16 << 20)
        self.assertEqual(file.status, 201, file)
        link = self.ada.post(f"/api/v1/files/{file['id']}/links", {}, X_Tenant_Id=self.crowded)
        self.assertEqual(link.status, 201, link)
        path = "/m/" + link["url"].partition("/m/")[2]
        refused = self.crowd(100, f"GET {path} HTTP/1.1")
        self.assertEqual(refused, 100 - 128 * 3 // 4 // 2)
        self.works_for_others()
