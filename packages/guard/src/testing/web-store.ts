import assert from 'node:assert/strict';
import { test } from 'node:test';

/** A web application with the routes `/login/:user`, `/logout`, `/set/:field/:gate`, `/me`, and a browser of it. */
export interface Application {
  /** The body of a page, asked for with the browser's cookie or another. */
  visit(path: string, cookies?: string, headers?: Record<string, string>): Promise<string>;
  /** Waits until a request is at its gate. Returns what lets it go on. */
  reached(gate: string): Promise<() => void>;
  /** The browser's cookie. */
  jar(): string;
}

/** What sessions do in every framework. */
export function keepsSessions(application: () => Promise<Application>): void {
  test('logs in with a new id, keeps the session, logs out', async () => {
    const { visit, jar } = await application();
    await visit('/login/ana');
    assert.equal(await visit('/me'), '{"user":"ana"}');
    const old = jar();
    await visit('/login/ana');
    assert.notEqual(jar(), old);
    assert.equal(await visit('/me', old), '{}');
    assert.equal(await visit('/me'), '{"user":"ana"}');
    await visit('/logout');
    assert.equal(await visit('/me'), '{}');
  });

  test('a slow request that ends after logout does not log its user in again', async () => {
    const { visit, reached, jar } = await application();
    await visit('/login/ana');
    const cookies = jar();
    const slow = visit('/set/late/slow', cookies);
    const release = await reached('slow');
    assert.equal(await visit('/logout', cookies), 'out');
    release();
    assert.equal(await slow, 'set');
    assert.equal(await visit('/me', cookies), '{}');
  });

  test("parallel requests keep each other's changes", async () => {
    const { visit, reached } = await application();
    await visit('/login/ana');
    const both = [visit('/set/one/a'), visit('/set/two/b')];
    const release = await Promise.all([reached('a'), reached('b')]);
    for (const [at, ended] of both.entries()) {
      release[at]!();
      await ended;
    }
    assert.deepEqual(JSON.parse(await visit('/me')), { user: 'ana', one: true, two: true });
  });
}
