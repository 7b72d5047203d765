#!/usr/bin/env node
// Every target, every topology, the whole life of a deployment, on real servers, and two deployments on one host:
// `node scripts/targets/matrix.mjs [target[/topology]]…`, with `two` for the latter. A client with retries writes all the
// time: none of its commands may fail, and no acknowledged write may be missing. Prints one table.
// REDKEEP_LAB_VERBOSE=1 shows what redkeep says, REDKEEP_LAB_KEEP=1 leaves a failed cell.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { EXIT, runMain, say } from '../lib/step.mjs';
import { drivers } from './drivers.mjs';
import { prepareLab } from './lab.mjs';

const program = fileURLToPath(new URL('../../packages/cli/bin/redkeep.js', import.meta.url));
const topologies = ['single', 'sentinel', 'cluster'];
/** Besides the topologies: two deployments on one host, in one namespace. */
const two = 'two';

class Cell {
  constructor(target, topology, sandbox, id, driver) {
    Object.assign(this, { target, topology, sandbox, id, driver, results: [], written: 0, failed: 0, lost: 0 });
  }

  /** Runs redkeep; what it printed. */
  redkeep(...args) {
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [program, ...args], {
        cwd: this.sandbox.folder,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, REDKEEP_DIR: this.sandbox.deployment, ...this.driver.env },
      });
      let [out, err] = ['', ''];
      child.stdout.on('data', (bytes) => (out += bytes));
      child.stderr.on('data', (bytes) => (err += bytes));
      child.once('error', reject);
      child.once('close', (code) => {
        if (process.env.REDKEEP_LAB_VERBOSE) console.error(`redkeep ${args.join(' ')} -> ${code}\n${out}${err}`);
        if (code === 0) resolve(out);
        else reject(new Error(`redkeep ${args.join(' ')} ended with ${code}: ${err || out}`));
      });
    });
  }

  async nodes() {
    const { deployment } = JSON.parse(await readFile(join(this.sandbox.deployment, 'redkeep.deployment.json'), 'utf8'));
    return deployment.nodes;
  }

  async status() {
    const out = await this.redkeep('status', '--json').catch((error) =>
      error.message.slice(error.message.indexOf('{')),
    );
    return JSON.parse(out).nodes;
  }

  /** A node in a role, as the servers say. */
  async nodeIn(role) {
    const found = (await this.status()).find((each) => each.role === role);
    return (await this.nodes()).find(({ name }) => name === found?.node);
  }

  async step(name, work) {
    const started = performance.now();
    try {
      const note = await work();
      this.results.push({ name, ok: true, seconds: (performance.now() - started) / 1000, note });
    } catch (error) {
      this.results.push({ name, ok: false, seconds: (performance.now() - started) / 1000, note: error.message });
      throw error;
    }
    const { ok, seconds, note } = this.results.at(-1);
    console.log(
      `  ${ok ? 'ok  ' : 'FAIL'} ${this.target}/${this.topology} ${name} ${seconds.toFixed(1)} s ${note ?? ''}`,
    );
  }

  /** Does something while a client writes. */
  async underLoad(work) {
    const writer = this.driver.startWriter();
    const lines = createInterface({ input: writer.stdout })[Symbol.asyncIterator]();
    let said = '';
    writer.stderr.on('data', (bytes) => (said += bytes));
    const first = await lines.next();
    if (first.value !== 'writing') throw new Error(`the client did not start: ${said}`);
    let problem;
    await work().catch((error) => (problem = error));
    writer.stdin.end();
    const result = await lines.next();
    if (writer.exitCode === null) await once(writer, 'close');
    if (problem) throw problem;
    if (!result.value) throw new Error(`the client ended: ${said}`);
    const { acknowledged, failed, lost, longestGapMs } = JSON.parse(result.value);
    this.written += acknowledged;
    this.failed += failed;
    this.lost += lost;
    if (failed > 0 || lost > 0) throw new Error(`${failed} commands failed, ${lost} acknowledged writes are lost`);
    return `${acknowledged} writes, at most ${longestGapMs} ms apart`;
  }

  async settled() {
    for (let attempt = 0; attempt < 240; attempt += 1) {
      if ((await this.status()).every(({ state }) => state === 'ready')) return;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    throw new Error('not every node is ready after two minutes');
  }

  /** What is said of the machine under the test is not the deployment's doing; all the rest counts. */
  async audit() {
    const { checks } = await import('../../packages/cli/dist/audit/checks/index.js');
    const accepted = { owner: 'the test', reason: 'the machine under the test', expires: '2999-12-31' };
    const waived = checks.map(({ id }) => id).filter((id) => /^(HOST|VER)-/.test(id));
    const waivers = join(this.sandbox.folder, 'waivers.json');
    await writeFile(waivers, JSON.stringify(waived.map((check) => ({ check, ...accepted }))));
    const out = await this.redkeep('audit', '--json', '--waivers', waivers, '--timeout', '30000').catch((error) => {
      const at = error.message.indexOf('{');
      if (at === -1) throw error;
      return error.message.slice(at);
    });
    const { grade, findings, caps } = JSON.parse(out);
    if (grade[0] !== 'A')
      throw new Error(`grade ${grade}: ${findings.map(({ id }) => id).join(', ')} ${JSON.stringify(caps)}`);
    return `grade ${grade}`;
  }

  init() {
    return this.step('init', () =>
      this.redkeep(
        'init',
        '--yes',
        '--name',
        this.id,
        '--profile',
        'production',
        ...this.driver.init,
        '--memory',
        '64',
        '--engine',
        'redis',
        '--engine-version',
        '7.0',
      ).then(() => undefined),
    );
  }

  /** What one deployment does must not reach the other, which a client writes to all the time. */
  async lifeBeside(other) {
    await this.init();
    await this.step('up', () => this.redkeep('up', '--detach').then(() => undefined));
    await this.loadFirewall();
    await other.init();
    await other.step('beside another one', () =>
      this.underLoad(async () => {
        if (this.target === 'systemd') await other.refusedPort(this);
        await other.redkeep('up', '--detach');
        await other.loadFirewall();
        for (const cell of [this, other]) await cell.redkeep('acl', 'test');
        await other.redkeep('init', '--yes', '--memory', '72');
        await other.redkeep('apply', '--yes');
        await other.redkeep('restart', '--yes');
        await other.redkeep('certs', 'renew', '--all');
        await other.redkeep('down');
      }),
    );
    await other.step('up again', () => other.redkeep('up', '--detach').then(() => undefined));
    await this.step('down', () => this.redkeep('down').then(() => undefined));
    await other.step('audit', () => other.audit());
    await other.step('down', () => other.redkeep('down').then(() => undefined));
  }

  async loadFirewall() {
    for (const node of await this.nodes()) await this.driver.firewall?.(node);
  }

  /** With the other's port: it says whose it is, and the other goes on. */
  async refusedPort(other) {
    const [node] = await other.nodes();
    await this.redkeep('init', '--yes', '--port', String(node.port));
    const said = await this.redkeep('up', '--detach').then(
      () => 'was started',
      ({ message }) => message,
    );
    const unit = `redkeep-${other.id}-${node.name}.service`;
    if (!said.includes('REDKEEP_PORT_TAKEN') || !said.includes(unit)) throw new Error(`not refused: ${said}`);
    await this.redkeep('init', '--yes', ...this.driver.init);
  }

  async life() {
    const { topology } = this;
    const one = topology === 'single';
    await this.init();
    await this.step('up', () => this.redkeep('up', '--detach').then(() => undefined));
    await this.step('health', async () => {
      for (const node of await this.nodes()) await this.driver.healthy(node);
    });
    await this.step('users', () => this.redkeep('acl', 'test').then(() => undefined));
    await this.step('audit', () => this.audit());
    await this.step('renewal under load', () =>
      this.underLoad(async () => {
        await this.redkeep('certs', 'renew', '--all');
        await this.redkeep('certs', 'check');
      }),
    );
    await this.step('ACL and undo', () =>
      this.underLoad(async () => {
        await this.redkeep('init', '--yes', '--app', 'app', 'shop=shop:*');
        await this.redkeep('apply', '--yes');
        await this.redkeep('acl', 'test');
        await this.redkeep('apply', '--undo', '--yes');
        await this.redkeep('acl', 'diff');
      }),
    );
    await this.step('memory', () =>
      this.underLoad(async () => {
        await this.redkeep('init', '--yes', '--memory', '72');
        await this.redkeep('apply', '--yes');
      }),
    );
    await this.step('every node restarted', () => this.underLoad(() => this.redkeep('restart', '--yes')));
    await this.step('failover, change', async () => {
      const primary = await this.nodeIn('primary');
      await this.driver.kill(primary);
      if (!one) await this.promoted(primary);
      await this.redkeep('up', '--detach');
      await this.settled();
      return this.underLoad(async () => {
        await this.redkeep('init', '--yes', '--memory', '80');
        await this.redkeep('apply', '--yes');
      });
    });
    await this.step('node lost, replaced', async () => {
      const kept = await this.keep();
      const node = one ? await this.nodeIn('primary') : await this.nodeIn('replica');
      await this.driver.lose(node);
      await this.redkeep('up', '--detach');
      await this.settled();
      if (!one) await this.kept(kept);
      return this.underLoad(() => this.redkeep('apply', '--yes'));
    });
    if (!one) {
      await this.step('primary lost, replaced', async () => {
        const kept = await this.keep();
        const node = await this.nodeIn('primary');
        await this.driver.kill(node);
        await this.promoted(node);
        await this.driver.lose(node);
        await this.redkeep('up', '--detach');
        await this.settled();
        await this.kept(kept);
        return this.underLoad(() => this.redkeep('apply', '--yes'));
      });
    }
    await this.step('down and up', async () => {
      const kept = await this.keep();
      await this.redkeep('down');
      await this.redkeep('up', '--detach');
      await this.settled();
      await this.kept(kept);
    });
    await this.step('audit again', () => this.audit());
    await this.step('down', () => this.redkeep('down').then(() => undefined));
  }

  /** Waits until the others serve without this node. */
  async promoted(old) {
    for (let attempt = 0; attempt < 240; attempt += 1) {
      const primaries = (await this.status()).filter(({ role, state }) => role === 'primary' && state === 'ready');
      const wanted = this.topology === 'cluster' ? 3 : 1;
      if (primaries.length === wanted && primaries.every(({ node }) => node !== old.name)) return;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    throw new Error(`nobody was promoted for ${old.name}`);
  }

  /** A value that every later state must have. */
  async keep() {
    const value = process.hrtime.bigint().toString(36);
    await this.cli('SET', 'app:kept', value);
    // Replicas have it before anything is killed.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    return value;
  }

  async kept(value) {
    const read = await this.cli('GET', 'app:kept');
    if (!read.includes(value)) throw new Error(`the data of before is not there: ${read.trim()}`);
  }

  async cli(...command) {
    const node = this.topology === 'cluster' ? [] : ['--node', (await this.nodeIn('primary')).name];
    return this.redkeep('cli', '--user', 'app', ...node, '--', ...command);
  }
}

async function makeCell(target, topology, beside) {
  const folder = await mkdtemp(join(tmpdir(), 'redkeep-matrix-'));
  const id = `m${folder
    .slice(-5)
    .toLowerCase()
    .replace(/[^a-z0-9]/g, 'x')}`;
  const sandbox = { folder, deployment: join(folder, 'redkeep') };
  const driver = await drivers[target]({ topology: topology === two ? 'single' : topology, sandbox, id, beside });
  return new Cell(target, topology, sandbox, id, driver);
}

async function runCell(target, topology) {
  const cell = await makeCell(target, topology);
  const other = topology === two ? await makeCell(target, topology, cell.driver) : undefined;
  try {
    await (other ? cell.lifeBeside(other) : cell.life());
  } catch (error) {
    const failed = [other, cell].find((each) => each?.results.some(({ ok }) => !ok)) ?? cell;
    console.log(`  FAIL ${target}/${topology} ${failed.results.at(-1)?.name}: ${error.message}`);
    console.log(await cell.redkeep('logs', '--lines', '20').catch(({ message }) => message));
    if (process.env.REDKEEP_LAB_KEEP) return cell;
  }
  const both = other ? [other, cell] : [cell];
  for (const each of both) await each.redkeep('down').catch(() => undefined);
  for (const each of both) {
    await each.driver.remove(await each.nodes().catch(() => []));
    await rm(each.sandbox.folder, { recursive: true, force: true });
  }
  cell.results.push(...(other?.results ?? []).map((result) => ({ ...result, name: `second: ${result.name}` })));
  return cell;
}

/** Cells as `target` or `target/topology`; all of them where none is named. */
export async function runMatrix(chosen = []) {
  const lab = await prepareLab();
  const cells = [];
  try {
    for (const target of Object.keys(drivers)) {
      for (const topology of [...topologies, two]) {
        const name = `${target}/${topology}`;
        if (chosen.length > 0 && !chosen.includes(target) && !chosen.includes(name)) continue;
        say(name);
        cells.push(await runCell(target, topology));
      }
    }
  } finally {
    await lab.remove();
  }
  return report(cells);
}

function report(cells) {
  const steps = [...new Set(cells.flatMap(({ results }) => results.map(({ name }) => name)))];
  const rows = steps.map((step) => [
    step,
    ...cells.map(({ results }) => {
      const found = results.find(({ name }) => name === step);
      return found ? `${found.ok ? 'ok' : 'FAIL'} ${found.seconds.toFixed(1)} s` : '-';
    }),
  ]);
  const sums = [
    ['writes acknowledged', ...cells.map(({ written }) => String(written))],
    ['commands failed', ...cells.map(({ failed }) => String(failed))],
    ['writes lost', ...cells.map(({ lost }) => String(lost))],
  ];
  const table = [['', ...cells.map(({ target, topology }) => `${target} ${topology}`)], ...rows, ...sums];
  const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)));
  for (const row of table)
    console.log(
      row
        .map((text, column) => text.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    );
  const bad = cells.filter(({ results, failed, lost }) => failed + lost > 0 || results.some(({ ok }) => !ok));
  return bad.length === 0 ? EXIT.ok : EXIT.failed;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await runMain((args) => runMatrix(args));
