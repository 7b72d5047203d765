/**
 * A first application: connects to the deployment in the folder given, over verified TLS, as the application user, and
 * prints what it found at each step.
 *
 *   node examples/dist/quickstart/app.js redkeep-quickstart
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Encryption, keysFromFile } from '@redkeep/guard';
import { createClient, RESP_TYPES } from 'redkeep';
import { readAccess } from './deployment.js';

const folder = resolve(process.argv[2] ?? 'redkeep-quickstart');

async function step(name: string, work: () => Promise<string>): Promise<void> {
  try {
    console.log(`  ✓ ${name.padEnd(14)} ${await work()}`);
  } catch (error) {
    console.log(`  ✗ ${name}`);
    throw error;
  }
}

const access = await readAccess(folder);
const client = createClient({
  url: access.url,
  username: access.username,
  password: access.password,
  tls: { caFile: access.caFile },
});
// An application decides here what to do about lost connections; this one is over before it would reconnect.
client.on('error', () => {});

try {
  console.log('Connection test');
  await step('configuration', async () => `${access.url}, user ${access.username}, CA ${access.caFile}`);
  await step('connection', async () => {
    await client.connect();
    return 'TLS verified, authenticated';
  });

  const key = `app:hello:${randomUUID()}`;
  await step('round trip', async () => {
    await client.set(key, 'hello', { expiration: { type: 'EX', value: 60 } });
    const value = await client.get(key);
    if (value !== 'hello') throw new Error('The value read is not the value written');
    return 'SET and GET agree';
  });

  const sessionKey = `app:session:${randomUUID()}`;
  const encryption = new Encryption({
    keys: keysFromFile(await ensureEncryptionKey(join(folder, 'secrets/session.key'))),
    environment: 'quickstart',
  });
  await step('session', async () => {
    const context = { space: 'session', key: sessionKey };
    const sealed = await encryption.seal(JSON.stringify({ user: 'ana', basket: ['book'] }), context);
    await client.set(sessionKey, sealed, { expiration: { type: 'EX', value: 3600 } });
    const stored = await client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer }).get(sessionKey);
    if (!stored || stored.includes('ana')) throw new Error('The session is not stored encrypted');
    const session = JSON.parse((await encryption.open(stored, context)).toString()) as { user: string };
    if (session.user !== 'ana') throw new Error('The session read is not the session written');
    return 'stored encrypted, with an expiry, and read back';
  });

  await step('health', async () => {
    const start = performance.now();
    await client.ping();
    return `ready, answers in ${(performance.now() - start).toFixed(1)} ms`;
  });
  await step('clean-up', async () => `${await client.del([key, sessionKey])} keys removed`);
} finally {
  if (client.isReady) await client.close();
  else client.destroy();
}

/** 32 random bytes in a file of their own (0600), made the first time. Anyone who has it can read the sessions. */
async function ensureEncryptionKey(path: string): Promise<string> {
  try {
    await writeFile(path, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return path;
}
