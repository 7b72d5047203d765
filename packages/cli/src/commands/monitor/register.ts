import { type Command, InvalidArgumentError } from 'commander';
import type { Context } from '../../context.js';
import { prometheusRules } from '../../monitor/alerts/prometheus-rules.js';
import { dashboard } from '../../monitor/dashboard.js';
import { type MonitorCommandOptions, monitorCommand } from './monitor.js';

const collect = (value: string, list: string[] = []) => [...list, value];

function seconds(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 3600)
    throw new InvalidArgumentError('A whole number of seconds from 1 to 3600 is needed.');
  return value;
}

/** `redkeep monitor`: watches servers, and answers Prometheus. */
export function register(program: Command, context: Context): void {
  const monitor = program
    .command('monitor')
    .description('watch servers for attacks and faults: metrics for Prometheus, alerts, a live page')
    .argument('[url...]', 'servers by URL (default: the deployment of --dir, or REDIS_ADDR)')
    .option(
      '-d, --dir <folder>',
      "a deployment's folder; several make a fleet (default: here, else ./redkeep)",
      collect,
    )
    .option('--user <name>', 'user of servers that are named by URL')
    .option('--password-file <file>', "file with the user's password")
    .option('--ca <file>', 'CA certificate that the servers must verify against')
    .option('--cert <file>', 'client certificate')
    .option('--key <file>', "the client certificate's key")
    .option('--listen <address>', 'address and port of the metrics', '127.0.0.1:9121')
    .option('--interval <seconds>', 'time between two rounds', seconds, 15)
    .option('--security-only', 'only redkeep_* metrics, for use beside redis_exporter')
    .option('--page', 'serve the live page as well; its password is made and its file is named')
    .option(
      '--receivers <file>',
      'where alerts are sent: Slack, e-mail, PagerDuty, webhook, Alertmanager (YAML or JSON)',
    )
    .option(
      '--network <cidr>',
      'a network that clients may come from (default: those of the deployment, else learned)',
      collect,
    )
    .option('--allow-replica <address>', 'a replica that is not a node, such as an archiver', collect)
    .option('--audit-report <file>', 'report.json of the last audit, for its grade')
    .option('--state <file>', 'what is remembered over a restart (default: monitor/state.json of the first deployment)')
    .option('--token-file <file>', 'scrapes must carry this token (Authorization: Bearer)')
    .option('--tls-cert <file>', 'certificate of the HTTPS server')
    .option('--tls-key <file>', 'its key')
    .option('--host-name <name>', 'a name under which the server may be called', collect)
    .option('--insecure-http', 'serve other machines without TLS')
    .option('--otlp <url>', 'push the metrics to an OpenTelemetry collector as well (OTLP/HTTP)')
    .option('--once', 'one round: print the alerts that hold and end; exit code 1 when there are some')
    .option('--json', 'with --once: print JSON')
    .addHelpText(
      'after',
      `
Examples:
  redkeep monitor --dir shop --receivers receivers.yaml
  redkeep monitor --dir shop --security-only --page
  redkeep monitor rules > /etc/prometheus/redkeep.rules.yml
  redkeep monitor rediss://db1:6379 --user monitoring --password-file monitoring.password --ca ca.crt

Exit codes: 0 ended by a signal, or --once without alerts; 1 --once with alerts; 2 wrong use; 4 the port is taken.`,
    )
    .action((urls: string[], options: MonitorCommandOptions) => monitorCommand(context, urls, options));
  monitor
    .command('rules')
    .description('print the alert rules for Prometheus')
    .action(() => context.terminal.line(prometheusRules().trimEnd()));
  monitor
    .command('dashboard')
    .description('print a dashboard for Grafana')
    .action(() => context.terminal.line(dashboard().trimEnd()));
}
