/** The position of a reader in a segment, whose notes give the offset in the stream and the second of the next commands. */
export class SegmentPosition {
  /** Difference between an offset of the stream and a place in the segment; undefined in its head. */
  #shift: number | undefined;
  #second = 0;

  /** The second of the commands that come next; it goes on from one segment to the next. */
  get second(): number {
    return this.#second;
  }

  beginSegment(): void {
    this.#shift = undefined;
  }

  /** Takes a note (`#OFFSET:` or `#TS:`) that ends at a place of the segment; notes are not part of the stream. */
  annotation(line: string, end: number): void {
    const offset = /^#OFFSET:(\d+)$/.exec(line)?.[1];
    if (offset !== undefined) this.#shift = Number(offset) - end;
    else if (this.#shift !== undefined) this.#shift -= line.length + 2;
    const second = /^#TS:(\d+)$/.exec(line)?.[1];
    if (second !== undefined) this.#second = Number(second);
  }

  /** The offset in the stream of a place in the segment; undefined in its head, which selects the database. */
  offsetOf(place: number): number | undefined {
    return this.#shift === undefined ? undefined : place + this.#shift;
  }
}

/** The bytes of the command that selects a database. */
export function selectCommand(database: string): Buffer {
  return Buffer.from(`*2\r\n$6\r\nSELECT\r\n$${database.length}\r\n${database}\r\n`);
}
