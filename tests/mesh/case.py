"""case.py - a test class whose stories share one running mesh."""
import json
import os
import unittest

from stack import Stack


class MeshCase(unittest.TestCase):
    transport = os.environ.get("MESH_TRANSPORT", "inproc")
    # The stories make more requests in a minute than a person does.
    settings = {"TRELLIS_RATE_SCALE": "1000"}
    replicas = 1  # of each service behind the edge
    more = None  # of some another number
    stack_class = Stack

    @classmethod
    def setUpClass(cls):
        cls.stack = cls.stack_class(os.environ["MESH_BINARIES"], cls.transport, cls.replicas, cls.more, **cls.settings)
        cls.addClassCleanup(cls.end_stack)  # also where it, or what a story prepares, fails
        try:
            cls.stack.start()
        except BaseException:
            if cls.stack.processes:
                print(cls.stack.logs())
            raise

    @classmethod
    def end_stack(cls):
        bad = cls.stack.stop()
        assert not bad, "\n".join(bad)

    def check_problem(self, answer, status, code=None):
        """A whole RFC 9457 document, and nothing of the inside."""
        self.assertEqual(answer.status, status, answer)
        self.assertEqual(answer.headers["content-type"], "application/problem+json")
        self.assertEqual(answer["status"], status)
        for member in ("type", "title", "code"):
            self.assertTrue(answer[member], answer)
        self.assertEqual(answer["type"], "/problems/" + answer["code"].lower().replace("_", "-"))
        if code:
            self.assertEqual(answer["code"], code, answer)
        # The instance is the caller's own path, tokens and all.
        said = json.dumps({member: answer[member] for member in answer.json if member != "instance"})
        for inside in ("select ", "SELECT ", "PG", "libpq", ".c:", "127.0.0.1:", "/var/tmp"):
            self.assertNotIn(inside, said)
        self.assertRegex(answer["trace_id"], "^[0-9a-f]{32}$")
        self.assertIn(answer["trace_id"], answer.headers["traceparent"])
        return answer

    def counted(self, service, series):
        """The value of a series in a scrape of that service's process."""
        return next(float(line[len(series):]) for line in self.stack.metrics(service).splitlines()
                    if line.startswith(series + " "))

    def pointers(self, answer):
        return [error["pointer"] for error in answer.json.get("errors", [])]
