import { InvalidArgumentError } from './errors.js';

/**
 * Returns `value` if it is a string.
 * @throws InvalidArgumentError
 */
export function argumentText(caller: string, position: number, value: unknown): string {
  if (typeof value !== 'string') throw new InvalidArgumentError(caller, position, 'must be a string');
  return value;
}
