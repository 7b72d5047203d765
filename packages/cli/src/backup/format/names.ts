/** Names of objects. Within a shard's folder they sort in the order in which a restore by hand reads them. */
const offsetDigits = 16;

function padded(offset: number): string {
  return String(offset).padStart(offsetDigits, '0');
}

export function entryFolder(source: string): string {
  return `entries/${source}/`;
}

export function entryName(source: string, writer: string, seq: number): string {
  return `entries/${source}/${writer}/${String(seq).padStart(10, '0')}.json`;
}

export function dataFolder(source: string): string {
  return `data/${source}/`;
}

export interface DataPlace {
  readonly source: string;
  readonly writer: string;
  readonly shard: string;
  readonly history: number;
}

export function baseName(place: DataPlace, offset: number, compressed: boolean): string {
  return `${historyFolder(place)}${padded(offset)}-base.rdb${suffix(compressed)}`;
}

export function segmentName(place: DataPlace, from: number, to: number, compressed: boolean): string {
  return `${historyFolder(place)}${padded(from)}-${padded(to)}.aof${suffix(compressed)}`;
}

export function settingsName(source: string, writer: string, seq: number): string {
  return `data/${source}/${writer}/settings-${String(seq).padStart(10, '0')}.tar.gz.age`;
}

export function proofFolder(source: string): string {
  return `proofs/${source}/`;
}

export function expiryFolder(source: string): string {
  return `expired/${source}/`;
}

function historyFolder({ source, writer, shard, history }: DataPlace): string {
  return `data/${source}/${writer}/${shard}/${String(history).padStart(4, '0')}/`;
}

function suffix(compressed: boolean): string {
  return compressed ? '.gz.age' : '.age';
}

export function isCompressed(name: string): boolean {
  return name.endsWith('.gz.age');
}
