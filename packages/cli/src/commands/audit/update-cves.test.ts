import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { loadCveData } from '../../audit/gather/cve-data.js';
import { ExitCode } from '../../exit-codes.js';
import { CliSandbox } from '../../testing/run-cli.js';

/** In the form of OSV's answers for the ecosystem Bitnami. */
function vulnerability(cve: string, fixed: string, introduced = '0') {
  return {
    id: `BIT-x-${cve.slice(4)}`,
    details: `A flaw of ${cve}.\nMore of it.`,
    aliases: [cve],
    severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H' }],
    affected: [{ ranges: [{ type: 'SEMVER', events: [{ introduced }, { fixed }] }] }],
  };
}

describe('redkeep audit update-cves', () => {
  let server: Server;
  let sandbox: CliSandbox;
  let url: string;
  let answer: (name: string, token?: string) => unknown;

  before(async () => {
    sandbox = await CliSandbox.create();
    server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      const { package: one, page_token: token } = JSON.parse(body) as {
        package: { name: string };
        page_token?: string;
      };
      response.end(JSON.stringify(answer(one.name, token)));
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/query`;
  });
  after(async () => {
    server.close();
    await sandbox.remove();
  });

  const env = () => ({ XDG_DATA_HOME: sandbox.path('data'), HOME: sandbox.path('.') });

  test('adds what is new, raises the floors, and leaves alone what was compared by hand', async () => {
    const shipped = await loadCveData();
    answer = (name, token) =>
      name === 'valkey'
        ? { vulns: [vulnerability('CVE-2027-10001', '9.0.99', '9.0.0')] }
        : token === undefined
          ? { vulns: [vulnerability('CVE-2027-10002', '8.2.99')], next_page_token: 'more' }
          : { vulns: [vulnerability('CVE-2025-49844', '1.0.0')] };
    const { code, out, err } = await sandbox.run(['audit', 'update-cves', '--from', url], { env: env() });
    assert.equal(code, ExitCode.Ok, err);
    assert.match(out, /2 of them newer/);
    const file = sandbox.path('data/redkeep/cves.json');
    const data = JSON.parse(await readFile(file, 'utf8')) as typeof shipped;
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.equal(data.entries.length, shipped.entries.length + 2);
    assert.deepEqual(data.entries.at(-1), {
      id: 'CVE-2027-10001',
      needs: 'A flaw of CVE-2027-10001.',
      score: 7.5,
      scoreVersion: '3.1',
      affected: { valkey: [{ from: '9.0.0', before: '9.0.99' }] },
    });
    assert.deepEqual([data.floors['valkey']?.['9.0'], data.floors['redis']?.['8.2']], ['9.0.99', '8.2.99']);
    const byHand = (from: typeof shipped) => from.entries.find(({ id }) => id === 'CVE-2025-49844');
    assert.deepEqual(byHand(data), byHand(shipped));
  });

  test('keeps what it has when the answer is of another form', async () => {
    const before = await readFile(sandbox.path('data/redkeep/cves.json'), 'utf8');
    for (const wrong of [() => ({ vulns: [] }), () => ({ vulns: 'none' })]) {
      answer = wrong;
      const { code, err } = await sandbox.run(['audit', 'update-cves', '--from', url], { env: env() });
      assert.equal(code, ExitCode.Connection);
      assert.match(err, /Audits go on with the data they have/);
    }
    assert.equal(
      (await sandbox.run(['audit', 'update-cves', '--from', 'http://127.0.0.1:1'], { env: env() })).code,
      ExitCode.Connection,
    );
    assert.equal(await readFile(sandbox.path('data/redkeep/cves.json'), 'utf8'), before);
  });
});
