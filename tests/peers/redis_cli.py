#!/usr/bin/python3
"""redis_cli: the daemon through redis-cli: in a terminal of its own, with hints and completion from
COMMAND DOCS, and without one, in its modes for scripts."""
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
import unittest

sys.path.insert(0, "tests/lib")
from daemon import DEADLINE_S, Daemon  # noqa: E402

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


class Terminal:
    """redis-cli as a person has it before him."""

    def __init__(self, *words):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            # without a size it would ask the terminal for one
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 200, 0, 0))
            os.environ.update(TERM="xterm", HOME="/nonexistent")
            os.execvp("redis-cli", ["redis-cli", *words])
        self.shown = ""

    def type(self, text):
        os.write(self.fd, text.encode())

    def wait_for(self, *texts):
        """Reads until the texts are there, one behind the other; returns what came up to then."""
        pattern = re.compile(".*".join(map(re.escape, texts)), re.S)
        deadline = time.monotonic() + DEADLINE_S
        while not pattern.search(ESCAPES.sub("", self.shown)):
            left = max(0, deadline - time.monotonic())
            if not select.select([self.fd], [], [], left)[0]:
                raise AssertionError(f"{texts} are not in {self.shown!r}")
            self.shown += os.read(self.fd, 65536).decode(errors="replace")
        shown, self.shown = ESCAPES.sub("", self.shown), ""
        return shown

    def close(self):
        os.close(self.fd)
        os.waitpid(self.pid, 0)


class RedisCli(unittest.TestCase):
    def setUp(self):
        self.daemon = Daemon().__enter__()
        self.addCleanup(lambda: self.daemon.__exit__(None, None, None))

    def cli(self, *words, stdin=None):
        done = subprocess.run(["redis-cli", "-p", str(self.daemon.port), *words], input=stdin,
                              capture_output=True, text=True, timeout=DEADLINE_S, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def terminal(self):
        terminal = Terminal("-p", str(self.daemon.port))
        self.addCleanup(terminal.close)
        terminal.wait_for(f"127.0.0.1:{self.daemon.port}> ")
        return terminal

    def test_a_session_in_a_terminal(self):
        terminal = self.terminal()
        for line, reply in [
                ("POOL EXTEND gpus gpu-0", "(integer) 1\n"),
                ("malloc gpus", '"gpu-0"\n'),
                ("MALLOC gpus", "(nil)\n"),
                ("MALLOC gpus TIMEOUT x", "(error) ERR ")]:
            terminal.type(line + "\r")
            # what is typed before the next prompt is thrown away
            terminal.wait_for(reply, f"127.0.0.1:{self.daemon.port}> ")

    def test_hints_show_our_commands_and_options(self):
        terminal = self.terminal()
        terminal.type("MALLOC ")
        hint = terminal.wait_for("[WITHTOKEN]")
        for words in ["pool", "[TIMEOUT seconds]", "[NAME name]", "[OWNER id]", "[REQID id]"]:
            self.assertIn(words, hint)

    def test_hints_show_subcommands(self):
        terminal = self.terminal()
        terminal.type("POOL EXTEND ")
        terminal.wait_for("pool [TIMEOUT seconds] [PRIORITY n] [CAPACITY n] resource")

    def test_tab_completes_our_commands(self):
        terminal = self.terminal()
        terminal.type("POOL FREEL\t")
        terminal.wait_for("POOL FREELIST")

    def test_help_explains_a_command(self):
        terminal = self.terminal()
        terminal.type("help renew\r")
        self.assertIn("Gives a lease a new deadline.", terminal.wait_for("group:"))

    def test_resp3_maps_are_printed_as_maps(self):
        self.cli("POOL", "EXTEND", "p", "a")
        said = self.cli("-3", "--no-raw", "POOL", "STATUS", "p", "a")
        self.assertIn('1# "state" => "free"', said)

    def test_raw_csv_and_json_output(self):
        self.cli("POOL", "EXTEND", "p", "a", "b")
        self.assertEqual(self.cli("POOL", "FREELIST", "p"), "a\nb\n")
        self.assertEqual(self.cli("--csv", "POOL", "FREELIST", "p"), '"a","b"\n')
        self.assertEqual(self.cli("-3", "--json", "POOL", "FREELIST", "p"), '["a","b"]\n')

    def test_an_argument_from_stdin(self):
        self.assertEqual(self.cli("-x", "POOL", "EXTEND", "p", stdin="from stdin"), "1\n")
        self.assertEqual(self.cli("POOL", "KEYS", "p"), "from stdin\n")

    def test_mass_insertion_by_pipe(self):
        requests = "".join(f"POOL EXTEND p r{i}\r\n" for i in range(20000))
        self.assertIn("errors: 0, replies: 20000", self.cli("--pipe", stdin=requests))
        self.assertEqual(self.cli("POOL", "LEN", "p"), "20000\n")

    def test_repeating_a_command(self):
        self.assertEqual(self.cli("-r", "3", "PING"), "PONG\n" * 3)

    def test_unix_socket_and_password(self):
        with Daemon("--server.requirepass=secret") as daemon:
            said = subprocess.run(
                ["redis-cli", "-s", daemon.socket, "-a", "secret", "--no-auth-warning", "PING"],
                capture_output=True, text=True, timeout=DEADLINE_S, check=True).stdout
        self.assertEqual(said, "PONG\n")


if __name__ == "__main__":
    result = unittest.main(exit=False).result
    failures = len(result.errors) + len(result.failures)
    print(f"{result.testsRun - failures} passed, {failures} failed")
    sys.exit(1 if failures else 0)
