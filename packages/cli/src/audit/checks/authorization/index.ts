import type { Check } from '../check.js';
import { acl001 } from './acl-001.js';
import { acl004 } from './acl-004.js';
import { acl005 } from './acl-005.js';
import { acl009 } from './acl-009.js';
import { acl010 } from './acl-010.js';

export const authorization: readonly Check[] = [acl001, acl004, acl005, acl009, acl010];
