"""npm.py - what tests need from npm, in the versions that are locked in a folder of theirs. It
is kept in a cache outside of the tree."""
import fcntl
import filecmp
import json
import os
import shutil
import subprocess


def modules(folder):
    """The folder with node_modules of what FOLDER's package-lock.json names."""
    with open(os.path.join(folder, "package.json"), encoding="utf-8") as file:
        name = json.load(file)["name"]
    cache = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.join(
        os.environ.get("HOME", "/var/tmp"), ".cache"), name)
    os.makedirs(cache, exist_ok=True)
    with open(os.path.join(cache, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ours, installed = (os.path.join(folder, name) for folder, name in (
            (folder, "package-lock.json"), (cache, "installed")))
        if not os.path.exists(installed) or not filecmp.cmp(ours, installed, shallow=False):
            for name in ("package.json", "package-lock.json"):
                shutil.copy(os.path.join(folder, name), cache)
            subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
                           cwd=cache, check=True, stdout=subprocess.DEVNULL)
            shutil.copy(ours, installed)
    return cache
