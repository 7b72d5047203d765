import type { Fact } from '../../audit/facts/fact.js';
import type { Place, Scene } from './scene.js';

export interface Sign {
  readonly place: Place;
  readonly text: string;
  /** ISO time, where it is known. */
  readonly at?: string;
}

/** Never "clean": an intruder removes traces. */
export type Outcome = 'found' | 'not-found' | 'not-looked';

export interface Judgement {
  readonly id: string;
  readonly title: string;
  readonly outcome: Outcome;
  readonly signs: readonly Sign[];
  /** Where it was looked for without finding it. */
  readonly looked: readonly Place[];
  /** Where it could not be looked for, and why. */
  readonly notLooked: readonly { readonly place: Place; readonly reason: string }[];
}

export interface Indicator {
  /** Stable name. */
  readonly id: string;
  readonly title: string;
  /** What an innocent cause would be, or why there is none. */
  readonly innocent: string;
  readonly looks: readonly Look[];
}

export interface Look {
  readonly place: Place;
  readonly signs: (scene: Scene) => Fact<readonly Sign[]>;
}

/** One look at one part of the scene. */
export function look<T>(
  place: Place,
  part: (scene: Scene) => Fact<T>,
  find: (value: T, scene: Scene) => readonly (string | { readonly text: string; readonly at: number | undefined })[],
): Look {
  return {
    place,
    signs: (scene) => {
      const fact = part(scene);
      if (!fact.observed) return fact;
      const signs = find(fact.value, scene).map((found): Sign => {
        if (typeof found === 'string') return { place, text: found };
        return { place, text: found.text, ...(found.at && { at: new Date(found.at).toISOString() }) };
      });
      return { ...fact, value: signs };
    },
  };
}

export function judge({ id, title, looks }: Indicator, scene: Scene): Judgement {
  const signs: Sign[] = [];
  const looked = new Set<Place>();
  const notLooked: { place: Place; reason: string }[] = [];
  for (const { place, signs: find } of looks) {
    const fact = find(scene);
    if (!fact.observed) notLooked.push({ place, reason: fact.reason });
    else {
      looked.add(place);
      signs.push(...fact.value);
    }
  }
  const outcome: Outcome = signs.length > 0 ? 'found' : looked.size > 0 ? 'not-found' : 'not-looked';
  return { id, title, outcome, signs, looked: [...looked], notLooked: distinct(notLooked) };
}

function distinct<T extends { place: Place; reason: string }>(all: readonly T[]): T[] {
  return all.filter(
    (one, index) => all.findIndex(({ place, reason }) => place === one.place && reason === one.reason) === index,
  );
}
