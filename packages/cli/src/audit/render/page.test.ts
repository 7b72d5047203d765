/** The report in a real Chromium: accessibility by axe in light and dark, the keyboard, and what is printed. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';
import { browserPath, findEngine, waitFor } from '@redkeep/testing';
import { type Browser, chromium, type Page } from 'playwright-core';
import { entryOf, failedEntry, fleetReport } from '../../commands/audit/inventory/fleet.js';
import { renderFleetHtml } from '../../commands/audit/inventory/render-fleet.js';
import { gather } from '../gather/gather.js';
import { openServer, requestFor } from '../testing/hardened.js';
import { judge } from '../verdict/judge.js';
import type { AuditResult, Grade } from '../verdict/result.js';
import { renderHtml } from './html.js';

describe('the report as a page', () => {
  let browser: Browser;
  let page: Page;
  let result: AuditResult;
  let fleet: string;

  before(async () => {
    await using server = await openServer(findEngine());
    const request = requestFor(server);
    const { facts } = await gather({
      ...request,
      endpoints: request.endpoints.map(({ username: _, password: __, ...one }) => one),
    });
    const whole = judge(facts, { target: server.url, version: 'test', durationMs: 0 });
    // A few of each: axe looks at every element, and a hundred rows of one kind tell it nothing new.
    const kinds = new Map(whole.findings.map((one) => [one.severity + one.occurrences[0]?.fix.length, one]));
    result = {
      ...whole,
      findings: [...kinds.values()],
      checks: whole.checks.slice(0, 20),
      compliance: whole.compliance.slice(0, 1),
    };
    const entries = [
      entryOf('shop', { result, facts }, undefined),
      failedEntry('gone', 'redis://gone', 'no answer', undefined),
    ];
    fleet = renderFleetHtml(fleetReport('fleet.yaml', facts.observedAt, 'test', entries), new Set(['shop']));
    browser = await chromium.launch({ executablePath: browserPath(), args: ['--no-sandbox'] });
    page = await browser.newPage();
  });
  after(() => browser?.close());

  async function show(html: string, colorScheme: 'light' | 'dark'): Promise<void> {
    await page.emulateMedia({ colorScheme, media: 'screen' });
    // The page's own policy lets no script in but its own: axe is tried on the page without it.
    await page.setContent(html.replace(/<meta http-equiv="Content-Security-Policy"[^>]*>/, ''));
    await page.evaluate('for (const one of document.querySelectorAll("details")) one.open = true');
  }

  async function violations(within?: string): Promise<string[]> {
    await page.evaluate(await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'));
    const found = await page.evaluate<{
      violations: { id: string; nodes: { html: string; failureSummary: string }[] }[];
    }>(`axe.run(${JSON.stringify(within ?? 'html')}, { resultTypes: ['violations'] })`);
    return found.violations.flatMap(({ id, nodes }) =>
      nodes.slice(0, 2).map((one) => `${id}: ${one.html.slice(0, 160)} ${one.failureSummary.slice(0, 200)}`),
    );
  }

  for (const scheme of ['light', 'dark'] as const) {
    test(`has nothing that axe complains of, in ${scheme} colours`, async () => {
      await show(renderHtml(result), scheme);
      assert.deepEqual(await violations(), []);
      for (const grade of ['A', 'B', 'C', 'D', null] as const) {
        await show(renderHtml({ ...result, grade, findings: grade === 'A' ? [] : result.findings }), scheme);
        assert.deepEqual(await violations('.verdict'), [], `grade ${grade}`);
      }
      await show(fleet, scheme);
      assert.deepEqual(await violations(), []);
    });
  }

  test('colours a grade with a high finding like a warning, whatever the letter', async () => {
    const tone = async (grade: Grade, findings: AuditResult['findings']) => {
      await show(renderHtml({ ...result, grade, findings }), 'light');
      return page.evaluate<string>("getComputedStyle(document.querySelector('.letter')).backgroundColor");
    };
    const serious = result.findings.filter(({ severity }) => severity === 'high');
    assert.ok(serious.length > 0);
    assert.notEqual(await tone('B', serious), await tone('B', []));
    assert.equal(await tone('B', serious), await tone('C', []));
  });

  test('shows where the focus is', async () => {
    await show(renderHtml(result), 'light');
    await page.keyboard.press('Tab');
    const outline = await page.evaluate<string>('getComputedStyle(document.activeElement).outlineStyle');
    assert.equal(outline, 'solid');
  });

  test('prints every clause that a finding maps to', async () => {
    await page.emulateMedia({ media: 'print' });
    await page.setContent(renderHtml(result));
    await page.evaluate("dispatchEvent(new Event('beforeprint'))");
    assert.ok((await page.locator('.finding .maps li').count()) > 0);
    const isShown = "[...document.querySelectorAll('.finding .maps li')].every((one) => one.checkVisibility())";
    await waitFor(() => page.evaluate<boolean>(isShown), { message: 'the clauses' });
  });
});
