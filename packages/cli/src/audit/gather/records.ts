import { z } from 'zod';
import { type Fact, observed, unobserved } from '../facts/fact.js';
import type { OperationFacts } from '../facts/facts.js';

const instant = z.iso.datetime({ offset: true }).or(z.iso.date());

/** What people and timers did, as far as no server knows it: see docs/audit.md, "Records". */
export const recordsSchema = z.strictObject({
  /** When each user's password was last changed. */
  rotations: z.record(z.string(), instant).optional(),
  /** When each ring of encryption keys was last given a new key. */
  keyRotations: z.record(z.string(), instant).optional(),
  backups: z
    .array(z.strictObject({ takenAt: instant, encrypted: z.boolean(), offHost: z.boolean(), keyBeside: z.boolean() }))
    .optional(),
  /** When a backup was last restored and compared. */
  restoreTest: instant.optional(),
  monitoring: z
    .strictObject({
      seenAt: instant,
      rules: z.boolean(),
      aclLog: z.boolean(),
      changes: z.boolean(),
      throttles: z.boolean(),
    })
    .optional(),
  /** Commands each user was seen to run. */
  commandsUsed: z.record(z.string(), z.array(z.string())).optional(),
  /** Users that nobody was seen to use. */
  dormant: z.array(z.string()).optional(),
});

export type Records = z.infer<typeof recordsSchema>;

/** Records as facts; what they do not speak of was not observed. */
export function operationsOf(records: Records, from: string): OperationFacts {
  const of = <T>(value: T | undefined, missing: string): Fact<T> =>
    value === undefined ? unobserved(`${missing} (--records FILE)`) : observed(value, from);
  return {
    rotations: of(records.rotations, 'no record of password changes was given'),
    keyRotations: of(records.keyRotations, 'no record of changes of encryption keys was given'),
    backups: of(records.backups, 'no record of backups was given'),
    restoreTest: of(records.restoreTest, 'no record of a restore test was given'),
    monitoring: of(records.monitoring, 'no record of a monitor was given'),
    commandsUsed: of(records.commandsUsed, 'no record of the commands in use was given'),
    dormant: of(records.dormant, 'who is dormant shows over days: no record was given'),
  };
}
