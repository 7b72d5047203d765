import { lstat, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { GuardedFile } from '../../facts/exposure-facts.js';

interface Owned {
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
}

const sticky = 0o1000;

/** Looks at folders once, however many files are in them. */
export class Reach {
  readonly #folders = new Map<string, Promise<Owned>>();
  readonly #trusted: ReadonlySet<number>;

  /** `trusted`: accounts whose files these may be. Accounts of services (below 1000) are not people and count as such. */
  constructor(trusted: Iterable<number>) {
    this.#trusted = new Set([0, ...trusted]);
  }

  /**
   * What any other user of the machine (neither the owner nor in the group) can do with a file, by the permission bits
   * of the file and of every folder above it. A link counts as what it leads to, and an account that can replace the link can
   * replace that.
   */
  async of(path: string): Promise<Pick<GuardedFile, 'mode' | 'uid' | 'readable' | 'writable' | 'foreign'>> {
    const link = await lstat(path);
    const target = await realpath(path);
    const { mode, uid } = await stat(target);
    const file = { path: target, mode: mode & 0o7777, uid };
    const folders = await this.#above(target);
    const chains = link.isSymbolicLink()
      ? [folders, await this.#above(path)].map((chain, index) => [
          ...chain,
          index === 0 ? file : { path, mode: 0o777, uid: link.uid },
        ])
      : [[...folders, file]];
    const reached = folders.every((folder) => (folder.mode & 0o001) !== 0);
    const writable =
      reached && (file.mode & 0o002) !== 0 ? { path: target, mode: file.mode } : chains.map(replaceable).find(Boolean);
    const foreign = chains.map((chain) => this.#foreignOwner(chain)).find(Boolean);
    return {
      mode: file.mode,
      uid,
      readable: reached && (file.mode & 0o004) !== 0,
      ...(writable && { writable }),
      ...(foreign && { foreign: { path: foreign.path, uid: foreign.uid } }),
    };
  }

  /** An account that owns the file, or a folder above it, and can get there: owners can change modes as they like. */
  #foreignOwner(chain: readonly Owned[]): Owned | undefined {
    return chain.find(
      ({ uid }, index) =>
        uid >= 1000 &&
        !this.#trusted.has(uid) &&
        chain.slice(0, index).every((above) => above.uid === uid || (above.mode & 0o001) !== 0),
    );
  }

  async #above(path: string): Promise<Owned[]> {
    const folders: Promise<Owned>[] = [];
    for (let folder = dirname(path); ; folder = dirname(folder)) {
      folders.unshift(this.#folder(folder));
      if (folder === dirname(folder)) return Promise.all(folders);
    }
  }

  #folder(path: string): Promise<Owned> {
    const known = this.#folders.get(path);
    if (known !== undefined) return known;
    const looked = stat(path).then(({ mode, uid }) => ({ path, mode: mode & 0o7777, uid }));
    this.#folders.set(path, looked);
    return looked;
  }
}

/** The first folder of a chain in which anybody can put something else in the place of what follows. */
function replaceable(chain: readonly Owned[]): { readonly path: string; readonly mode: number } | undefined {
  for (const [index, { path, mode }] of chain.slice(0, -1).entries()) {
    if ((mode & 0o001) === 0) return undefined;
    // In a sticky folder only the owners of the entry and of the folder can rename it.
    if ((mode & 0o002) !== 0 && (mode & sticky) === 0 && index < chain.length - 1) return { path, mode };
  }
  return undefined;
}
