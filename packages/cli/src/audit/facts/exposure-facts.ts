/** A file that others of this machine must not read or change. */
export interface GuardedFile {
  readonly path: string;
  /** What it holds, in words: `private key`, `users with passwords`; of files without a secret, what they are for. */
  readonly holds: string;
  readonly isSecret: boolean;
  readonly mode: number;
  readonly uid: number;
  /** Any user of the machine can read it: its mode allows it, and every folder above lets them through. */
  readonly readable: boolean;
  /** Why any user of the machine can change or replace it; absent where none can. */
  readonly writable?: {
    /** The file itself, or the folder above that anybody may write. */
    readonly path: string;
    readonly mode: number;
  };
  /** An account that owns the file or a folder above it, beside root, the server and the owner of the folder. */
  readonly foreign?: { readonly path: string; readonly uid: number };
}

/** What a walk through the folders of a deployment found. */
export interface ExposureFacts {
  readonly folders: readonly string[];
  /** How many files were looked at. */
  readonly files: number;
  readonly guarded: readonly GuardedFile[];
  /** What could not be looked at, each with the reason; never counted as clean. */
  readonly closed: readonly { readonly path: string; readonly reason: string }[];
}
