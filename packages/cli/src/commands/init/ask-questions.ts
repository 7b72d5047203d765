import { isLoopback } from 'redkeep';
import type { z } from 'zod';
import type { Context } from '../../context.js';
import { answersSchema, applicationSchema } from '../../deployment/answers.js';
import { findServerProgram } from '../../engine/server-program.js';
import { engineNames } from '../../vocabulary/engines.js';
import { applicationRoles, profileNames, targetNames, topologyNames } from '../../vocabulary/names.js';

type Loose = Record<string, unknown>;

/** Asks a person for what neither a flag nor a file has answered. A wrong answer is explained and asked for again. */
export async function askQuestions(context: Context, given: Loose): Promise<Loose> {
  const answers: Loose = { ...given };
  const choose = async (name: string, question: string, choices: readonly string[], fallback: string) => {
    answers[name] ??= await askOne(context, `${question} (${choices.join(', ')})?`, fallback, (text) =>
      oneOf(choices, text),
    );
  };
  await choose('profile', 'How strict', profileNames, 'development');
  const found = await findServerProgram(context, {});
  await choose('engine', 'Engine', engineNames, found?.engine.name ?? 'redis');
  await choose('topology', 'How many servers', topologyNames, 'single');
  await choose('target', 'What runs them', targetNames, 'local');
  if (asksForHosts(answers)) {
    answers['hosts'] ??= await askList(context, 'Addresses of the machines', '127.0.0.1', shape.hosts);
  }
  const hosts = (answers['hosts'] ?? []) as string[];
  if (!hosts.every(isLoopback)) {
    answers['sources'] ??= await askList(context, 'Networks that may connect, for the firewall', 'none', shape.sources);
  }
  answers['applications'] ??= await askApplications(context);
  return answers;
}

const { shape } = answersSchema;

/** Containers are found by name and development stays on this machine. */
function asksForHosts({ target, profile }: Loose): boolean {
  return target === 'systemd' || (target === 'local' && profile !== 'development');
}

async function askApplications(context: Context): Promise<Loose[]> {
  const names = await askList(context, 'Names of the applications', 'app', shape.applications, (name) => ({
    name,
    keys: ['*'],
  }));
  const applications: Loose[] = [];
  for (const name of names) {
    const role = await askOne(
      context,
      `What does ${name} do (${applicationRoles.join(', ')})?`,
      'application',
      (text) => oneOf(applicationRoles, text),
    );
    const keys = await askList(context, `Key patterns of ${name}`, `${name}:*`, applicationSchema.shape.keys);
    applications.push({ name, role, keys, channels: role === 'application' ? keys : [] });
  }
  return applications;
}

type Reading<T> = { readonly value: T } | { readonly problem: string };

async function askOne<T>(
  { prompt, terminal }: Context,
  question: string,
  fallback: string,
  read: (text: string) => Reading<T>,
): Promise<T> {
  for (;;) {
    const reading = read(await prompt.ask(question, fallback));
    if ('value' in reading) return reading.value;
    terminal.warn(reading.problem);
  }
}

/** The whole word or the beginning of only one. */
function oneOf(choices: readonly string[], text: string): Reading<string> {
  const fitting = choices.filter((choice) => choice.startsWith(text.toLowerCase()));
  const exact = choices.find((choice) => choice === text.toLowerCase());
  const value = exact ?? (fitting.length === 1 ? fitting[0] : undefined);
  return value === undefined ? { problem: `Choose one of ${choices.join(', ')}.` } : { value };
}

/** A list, separated by commas or blanks; each item is checked as the schema checks it. */
function askList(
  context: Context,
  question: string,
  fallback: string,
  schema: z.ZodType,
  toItem: (text: string) => unknown = (text) => text,
): Promise<string[]> {
  return askOne<string[]>(context, `${question}, separated by commas?`, fallback, (text) => {
    const items = text === 'none' ? [] : text.split(/[\s,]+/).filter((item) => item !== '');
    const result = schema.safeParse(items.map(toItem));
    if (result.success) return { value: items };
    const [issue] = result.error.issues;
    return { problem: `${items[Number(issue?.path[0] ?? 0)] ?? text}: ${issue?.message}.` };
  });
}
