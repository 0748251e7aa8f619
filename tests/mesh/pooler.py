"""pooler.py - PgBouncer before PostgreSQL, in transaction mode: that it is noticed, and
what it takes along when it or its servers go."""
import subprocess
import threading
import unittest
import uuid

from case import MeshCase
from common import free_port, wait_for
from pg_door import Pooler


class Pooled(MeshCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ada = cls.stack.sign_up("ada")
        cls.at = f"/api/v1/tenants/{cls.stack.found(cls.ada)}"

    def test_it_is_noticed_and_its_servers_are_fewer_than_our_connections(self):
        with open(self.stack.log_path("tenants")) as file:
            self.assertTrue(any("PostgreSQL is behind a pooler" in line for line in file))
        servers = int(self.stack.sql_value(
            "select count(*) from pg_stat_activity where datname = current_database()"
            " and usename = 'tenants_app'"))
        self.assertLessEqual(servers, 3)

    def test_tenants_do_not_see_each_other_on_shared_servers(self):
        people = [self.stack.sign_up(f"p{i}") for i in range(6)]
        homes = [self.stack.found(person, f"Home {i}") for i, person in enumerate(people)]
        wrong = []

        def look(i):
            for _ in range(30):
                answer = people[i].get("/api/v1/tenants")
                if answer.status != 200 or [item["id"] for item in answer["items"]] != [homes[i]]:
                    wrong.append(answer)
                foreign = people[i].get(f"/api/v1/tenants/{homes[i - 1]}")
                if foreign.status != 404:
                    wrong.append(foreign)

        threads = [threading.Thread(target=look, args=(i,)) for i in range(len(people))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])

    def test_nothing_of_ours_stays_in_a_server(self):
        """Each of the pooler's servers, as the next client of it would find it."""
        for _ in range(20):
            self.assertEqual(self.ada.get(self.at).status, 200)
        url = f"postgresql:///{self.stack.database}?host={self.stack.pooler.folder}&port=6432&user=tenants_app"
        shown = subprocess.run(
            ["psql", url, "-qXAtc", "select current_setting('trellis.tenant_id', true),"
             " current_setting('transaction_read_only'), current_setting('search_path'),"
             " (select count(*) from pg_prepared_statements)"],
            check=True, capture_output=True, text=True).stdout.strip()
        tenant, read_only, path, prepared = shown.split("|")
        self.assertEqual((tenant, read_only, prepared), ("", "off", "0"))
        self.assertNotIn("tenants", path)

    def each_write_happens_once(self, disturb):
        """People write while something is done; gives the answers, all true."""
        stop, sent, answers = threading.Event(), [], []

        def write(person):
            while not stop.is_set():
                key = uuid.uuid4().hex
                sent.append((person, key))
                answers.append(person.patch("/api/v1/me", {"display_name": f"Name {key}"},
                                            Idempotency_Key=key))
                stop.wait(0.01)  # servers are made anew meanwhile

        people = [self.stack.sign_up(f"w{i}") for i in range(4)]
        threads = [threading.Thread(target=write, args=(person,)) for person in people]
        for thread in threads:
            thread.start()
        try:
            for _ in range(5):
                count = len(answers)
                disturb()
                wait_for("writes go on", lambda: len(answers) > count + 8)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        for person, key in sent:
            again = person.patch("/api/v1/me", {"display_name": f"Name {key}"}, Idempotency_Key=key)
            self.assertEqual(again.status, 200, again)
        return answers

    def test_servers_that_end_under_writes_cost_none(self):
        def end_all():
            self.stack.sql("select pg_terminate_backend(pid) from pg_stat_activity where"
                           " datname = current_database() and pid <> pg_backend_pid()")

        answers = self.each_write_happens_once(end_all)
        # One that meets such a server at each of its tries is told to come again.
        self.assertLessEqual({answer.status for answer in answers}, {200, 503})
        self.assertIn(200, {answer.status for answer in answers})

    def test_a_pooler_that_starts_anew_is_found_again(self):
        def restart():
            self.stack.pooler.kill()
            self.stack.pooler.start()

        answers = self.each_write_happens_once(restart)
        self.assertLessEqual({answer.status for answer in answers}, {200, 503, 504})
        wait_for("the mesh answers", lambda: self.ada.get(self.at).status == 200)

    def test_a_column_changes_its_type_meanwhile(self):
        self.stack.sql("alter table tenants.tenant alter version type numeric")
        self.stack.sql("alter table tenants.tenant alter version type bigint")
        self.assertEqual(self.ada.get(self.at).status, 200)

    def test_one_that_pools_by_statement_stops_the_start(self):
        target = self.stack.pooler.target
        pooler = Pooler(target, ["auth_app", "auth_sys"], "statement")
        try:
            url = f"postgresql:///{self.stack.database}?host={pooler.folder}&port=6432"
            env = {**self.stack.environment("auth"), "TRELLIS_PG_URL": url}
            for name in [name for name in env if "LISTEN" in name and name != "TRELLIS_HTTP_LISTEN"]:
                address, _, _ = env[name].rpartition(":")
                env[name] = f"{address}:{free_port()}"
            done = subprocess.run([self.stack.binary("auth")], env=env, capture_output=True,
                                  text=True, timeout=20)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("it pools by statement", done.stderr, done.stderr)
        finally:
            pooler.stop()


if __name__ == "__main__":
    unittest.main()
