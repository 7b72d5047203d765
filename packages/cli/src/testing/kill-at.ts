import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import process from 'node:process';

// `node --import kill-at.js redkeep.js …`: ends the process with SIGKILL at a moment of the journal, named by
// REDKEEP_TEST_KILL as `STEP:begun` (on disk, nothing of it done) or `STEP:done` (done, not on disk). STEP is without
// the number of the run. Of a restore, `STEP:begun` is before its journal says so, `STEP:done` after. REDKEEP_TEST_MOMENTS names a file that gets every moment passed, to choose from.
const wanted = process.env['REDKEEP_TEST_KILL'];
const moments = process.env['REDKEEP_TEST_MOMENTS'];

function pass(text: string, when: 'before' | 'after'): void {
  const { step, state } = JSON.parse(text) as { step: string; state: 'begun' | 'done' };
  // A step that is noted as done is done before that is written; one that begins begins after.
  if ((state === 'done') !== (when === 'before')) return;
  at(`${step.replace(/^(?:\d+\/)/, '')}:${state}`);
}

function at(moment: string): void {
  if (moments) fs.appendFileSync(moments, `${moment}\n`);
  if (moment === wanted) process.kill(process.pid, 'SIGKILL');
}

const rename = fs.promises.rename;
fs.promises.rename = async (from, to) => {
  if (!String(to).endsWith('restore.json')) return rename(from, to);
  const { step } = JSON.parse(fs.readFileSync(from, 'utf8')) as { step: string };
  at(`${step}:begun`);
  await rename(from, to);
  at(`${step}:done`);
};

const open = fs.promises.open;
fs.promises.open = async (file, ...rest) => {
  const handle = await open(file, ...rest);
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
syncBuiltinESMExports();
