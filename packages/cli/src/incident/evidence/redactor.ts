import { createHmac, randomBytes } from 'node:crypto';
import { secretForms } from '../../audit/evidence/bundle.js';

/** Shorter texts would be found everywhere; a password that short is not worth hiding. */
const shortestSecret = 4;

/**
 * Takes secrets out of what is collected. The same text has the same stand-in within one bundle, so that two places can
 * be compared; the key of the stand-ins is never kept, so that nobody can try passwords against them.
 */
export class Redactor {
  readonly #key = randomBytes(32);
  /** Every form of every secret, the longest first. */
  #forms: readonly string[] = [];
  readonly #secrets = new Set<string>();

  /** Hides this text from now on, in each of its forms. */
  learn(...secrets: readonly (string | undefined)[]): void {
    for (const secret of secrets)
      if (secret !== undefined && secret.length >= shortestSecret) this.#secrets.add(secret);
    const forms = [...this.#secrets].flatMap(secretForms).filter((form) => form.length >= shortestSecret);
    this.#forms = [...new Set(forms)].sort((a, b) => b.length - a.length);
  }

  /** A stand-in: equal for equal texts of this bundle. */
  standIn(text: string): string {
    return `<hidden:${createHmac('sha256', this.#key).update(text).digest('hex').slice(0, 12)}>`;
  }

  /** A text without the secrets that were learned and without hashes of passwords. */
  clean(text: string): string {
    let cleaned = text;
    for (const form of this.#forms) if (cleaned.includes(form)) cleaned = cleaned.replaceAll(form, this.standIn(form));
    return this.#withoutUrlPasswords(cleaned);
  }

  /** An ACL line: each password or hash of one is a stand-in. A clear password has the stand-in of its hash's form. */
  aclLine(line: string): string {
    return line.replace(/(^|\s)([#!><])(\S+)/g, (_, space: string, sign: string, secret: string) => {
      this.learn(secret);
      return `${space}${sign}${this.standIn(secret)}`;
    });
  }

  /** Whether a secret that was learned is in a text, in any form. */
  leaks(text: string): boolean {
    return this.#forms.some((form) => text.includes(form));
  }

  #withoutUrlPasswords(text: string): string {
    return text.replace(/\b([a-z][a-z0-9+.-]*:\/\/[^\s:/@]*):([^\s@/]+)@/gi, (_, start: string, password: string) => {
      return `${start}:${this.standIn(password)}@`;
    });
  }
}
