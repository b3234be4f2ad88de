#!/usr/bin/env -S tests/lib/daemon.py node
// ioredis: the daemon through npm's ioredis: its handshake, calls, pipelines, and reconnecting.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { load, port, run, socket, stories } from '../lib/peer.mjs';

const Redis = load('ioredis');

const tests = {
  ...stories((client, ...words) => client.call(...words)),

  async commands_of_redis_are_methods(client) {
    assert.equal(await client.ping(), 'PONG');
    assert.equal(await client.echo('hello'), 'hello');
    assert.equal(await client.client('SETNAME', 'me'), 'OK');
    assert.equal(await client.client('GETNAME'), 'me');
    assert.match(await client.info('server'), /rallocd_version/);
  },

  async unix_socket_and_connection_name() {
    const client = new Redis({ path: socket, connectionName: 'by-path' });
    assert.equal(await client.client('GETNAME'), 'by-path');
    await client.quit();
  },

  async a_pipeline_tells_each_outcome(client) {
    const outcomes = await client.pipeline()
      .call('POOL', 'EXTEND', 'piped', 'a')
      .call('MALLOC', 'piped')
      .call('MALLOC', 'piped', 'TIMEOUT')
      .call('POOL', 'LEN', 'piped')
      .exec();
    assert.deepEqual([outcomes[0], outcomes[1], outcomes[3]], [[null, 1], [null, 'a'], [null, 1]]);
    assert.match(outcomes[2][0].message, /^ERR /);
  },

  async binary_resources_come_back_as_they_were(client) {
    const name = Buffer.from(Array.from({ length: 255 }, (_, i) => i + 1).filter((b) => b !== 124));
    await client.callBuffer('POOL', 'EXTEND', 'binary', name);
    assert.deepEqual(await client.callBuffer('MALLOC', 'binary'), name);
  },

  async it_reconnects_when_its_connection_is_killed(client) {
    const killer = new Redis(port);
    const mine = await client.client('ID');
    const again = once(client, 'ready');
    assert.equal(await killer.client('KILL', 'ID', mine), 1);
    await again;
    assert.notEqual(await client.client('ID'), mine);
    await killer.quit();
  },
};

await run(() => new Redis(port), (client) => client.quit(), tests);
