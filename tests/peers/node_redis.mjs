#!/usr/bin/env -S tests/lib/daemon.py node
// node_redis: the daemon through npm's redis (node-redis), in both protocols.
import assert from 'node:assert/strict';
import { load, port, run, socket, stories } from '../lib/peer.mjs';

const { createClient } = load('redis');
const call = (client, ...words) => client.sendCommand(words);

async function open(options = {}) {
  const client = createClient({ socket: { host: '127.0.0.1', port }, ...options });
  client.on('error', () => {}); // a killed connection is one; the tests look at what follows
  await client.connect();
  return client;
}

const tests = {
  ...stories(call),

  async commands_of_redis_are_methods(client) {
    assert.equal(await client.ping(), 'PONG');
    assert.equal(await client.echo('hello'), 'hello');
    await client.clientSetName('me');
    assert.equal(await client.clientGetName(), 'me');
    assert.equal(typeof (await client.clientId()), 'number');
  },

  async it_tells_its_library_and_name_when_it_connects() {
    const client = await open({ name: 'named' });
    const described = await call(client, 'CLIENT', 'INFO');
    assert.match(String(described), /name=named /);
    assert.match(String(described), /lib-name=node-redis/);
    await client.close();
  },

  async unix_socket() {
    const client = await open({ socket: { path: socket } });
    assert.equal(await client.ping(), 'PONG');
    await client.close();
  },

  async resp3_gives_maps() {
    const client = await open({ RESP: 3 });
    await call(client, 'POOL', 'EXTEND', 'maps', 'a');
    const status = await call(client, 'POOL', 'STATUS', 'maps', 'a');
    assert.equal(status.state, 'free');
    assert.equal(status.expiry, -1);
    await client.close();
  },

  async it_reconnects_when_its_connection_is_killed(client) {
    const killer = await open();
    const mine = await client.clientId();
    const again = new Promise((resolve) => client.once('ready', resolve));
    assert.equal(await call(killer, 'CLIENT', 'KILL', 'ID', String(mine)), 1);
    await again;
    assert.notEqual(await client.clientId(), mine);
    await killer.close();
  },
};

await run(open, (client) => client.close(), tests);
