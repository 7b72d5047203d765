import type { EngineName } from '../../vocabulary/engines.js';

export interface EngineFacts {
  readonly name: EngineName;
  /** The engine's own version: `valkey_version` on Valkey, never the compatibility `redis_version`. */
  readonly version: string;
  readonly mode: 'standalone' | 'cluster' | 'sentinel';
  readonly role: 'primary' | 'replica' | 'sentinel';
  /** Who built it, as far as can be seen from here. Decides whether a version alone proves a CVE. */
  readonly build: 'distribution' | 'vendor' | 'unclear';
  /** The distribution's package and its version, where the binary belongs to one. */
  readonly package?: { readonly name: string; readonly version: string };
}
