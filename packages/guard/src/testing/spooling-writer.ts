/**
 * A process that records numbered events as fast as they are acknowledged, and says each number on its output, until
 * it is killed.
 *
 *   node spooling-writer.js <url> <spool> <chain key> <first number>
 */
import { createClient } from 'redkeep';
import { AuditTrail } from '../audit-trail/audit-trail.js';

const [url, path, chainKey, first] = process.argv.slice(2) as [string, string, string, string];
const client = createClient({ url });
client.on('error', () => undefined);
await client.connect().catch(() => undefined);
const trail = new AuditTrail({ client, chainKey, spool: { path }, timeoutMs: 100, retryMs: 10 });
for (let i = Number(first); ; i++) {
  await trail.record({ actor: 'writer', action: 'step', details: { i } });
  process.stdout.write(`${i}\n`);
}
