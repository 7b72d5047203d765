/** A file of a deployment: where (relative to its folder, `/` between parts), its readers, and its content. */
export interface RenderedFile {
  readonly path: string;
  /** 0o600 for anything that holds a secret, 0o644 for the rest. */
  readonly mode: 0o600 | 0o644 | 0o755;
  readonly content: string;
  /** True for what is made rather than derived (passwords, keys, certificates): nobody edits it by hand. */
  readonly made?: boolean;
}
