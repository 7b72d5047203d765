/** The settings under which applications compile against the packages. */

export interface TypeSetting {
  readonly typescript: string;
  /** Major version of `@types/node`. */
  readonly nodeTypes: number;
  readonly module: string;
  readonly moduleResolution: string;
  /** `type` of the application's package.json. */
  readonly type: 'module' | 'commonjs';
}

/** How applications resolve modules; `until` is the last major version of TypeScript that has it. */
const RESOLUTIONS: readonly (Omit<TypeSetting, 'typescript' | 'nodeTypes'> & { readonly until?: number })[] = [
  { module: 'commonjs', moduleResolution: 'node10', type: 'commonjs', until: 6 },
  { module: 'node16', moduleResolution: 'node16', type: 'module' },
  { module: 'node16', moduleResolution: 'node16', type: 'commonjs' },
  { module: 'nodenext', moduleResolution: 'nodenext', type: 'module' },
  { module: 'nodenext', moduleResolution: 'nodenext', type: 'commonjs' },
  { module: 'esnext', moduleResolution: 'bundler', type: 'module' },
];

/** The oldest version that is supported, the last of every line since, and the newest. */
export const COMPILERS = ['5.4', '5.5', '5.6', '5.7', '5.8', '5.9', '6.0', '7.0'] as const;
export const NODE_TYPES = [18, 20, 22, 24] as const;

export const ALL_SETTINGS: readonly TypeSetting[] = COMPILERS.flatMap((typescript) =>
  NODE_TYPES.flatMap((nodeTypes) =>
    RESOLUTIONS.filter(({ until = 99 }) => Number.parseInt(typescript, 10) <= until).map(({ until, ...rest }) => ({
      typescript,
      nodeTypes,
      ...rest,
    })),
  ),
);

/** Both ends of each range, and each way of resolving at least once. */
export const SHORT_SETTINGS: readonly TypeSetting[] = [
  { typescript: '5.4', nodeTypes: 18, module: 'commonjs', moduleResolution: 'node10', type: 'commonjs' },
  { typescript: '5.4', nodeTypes: 24, module: 'node16', moduleResolution: 'node16', type: 'commonjs' },
  { typescript: '7.0', nodeTypes: 18, module: 'nodenext', moduleResolution: 'nodenext', type: 'module' },
  { typescript: '7.0', nodeTypes: 24, module: 'esnext', moduleResolution: 'bundler', type: 'module' },
];

export const describeSetting = ({ typescript, nodeTypes, moduleResolution, type }: TypeSetting): string =>
  `TypeScript ${typescript}, @types/node ${nodeTypes}, ${moduleResolution}, ${type}`;
