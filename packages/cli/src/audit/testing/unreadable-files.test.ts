import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, symlink, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { CliSandbox } from '../../testing/run-cli.js';
import type { AuditResult } from '../verdict/result.js';
import { auditFolder, placesOf, withFolder } from './project-folder.js';

const good = {
  'good/compose.yaml': 'services:\n  cache:\n    image: redis:7\n    privileged: true\n',
  'redis.conf': 'protected-mode no\n',
};

/** Each puts something beside good files that cannot be read, and says how the report names it. */
const obstacles: Readonly<Record<string, { file: string; put: (path: string) => Promise<unknown>; says: RegExp }>> = {
  'broken YAML': {
    file: 'bad.yaml',
    put: (path) => writeFile(path, 'services:\n  a: [1,\n  b: }\n'),
    says: /line \d+/,
  },
  'YAML that names an anchor nobody made': {
    file: 'compose.yml',
    put: (path) => writeFile(path, 'services:\n  a: { <<: *nothing, image: redis }\n'),
    says: /line 2: .*nothing/,
  },
  'a pipe': { file: 'pipe.yaml', put: async (path) => execFileSync('mkfifo', [path]), says: /named pipe/ },
  'a pipe for a configuration': {
    file: 'pipe.conf',
    put: async (path) => execFileSync('mkfifo', [path]),
    says: /named pipe/,
  },
  'a pipe for a Dockerfile': {
    file: 'Dockerfile',
    put: async (path) => execFileSync('mkfifo', [path]),
    says: /named pipe/,
  },
  'a loop of links': { file: 'loop.yaml', put: (path) => symlink('loop.yaml', path), says: /leads back to itself/ },
  'a link to nothing': { file: 'gone.conf', put: (path) => symlink('nowhere', path), says: /does not exist/ },
  'a link to a device': {
    file: 'zero.yaml',
    put: (path) => symlink('/dev/zero', path),
    says: /pipe, socket or device/,
  },
  'a huge file': {
    file: 'huge.yaml',
    put: async (path) => {
      await writeFile(path, 'services:\n');
      await truncate(path, 64 * 1024 * 1024);
    },
    says: /larger than 8 MiB/,
  },
  'a binary file': {
    file: 'redis-binary.conf',
    put: (path) => writeFile(path, Buffer.from([0x62, 0x00, 0x01, 0xff, 0x00])),
    says: /not text/,
  },
  'aliases of aliases': {
    file: 'bomb.yaml',
    put: (path) =>
      writeFile(
        path,
        `kind: List\na0: &a0 [x,x,x,x,x,x,x,x,x,x]\n${Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(10).fill(`*a${i}`).join(',')}]`).join('\n')}\n`,
      ),
    says: /aliases make it too large/,
  },
  'a service that extends itself': {
    file: 'compose.yaml',
    put: (path) => writeFile(path, 'services:\n  a: { extends: b, image: redis }\n  b: { extends: a }\n'),
    says: /services extend each other: a, b/,
  },
  'an include of itself': {
    file: 'compose.yaml',
    put: (path) => writeFile(path, 'include: [compose.yaml]\nservices: { a: { image: redis } }\n'),
    says: /it includes itself/,
  },
  'an env file that is missing': {
    file: 'compose.yaml',
    put: (path) => writeFile(path, 'services:\n  a: { image: "redis:7", env_file: missing.env }\n'),
    says: /missing\.env could not be read: it does not exist/,
  },
};

describe('what cannot be read', () => {
  for (const [name, { file, put, says }] of Object.entries(obstacles))
    test(`${name} is named, and hides no other file`, async () => {
      await withFolder(good, async (folder) => {
        await put(join(folder, file));
        const result = await auditFolder(folder);
        const notes = result.notes.filter((note) => says.test(note));
        assert.equal(notes.length, 1, result.notes.join('\n'));
        assert.deepEqual(placesOf(result, 'CTR-001'), ['good/compose.yaml:4']);
        assert.deepEqual(
          placesOf(result, 'NET-003').filter((place) => place.startsWith('redis.conf')),
          ['redis.conf:1'],
        );
      });
    });

  test('a socket is named', async () => {
    await withFolder(good, async (folder) => {
      const server = createServer();
      await new Promise<void>((resolve) => void server.listen(join(folder, 'socket.conf'), resolve));
      try {
        const { notes } = await auditFolder(folder);
        assert.ok(
          notes.some((note) => /socket\.conf could not be read: it is a socket/.test(note)),
          notes.join('\n'),
        );
      } finally {
        await new Promise((resolve) => server.close(resolve));
      }
    });
  });

  test('UTF-16, a byte order mark and CRLF are read', async () => {
    const text = 'services:\r\n  cache:\r\n    image: redis:7\r\n    privileged: true\r\n';
    await withFolder(
      {
        'a/compose.yaml': Buffer.from(`\uFEFF${text}`, 'utf16le'),
        'b/compose.yaml': `\uFEFF${text}`,
        'c/compose.yaml': Buffer.from(`\uFEFF${text}`, 'utf16le').swap16(),
      },
      async (folder) => {
        const result = await auditFolder(folder);
        assert.deepEqual(placesOf(result, 'CTR-001').sort(), [
          'a/compose.yaml:4',
          'b/compose.yaml:4',
          'c/compose.yaml:4',
        ]);
      },
    );
  });

  test('a folder that is closed to the user who audits is named', async () => {
    await withFolder(good, async (folder) => {
      await mkdir(join(folder, 'closed'), { mode: 0 });
      await chmod(folder, 0o755);
      // Root reads every folder, so the search runs as nobody.
      const script = `
        const { filesOfFolder } = await import(${JSON.stringify(new URL('../gather/project-files.js', import.meta.url).href)});
        if (process.getuid() === 0) process.setuid(65534);
        console.log(JSON.stringify((await filesOfFolder(${JSON.stringify(folder)})).unreadable));`;
      const out = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
      await chmod(join(folder, 'closed'), 0o755);
      assert.deepEqual(JSON.parse(out), [{ file: join(folder, 'closed'), reason: 'permission denied' }]);
    });
  });

  for (const [name, content] of [
    ['empty.yaml', ''],
    ['other.yaml', 'title: a blog\n'],
  ] as const)
    test(`${name} alone is a file that the audit cannot judge`, async () => {
      const sandbox = await CliSandbox.create();
      try {
        await writeFile(sandbox.path(name), content);
        const { code, out } = await sandbox.run(['audit', name, '--json']);
        assert.equal(code, 3);
        assert.match(
          (JSON.parse(out) as AuditResult).notes.join('\n'),
          new RegExp(`${name} could not be read: it holds nothing that the audit knows`),
        );
      } finally {
        await sandbox.remove();
      }
    });
});
