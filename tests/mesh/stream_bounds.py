"""stream_bounds.py - event streams where there is much of all: many streams of one
caller, many entries at once, entries as large as there are. What the edge holds of a
round does not grow with them: each gets everything, and the edge lives."""
import unittest
import uuid

from stream import SEE, StreamCase

LARGEST = '{"a":"' + "x" * (40000 - 8) + '"}'  # characters of an entry's data, by the contract


class Bounds(StreamCase):
    settings = {**StreamCase.settings, "TRELLIS_HTTP_MAX_STREAMS_PER_CALLER": "700"}

    def open_many(self, n, person, tenant):
        streams = [self.open(person, tenant) for _ in range(n)]
        self.assertEqual({s.status for s in streams}, {200})
        return streams

    def found(self, name):
        person = self.stack.sign_up(name)
        return person, self.stack.found(person)

    def test_many_streams_of_one_caller_all_get_a_burst(self):
        """600 streams, more than are looked at together, and 60 entries: 36,000 texts of
        800 bytes."""
        person, tenant = self.found("many")
        streams = self.open_many(600, person, tenant)
        ids = self.feed(60, tenant=tenant, data='{"a":"' + "x" * 700 + '"}')
        for stream in streams:
            stream.wait_for(ids[-1])
            self.assertEqual(stream.ids(), ids)
            stream.close()

    def test_a_round_of_the_largest_entries_reaches_several_streams(self):
        person, tenant = self.found("large")
        streams = self.open_many(5, person, tenant)
        ids = self.feed(150, tenant=tenant, data=LARGEST)
        for stream in streams:
            stream.wait_for(ids[-1])
            self.assertEqual(stream.ids(), ids)
            stream.close()

    def test_what_is_for_nobody_here_is_not_read_for_many_streams_of_one(self):
        """450 entries of another account, as large as there are, beside one that is
        for a caller with 250 streams."""
        person, tenant = self.found("wide")
        streams = self.open_many(250, person, tenant)
        own = str(uuid.uuid4())
        others = [str(uuid.uuid4()) for _ in range(450)]
        self.leave(self.insert([own], tenant, person.account["id"], None, "{}"),
                   self.insert(others, tenant, str(uuid.uuid4()), None, LARGEST))
        last, = self.feed(tenant=tenant, permission=SEE)
        for stream in streams:
            stream.wait_for(last)
            self.assertEqual(stream.ids(), [own, last])
            stream.close()

    def test_a_thousand_large_entries_that_were_missed_come(self):
        person, tenant = self.found("late")
        stream = self.open(person, tenant)
        first, = self.feed(tenant=tenant)
        stream.wait_for(first)
        stream.close()
        missed = self.feed(900, tenant=tenant, data=LARGEST)
        last, = self.feed(tenant=tenant)
        witness = self.open(person, tenant)  # all have their numbers
        seen, = self.feed(tenant=tenant)
        witness.wait_for(seen)
        again = self.open(person, tenant, Last_Event_ID=first)
        again.wait_for(last)
        self.assertEqual([i for i in again.ids() if i != seen], [*missed, last])


if __name__ == "__main__":
    unittest.main()
