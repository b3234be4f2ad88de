#!/usr/bin/python3
"""redis_py: the daemon through python3-redis: connecting, RESP2 handshake, commands of ours, errors,
pipelines, connection pools with threads, and reconnecting after the daemon was restarted."""
import os
import sys
import threading
import unittest

sys.path.insert(0, "tests/lib")
import redis  # noqa: E402
import redis.backoff  # noqa: E402
import redis.retry  # noqa: E402
from daemon import Daemon  # noqa: E402


class RedisPy(unittest.TestCase):
    def setUp(self):
        self.daemon = Daemon().__enter__()
        self.addCleanup(lambda: self.daemon.__exit__(None, None, None))
        self.client = redis.Redis(port=self.daemon.port, decode_responses=True)
        self.addCleanup(self.client.close)

    def call(self, *words):
        return self.client.execute_command(*words)

    def test_ping_info_and_client_name(self):
        self.assertTrue(self.client.ping())
        self.assertEqual(self.client.echo("hello"), "hello")
        self.assertEqual(self.client.info("server")["process_id"], self.daemon.process.pid)
        self.assertTrue(self.client.client_setname("worker-3"))
        self.assertEqual(self.client.client_getname(), "worker-3")
        self.assertIn("worker-3", [one["name"] for one in self.client.client_list()])
        seconds, microseconds = self.client.time()
        self.assertGreater(seconds, 1_600_000_000)
        self.assertLess(microseconds, 1_000_000)

    def test_url_with_database_and_name(self):
        url = f"redis://127.0.0.1:{self.daemon.port}/0?client_name=by-url"
        with redis.Redis.from_url(url, decode_responses=True) as client:
            self.assertEqual(client.client_getname(), "by-url")

    def test_unix_socket(self):
        with redis.Redis(unix_socket_path=self.daemon.socket) as client:
            self.assertTrue(client.ping())

    def test_malloc_gives_each_resource_once_and_free_gives_it_back(self):
        self.assertEqual(self.call("POOL", "EXTEND", "p", "a", "b"), 2)
        self.assertEqual({self.call("MALLOC", "p"), self.call("MALLOC", "p")}, {"a", "b"})
        self.assertIsNone(self.call("MALLOC", "p"))
        self.assertEqual(self.call("FREE", "p", "a", "b"), 2)
        self.assertEqual(self.call("POOL", "HEALTH", "p"), [0, 2])

    def test_tokens_and_fences_are_strings_and_integers(self):
        self.call("POOL", "EXTEND", "p", "a")
        resource, token, fence, ttl_ms = self.call("MALLOC", "p", "WITHTOKEN", "TIMEOUT", 5)
        self.assertEqual(resource, "a")
        self.assertIsInstance(fence, int)
        self.assertTrue(0 < ttl_ms <= 5000)
        self.assertEqual(self.call("RENEW", "p", "a", "TOKEN", token, "TIMEOUT", 60), 1)
        self.assertEqual(self.call("FREE", "p", "TOKEN", token, "a"), 1)

    def test_bytes_come_back_as_they_were(self):
        name = bytes(range(1, 256)).replace(b"|", b"")
        with redis.Redis(port=self.daemon.port) as client:
            client.execute_command("POOL", "EXTEND", "bytes", name)
            self.assertEqual(client.execute_command("MALLOC", "bytes"), name)

    def test_errors_are_raised_with_their_words(self):
        for words, text in [
                (("MALLOC",), "wrong number of arguments"),
                (("NOSUCH", "x"), "unknown command"),
                (("MALLOC", "p", "TIMEOUT", "abc"), "TIMEOUT"),
                (("POOL", "EXTEND", "no|good", "a"), "invalid name")]:
            with self.assertRaises(redis.ResponseError) as caught:
                self.call(*words)
            self.assertIn(text, str(caught.exception))
        self.call("POOL", "EXTEND", "p", "a")
        self.call("MALLOC", "p")
        with self.assertRaises(redis.ResponseError) as caught:
            self.call("FREE", "p", "TOKEN", "mine", "a")
        self.assertIn("NOTOWNER", str(caught.exception))

    def test_pipeline_answers_in_order(self):
        self.call("POOL", "EXTEND", "p", *[f"r{i}" for i in range(1000)])
        with self.client.pipeline(transaction=False) as pipeline:
            for _ in range(1000):
                pipeline.execute_command("MALLOC", "p")
            pipeline.execute_command("MALLOC", "p")
            pipeline.execute_command("POOL", "LEN", "p")
            replies = pipeline.execute()
        self.assertEqual(replies[:1000], [f"r{i}" for i in range(1000)])
        self.assertEqual(replies[1000:], [None, 1000])

    def test_an_error_inside_a_pipeline_hurts_only_its_command(self):
        self.call("POOL", "EXTEND", "p", "a")
        with self.client.pipeline(transaction=False) as pipeline:
            pipeline.execute_command("MALLOC", "p")
            pipeline.execute_command("MALLOC", "p", "TIMEOUT")
            pipeline.execute_command("FREE", "p", "a")
            first, error, last = pipeline.execute(raise_on_error=False)
        self.assertEqual((first, last), ("a", 1))
        self.assertIsInstance(error, redis.ResponseError)

    def test_threads_never_hold_one_resource_twice(self):
        self.call("POOL", "EXTEND", "p", "a", "b", "c")
        held, wrong, lock = set(), [], threading.Lock()

        def work():
            for _ in range(200):
                resource = self.call("MALLOC", "p")
                if resource is None:
                    continue
                with lock:
                    if resource in held:
                        wrong.append(resource)
                    held.add(resource)
                with lock:
                    held.discard(resource)
                if self.call("FREE", "p", resource) != 1:
                    wrong.append(resource)

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])
        self.assertEqual(self.call("POOL", "CHECK", "p"), [])
        self.assertEqual(self.call("POOL", "HEALTH", "p"), [0, 3])

    def test_goes_on_after_the_daemon_was_restarted(self):
        self.call("POOL", "EXTEND", "p", "a")
        self.call("MALLOC", "p", "OWNER", "me")
        self.assertEqual(self.daemon.stop(), 0)
        with self.assertRaises(redis.ConnectionError):
            self.call("PING")
        self.daemon.start()
        self.assertEqual([held[0] for held in self.call("HELD", "p", "me")], ["a"])

    def test_goes_on_after_its_connection_was_killed(self):
        client = redis.Redis(port=self.daemon.port, retry_on_error=[redis.ConnectionError],
                             retry=redis.retry.Retry(redis.backoff.NoBackoff(), 3))
        mine = client.client_id()
        self.assertEqual(self.call("CLIENT", "KILL", "ID", mine), 1)
        self.assertTrue(client.ping())
        self.assertNotEqual(client.client_id(), mine)
        client.close()


class Password(unittest.TestCase):
    def test_password_is_asked_for_and_taken(self):
        with Daemon("--server.requirepass=secret") as daemon:
            with redis.Redis(port=daemon.port) as stranger:
                with self.assertRaises(redis.AuthenticationError):
                    stranger.ping()
            with redis.Redis(port=daemon.port, password="wrong") as stranger:
                with self.assertRaises(redis.ResponseError) as caught:
                    stranger.ping()
                self.assertIn("WRONGPASS", str(caught.exception))
            with redis.Redis(port=daemon.port, password="secret") as friend:
                self.assertTrue(friend.ping())
            with redis.Redis(port=daemon.port, username="default", password="secret") as friend:
                self.assertTrue(friend.ping())

    def test_a_user_owns_what_it_gets(self):
        with Daemon("--server.requirepass=secret", "--user:ann.password=an") as daemon:
            with redis.Redis(port=daemon.port, username="ann", password="secret") as stranger:
                with self.assertRaises(redis.ResponseError) as caught:
                    stranger.ping()
                self.assertIn("WRONGPASS", str(caught.exception))
            with redis.Redis(port=daemon.port, username="ann", password="an",
                             decode_responses=True) as ann:
                self.assertEqual(ann.acl_whoami(), "ann")
                self.assertEqual(ann.acl_users(), ["ann", "default"])
                self.assertEqual(len(ann.acl_list()), 2)
                self.assertEqual([one["user"] for one in ann.client_list()], ["ann"])
                ann.execute_command("POOL", "EXTEND", "p", "a")
                ann.execute_command("MALLOC", "p")
                self.assertEqual(ann.execute_command("HELD", "p", "ann")[0][0], "a")


def main():
    result = unittest.main(exit=False, verbosity=int(os.environ.get("VERBOSE", "1"))).result
    failed = len(result.errors) + len(result.failures)
    print(f"{result.testsRun - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
