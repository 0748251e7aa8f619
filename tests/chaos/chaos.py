"""chaos.py - load on the whole mesh while its parts are killed, frozen and cut; then
everything must be as the answers said.

    chaos.py FOLDER [--seed N] [--seconds N] [--aim SERVICE] [--no-notices] [--keep]

FOLDER holds the binaries (build/services). The run makes a PostgreSQL and a Redis of its
own and starts two processes of each service under a supervisor (fleet.py). Companies sign
people up, invite, rename, make keys and register webhooks (load.py, company.py, people.py,
sides.py, endpoints.py), and customers subscribe, change and pay, some by a clock that the
operator moves (customers.py, bank.py), every write under an Idempotency-Key, and a journal keeps what was
answered (journal.py). Meanwhile faults come by a schedule that is drawn from the seed
(troubles.py): processes killed with -9, single and all of a service, and frozen;
PostgreSQL restarted as by pg_ctl -m immediate, and cut off; Redis killed, emptied, frozen
and without memory; messages between services delayed, said twice, held back, their
connections cut (wire.py). A quarter of the processes, or with --no-notices all, tell no
notices.

In the end the faults are taken away, everything comes to rest, and the database is held
against the journal (verdict.py, happenings.py, money.py), and with it what a receiver of webhooks
got that is none of the best (receiver.py), what open streams showed (watcher.py) and what
lies in the mailbox.

To replay: the seed is printed first, and `--seed N --seconds N` gives the same schedule
of faults and the same choices of each person. When they meet is the machine's affair, so
a rare failure may take several replays; nothing in the verdict depends on time. With --aim
the faults of single processes go to those of one service. --keep
leaves the folder with all logs."""
import argparse
import os
import secrets
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "mesh")]

from bank import SCALE, Bank
from fleet import Fleet
from journal import Journal
from load import Mailbox, World
from money import Money
from receiver import Receiver
from common import SERVICES
from troubles import Troubles
from verdict import Verdict, comes_to_rest

SETTINGS = {
    "TRELLIS_RATE_SCALE": str(SCALE),
    "TRELLIS_ARGON2_MEMORY_KIB": "19456",
    "TRELLIS_ARGON2_PASSES": "2",
    "TRELLIS_WEBHOOK_ALLOW_CIDRS": "127.0.0.0/8",
    "TRELLIS_BILLING_PROVIDER": "test",
}
KNOWN_S, REST_S = 90, 120


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1 << 31))
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--aim", choices=SERVICES)
    parser.add_argument("--no-notices", action="store_true")
    parser.add_argument("--keep", action="store_true")
    return parser.parse_args()


def main():
    wanted = options()
    began = time.monotonic()

    def say(*words):
        print(f"{time.monotonic() - began:6.1f} s ", *words, flush=True)
    replay = (f"replay: --seed {wanted.seed} --seconds {wanted.seconds:g}"
              + (f" --aim {wanted.aim}" if wanted.aim else "")
              + (" --no-notices" if wanted.no_notices else ""))
    say(replay)
    fleet = Fleet(os.path.abspath(wanted.folder), wanted.seed, not wanted.no_notices, **SETTINGS)
    receiver, verdict, bad = Receiver(wanted.seed), None, []
    try:
        fleet.start()
        say("the mesh is ready")
        journal = Journal(fleet.ports)
        bank = Bank(fleet, wanted.seed)
        bank.open()
        world = World(journal, Mailbox(fleet.mail), receiver, bank, wanted.seed)
        world.start()
        troubles = Troubles(fleet, wanted.seed, wanted.seconds, wanted.aim)
        troubles.start()
        troubles.join()
        fleet.heal()
        receiver.capricious = False
        say("troubles are over:", *(f"{kind} {n}" for kind, n in sorted(troubles.done.items())),
            f"; {fleet.starts - len(fleet.instances)} processes were started anew"
            f" ({fleet.refused_starts} found no PostgreSQL),",
            f"{sum(w.repeated for w in fleet.wires.values())} messages said again,",
            f"{sum(w.delayed for w in fleet.wires.values())} delayed")
        world.end(KNOWN_S)
        done = [e for e in journal.entries if e.acknowledged]
        say(f"{len(journal.entries)} writes, {len(done)} acknowledged, "
            f"{sum(1 for e in journal.entries if e.asks > 1)} of them asked for again, "
            f"{journal.replays} replayed, {journal.reads} reads")
        say(f"{bank.steps} steps by clocks that were moved on {bank.moves} times and did not answer "
            f"{bank.refused} times; {Money.sums(fleet)}")
        comes_to_rest(fleet, world, REST_S)
        say(f"everything is at rest; {len(receiver.got)} webhooks came, "
            f"{sum(1 for got in receiver.got if got[3] != 204)} of them were not taken; streams were "
            f"opened {sum(c.watcher.opened for c in world.companies)} times and showed "
            f"{sum(len(c.watcher.ids) for c in world.companies)} events")
        verdict = Verdict(fleet, world, journal).all()
    finally:
        if verdict is None or verdict.wrong:
            print(fleet.logs())
        if wanted.keep:
            say(f"kept: {fleet.folder}")
        bad = fleet.stop(wanted.keep)
        receiver.close()
    for sentence in verdict.passed:
        say("ok:", sentence)
    for sentence in verdict.wrong + bad:
        say(sentence)
    say("all is as was promised" if not verdict.wrong and not bad else
        f"FAILED; {replay}")
    return 1 if verdict.wrong or bad else 0


if __name__ == "__main__":
    sys.exit(main())
