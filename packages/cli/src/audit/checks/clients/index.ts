import type { Check } from '../check.js';
import { cli001 } from './cli-001.js';
import { cli002 } from './cli-002.js';
import { cli003 } from './cli-003.js';
import { cli004 } from './cli-004.js';
import { cli005 } from './cli-005.js';
import { cli006 } from './cli-006.js';
import { cli007 } from './cli-007.js';
import { cli008 } from './cli-008.js';
import { cli009 } from './cli-009.js';
import { cli010 } from './cli-010.js';
import { cli011 } from './cli-011.js';
import { cli012 } from './cli-012.js';

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
