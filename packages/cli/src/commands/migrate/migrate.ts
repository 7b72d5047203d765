import path from 'node:path';
import type { Command } from 'commander';
import { requireSession } from '../../audit/gather/session.js';
import type { Context } from '../../context.js';
import { CliError } from '../../errors.js';
import { adminUser, replicationUser } from '../../migrate/access.js';
import { handOverLines } from '../../migrate/hand-over.js';
import { makePlan } from '../../migrate/make-plan.js';
import { Migration, type StepId, stepIds } from '../../migrate/migration.js';
import { takeStep, undoStep } from '../../migrate/run-migration.js';
import type { StepContext } from '../../migrate/step.js';
import { steps, stragglers, whoIsLate } from '../../migrate/steps.js';
import { runWatchdog } from '../../migrate/watchdog.js';
import { resolveTarget } from '../audit/target.js';

interface DirOnly {
  readonly dir: string;
  readonly json?: boolean;
}

interface PlanOptions extends DirOnly {
  readonly user?: string;
  readonly passwordFile?: string;
  readonly app?: readonly string[];
  readonly allow?: readonly string[];
  readonly tlsPort?: string;
  readonly serverFolder?: string;
  readonly watchSeconds: string;
  readonly timeout: string;
}

interface StepOptions extends DirOnly {
  readonly yes?: boolean;
  readonly wait?: boolean;
  readonly server?: string;
  readonly allowDisconnect?: boolean;
  readonly all?: boolean;
}

const defaultFolder = 'redkeep-migration';

/** `redkeep migrate`: from an open or password-only server in production to TLS, users and closed doors. */
export function register(program: Command, context: Context): void {
  const withDir = (command: Command): Command =>
    command.option('-d, --dir <folder>', "the migration's folder", defaultFolder).option('--json', 'print JSON');
  const command = withDir(
    program
      .command('migrate')
      .description('close an open server in production, step by step, without a failed command')
      .argument('[url]', 'redis://HOST:PORT of the primary: looks at it and writes a plan; changes nothing'),
  )
    .option('--user <name>', 'log in as this user for now')
    .option('--password-file <file>', 'file with the password that is used today')
    .option('--app <name...>', 'users to make for applications (default: app)')
    .option('--allow <command...>', "commands of administrators that applications keep, for example 'config|get'")
    .option('--tls-port <port>', "TLS port of the primary (default: today's port + 1000)")
    .option('--server-folder <folder>', 'folder for certificate and key on the machine of the server')
    .option('--watch-seconds <seconds>', 'how long nobody may use the old way before it is closed', '60')
    .option('--timeout <ms>', 'longest wait for any answer', '10000')
    .addHelpText(
      'after',
      `
Examples:
  redkeep migrate redis://10.0.0.5:6379   look, and write a plan to ./${defaultFolder}
  redkeep migrate next                    take the next step; asks first
  redkeep migrate status                  what was done, and who is still on the old way
  redkeep migrate undo                    take the last step back

Exit codes: 0 done, 1 clients have not moved yet, 2 wrong arguments, 4 not possible here, 5 no connection`,
    )
    .action((url: string | undefined, options: PlanOptions) => plan(context, url, options));
  withDir(command.command('next').description('take the next step'))
    .option('-y, --yes', 'do not ask')
    .option('--wait', 'wait until every client has moved, instead of looking once')
    .option('--server <program>', 'the server program that proves the backup')
    .action((_: unknown, own: Command) => next(context, own.opts()));
  withDir(command.command('status').description('show the steps, and who is still on the old way')).action(
    (_: unknown, own: Command) => status(context, own.opts()),
  );
  withDir(command.command('hand-over').description('print what each client library has to be given')).action(
    (_: unknown, own: Command) => handOver(context, own.opts()),
  );
  withDir(command.command('undo').description('take the last step back, or all of them'))
    .option('-y, --yes', 'do not ask')
    .option('--all', 'every step that was taken, newest first')
    .option('--allow-disconnect', 'although clients that moved are cut off')
    .action((_: unknown, own: Command) => undo(context, own.opts()));
  command
    .command('move')
    .description('bring all data to an empty server of another engine, version or topology, and compare')
    .argument('<from>', 'URL of the old server')
    .argument('<to>', 'URL of the new one, which has no data')
    .option('--user <name>', 'user of the old server')
    .option('--password-file <file>', 'file with its password')
    .option('--ca <file>', 'CA of the old server')
    .option('--to-user <name>', 'user of the new server')
    .option('--to-password-file <file>', 'file with its password')
    .option('--to-ca <file>', 'CA of the new server')
    .option('--method <method>', 'replication, dump or commands (default: the first that both can)')
    .option('--pause-seconds <seconds>', 'how long writes on the old server may wait', '60')
    .option('--close-source', 'the old server refuses writes afterwards')
    .option('--timeout <ms>', 'longest wait for a connection', '10000')
    .option('--dry-run', 'print the plan and the way back')
    .option('-y, --yes', 'do not ask')
    .option('--json', 'print JSON')
    .action(async (from: string, to: string, _: unknown, own: Command) =>
      (await import('./move.js')).moveData(context, from, to, own.opts()),
    );
  command
    .command('watchdog', { hidden: true })
    .requiredOption('--dir <folder>')
    .requiredOption('--step <step>')
    .requiredOption('--seconds <seconds>')
    .action((_: unknown, own: Command) => {
      const { dir, step, seconds } = own.opts<{ dir: string; step: StepId; seconds: string }>();
      return runWatchdog(context, folderOf(context, dir), step, Number(seconds));
    });
}

function folderOf(context: Context, dir: string): string {
  return path.resolve(context.cwd, dir);
}

function loaded(context: Context, { dir }: DirOnly): Promise<Migration> {
  return Migration.load(folderOf(context, dir));
}

async function plan(context: Context, url: string | undefined, options: PlanOptions): Promise<void> {
  if (url === undefined) return status(context, options);
  const { terminal } = context;
  const target = await resolveTarget(context, [url], options);
  const [endpoint] = target.endpoints;
  if (!endpoint || endpoint.tls)
    throw new CliError(
      'REDKEEP_USAGE',
      'A migration begins at a plaintext server.',
      'Give redis://HOST:PORT; a server with TLS is looked at by "redkeep audit".',
    );
  const { migration, warnings } = await makePlan({
    folder: folderOf(context, options.dir),
    endpoint,
    ...(options.passwordFile !== undefined && { passwordFile: path.resolve(context.cwd, options.passwordFile) }),
    applications: options.app ?? ['app'],
    allow: options.allow ?? [],
    ...(options.tlsPort !== undefined && { tlsPort: port(options.tlsPort) }),
    ...(options.serverFolder !== undefined && { serverFolder: options.serverFolder }),
    watchSeconds: seconds(options.watchSeconds),
    now: context.clock.now(),
    openSession: (each) => requireSession(each, 'redkeep-migrate'),
  });
  if (options.json) return terminal.json({ folder: migration.folder, plan: migration.plan, warnings });
  for (const warning of warnings) terminal.warn(warning);
  renderPlan(context, migration);
  terminal.note('Nothing was changed. Review migration.json, then: redkeep migrate next');
}

function renderPlan(context: Context, migration: Migration): void {
  const { terminal } = context;
  const { plan: made } = migration;
  terminal.line(`Plan in ${migration.folder} for ${made.engine} ${made.version}:`);
  for (const { host, port: plain, tlsPort, role, serverFolder, local } of made.nodes)
    terminal.line(
      `  ${host}:${plain} ${role}, TLS on ${tlsPort}, certificate in ${serverFolder}${local ? '' : ' (you copy it there)'}`,
    );
  const apps = made.users.filter(({ name }) => name !== adminUser && name !== replicationUser);
  for (const { name, rules } of apps) terminal.line(`  user ${name}: ${rules.join(' ')}`);
  if (made.withheld.length > 0)
    terminal.line(
      `  seen, and not granted to applications: ${made.withheld.join(' ')} (if one of yours needs it: --allow)`,
    );
  terminal.line();
  for (const [index, id] of stepIds.entries()) {
    const { title, effect, check, undoText } = steps[id];
    terminal.line(`${index + 1}. ${terminal.style('bold', title)}  [${id}]`);
    terminal.line(`   clients  ${effect}`);
    terminal.line(`   check    ${check}`);
    terminal.line(`   undo     ${undoText}`);
  }
}

function contextOf(context: Context, migration: Migration, options: StepOptions): StepContext {
  return {
    migration,
    context,
    wait: options.wait === true,
    allowDisconnect: options.allowDisconnect === true,
    ...(options.server !== undefined && { server: options.server }),
  };
}

async function next(context: Context, options: StepOptions): Promise<void> {
  const { terminal } = context;
  const migration = await loaded(context, options);
  const step = migration.next();
  if (step === undefined) {
    if (options.json) return terminal.json({ step: null, finished: true });
    return terminal.done('Every step was taken. "redkeep migrate status" shows them.');
  }
  const { title, effect } = steps[step];
  if (!options.json) terminal.note(`${title}. Clients: ${effect}`);
  await agreed(context, options, `Take the step "${step}"?`);
  const result = await takeStep(step, contextOf(context, migration, options));
  const following = migration.next() ?? null;
  if (options.json) return terminal.json({ step, result, next: following, finished: following === null });
  terminal.done(`${title}: ${result}.`);
  if (following === 'hand-over') for (const line of handOverLines(migration)) terminal.line(line);
  terminal.note(following ? `Next: ${steps[following].title} (redkeep migrate next)` : 'The migration is finished.');
}

async function undo(context: Context, options: StepOptions): Promise<void> {
  const { terminal } = context;
  const migration = await loaded(context, options);
  const taken = migration.taken();
  const chosen = options.all ? taken : taken.slice(0, 1);
  if (chosen.length === 0) {
    if (options.json) return terminal.json({ undone: [] });
    return terminal.done('No step is in effect.');
  }
  await agreed(context, options, `Take back ${chosen.join(', ')}?`);
  for (const step of chosen) {
    await undoStep(step, contextOf(context, migration, options));
    if (!options.json) terminal.done(`Taken back: ${steps[step].title}.`);
  }
  if (options.json) terminal.json({ undone: chosen });
}

/** Asks, or takes `--yes`; without a person and without it nothing is done. */
async function agreed(context: Context, options: StepOptions, question: string): Promise<void> {
  if (options.yes) return;
  if (context.prompt.available && (await context.prompt.confirm(question, false))) return;
  throw new CliError('REDKEEP_CONSENT_NEEDED', 'Nothing was changed.', 'Answer yes, or give --yes.');
}

async function status(context: Context, options: DirOnly): Promise<void> {
  const { terminal } = context;
  const migration = await loaded(context, options);
  const late = await stragglers(migration);
  const rows = stepIds.map((step) => {
    const event = migration.events.findLast((each) => each.step === step);
    return { step, state: event?.state ?? 'open', at: event?.at ?? null, detail: event?.detail ?? '' };
  });
  if (options.json) return terminal.json({ folder: migration.folder, steps: rows, onOldWay: late });
  terminal.table(
    ['step', 'state', 'at', 'result'],
    rows.map(({ step, state, at, detail }) => [step, state, at?.slice(0, 19) ?? '-', detail]),
  );
  terminal.line();
  if (late.length === 0) return terminal.line('No connection is on the old way now.');
  terminal.table(
    ['node', 'client', 'name', 'user', 'way', 'connections', 'last command', 'idle'],
    late.map((row) => [
      row.node,
      row.address,
      row.name || '-',
      row.user,
      row.plaintext ? 'plaintext' : 'TLS',
      String(row.connections),
      row.lastCommand,
      `${row.idleSeconds} s`,
    ]),
  );
  terminal.note(whoIsLate(late));
}

async function handOver(context: Context, options: DirOnly): Promise<void> {
  const migration = await loaded(context, options);
  const lines = handOverLines(migration);
  if (options.json) return context.terminal.json({ lines });
  for (const line of lines) context.terminal.line(line);
}

function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 1 && value <= 86_400) return value;
  throw new CliError('REDKEEP_USAGE', `--watch-seconds must not be "${text}".`, 'A number from 1 to 86400.');
}

function port(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0 && value < 65_536) return value;
  throw new CliError('REDKEEP_USAGE', `--tls-port must not be "${text}".`, 'A port from 1 to 65535.');
}
