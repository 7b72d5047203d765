import type { Engine } from '../../vocabulary/engines.js';
import { knowsDirective } from '../directives.js';
import { quoteDirectiveValue } from '../quote.js';

export interface Directive {
  readonly name: string;
  readonly values: readonly (string | number)[];
}

/** Directives that stand under one reason. */
export interface Section {
  readonly reason: string;
  readonly directives: readonly Directive[];
}

export function section(reason: string, ...directives: [name: string, ...values: (string | number)[]][]): Section {
  return { reason, directives: directives.map(([name, ...values]) => ({ name, values })) };
}

/** The text of a configuration file: only what the engine knows, each section under its reason. */
export function renderSections(sections: readonly Section[], engine: Engine): string {
  const texts = sections.map((each) => renderSection(each, engine));
  return texts.filter((text) => text !== '').join('\n');
}

function renderSection({ reason, directives }: Section, engine: Engine): string {
  const known = directives.filter(({ name }) => knowsDirective(engine, name));
  if (known.length === 0) return '';
  const comment = reason.split('\n').map((line) => `# ${line}`);
  return `${[...comment, ...known.map(renderDirective)].join('\n')}\n`;
}

function renderDirective({ name, values }: Directive): string {
  return [name, ...values.map((value) => (value === '' ? '""' : quoteDirectiveValue(String(value))))].join(' ');
}
