import path from 'node:path';
import type { Command } from 'commander';
import { hostBundle } from '../../apply/targets/host-script.js';
import type { Context } from '../../context.js';
import { identityOf } from '../../deployment/identity.js';
import { prefixOf } from '../../deployment/naming.js';
import { CliError } from '../../errors.js';
import { replaceFile } from '../../files/replace-file.js';
import { type DirOption, withDirOption } from '../dir-option.js';
import { withHelp } from '../help.js';
import { openDelivery } from '../open-delivery.js';

interface BundleOptions extends DirOption {
  readonly output?: string;
}

/** `redkeep bundle`: for hosts that only take files. */
export function register(program: Command, context: Context): void {
  const command = withDirOption(program.command('bundle'))
    .argument('<host>', 'one of the hosts of the deployment')
    .description(
      'write one script that installs the nodes of a host: files, users, certificates, units (target systemd)',
    )
    .option('-o, --output <file>', 'where to write it (mode 0600; default: NAME-HOST.sh here)');
  withHelp(command, {
    examples: [['redkeep bundle 10.0.0.2 --output host2.sh', 'then, on that host as root: sh host2.sh']],
  }).action((host: string, options: BundleOptions) => bundle(context, host, options));
}

async function bundle(context: Context, host: string, options: BundleOptions): Promise<void> {
  const delivery = await openDelivery(context, options.dir);
  const { deployment } = delivery.loaded;
  if (deployment.target !== 'systemd') {
    throw new CliError(
      'REDKEEP_TARGET_UNSUPPORTED',
      `A bundle is for hosts with systemd; this deployment is run by ${deployment.target}.`,
      'Deliver it with redkeep up and redkeep apply.',
    );
  }
  const nodes = deployment.nodes.filter((node) => node.host === host);
  if (nodes.length === 0) {
    const known = [...new Set(deployment.nodes.map((node) => node.host))].join(', ');
    throw new CliError('REDKEEP_NODE_UNKNOWN', `No node runs on "${host}".`, `The hosts are: ${known}.`);
  }
  const withFiles = await Promise.all(nodes.map(async (node) => ({ node, files: await delivery.filesOf(node) })));
  const text = hostBundle(deployment, await identityOf(delivery.loaded), host, withFiles);
  const file = path.resolve(
    context.cwd,
    options.output ?? `${prefixOf(deployment)}-${host.replace(/[^\w.-]/g, '_')}.sh`,
  );
  await replaceFile(file, text);
  context.terminal.done(
    `Wrote ${file}. It holds keys: carry it to ${host} over a private way, run it as root, delete it.`,
  );
}
