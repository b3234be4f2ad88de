#!/usr/bin/env -S tests/lib/daemon.py node
// tasks_node: a worker written with ioredis, and programs that ask it.
import assert from 'node:assert/strict';
import { load, port, run } from '../lib/peer.mjs';

const Redis = load('ioredis');

// Works on the tasks of a queue until it is told to stop; what it has taken belongs to its
// connection, so that it has one of its own.
class Worker {
  constructor(queue, work) {
    this.client = new Redis(port);
    this.isStopping = false;
    this.ended = this.loop(queue, work);
  }

  async loop(queue, work) {
    while (!this.isStopping) {
      const task = await this.client.call('LISTEN', queue, 'WAIT', 100);
      if (task === null) continue;
      const [, id, params] = task;
      try {
        await this.client.call('RESULT', id, await work(params));
      } catch (error) {
        if (!/^NOTOWNER/.test(error.message)) await this.client.call('FAIL', id, error.message);
      }
    }
    await this.client.quit();
  }

  async stop() {
    this.isStopping = true;
    await this.ended;
  }
}

const tests = {
  async results_and_failures_come_back(client) {
    const worker = new Worker('caps', async (text) => {
      if (text === '') throw new Error('nothing to do');
      return text.toUpperCase();
    });
    assert.equal(await client.call('QUERY', 'caps', 'a', 'hello', 'POLICY', 'remote'), 'HELLO');
    await assert.rejects(client.call('QUERY', 'caps', 'b', ''), /TASKFAIL nothing to do/);
    await worker.stop();
  },

  async many_tasks_are_shared_by_some_workers(client) {
    const ids = Array.from({ length: 300 }, (_, i) => `many-${i}`);
    await Promise.all(ids.map((id) => client.call('QUERY', 'echo', id, id, 'NOWAIT')));
    const workers = [1, 2, 3].map(() => new Worker('echo', async (text) => text));
    const results = [];
    for (const id of ids) results.push(await client.call('QUERY', 'echo', id, ''));
    assert.deepEqual(results, ids);
    await Promise.all(workers.map((worker) => worker.stop()));
  },
};

await run(() => new Redis(port), (client) => client.quit(), tests);
