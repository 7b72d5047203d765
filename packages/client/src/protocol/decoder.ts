/**
 * Bytes to values (RESP2 and RESP3). Knows no socket: it is fed chunks and calls a sink.
 *
 * Values are made straight from the chunk, so a chunk may be reused as soon as `write` returns. State between chunks:
 *
 *     carry     bytes of a line that was cut (`$12`), at most `maxLineBytes`
 *     bulk      a bulk string being filled, its memory taken once from the announced length
 *     stack     open aggregates, outermost first; each knows how many elements are still to come
 *
 * Anything unexpected throws a ProtocolError; the decoder is then unusable and its connection must be closed, since
 * requests and replies can no longer be matched.
 */
import { BlobError, type ErrorReply, ProtocolError, SimpleError } from '../errors.js';
import { decodeText, forgetChunk } from './chunk-text.js';
import type { ReplyLimits } from './limits.js';
import { LongText } from './long-text.js';
import { latin1, utf8 } from './text.js';
import { RESP_TYPES, type TypeMapping, VerbatimString } from './types.js';

export interface ReplySink {
  /** The type mapping of the reply that starts now. */
  mapping(): TypeMapping | undefined;
  /** The type mapping of a push that starts now. */
  pushMapping(): TypeMapping | undefined;
  /** A complete reply. */
  reply(value: unknown): void;
  /** A complete RESP3 push. */
  push(value: unknown[]): void;
}

const CR = 13;
const LF = 10;
const MINUS = 45;
/** What follows the minus of the only negative length. */
const MINUS_ONE = [49, CR, LF];

type Container = 'array' | 'set' | 'push' | 'map' | 'object' | 'pairs' | 'attribute';
interface Frame {
  container: Container;
  /** Elements still to come; a map entry counts two. */
  remaining: number;
  items: unknown[] | Set<unknown> | Map<unknown, unknown> | Record<string, unknown>;
  key: unknown;
  hasKey: boolean;
}

interface Bulk {
  kind: 'blob' | 'verbatim' | 'error';
  /** Payload and its CRLF. */
  bytes: Buffer;
  filled: number;
}

/** In front of one reply; the specification knows of one. A cut one counts with each chunk that it takes. */
const MAX_ATTRIBUTES = 1024;
/** Bytes from which a value that is wanted as text is decoded while it arrives. */
const LONG_TEXT = 1024 * 1024;
const NONE = Symbol('none');
/** Map keys are text whatever the mapping says, as in every client: objects have no other keys. */
const KEY_MAPPING: TypeMapping = {};

export class Decoder {
  readonly #sink: ReplySink;
  readonly #limits: ReplyLimits;
  readonly #stack: Frame[] = [];
  #carry: Buffer | undefined;
  #bulk: Bulk | LongText | undefined;
  #outstanding = 0;
  #replyBytes = 0;
  /** In front of the reply to come. */
  #attributes = 0;
  /** A top-level reply has begun and `#mapping` is its own. */
  #inReply = false;
  #mapping: TypeMapping | undefined;
  /** Where the token being read begins; what lies before it has been consumed. */
  #pos = 0;

  constructor(sink: ReplySink, limits: ReplyLimits) {
    this.#sink = sink;
    this.#limits = limits;
  }

  /** Between replies, with nothing kept. */
  get idle(): boolean {
    return this.#stack.length === 0 && this.#carry === undefined && this.#bulk === undefined;
  }

  /** Feeds `chunk[0..end)`. The memory may be reused afterwards. */
  write(chunk: Buffer, end: number = chunk.length): void {
    this.#pos = 0;
    if (this.#inReply) {
      this.#replyBytes += end;
      if (this.#replyBytes > this.#limits.maxReplyBytes) this.#limit('maxReplyBytes', this.#limits.maxReplyBytes);
    }
    if (this.#bulk !== undefined && !this.#fill(chunk, end)) return;
    if (this.#carry !== undefined && !this.#completeLine(chunk, end)) return;
    if (this.#bulk !== undefined && !this.#fill(chunk, end)) return;
    this.#parse(chunk, end);
  }

  /** The cut line's rest; false when the chunk ends first. */
  #completeLine(chunk: Buffer, end: number): boolean {
    const carry = this.#carry!;
    let lf = this.#pos;
    while (lf < end && chunk[lf] !== LF) lf++;
    const complete = lf < end;
    const take = complete ? lf + 1 : end;
    if (carry.length + take - this.#pos > this.#limits.maxLineBytes)
      this.#limit('maxLineBytes', this.#limits.maxLineBytes);
    const line = Buffer.concat([carry, chunk.subarray(this.#pos, take)]);
    this.#carry = undefined;
    this.#pos = 0;
    // Also when the line is not complete: what is wrong already is refused now, not when its end comes.
    this.#parse(line, line.length);
    if (this.#carry !== undefined) {
      if (complete) throw new ProtocolError('A line is not ended by CRLF');
      return false;
    }
    this.#pos = take;
    return true;
  }

  /** Fills the open bulk string; false when the chunk ends first. */
  #fill(chunk: Buffer, end: number): boolean {
    const bulk = this.#bulk!;
    if (bulk instanceof LongText) {
      this.#pos = bulk.fill(chunk, this.#pos, end);
      if (!bulk.complete) return false;
      this.#bulk = undefined;
      forgetChunk();
      this.#emit(bulk.text);
      return true;
    }
    const take = Math.min(bulk.bytes.length - bulk.filled, end - this.#pos);
    chunk.copy(bulk.bytes, bulk.filled, this.#pos, this.#pos + take);
    bulk.filled += take;
    this.#pos += take;
    if (bulk.filled < bulk.bytes.length) return false;
    this.#bulk = undefined;
    forgetChunk();
    const length = bulk.bytes.length - 2;
    if (bulk.bytes[length] !== CR || bulk.bytes[length + 1] !== LF) {
      throw new ProtocolError('A bulk string is not ended by CRLF');
    }
    this.#emit(this.#bulkValue(bulk.kind, bulk.bytes, 0, length, length, true));
    return true;
  }

  #parse(buf: Buffer, end: number): void {
    forgetChunk();
    while (this.#pos < end) {
      const start = this.#pos;
      const type = buf[start]!;
      if (!this.#inReply) {
        this.#inReply = true;
        this.#replyBytes = end - start;
        this.#mapping = type === RESP_TYPES.PUSH ? this.#sink.pushMapping() : this.#sink.mapping();
      }
      let value: unknown;
      switch (type) {
        case RESP_TYPES.BLOB_STRING:
          value = this.#readBulk(buf, end, 'blob');
          break;
        case RESP_TYPES.SIMPLE_STRING:
          value = this.#readSimple(buf, end);
          break;
        case RESP_TYPES.NUMBER:
          value = this.#readNumber(buf, end);
          break;
        case RESP_TYPES.ARRAY:
          value = this.#open(buf, end, 'array', 1);
          break;
        case RESP_TYPES.MAP:
          value = this.#open(buf, end, this.#mapContainer(), 2);
          break;
        case RESP_TYPES.SET:
          value = this.#open(buf, end, this.#mapping?.[RESP_TYPES.SET] === Set ? 'set' : 'array', 1);
          break;
        case RESP_TYPES.PUSH:
          if (this.#stack.length > 0) throw new ProtocolError('A push inside a reply');
          value = this.#open(buf, end, 'push', 1);
          break;
        case 124: // | attribute: metadata before a value; read and dropped
          if (this.#stack.length === 0 && ++this.#attributes > MAX_ATTRIBUTES)
            throw new ProtocolError('Attributes without the value that they are about');
          value = this.#open(buf, end, 'attribute', 2);
          break;
        case RESP_TYPES.SIMPLE_ERROR: {
          const text = this.#line(buf, end);
          value = text === NONE ? NONE : new SimpleError(text as string);
          break;
        }
        case RESP_TYPES.BLOB_ERROR:
          value = this.#readBulk(buf, end, 'error');
          break;
        case RESP_TYPES.VERBATIM_STRING:
          value = this.#readBulk(buf, end, 'verbatim');
          break;
        case RESP_TYPES.NULL: {
          const text = this.#line(buf, end);
          if (text !== NONE && text !== '') throw new ProtocolError('A null with content');
          value = text === NONE ? NONE : null;
          break;
        }
        case RESP_TYPES.BOOLEAN:
          value = this.#readBoolean(buf, end);
          break;
        case RESP_TYPES.DOUBLE:
          value = this.#readDouble(buf, end);
          break;
        case RESP_TYPES.BIG_NUMBER:
          value = this.#readBigNumber(buf, end);
          break;
        default:
          throw new ProtocolError(`Unknown reply type byte 0x${type.toString(16).padStart(2, '0')}`);
      }
      if (value === NONE) {
        // Cut inside a line: keep it. (An aggregate that was opened or a bulk that is filling has moved on instead.)
        if (this.#pos === start) this.#keep(buf, start, end);
        else if (this.#bulk === undefined) continue;
        return;
      }
      this.#emit(value);
    }
    forgetChunk();
  }

  #keep(buf: Buffer, start: number, end: number): void {
    if (end - start > this.#limits.maxLineBytes) this.#limit('maxLineBytes', this.#limits.maxLineBytes);
    this.#carry = Buffer.from(buf.subarray(start, end));
    this.#pos = end;
  }

  /** Hands a value to the innermost open aggregate, closing those that it completes. */
  #emit(value: unknown): void {
    const stack = this.#stack;
    while (stack.length > 0) {
      const frame = stack[stack.length - 1]!;
      this.#outstanding--;
      frame.remaining--;
      switch (frame.container) {
        case 'array':
        case 'push':
        case 'pairs':
          (frame.items as unknown[]).push(value);
          break;
        case 'set':
          (frame.items as Set<unknown>).add(value);
          break;
        case 'attribute':
          break;
        default:
          if (!frame.hasKey) {
            frame.key = value;
            frame.hasKey = true;
          } else {
            frame.hasKey = false;
            if (frame.container === 'map') (frame.items as Map<unknown, unknown>).set(frame.key, value);
            // The object has no prototype, so `__proto__` is a field like any other.
            else (frame.items as Record<string, unknown>)[fieldName(frame.key)] = value;
          }
      }
      if (frame.remaining > 0) return;
      stack.pop();
      if (frame.container === 'attribute') return;
      if (frame.container === 'push') {
        this.#inReply = false;
        this.#sink.push(frame.items as unknown[]);
        return;
      }
      value = frame.items;
    }
    this.#inReply = false;
    this.#attributes = 0;
    this.#sink.reply(value);
  }

  /** Announced length of an aggregate; opens it, or returns it when it is empty or null. */
  #open(buf: Buffer, end: number, container: Container, per: 1 | 2): unknown {
    const length = this.#length(buf, end);
    if (length === undefined) return NONE;
    if (length === -1) {
      if (container !== 'array') throw new ProtocolError('A null aggregate of a type that has none');
      return null;
    }
    if (length === 0) {
      if (container === 'attribute') return NONE;
      if (container === 'push') throw new ProtocolError('An empty push');
      return newItems(container);
    }
    const limits = this.#limits;
    if (this.#stack.length >= limits.maxDepth) this.#limit('maxDepth', limits.maxDepth);
    this.#outstanding += length * per;
    if (this.#outstanding > limits.maxElements) this.#limit('maxElements', limits.maxElements);
    if (
      (container === 'array' || container === 'push') &&
      (this.#mapping === undefined || this.#mapping[RESP_TYPES.BLOB_STRING] === undefined)
    ) {
      // Flat arrays of bulk strings (LRANGE, MGET, messages …) are read in one loop, without the stack.
      const items: unknown[] = [];
      this.#readStrings(buf, end, items, length);
      this.#outstanding -= items.length;
      if (items.length === length) {
        if (container === 'array') return items;
        this.#inReply = false;
        this.#sink.push(items);
        return NONE;
      }
      this.#stack.push({ container, remaining: length - items.length, items, key: undefined, hasKey: false });
      return NONE;
    }
    this.#stack.push({ container, remaining: length * per, items: newItems(container), key: undefined, hasKey: false });
    return NONE;
  }

  /** Reads whole bulk strings into `items` while they last; stops before anything else. */
  #readStrings(buf: Buffer, end: number, items: unknown[], count: number): void {
    let pos = this.#pos;
    while (items.length < count && pos + 4 < end && buf[pos] === RESP_TYPES.BLOB_STRING) {
      let at = pos + 1;
      let length = 0;
      let byte = buf[at]!;
      while (byte >= 48 && byte <= 57 && at < pos + 8) {
        length = length * 10 + (byte - 48);
        byte = buf[++at]!;
      }
      const from = at + 2;
      const to = from + length;
      // Anything unusual (null, cut, malformed, long) is left to the general path.
      if (at === pos + 1 || byte !== CR || to + 2 > end || buf[at + 1] !== LF) break;
      if (buf[to] !== CR || buf[to + 1] !== LF) throw new ProtocolError('A bulk string is not ended by CRLF');
      items.push(decodeText(buf, from, to, end));
      pos = to + 2;
    }
    this.#pos = pos;
  }

  #mapContainer(): Container {
    switch (this.#mapping?.[RESP_TYPES.MAP]) {
      case Map:
        return 'map';
      case Array:
        return 'pairs';
      default:
        return 'object';
    }
  }

  /** Signed decimal after the type byte; undefined when cut. `-1` is the only negative length. */
  #length(buf: Buffer, end: number): number | undefined {
    let pos = this.#pos + 1;
    if (pos >= end) return undefined;
    let byte = buf[pos]!;
    if (byte === MINUS) {
      for (const expected of MINUS_ONE) {
        if (++pos >= end) return undefined;
        if (buf[pos] !== expected) throw new ProtocolError('A negative length');
      }
      this.#pos = pos + 1;
      return -1;
    }
    let value = 0;
    const first = pos;
    while (byte >= 48 && byte <= 57) {
      value = value * 10 + (byte - 48);
      if (++pos >= end) {
        if (pos - first > 15) throw new ProtocolError('A length is too long');
        return undefined;
      }
      byte = buf[pos]!;
    }
    if (pos === first || pos - first > 15 || byte !== CR) throw new ProtocolError('A length is not a number');
    if (pos + 1 >= end) return undefined;
    if (buf[pos + 1] !== LF) throw new ProtocolError('A line is not ended by CRLF');
    this.#pos = pos + 2;
    return value;
  }

  #readBulk(buf: Buffer, end: number, kind: Bulk['kind']): unknown {
    const length = this.#length(buf, end);
    if (length === undefined) return NONE;
    if (length === -1) return null;
    if (length > this.#limits.maxBulkBytes) this.#limit('maxBulkBytes', this.#limits.maxBulkBytes);
    const from = this.#pos;
    const to = from + length;
    if (to + 2 <= end) {
      if (buf[to] !== CR || buf[to + 1] !== LF) throw new ProtocolError('A bulk string is not ended by CRLF');
      this.#pos = to + 2;
      return this.#bulkValue(kind, buf, from, to, end, false);
    }
    if (kind === 'blob' && length >= LONG_TEXT && this.#currentMapping()?.[RESP_TYPES.BLOB_STRING] !== Buffer) {
      const text = new LongText(length);
      this.#bulk = text;
      this.#pos = text.fill(buf, from, end);
      return NONE;
    }
    // Memory is taken once, for exactly what was announced (and no more than the limit allows).
    const bytes = Buffer.allocUnsafeSlow(length + 2);
    buf.copy(bytes, 0, from, end);
    this.#bulk = { kind, bytes, filled: end - from };
    this.#pos = end;
    return NONE;
  }

  /** `owned`: the bytes belong to this value alone and need no copy. */
  #bulkValue(kind: Bulk['kind'], buf: Buffer, from: number, to: number, end: number, owned: boolean): unknown {
    if (kind === 'error') return new BlobError(utf8(buf, from, to)) satisfies ErrorReply;
    if (kind === 'verbatim') {
      if (to - from < 4 || buf[from + 3] !== 58) throw new ProtocolError('A verbatim string without a format');
      const as = this.#currentMapping()?.[RESP_TYPES.VERBATIM_STRING];
      if (as === VerbatimString) return new VerbatimString(latin1(buf, from, from + 3), utf8(buf, from + 4, to));
      if (as === Buffer) return copyBytes(buf, from + 4, to);
      return utf8(buf, from + 4, to);
    }
    const mapping = this.#currentMapping();
    if (mapping !== undefined && mapping[RESP_TYPES.BLOB_STRING] === Buffer) {
      return owned ? buf.subarray(from, to) : copyBytes(buf, from, to);
    }
    return decodeText(buf, from, to, end);
  }

  /** The mapping for the next value: keys of objects and maps are text. */
  #currentMapping(): TypeMapping | undefined {
    const depth = this.#stack.length;
    if (this.#mapping === undefined || depth === 0) return this.#mapping;
    const frame = this.#stack[depth - 1]!;
    return (frame.container === 'object' || frame.container === 'map') && !frame.hasKey ? KEY_MAPPING : this.#mapping;
  }

  #readSimple(buf: Buffer, end: number): unknown {
    const pos = this.#pos;
    if (pos + 5 <= end && buf[pos + 1] === 79 && buf[pos + 2] === 75 && buf[pos + 3] === CR && buf[pos + 4] === LF) {
      this.#pos = pos + 5;
      return this.#currentMapping()?.[RESP_TYPES.SIMPLE_STRING] === Buffer ? Buffer.from('OK') : 'OK';
    }
    const line = this.#line(buf, end);
    if (line === NONE) return NONE;
    return this.#currentMapping()?.[RESP_TYPES.SIMPLE_STRING] === Buffer ? Buffer.from(line as string) : line;
  }

  #readNumber(buf: Buffer, end: number): unknown {
    let pos = this.#pos + 1;
    let byte = buf[pos];
    const negative = byte === MINUS;
    if (negative || byte === 43) byte = buf[++pos];
    const first = pos;
    let value = 0;
    while (pos < end && byte! >= 48 && byte! <= 57) {
      value = value * 10 + (byte! - 48);
      byte = buf[++pos];
    }
    if (pos - first > 19) throw new ProtocolError('An integer is longer than 64 bits');
    if (pos + 1 >= end && (pos >= end || byte === CR)) return NONE;
    if (pos === first || byte !== CR || buf[pos + 1] !== LF) throw new ProtocolError('An integer is not a number');
    const begin = this.#pos + 1;
    this.#pos = pos + 2;
    const as = this.#mapping?.[RESP_TYPES.NUMBER];
    if (as !== undefined && as !== Number) {
      const text = latin1(buf, begin, pos);
      return as === BigInt ? BigInt(text) : text;
    }
    return negative && value !== 0 ? -value : value;
  }

  #readBoolean(buf: Buffer, end: number): unknown {
    const line = this.#line(buf, end);
    if (line === NONE) return NONE;
    if (line !== 't' && line !== 'f') throw new ProtocolError('A boolean is neither t nor f');
    return this.#mapping?.[RESP_TYPES.BOOLEAN] === Number ? Number(line === 't') : line === 't';
  }

  #readDouble(buf: Buffer, end: number): unknown {
    const line = this.#line(buf, end);
    if (line === NONE) return NONE;
    if (this.#mapping?.[RESP_TYPES.DOUBLE] === String) return line;
    switch (line) {
      case 'inf':
      case '+inf':
        return Number.POSITIVE_INFINITY;
      case '-inf':
        return Number.NEGATIVE_INFINITY;
      case 'nan':
      case '-nan':
        return Number.NaN;
    }
    if (!/^[+-]?\d+(\.\d*)?([eE][+-]?\d+)?$/.test(line as string)) throw new ProtocolError('A double is not a number');
    return Number(line);
  }

  #readBigNumber(buf: Buffer, end: number): unknown {
    const line = this.#line(buf, end);
    if (line === NONE) return NONE;
    if ((line as string).length > this.#limits.maxBigNumberDigits) {
      this.#limit('maxBigNumberDigits', this.#limits.maxBigNumberDigits);
    }
    if (!/^[+-]?\d+$/.test(line as string)) throw new ProtocolError('A big number is not a number');
    switch (this.#mapping?.[RESP_TYPES.BIG_NUMBER]) {
      case String:
        return line;
      case Number:
        return Number(line);
      default:
        return BigInt(line as string);
    }
  }

  /** Text up to CRLF; NONE when cut. */
  #line(buf: Buffer, end: number): string | typeof NONE {
    const from = this.#pos + 1;
    let pos = from;
    while (pos < end && buf[pos] !== CR && buf[pos] !== LF) pos++;
    if (pos - from > this.#limits.maxLineBytes) this.#limit('maxLineBytes', this.#limits.maxLineBytes);
    if (pos + 1 >= end && (pos >= end || buf[pos] === CR)) return NONE;
    if (buf[pos] !== CR || buf[pos + 1] !== LF) throw new ProtocolError('A line is not ended by CRLF');
    this.#pos = pos + 2;
    return decodeText(buf, from, pos, end);
  }

  #limit(name: keyof ReplyLimits, value: number): never {
    throw new ProtocolError(`A reply crosses replyLimits.${name} (${value})`, 'REDKEEP_REPLY_LIMIT');
  }
}

/** An object's field is text; no server sends an aggregate where one belongs. */
function fieldName(key: unknown): string {
  if (typeof key === 'object' && key !== null && !Buffer.isBuffer(key) && !(key instanceof String)) {
    throw new ProtocolError('A map key that is an aggregate or an error');
  }
  return String(key);
}

function newItems(container: Container): Frame['items'] {
  switch (container) {
    case 'set':
      return new Set();
    case 'map':
      return new Map();
    case 'object':
      return Object.create(null) as Record<string, unknown>;
    default:
      return [];
  }
}

/** Copied out of the read buffer, which is reused; a slice of it would also pin 64 KiB for 100 bytes. */
function copyBytes(buf: Buffer, from: number, to: number): Buffer {
  return Buffer.from(buf.subarray(from, to));
}
