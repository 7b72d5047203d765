import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { describe, test } from 'node:test';
import { Ajv } from 'ajv';
import formats from 'ajv-formats';
import { StatefulSet } from 'kubernetes-models/apps/v1';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { Service } from 'kubernetes-models/v1';
import { parse, parseAllDocuments } from 'yaml';
import { renderAnswers } from '../testing/render-answers.js';
import { topologyNames } from '../vocabulary/names.js';

const dclint = path.dirname(createRequire(import.meta.url).resolve('dclint/package.json'));

/** The compose-spec schema, as dclint carries it; unknown keys are refused by the schema itself. */
async function composeValidator() {
  const ajv = new Ajv({ allErrors: true, strict: false });
  formats.default(ajv);
  ajv.addFormat('duration', true);
  const text = await readFile(path.join(dclint, 'schemas/compose.schema.json'), 'utf8');
  const { $schema: _, ...schema } = JSON.parse(text);
  return ajv.compile(schema);
}

/** Made from the Kubernetes OpenAPI description. Unknown fields are found by the compiler in the renderer. */
const kinds = { StatefulSet, NetworkPolicy, Service, PodDisruptionBudget };

function validateManifest(manifest: { readonly kind: keyof typeof kinds; readonly apiVersion: string }) {
  const Model = kinds[manifest.kind] as new (data: object) => { validate(): void; readonly apiVersion: string };
  const model = new Model(manifest);
  assert.equal(manifest.apiVersion, model.apiVersion);
  model.validate();
}

interface ComposeFile {
  readonly services: Record<string, Record<string, unknown>>;
}

const sources = ['10.1.0.0/16', 'fd00::/8', '192.0.2.7'];

for (const topology of topologyNames) {
  describe(`schemas, ${topology}`, () => {
    test('compose.yaml is what compose-spec describes', async () => {
      const files = await renderAnswers({ target: 'compose', topology, profile: 'production', sources });
      const compose = parse(files.find((file) => file.path === 'compose.yaml')!.content) as ComposeFile;
      const validate = await composeValidator();
      assert.ok(validate(compose), JSON.stringify(validate.errors));
      const wrong = structuredClone(compose);
      wrong.services['node-1']!['read_onli'] = true;
      assert.equal(validate(wrong), false);
    });

    test('Kubernetes manifests are what the API describes', async () => {
      const files = await renderAnswers({ target: 'kubernetes', topology, profile: 'regulated', sources });
      const manifests = files
        .filter((file) => file.path.startsWith('kubernetes/') && !file.path.endsWith('kustomization.yaml'))
        .flatMap(({ content }) => parseAllDocuments(content).map((document) => document.toJS()));
      const expected = Object.keys(kinds).filter((kind) => topology !== 'single' || kind !== 'PodDisruptionBudget');
      assert.deepEqual(new Set(manifests.map(({ kind }) => kind)), new Set(expected));
      for (const manifest of manifests) validateManifest(manifest);
      const set = manifests.find(({ kind }) => kind === 'StatefulSet');
      assert.throws(() => validateManifest({ ...set, spec: { ...set.spec, replicas: 'one' } }), /replicas/);
    });
  });
}
