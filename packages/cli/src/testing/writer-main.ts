import { Writer } from './writer.js';

// `node writer-main.js FOLDER`: writes until standard input ends, then prints what came of it. Runs wherever the
// deployment's names lead to its nodes, inside a network of containers for example.
const writer = await Writer.start(process.argv[2]!);
process.stdout.write('writing\n');
for await (const _ of process.stdin);
process.stdout.write(`${JSON.stringify(await writer.stop())}\n`);
process.exit(0);
