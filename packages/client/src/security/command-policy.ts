/** Which commands this client may send. Checked once a command, by two bit tests unless lists are given. */
import { type Command, Flag } from '../commands/command.js';
import { DANGEROUS_COMMANDS } from '../commands/dangerous-commands.js';
import { errorCode, type ProtectionMessage, protectionChannel } from '../diagnostics.js';
import { CommandRefusedError, InvalidOptionError, RedkeepError } from '../errors.js';
import { DEFAULT_MAX_SCRIPTS, ScriptWatch } from './script-watch.js';

/** The options that make a policy: what a cluster and a Sentinel client hand on to the clients of their nodes. */
export const POLICY_OPTIONS = [
  'commandPolicy',
  'allowCommands',
  'denyCommands',
  'readOnlyCommands',
  'maxScripts',
  'validateCommand',
] as const;

export interface CommandPolicyOptions {
  /** `guarded` (default) refuses commands that destroy or reconfigure; `unrestricted` is for administrative tools. */
  commandPolicy?: 'guarded' | 'unrestricted';
  /** Dangerous commands that are allowed all the same: `['FLUSHDB', 'CONFIG SET']`. */
  allowCommands?: readonly string[];
  /** Refused whatever else is said. `CONFIG` covers all its subcommands. */
  denyCommands?: readonly string[];
  /** Refuse every command that may write. */
  readOnlyCommands?: boolean;
  /** Different scripts that EVAL may send before they count as put together from data; default 128. */
  maxScripts?: number;
  /**
   * Called with each command before it is sent, those of transactions too; what it throws rejects the command. For
   * rules of a key space.
   */
  validateCommand?: CommandValidator;
}

/** A command as validators see it. Keys and arguments are as given, before any prefix. */
export interface ValidatedCommand {
  /** `SET`, `CLIENT KILL`. */
  readonly name: string;
  readonly keys: readonly unknown[];
  /** All arguments after the command's name, keys among them. */
  readonly args: readonly unknown[];
  readonly readOnly: boolean;
}
export type CommandValidator = (command: ValidatedCommand) => void;

/** What `command-refused` contains; never an argument. */
export interface Refusal {
  readonly command: string;
  readonly code: string;
}

export class CommandPolicy {
  readonly #refusedFlags: number;
  readonly #allowed: ReadonlySet<string>;
  readonly #denied: ReadonlySet<string>;
  readonly #scripts: ScriptWatch;
  readonly #validate: CommandValidator | undefined;
  /** Hears of each refusal. */
  onRefused: ((refusal: Refusal) => void) | undefined;

  constructor(options: CommandPolicyOptions) {
    const { commandPolicy = 'guarded' } = options;
    if (commandPolicy !== 'guarded' && commandPolicy !== 'unrestricted') {
      throw new InvalidOptionError('commandPolicy', "must be 'guarded' or 'unrestricted'");
    }
    this.#refusedFlags =
      Flag.PROTOCOL |
      (commandPolicy === 'guarded' ? Flag.DANGEROUS : 0) |
      (options.readOnlyCommands === true ? Flag.WRITE : 0);
    this.#allowed = names(options.allowCommands, 'allowCommands');
    this.#denied = names(options.denyCommands, 'denyCommands');
    const { maxScripts = DEFAULT_MAX_SCRIPTS } = options;
    if (!(maxScripts >= 1)) throw new InvalidOptionError('maxScripts', 'must be at least 1');
    this.#scripts = new ScriptWatch(maxScripts);
    const { validateCommand } = options;
    if (validateCommand !== undefined && typeof validateCommand !== 'function')
      throw new InvalidOptionError('validateCommand', 'must be a function');
    this.#validate = validateCommand;
  }

  /** Why the command may not be sent; undefined when it may. */
  refusalOf(command: Command): Error | undefined {
    const refused = this.#byRules(command) ?? (this.#validate === undefined ? undefined : this.#invalid(command));
    if (refused !== undefined) {
      const refusal: Refusal = { command: command.spec.name, code: errorCode(refused)! };
      if (protectionChannel.hasSubscribers)
        protectionChannel.publish({
          event: 'refused',
          command: refusal.command,
          errorCode: refusal.code,
        } satisfies ProtectionMessage);
      this.onRefused?.(refusal);
    }
    return refused;
  }

  #invalid({ spec, args }: Command): Error | undefined {
    try {
      const returned: unknown = this.#validate!({
        name: spec.name,
        keys: spec.keys(args).map((position) => args[position]),
        args,
        readOnly: (spec.flags & Flag.WRITE) === 0,
      });
      if (returned instanceof Promise) {
        // Its verdict would come after the command was sent.
        returned.catch(() => {});
        return new CommandRefusedError(spec.name, 'validateCommand must decide at once, yet it returned a promise');
      }
      return undefined;
    } catch (error) {
      if (error instanceof Error) return error;
      return new RedkeepError('REDKEEP_COMMAND_REFUSED', `${spec.name} is refused by validateCommand`, {
        cause: error,
      });
    }
  }

  #byRules({ spec, args }: Command): RedkeepError | undefined {
    if (spec.name === 'EVAL' || spec.name === 'EVAL_RO') {
      const refused = this.#scripts.refusalOf(args[0]);
      if (refused !== undefined) return refused;
    }
    if ((spec.flags & this.#refusedFlags) === 0 && this.#denied.size === 0) return undefined;
    const { name } = spec;
    const container = name.split(' ', 1)[0]!;
    if (this.#denied.has(name) || this.#denied.has(container))
      return new CommandRefusedError(name, 'it is in denyCommands');
    if ((spec.flags & Flag.PROTOCOL) !== 0) {
      // Commands that are on their way would get each other's replies, or none.
      if (name === 'CLIENT REPLY') return new CommandRefusedError(name, 'calls would be left without an answer');
      if (args.length > 0)
        return new CommandRefusedError(name, 'the protocol and the user are options of the client; HELLO alone asks');
    }
    if ((spec.flags & this.#refusedFlags & Flag.WRITE) !== 0)
      return new CommandRefusedError(name, 'readOnlyCommands is set');
    if ((spec.flags & this.#refusedFlags & Flag.DANGEROUS) === 0 || this.#allowed.has(name)) return undefined;
    return new CommandRefusedError(
      name,
      `it ${DANGEROUS_COMMANDS.get(name)!.harm}; if it is meant, create the client with allowCommands: ['${name}']`,
    );
  }
}

function names(list: readonly string[] | undefined, option: string): ReadonlySet<string> {
  if (list === undefined) return new Set();
  if (!Array.isArray(list) || list.some((name) => typeof name !== 'string'))
    throw new InvalidOptionError(option, 'must be an array of command names');
  return new Set(list.map((name) => name.toUpperCase().replace(/[|\s]+/g, ' ')));
}
