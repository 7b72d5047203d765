/** All cells of the matrix, or some of them. */
import { type Outcome, type Path, runCell } from './cell.js';
import { FAULTS, type Fault } from './faults.js';
import { PATHS } from './paths.js';

export interface Cell {
  readonly path: string;
  readonly fault: Fault;
  readonly outcome: Outcome | Error;
}

/** Cells that run at the same time: they wait more than they work. */
const AT_ONCE = 12;

/** Those that block the event loop run alone: they would hold up the others. */
const blocks = (fault: Fault) => fault === 'blocked event loop';

export async function runMatrix(wanted: (path: Path, fault: Fault) => boolean = () => true): Promise<Cell[]> {
  const cells = PATHS.flatMap((path) =>
    FAULTS.filter((fault) => path.without?.[fault] === undefined && wanted(path, fault)).map((fault) => ({
      path,
      fault,
    })),
  );
  const done: Cell[] = [];
  const run = async ({ path, fault }: (typeof cells)[number]) => {
    const outcome = await runCell(path, fault).catch((error: Error) => error);
    done.push({ path: path.name, fault, outcome });
  };
  const waiting = cells.filter(({ fault }) => !blocks(fault));
  const worker = async () => {
    for (let cell = waiting.shift(); cell !== undefined; cell = waiting.shift()) await run(cell);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  for (const cell of cells.filter(({ fault }) => blocks(fault))) await run(cell);
  return done;
}
