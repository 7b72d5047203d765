import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { renderAnswers } from '../testing/render-answers.js';
import { topologyNames } from '../vocabulary/names.js';

/**
 * The tools that the generated files are for. `npm run test:targets` brings them and requires each; elsewhere those
 * that are here are used, and the ones that are not are named.
 */
const probes = {
  'systemd-analyze': ['systemd-analyze', '--version'],
  promtool: ['promtool', '--version'],
  // Loading firewall rules takes a network namespace of one's own: nothing outside is touched.
  nft: ['unshare', '--net', 'nft', 'list', 'ruleset'],
  iptables: ['unshare', '--net', 'sh', '-c', 'iptables -S && ip6tables -S'],
  ufw: ['ufw', 'version'],
  // A disk that is full is a small one of our own.
  mount: ['unshare', '--mount', 'sh', '-c', 'mount -t tmpfs tmpfs /mnt'],
} as const;
type Tool = keyof typeof probes;

const works = ([program, ...args]: readonly string[]) => spawnSync(program!, args, { stdio: 'ignore' }).status === 0;
const tools = Object.keys(probes) as Tool[];
const missing = new Set(tools.filter((tool) => !works(probes[tool])));

/** Highest exposure that `systemd-analyze security` may find, in tenths: 0 is best, 100 worst. */
const highestExposure = 15;

describe('generated files and the tools they are for', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'redkeep-targets-'));
    for (const topology of topologyNames) {
      const hosts = ['10.0.0.1', '10.0.0.2', 'fd00::3'];
      const sources = ['10.1.0.0/16', '10.1.2.3', 'fd01::/16'];
      const files = await renderAnswers(
        {
          target: 'systemd',
          topology,
          profile: 'production',
          hosts,
          sources,
          name: 'we "ird\' $(x) %n;é\n[Service]\n',
        },
        '/srv/a "b\' $(c) %d \\ é',
      );
      for (const file of files) {
        const target = path.join(folder, topology, file.path);
        await mkdir(path.dirname(target), { recursive: true });
        // systemd wants the program to be there; which one it is does not matter to the rest of the unit.
        const content = file.content.replace('ExecStart=/usr/bin/redis-server ', `ExecStart=${process.execPath} `);
        await writeFile(target, content, { mode: file.mode });
      }
    }
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const at = (topology: string, ...parts: string[]) => path.join(folder, topology, ...parts);
  const run = (program: string, ...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
    return { status, text: `${stdout}${stderr}` };
  };
  const succeed = (program: string, ...args: string[]) => {
    const { status, text } = run(program, ...args);
    assert.equal(status, 0, text);
    return text;
  };

  test('says which tools are not here', (t) => {
    if (process.env['REDKEEP_TARGETS'] === 'full') assert.deepEqual([...missing], []);
    else
      for (const tool of missing) t.diagnostic(`${tool} is not here or may not run: npm run test:targets requires it`);
  });

  for (const topology of topologyNames) {
    test(`every script is a shell script, ${topology}`, () => {
      const found = succeed('find', at(topology), '-name', '*.sh').trim().split('\n');
      assert.ok(found.length > 5);
      for (const file of found) succeed('sh', '-n', file);
    });

    if (!missing.has('systemd-analyze')) {
      test(`systemd-analyze verifies the units and finds them well sandboxed, ${topology}`, () => {
        const units = succeed('find', at(topology), '-name', '*.service', '-o', '-name', '*.timer').trim().split('\n');
        // Other units of the machine may be broken; those given here may not even be grumbled at.
        const grumbles = run('systemd-analyze', 'verify', '--man=no', ...units).text.split('\n');
        assert.deepEqual(
          grumbles.filter((line) => line.includes('redkeep')),
          [],
        );
        for (const unit of units.filter((file) => file.includes('/systemd/'))) {
          succeed('systemd-analyze', 'security', '--offline=true', `--threshold=${highestExposure}`, unit);
        }
        assert.notEqual(run('systemd-analyze', 'security', '--offline=true', '--threshold=1', units[0]!).status, 0);
      });
    }

    if (!missing.has('promtool')) {
      test(`promtool checks the rules and the scrape configuration, ${topology}`, () => {
        succeed('promtool', 'check', 'rules', at(topology, 'monitoring/alerts.yml'));
        succeed('promtool', 'check', 'config', at(topology, 'monitoring/prometheus.yml'));
      });
    }

    if (!missing.has('nft')) {
      test(`nft loads the rules, twice, ${topology}`, () => {
        const script = 'nft -c -f "$1" && nft -f "$1" && nft -f "$1" && nft list ruleset';
        const listed = inNetworkNamespace(script, at(topology, 'firewall/redkeep.nft'));
        assert.match(listed, /ip saddr 10\.1\.0\.0\/16 accept/);
        assert.match(listed, /tcp dport .* counter packets 0 bytes 0 drop/);
      });
    }

    if (!missing.has('iptables')) {
      test(`iptables takes the rules, twice, and gives them back to iptables-restore, ${topology}`, () => {
        const script = 'sh "$1" && sh "$1" && iptables-save | iptables-restore --test && iptables -S && ip6tables -S';
        const listed = inNetworkNamespace(script, at(topology, 'firewall/iptables.sh'));
        assert.equal(listed.match(/^-A INPUT -j REDKEEP\S*$/gm)?.length, 2, 'one jump for each family');
        assert.match(listed, /-A REDKEEP\S* -s 10\.1\.0\.0\/16 -p tcp -m tcp --dport 6379 -j ACCEPT/);
        assert.match(listed, /-A REDKEEP\S* -s fd01::\/16 -p tcp -m tcp --dport 6379 -j ACCEPT/);
        assert.match(listed, /-A REDKEEP\S* -p tcp -m tcp --dport 6379 -j DROP/);
      });
    }

    if (!missing.has('ufw')) {
      test(`ufw takes the rules, ${topology}`, () => {
        const script = 'ufw() { command ufw --dry-run "$@"; }; . "$1"';
        const shown = inNetworkNamespace(script, at(topology, 'firewall/ufw.sh'));
        assert.match(shown, /allow tcp 6379 0\.0\.0\.0\/0 any 10\.1\.0\.0\/16/);
      });
    }
  }

  const program = `'${process.execPath}' '${fileURLToPath(new URL('../../bin/redkeep.js', import.meta.url))}'`;

  if (!missing.has('mount')) {
    test('a full disk leaves nothing behind, and an existing deployment as it was', () => {
      const script = `
        mount -t tmpfs -o size=64k tmpfs /mnt
        ${program} init --yes --dir /mnt/a && exit 10; test $? = 4 || exit 11
        test -z "$(ls -A /mnt)" || exit 12
        mount -o remount,size=2m /mnt
        ${program} init --yes --dir /mnt/a || exit 13
        (cd /mnt/a && find . -type f -exec sha256sum {} + | sort) > before
        dd if=/dev/zero of=/mnt/fill bs=1k count=4096 2>/dev/null || true
        ${program} init --yes --force --dir /mnt/a --app b c d e && exit 14; test $? = 4 || exit 15
        (cd /mnt/a && find . -type f -exec sha256sum {} + | sort) > after
        cmp before after && test -z "$(ls -A /mnt/a | grep staging)" || exit 16
        rm /mnt/fill && ${program} init --yes --force --dir /mnt/a --app b c d e`;
      const { status, stdout, stderr } = spawnSync('unshare', ['--mount', 'sh', '-c', script], {
        cwd: folder,
        encoding: 'utf8',
      });
      assert.equal(status, 0, `exit ${status}: ${stdout}${stderr}`);
      assert.equal(stderr.match(/REDKEEP_DISK_FULL/g)?.length, 2);
    });
  }

  function inNetworkNamespace(script: string, file: string): string {
    return execFileSync('unshare', ['--net', 'sh', '-euc', script, 'sh', file], { encoding: 'utf8', stdio: 'pipe' });
  }
});
