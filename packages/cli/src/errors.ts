import { RedkeepError } from 'redkeep';
import { ExitCode } from './exit-codes.js';

/** Every error the toolkit itself raises: its stable code and the exit code it ends with. */
export const cliErrors = {
  REDKEEP_USAGE: ExitCode.Usage,
  REDKEEP_ANSWERS_INVALID: ExitCode.Usage,
  REDKEEP_COMBINATION_IMPOSSIBLE: ExitCode.Usage,
  REDKEEP_NO_DEPLOYMENT: ExitCode.Usage,
  REDKEEP_DEPLOYMENT_UNREADABLE: ExitCode.Usage,
  REDKEEP_FOLDER_NOT_EMPTY: ExitCode.Usage,
  REDKEEP_FILES_CHANGED: ExitCode.Usage,
  REDKEEP_TARGET_NOT_LOCAL: ExitCode.Usage,
  REDKEEP_CERTIFICATE_UNUSABLE: ExitCode.Usage,
  REDKEEP_USER_UNKNOWN: ExitCode.Usage,
  REDKEEP_NODE_UNKNOWN: ExitCode.Usage,
  REDKEEP_TARGET_UNSUPPORTED: ExitCode.Usage,
  REDKEEP_DEPLOYMENT_COPIED: ExitCode.Usage,
  REDKEEP_NEWER_DATA_AWAY: ExitCode.Usage,
  REDKEEP_CONSENT_NEEDED: ExitCode.Usage,
  REDKEEP_ATTRIBUTION_INCOMPLETE: ExitCode.Incomplete,
  REDKEEP_BACKUP_DAMAGED: ExitCode.Findings,
  REDKEEP_BACKUP_UNPROVED: ExitCode.Findings,
  REDKEEP_BACKUP_NOT_FOUND: ExitCode.Usage,
  REDKEEP_BACKUP_KEY_WRONG: ExitCode.Usage,
  REDKEEP_BACKUP_SOURCE_UNSAFE: ExitCode.Usage,
  REDKEEP_BACKUP_WRITER_UNKNOWN: ExitCode.Incomplete,
  REDKEEP_BACKUP_STORE_FAILED: ExitCode.Environment,
  REDKEEP_BACKUP_INCOMPATIBLE: ExitCode.Environment,
  REDKEEP_BACKUP_STREAM_UNREADABLE: ExitCode.Connection,
  REDKEEP_MIGRATION_CLIENTS_REMAIN: ExitCode.Findings,
  REDKEEP_MIGRATION_UNPROVED: ExitCode.Findings,
  REDKEEP_TIMESTAMP_REFUSED: ExitCode.Environment,
  REDKEEP_INCIDENT_UNCOLLECTED: ExitCode.Usage,
  REDKEEP_CONTAINMENT_FAILED: ExitCode.Findings,
  REDKEEP_PERMISSION_DENIED: ExitCode.Environment,
  REDKEEP_DISK_FULL: ExitCode.Environment,
  REDKEEP_FILE_SYSTEM: ExitCode.Environment,
  REDKEEP_SERVER_NOT_FOUND: ExitCode.Environment,
  REDKEEP_SERVER_UNSUITABLE: ExitCode.Environment,
  REDKEEP_PORT_TAKEN: ExitCode.Environment,
  REDKEEP_SERVER_FAILED: ExitCode.Environment,
  REDKEEP_CLOCK_WRONG: ExitCode.Environment,
  REDKEEP_BUSY: ExitCode.Environment,
  REDKEEP_DELIVERY_FAILED: ExitCode.Environment,
  REDKEEP_HANDOVER_FAILED: ExitCode.Connection,
  REDKEEP_CONNECTION_FAILED: ExitCode.Connection,
  REDKEEP_INTERRUPTED: ExitCode.Interrupted,
  REDKEEP_INTERNAL: ExitCode.Internal,
} as const satisfies Record<string, ExitCode>;

export type CliErrorCode = keyof typeof cliErrors;

/** What may be shown to anybody, by exit code. */
const publicMessages: Readonly<Record<ExitCode, string>> = {
  [ExitCode.Ok]: 'The command succeeded.',
  [ExitCode.Findings]: 'The command found problems.',
  [ExitCode.Usage]: 'The command was not used correctly.',
  [ExitCode.Incomplete]: 'The command could not observe everything it has to judge.',
  [ExitCode.Environment]: 'The machine does not allow the command to work.',
  [ExitCode.Connection]: 'A server was not reached or refused the connection.',
  [ExitCode.Internal]: 'The command failed because of a defect.',
  [ExitCode.Interrupted]: 'The command was interrupted.',
};

/** An error with a stable code, what happened in one line, and what to do next. Never carries a secret. */
export class CliError extends RedkeepError {
  static override readonly name = 'CliError';
  declare readonly code: CliErrorCode;

  constructor(code: CliErrorCode, message: string, hint: string, options?: { cause?: unknown }) {
    const publicMessage = publicMessages[cliErrors[code]];
    super(code, message, { ...options, hint, publicMessage, docs: `cli-errors.md#${code.toLowerCase()}` });
  }

  get exitCode(): ExitCode {
    return cliErrors[this.code];
  }
}

const systemErrors: Partial<Record<string, (path: string) => CliError>> = {
  EACCES: (path) => permissionDenied(path),
  EPERM: (path) => permissionDenied(path),
  EROFS: (path) => permissionDenied(path),
  ENOSPC: (path) =>
    new CliError('REDKEEP_DISK_FULL', `The disk is full at ${path}.`, 'Free some space and run the command again.'),
  EDQUOT: (path) =>
    new CliError('REDKEEP_DISK_FULL', `The disk quota is used up at ${path}.`, 'Free some space and run it again.'),
};

function permissionDenied(path: string): CliError {
  return new CliError(
    'REDKEEP_PERMISSION_DENIED',
    `No permission for ${path}, or it is on a read-only volume.`,
    'Choose a folder you own with --dir, or change its owner.',
  );
}

/** Turns a file system error into one that says what to do; anything else comes back unchanged. */
export function explainSystemError(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || !('code' in error) || error instanceof CliError) return error;
  const code = String(error.code);
  const known = systemErrors[code]?.(path);
  if (known) return Object.assign(known, { cause: error });
  if (!('syscall' in error)) return error;
  return new CliError('REDKEEP_FILE_SYSTEM', `${path}: ${error.message}.`, 'Check the path and run it again.', {
    cause: error,
  });
}
