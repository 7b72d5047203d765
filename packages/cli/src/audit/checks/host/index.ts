import type { Check } from '../check.js';
import { host001 } from './host-001-root-process.js';
import { host002 } from './host-002-sandbox.js';
import { host003 } from './host-003-configuration-mode.js';
import { host004 } from './host-004-acl-file-mode.js';
import { host005 } from './host-005-data-mode.js';
import { host006 } from './host-006-disk-encryption.js';
import { host007 } from './host-007-swap-and-dumps.js';
import { host008 } from './host-008-kernel-settings.js';
import { host009 } from './host-009-clock.js';
import { host010 } from './host-010-environment-secrets.js';
import { host011 } from './host-011-secret-in-files.js';
import { host012 } from './host-012-root-unit.js';
import { host013 } from './host-013-readable-secrets.js';
import { host014 } from './host-014-replaceable-files.js';

export const host: readonly Check[] = [
  host001,
  host002,
  host003,
  host004,
  host005,
  host006,
  host007,
  host008,
  host009,
  host010,
  host011,
  host012,
  host013,
  host014,
];
