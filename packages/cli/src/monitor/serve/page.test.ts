/** The live page in a real Chromium: login, content, what changes while it is open, accessibility, hostile text. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
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

  test('keeps its cookie from scripts, and ends with the logout', async () => {
    const [cookie] = await page.context().cookies();
    assert.equal(cookie?.httpOnly, true);
    assert.equal(cookie?.sameSite, 'Strict');
    await page.click('text=Log out');
    await page.waitForSelector('#password');
    const answer = await fetch(`${url}content`, { headers: { cookie: `${cookie!.name}=${cookie!.value}` } });
    assert.equal(answer.status, 401);
  });

  test('refuses an eleventh login within a minute', async () => {
    const login = () => fetch(`${url}login`, { method: 'POST', body: new URLSearchParams({ password: 'x' }) });
    const statuses: number[] = [];
    for (let turn = 0; turn < 12; turn += 1) statuses.push((await login()).status);
    assert.equal(statuses.at(-1), 429);
  });
});
