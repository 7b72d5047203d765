import { basename } from 'node:path';
import type { Location, UnitFacts } from '../facts/project-facts.js';

/** A unit file or one of its drop-ins. */
export interface UnitPart {
  readonly file: string;
  readonly text: string;
}

const listed =
  /^(ReadWritePaths|SystemCallFilter|Environment|EnvironmentFile|CapabilityBoundingSet|AmbientCapabilities|ExecStart|ExecStartPre|LoadCredential|PublishPort|Volume|Exec|AddCapability|DropCapability|Secret)$/;

/** Rows with those that they continue; a comment between them is left out. */
function* rowsOf(text: string): Generator<{ row: string; line: number }> {
  const rows = text.split('\n');
  for (let index = 0; index < rows.length; index++) {
    const line = index + 1;
    let row = rows[index]!;
    while (row.endsWith('\\') && index + 1 < rows.length) {
      const next = rows[++index]!;
      row = `${row.slice(0, -1)} ${/^\s*[#;]/.test(next) ? '\\' : next}`;
    }
    if (!/^\s*([#;]|$)/.test(row)) yield { row: row.trim(), line };
  }
}

/**
 * Reads a section of a unit and its drop-ins, in their order: a later value replaces an earlier one, lists are joined
 * with a newline, and an empty assignment resets a list, as systemd does.
 */
export function parseUnitParts(parts: readonly UnitPart[], section = '[Service]'): UnitFacts {
  const settings: Record<string, string> = {};
  const places: Record<string, Location> = {};
  const [main] = parts;
  let line = 1;
  for (const { text, file } of parts) {
    let within = '';
    for (const one of rowsOf(text)) {
      if (/^\[.+\]$/.test(one.row)) {
        within = one.row;
        if (within === section && file === main?.file) line = one.line;
        continue;
      }
      const [, name, value] = /^(\w+)\s*=\s*(.*)$/.exec(one.row) ?? [];
      if (within !== section || name === undefined || value === undefined) continue;
      const isAdded = listed.test(name) && value !== '' && settings[name];
      settings[name] = isAdded ? `${settings[name]}\n${value}` : value;
      places[name] = { file, line: one.line };
    }
  }
  return { name: basename(main?.file ?? ''), at: { file: main?.file ?? '', line }, settings, places };
}

export function parseUnit(text: string, file: string, section?: string): UnitFacts {
  return parseUnitParts([{ text, file }], section);
}
