import type { Check } from '../check.js';
import { acl001 } from './acl-001-dangerous-commands.js';
import { acl002 } from './acl-002-broad-categories.js';
import { acl003 } from './acl-003-late-grant.js';
import { acl004 } from './acl-004-scripting.js';
import { acl005 } from './acl-005-restore-migrate.js';
import { acl006 } from './acl-006-every-key.js';
import { acl007 } from './acl-007-every-channel.js';
import { acl008 } from './acl-008-replication-copy.js';
import { acl009 } from './acl-009-configuration-access.js';
import { acl010 } from './acl-010-user-management.js';
import { acl011 } from './acl-011-topology-change.js';
import { acl012 } from './acl-012-administrator-count.js';
import { acl013 } from './acl-013-dormant-users.js';
import { acl014 } from './acl-014-disabled-users-rights.js';
import { acl015 } from './acl-015-technical-user-keys.js';
import { acl016 } from './acl-016-rename-command.js';
import { acl017 } from './acl-017-restricted-commands.js';
import { acl018 } from './acl-018-database-rules.js';
import { acl019 } from './acl-019-sanitize-payload.js';

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
