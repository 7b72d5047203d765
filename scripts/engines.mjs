#!/usr/bin/env node
// Puts real Redis and Valkey servers of several versions into a cache folder, without root and without touching the
// system: `npm run engines -- redis-8.0 valkey-8.0`. With no names: the list.
import { pathToFileURL } from 'node:url';
import { ENGINES, enginesFolder, unpackEngine } from './engines/unpack.mjs';

async function main(names) {
  if (names.length === 0) {
    for (const engine of ENGINES) console.log(`${engine.name.padEnd(12)} Debian ${engine.suite}, ${engine.product}`);
    console.log(`\nnpm run engines -- NAME…   unpacks into ${enginesFolder()}`);
    return 0;
  }
  const known = new Map(ENGINES.map((engine) => [engine.name, engine]));
  const unknown = names.filter((name) => !known.has(name) && name !== 'all');
  if (unknown.length > 0) {
    console.error(`Unknown engine: ${unknown.join(', ')}. Known: ${[...known.keys()].join(', ')}, all.`);
    return 2;
  }
  const wanted = names.includes('all') ? ENGINES : names.map((name) => known.get(name));
  for (const engine of wanted) {
    const { folder, version } = await unpackEngine(engine, enginesFolder());
    console.log(`${engine.name}: ${engine.product} ${version} in ${folder}`);
  }
  return 0;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  main(process.argv.slice(2)).then(
    (code) => {
      process.exitCode = code;
    },
    (error) => {
      console.error(error.message);
      process.exitCode = 4;
    },
  );
}
