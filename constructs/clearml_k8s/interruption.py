"""The end of a program that is interrupted; imports next to nothing, so that it can come first."""

import os
import signal
import sys
from contextlib import suppress


def end_in_one_line_when_interrupted() -> None:
    """Let SIGINT and SIGTERM end the process with one line, and with the status of shells."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupted)


def _interrupted(number: int, _: object) -> None:
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)  # the end is near, and is to be tidy
    with suppress(OSError):
        os.write(2, b"interrupted\n")  # print must not be called inside of print
    silence()
    sys.exit(128 + number)


def silence() -> None:
    """Drop what comes to stdout and stderr from now on, such as what jsii says at its end."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
