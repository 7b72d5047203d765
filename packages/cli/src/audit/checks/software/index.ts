import type { Check } from '../check.js';
import { ver001 } from './ver-001-known-vulnerabilities.js';
import { ver002 } from './ver-002-end-of-life.js';
import { ver003 } from './ver-003-newest-patch.js';
import { ver004 } from './ver-004-library-updates.js';
import { ver005 } from './ver-005-package-origin.js';

export const software: readonly Check[] = [ver001, ver002, ver003, ver004, ver005];
