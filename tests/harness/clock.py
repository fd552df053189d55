"""A server whose wall clock a test can turn, so that sessions expire without waiting. Clients keep the real time: stay within 15 minutes of it."""

import pathlib
import subprocess

from .server import Server

SOURCE = pathlib.Path(__file__).with_name("clock.c")


def turned_server(directory):
    """A server, not started, with `turn(seconds)` that sets its clock so far from the real one."""
    library, seconds = directory / "clock.so", directory / "clock.txt"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl"], check=True)
    seconds.write_text("0")
    made = Server(directory / "data", environment={"LD_PRELOAD": str(library), "TEST_CLOCK_FILE": str(seconds)})

    def turn(offset):
        """Replaces the file in one step, so that no reading sees it half written."""
        beside = directory / "clock.new"
        beside.write_text(str(offset))
        beside.rename(seconds)

    made.turn = turn
    return made
