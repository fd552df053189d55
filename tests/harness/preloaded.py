"""Servers with a small library before libc: one whose wall clock a test can turn, one whose disk a test can fill.

Clients keep the real time: stay within 15 minutes of it.
"""

import pathlib
import subprocess

from .server import Server


def library(name, directory):
    """Compiles a preloaded library into a directory."""
    made = directory / f"{name}.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(made), str(pathlib.Path(__file__).with_name(f"{name}.c")), "-ldl"], check=True)
    return str(made)


def fillable_server(directory):
    """A server, not started, with `fill(True)` after which no byte fits on its disk, and `fill(False)`."""
    flag = directory / "disk-is-full"
    made = Server(directory / "data", environment={"LD_PRELOAD": library("disk", directory), "TEST_DISK_FULL": str(flag)})
    made.fill = lambda full: flag.touch() if full else flag.unlink()
    return made


def turned_server(directory):
    """A server, not started, with `turn(seconds)` that sets its clock so far from the real one."""
    seconds = directory / "clock.txt"
    seconds.write_text("0")
    made = Server(directory / "data", environment={"LD_PRELOAD": library("clock", directory), "TEST_CLOCK_FILE": str(seconds)})

    def turn(offset):
        """Replaces the file in one step, so that no reading sees it half written."""
        beside = directory / "clock.new"
        beside.write_text(str(offset))
        beside.rename(seconds)

    made.turn = turn
    return made
