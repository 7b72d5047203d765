import type { FixStep } from '../checks/fix.js';

/** A change that can be made by a command, and taken back by another. */
export type Change = Extract<FixStep, { readonly kind: 'config' | 'acl' | 'chmod' }>;
