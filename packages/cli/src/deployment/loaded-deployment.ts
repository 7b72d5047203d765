import type { Deployment } from './model.js';

/** SHA-256 of each derived file as redkeep last wrote it, to distinguish an edit by hand from a change of answers. */
export type Manifest = Readonly<Record<string, string>>;

export interface DeploymentState {
  readonly deployment: Deployment;
  readonly files: Manifest;
}

/** A deployment that was read from its folder. */
export interface LoadedDeployment extends DeploymentState {
  /** Absolute path of its folder. */
  readonly folder: string;
  /** The absolute path of a file the model names. */
  locate(relativePath: string): string;
}
