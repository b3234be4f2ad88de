// peer: what the tests of Node.js libraries share: the libraries of build/node, a runner that counts.
// Knows: nothing of the daemon; its port is in $PORT (see daemon.py).
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

export const load = createRequire(new URL('../../build/node/', import.meta.url));
export const port = Number(process.env.PORT);
export const socket = process.env.SOCKET;

// Runs each test with a client of its own; `open` makes one, `close` ends it.
export async function run(open, close, tests) {
  let passed = 0;
  let failed = 0;
  for (const [name, test] of Object.entries(tests)) {
    const client = await open();
    try {
      await test(client);
      passed++;
    } catch (error) {
      failed++;
      console.log(`${name}: ${error.stack}`);
    }
    await close(client);
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed > 0 || passed === 0 ? 1 : 0); // a failed test may have left a client open
}

// The same story for each library: `call(client, ...words)` sends one request.
export function stories(call) {
  return {
    async malloc_gives_each_resource_once(client) {
      assert.equal(await call(client, 'POOL', 'EXTEND', 'each', 'a', 'b'), 2);
      const both = [await call(client, 'MALLOC', 'each'), await call(client, 'MALLOC', 'each')];
      assert.deepEqual(both.sort(), ['a', 'b']);
      assert.equal(await call(client, 'MALLOC', 'each'), null);
      assert.equal(await call(client, 'FREE', 'each', 'a', 'b'), 2);
      assert.deepEqual(await call(client, 'POOL', 'HEALTH', 'each'), [0, 2]);
    },

    async a_token_protects_its_lease(client) {
      await call(client, 'POOL', 'EXTEND', 'tokens', 'a');
      const [resource, token, , ttl] = await call(client, 'MALLOC', 'tokens', 'WITHTOKEN');
      assert.equal(resource, 'a');
      assert.ok(ttl > 0 && ttl <= 120000);
      await assert.rejects(call(client, 'FREE', 'tokens', 'TOKEN', 'other', 'a'), /NOTOWNER/);
      assert.equal(await call(client, 'FREE', 'tokens', 'TOKEN', token, 'a'), 1);
    },

    async errors_are_rejections_with_the_words_of_redis(client) {
      await assert.rejects(call(client, 'MALLOC'), /wrong number of arguments/);
      await assert.rejects(call(client, 'NOSUCH'), /unknown command/);
      await assert.rejects(call(client, 'POOL', 'NOSUCH'), /unknown subcommand/);
    },

    async a_thousand_requests_at_once_are_answered_in_order(client) {
      const names = Array.from({ length: 1000 }, (_, i) => `r${i}`);
      await call(client, 'POOL', 'EXTEND', 'many', ...names);
      const replies = await Promise.all(names.map(() => call(client, 'MALLOC', 'many')));
      assert.deepEqual(replies, names);
      assert.deepEqual(await call(client, 'POOL', 'CHECK', 'many'), []);
    },
  };
}
