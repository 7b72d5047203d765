import type { SourceIssue } from '../../facts/project-facts.js';
import { alternatives, type Value } from './value.js';

const dangerous = /^(keys|flushall|flushdb|debug|shutdown|monitor|save)$/i;
const scripting = /^(eval|evalsha|eval_?ro|evalsha_?ro|functionload|scriptload)$/i;
const raw = /^(sendcommand|call|customcommand|executeraw|send_command)$/i;

/** Text put together while the program runs. Text from elsewhere (a file) is not known to be. */
export function isBuilt(value: Value): boolean {
  return alternatives(value).some(({ kind }) => kind === 'pieces');
}

/** A call of a method of a client. `split`: the first argument is a text that is cut at its spaces. */
export function judgeCommand(
  name: string,
  args: readonly Value[],
  { isTest, split }: { readonly isTest: boolean; readonly split: boolean },
): { readonly issue: SourceIssue; readonly detail: string }[] {
  const faults: { issue: SourceIssue; detail: string }[] = [];
  const [first, second] = args;
  // ioredis takes the script of a new command in an option.
  const definition = name === 'defineCommand' ? alternatives(second ?? { kind: 'unknown' }) : [];
  const scripts = [
    ...definition.flatMap((one) => (one.kind === 'object' ? [one.fields.get('lua')] : [])),
    ...(scripting.test(name) ? [first] : []),
  ];
  if (scripts.some((one) => one !== undefined && isBuilt(one)))
    faults.push({ issue: 'interpolated-script', detail: `${name} with a script built from values` });
  if (raw.test(name)) {
    const lists = alternatives(first ?? { kind: 'unknown' });
    const words = lists.map((one) => (one.kind === 'array' ? one.elements[0] : one));
    if (split || words.some((one) => one !== undefined && isBuilt(one)))
      faults.push({ issue: 'built-command', detail: `${name} with a command built from text` });
    for (const word of words.flatMap((one) => (one === undefined ? [] : alternatives(one)))) {
      const command = word.kind === 'text' ? word.text.split(' ')[0]!.toLowerCase() : '';
      if (!isTest && dangerous.test(command))
        faults.push({ issue: 'dangerous-call', detail: `${name} ${command.toUpperCase()}` });
    }
  }
  const harmless = (name.toLowerCase() === 'keys' && args.length === 0) || (name === 'save' && args.length > 0);
  if (!isTest && dangerous.test(name) && !harmless) faults.push({ issue: 'dangerous-call', detail: `${name}()` });
  return faults;
}
