/**
 * `npm run docs:look`: the built site in Chromium, from a folder of any name, on a desktop and on a phone, light and dark.
 * Fails on what axe finds, on errors of the page, on requests that get no answer, on text wider than the screen, and when
 * the search does not find. With a folder as argument it leaves screenshots there.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { browserPath } from '@redkeep/testing';
import { type Browser, chromium, type Page } from 'playwright-core';
import { repository } from '../repository.js';
import { serveFolder } from './serve-folder.js';

const PAGES = [
  'index.html',
  'get-started.html',
  'redis-in-one-page.html',
  'frameworks.html',
  'client.html',
  'compare.html',
  'audit.html',
  'checks.html',
  'checks/net-005.html',
  'deployments.html',
  'errors.html',
  'reference/options.html',
  'reference/cli.html',
  'faq.html',
];
const SCREENS = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } } as const;
const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const [screenshots] = process.argv.slice(2);
const problems: string[] = [];

async function look(browser: Browser, base: string, screen: keyof typeof SCREENS, colorScheme: 'light' | 'dark') {
  const context = await browser.newContext({ viewport: SCREENS[screen], colorScheme, reducedMotion: 'reduce' });
  const page = await context.newPage();
  const say = (what: string) => problems.push(`${page.url().replace(base, '')} ${screen} ${colorScheme}: ${what}`);
  page.on('pageerror', (error) => say(error.message));
  page.on('console', (message) => message.type() === 'error' && say(message.text()));
  page.on('response', (response) => response.status() >= 400 && say(`${response.status()} ${response.url()}`));
  for (const name of PAGES) {
    await open(page, `${base}${name}`);
    const overflow = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
    if (Number(overflow) > 0) say(`is ${overflow} pixels wider than the screen`);
    await page.addScriptTag({ path: axe });
    for (const violation of await violations(page)) say(violation);
    const file = `${name.replace(/\W/g, '-')}-${screen}-${colorScheme}.png`;
    if (screenshots) await page.screenshot({ path: join(screenshots, file) });
  }
  await context.close();
}

/** Opens a page, and waits until its scripts have taken it over. */
async function open(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await page.waitForFunction('document.querySelector("#app")?.__vue_app__ !== undefined');
}

async function violations(page: Page): Promise<string[]> {
  const result = (await page.evaluate('axe.run()')) as {
    violations: { id: string; help: string; nodes: { html: string }[] }[];
  };
  return result.violations.map(
    ({ id, help, nodes }) => `axe ${id}: ${help}: ${nodes.length} × ${nodes[0]?.html.slice(0, 160)}`,
  );
}

/** From the search to a page of its result, by keyboard, as a reader does. */
async function search(browser: Browser, base: string) {
  const page = await browser.newPage();
  await open(page, `${base}reference/cli.html`);
  await page.getByRole('button', { name: 'Search' }).first().click();
  await page.locator('#localsearch-input').fill('rate limits proxy');
  await page.locator('#localsearch-list .result').first().waitFor();
  if (screenshots) await page.screenshot({ path: join(screenshots, 'search.png') });
  await page.keyboard.press('Enter');
  await page.waitForURL(/guard-rate-limits\.html/, { timeout: 10_000 });
  await page.locator('.VPNavBarTitle a').click();
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.close();
}

const browser = await chromium.launch({ executablePath: browserPath(), args: ['--no-sandbox'] });
const served = await serveFolder(join(repository, 'site/.vitepress/dist'), '/any/folder/');
try {
  for (const screen of ['desktop', 'phone'] as const)
    for (const colors of ['light', 'dark'] as const) await look(browser, served.url, screen, colors);
  await search(browser, served.url).catch((error: Error) => problems.push(`search: ${error.message}`));
} finally {
  await browser.close();
  await served[Symbol.asyncDispose]();
}
for (const problem of problems) console.error(`✖ ${problem}`);
if (problems.length > 0) process.exit(1);
process.stdout.write(`${PAGES.length} pages on 2 screens, light and dark: nothing wrong.\n`);
