"""run.py - runs the stories of modules against the binaries of a build folder:
run.py FOLDER TRANSPORT module[.Class[.story]]..."""
import os
import sys
import unittest

if __name__ == "__main__":
    folder, transport, *names = sys.argv[1:]
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    os.environ["MESH_BINARIES"], os.environ["MESH_TRANSPORT"] = os.path.abspath(folder), transport
    unittest.main(module=None, argv=["mesh", "-v", *names], warnings="ignore")
