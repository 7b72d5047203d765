/** Transactions that also know a client's modules, functions and scripts. */
import type { TransactionTarget } from '../dispatcher.js';
import type { CommandOptions } from '../options/command-options.js';
import { bindCustomCommands, type CustomCommandOptions, hasCustomCommands } from '../scripting/custom-commands.js';
import { Transaction } from './transaction.js';

type TransactionClass = new (target: TransactionTarget, options: CommandOptions | undefined) => Transaction;

/** By the options that a client was created with: one class for all transactions of that client. */
const classes = new WeakMap<CustomCommandOptions, TransactionClass>();

export function transactionFor(options: CustomCommandOptions): TransactionClass {
  if (!hasCustomCommands(options)) return Transaction;
  let known = classes.get(options);
  if (known === undefined) {
    class CustomTransaction extends Transaction {}
    bindCustomCommands(CustomTransaction.prototype, options, (self, command, script) =>
      Transaction.addFor(self, command, script),
    );
    known = CustomTransaction;
    classes.set(options, known);
  }
  return known;
}
