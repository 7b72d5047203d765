import type { Check } from '../check.js';
import { acl001 } from './acl-001.js';
import { acl002 } from './acl-002.js';
import { acl003 } from './acl-003.js';
import { acl004 } from './acl-004.js';
import { acl005 } from './acl-005.js';
import { acl006 } from './acl-006.js';
import { acl007 } from './acl-007.js';
import { acl008 } from './acl-008.js';
import { acl009 } from './acl-009.js';
import { acl010 } from './acl-010.js';
import { acl011 } from './acl-011.js';
import { acl012 } from './acl-012.js';
import { acl013 } from './acl-013.js';
import { acl014 } from './acl-014.js';
import { acl015 } from './acl-015.js';
import { acl016 } from './acl-016.js';
import { acl017 } from './acl-017.js';
import { acl018 } from './acl-018.js';
import { acl019 } from './acl-019.js';

export const authorization: readonly Check[] = [
  acl001,
  acl002,
  acl003,
  acl004,
  acl005,
  acl006,
  acl007,
  acl008,
  acl009,
  acl010,
  acl011,
  acl012,
  acl013,
  acl014,
  acl015,
  acl016,
  acl017,
  acl018,
  acl019,
];
