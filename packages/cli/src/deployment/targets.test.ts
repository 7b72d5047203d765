import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
import { CliSandbox } from '../testing/run-cli.js';
import { topologyNames } from '../vocabulary/names.js';
import { unitName } from './naming.js';

const hostileName = 'we "ird\' $(touch x) `y` %n: #é\nsecond: line \\';

describe('targets', () => {
  let sandbox: CliSandbox;
  beforeEach(async () => {
    sandbox = await CliSandbox.create();
  });
  afterEach(() => sandbox.remove());

  const read = (file: string) => readFile(sandbox.path('redkeep', file), 'utf8');
  async function init(...args: string[]) {
    const result = await sandbox.run([
      'init',
      '--yes',
      '--name',
      hostileName,
      '--source',
      '10.1.0.0/16',
      'fd00::/8',
      ...args,
    ]);
    assert.equal(result.code, 0, result.err);
  }

  for (const topology of topologyNames) {
    test(`compose, ${topology}: containers have nothing to spare and no secret is in the file`, async () => {
      await init('--target', 'compose', '--topology', topology, '--profile', 'production');
      const { services } = parse(await read('compose.yaml'));
      const { deployment } = JSON.parse(await read('redkeep.deployment.json'));
      assert.deepEqual(
        Object.keys(services),
        deployment.nodes.map(({ name }: { name: string }) => name),
      );
      for (const service of Object.values<Record<string, unknown>>(services)) {
        assert.equal(service['read_only'], true);
        assert.deepEqual(service['cap_drop'], ['ALL']);
        assert.deepEqual(service['security_opt'], ['no-new-privileges:true']);
        assert.ok(service['mem_limit'] && service['pids_limit']);
        for (const port of service['ports'] as string[]) assert.match(port, /^127\.0\.0\.1:/);
      }
    });

    test(`kubernetes, ${topology}: pods run restricted, every secret a pod mounts is generated`, async () => {
      await init('--target', 'kubernetes', '--topology', topology, '--profile', 'production');
      const kustomization = parse(await read('kustomization.yaml'));
      for (const generator of kustomization.secretGenerator) {
        for (const file of generator.files) await read(file.split('=')[1]);
      }
      const keys = new Map<string, Set<string>>(
        kustomization.secretGenerator.map(({ name, files }: { name: string; files: string[] }) => [
          name,
          new Set(files.map((file) => file.split('=')[0])),
        ]),
      );
      const sets = (await Promise.all(kustomization.resources.map(read)))
        .flatMap((text) => parseAllDocuments(text).map((document) => document.toJS()))
        .filter(({ kind }) => kind === 'StatefulSet');
      for (const { spec } of sets) {
        const pod = spec.template.spec;
        assert.equal(pod.automountServiceAccountToken, false);
        assert.equal(pod.securityContext.runAsNonRoot, true);
        for (const container of [...pod.containers, ...pod.initContainers]) {
          assert.equal(container.securityContext.allowPrivilegeEscalation, false);
          assert.equal(container.securityContext.readOnlyRootFilesystem, true);
          assert.deepEqual(container.securityContext.capabilities, { drop: ['ALL'] });
        }
        for (const { secret } of pod.volumes.filter(({ secret }: { secret?: unknown }) => secret)) {
          for (const { key } of secret.items) assert.ok(keys.get(secret.secretName)?.has(key), key);
        }
      }
    });

    test(`systemd, ${topology}: a hostile name stays one line, one unit a node`, async () => {
      const hosts = ['--host', '10.0.0.1', '10.0.0.2', '10.0.0.3'];
      await init('--target', 'systemd', '--topology', topology, '--profile', 'production', ...hosts);
      const { deployment } = JSON.parse(await read('redkeep.deployment.json'));
      for (const { name } of deployment.nodes) {
        const unit = await read(`systemd/${unitName(deployment, { name })}`);
        assert.equal(unit.match(/^Description=.*$/gm)?.length, 1);
        assert.match(unit, /^Description=we "ird' .*%%n.* second: line .*$/m);
        assert.doesNotMatch(unit, /^second/m);
        assert.match(unit, /^NoNewPrivileges=yes$/m);
      }
    });
  }

  test('puts no password into any file but its own', async () => {
    await init('--target', 'compose', '--topology', 'sentinel', '--profile', 'production');
    const secrets = await readdir(sandbox.path('redkeep/secrets'));
    const passwords = await Promise.all(secrets.map((file) => read(path.join('secrets', file))));
    const entries = await readdir(sandbox.path('redkeep'), { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
    const expected = /\/(secrets\/.*|nodes\/[^/]+\/(server|sentinel)\.conf)$/;
    for (const file of files.filter((name) => !expected.test(name))) {
      const text = await readFile(file, 'utf8');
      for (const password of passwords) assert.ok(!text.includes(password), file);
    }
  });

  test('firewall files let in the sources and the nodes, and drop the rest', async () => {
    const hosts = ['--host', '10.0.0.1', '10.0.0.2', '10.0.0.3'];
    await init('--target', 'systemd', '--topology', 'cluster', '--profile', 'production', ...hosts);
    const nft = await read('firewall/redkeep.nft');
    assert.match(nft, /tcp dport \{ 6379, 6380 \} ip saddr 10\.1\.0\.0\/16 accept/);
    assert.match(nft, /tcp dport \{ 6379, 6380 \} ip6 saddr fd00::\/8 accept/);
    assert.match(nft, /tcp dport \{ 6379, 6380 \} counter drop/);
    assert.doesNotMatch(nft, /dport \{ 16379, 16380 \} ip saddr 10\.1/);
    assert.match(nft, /dport \{ 16379, 16380 \} ip saddr 10\.0\.0\.2 accept/);
  });

  test('Dragonfly gets a flag file and no Redis directive', async () => {
    await init('--engine', 'dragonfly', '--engine-version', '1.30');
    const flags = await read('nodes/node-1/server.conf');
    for (const line of flags.split('\n').filter((text) => text && !text.startsWith('#')))
      assert.match(line, /^--[a-z_]+=\S/);
    assert.match(flags, /^--tls=true$/m);
    assert.match(flags, /^--primary_port_http_enabled=false$/m);
  });
});
