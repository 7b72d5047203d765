import type { Check } from '../check.js';
import { log001 } from './log-001-server-log.js';
import { log002 } from './log-002-log-shipping.js';
import { log003 } from './log-003-log-level.js';
import { log004 } from './log-004-acl-log.js';
import { log005 } from './log-005-failed-logins.js';
import { log006 } from './log-006-denied-commands.js';
import { log007 } from './log-007-change-trail.js';
import { log008 } from './log-008-slow-log.js';
import { log009 } from './log-009-personal-data.js';
import { log010 } from './log-010-monitoring.js';

export const logging: readonly Check[] = [
  log001,
  log002,
  log003,
  log004,
  log005,
  log006,
  log007,
  log008,
  log009,
  log010,
];
