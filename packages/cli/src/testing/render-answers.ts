import { type AnswersInput, parseAnswers } from '../deployment/answers.js';
import { buildDeployment } from '../deployment/build-deployment.js';
import { makeMaterial } from '../deployment/make-material.js';
import type { Deployment } from '../deployment/model.js';
import { type RenderedFile, renderDeployment } from '../deployment/render/index.js';

function answersOf(input: AnswersInput) {
  return parseAnswers({ engine: 'redis', engineVersion: '7.0', ...input });
}

/** The deployment that answers lead to. */
export function deploymentOf(input: AnswersInput): Deployment {
  const answers = answersOf(input);
  return buildDeployment(answers, { name: answers.engine!, version: answers.engineVersion! });
}

/** The files that answers lead to, in memory. The folder is only written into paths. */
export async function renderAnswers(
  input: AnswersInput,
  folder = '/srv/redkeep-that-does-not-exist',
): Promise<RenderedFile[]> {
  const answers = answersOf(input);
  const deployment = deploymentOf(input);
  const options = { now: new Date(), keyType: answers.keyType };
  return renderDeployment(deployment, await makeMaterial(deployment, folder, options), folder);
}
