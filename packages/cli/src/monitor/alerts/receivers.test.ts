/** Receivers against real servers: HTTP, SMTP with TLS, Alertmanager with its own tool. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import { createPki } from '@redkeep/testing';
import { SMTPServer } from 'smtp-server';
import type { WatchedNode } from '../snapshot.js';
import { runProgram } from '../testing/program.js';
import { startAlertmanager } from '../testing/prometheus.js';
import type { ActiveAlert } from './active-alerts.js';
import { alertRules } from './alert-rules.js';
import type { Notification, Receiver } from './notification.js';
import { Notifier } from './notifier.js';
import { alertmanager, email, pagerDuty, slack, webhook } from './receivers.js';

const node: WatchedNode = { deployment: 'shop', name: 'node-1', host: '127.0.0.1', port: 6379 };
const alertOf = (name: string, more: Partial<ActiveAlert> = {}): ActiveAlert => ({
  rule: alertRules.find(({ alert }) => alert === name)!,
  node,
  startedAt: Date.now(),
  detail: '12 logins failed <from> 10.0.0.1 & more',
  count: 1,
  ...more,
});
const notification = (more: Partial<Notification> = {}): Notification => ({
  deployment: 'shop',
  firing: [alertOf('RedkeepPasswordGuessing')],
  resolved: [alertOf('RedkeepNodeDown')],
  at: Date.now(),
  repeated: false,
  ...more,
});

describe('receivers', () => {
  const got: { readonly headers: IncomingMessage['headers']; readonly body: string }[] = [];
  let status = 200;
  let url: string;
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      got.push({ headers: request.headers, body });
      response.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end('ok');
    });
  });
  before(async () => {
    await once(server.listen(0, '127.0.0.1'), 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook/secret-part`;
  });
  after(() => server.close());
  beforeEach(() => {
    got.length = 0;
    status = 200;
  });

  test('Slack gets one text, with what it reads as markup escaped', async () => {
    await slack(url).send(notification());
    const { text } = JSON.parse(got[0]!.body);
    assert.match(text, /^\[critical\] shop: 1 alert\n/);
    assert.match(text, /12 logins failed &lt;from&gt; 10\.0\.0\.1 &amp; more/);
    assert.match(text, /ended: node-1 does not answer/);
  });

  test('PagerDuty gets an event to trigger and one to resolve, under keys that stay the same', async () => {
    const receiver = pagerDuty('routing-key', url);
    await receiver.send(notification());
    await receiver.send(notification({ firing: [], resolved: [alertOf('RedkeepPasswordGuessing')] }));
    const events = got.map(({ body }) => JSON.parse(body));
    assert.deepEqual(
      events.map(({ event_action }) => event_action),
      ['trigger', 'resolve', 'resolve'],
    );
    assert.equal(events[0].payload.severity, 'critical');
    assert.equal(events[0].dedup_key, events[2].dedup_key);
    assert.ok(events.every(({ routing_key }) => routing_key === 'routing-key'));
  });

  test('a webhook is signed over id, time and body', async () => {
    await webhook(url, 'whsec_c2VjcmV0').send(notification());
    const [{ headers, body }] = got as [(typeof got)[number]];
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
    const expected = createHmac('sha256', Buffer.from('secret')).update(signed).digest('base64');
    assert.equal(headers['webhook-signature'], `v1,${expected}`);
    assert.ok(Math.abs(Number(headers['webhook-timestamp']) - Date.now() / 1000) < 60);
    const message = JSON.parse(body);
    assert.equal(message.firing[0].alert, 'RedkeepPasswordGuessing');
    assert.equal(message.resolved[0].alert, 'RedkeepNodeDown');
  });

  test('an error names the host and nothing of the address, and a redirect is not followed', async () => {
    status = 500;
    await assert.rejects(slack(url).send(notification()), (error: Error) => {
      assert.match(error.message, /^127\.0\.0\.1:\d+ answered 500$/);
      return true;
    });
    status = 302;
    await assert.rejects(slack(url).send(notification()));
    assert.equal(got.length, 2);
  });

  test('e-mail goes out under TLS with a login, and not at all where TLS is not offered', async () => {
    const pki = await createPki();
    const mails: string[] = [];
    const start = async (options: ConstructorParameters<typeof SMTPServer>[0]) => {
      const smtp = new SMTPServer({
        ...options,
        onAuth: ({ username, password }, _, done) =>
          username === 'redkeep' && password === 'mail-password'
            ? done(null, { user: username })
            : done(new Error('no')),
        onData: (stream, _, done) => {
          let text = '';
          stream.on('data', (chunk: Buffer) => {
            text += chunk.toString();
          });
          stream.on('end', () => {
            mails.push(text);
            done();
          });
        },
      });
      smtp.on('error', () => undefined);
      await new Promise<void>((resolve) => smtp.listen(0, '127.0.0.1', resolve));
      return { smtp, port: (smtp.server.address() as AddressInfo).port };
    };
    const options = {
      host: '127.0.0.1',
      tls: false,
      insecurePlaintext: false,
      username: 'redkeep',
      password: 'mail-password',
      ca: pki.ca,
      from: 'redkeep@example.com',
      to: ['ops@example.com'],
    };
    const offers = await start({ cert: pki.server.cert, key: pki.server.key });
    await email({ ...options, port: offers.port }).send(notification());
    assert.match(mails[0]!, /^Subject: \[critical\] shop: 1 alert/m);
    assert.match(mails[0]!, /To: ops@example\.com/);
    const without = await start({ disabledCommands: ['STARTTLS'] });
    await assert.rejects(email({ ...options, port: without.port }).send(notification()));
    // A certificate of another CA.
    await assert.rejects(email({ ...options, ca: (await createPki()).ca, port: offers.port }).send(notification()));
    assert.equal(mails.length, 1);
    for (const { smtp } of [offers, without]) await new Promise<void>((resolve) => smtp.close(resolve));
  });

  test('Alertmanager shows what fires and no longer what has ended', async () => {
    await using manager = await startAlertmanager();
    const firing = async () => {
      const { out } = await runProgram('amtool', [`--alertmanager.url=${manager.url}`, 'alert', 'query', '-o', 'json']);
      return (JSON.parse(out) as { labels: { alertname: string; node: string } }[]).map(({ labels }) => labels);
    };
    const receiver = alertmanager(manager.url);
    await receiver.send(notification({ resolved: [] }));
    const [labels] = await firing();
    assert.equal(labels?.alertname, 'RedkeepPasswordGuessing');
    assert.equal(labels?.node, 'node-1');
    await receiver.send(notification({ firing: [], resolved: [alertOf('RedkeepPasswordGuessing')], at: Date.now() }));
    assert.deepEqual(await firing(), []);
  });
});

describe('the notifier', () => {
  const recorder = () => {
    const sent: Notification[] = [];
    let broken = false;
    const receiver: Receiver = {
      name: 'recorder',
      async send(one) {
        if (broken) throw new Error('not taken');
        sent.push(one);
      },
    };
    return {
      sent,
      receiver,
      break: (value: boolean) => {
        broken = value;
      },
    };
  };
  const names = (alerts: readonly ActiveAlert[]) => alerts.map(({ rule }) => rule.alert);
  const guessing = alertOf('RedkeepPasswordGuessing');
  const down = alertOf('RedkeepNodeDown');

  test('groups what belongs together, repeats what holds, and says what is over', async () => {
    const { sent, receiver } = recorder();
    const notifier = new Notifier([receiver], { groupIntervalMs: 20_000, repeatMs: 3_600_000 });
    await notifier.notify([guessing, down], ['shop'], 0);
    assert.deepEqual(names(sent[0]!.firing), ['RedkeepPasswordGuessing', 'RedkeepNodeDown']);
    await notifier.notify([guessing, down], ['shop'], 15_000);
    assert.equal(sent.length, 1, 'nothing new');
    await notifier.notify([guessing], ['shop'], 30_000);
    assert.deepEqual(names(sent[1]!.resolved), ['RedkeepNodeDown']);
    await notifier.notify([guessing], ['shop'], 3_700_000);
    assert.equal(sent[2]!.repeated, true);
    await notifier.notify([], ['shop'], 3_730_000);
    assert.deepEqual(names(sent[3]!.resolved), ['RedkeepPasswordGuessing']);
    await notifier.notify([], ['shop'], 9_000_000);
    assert.equal(sent.length, 4);
  });

  test('tries again what was not taken, and holds up no other receiver', async () => {
    const [first, second] = [recorder(), recorder()];
    const failures: string[] = [];
    const notifier = new Notifier([first.receiver, second.receiver], { onFailure: (name) => failures.push(name) });
    first.break(true);
    await notifier.notify([guessing], ['shop'], 0);
    assert.equal(second.sent.length, 1);
    assert.deepEqual(failures, ['recorder']);
    first.break(false);
    await notifier.notify([guessing], ['shop'], 15_000);
    assert.deepEqual(names(first.sent[0]!.firing), ['RedkeepPasswordGuessing']);
    assert.equal(second.sent.length, 1);
  });

  test('keeps deployments apart', async () => {
    const { sent, receiver } = recorder();
    const other = { ...down, node: { ...node, deployment: 'search' } };
    await new Notifier([receiver]).notify([guessing, other], ['shop', 'search'], 0);
    assert.deepEqual(sent.map(({ deployment }) => deployment).sort(), ['search', 'shop']);
    assert.ok(sent.every(({ firing }) => firing.length === 1));
  });
});
