import type { Fault } from '../hardened.js';
import { accessFaults } from './access.js';
import { settingsFaults } from './settings.js';
import { stateFaults } from './state.js';
import { transportFaults } from './transport.js';

/** Faults of a running server and of its files: applied one at a time, each must cause exactly its findings. */
export const serverFaults: readonly Fault[] = [...accessFaults, ...transportFaults, ...settingsFaults, ...stateFaults];
