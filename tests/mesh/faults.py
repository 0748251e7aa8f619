"""faults.py - the parts go away and come back under stories: every answer is true,
and what was acknowledged is there."""
import threading
import time
import unittest
import uuid

from case import MeshCase
from common import come_again, wait_for


class Faults(MeshCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ada = cls.stack.sign_up("ada")
        cls.at = f"/api/v1/tenants/{cls.stack.found(cls.ada)}"

    def recovers(self):
        """Both services read and write again."""
        for path in (self.at, "/api/v1/me"):
            wait_for("the mesh answers again", lambda: self.ada.get(path).status == 200 and
                     self.ada.patch(path, {"display_name": "Ada"}).status == 200)

    def test_without_redis_everything_goes_on(self):
        bob = self.stack.sign_up("bob")
        self.assertEqual(self.ada.get(self.at).status, 200)
        self.stack.kill_redis()
        try:
            for _ in range(20):
                self.assertEqual(self.ada.get(self.at).status, 200)
            answer = self.ada.post(self.at + "/members", {"email": bob.email, "role": "viewer"})
            self.assertEqual(answer.status, 201, answer)
            self.assertEqual(bob.get(self.at).status, 200)
            gone = self.ada.delete(f"{self.at}/members/{bob.account['id']}")
            self.assertEqual(gone.status, 204, gone)
            self.check_problem(bob.get(self.at), 404)
            self.assertEqual(bob.post("/api/v1/auth/logout").status, 204)
            self.check_problem(bob.get("/api/v1/me"), 401)
        finally:
            self.stack.start_redis()
        wait_for("copies are made again",
                 lambda: self.ada.get(self.at).status == 200 and "trl:g:" in self.stack.redis_cli("keys", "trl:g:*"))
        self.check_problem(bob.get("/api/v1/me"), 401)

    def test_flushed_redis_changes_no_answer(self):
        bob = self.stack.sign_up("bob")
        self.ada.post(self.at + "/members", {"email": bob.email, "role": "viewer"})
        stop = threading.Event()

        def flush():
            while not stop.is_set():
                self.stack.redis_cli("flushall")

        thread = threading.Thread(target=flush)
        thread.start()
        try:
            for _ in range(50):
                self.assertEqual(bob.get(self.at).status, 200)
                self.check_problem(bob.patch(self.at, {"display_name": "B"}), 403)
            self.ada.delete(f"{self.at}/members/{bob.account['id']}")
            for _ in range(50):
                self.check_problem(bob.get(self.at), 404)
        finally:
            stop.set()
            thread.join()

    def test_a_hanging_redis_costs_time_and_no_answer(self):
        import signal
        self.stack.redis.send_signal(signal.SIGSTOP)
        try:
            for _ in range(5):
                self.assertEqual(self.ada.get(self.at).status, 200)
        finally:
            self.stack.redis.send_signal(signal.SIGCONT)
        self.recovers()

    def read_only(self, on):
        """As a standby that was a primary, for all sessions from here on."""
        change = "set default_transaction_read_only = on" if on else "reset default_transaction_read_only"
        self.stack.sql(f"begin; set transaction read write; alter database {self.stack.database} {change}; commit")
        self.stack.sql("select pg_terminate_backend(pid) from pg_stat_activity where"
                       " datname = current_database() and pid <> pg_backend_pid()")

    def test_a_postgresql_that_takes_no_writes_is_told_of(self):
        def told():
            answer = self.ada.get("/readyz")
            return answer.status == 503 and "takes no writes" in answer["detail"]

        self.read_only(True)
        try:
            wait_for("/readyz tells that writes are refused", told)
            self.assertEqual(self.ada.get(self.at).status, 200)
            refused = self.ada.patch("/api/v1/me", {"display_name": "Nobody"})
            self.check_problem(refused, 503, "UNAVAILABLE")
            self.assertIn("retry-after", refused.headers)
        finally:
            self.read_only(False)
        wait_for("/readyz is well", lambda: self.ada.get("/readyz").status == 200)
        self.recovers()

    def test_sessions_that_are_ended_all_the_time_cost_no_request(self):
        answers, stop = [], threading.Event()

        def ask(call):
            answer = call()
            if answer.status == 503 and self.stack.pooler:  # each try may meet another ended server of its
                answer = come_again(call)
            answers.append(answer)

        def work(person):
            while not stop.is_set():
                key = uuid.uuid4().hex
                ask(lambda: person.get("/api/v1/me"))
                ask(lambda: person.patch("/api/v1/me", {"display_name": "P"}, Idempotency_Key=key))
                ask(lambda: person.get("/api/v1/me/sessions"))
                stop.wait(0.01)  # connections are made anew meanwhile

        people = [self.stack.sign_up(f"t{i}") for i in range(4)]
        threads = [threading.Thread(target=work, args=(person,)) for person in people]
        for thread in threads:
            thread.start()
        try:
            for _ in range(10):
                count = len(answers)
                self.stack.sql("select pg_terminate_backend(pid) from pg_stat_activity where"
                               " datname = current_database() and pid <> pg_backend_pid()")
                wait_for("requests are answered", lambda: len(answers) > count + 24)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        self.assertEqual("".join(f"{answer}\n{self.stack.logs_of(answer['trace_id'])}"
                                 for answer in answers if answer.status != 200), "")

    def test_postgresql_restarts_under_writes(self):
        """Truthful 503s, and a key tells afterwards what happened."""
        sent, answers = [], {}
        stop = threading.Event()

        def write(person):
            while not stop.is_set():
                key = uuid.uuid4().hex
                body = {"display_name": f"Name {key}"}
                sent.append((person, key, body))
                try:
                    answers[key] = person.patch("/api/v1/me", body, Idempotency_Key=key)
                except OSError:
                    pass
                stop.wait(0.01)

        people = [self.stack.sign_up(f"p{i}") for i in range(4)]
        threads = [threading.Thread(target=write, args=(person,)) for person in people]
        for thread in threads:
            thread.start()
        for _ in range(3):
            time.sleep(0.2)
            count = len(answers)
            self.stack.proxy.shut()
            wait_for("writes are refused", lambda: any(
                answer.status == 503 for answer in list(answers.values())[count:]))
            self.stack.proxy.reopen()
            self.recovers()
        stop.set()
        for thread in threads:
            thread.join()
        statuses = {answer.status for answer in answers.values()}
        self.assertIn(503, statuses)
        self.assertLessEqual(statuses, {200, 503, 504})
        for answer in answers.values():
            if answer.status != 200:
                self.check_problem(answer, answer.status)
            if answer.status == 503:
                self.assertIn("retry-after", answer.headers)
                self.assertIn(answer["code"], ("UNAVAILABLE", "UNCERTAIN", "BUSY"))
        for person, key, body in sent:
            again = person.patch("/api/v1/me", body, Idempotency_Key=key)
            self.assertEqual(again.status, 200, again)
            self.assertEqual(again["display_name"], body["display_name"])
            before = answers.get(key)
            if before is not None and before.status == 200:
                self.assertEqual(again.json, before.json)
                self.assertEqual(again.headers["idempotency-replayed"], "true")

    def test_readiness_tells_that_postgresql_is_gone(self):
        anybody = self.stack.client()
        self.stack.proxy.shut()
        try:
            if self.stack.transport == "inproc":
                wait_for("it is not ready", lambda: anybody.get("/readyz").status == 503)
            self.assertEqual(anybody.get("/livez").status, 200)
            self.check_problem(self.ada.get(self.at), 503)
        finally:
            self.stack.proxy.reopen()
        wait_for("it is ready", lambda: anybody.get("/readyz").status == 200)
        self.recovers()

    def test_a_killed_service_comes_back_and_nothing_is_lost(self):
        name = "all" if self.stack.transport == "inproc" else "tenants"
        made = self.ada.post("/api/v1/tenants", {"slug": f"k-{uuid.uuid4().hex[:12]}", "display_name": "K"})
        self.assertEqual(made.status, 201)
        self.stack.kill_service(name)
        if name != "all":
            answer = self.ada.get(self.at)
            self.assertIn(answer.status, (503, 504), answer)
            self.check_problem(answer, answer.status)
            self.assertEqual(self.ada.get("/api/v1/me").status, 200)
        started = time.monotonic()
        self.stack.start_service(name)

        def answers():
            try:
                return self.ada.get(f"/api/v1/tenants/{made['id']}").status == 200
            except OSError:
                return False
        wait_for("the service answers", answers)
        print(f"(killed {name}: answers after {(time.monotonic() - started) * 1000:.0f} ms)", end=" ", flush=True)


if __name__ == "__main__":
    unittest.main()
