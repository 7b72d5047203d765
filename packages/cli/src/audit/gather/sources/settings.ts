import { alternatives, type Value } from './value.js';

/** Options that hold further options: where one is not known, settings inside may be given that nobody sees. */
const containers =
  /^(tls|socket|defaults|options|connection|redis|redisOptions|credentials|nodeClientOptions|sentinelClientOptions|advancedConfiguration|tlsAdvancedConfiguration|commandOptions|config)$/;

/** The settings of one client by name, whichever object they are in: what is written, and whether that is all. */
export class Settings {
  readonly #named = new Map<string, Value[]>();
  /** Whether there may be settings that are not seen. */
  open = false;

  constructor(values: readonly Value[]) {
    for (const value of values) this.#collect(value, true);
  }

  /** All values that a setting can have. */
  all(name: string): readonly Value[] {
    return this.#named.get(name) ?? [];
  }

  has(name: string): boolean {
    return this.#named.has(name);
  }

  texts(name: string): Extract<Value, { kind: 'text' }>[] {
    return this.all(name).filter((one) => one.kind === 'text');
  }

  /** The setting has this boolean in one of its alternatives. */
  is(name: string, expected: boolean): Extract<Value, { kind: 'boolean' }> | undefined {
    return this.all(name).find((one) => one.kind === 'boolean' && one.value === expected) as
      | Extract<Value, { kind: 'boolean' }>
      | undefined;
  }

  #collect(value: Value, outer: boolean): void {
    for (const one of alternatives(value)) {
      if (one.kind === 'object') {
        this.open ||= one.open;
        for (const [name, field] of one.fields) this.#add(name, field);
      } else if (one.kind === 'array') {
        this.open ||= one.open;
        for (const element of one.elements) this.#collect(element, false);
      } else if (outer && !/^(text|pieces|environment|number|nothing|boolean|client)$/.test(one.kind)) this.open = true;
    }
  }

  #add(name: string, value: Value): void {
    for (const one of alternatives(value)) {
      this.#named.set(name, [...(this.#named.get(name) ?? []), one]);
      if (one.kind === 'object' || one.kind === 'array') this.#collect(one, false);
      else if (containers.test(name) && /^(unknown|export|environment|function)$/.test(one.kind)) this.open = true;
    }
  }
}
