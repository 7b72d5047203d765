import type { Check } from '../check.js';
import { tls001 } from './tls-001-tls-offered.js';
import { tls002 } from './tls-002-protocol-versions.js';
import { tls003 } from './tls-003-cipher-suites.js';
import { tls004 } from './tls-004-key-exchange-groups.js';
import { tls005 } from './tls-005-renegotiation.js';
import { tls006 } from './tls-006-key-size.js';
import { tls007 } from './tls-007-signature-hash.js';
import { tls008 } from './tls-008-chain.js';
import { tls009 } from './tls-009-names.js';
import { tls010 } from './tls-010-certificate-expiry.js';
import { tls011 } from './tls-011-ca-expiry.js';
import { tls012 } from './tls-012-lifetime.js';
import { tls013 } from './tls-013-served-certificate.js';
import { tls014 } from './tls-014-key-usage.js';
import { tls015 } from './tls-015-private-key-mode.js';
import { tls016 } from './tls-016-shared-key.js';
import { tls017 } from './tls-017-client-certificates.js';
import { tls018 } from './tls-018-replication-encryption.js';
import { tls019 } from './tls-019-dragonfly-replication.js';
import { tls020 } from './tls-020-revocation.js';
import { tls021 } from './tls-021-fips.js';
import { tls022 } from './tls-022-certificate-reload.js';

export const transport: readonly Check[] = [
  tls001,
  tls002,
  tls003,
  tls004,
  tls005,
  tls006,
  tls007,
  tls008,
  tls009,
  tls010,
  tls011,
  tls012,
  tls013,
  tls014,
  tls015,
  tls016,
  tls017,
  tls018,
  tls019,
  tls020,
  tls021,
  tls022,
];
