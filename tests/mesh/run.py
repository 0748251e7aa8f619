"""run.py - runs the stories of modules against the binaries of a build folder:
run.py FOLDER TRANSPORT module[.Class[.story]]...

Every answer has a deadline, and a machine that stands still for seconds (a disk that is
written full, too many others) lets them pass. So stalls.py watches the machine meanwhile;
stories that failed while it stood still are run again, in meshes of their own, and that
is said. Where the machine went on they have failed."""
import os
import sys
import unittest

TRIES = 3
STILL = 1.0  # seconds; requests have five, and what they wait for less


def run(names):
    """The names of the stories that failed, and for how long the machine stood still."""
    from common import needed
    from pg_door import place_of
    from stalls import Stalls
    stalls = Stalls(*place_of(needed("TRELLIS_TEST_PG_ADMIN_URL")))
    result = unittest.main(module=None, argv=["mesh", "-v", *names], warnings="ignore", exit=False).result
    bad = [case.id() for case, _ in result.failures + result.errors]
    # What failed before its first story (setUpClass) has no story's name: all of it again.
    again = bad if all(name.count(".") == 2 and " " not in name for name in bad) else names
    return again if not result.wasSuccessful() else [], stalls.longest()


def main(names):
    for attempt in range(1, TRIES + 1):
        failed, still = run(names)
        if not failed:
            return 0
        if still < STILL or attempt == TRIES:
            return 1
        print(f"The machine stood still for {still:.1f} s meanwhile; once more: {' '.join(failed)}", flush=True)
        names = failed


if __name__ == "__main__":
    folder, transport, *stories = sys.argv[1:]
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    os.environ["MESH_BINARIES"], os.environ["MESH_TRANSPORT"] = os.path.abspath(folder), transport
    sys.exit(main(stories))
