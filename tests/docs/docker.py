#!/usr/bin/python3
"""docker: executes the Dockerfile without Docker, as far as that goes: its sources are copied to an
empty folder and built there by its own RUN line; what the second stage copies has to be there; the
packages have to exist, and those of the second stage have to hold every library that the program
needs; the program has to start with the image's ENV and CMD, and its HEALTHCHECK to succeed."""
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, "tests/lib")
from daemon import Daemon  # noqa: E402

BASE = {"libc6", "libgcc-s1", "coreutils", "grep"}  # of debian:bookworm-slim


def instructions(path):
    with open(path, encoding="utf-8") as file:
        text = "".join(line for line in file if not line.startswith("#"))
    for line in text.replace("\\\n", " ").splitlines():
        if line.strip():
            word, _, rest = line.strip().partition(" ")
            yield word, rest.strip()


def stages(path):
    result = []
    for word, rest in instructions(path):
        if word == "FROM":
            result.append([])
        result[-1].append((word, rest))
    return result


def packages_of(stage):
    text = " ".join(rest for word, rest in stage if word == "RUN")
    names = re.search(r"--no-install-recommends ([^&]*)", text).group(1).split()
    assert names, "no packages found"
    return names


def check_packages(names):
    for name in names:
        known = subprocess.run(["apt-cache", "show", name], capture_output=True, check=False)
        here = subprocess.run(["dpkg-query", "-W", name], capture_output=True, check=False)
        assert known.returncode == 0 or here.returncode == 0, f"there is no package {name}"


def copy_sources(stage, context):
    with open("docker/Dockerfile.dockerignore", encoding="utf-8") as file:
        ignored = file.read().splitlines()
    for word, rest in stage:
        if word != "COPY":
            continue
        *sources, target = rest.split()
        for source in sources:
            assert os.path.exists(source), f"COPY {source}: not there"
            assert source not in ignored, f"COPY {source}: it is not sent to the builder"
            place = os.path.normpath(os.path.join(context, target))
            if os.path.isdir(source):
                shutil.copytree(source, place)
            else:
                shutil.copy(source, place)


def build(stage, context, out):
    environment = {"PATH": os.environ["PATH"], "HOME": context}
    for word, rest in stage:
        if word == "RUN" and "apt-get" not in rest:
            subprocess.run(["sh", "-c", rest.replace("/out", out)], cwd=context, check=True,
                           env=environment, stdout=subprocess.DEVNULL)


def copies_of_stage(stage, out):
    """Where COPY --from takes each file, by its place in the image."""
    found = {}
    for word, rest in stage:
        if word == "COPY":
            source, target = rest.replace("--from=build ", "").split()
            path = source.replace("/out", out)
            assert os.path.exists(path), f"COPY --from: {source} is not made by the build"
            found[target] = path
    return found


def check_libraries(program, names):
    """Each shared library is of a package that is named, or of the base image."""
    said = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    for path in re.findall(r"=> (/\S+)", said):
        path = os.path.realpath(path)
        owners = set()
        for candidate in (path, path.removeprefix("/usr")):
            found = subprocess.run(["dpkg-query", "-S", candidate], capture_output=True, text=True,
                                   check=False).stdout
            owners |= set(re.findall(r"^([^:]+)(?::\w+)?: ", found, re.M))
        assert owners & (BASE | set(names)), f"{path} is of {owners}, which the image has not"


def start(stage, copies):
    """ENTRYPOINT and CMD with ENV, on another port and state folder; then the HEALTHCHECK."""
    lines = dict(stage)
    environment = dict(pair.split("=", 1) for word, rest in stage if word == "ENV"
                       for pair in shlex.split(rest))
    assert lines["VOLUME"] == environment["RALLOCD_REDIS_STATE_DIR"]
    port = environment["RALLOCD_SERVER_LISTEN"].rpartition(":")[2]
    assert lines["EXPOSE"] == port
    entry, arguments = json.loads(lines["ENTRYPOINT"]), json.loads(lines["CMD"])
    arguments = [copies.get(word, word) for word in arguments]
    with Daemon(*arguments, program=copies[entry[0]], environment=environment) as daemon:
        check = re.search(r"CMD (.*)", lines["HEALTHCHECK"]).group(1)
        check = check.replace(port, str(daemon.port))
        subprocess.run(["sh", "-c", check], check=True, stdout=subprocess.DEVNULL)
    failing = subprocess.run(["sh", "-c", check], check=False, capture_output=True)
    assert failing.returncode != 0, "HEALTHCHECK succeeds without a daemon"


def main():
    first, second = stages("docker/Dockerfile")
    with tempfile.TemporaryDirectory() as folder:
        context, out = f"{folder}/src", f"{folder}/out"
        os.mkdir(context)
        check_packages(packages_of(first) + packages_of(second))
        copy_sources(first, context)
        build(first, context, out)
        copies = copies_of_stage(second, out)
        check_libraries(copies["/usr/bin/rallocd"], packages_of(second))
        start(second, copies)
    with open("docker/compose.yaml", encoding="utf-8") as file:
        compose = file.read()
    assert "dockerfile: docker/Dockerfile" in compose and ":7411" in compose


if __name__ == "__main__":
    main()
