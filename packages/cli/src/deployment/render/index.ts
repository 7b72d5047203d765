export { renderDeployment } from './render-deployment.js';
export type { RenderedFile } from './rendered-file.js';
