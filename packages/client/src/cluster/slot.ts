/** Key -> slot: CRC-16/XMODEM of the hash tag, modulo 16384. Redis cluster specification, "Key distribution model". */
export const SLOTS = 16_384;

const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  return crc & 0xffff;
});

const OPEN = 0x7b; // {
const CLOSE = 0x7d; // }

/**
 * The slot of a key. When the key has `{…}` with something in it, only the first such part counts, so that keys can
 * be kept together: `user:{42}:name` and `user:{42}:mail` have the same slot.
 */
export function slotOf(key: unknown): number {
  if (typeof key === 'string') {
    let crc = 0;
    for (let i = 0; i < key.length; i++) {
      const code = key.charCodeAt(i);
      if (code > 127 || code === OPEN) return slotOfBytes(Buffer.from(key));
      crc = ((crc << 8) & 0xffff) ^ TABLE[(crc >> 8) ^ code]!;
    }
    return crc & (SLOTS - 1);
  }
  return slotOfBytes(key instanceof Uint8Array ? key : Buffer.from(String(key)));
}

function slotOfBytes(bytes: Uint8Array): number {
  let from = 0;
  let to = bytes.length;
  const open = bytes.indexOf(OPEN);
  if (open !== -1) {
    const close = bytes.indexOf(CLOSE, open + 1);
    if (close > open + 1) {
      from = open + 1;
      to = close;
    }
  }
  let crc = 0;
  for (let i = from; i < to; i++) crc = ((crc << 8) & 0xffff) ^ TABLE[(crc >> 8) ^ bytes[i]!]!;
  return crc & (SLOTS - 1);
}
