#!/usr/bin/python3
"""rows: every row of the command table is in the README's reference and in a test of tests/daemon;
every setting is in the README and in conf/rallocd.conf. The daemon itself says which there are."""
import glob
import re
import sys

sys.path.insert(0, "tests/lib")
import redis  # noqa: E402
from daemon import Daemon  # noqa: E402


def names_of(client):
    """Full names: PING, POOL EXTEND ..."""
    for name, docs in pairs(client.execute_command("COMMAND", "DOCS")):
        docs = dict(pairs(docs))
        if "subcommands" not in docs:
            yield name.upper()
            continue
        for sub, _ in pairs(docs["subcommands"]):
            yield sub.replace("|", " ").upper()


def pairs(flat):
    return list(zip(flat[0::2], flat[1::2]))


def between(text, word):
    return re.search(rf"<!-- {word} -->(.*)<!-- /{word} -->", text, re.S).group(1)


def main():
    with open("README.md", encoding="utf-8") as file:
        readme = file.read()
    with open("conf/rallocd.conf", encoding="utf-8") as file:
        conf = file.read()
    tests = ""
    for path in glob.glob("tests/daemon/*.c"):
        with open(path, encoding="utf-8") as file:
            tests += file.read().upper()
    with Daemon() as daemon:
        client = redis.Redis(port=daemon.port, decode_responses=True)
        client.response_callbacks.clear()
        commands = list(names_of(client))
        settings = [name for name, _ in pairs(client.execute_command("CONFIG", "GET", "*"))]
        client.close()

    problems = []
    for name in commands:
        if not re.search(rf"`{name}\b", between(readme, "commands")):
            problems.append(f"{name} is not in the README's reference")
        # "POOL EXTEND ...", or "POOL", "EXTEND", ...
        if not re.search(r"[\"\s]" + name.replace(" ", r"[\",\s]+") + r"[\"\s\\]", tests):
            problems.append(f"{name} is run by no test of tests/daemon")
    for name in settings:
        key = name.rpartition(".")[2]
        if not re.search(rf"`{key}`", between(readme, "settings")):
            problems.append(f"{name} is not in the README")
        if not re.search(rf"^#?{key} =", conf, re.M):
            problems.append(f"{name} is not in conf/rallocd.conf")
    print("\n".join(problems))
    checked = 2 * (len(commands) + len(settings))
    print(f"{checked - len(problems)} passed, {len(problems)} failed")
    return 1 if problems or len(commands) < 40 or len(settings) < 30 else 0


if __name__ == "__main__":
    sys.exit(main())
