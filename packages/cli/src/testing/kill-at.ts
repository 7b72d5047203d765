import { channel } from 'node:diagnostics_channel';
import fs, { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import process from 'node:process';

// `node --import kill-at.js redkeep.js …` ends the process with SIGKILL:
// - REDKEEP_TEST_KILL: at a moment of the journal, `STEP:begun` (on disk, nothing of it done) or `STEP:done` (done, not on
//   disk). STEP is without the number of the run. Of a restore, `STEP:begun` is before its journal says so, `STEP:done` after.
//   REDKEEP_TEST_MOMENTS names a file that gets every moment passed, to choose from.
// - REDKEEP_TEST_EFFECTS: after the first effect that is not in the file of that name, having noted it there. Run again and
//   again, it is ended once after each; what is so after one is so before the next. An effect is a write of the journal, a
//   file that changes, or a command that changes a server.
const wanted = process.env['REDKEEP_TEST_KILL'];
const moments = process.env['REDKEEP_TEST_MOMENTS'];
const effects = process.env['REDKEEP_TEST_EFFECTS'];
const filter = new RegExp(process.env['REDKEEP_TEST_EFFECTS_OF'] ?? '');
/** What is alike within one step is ended at so often. */
const alike = 2;

const kill = () => process.kill(process.pid, 'SIGKILL');
const withoutRun = (step: string) => step.replace(/^(?:\d+\/)/, '');

const passed = new Set(effects && existsSync(effects) ? readFileSync(effects, 'utf8').split('\n') : []);
const counts = new Map<string, number>();
/** Steps that are begun and not done, the outermost first. */
const open: string[] = [];

function effect(what: string): void {
  if (!effects) return;
  const place = `${what} in ${open.join(' > ') || 'no step'}`;
  const count = (counts.get(place) ?? 0) + 1;
  counts.set(place, count);
  const name = `${place} #${count}`;
  if (count > alike || passed.has(name) || !filter.test(name)) return;
  appendFileSync(effects, `${name}\n`);
  kill();
}

function pass(text: string, when: 'before' | 'after'): void {
  const event = JSON.parse(text) as { step: string; state: 'begun' | 'done' };
  const step = withoutRun(event.step);
  const { state } = event;
  if (when === 'after') {
    effect(`journal "${step}" ${state}`);
    if (state === 'begun') open.push(step);
    else open.splice(open.lastIndexOf(step), 1);
  }
  // A step that is noted as done is done before that is written; one that begins begins after.
  if ((state === 'done') !== (when === 'before')) return;
  at(`${step}:${state}`);
}

function at(moment: string): void {
  if (moments) appendFileSync(moments, `${moment}\n`);
  if (moment === wanted) kill();
}

const rename = fs.promises.rename;
fs.promises.rename = async (from, to) => {
  if (!String(to).endsWith('restore.json')) return rename(from, to);
  const { step } = JSON.parse(readFileSync(from as string, 'utf8')) as { step: string };
  at(`${step}:begun`);
  await rename(from, to);
  at(`${step}:done`);
};

const openFile = fs.promises.open;
fs.promises.open = async (file, ...rest) => {
  const handle = await openFile(file, ...rest);
  if (!String(file).endsWith('steps.jsonl')) return handle;
  const { writeFile, sync } = handle;
  let text = '';
  handle.writeFile = async (data, options) => {
    text = String(data);
    pass(text, 'before');
    await writeFile.call(handle, data, options);
  };
  handle.sync = async () => {
    await sync.call(handle);
    pass(text, 'after');
  };
  return handle;
};

/** Without what differs from run to run: the folder above, numbers of runs, moments. */
const nameOf = (file: unknown) =>
  String(file)
    .split('/')
    .slice(-2)
    .join('/')
    .replace(/\d{4}-?\d\d-?\d\dT[\d-]+Z?(?:-\d+)?/g, 'T')
    .replace(/\.[0-9a-f]{12}$/, '');

function around<Name extends 'rename' | 'copyFile' | 'rm' | 'writeFile'>(name: Name, at: number): void {
  const original = fs.promises[name] as (...args: unknown[]) => Promise<unknown>;
  const wrapped = async (...args: unknown[]) => {
    // Staging files and the lock change nothing that anybody reads.
    const result = await original.apply(fs.promises, args);
    const what = `${name} ${nameOf(args[at])}`;
    // Staging files and the lock change nothing that anybody reads.
    if (!/\.new$|\.lock/.test(what)) effect(what);
    return result;
  };
  Object.assign(fs.promises, { [name]: wrapped });
}
if (effects) {
  around('rename', 1);
  around('copyFile', 1);
  around('rm', 0);
  around('writeFile', 0);
}
syncBuiltinESMExports();

const changing =
  /^(?:ACL SETUSER|ACL DELUSER|ACL SAVE|ACL LOAD|CONFIG SET|CONFIG REWRITE|SENTINEL SET|SENTINEL CONFIG|CLIENT KILL|CLIENT PAUSE|FUNCTION LOAD|REPLICAOF|FAILOVER|SHUTDOWN|SET|HSET|EVAL|EVALSHA|FCALL)\b/;
if (effects)
  channel('tracing:node-redis:command:asyncEnd').subscribe((message) => {
    const { args, serverPort } = message as { readonly args: readonly string[]; readonly serverPort?: number };
    const what = args.filter((arg) => arg !== '?').join(' ');
    if (changing.test(what)) effect(`${what} on ${serverPort}`);
  });
