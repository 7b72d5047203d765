/**
 * Every example of the READMEs and docs compiles, and runs against a real server over TLS unless its fence says `no-run`
 * (it names hosts or files that only exist elsewhere).
 */
import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Server, startServer } from '@redkeep/testing';
import { compileFolder, emptyFolder, repository, run } from './testing/compile.js';

interface Example {
  readonly name: string;
  readonly code: string;
  readonly runs: boolean;
}

async function examples(): Promise<Example[]> {
  const readmes = (await readdir(join(repository, 'packages'))).map((name) => `packages/${name}/README.md`);
  const docs = await readdir(join(repository, 'docs'), { recursive: true });
  const pages = ['README.md', ...readmes, ...docs.filter((f) => f.endsWith('.md')).map((f) => `docs/${f}`)];
  const found: Example[] = [];
  for (const page of pages) {
    const text = await readFile(join(repository, page), 'utf8');
    let n = 0;
    for (const [, info, code] of text.matchAll(/^```(?:ts|js|typescript|javascript)\b([^\n]*)\n([\s\S]*?)^```$/gm)) {
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
  let folder: string;
  before(async () => {
    folder = await emptyFolder('docs');
    for (const { name, code } of all) await writeFile(join(folder, `${name}.ts`), code);
    server = await startServer({ tls: true });
  });
  after(() => server.stop());

  test('there are some', () => assert.ok(all.length >= 8 && all.some(({ runs }) => runs)));

  test('all compile', () => compileFolder(folder));

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
