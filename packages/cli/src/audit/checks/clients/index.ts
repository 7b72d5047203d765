import type { Check } from '../check.js';
import { cli001 } from './cli-001-plaintext-connection.js';
import { cli002 } from './cli-002-unverified-server.js';
import { cli003 } from './cli-003-missing-ca.js';
import { cli004 } from './cli-004-outdated-tls.js';
import { cli005 } from './cli-005-default-user.js';
import { cli006 } from './cli-006-credential-in-source.js';
import { cli007 } from './cli-007-unbounded-waits.js';
import { cli008 } from './cli-008-excess-rights.js';
import { cli009 } from './cli-009-traced-values.js';
import { cli010 } from './cli-010-vulnerable-library.js';
import { cli011 } from './cli-011-built-command.js';
import { cli012 } from './cli-012-dangerous-call.js';

export const clients: readonly Check[] = [
  cli001,
  cli002,
  cli003,
  cli004,
  cli005,
  cli006,
  cli007,
  cli008,
  cli009,
  cli010,
  cli011,
  cli012,
];
