import { redisKeyStore } from '../../encryption/key-store.js';
import { PersonKeys } from '../../encryption/person-keys.js';
import { keysFromValue } from '../../encryption/providers/local.js';
import { localWrapper } from '../../encryption/providers/wrappers.js';
import type { DirectClient } from '../../redis/redis.js';
import { keyA, keyB, testEncryption } from '../support.js';
import { pairsOf, type Scenario, triplesOf } from './explore.js';

const encryption = testEncryption();
// Every process can read what the new key wraps before anything is wrapped with it.
const wrapper = localWrapper(keysFromValue([keyA, keyB]), 'test');
const rewrapper = localWrapper(keysFromValue([keyB, keyA]), 'test');
const PLACE = { space: 'notes', key: 'notes:1' };

type Operation = (persons: PersonKeys, sealed: Buffer) => Promise<unknown>;
const OPERATIONS: Readonly<Record<string, Operation>> = {
  seal: async (persons) => persons.sealer('ana').seal('x', PLACE),
  open: async (persons, sealed) => persons.sealer('ana').open(sealed, PLACE),
  erase: (persons) => persons.erase('ana'),
  rewrap: (persons) => persons.rewrapAll(),
  'new person': async (persons) => persons.sealer('eva').seal('x', PLACE),
};

/** One person's key: used, erased and wrapped anew at the same time, by processes that know nothing of each other. */
export function personScenarios(triples: boolean): Scenario[] {
  const names = Object.keys(OPERATIONS);
  const meetings: (readonly string[])[] = pairsOf(names);
  return [...meetings, ...(triples ? triplesOf(['seal', 'erase', 'rewrap']) : [])].map((meeting) => ({
    name: `persons: ${meeting.join(' + ')}`,
    async prepare(client) {
      const open = (on: DirectClient, rewraps = false) =>
        new PersonKeys({
          encryption,
          wrapper: rewraps ? rewrapper : wrapper,
          store: redisKeyStore(on),
          data: on,
          dangerouslyKeepKeysWithData: true,
          pseudonymKey: keyB,
          cacheMs: 0,
          confirmMs: 0,
        });
      const sealed = (await open(client).sealer('ana').seal('before', PLACE)) as Buffer;
      const run = (name: string) => (on: DirectClient) => OPERATIONS[name]!(open(on, name === 'rewrap'), sealed);
      return {
        operations: Object.fromEntries(meeting.map((name, at) => [`${at + 1}:${name}`, run(name)])),
        async check(outcomes) {
          const after = open(client, true);
          const readable = async (value: Buffer, person: string) => {
            try {
              return String(await after.sealer(person).open(value, PLACE));
            } catch (error) {
              return (error as { code?: string }).code ?? String(error);
            }
          };
          const erased = Object.entries(outcomes).some(([name, { status }]) => /erase/.test(name) && status === 'done');
          const old = await readable(sealed, 'ana');
          if (erased && old !== 'REDKEEP_PERSON_ERASED') return `erased, and the data is ${old}`;
          if (!meeting.includes('erase') && old !== 'before') return `not erased, and the data is ${old}`;
          for (const [name, outcome] of Object.entries(outcomes)) {
            if (outcome.status === 'failed') {
              const { code } = outcome.error as { code?: string };
              if (code !== 'REDKEEP_PERSON_ERASED') return `${name} failed: ${outcome.error}`;
              continue;
            }
            if (outcome.status !== 'done' || !/seal|new/.test(name)) continue;
            const person = /new/.test(name) ? 'eva' : 'ana';
            const written = await readable(outcome.value as Buffer, person);
            const expected = person === 'ana' && erased ? /ERASED/ : /^x$/;
            const mayBeErased = person === 'ana' && meeting.includes('erase') && /ERASED/.test(written);
            if (!expected.test(written) && !mayBeErased) return `${name} was acknowledged, and is ${written}`;
          }
          return undefined;
        },
      };
    },
  }));
}
