import type { Check } from '../check.js';
import { auth001 } from './auth-001-unauthenticated-access.js';
import { auth002 } from './auth-002-default-user-nopass.js';
import { auth003 } from './auth-003-default-user-missing.js';
import { auth004 } from './auth-004-default-user-enabled.js';
import { auth005 } from './auth-005-common-password.js';
import { auth006 } from './auth-006-short-password.js';
import { auth007 } from './auth-007-clear-passwords.js';
import { auth008 } from './auth-008-shared-password.js';
import { auth009 } from './auth-009-unfinished-rotation.js';
import { auth010 } from './auth-010-password-age.js';
import { auth011 } from './auth-011-shared-user.js';
import { auth012 } from './auth-012-requirepass-with-acl-file.js';
import { auth013 } from './auth-013-acl-file-drift.js';
import { auth014 } from './auth-014-acl-node-drift.js';
import { auth015 } from './auth-015-login-throttling.js';
import { auth016 } from './auth-016-certificate-users.js';
import { auth017 } from './auth-017-connections-before-rotation.js';
import { auth018 } from './auth-018-requirepass-change.js';

export const authentication: readonly Check[] = [
  auth001,
  auth002,
  auth003,
  auth004,
  auth005,
  auth006,
  auth007,
  auth008,
  auth009,
  auth010,
  auth011,
  auth012,
  auth013,
  auth014,
  auth015,
  auth016,
  auth017,
  auth018,
];
