import { createHash, randomBytes } from 'node:crypto';
import { SignedData } from '@peculiar/asn1-cms';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import { MessageImprint, PKIStatus, TimeStampReq, TimeStampResp, TSTInfo } from '@peculiar/asn1-tsp';
import { AlgorithmIdentifier } from '@peculiar/asn1-x509';
import { CliError } from '../../errors.js';

const sha256Oid = '2.16.840.1.101.3.4.2.1';
const timeoutMs = 20_000;
const largestReply = 256 * 1024;

export interface Timestamp {
  readonly query: Buffer;
  readonly reply: Buffer;
  /** What the authority says the time was. */
  readonly time: Date;
}

/**
 * Asks an authority (RFC 3161 over HTTP) to confirm that these bytes existed now. Only their SHA-256 is sent. Checked
 * here: that it was granted for this hash and this request. Whose signature it is, `openssl ts -verify` says.
 */
export async function requestTimestamp(url: string, content: Buffer, signal: AbortSignal): Promise<Timestamp> {
  const digest = createHash('sha256').update(content).digest();
  // A positive INTEGER without a leading zero byte.
  const nonce = Buffer.concat([Buffer.from([0x40 | (randomBytes(1)[0]! & 0x3f)]), randomBytes(15)]);
  const request = new TimeStampReq({
    version: 1,
    messageImprint: new MessageImprint({
      hashAlgorithm: new AlgorithmIdentifier({ algorithm: sha256Oid, parameters: null }),
      hashedMessage: new OctetString(digest),
    }),
    nonce: arrayBuffer(nonce),
    certReq: true,
  });
  const query = Buffer.from(AsnConvert.serialize(request));
  const reply = await post(url, query, signal);
  return { query, reply, time: confirmedTime(reply, digest, nonce) };
}

async function post(url: string, query: Buffer, signal: AbortSignal): Promise<Buffer> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/timestamp-query' },
      body: new Uint8Array(query),
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    if (!response.ok) throw refused(`it answered with status ${response.status}`);
    const reply = Buffer.from(await response.arrayBuffer());
    if (reply.length > largestReply) throw refused('its answer is too large');
    return reply;
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw refused('it was not reached', error);
  }
}

function confirmedTime(reply: Buffer, digest: Buffer, nonce: Buffer): Date {
  let info: TSTInfo;
  try {
    const response = AsnConvert.parse(arrayBuffer(reply), TimeStampResp);
    const granted = [PKIStatus.granted, PKIStatus.grantedWithMods].includes(response.status.status);
    if (!granted || !response.timeStampToken) throw refused('it did not grant the timestamp');
    const signed = AsnConvert.parse(response.timeStampToken.content, SignedData);
    const content = signed.encapContentInfo.eContent?.single?.buffer ?? signed.encapContentInfo.eContent?.any;
    if (!content) throw refused('its answer has no content');
    info = AsnConvert.parse(content, TSTInfo);
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw refused('its answer is not a timestamp', error);
  }
  const same = Buffer.from(info.messageImprint.hashedMessage.buffer).equals(digest);
  const ours = info.nonce !== undefined && Buffer.from(info.nonce).equals(nonce);
  if (!same || !ours) throw refused('its answer is for another request');
  return info.genTime;
}

function arrayBuffer(bytes: Buffer): ArrayBuffer {
  return new Uint8Array(bytes).buffer as ArrayBuffer;
}

function refused(what: string, cause?: unknown): CliError {
  return new CliError(
    'REDKEEP_TIMESTAMP_REFUSED',
    `The time-stamping authority gave no timestamp: ${what}.`,
    'The evidence is signed already. Ask again with "redkeep incident timestamp FOLDER --authority URL".',
    { cause },
  );
}
