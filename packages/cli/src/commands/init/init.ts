import { type Command, Option } from 'commander';
import type { Context } from '../../context.js';
import { withFolderLock } from '../../deployment/folder-lock.js';
import { adoptFolder } from '../../deployment/identity.js';
import { planInit } from '../../deployment/plan-init.js';
import { quoteShell } from '../../deployment/render/shell.js';
import { resolveFolder, stateFile } from '../../deployment/state.js';
import { adviceOnVolume } from '../../deployment/volume-encryption.js';
import {
  applyChanges,
  type Change,
  folderNotEmpty,
  isWrite,
  timestamp,
  writeFolder,
} from '../../deployment/write-files.js';
import { CliError } from '../../errors.js';
import { engineNames } from '../../vocabulary/engines.js';
import { profileNames, targetNames, topologyNames } from '../../vocabulary/names.js';
import { type DirOption, withDirOption } from '../dir-option.js';
import { withHelp } from '../help.js';
import { type AnswerFlags, collectAnswers } from './collect-answers.js';
import { showPlan } from './show-plan.js';

interface InitOptions extends DirOption, AnswerFlags {
  readonly server?: string;
  readonly dryRun?: boolean;
  readonly force?: boolean;
  readonly yes?: boolean;
  readonly adopt?: boolean;
}

/** `redkeep init`: writes a hardened deployment into a folder, all or nothing. */
export function register(program: Command, context: Context): void {
  const command = withDirOption(program.command('init'))
    .description('write a hardened deployment: configuration, users, certificates, secrets')
    .option('-c, --config <file>', 'answers as JSON (redkeep.config.json)')
    .option('--name <text>', 'what the deployment is called')
    .addOption(new Option('-p, --profile <profile>', 'how strict').choices(profileNames))
    .addOption(new Option('-e, --engine <engine>', 'default: the server found').choices(engineNames))
    .option('--engine-version <major.minor>', 'release line of the engine')
    .addOption(new Option('-t, --topology <topology>', 'how many servers').choices(topologyNames))
    .addOption(new Option('--target <target>', 'what runs them').choices(targetNames))
    .option('--host <address...>', 'where the nodes run (default 127.0.0.1)')
    .option('--tls-name <name...>', 'further names clients use, for the certificates')
    .option('--port <port>', 'TLS port of the first node (default: 6379 or the next free one)')
    .option('--replicas <count>', 'replicas of each primary')
    .option('--shards <count>', 'primaries of a cluster')
    .option('--source <network...>', 'networks that may connect, for the firewall')
    .option('--memory <megabytes>', 'memory limit of each server')
    .option('--eviction <policy>', 'what happens when memory is full')
    .option('--key-type <type>', 'ec-p256 or rsa-3072')
    .option('--app <name=patterns...>', 'an application and its key patterns: shop=shop:*,cart:* (shop alone: shop:*)')
    .option('--session-store <name=patterns...>', 'a session store and its key patterns')
    .option('--read-only <name=patterns...>', 'a reader and its key patterns')
    .option(
      '--components <name=list...>',
      'what of @redkeep/guard an application uses: web=sessions,limits,locks+order: (values under locks), or web=all',
    )
    .option('--namespace <name>', 'Kubernetes: the namespace')
    .option('--image <name>', 'containers and pods: the image, best by digest')
    .option('--server <program>', 'the server program to use')
    .option('-n, --dry-run', 'show every file and its changes, write nothing')
    .option('-f, --force', 'replace files edited by hand, or move other files aside; what is replaced is kept')
    .option('--adopt', 'take a folder that was moved or copied for this place')
    .option('-y, --yes', 'ask nothing');
  withHelp(command, {
    examples: [
      ['redkeep init', 'ask what is open, write to ./redkeep'],
      ["redkeep init --yes --profile production --topology sentinel --app 'shop=shop:*,cart:*'", 'answer by flags'],
      ['redkeep init --memory 2048 && redkeep apply', 'change an answer and bring the servers in line'],
    ],
  });
  command.action((options: InitOptions) => init(context, options));
}

async function init(context: Context, options: InitOptions): Promise<void> {
  const { terminal, signal, clock } = context;
  const folder = await resolveFolder(context, options.dir);
  if (options.adopt && !options.dryRun) await adoptFolder(folder);
  const answers = await collectAnswers(context, folder, options, !options.yes);
  const plan = await planInit(context, folder, answers, {
    ...(options.server === undefined ? {} : { program: options.server }),
    force: options.force === true,
  });
  for (const note of plan.notes) terminal.note(note);
  if (options.dryRun) return showPlan(terminal, plan);
  const writes = plan.changes.filter(isWrite);
  if (plan.situation === 'foreign') {
    if (!options.force) throw folderNotEmpty(folder);
    const backup = `${folder}.backup-${timestamp(clock.now())}`;
    await writeFolder(folder, plan.files, { signal, backup });
    terminal.done(`Moved the previous content of ${folder} to ${backup}.`);
  } else if (plan.situation === 'new') {
    await writeFolder(folder, plan.files, { signal });
  } else {
    if (writes.length === 0) return terminal.done(`${folder} is up to date: nothing to change.`);
    await requireConsent(context, options, writes);
    await withFolderLock(folder, 'init', () => applyChanges(folder, plan.changes, { signal, now: clock.now() }));
    terminal.done(`Changed ${writes.length} files in ${folder}; what they replaced is in backups/.`);
    terminal.note(`Running servers take the change with: redkeep apply --dir ${quoteShell(folder)}`);
    return;
  }
  const { engine, profile, topology } = plan.deployment;
  terminal.done(`Wrote a ${profile} deployment for ${engine.name} ${engine.version} (${topology}) to ${folder}.`);
  const advice = plan.deployment.target === 'local' ? await adviceOnVolume(folder) : undefined;
  if (advice) terminal.note(advice);
  terminal.note(`Each choice has its reason in DECISIONS.md; ${stateFile} describes the whole.`);
  const detach = plan.deployment.target === 'local' ? ' --detach' : '';
  terminal.note(`Next: redkeep up${detach} --dir ${quoteShell(folder)}`);
}

/** A changed answer needs a yes; a file that somebody has edited by hand is only replaced with --force. */
async function requireConsent(context: Context, options: InitOptions, writes: readonly Change[]): Promise<void> {
  if (options.force) return;
  const edited = writes.filter(({ kind }) => kind === 'overwrite-edited').map(({ path }) => path);
  if (edited.length > 0) {
    throw new CliError(
      'REDKEEP_FILES_CHANGED',
      `Edited by hand since redkeep wrote them: ${edited.join(', ')}. Nothing was written.`,
      'Look at the differences with --dry-run, then run it again with --force; what is replaced is kept in backups/.',
    );
  }
  if (options.yes || (await context.prompt.confirm(`Change ${writes.length} files of the deployment?`, false))) return;
  throw new CliError(
    'REDKEEP_CONSENT_NEEDED',
    `The answers differ from the existing deployment: ${writes.length} files would change. Nothing was written.`,
    'Look at them with --dry-run, then confirm with --yes; what is replaced is kept in backups/.',
  );
}
