import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
import { deploymentOf, renderAnswers } from '../testing/render-answers.js';
import { CliSandbox } from '../testing/run-cli.js';
import { targetNames, topologyNames } from '../vocabulary/names.js';
import { prefixOf, unitName } from './naming.js';
import { containerName } from './render/compose.js';

const hostileName = 'we "ird\' $(touch x) `y` %n: #é\nsecond: line \\';

describe('targets', () => {
  let sandbox: CliSandbox;
  beforeEach(async () => {
    sandbox = await CliSandbox.create();
  });
  // None of these is started: `down` would ask hosts that are not there.
  afterEach(() => rm(sandbox.folder, { recursive: true, force: true }));

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
      const { resources, secretGenerator } = parse(await read('kubernetes/kustomization.yaml'));
      assert.equal(secretGenerator, undefined);
      const manifests = resources.map((name: string) => `kubernetes/${name}`);
      // What a repository holds renders without the files that it must not hold.
      const git = (...args: string[]) =>
        execFileSync('git', ['-C', sandbox.path('redkeep'), ...args], { encoding: 'utf8' });
      git('init', '--quiet');
      git('add', '--all');
      const held = new Set(git('ls-files').split('\n'));
      for (const file of ['kubernetes/kustomization.yaml', ...manifests]) assert.ok(held.has(file), file);
      for (const file of held) if (file) assert.doesNotMatch(await read(file), /PRIVATE KEY/, file);
      const sets = (await Promise.all<string>(manifests.map(read)))
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

  test('kubernetes: the pods have the image that was named, and without one nothing is applied', async () => {
    const images = async () => parse(await read('kubernetes/kustomization.yaml')).images;
    const digest = `sha256:${'a1'.repeat(32)}`;
    for (const [image, expected] of [
      [`registry.example:5000/team/redis:7.0@${digest}`, { newName: 'registry.example:5000/team/redis', digest }],
      ['registry.example:5000/team/redis', { newName: 'registry.example:5000/team/redis' }],
      ['docker.io/library/redis:7.0', { newName: 'docker.io/library/redis', newTag: '7.0' }],
    ] as const) {
      await init('--target', 'kubernetes', '--image', image);
      assert.deepEqual(await images(), [{ name: 'redkeep-server', ...expected }]);
      await rm(sandbox.path('redkeep'), { recursive: true });
    }
    await init('--target', 'kubernetes', '--engine', 'valkey', '--engine-version', '8.1');
    const { code, err } = await sandbox.run(['up']);
    assert.equal(code, 2);
    assert.match(
      err,
      /No image has been named.*\n.*init --dir \S+ --yes --image docker\.io\/valkey\/valkey:8\.1@sha256:DIGEST/,
    );
  });

  for (const target of targetNames) {
    for (const topology of topologyNames) {
      test(`${target}, ${topology}: the runbook names what there is`, async () => {
        const hosts = target === 'systemd' ? { hosts: ['10.0.0.1', '10.0.0.2', '10.0.0.3'] } : {};
        const answers = { name: 'shop', target, topology, profile: 'production', ...hosts } as const;
        const files = await renderAnswers(answers);
        const runbook = files.find(({ path: file }) => file === 'RUNBOOK.md')!.content;
        const deployment = deploymentOf(answers);
        const outside = {
          local: [],
          compose: deployment.nodes.map((node) => containerName(deployment, node)),
          systemd: deployment.nodes.map((node) => unitName(deployment, node)),
          kubernetes: [deployment.namespace!, prefixOf(deployment)],
        }[target];
        for (const name of outside) assert.ok(runbook.includes(name), name);
        const named = /`((?:firewall|renewal|rotation|monitoring|encryption-at-rest|kubernetes)\/[\w./-]*)`/g;
        for (const [, file] of runbook.matchAll(named)) {
          assert.ok(
            files.some((each) => each.path.startsWith(file!)),
            file,
          );
        }
        // Each command line of redkeep's is one that there is, with options that it has.
        for (const [, name, rest] of runbook.matchAll(/(?:^|`)redkeep ([a-z]+)((?: [^\n`#|]*)?)/gm)) {
          const [first = ''] = rest!.trim().split(' ');
          const whole = await sandbox.run([name!, '--help']);
          const isGroup = /^[a-z]+$/.test(first) && new RegExp(`^  ${first} `, 'm').test(whole.out);
          const { out } = isGroup ? await sandbox.run([name!, first, '--help']) : whole;
          assert.match(out, new RegExp(`^Usage: redkeep ${name}`), `redkeep ${name}`);
          for (const [option] of rest!.matchAll(/--[a-z-]+/g))
            assert.match(out, new RegExp(`${option}\\b`), `${name}${rest}`);
        }
      });
    }
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
