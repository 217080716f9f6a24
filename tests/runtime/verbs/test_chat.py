"""A conversation at a terminal and over a pipe."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from attar.runtime.cli import main
from attar.runtime.verbs.chat import _printable

COMMAND = [sys.executable, "-c", "from attar.runtime.cli import main; main()", "chat"]
_LEADER = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""
NOT_FOUND = "I have no record that this question names."


def piped(text: str | bytes, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["chat", *arguments], input=text)


class Terminal:
    """A chat whose standard input and output are a terminal."""

    def __init__(self, *arguments: str) -> None:
        self.master, slave = pty.openpty()
        # A session whose terminal this is, so that Ctrl-C reaches it as a signal.
        leader = [sys.executable, "-c", _LEADER, *COMMAND[1:], *arguments]
        self.process = subprocess.Popen(leader, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
        os.close(slave)
        self.shown = ""

    def until(self, text: str, seconds: float = 60) -> str:
        """What is shown up to this text, from where it was last read to."""
        limit = time.monotonic() + seconds
        while text not in self.shown:
            assert time.monotonic() < limit, self.shown
            self.shown += os.read(self.master, 65536).decode(errors="replace")
        before, _, self.shown = self.shown.partition(text)
        return before

    def rest(self) -> str:
        """What a chat that has ended left to read."""
        with suppress(OSError):  # the end of a terminal
            while piece := os.read(self.master, 65536):
                self.shown += piece.decode(errors="replace")
        return self.shown

    def say(self, text: str) -> str:
        """What is shown in answer to a line."""
        self.type(text + "\r")
        return self.until("> ")

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def leave(self, text: str) -> int:
        """The exit code after these keys; typed again if GNU readline lost the first between prompt and wait."""
        for _ in range(6):
            self.type(text)
            with suppress(subprocess.TimeoutExpired):
                return self.process.wait(timeout=10)
        raise AssertionError(self.shown)


def test_each_line_of_a_pipe_has_one_line_of_answer(bundle_folder: Path) -> None:
    claim = "Is it true that the country of Aarhus is Denmark?"
    done = piped(f"Where is Atlantis?\n\n  \n{claim}\nIs it true that its country is Ireland?", str(bundle_folder))
    assert done.exit_code == 0, done.stderr
    assert done.stdout.splitlines() == [
        NOT_FOUND,
        "Supported (country: Denmark).",
        "Contradicted (country: Denmark).",
    ]


def test_what_would_steer_a_terminal_is_not_printed() -> None:
    assert _printable("\x1b]0;title\x07Århus 東京\tü\n\u202e") == "\ufffd]0;title\ufffdÅrhus 東京\tü\n\ufffd"


def test_with_json_each_line_is_one_object_with_the_check(bundle_folder: Path) -> None:
    done = piped(b"Where is Cork?\nSummarize \xff Aarhus\n", str(bundle_folder), "--json")
    first, second = map(json.loads, done.stdout.splitlines())
    assert list(first) == ["question", "answer", "record", "candidates", "route", "check", "checked_by", "evidence"]
    assert first["candidates"] == ["Cork (IE)", "Cork (US)"]
    assert second["record"] == "city:Aarhus\ncountry:Denmark"


def test_without_the_team_there_is_no_route_and_no_check(bundle_folder: Path) -> None:
    done = piped("Summarize Aarhus.\nAnd now?\n", str(bundle_folder), "--no-team", "--json")
    values = [json.loads(line) for line in done.stdout.splitlines()]
    assert [list(value) for value in values] == [["question", "answer", "record", "candidates"]] * 2
    assert values[1]["record"] == values[0]["record"]


def test_a_broken_bundle_is_told_before_the_first_question(tmp_path: Path) -> None:
    done = piped("", str(tmp_path))
    assert done.exit_code == 5
    assert "no bundle here" in done.stderr


def test_a_conversation_at_a_terminal(bundle_folder: Path) -> None:
    chat = Terminal(str(bundle_folder))
    assert "/help" in chat.until("> ")
    assert "No record was read yet." in chat.say("/record")
    assert "not in the records, says the record" in chat.say("Where is Atlantis?")
    assert "Supported (country: Denmark)." in chat.say("Is it true that the country of Aarhus is Denmark?")
    assert "city:Aarhus\r\ncountry:Denmark" in chat.say("/record")
    assert "Contradicted (country: Denmark)." in chat.say("Is it true that its country is Ireland?")
    assert "from Cork (IE), 1 more of that name, such as Cork (US)" in chat.say("Where is Cork?")
    assert "/quit" in chat.say("/help")
    assert "no such command" in chat.say("/leave")
    assert "Error: " in chat.say("word " * 700)
    assert "from Aarhus" in chat.say("Where is Aarhus?")
    assert chat.leave("/quit\r") == 0


@pytest.mark.parametrize(("key", "code"), [("\x04", 0), ("\x03", 130)])
def test_ctrl_d_and_ctrl_c_leave_without_a_traceback(bundle_folder: Path, key: str, code: int) -> None:
    chat = Terminal(str(bundle_folder), "--no-team")
    chat.until("> ")
    time.sleep(0.2)
    assert chat.leave(key) == code
    left = chat.rest()
    assert "Traceback" not in left
    assert ("Interrupted" in left) == (code == 130)
