import { bech32 } from '@scure/base';
import { entropyToMnemonic, mnemonicToEntropy } from '@scure/bip39';
import { wordlist } from '@scure/bip39/wordlists/english.js';
import { CliError } from '../../errors.js';

const prefix = 'AGE-SECRET-KEY-';

/** An age identity as 24 words (BIP 39, English), which carry a checksum and can be read out. */
export function wordsOf(identity: string): readonly string[] {
  try {
    const { bytes } = bech32.decodeToBytes(identity);
    return entropyToMnemonic(bytes, wordlist).split(' ');
  } catch (error) {
    throw new CliError(
      'REDKEEP_BACKUP_KEY_WRONG',
      'Only an X25519 identity (AGE-SECRET-KEY-1…) can be written as words.',
      'Make one with "redkeep backup key new".',
      { cause: error },
    );
  }
}

/** The identity that 24 words stand for; an error where a word is unknown or the checksum does not fit. */
export function identityOfWords(words: string): string {
  try {
    const bytes = mnemonicToEntropy(words.trim().toLowerCase().split(/\s+/).join(' '), wordlist);
    if (bytes.length !== 32) throw new Error('not 24 words');
    return bech32.encodeFromBytes(prefix, bytes).toUpperCase();
  } catch (error) {
    throw new CliError(
      'REDKEEP_BACKUP_KEY_WRONG',
      'These are not the 24 words of a recovery kit: a word is unknown, missing, or in the wrong place.',
      'Compare them with the paper; the first four letters of each word are enough to tell it.',
      { cause: error },
    );
  }
}
