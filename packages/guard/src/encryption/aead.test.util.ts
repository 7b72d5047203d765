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

export const vectors: readonly Vector[] = [
  {
    name: 'NIST CAVP gcmEncryptExtIV256, PTlen 0, AADlen 0',
    algorithm: 'aes-256-gcm',
    key: hex('b52c505a37d78eda5dd34f20c22540ea1b58963cf8e5bf8ffa85f9f2492505b4'),
    nonce: hex('516c33929df5a3284ff463d7'),
    aad: hex(''),
    plaintext: hex(''),
    ciphertext: '',
    tag: 'bdc1ac884d332457a1d2664f168c76f0',
  },
  {
    name: 'NIST CAVP gcmEncryptExtIV256, PTlen 0, AADlen 160',
    algorithm: 'aes-256-gcm',
    key: hex('886cff5f3e6b8d0e1ad0a38fcdb26de97e8acbe79f6bed66959a598fa5047d65'),
    nonce: hex('3a8efa1cd74bbab5448f9945'),
    aad: hex('519fee519d25c7a304d6c6aa1897ee1eb8c59655'),
    plaintext: hex(''),
    ciphertext: '',
    tag: 'f6d47505ec96c98a42dc3ae719877b87',
  },
  {
    name: 'NIST CAVP gcmEncryptExtIV256, PTlen 128, AADlen 0',
    algorithm: 'aes-256-gcm',
    key: hex('31bdadd96698c204aa9ce1448ea94ae1fb4a9a0b3c9d773b51bb1822666b8f22'),
    nonce: hex('0d18e06c7c725ac9e362e1ce'),
    aad: hex(''),
    plaintext: hex('2db5168e932556f8089a0622981d017d'),
    ciphertext: 'fa4362189661d163fcd6a56d8bf0405a',
    tag: 'd636ac1bbedd5cc3ee727dc2ab4a9489',
  },
  {
    name: 'NIST CAVP gcmEncryptExtIV256, PTlen 128, AADlen 128',
    algorithm: 'aes-256-gcm',
    key: hex('92e11dcdaa866f5ce790fd24501f92509aacf4cb8b1339d50c9c1240935dd08b'),
    nonce: hex('ac93a1a6145299bde902f21a'),
    aad: hex('1e0889016f67601c8ebea4943bc23ad6'),
    plaintext: hex('2d71bcfa914e4ac045b2aa60955fad24'),
    ciphertext: '8995ae2e6df3dbf96fac7b7137bae67f',
    tag: 'eca5aa77d51d4a0a14d9c51e1da474ab',
  },
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
