/**
 * Writes a value as one argument of redis.conf, sentinel.conf or an ACL file, whatever it contains. The servers read
 * double-quoted arguments with the escapes of C (`sdssplitargs`); bytes outside printable ASCII are written as `\xHH`.
 */
export function quoteDirectiveValue(value: string): string {
  if (/^[A-Za-z0-9_./:*@%+~&#,=^-]+$/.test(value) && !value.startsWith('#')) return value;
  let quoted = '';
  for (const byte of Buffer.from(value, 'utf8')) {
    if (byte === 0x22 || byte === 0x5c) quoted += `\\${String.fromCharCode(byte)}`;
    else if (byte >= 0x20 && byte < 0x7f) quoted += String.fromCharCode(byte);
    else quoted += `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return `"${quoted}"`;
}

/** Text that may stand in a comment of one line. */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ');
}
