/** An answer as it is kept. */
export interface KeptResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[]>>;
  /** Base64. */
  readonly body: string;
}

/** Of one connection, one moment, or one session as it was then: not part of an answer that is given again. */
const NOT_KEPT = new Set([
  'connection',
  'date',
  'keep-alive',
  'set-cookie',
  'transfer-encoding',
  'upgrade',
  'content-length',
]);

/** An answer that says "not done": it is sent and not kept. */
export class NotKept extends Error {
  readonly answer: KeptResponse;
  constructor(answer: KeptResponse) {
    super('not kept');
    this.answer = answer;
  }
}

/** From 500 on the work has failed, and the key is free for another attempt. */
export function keepable(answer: KeptResponse): KeptResponse {
  if (answer.status >= 500) throw new NotKept(answer);
  return answer;
}

export function keptOf(
  status: number,
  headers: Readonly<Record<string, number | string | readonly string[] | undefined>>,
  body: Uint8Array,
): KeptResponse {
  const kept: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined && !NOT_KEPT.has(name.toLowerCase()))
      kept[name] = typeof value === 'object' ? [...value] : String(value);
  return { status, headers: kept, body: Buffer.from(body).toString('base64') };
}
