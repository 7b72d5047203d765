import { spawn } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CliError } from '../../errors.js';
import { type ObjectContent, ObjectExists, ObjectMissing, type Store, type StoredObject } from './store.js';

/** The command lines of a program that keeps objects. */
export interface ProgramCalls {
  readonly description: string;
  /** Writes what it reads from standard input; ends with `existsCode` where the name is taken. */
  put(name: string): readonly string[];
  /** Prints the object; ends with `missingCode` where there is none. */
  get(name: string): readonly string[];
  /** Prints a line `bytes name` for each object below the prefix, names relative to `listBase`. */
  list(prefix: string): readonly string[];
  remove(name: string): readonly string[];
  /** Prefix of the names that `list` prints. */
  listBase(prefix: string): string;
  readonly existsCode: number | undefined;
  readonly missingCodes: readonly number[];
}

/** `command:program`: called as `program put|get|list|remove NAME`. Codes are the system's: 17 is EEXIST, 2 is ENOENT. */
export function commandCalls(line: string): ProgramCalls {
  const words = line.split(' ').filter(Boolean);
  return {
    description: `command:${words[0]}`,
    put: (name) => [...words, 'put', name],
    get: (name) => [...words, 'get', name],
    list: (prefix) => [...words, 'list', prefix],
    remove: (name) => [...words, 'remove', name],
    listBase: () => '',
    existsCode: 17,
    missingCodes: [2],
  };
}

/** `rclone:remote:path`: every store that rclone knows; its credentials are in its own configuration. */
export function rcloneCalls(remote: string): ProgramCalls {
  const at = (name: string) => `${remote.replace(/\/$/, '')}${remote.endsWith(':') ? '' : '/'}${name}`;
  return {
    description: `rclone:${remote}`,
    put: (name) => ['rclone', 'rcat', at(name)],
    get: (name) => ['rclone', 'cat', at(name)],
    list: (prefix) => ['rclone', 'lsf', '-R', '--files-only', '--format', 'sp', '--separator', ' ', at(prefix)],
    remove: (name) => ['rclone', 'deletefile', at(name)],
    listBase: (prefix) => prefix,
    existsCode: undefined,
    // Directory and object not found.
    missingCodes: [3, 4],
  };
}

/** A store behind a program, one process a call. */
export class ProgramStore implements Store {
  readonly description: string;
  readonly isOffHost = true;
  readonly #calls: ProgramCalls;

  constructor(calls: ProgramCalls) {
    this.#calls = calls;
    this.description = calls.description;
  }

  async put(name: string, content: ObjectContent): Promise<void> {
    const { put, existsCode } = this.#calls;
    // A program that cannot refuse a name is asked first: there is one writer a name.
    if (existsCode === undefined && (await this.#has(name))) throw new ObjectExists(name);
    const input = 'file' in content ? createReadStream(content.file) : Readable.from([content.data]);
    const { code, errors } = await this.#run(put(name), input);
    if (code === existsCode) throw new ObjectExists(name);
    if (code !== 0) throw this.#failed('put', code, errors);
  }

  async get(name: string): Promise<AsyncIterable<Buffer>> {
    return this.#read(name);
  }

  async *#read(name: string): AsyncGenerator<Buffer> {
    const { get, missingCodes } = this.#calls;
    const [program, ...args] = get(name);
    const child = spawn(program!, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const ended = endOf(child);
    for await (const part of child.stdout) yield part as Buffer;
    const { code, errors } = await ended;
    if (missingCodes.includes(code)) throw new ObjectMissing(name);
    if (code !== 0) throw this.#failed('get', code, errors);
  }

  async list(prefix: string): Promise<readonly StoredObject[]> {
    const { list, listBase, missingCodes } = this.#calls;
    const { code, output, errors } = await this.#run(list(prefix));
    if (missingCodes.includes(code)) return [];
    if (code !== 0) throw this.#failed('list', code, errors);
    return output.split('\n').flatMap((line) => {
      const found = /^(\d+) (.+)$/.exec(line);
      return found ? [{ name: `${listBase(prefix)}${found[2]}`, bytes: Number(found[1]) }] : [];
    });
  }

  async remove(name: string): Promise<void> {
    const { code, errors } = await this.#run(this.#calls.remove(name));
    if (code !== 0 && !this.#calls.missingCodes.includes(code)) throw this.#failed('remove', code, errors);
  }

  async #has(name: string): Promise<boolean> {
    const folder = name.slice(0, name.lastIndexOf('/') + 1);
    return (await this.list(folder)).some((object) => object.name === name);
  }

  async #run(words: readonly string[], input?: Readable) {
    const [program, ...args] = words;
    const child = spawn(program!, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    const ended = endOf(child);
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    // A program that ends before it has read everything says why by its code.
    if (input) await pipeline(input, child.stdin).catch(() => undefined);
    else child.stdin.end();
    return { ...(await ended), output };
  }

  #failed(what: string, code: number, errors: string): CliError {
    const reason = errors.trim().split('\n').at(-1)?.slice(0, 200) ?? '';
    return new CliError(
      'REDKEEP_BACKUP_STORE_FAILED',
      `${this.description} failed to ${what} (exit code ${code})${reason ? `: ${reason}` : ''}.`,
      'Run the program by hand to see why.',
    );
  }
}

function endOf(child: ReturnType<typeof spawn>): Promise<{ readonly code: number; readonly errors: string }> {
  let errors = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-2000);
  });
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: 127, errors: error.message }));
    child.once('close', (code) => resolve({ code: code ?? 1, errors }));
  });
}
