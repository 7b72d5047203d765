/** What the process's exit code means to a script. Documented for users; a code never changes its meaning. */
export const ExitCode = {
  /** The command did what it was asked. */
  Ok: 0,
  /** An audit has findings at or above its threshold, or a check failed. */
  Findings: 1,
  /** A flag, an answer or a file given by the user is wrong. */
  Usage: 2,
  /** An audit, or `acl learn`, could not observe what it must judge. */
  Incomplete: 3,
  /** This machine is in the way: no server program, port taken, no permission, disk full. */
  Environment: 4,
  /** The server was not reached, or refused the credentials or the certificate. */
  Connection: 5,
  /** A defect in redkeep. */
  Internal: 70,
  /** Ctrl-C or SIGTERM ended the command before it was done. */
  Interrupted: 130,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];
