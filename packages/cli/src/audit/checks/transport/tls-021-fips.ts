import { type NodeCheck, redisAndValkey, unknown } from '../check.js';

export const tls021: NodeCheck = {
  id: 'TLS-021',
  title: 'It is not visible whether a FIPS provider is in use',
  cvss: null,
  why: 'Some policies ask for validated cryptography. The wire does not show which provider made it.',
  passes: 'confirmed by hand',
  maps: 'TLS',
  from: 'regulated',
  engines: redisAndValkey,
  sources: ['STIG V-251229', 'STIG V-251232'],
  judge() {
    return unknown('to be confirmed by hand: "openssl list -providers" on the host');
  },
};
