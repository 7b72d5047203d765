import { basename, dirname, join } from 'node:path';
import { observed } from '../facts/fact.js';
import type { Directive } from '../facts/facts.js';
import type { Location, UnitFacts } from '../facts/project-facts.js';
import { isReference } from '../facts/reference.js';
import {
  isAboutServers,
  isClearSecret,
  plaintextFindings,
  urlFindings,
  type Variable,
  verificationFindings,
} from './client-urls.js';
import { type ServerStart, serverStart, splitWords } from './command-line.js';
import { readConfigFile } from './config-file.js';
import { clearSecretsOf } from './described-container.js';
import { nodeAclOf } from './file-node.js';
import { addReading, emptyReading, type Reading } from './reading.js';
import { readTextFile, reasonOf } from './text-file.js';
import { parseUnitParts, type UnitPart } from './units.js';

/** A server that a file of the machine starts: a unit, supervisord, an init script. */
export interface StartedServer {
  readonly name: string;
  readonly at: Location;
  readonly start: ServerStart;
  /** Configuration files among the audited ones. */
  readonly configs: readonly string[];
}

/** The configuration file that is meant, among those of the project: the path itself, else one of the same name. */
function configOf(path: string, from: string, configs: readonly string[]): string | undefined {
  const named = configs.filter((file) => basename(file) === basename(path));
  const near = named.find((file) => dirname(file) === dirname(from));
  return configs.find((file) => file === path) ?? near ?? (named.length === 1 ? named[0] : undefined);
}

/** The server as its options and its configuration file describe it. */
export async function readStartedServer({ name, at, start, configs }: StartedServer): Promise<Reading> {
  const reading = emptyReading();
  const options: Directive[] = start.options.map((option) => ({
    name: option.name,
    args: option.args,
    file: option.at.file,
    line: option.at.line,
  }));
  const config = start.configFile === undefined ? undefined : configOf(start.configFile, at.file, configs);
  const engine = start.program.startsWith('valkey') ? 'valkey' : start.program === 'dragonfly' ? 'dragonfly' : 'redis';
  const sentinel: Directive[] = start.isSentinel ? [{ name: 'sentinel', args: [], file: at.file, line: at.line }] : [];
  const read = config === undefined ? undefined : await readConfigFile(config);
  // A configuration that is elsewhere, and no options: nothing is known of the server.
  if (start.configFile !== undefined && read === undefined && options.length === 0) return reading;
  const directives = [...(read?.directives ?? []), ...options, ...sentinel];
  const server = {
    subject: `${at.file}: ${name}`,
    engine,
    at,
    directives,
    ...(read?.file && { file: read.file }),
    includes: read?.includes ?? [],
    ...(start.configFile !== undefined &&
      read === undefined && { unknown: `${start.configFile} is not among the files` }),
    acl: config === undefined ? observed(null, at.file) : await nodeAclOf(config, directives),
  } as const;
  reading.servers.push(server);
  for (const { name: option, at: place } of clearSecretsOf(options))
    reading.findings.push({
      issue: 'secret-in-clear',
      about: `${name}: ${option}`,
      at: place,
      detail: `${option} is an option of the command: it is in the file and in the list of processes`,
      remedy: 'Write it to a configuration file that only the service reads, or use an ACL file',
    });
  return reading;
}

/** Variables of `Environment=`, which may hold several in quotes. */
function environmentOf(unit: UnitFacts): Variable[] {
  const at = unit.places['Environment'] ?? unit.at;
  return (unit.settings['Environment'] ?? '')
    .split('\n')
    .flatMap(splitWords)
    .flatMap((word) => {
      const index = word.indexOf('=');
      return index === -1 ? [] : [{ name: word.slice(0, index), value: word.slice(index + 1), at }];
    });
}

function rootFinding(unit: UnitFacts, isDropInOnly: boolean): Reading['findings'] {
  const { settings, places, name } = unit;
  const user = settings['User'];
  const isDynamic = /^(yes|true|1|on)$/.test(settings['DynamicUser'] ?? '');
  const isPrivileged = /^[-@:]*[+!]/m.test(settings['ExecStart'] ?? '');
  const isRoot = user === undefined || user === '' ? !isDynamic && !isDropInOnly : /^(root|0)$/.test(user);
  if (!isRoot && !isPrivileged) return [];
  return [
    {
      issue: 'root-user',
      about: name,
      at: places[isPrivileged && !isRoot ? 'ExecStart' : 'User'] ?? places['ExecStart'] ?? unit.at,
      detail:
        isPrivileged && !isRoot
          ? `${name} starts the server with full privileges`
          : `${name} runs the server as root${user === undefined ? ': User= is not set' : ''}`,
      remedy: 'User=redis, Group=redis',
    },
  ];
}

async function readOne(
  parts: readonly UnitPart[],
  isDropInOnly: boolean,
  configs: readonly string[],
): Promise<Reading> {
  const reading = emptyReading();
  const unit = parseUnitParts(parts);
  const at = unit.places['ExecStart'] ?? unit.at;
  const line = (unit.settings['ExecStart'] ?? '').split('\n').at(-1) ?? '';
  const environment = environmentOf(unit);
  const known = new Map(environment.map(({ name, value }) => [name, value]));
  const words = splitWords(line.replace(/^[-@:+!]+/, '')).map((word) => ({
    text: word.replace(/\$\{?(\w+)\}?/g, (whole, name: string) => known.get(name) ?? whole),
    at,
  }));
  const start = serverStart(words);
  const isOurs = start !== undefined || /^(redis|valkey|keydb|dragonfly)[\w@.-]*\.service$/.test(unit.name);
  if (isOurs) {
    if (!isDropInOnly) reading.units.push(unit);
    else
      reading.remarks.push(
        `${parts[0]!.file} is a drop-in whose unit is not among the files: only what it sets itself is judged`,
      );
    reading.findings.push(...rootFinding(unit, isDropInOnly));
    if (start) addReading(reading, await readStartedServer({ name: unit.name, at, start, configs }));
  }
  reading.findings.push(...verificationFindings(environment), ...plaintextFindings(environment));
  for (const variable of environment) {
    if (!isOurs && isAboutServers(variable) && isClearSecret(variable))
      reading.findings.push({
        issue: 'secret-in-clear',
        about: variable.name,
        at: variable.at,
        detail: `${unit.name} holds ${variable.name}`,
        remedy: 'LoadCredential=, or an EnvironmentFile= that only the service reads',
      });
    reading.findings.push(...urlFindings(variable));
  }
  if (isDropInOnly && environment.some((variable) => isOurs && isClearSecret(variable) && !isReference(variable.value)))
    reading.findings.push({
      issue: 'secret-in-clear',
      about: unit.name,
      at: unit.places['Environment'] ?? unit.at,
      detail: `${unit.name} holds a secret in Environment=`,
      remedy: 'LoadCredential=, or a file that only the service reads',
    });
  return reading;
}

/** The name of the unit that a file is a drop-in of. */
function unitOfDropIn(file: string): string | undefined {
  const [, name] = /^(.+\.service)\.d$/.exec(basename(dirname(file))) ?? [];
  return name;
}

/** Units with their drop-ins, each merged as systemd does: drop-ins by their names, after the unit. */
export async function readUnits(files: readonly string[], configs: readonly string[]): Promise<Reading> {
  const reading = emptyReading();
  const groups = new Map<string, UnitPart[]>();
  const units = files.filter((file) => unitOfDropIn(file) === undefined && file.endsWith('.service'));
  const dropIns = files
    .filter((file) => unitOfDropIn(file) !== undefined)
    .sort((a, b) => (basename(a) < basename(b) ? -1 : 1));
  const ownerOf = (file: string): string => {
    const name = unitOfDropIn(file)!;
    return (
      units.find((unit) => unit === join(dirname(dirname(file)), name)) ??
      units.find((unit) => basename(unit) === name) ??
      join(dirname(dirname(file)), name)
    );
  };
  for (const [key, file] of [
    ...units.map((file) => [file, file] as const),
    ...dropIns.map((file) => [ownerOf(file), file] as const),
  ])
    try {
      groups.set(key, [...(groups.get(key) ?? []), { file, text: await readTextFile(file) }]);
    } catch (error) {
      reading.unreadable.push({ file, reason: reasonOf(error) });
    }
  for (const [unit, parts] of groups) {
    const isDropInOnly = !parts.some(({ file }) => file === unit);
    // The unit's name is that of the whole, also where only its drop-ins are there.
    const named = isDropInOnly ? [{ file: unit, text: '' }, ...parts] : parts;
    try {
      addReading(reading, await readOne(named, isDropInOnly, configs));
    } catch (error) {
      reading.unreadable.push({ file: unit, reason: reasonOf(error) });
    }
  }
  return reading;
}
