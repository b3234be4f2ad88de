#!/usr/bin/python3
"""tasks_py: a worker written with redis-py, and programs that ask it. A worker needs one connection of
its own, for what it has taken belongs to that: single_connection_client=True.
"""
import json
import os
import sys
import threading
import unittest

sys.path.insert(0, "tests/lib")
import redis  # noqa: E402
from daemon import Daemon  # noqa: E402


class Worker(threading.Thread):
    """Works on the tasks of some queues until it is told to stop."""

    def __init__(self, port, queues, work):
        super().__init__()
        self.client = redis.Redis(port=port, single_connection_client=True)
        self.queues, self.work, self.is_stopping = queues, work, False

    def run(self):
        while not self.is_stopping:
            task = self.client.execute_command("LISTEN", *self.queues, "WAIT", 100)
            if task is None:
                continue
            _, task_id, params, _, _ = task
            try:
                self.client.execute_command("RESULT", task_id, self.work(json.loads(params)))
            except redis.ResponseError:
                pass  # it took too long, and is another's now
            except ValueError as problem:
                self.client.execute_command("FAIL", task_id, str(problem))
        self.client.close()

    def stop(self):
        self.is_stopping = True
        self.join()


def square(params):
    if params["n"] < 0:
        raise ValueError("n is negative")
    return json.dumps({"square": params["n"] ** 2})


class Tasks(unittest.TestCase):
    def setUp(self):
        self.daemon = Daemon()
        self.daemon.__enter__()
        self.addCleanup(self.daemon.__exit__, None, None, None)
        self.client = redis.Redis(port=self.daemon.port, decode_responses=True)
        self.addCleanup(self.client.close)

    def work_with(self, count):
        workers = [Worker(self.daemon.port, ["squares", "others"], square) for _ in range(count)]
        for worker in workers:
            worker.start()
            self.addCleanup(worker.stop)

    def test_results_and_failures_come_back(self):
        self.work_with(1)
        query = lambda n: self.client.execute_command(  # noqa: E731
            "QUERY", "squares", f"id{n}", json.dumps({"n": n}), "POLICY", "remote")
        self.assertEqual(json.loads(query(12)), {"square": 144})
        with self.assertRaisesRegex(redis.ResponseError, "TASKFAIL n is negative"):
            query(-1)

    def test_many_tasks_are_each_worked_on_once(self):
        pipeline = self.client.pipeline(transaction=False)
        for n in range(500):
            pipeline.execute_command("QUERY", "squares", n, json.dumps({"n": n}), "NOWAIT")
        self.assertEqual(set(pipeline.execute()), {"OK"})
        self.work_with(4)
        for n in range(500):
            result = self.client.execute_command("QUERY", "squares", n, "")
            self.assertEqual(json.loads(result), {"square": n * n})
        info = self.client.info("tasks")
        self.assertEqual((info["tasks_taken"], info["tasks_done"]), (500, 500))

    def test_a_worker_that_is_closed_gives_its_task_to_another(self):
        self.client.execute_command("QUERY", "squares", "a", '{"n": 3}', "NOWAIT")
        lazy = redis.Redis(port=self.daemon.port, single_connection_client=True)
        self.assertEqual(lazy.execute_command("LISTEN", "squares")[3], 1)
        lazy.connection.disconnect()
        self.work_with(1)
        result = self.client.execute_command("QUERY", "squares", "a", "")
        self.assertEqual(json.loads(result), {"square": 9})


def main():
    result = unittest.main(exit=False, verbosity=int(os.environ.get("VERBOSE", "1"))).result
    failed = len(result.errors) + len(result.failures)
    print(f"{result.testsRun - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
