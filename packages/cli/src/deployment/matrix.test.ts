import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { after, describe, test } from 'node:test';
import { type Engine, findEngine, findEngines, freePort } from '@redkeep/testing';
import { checks } from '../audit/checks/index.js';
import { openDeployment } from '../testing/open-deployment.js';
import { CliSandbox } from '../testing/run-cli.js';
import { type ProfileName, profileNames, type TopologyName, topologyNames } from '../vocabulary/names.js';

interface Case {
  readonly engine: Engine;
  readonly profile: ProfileName;
  readonly topology: TopologyName;
}

/** All of them with REDKEEP_MATRIX=full (npm run test:matrix); else each topology and three profiles once. */
function cases(): Case[] {
  if (process.env['REDKEEP_MATRIX'] !== 'full') {
    const engine = findEngine();
    return [
      { engine, profile: 'development', topology: 'single' },
      { engine, profile: 'production', topology: 'sentinel' },
      { engine, profile: 'regulated', topology: 'cluster' },
    ];
  }
  return findEngines().flatMap((engine) =>
    profileNames.flatMap((profile) => topologyNames.map((topology) => ({ engine, profile, topology }))),
  );
}

describe('a deployment', () => {
  const sandboxes: CliSandbox[] = [];
  after(async () => {
    for (const sandbox of sandboxes) await sandbox.remove();
  });

  for (const { engine, profile, topology } of cases()) {
    test(`${engine.name}, ${profile}, ${topology}: starts, keeps its ACL promises, survives a restart`, async () => {
      const sandbox = await CliSandbox.create();
      sandboxes.push(sandbox);
      const run = async (...args: string[]) => {
        const result = await sandbox.run(args);
        assert.equal(result.code, 0, `${args.join(' ')}\n${result.out}${result.err}`);
        return result;
      };
      const answers = ['--profile', profile, '--topology', topology, '--port', String(await freePort())];
      const users = ['--app', 'app', '--session-store', 'sess', '--read-only', 'reader=app:*'];
      await run('init', '--yes', '--server', engine.server, ...answers, ...users);
      await run('up', '--detach');

      assert.match((await run('acl', 'test')).out, /; 0 not as they must be/);
      await run('acl', 'diff');
      await run('certs', 'check');
      // Development takes writes without a replica in step, which the audit says.
      if (profile !== 'development') await assertAuditGivesAnA(sandbox);

      // With the tool's own prompt: keys of every primary, and in a Sentinel set the node that takes writes.
      const alone = { env: { PATH: sandbox.folder } };
      for (const key of ['app:1', 'app:2', 'app:3', 'app:4']) {
        const { out } = await sandbox.run(['cli', '--json', '--user', 'app', '--', 'SET', key, 'v'], alone);
        assert.deepEqual(JSON.parse(out).messages, [{ kind: 'result', text: 'OK' }], out);
      }
      const { connect, deployment } = await openDeployment(sandbox);
      const writer = await connect('app', await ownerOf('app:{1}', deployment.nodes, connect));
      await writer.set('app:{1}', 'kept');
      if (topology !== 'single') await writer.sendCommand(['WAIT', '1', '5000']).catch(() => undefined);
      await writer.close();

      await run('down');
      await run('up', '--detach');
      await run('acl', 'diff');
      await run('certs', 'check');
      const reader = await connect('reader', await ownerOf('app:{1}', deployment.nodes, connect));
      assert.equal(await reader.get('app:{1}'), 'kept');
      await assert.rejects(reader.set('app:{1}', 'changed'), /NOPERM/);
      await reader.close();
      await run('down');
    });
  }
});

/**
 * What the audit says about the machine (who runs the test, its disk, kernel and packages) is not the deployment's
 * doing: those checks are waived. With everything else the deployment must get an A.
 */
async function assertAuditGivesAnA(sandbox: CliSandbox): Promise<void> {
  const ofTheMachine = checks.map(({ id }) => id).filter((id) => /^(HOST|VER)-/.test(id));
  const accepted = { owner: 'the test', reason: 'the machine under the test', expires: '2999-12-31' };
  const waivers = sandbox.path('waivers.json');
  await writeFile(waivers, JSON.stringify(ofTheMachine.map((check) => ({ check, ...accepted }))));
  const { out, err } = await sandbox.run(['audit', '--json', '--waivers', waivers, '--timeout', '30000']);
  assert.ok(out.startsWith('{'), err);
  const { grade, caps, findings } = JSON.parse(out) as {
    grade: string;
    caps: unknown;
    findings: { id: string; occurrences: unknown }[];
  };
  const failed = findings.map(({ id, occurrences }) => [id, occurrences]);
  assert.deepEqual({ failed, grade: grade[0], caps }, { failed: [], grade: 'A', caps: [] });
}

type Opened = Awaited<ReturnType<typeof openDeployment>>;

/** The data node that takes writes for a key. */
async function ownerOf(key: string, nodes: Opened['deployment']['nodes'], connect: Opened['connect']) {
  for (const node of nodes.filter(({ role }) => role !== 'sentinel')) {
    const client = await connect('app', node);
    try {
      await client.sendCommand(['SET', `${key}:probe`, '1']);
      return node;
    } catch (error) {
      assert.match(String(error), /MOVED|READONLY/);
    } finally {
      client.destroy();
    }
  }
  throw new Error('no node takes writes');
}
