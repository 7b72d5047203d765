import type { Check } from '../check.js';
import { net001 } from './net-001-internet-exposure.js';
import { net002 } from './net-002-every-interface.js';
import { net003 } from './net-003-protected-mode.js';
import { net004 } from './net-004-dragonfly-open.js';
import { net005 } from './net-005-plaintext-port.js';
import { net006 } from './net-006-plaintext-clients.js';
import { net007 } from './net-007-unix-socket-mode.js';
import { net008 } from './net-008-cluster-bus.js';
import { net009 } from './net-009-sentinel-access.js';
import { net010 } from './net-010-http-console.js';
import { net011 } from './net-011-admin-port.js';
import { net012 } from './net-012-memcached-listener.js';
import { net013 } from './net-013-cross-protocol.js';
import { net014 } from './net-014-web-interface.js';
import { net015 } from './net-015-packet-filter.js';
import { net016 } from './net-016-default-port.js';
import { net017 } from './net-017-outside-access.js';
import { net018 } from './net-018-network-policy.js';

export const network: readonly Check[] = [
  net001,
  net002,
  net003,
  net004,
  net005,
  net006,
  net007,
  net008,
  net009,
  net010,
  net011,
  net012,
  net013,
  net014,
  net015,
  net016,
  net017,
  net018,
];
