/** X6: certificates are replaced on disk, on server and client, while commands run. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createPki, type Pki, sharedPki, startServer, waitFor } from '@redkeep/testing';
import { createClientPool } from '../index.js';

const TURNS = 10;
const CALLERS = 20;

/** As renewal tools do it: a new file, then one rename. */
async function replace(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

test('authority, server and client certificates rotate ten times under load', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'redkeep-'));
  t.after(() => rm(folder, { recursive: true }));
  const files = { ca: join(folder, 'ca.crt'), cert: join(folder, 'client.crt'), key: join(folder, 'client.key') };
  const give = async (pki: Pki) => {
    await replace(files.ca, pki.ca);
    await replace(files.cert, pki.client.cert);
    await replace(files.key, pki.client.key);
  };
  await give(await sharedPki());
  await using server = await startServer({ tls: { clientAuth: 'required' } });
  const served = {
    ca: join(server.dir, 'ca.crt'),
    cert: join(server.dir, 'server.crt'),
    key: join(server.dir, 'server.key'),
  };

  const options = {
    url: `rediss://localhost:${server.tlsPort}`,
    tls: { caFile: files.ca, certFile: files.cert, keyFile: files.key },
    allowCommands: ['CONFIG SET'],
  };
  const pool = createClientPool(options, { minimum: 2, maximum: 2 });
  const errors: unknown[] = [];
  pool.on('error', (error) => errors.push(error));
  await pool.connect();
  t.after(() => pool.destroy());
  const idOf = () => pool.execute((client) => client.clientId());
  const before = new Set([await idOf(), await idOf(), await idOf()]);

  let running = true;
  let commands = 0;
  const failures: unknown[] = [];
  const callers = Array.from({ length: CALLERS }, async (_, caller) => {
    while (running && failures.length === 0)
      await pool.incr(`n:${caller}`).then(
        () => commands++,
        (error: unknown) => failures.push(error),
      );
  });
  for (let turn = 1; turn <= TURNS; turn++) {
    const pki = await createPki();
    await replace(served.ca, pki.ca);
    await replace(served.cert, pki.server.cert);
    await replace(served.key, pki.server.key);
    await pool.configSet({ 'tls-cert-file': served.cert, 'tls-key-file': served.key, 'tls-ca-cert-file': served.ca });
    await give(pki);
    // A new connection trusts the new authority alone, and shows a certificate that the server now asks for.
    const fresh = createClientPool(options, { minimum: 1, maximum: 1 });
    await fresh.connect();
    await fresh.execute((client) => {
      assert.equal(client.tlsInfo()?.chain[0]?.fingerprint, new X509Certificate(pki.server.cert).fingerprint256);
    });
    await fresh.close();
    const target = commands + 200;
    await waitFor(() => commands >= target || failures.length > 0);
  }
  running = false;
  await Promise.all(callers);
  assert.deepEqual(failures, []);
  assert.deepEqual(errors, []);
  for (const id of [await idOf(), await idOf()]) assert.ok(before.has(id), 'the connections are those of the start');
  t.diagnostic(`${TURNS} turns of certificates, ${commands} commands, ${failures.length} failed`);
});
