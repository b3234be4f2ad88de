#!/usr/bin/python3
"""readme: every block of README.md does what it says, on a daemon of its own.

Each session is typed into a redis-cli of its own line by line; a token stands for the one that really
came, and times to live may have shrunk a little. Shell lines that would change the machine run in a form that
does not (see SHELL). A block or a shell line that nothing here knows how to run is a failure.
"""
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, "tests/lib")
from daemon import DEADLINE_S, Daemon, free_port  # noqa: E402

PROMPT = "127.0.0.1:7411> "
TOKEN = re.compile(r'"([0-9]+-[A-Za-z0-9_-]{22}(?:\.[0-9]+)?)"')
NUMBER = re.compile(r"\(integer\) ([0-9]{4,})$")


def blocks(text):
    """(line number, language, lines) of each fenced block."""
    fence = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
    for match in fence.finditer(text):
        line = text.count("\n", 0, match.start()) + 2
        yield line, match.group(1), match.group(2).splitlines()


def run(command, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S * 10,
                          check=True, **options).stdout


# --- sessions --------------------------------------------------------------------------------------


def is_same(expected, real, tokens):
    """One line of a reply. Learns which real token stands for the one in the text."""
    if expected == real:
        return True
    want, got = TOKEN.search(expected), TOKEN.search(real)
    if want and got:
        tokens[want.group(1)] = got.group(1)
        return expected.replace(want.group(1), "") == real.replace(got.group(1), "")
    want, got = NUMBER.search(expected), NUMBER.search(real)
    if want and got:
        if len(want.group(1)) >= 16:  # a fence
            return len(got.group(1)) == len(want.group(1))
        return 0 <= int(want.group(1)) - int(got.group(1)) <= 2000
    return False


def ask(cli, command):
    """The lines of its reply: those before the answer to what is asked behind it."""
    cli.stdin.write(f"{command}\nECHO that-was-it\n")
    cli.stdin.flush()
    reply = []
    for line in cli.stdout:
        if line == '"that-was-it"\n':
            break
        if not re.fullmatch(r"\(\d+\.\d\ds\)\n", line):  # how long it took
            reply.append(line.rstrip("\n"))
    while reply and not reply[-1]:
        reply.pop()
    return reply


def check_session(lines, port):
    tokens = {}
    steps = []
    for line in lines:
        if line.startswith(PROMPT):
            steps.append((line[len(PROMPT):], []))
        else:
            steps[-1][1].append(line)
    with subprocess.Popen(["redis-cli", "--no-raw", "-p", str(port)], text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as cli:
        for command, expected in steps:
            for shown, real in tokens.items():
                command = command.replace(shown, real)
            reply = ask(cli, command)
            if len(reply) != len(expected) or not all(
                    is_same(want, got, tokens) for want, got in zip(expected, reply)):
                cli.kill()
                raise AssertionError("\n".join(
                    [f"{command}", "README says:", *expected, "but it was:", *reply]))
        cli.stdin.close()


# --- shell lines -----------------------------------------------------------------------------------


def make(*words):
    out = os.environ["OUT"]
    variant = os.path.basename(out)
    build = variant if variant in ("release", "asan", "valgrind") else "release"
    return ["make", "--no-print-directory", f"OUT={out}", f"BUILD={build}", *words]


def check_make_run(_, folder):
    """It starts a daemon that answers, and names the port in the line to type next."""
    port = free_port()
    process = subprocess.Popen(make("run", f"PORT={port}", f"STATE={folder}/state"),
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, start_new_session=True)
    said = ""
    try:
        for line in process.stdout:
            said += line
            if "ready" in line:
                break
        assert f"redis-cli -p {port}" in said, said
        assert run(["redis-cli", "-p", str(port), "ping"]) == "PONG\n", said
        run(["redis-cli", "-p", str(port), "shutdown"])
        said += process.stdout.read()
        assert process.wait(DEADLINE_S) == 0, said
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        process.stdout.close()


def check_install(line, folder):
    words = line.split()[2:]
    run(make(*words, f"DESTDIR={folder}"))
    for path in ["usr/bin/rallocd", "etc/rallocd/rallocd.conf",
                 "usr/lib/systemd/system/rallocd.service", "usr/share/doc/rallocd/README.md"]:
        assert os.path.exists(f"{folder}/{path}"), f"make install does not install {path}"
    with open(f"{folder}/etc/rallocd/rallocd.conf", "a", encoding="utf-8") as conf:
        conf.write("# mine\n")
    run([f"{folder}/usr/bin/rallocd", "-c", f"{folder}/etc/rallocd/rallocd.conf", "--check"])
    run(make(*words, f"DESTDIR={folder}"))
    with open(f"{folder}/etc/rallocd/rallocd.conf", encoding="utf-8") as conf:
        assert conf.read().endswith("# mine\n"), "make install overwrites the configuration"


def check_systemctl(line, _):
    unit = line.split()[-1]
    assert unit == "daemon-reload" or os.path.exists(f"systemd/{unit}.service"), line


def check_docker(line, _):
    """docker.py executes the Dockerfile's steps; here: do the words of this line fit it?"""
    with open("docker/Dockerfile", encoding="utf-8") as file:
        dockerfile = file.read()
    assert line in dockerfile.replace("#   ", ""), f"the Dockerfile's head has not: {line}"
    for volume in re.findall(r"-v \w+:(\S+)", line):
        assert f"VOLUME {volume}" in dockerfile, volume
    for port in re.findall(r"-p [\d.]+:\d+:(\d+)", line):
        assert f"EXPOSE {port}" in dockerfile, port


def check_client(line, port):
    reply = run(line.replace("7411", str(port)).split(), input="PING\n")
    assert reply == "PONG\n", reply


def check_run(line, port):
    """By the daemon's port; the program is the one that was built."""
    words = shlex.split(line)
    environment = dict(os.environ, RALLOCD_URL=f"redis://127.0.0.1:{port}")
    said = run([f"{os.environ['OUT']}/rallocd", *words[1:]], env=environment)
    assert said.startswith("working with "), said


def check_target(line, _):
    """`make test` is what runs this."""
    with open("Makefile", encoding="utf-8") as file:
        assert re.search(rf"^{line.split()[1]}:", file.read(), re.M), line


SHELL = [
    (r"make run$", check_make_run),
    (r"sudo make install ", check_install),
    (r"sudo systemctl ", check_systemctl),
    (r"docker (build|run) ", check_docker),
    (r"make test$", check_target),
]


def check_shell(lines, port, folder):
    for number, line in enumerate(lines):
        if line.startswith(("redis-cli ", "rallocd run ")):
            (check_client if line.startswith("redis-cli ") else check_run)(line, port)
            continue
        checks = [check for pattern, check in SHELL if re.match(pattern, line)]
        assert checks, f"nobody knows how to test: {line}"
        place = f"{folder}/{number}"
        os.mkdir(place)
        checks[0](line, place)


# --- programs --------------------------------------------------------------------------------------


def check_program(command, suffix, lines, port, folder):
    path = f"{folder}/program{suffix}"
    with open(path, "w", encoding="utf-8") as program:
        program.write("\n".join(lines).replace("7411", str(port)) + "\n")
    said = run([command, path])
    assert said.startswith("working with "), said


def check_settings(lines, folder):
    path = f"{folder}/rallocd.conf"
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    assert run([f"{os.environ['OUT']}/rallocd", "--check", "-c", path]) == "configuration ok\n"


def check_block(language, lines, port, folder):
    if language == "" and lines[0].startswith(PROMPT):
        check_session(lines, port)
    elif language == "sh":
        check_shell(lines, port, folder)
    elif language == "ini":
        check_settings(lines, folder)
    elif language == "python":
        check_program("/usr/bin/python3", ".py", lines, port, folder)
    elif language == "js":
        # import looks for libraries beside and above the program
        place = tempfile.mkdtemp(dir="build/node")
        try:
            check_program("node", ".mjs", lines, port, place)
        finally:
            shutil.rmtree(place)
    else:
        raise AssertionError(f"nobody knows how to test a block of '{language}'")


def check_targets(text):
    """Each target that the text names is there."""
    with open("Makefile", encoding="utf-8") as file:
        makefile = file.read()
    for target in re.findall(r"\bmake ([a-z][a-z-]+)", text):
        if not re.search(rf"^{target}:", makefile, re.M):
            raise AssertionError(f"README names make {target}, which the Makefile has not")


def main():
    with open("README.md", encoding="utf-8") as file:
        text = file.read()
    passed, failed = 0, 0
    with Daemon() as daemon:
        for line, language, lines in blocks(text):
            folder = tempfile.mkdtemp()
            try:
                check_block(language, lines, daemon.port, folder)
                passed += 1
            except (AssertionError, subprocess.SubprocessError) as problem:
                failed += 1
                print(f"README.md:{line}: {problem}")
                print(getattr(problem, "stderr", None) or "")
            finally:
                shutil.rmtree(folder)
    try:
        check_targets(text)
        passed += 1
    except AssertionError as problem:
        failed += 1
        print(problem)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or passed < 5 else 0


if __name__ == "__main__":
    sys.exit(main())
