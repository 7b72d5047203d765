import { createHash } from 'node:crypto';

/**
 * A static Lua script; data reaches it only through KEYS and ARGV. The same text is a function of the library that an
 * administrator may load (see `guardLibrary`), so that the application's user needs no EVAL.
 */
export class Script {
  /** Name of its function: what it does and the start of its digest, so that two versions never share a name. */
  readonly functionName: string;
  readonly source: string;
  readonly sha: string;

  constructor(name: string, source: string) {
    this.source = source;
    this.sha = createHash('sha1').update(source).digest('hex');
    this.functionName = `redkeep_${name}_${this.sha.slice(0, 8)}`;
  }
}
