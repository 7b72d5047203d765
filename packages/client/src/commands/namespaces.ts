/** Commands that are grouped under a name: `client.json.get`. Each was a module of its own before Redis 8. */
import * as bf from './bloom/bf.js';
import * as cf from './bloom/cf.js';
import * as cms from './bloom/cms.js';
import * as tDigest from './bloom/t-digest.js';
import * as topK from './bloom/top-k.js';
import * as json from './json/json.js';

export const NAMESPACES = { bf, cf, cms, json, tDigest, topK };
export type Namespaces = typeof NAMESPACES;
