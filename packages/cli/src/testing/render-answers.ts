import { type AnswersInput, parseAnswers } from '../deployment/answers.js';
import { buildDeployment } from '../deployment/build-deployment.js';
import { makeMaterial } from '../deployment/make-material.js';
import { type RenderedFile, renderDeployment } from '../deployment/render/index.js';

/** The files that answers lead to, in memory. The folder is only written into paths. */
export async function renderAnswers(
  input: AnswersInput,
  folder = '/srv/redkeep-that-does-not-exist',
): Promise<RenderedFile[]> {
  const answers = parseAnswers({ engine: 'redis', engineVersion: '7.0', ...input });
  const engine = { name: answers.engine!, version: answers.engineVersion! };
  const deployment = buildDeployment(answers, engine);
  const options = { now: new Date(), keyType: answers.keyType };
  return renderDeployment(deployment, await makeMaterial(deployment, folder, options), folder);
}
