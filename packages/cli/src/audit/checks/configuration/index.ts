import type { Check } from '../check.js';
import { cfg001 } from './cfg-001-debug-command.js';
import { cfg002 } from './cfg-002-module-command.js';
import { cfg003 } from './cfg-003-protected-configs.js';
import { cfg004 } from './cfg-004-redis-6-administrators.js';
import { cfg005 } from './cfg-005-unknown-modules.js';
import { cfg006 } from './cfg-006-data-file-path.js';
import { cfg007 } from './cfg-007-attack-keys.js';
import { cfg008 } from './cfg-008-unknown-peers.js';
import { cfg009 } from './cfg-009-writable-replica.js';
import { cfg010 } from './cfg-010-replication-user.js';
import { cfg011 } from './cfg-011-memory-limit.js';
import { cfg012 } from './cfg-012-connection-limits.js';
import { cfg013 } from './cfg-013-output-buffers.js';
import { cfg014 } from './cfg-014-request-size.js';
import { cfg015 } from './cfg-015-client-memory.js';
import { cfg016 } from './cfg-016-script-time.js';
import { cfg017 } from './cfg-017-file-drift.js';
import { cfg018 } from './cfg-018-included-files.js';
import { cfg019 } from './cfg-019-keyspace-events.js';
import { cfg020 } from './cfg-020-functions.js';
import { cfg021 } from './cfg-021-password-in-process-list.js';
import { cfg022 } from './cfg-022-node-drift.js';
import { cfg023 } from './cfg-023-sentinel-scripts.js';

export const configuration: readonly Check[] = [
  cfg001,
  cfg002,
  cfg003,
  cfg004,
  cfg005,
  cfg006,
  cfg007,
  cfg008,
  cfg009,
  cfg010,
  cfg011,
  cfg012,
  cfg013,
  cfg014,
  cfg015,
  cfg016,
  cfg017,
  cfg018,
  cfg019,
  cfg020,
  cfg021,
  cfg022,
  cfg023,
];
