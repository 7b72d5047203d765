import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { UnitFacts } from '../facts/project-facts.js';

/** Reads a systemd unit's [Service] section. An empty assignment resets a list, as systemd does. */
export function parseUnit(text: string, file: string): UnitFacts {
  const settings: Record<string, string> = {};
  let section = '';
  let line = 1;
  for (const [index, raw] of text.replaceAll('\\\n', '  ').split('\n').entries()) {
    const trimmed = raw.trim();
    if (/^\[.+\]$/.test(trimmed)) {
      section = trimmed;
      if (section === '[Service]') line = index + 1;
      continue;
    }
    const [, name, value] = trimmed.match(/^(\w+)\s*=\s*(.*)$/) ?? [];
    if (section !== '[Service]' || name === undefined || value === undefined) continue;
    const isList = /^(ReadWritePaths|SystemCallFilter|Environment|CapabilityBoundingSet)$/.test(name);
    settings[name] = isList && value !== '' && settings[name] ? `${settings[name]} ${value}` : value;
  }
  return { name: basename(file), at: { file, line }, settings };
}

export async function readUnit(file: string): Promise<UnitFacts> {
  return parseUnit(await readFile(file, 'utf8'), file);
}
