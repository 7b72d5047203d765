import { encryptVectors, refusedVectors } from './gcm-vectors.js';

const hex = (text: string) => Buffer.from(text, 'hex');

/** A published known answer of one of the two ciphers. */
export interface Vector {
  readonly name: string;
  readonly algorithm: 'aes-256-gcm' | 'chacha20-poly1305';
  readonly key: Buffer;
  readonly nonce: Buffer;
  readonly aad: Buffer;
  readonly plaintext: Buffer;
  readonly ciphertext: string;
  readonly tag: string;
}

const gcmSpecKey = 'feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308';

function cavp(table: string): Vector[] {
  return table
    .trim()
    .split('\n')
    .map((line) => {
      const [key, nonce, aad, plaintext, ciphertext, tag] = line.split(' ').map((field) => field.replace('-', ''));
      return {
        name: `NIST CAVP, plaintext ${ciphertext!.length * 4} bits, AAD ${aad!.length * 4} bits`,
        algorithm: 'aes-256-gcm',
        key: hex(key!),
        nonce: hex(nonce!),
        aad: hex(aad!),
        plaintext: hex(plaintext!),
        ciphertext: ciphertext!,
        tag: tag!,
      };
    });
}

/** What must not open. */
export const refusals: readonly Vector[] = cavp(refusedVectors);

export const vectors: readonly Vector[] = [
  ...cavp(encryptVectors),
  {
    name: 'GCM specification, test case 15',
    algorithm: 'aes-256-gcm',
    key: hex(gcmSpecKey),
    nonce: hex('cafebabefacedbaddecaf888'),
    aad: hex(''),
    plaintext: hex(
      'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255',
    ),
    ciphertext:
      '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad',
    tag: 'b094dac5d93471bdec1a502270e3cc6c',
  },
  {
    name: 'GCM specification, test case 16',
    algorithm: 'aes-256-gcm',
    key: hex(gcmSpecKey),
    nonce: hex('cafebabefacedbaddecaf888'),
    aad: hex('feedfacedeadbeeffeedfacedeadbeefabaddad2'),
    plaintext: hex(
      'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39',
    ),
    ciphertext:
      '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662',
    tag: '76fc6ece0f4e1768cddf8853bb2d551b',
  },
  {
    name: 'RFC 8439 section 2.8.2',
    algorithm: 'chacha20-poly1305',
    key: hex('808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f'),
    nonce: hex('070000004041424344454647'),
    aad: hex('50515253c0c1c2c3c4c5c6c7'),
    plaintext: Buffer.from(
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
    ),
    ciphertext:
      'd31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b6116',
    tag: '1ae10b594f09e26a7e902ecbd0600691',
  },
];
