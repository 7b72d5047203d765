import path from 'node:path';
import type { Context } from '../../context.js';
import type { AnswersInput } from '../../deployment/answers.js';
import { allComponents, componentFrom } from '../../deployment/components.js';
import { answersFile } from '../../deployment/state.js';
import { CliError } from '../../errors.js';
import { readIfPresent } from '../../files/read-if-present.js';
import { askQuestions } from './ask-questions.js';

/** The flags of `init` that are answers. */
export interface AnswerFlags {
  readonly config?: string;
  readonly name?: string;
  readonly profile?: string;
  readonly engine?: string;
  readonly engineVersion?: string;
  readonly topology?: string;
  readonly target?: string;
  readonly host?: readonly string[];
  readonly tlsName?: readonly string[];
  readonly port?: string;
  readonly replicas?: string;
  readonly shards?: string;
  readonly source?: readonly string[];
  readonly memory?: string;
  readonly eviction?: string;
  readonly keyType?: string;
  readonly namespace?: string;
  readonly image?: string;
  readonly app?: readonly string[];
  readonly sessionStore?: readonly string[];
  readonly readOnly?: readonly string[];
  readonly components?: readonly string[];
}

type Loose = Record<string, unknown>;

/**
 * Puts the answers together: the file given, else what the folder was made from, then the flags over it, then, for
 * a first init with somebody at the terminal, the questions left open.
 */
export async function collectAnswers(
  context: Context,
  folder: string,
  flags: AnswerFlags,
  ask: boolean,
): Promise<AnswersInput> {
  const given =
    flags.config === undefined ? undefined : await readAnswers(path.resolve(context.cwd, flags.config), true);
  const earlier = given ?? (await readAnswers(path.join(folder, answersFile), false));
  const answers: Loose = { ...earlier, ...answersFromFlags(flags, earlier ?? {}) };
  const open = ask && context.prompt.available && earlier === undefined;
  return open ? askQuestions(context, answers) : answers;
}

async function readAnswers(file: string, required: boolean): Promise<Loose | undefined> {
  const text = await readIfPresent(file);
  if (text === undefined && !required) return undefined;
  try {
    return JSON.parse(text ?? '') as Loose;
  } catch {
    throw new CliError(
      'REDKEEP_ANSWERS_INVALID',
      text === undefined ? `There is no file ${file}.` : `${file} is not valid JSON.`,
      'Correct it, or leave it out and answer by flags.',
    );
  }
}

function answersFromFlags(flags: AnswerFlags, earlier: Loose): Loose {
  const named = [
    ...(flags.app ?? []).map((text) => application(text, 'application')),
    ...(flags.sessionStore ?? []).map((text) => application(text, 'session-store')),
    ...(flags.readOnly ?? []).map((text) => application(text, 'read-only')),
  ];
  const known = (earlier['applications'] ?? []) as Loose[];
  const applications = withComponents(named.length > 0 ? named : known, flags.components ?? []);
  const answers: Loose = {
    name: flags.name,
    profile: flags.profile,
    engine: flags.engine,
    engineVersion: flags.engineVersion,
    topology: flags.topology,
    target: flags.target,
    hosts: flags.host,
    names: flags.tlsName,
    port: numeric(flags.port),
    replicas: numeric(flags.replicas),
    shards: numeric(flags.shards),
    sources: flags.source,
    memoryMegabytes: numeric(flags.memory),
    eviction: flags.eviction,
    keyType: flags.keyType,
    namespace: flags.namespace,
    image: flags.image,
    applications: named.length > 0 || flags.components ? applications : undefined,
  };
  return Object.fromEntries(Object.entries(answers).filter(([, value]) => value !== undefined));
}

/** The schema refuses what is not a number. */
function numeric(text: string | undefined): number | string | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : text;
}

/** `shop` or `shop=shop:*,cart:*`; channels follow the key patterns. */
function application(text: string, role: string): Loose {
  const [name = '', patterns] = splitOnce(text, '=');
  const keys = patterns === undefined ? [`${name}:*`] : patterns.split(',');
  return { name, role, keys, channels: role === 'application' ? keys : [] };
}

/** `web=sessions,limits` (or `web=all`) adds components to the application `web`, or makes one that has nothing else. */
function withComponents(applications: readonly Loose[], texts: readonly string[]): Loose[] {
  const all = applications.map((each) => ({ ...each }) as Loose);
  for (const text of texts) {
    const [name = '', list = ''] = splitOnce(text, '=');
    const components = list === 'all' ? allComponents : list.split(',').map(componentFrom);
    const found = all.find((each) => each['name'] === name);
    if (found) found['components'] = components;
    else all.push({ name, role: 'application', components });
  }
  return all;
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)];
}
