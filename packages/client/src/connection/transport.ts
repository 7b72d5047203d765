/**
 * Opens a TCP, TLS or Unix socket and says in which of a handful of ways that failed. Knows nothing of RESP.
 */

import { connect as connectTcp, type Socket, type TcpNetConnectOpts } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { clearTimeout, setTimeout } from '../clock.js';
import { ConnectError, ConnectionTimeoutError, type ErrorCode, InvalidOptionError, NetworkError } from '../errors.js';
import { type TlsOptions, tlsConnectOptions } from '../security/tls-policy.js';
import { PatientTimer } from './patient-timer.js';

export type Endpoint =
  | {
      readonly kind: 'tcp';
      readonly host: string;
      readonly port: number;
      readonly family?: number;
      readonly localAddress?: string;
      /** Further names that the server's certificate may be for: those under which a cluster announced the node. */
      readonly aliases?: readonly string[];
    }
  | { readonly kind: 'unix'; readonly path: string };

export function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return a.kind === 'tcp'
    ? b.kind === 'tcp' && a.host === b.host && a.port === b.port
    : b.kind === 'unix' && a.path === b.path;
}

export interface TransportOptions {
  readonly endpoint: Endpoint;
  readonly tls: TlsOptions | undefined;
  /** Milliseconds until TCP and TLS must stand. */
  readonly connectTimeout: number;
  readonly noDelay: boolean;
  readonly keepAlive: boolean;
  /** Milliseconds of idleness before the first TCP probe. */
  readonly keepAliveInitialDelay: number;
  /** Further options of `net.connect`. */
  readonly net?: Pick<
    TcpNetConnectOpts,
    'localPort' | 'lookup' | 'hints' | 'autoSelectFamily' | 'autoSelectFamilyAttemptTimeout'
  >;
}

/** `buffer` is valid until the callback returns. */
export type OnRead = (bytes: number, buffer: Buffer) => void;

/**
 * One read buffer for all connections of the process: a read and its callback are one synchronous step and the
 * decoder copies what it keeps, so nobody sees another's bytes. It saves 64 KiB a connection. Windows hands the
 * buffer to the kernel while a read is pending, so there each connection has its own.
 */
const READ_BUFFER_BYTES = 64 * 1024;
let shared: Buffer | undefined;
function readBuffer(): Buffer {
  if (process.platform === 'win32') return Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
  shared ??= Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
  return shared;
}

/** Where a connection leads, for logs: never holds a credential. */
export function describeEndpoint(endpoint: Endpoint): string {
  if (endpoint.kind === 'unix') return endpoint.path;
  return endpoint.host.includes(':') ? `[${endpoint.host}]:${endpoint.port}` : `${endpoint.host}:${endpoint.port}`;
}

/** Resolves with a connected (and verified) socket; rejects with a ConnectError. */
export function openTransport(
  options: TransportOptions,
  onRead: OnRead,
  signal: AbortSignal,
): Promise<Socket | TLSSocket> {
  const { endpoint, tls } = options;
  return new Promise((resolve, reject) => {
    const buffer = readBuffer();
    const target: TcpNetConnectOpts & { onread: NonNullable<TcpNetConnectOpts['onread']> } = {
      ...(endpoint.kind === 'unix'
        ? { path: endpoint.path, port: 0 }
        : {
            ...options.net,
            host: endpoint.host,
            port: endpoint.port,
            family: endpoint.family ?? 0,
            localAddress: endpoint.localAddress,
          }),
      noDelay: options.noDelay,
      keepAlive: options.keepAlive,
      keepAliveInitialDelay: options.keepAliveInitialDelay,
      onread: {
        buffer,
        callback: (bytes, buf) => {
          onRead(bytes, buf as Buffer);
          return true;
        },
      },
    };
    if (endpoint.kind === 'unix') delete (target as { port?: number }).port;
    let socket: Socket | TLSSocket;
    try {
      socket =
        tls === undefined
          ? connectTcp(target)
          : connectTls({
              ...target,
              ...(endpoint.kind === 'tcp'
                ? tlsConnectOptions(tls, endpoint.host, endpoint.aliases)
                : tlsConnectOptions(tls, undefined)),
            });
    } catch (error) {
      if (error instanceof InvalidOptionError) reject(error);
      else if (tls === undefined) reject(connectError(error as NodeJS.ErrnoException, endpoint, false));
      else reject(unusable(error as NodeJS.ErrnoException, endpoint));
      return;
    }
    const timer = new PatientTimer(options.connectTimeout, () => fail(new ConnectionTimeoutError()));
    const suspicion =
      tls === undefined
        ? undefined
        : setTimeout(
            async () => {
              if (await speaksPlaintext(endpoint))
                onError(Object.assign(new Error('plaintext'), { code: 'ERR_SSL_WRONG_VERSION_NUMBER' }));
            },
            Math.min(HANDSHAKE_PATIENCE_MS, options.connectTimeout / 2),
          );
    const onAbort = () =>
      fail(
        signal.reason instanceof Error
          ? signal.reason
          : new ConnectError('REDKEEP_CLIENT_CLOSED', 'Closed while connecting'),
      );
    const onClose = () =>
      fail(
        new ConnectError(
          'REDKEEP_SOCKET_CLOSED',
          `${describeEndpoint(endpoint)} closed the connection during the handshake`,
        ),
      );
    let settled = false;
    const fail = (error: Error) => {
      if (settled) return;
      settle();
      socket.on('error', () => {}); // a late error of a socket that is given up
      socket.destroy();
      reject(error);
    };
    const onError = (error: NodeJS.ErrnoException) => fail(connectError(error, endpoint, tls !== undefined));
    const onConnected = () => {
      settle();
      resolve(socket);
    };
    const settle = () => {
      timer.clear();
      clearTimeout(suspicion);
      settled = true;
      signal.removeEventListener('abort', onAbort);
      socket
        .off('error', onError)
        .off('close', onClose)
        .off(tls === undefined ? 'connect' : 'secureConnect', onConnected);
    };
    socket
      .on('error', onError)
      .on('close', onClose)
      .on(tls === undefined ? 'connect' : 'secureConnect', onConnected);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort);
  });
}

/** Files with certificates or a key that OpenSSL cannot take, or that do not belong together. */
function unusable(error: NodeJS.ErrnoException, endpoint: Endpoint): ConnectError {
  return new ConnectError(
    'REDKEEP_TLS_FAILED',
    `${describeEndpoint(endpoint)}: the certificates or the key cannot be used (${error.code ?? 'unreadable'})`,
    { cause: error },
  );
}

/** A TLS handshake that takes longer is looked into: a plaintext server waits for ever for the end of the ClientHello. */
const HANDSHAKE_PATIENCE_MS = 1000;

/** Whether a Redis server answers plaintext here. Sends no credential. */
function speaksPlaintext(endpoint: Endpoint): Promise<boolean> {
  return ask(endpoint, 'PING\r\n', ([first]) => first === 0x2b || first === 0x2d); // + or -
}

/** Milliseconds for a question to a peer whose answer only explains a failure. */
const QUESTION_MS = 500;

/** Whether the answer to `question`, over a connection of its own, is of the form wanted. */
function ask(endpoint: Endpoint, question: string | Buffer, wanted: (bytes: Buffer) => boolean): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectTcp(
      endpoint.kind === 'unix' ? { path: endpoint.path } : { host: endpoint.host, port: endpoint.port },
    );
    const done = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(QUESTION_MS, () => done(false));
    socket.on('error', () => done(false)).on('close', () => done(false));
    socket.on('connect', () => socket.write(question));
    socket.on('data', (bytes) => done(wanted(bytes)));
  });
}

/** The least that a ClientHello needs (RFC 5246, section 7.4.1.2): TLS 1.2 and one suite. */
const CLIENT_HELLO = Buffer.concat([
  Buffer.from('160301002d' + '01000029' + '0303', 'hex'),
  Buffer.alloc(32, 0x5a),
  Buffer.from('00' + '0002' + 'c02f' + '0100', 'hex'),
]);

/** A record of TLS (RFC 8446, section 5.1): an alert, or of a handshake. No RESP begins so. */
export function isTlsRecord(bytes: Buffer): boolean {
  return (bytes[0] === 0x15 || bytes[0] === 0x16) && bytes[1] === 0x03;
}

/** Whether what listens here answers in TLS, be it with a refusal. Sends no credential and trusts no answer. */
export function speaksTls(endpoint: Endpoint): Promise<boolean> {
  return ask(endpoint, CLIENT_HELLO, isTlsRecord);
}

export function serverSpeaksTls(endpoint: Endpoint, cause: unknown): ConnectError {
  return new ConnectError(
    'REDKEEP_SERVER_TLS',
    `${describeEndpoint(endpoint)}: ${CERTIFICATE_TEXT.REDKEEP_SERVER_TLS}`,
    { cause },
  );
}

const CERTIFICATE_CODES: Readonly<Record<string, ErrorCode>> = {
  CERT_HAS_EXPIRED: 'REDKEEP_CERTIFICATE_EXPIRED',
  CERT_NOT_YET_VALID: 'REDKEEP_CERTIFICATE_EXPIRED',
  ERR_TLS_CERT_ALTNAME_INVALID: 'REDKEEP_CERTIFICATE_NAME',
  SELF_SIGNED_CERT_IN_CHAIN: 'REDKEEP_CERTIFICATE_UNTRUSTED',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'REDKEEP_CERTIFICATE_UNTRUSTED',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'REDKEEP_CERTIFICATE_UNTRUSTED',
  UNABLE_TO_GET_ISSUER_CERT: 'REDKEEP_CERTIFICATE_UNTRUSTED',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'REDKEEP_CERTIFICATE_UNTRUSTED',
  CERT_SIGNATURE_FAILURE: 'REDKEEP_CERTIFICATE_UNTRUSTED',
  ERR_SSL_WRONG_VERSION_NUMBER: 'REDKEEP_SERVER_PLAINTEXT',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'REDKEEP_SERVER_PLAINTEXT',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'REDKEEP_CERTIFICATE_REQUIRED',
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: 'REDKEEP_TLS_FAILED',
};

/** A socket's error as a ConnectError, with the next step. Also for errors of a connection that was open. */
export function connectError(error: NodeJS.ErrnoException, endpoint: Endpoint, tls: boolean): ConnectError {
  const where = describeEndpoint(endpoint);
  const known = error.code === undefined ? undefined : CERTIFICATE_CODES[error.code];
  if (known !== undefined)
    return new ConnectError(known, `${where}: ${CERTIFICATE_TEXT[known] ?? error.message}`, { cause: error });
  if (
    tls &&
    (error.code?.startsWith('ERR_SSL') ||
      error.code?.startsWith('ERR_TLS') ||
      error.message.startsWith('The public key') ||
      error.message.startsWith('No pinned'))
  ) {
    return new ConnectError(
      'REDKEEP_TLS_FAILED',
      `${where}: the TLS handshake failed (${error.code ?? error.message})`,
      { cause: error },
    );
  }
  return new NetworkError(error, where);
}

const CERTIFICATE_TEXT: Partial<Record<ErrorCode, string>> = {
  REDKEEP_CERTIFICATE_EXPIRED: 'the server certificate is expired or not yet valid',
  REDKEEP_CERTIFICATE_NAME: 'the server certificate is for another name',
  REDKEEP_CERTIFICATE_UNTRUSTED: 'the server certificate is not signed by a trusted CA',
  REDKEEP_SERVER_PLAINTEXT: 'the server does not speak TLS on this port',
  REDKEEP_SERVER_TLS: 'the server speaks TLS on this port, and the client does not',
  REDKEEP_CERTIFICATE_REQUIRED: 'the server requires a client certificate',
  REDKEEP_TLS_FAILED: 'the TLS handshake failed',
};
