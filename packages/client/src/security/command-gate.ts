/** What a command passes besides the policy, where options ask for it: validator, rate limit, circuit breaker. */
import { type Command, Flag } from '../commands/command.js';
import type { ResolvedOptions } from '../options.js';
import { CircuitBreaker } from './circuit-breaker.js';
import { RateLimit } from './rate-limit.js';

export interface CommandGate {
  run<T>(command: Command, send: () => Promise<T>): Promise<T>;
}

export function commandGate(
  options: Pick<ResolvedOptions, 'rateLimit' | 'circuitBreaker' | 'validateCommand'>,
  onCircuit: (state: CircuitBreaker['state']) => void,
): CommandGate | undefined {
  const { validateCommand } = options;
  const limit = options.rateLimit === undefined ? undefined : new RateLimit(options.rateLimit);
  const breaker =
    options.circuitBreaker === undefined ? undefined : new CircuitBreaker(options.circuitBreaker, onCircuit);
  if (validateCommand === undefined && limit === undefined && breaker === undefined) return undefined;
  return {
    run(command, send) {
      try {
        validateCommand?.({
          name: command.spec.name,
          keys: command.spec.keys(command.args).map((position) => command.args[position]),
          args: command.args,
          readOnly: (command.spec.flags & Flag.WRITE) === 0,
        });
        const sendThrough = breaker === undefined ? send : () => breaker.run(send);
        const wait = limit?.take();
        return wait === undefined ? sendThrough() : wait.then(sendThrough);
      } catch (error) {
        return Promise.reject(error);
      }
    },
  };
}
