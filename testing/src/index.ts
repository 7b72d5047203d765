export * from './engines.js';
export * from './free-port.js';
export * from './pki.js';
export * from './raw-command.js';
export * from './resp.js';
export * from './server.js';
export type { ConfigLines, ServerTls } from './server-config.js';
export * from './wait-for.js';
