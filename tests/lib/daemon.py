#!/usr/bin/python3
"""daemon: a rallocd of its own for tests in other languages: temp folder, free port, embedded Redis.

In Python: `with Daemon() as daemon:` and daemon.port.  As a program, for scripts in whatever
language: tests/lib/daemon.py COMMAND ... runs COMMAND with the daemon's port in $PORT (and the path
of its Unix socket in $SOCKET), stops it, and ends with COMMAND's exit status.
Knows: the daemon's settings, systemd's READY message.
"""
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

DEADLINE_S = 30 * int(os.environ.get("CK_TIMEOUT_MULTIPLIER", "1"))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Daemon:
    def __init__(self, *settings, program=None, environment=None):
        self.program = program or os.environ.get("RALLOCD", "build/release/rallocd")
        self.settings = settings
        self.environment = environment or {}

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="rallocd-")
        self.port = free_port()
        self.socket = self.folder + "/rallocd.sock"
        self.log = self.folder + "/log"
        try:
            self.start()
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def start(self):
        ready = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        ready.settimeout(0.1)
        ready.bind(self.folder + "/notify")
        command = [
            self.program,
            f"--server.listen=127.0.0.1:{self.port},unix:{self.socket}",
            f"--redis.state_dir={self.folder}/state",
            *self.settings,
        ]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **self.environment, "NOTIFY_SOCKET": self.folder + "/notify"})
        deadline = time.monotonic() + DEADLINE_S
        try:
            while not self.is_ready(ready):
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("the daemon did not become ready")
        finally:
            ready.close()
            os.unlink(self.folder + "/notify")

    @staticmethod
    def is_ready(notifications):
        try:
            return b"READY=1" in notifications.recv(4096)
        except socket.timeout:
            return False

    def stop(self):
        """Stops it in order and returns its exit status."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return "SIGKILL, for it did not end"

    def __exit__(self, kind, value, trace):
        process = getattr(self, "process", None)
        status = self.stop() if process else None
        failed = kind is not None or status != 0
        if failed and os.path.exists(self.log):
            sys.stderr.write(f"--- log of the daemon, which ended with {status}:\n")
            with open(self.log, encoding="utf-8", errors="replace") as log:
                sys.stderr.write(log.read())
        shutil.rmtree(self.folder, ignore_errors=True)
        if kind is None and status != 0:
            raise RuntimeError(f"the daemon ended with {status}")


def main():
    with Daemon() as daemon:
        status = subprocess.call(
            sys.argv[1:],
            env={**os.environ, "PORT": str(daemon.port), "SOCKET": daemon.socket})
        if status != 0:
            raise SystemExit(status)


if __name__ == "__main__":
    main()
