/** The live page in a real Chromium: login, content, what changes while it is open, accessibility, hostile text. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { browserPath, freePort, waitFor } from '@redkeep/testing';
import { type Browser, chromium, type Page } from 'playwright-core';
import { openDeployment } from '../../testing/open-deployment.js';
import { CliSandbox } from '../../testing/run-cli.js';

describe('the live page', () => {
  let sandbox: CliSandbox;
  let browser: Browser;
  let page: Page;
  let url: string;
  let running: Promise<unknown>;
  const stop = new AbortController();
  const consoleErrors: string[] = [];

  before(async () => {
    sandbox = await CliSandbox.create();
    const port = String(await freePort());
    const name = '<img src=x onerror=alert(1)> "shop"';
    const made = await sandbox.run(['init', '--yes', '--profile', 'production', '--port', port, '--name', name]);
    assert.equal(made.code, 0, made.err);
    assert.equal((await sandbox.run(['up', '--detach'])).code, 0);
    const listen = `127.0.0.1:${await freePort()}`;
    url = `http://${listen}/`;
    let said = '';
    running = sandbox.run(['monitor', '--listen', listen, '--interval', '1', '--page'], {
      signal: stop.signal,
      onText: (text) => {
        said += text;
      },
    });
    await waitFor(() => said.includes('Live page:'), { message: 'the page' });
    browser = await chromium.launch({ executablePath: browserPath(), args: ['--no-sandbox'] });
    page = await browser.newPage();
    page.on('console', (message) => {
      if (message.type() === 'error') consoleErrors.push(message.text());
    });
    page.on('dialog', () => consoleErrors.push('a dialog was opened'));
  });
  after(async () => {
    await browser?.close();
    stop.abort();
    await running;
    await sandbox.remove();
  });

  const axe = async () => {
    await page.evaluate(await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'));
    const { violations } = await page.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>(
      'axe.run()',
    );
    return violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
  };

  test('shows nothing without a login', async () => {
    for (const path of ['content', 'live', 'anything']) assert.equal((await fetch(url + path)).status, 401, path);
    const { headers } = await fetch(url);
    assert.match(headers.get('content-security-policy')!, /default-src 'none'/);
    await page.goto(url);
    assert.deepEqual(await axe(), []);
    await page.fill('#password', 'wrong');
    await page.click('button');
    await page.waitForSelector('[role=alert]');
    assert.match((await page.textContent('[role=alert]'))!, /wrong/);
    consoleErrors.length = 0;
  });

  test('shows servers, clients and secrets after it, and events as they happen', async () => {
    await page.fill(
      '#password',
      (await readFile(sandbox.path('redkeep/secrets/monitor-page.password'), 'utf8')).trim(),
    );
    await page.click('button');
    await page.waitForSelector('#content');
    await page.waitForFunction("document.querySelector('#content').textContent.includes('node-1')");
    const text = async () => (await page.textContent('#content'))!;
    assert.match(await text(), /No alert/);
    assert.match(await text(), /primary/);
    assert.match(await text(), /trusted, \d+ days left, TLSv1\.3/);
    assert.match(await text(), /password of admin/);
    assert.deepEqual(await axe(), []);
    const { connect } = await openDeployment(sandbox);
    const admin = await connect('admin');
    await admin.sendCommand(['CONFIG', 'SET', 'maxmemory-samples', '7']);
    await page.waitForSelector('.alert.warning');
    assert.match(await text(), /had its configuration changed/);
    await page.waitForFunction("document.querySelector('#content').textContent.includes('CONFIG SET ran once')");
    assert.deepEqual(await axe(), []);
    admin.destroy();
    for (const width of [360, 1280]) {
      await page.setViewportSize({ width, height: 800 });
      assert.ok(await page.evaluate<boolean>('document.documentElement.scrollWidth <= innerWidth'), `fits ${width} px`);
    }
    assert.deepEqual(consoleErrors, []);
  });

  /** The answer to a request as an attacker writes it: text on a socket. */
  async function raw(head: readonly string[], body = ''): Promise<{ status: number; text: string }> {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    socket.on('error', () => undefined);
    socket.write(`${[...head, 'Connection: close'].join('\r\n')}\r\n\r\n${body}`);
    await waitFor(() => /^HTTP\/1\.1 \d{3} [\s\S]*\r\n\r\n/.test(text), {
      message: `an answer to ${head[0]!.slice(0, 80)}`,
    });
    socket.destroy();
    return { status: Number(text.slice(9, 12)), text };
  }
  const here = () => `Host: ${new URL(url).host}`;
  const cookie = async () => {
    const [session] = await page.context().cookies();
    return `Cookie: ${session!.name}=${session!.value}`;
  };
  const shown = async () => (await raw(['GET /content HTTP/1.1', here(), await cookie()])).status;

  test('shows nothing to made-up sessions, by whatever method', async () => {
    const made = [
      '',
      'redkeep_monitor=',
      'redkeep_monitor=0',
      `redkeep_monitor=${'A'.repeat(43)}`,
      'redkeep_monitor=__proto__',
    ];
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS'])
      for (const path of ['/content', '/live', '/logout'])
        for (const given of made) {
          const { status, text } = await raw([
            `${method} ${path} HTTP/1.1`,
            here(),
            `Cookie: ${given}`,
            'Content-Length: 0',
          ]);
          assert.equal(status, 401, `${method} ${path} ${given}`);
          assert.doesNotMatch(text, /node-1|access-control-allow/i);
        }
    assert.equal(await shown(), 200);
  });

  test('answers to no other name, which a web page could have resolve to this machine', async () => {
    const port = new URL(url).port;
    const names = [
      'evil.example',
      `evil.example:${port}`,
      `127.0.0.1.evil.example:${port}`,
      `localhost.evil.example`,
      '[::1].evil.example',
    ];
    for (const path of ['/', '/content', '/metrics', '/scrape?target=node-1', '/-/healthy', '/login'])
      for (const name of [...names, ''])
        assert.equal(
          (await raw([`GET ${path} HTTP/1.1`, `Host: ${name}`, await cookie()])).status,
          421,
          `${name} ${path}`,
        );
    assert.equal((await raw(['GET /content HTTP/1.1', await cookie()])).status, 400, 'no name');
    assert.equal(
      (await raw(['GET http://evil.example/content HTTP/1.1', 'Host: evil.example', await cookie()])).status,
      421,
    );
    assert.equal((await raw(['GET /content HTTP/1.0', await cookie()])).status, 421, 'no name, HTTP/1.0');
  });

  test("takes no form of another site, nor of another port of this machine, and they use up nobody's logins", async () => {
    const { hostname } = new URL(url);
    for (const origin of ['null', 'http://evil.example', `http://${hostname}:1`, `http://${hostname}`, `${url}x`])
      for (const path of ['/logout', ...Array<string>(4).fill('/login')]) {
        const head = [`POST ${path} HTTP/1.1`, here(), await cookie(), `Origin: ${origin}`, 'Content-Length: 0'];
        assert.equal((await raw(head)).status, 403, `${origin} ${path}`);
      }
    assert.equal(await shown(), 200, 'still logged in');
    assert.equal((await fetch(`${url}login`, { method: 'POST', body: 'password=x' })).status, 401, 'not 429');
  });

  test('has no files: no path leads to one', async () => {
    const paths = [
      '/../../etc/passwd',
      '/page.css/../../../etc/passwd',
      '/%2e%2e/%2e%2e/secrets/monitor-page.password',
      '/..%2fsecrets%2fmonitor-page.password',
      '/..\\secrets\\monitor-page.password',
      '/page.css%00.html',
      '/secrets/monitor-page.password',
      '//evil.example/secrets',
      '/content/',
      '/scrape/../content/x',
    ];
    for (const path of paths) {
      assert.equal((await raw([`GET ${path} HTTP/1.1`, here()])).status, 401, path);
      const { status, text } = await raw([`GET ${path} HTTP/1.1`, here(), await cookie()]);
      assert.equal(status, 404, path);
      assert.match(text, /There is no such page/, path);
    }
    assert.equal((await raw(['GET // HTTP/1.1', here(), await cookie()])).status, 400);
    const outside = await raw(['GET /scrape?target=../../secrets/admin.password HTTP/1.1', here()]);
    assert.equal(outside.status, 400);
  });

  test('refuses huge headers, addresses and forms, and goes on', async () => {
    const huge = 'x'.repeat(100_000);
    assert.equal((await raw(['GET / HTTP/1.1', here(), `X-Huge: ${huge}`])).status, 431);
    assert.equal((await raw(['GET / HTTP/1.1', here(), `Cookie: redkeep_monitor=${huge}`])).status, 431);
    assert.equal((await raw([`GET /${huge} HTTP/1.1`, here()])).status, 431);
    const form = ['POST /login HTTP/1.1', here(), `Content-Length: ${huge.length}`];
    assert.equal((await raw(form, huge)).status, 413);
    assert.equal(
      (await raw(['POST /login HTTP/1.1', here(), 'Content-Length: 1', 'Transfer-Encoding: chunked'], '0\r\n\r\n'))
        .status,
      400,
    );
    assert.equal(await shown(), 200);
  });

  test('keeps its cookie from scripts, and ends with the logout', async () => {
    const [cookie] = await page.context().cookies();
    assert.equal(cookie?.httpOnly, true);
    assert.equal(cookie?.sameSite, 'Strict');
    await page.click('text=Log out');
    await page.waitForSelector('#password');
    const answer = await fetch(`${url}content`, { headers: { cookie: `${cookie!.name}=${cookie!.value}` } });
    assert.equal(answer.status, 401);
  });

  test('tries ten logins within a minute, however they come, and not the right password after them', async () => {
    const login = (password: string, headers: Record<string, string> = {}) =>
      fetch(`${url}login`, { method: 'POST', headers, body: new URLSearchParams({ password }), redirect: 'manual' });
    const turns = Array.from({ length: 40 }, (_, turn) =>
      login(`guess-${turn}`, { 'x-forwarded-for': `10.0.0.${turn}` }),
    );
    const statuses = (await Promise.all(turns)).map(({ status }) => status);
    assert.ok(statuses.filter((status) => status === 401).length <= 10);
    assert.ok(statuses.every((status) => status === 401 || status === 429));
    const right = (await readFile(sandbox.path('redkeep/secrets/monitor-page.password'), 'utf8')).trim();
    assert.ok(right.length >= 40);
    const late = await login(right);
    assert.equal(late.status, 429);
    assert.equal(late.headers.get('set-cookie'), null);
  });
});
