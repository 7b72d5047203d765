import { fail, type NodeRule, pass } from './check.js';
import { advise, run } from './fix.js';
import { setting } from './read.js';

/** A rule about a setting that the server reads at its start only, and that is to be `no`. */
export const staysOff =
  (name: string, isGood: (value: string) => boolean = (value) => value === 'no'): NodeRule =>
  (node) => {
    const value = setting(node, name);
    const write = (now: string) => `sed -i 's/^${name} .*/${name} ${now}/' redis.conf`;
    return isGood(value)
      ? pass(value)
      : fail(
          `${name} ${value}`,
          run(write('no'), write(value)),
          advise('and restart: it cannot be changed at run time'),
        );
  };
