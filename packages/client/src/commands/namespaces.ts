/** Commands that are grouped under a name: `client.json.get`. Each was a module of its own before Redis 8. */
import * as bf from './bloom/bf.js';
import * as cf from './bloom/cf.js';
import * as cms from './bloom/cms.js';
import * as tDigest from './bloom/t-digest.js';
import * as topK from './bloom/top-k.js';
import * as json from './json/json.js';
import * as ft from './search/ft.js';
import * as mRange from './time-series/m-range.js';
import * as series from './time-series/ts.js';

const ts = { ...series, ...mRange, aliases: { ...series.aliases, ...mRange.aliases } };

export const NAMESPACES = { bf, cf, cms, ft, json, tDigest, topK, ts };
export type Namespaces = typeof NAMESPACES;
