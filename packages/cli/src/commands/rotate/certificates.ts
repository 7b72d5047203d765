import { readFile } from 'node:fs/promises';
import { Journal } from '../../apply/journal.js';
import type { Context } from '../../context.js';
import { withFolderLock } from '../../deployment/folder-lock.js';
import type { LoadedDeployment } from '../../deployment/loaded-deployment.js';
import { isForeign } from '../../deployment/make-material.js';
import type { CertificateSpec } from '../../deployment/model.js';
import { loadDeployment } from '../../deployment/state.js';
import { CliError } from '../../errors.js';
import { readStatuses } from '../../pki/certificate-status.js';
import { abortAuthority, abortCertificates } from '../../rotation/abort-certificates.js';
import { requireInLine } from '../../rotation/bring-in-line.js';
import { rotateAuthority, rotateCertificates } from '../../rotation/rotate-certificates.js';
import type { DirOption } from '../dir-option.js';
import { begunOf, requireUnfinished, requireYes, unfinishedOf } from './unfinished.js';

export const certificatesJournal = 'rotate-certificates';
export const authorityJournal = 'rotate-ca';

export interface RotateCertificatesFlags extends DirOption {
  readonly all?: boolean;
  readonly resume?: boolean;
  readonly abort?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

export interface RotateAuthorityFlags extends DirOption {
  readonly grace: number;
  readonly resume?: boolean;
  readonly abort?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

export async function rotateCertificatesCommand(
  context: Context,
  names: readonly string[],
  options: RotateCertificatesFlags,
): Promise<void> {
  const { terminal, clock } = context;
  const loaded = await loadDeployment(context, options.dir);
  await withFolderLock(loaded.folder, 'rotate', async () => {
    const unfinished = await begunOf(loaded, certificatesJournal, 'certificates');
    if (options.resume || options.abort) requireUnfinished(unfinished);
    if (unfinished && options.abort) {
      await abortCertificates(context, loaded, namedBy(loaded, unfinished), unfinished);
      return terminal.done(`${unfinished.id} is taken back; the certificates of before are served.`);
    }
    const wanted = unfinished
      ? namedBy(loaded, unfinished)
      : await chosen(context, loaded, names, options.all === true);
    const list = wanted.map(({ name }) => name).join(', ');
    if (wanted.length === 0) terminal.done('No certificate is due.');
    else if (options.dryRun) terminal.line(`Would issue again, and have servers take: ${list}.`);
    else {
      if (!unfinished) {
        await requireYes(context, options.yes, `Issue ${list} again?`);
        await requireInLine(context, loaded);
      }
      const journal = await Journal.open(loaded.folder, certificatesJournal, clock.now());
      await journal.step(
        'certificates',
        async () => undefined,
        wanted.map(({ name }) => name),
      );
      await rotateCertificates(context, loaded, wanted, journal);
      terminal.done(`Issued again and proved by handshakes: ${list}.`);
    }
  });
}

export async function rotateAuthorityCommand(context: Context, options: RotateAuthorityFlags): Promise<void> {
  const { terminal, clock } = context;
  const loaded = await loadDeployment(context, options.dir);
  if (options.dryRun) {
    terminal.line(
      `Would replace the private CA: trust both, issue ${loaded.deployment.certificates.length} certificates, trust the new one only; ${options.grace} s for clients after each of the first two.`,
    );
    return;
  }
  await withFolderLock(loaded.folder, 'rotate', async () => {
    const unfinished = await unfinishedOf(loaded, authorityJournal);
    if (options.resume || options.abort) requireUnfinished(unfinished);
    if (unfinished && options.abort) {
      await abortAuthority(context, loaded, unfinished, { graceMs: options.grace * 1000 });
      return terminal.done(`${unfinished.id} is taken back; the CA of before is trusted, and the new one is not.`);
    }
    if (unfinished) terminal.note(`Going on with ${unfinished.id}, which has not ended.`);
    else {
      await requireYes(context, options.yes, 'Replace the private CA?');
      await requireInLine(context, loaded);
    }
    const journal = await Journal.open(loaded.folder, authorityJournal, clock.now());
    await rotateAuthority(context, loaded, journal, { graceMs: options.grace * 1000 });
    terminal.done('The private CA was replaced; certificates of the old one are refused on every node.');
    terminal.note(`Its key is in ${loaded.locate(loaded.deployment.caKeyFile)}: keep it elsewhere.`);
  });
}

function namedBy(loaded: LoadedDeployment, journal: Journal): CertificateSpec[] {
  const names = (journal.dataOf('certificates') ?? []) as readonly string[];
  return loaded.deployment.certificates.filter(({ name }) => names.includes(name));
}

async function chosen(
  context: Context,
  loaded: LoadedDeployment,
  names: readonly string[],
  all: boolean,
): Promise<CertificateSpec[]> {
  const { certificates } = loaded.deployment;
  const unknown = names.find((name) => !certificates.some((spec) => spec.name === name));
  if (unknown !== undefined) {
    const known = certificates.map(({ name }) => name).join(', ');
    throw new CliError('REDKEEP_CERTIFICATE_UNUSABLE', `There is no certificate "${unknown}".`, `There are: ${known}.`);
  }
  const due = await dueNames(context, loaded);
  const own: CertificateSpec[] = [];
  for (const spec of certificates) {
    if (!(names.length > 0 ? names.includes(spec.name) : all || due.has(spec.name))) continue;
    if (await isOwn(loaded, spec)) own.push(spec);
    else context.terminal.warn(`${spec.name} comes from another CA: renew it there, then redkeep certs import.`);
  }
  return own;
}

/** Whether the private CA is past two thirds of its life, and whether a certificate of it is. */
export async function certificatesDue(
  context: Context,
  loaded: LoadedDeployment,
): Promise<{ readonly authority: boolean; readonly certificates: boolean }> {
  const due = await dueNames(context, loaded);
  const specs = loaded.deployment.certificates.filter(({ name }) => due.has(name));
  const own = await Promise.all(specs.map((spec) => isOwn(loaded, spec)));
  return { authority: due.has('ca'), certificates: own.includes(true) };
}

async function dueNames({ clock }: Context, loaded: LoadedDeployment): Promise<ReadonlySet<string>> {
  const statuses = await readStatuses(loaded, clock.now());
  return new Set(statuses.filter(({ renewalDue }) => renewalDue).map(({ name }) => name));
}

/** What came from another CA is renewed there. */
async function isOwn(loaded: LoadedDeployment, { certFile }: CertificateSpec): Promise<boolean> {
  const [certificate, authority] = await Promise.all(
    [certFile, loaded.deployment.caFile].map((file) => readFile(loaded.locate(file), 'utf8')),
  );
  return !isForeign(certificate!, authority!);
}
