import type { Check } from '../check.js';
import { ctr001 } from './ctr-001-privileged.js';
import { ctr002 } from './ctr-002-capabilities.js';
import { ctr003 } from './ctr-003-writable-root.js';
import { ctr004 } from './ctr-004-new-privileges.js';
import { ctr005 } from './ctr-005-limits.js';
import { ctr006 } from './ctr-006-host-namespaces.js';
import { ctr007 } from './ctr-007-published-port.js';
import { ctr008 } from './ctr-008-host-mounts.js';
import { ctr009 } from './ctr-009-system-calls.js';
import { ctr010 } from './ctr-010-image-and-health-check.js';
import { ctr011 } from './ctr-011-root-user.js';

export const container: readonly Check[] = [
  ctr001,
  ctr002,
  ctr003,
  ctr004,
  ctr005,
  ctr006,
  ctr007,
  ctr008,
  ctr009,
  ctr010,
  ctr011,
];
