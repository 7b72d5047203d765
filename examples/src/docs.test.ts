/**
 * Every example of README and docs compiles, and runs against a real server over TLS unless its fence says `no-run`
 * (it names hosts or files that only exist elsewhere).
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Server, startServer } from '@redkeep/testing';

const run = promisify(execFile);
const repository = fileURLToPath(new URL('../../', import.meta.url));
// Inside the repository, so that `redkeep` resolves as it does for an application.
const folder = join(repository, 'examples', 'dist', 'docs');

interface Example {
  readonly name: string;
  readonly code: string;
  readonly runs: boolean;
}

async function examples(): Promise<Example[]> {
  const pages = [
    'README.md',
    ...(await readdir(join(repository, 'docs'))).filter((f) => f.endsWith('.md')).map((f) => `docs/${f}`),
  ];
  const found: Example[] = [];
  for (const page of pages) {
    const text = await readFile(join(repository, page), 'utf8');
    let n = 0;
    for (const [, info, code] of text.matchAll(/^```ts([^\n]*)\n([\s\S]*?)^```$/gm)) {
      n++;
      found.push({
        name: `${page.replace(/[^a-zA-Z-]+/g, '-').replace(/-md$/, '')}-${n}`,
        code: code!,
        runs: !info!.includes('no-run'),
      });
    }
  }
  return found;
}

const all = await examples();

describe('examples of the documents', () => {
  let server: Server;
  before(async () => {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    for (const { name, code } of all) await writeFile(join(folder, `${name}.ts`), code);
    await writeFile(
      join(folder, 'tsconfig.json'),
      JSON.stringify({
        extends: '../../../tsconfig.base.json',
        compilerOptions: {
          composite: false,
          declaration: false,
          sourceMap: false,
          rootDir: '.',
          outDir: 'out',
          noUncheckedIndexedAccess: false,
        },
        include: ['*.ts'],
      }),
    );
    server = await startServer({ tls: true });
  });
  after(() => server.stop());

  test('there are some', () => assert.ok(all.length >= 8 && all.some(({ runs }) => runs)));

  test('all compile', async () => {
    await run(process.execPath, [join(repository, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', folder]).catch(
      (error) => {
        assert.fail(error.stdout);
      },
    );
  });

  for (const { name } of all.filter(({ runs }) => runs)) {
    test(`${name} runs`, async () => {
      const env = {
        ...process.env,
        REDIS_URL: `rediss://localhost:${server.tlsPort}`,
        REDIS_TLS_CA_FILE: server.tlsFiles!.ca,
      };
      const { stderr } = await run(process.execPath, [join(folder, 'out', `${name}.js`)], { env, timeout: 30_000 });
      assert.equal(stderr, '');
    });
  }
});
