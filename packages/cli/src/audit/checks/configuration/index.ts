import type { Check } from '../check.js';
import { cfg001 } from './cfg-001.js';
import { cfg002 } from './cfg-002.js';
import { cfg003 } from './cfg-003.js';
import { cfg004 } from './cfg-004.js';
import { cfg005 } from './cfg-005.js';
import { cfg006 } from './cfg-006.js';
import { cfg007 } from './cfg-007.js';
import { cfg008 } from './cfg-008.js';
import { cfg009 } from './cfg-009.js';
import { cfg010 } from './cfg-010.js';
import { cfg011 } from './cfg-011.js';
import { cfg012 } from './cfg-012.js';
import { cfg013 } from './cfg-013.js';
import { cfg014 } from './cfg-014.js';
import { cfg015 } from './cfg-015.js';
import { cfg016 } from './cfg-016.js';
import { cfg017 } from './cfg-017.js';
import { cfg018 } from './cfg-018.js';
import { cfg019 } from './cfg-019.js';
import { cfg020 } from './cfg-020.js';
import { cfg021 } from './cfg-021.js';
import { cfg022 } from './cfg-022.js';

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
];
