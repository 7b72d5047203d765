import { need } from '../../facts/fact.js';
import { failEach, type SystemCheck } from '../check.js';
import { run } from '../fix.js';

export const host002: SystemCheck = {
  id: 'HOST-002',
  title: 'The service is not sandboxed',
  cvss: 'AV:L/AC:L/PR:N/UI:N/S:U/C:L/I:L/A:N',
  why: 'Ten lines of systemd sandboxing keep a compromised server away from the rest of the host.',
  passes: 'NoNewPrivileges, ProtectSystem=strict, ProtectHome, PrivateTmp, PrivateDevices, ReadWritePaths, UMask=0077',
  maps: 'CTR',
  from: 'production',
  judgeAll(facts) {
    const units = need(facts.project.units);
    const wanted: Readonly<Record<string, RegExp>> = {
      NoNewPrivileges: /^(yes|true|1|on)$/,
      ProtectSystem: /^strict$/,
      ProtectHome: /^(yes|true|1|on|tmpfs|read-only)$/,
      PrivateTmp: /^(yes|true|1|on)$/,
      PrivateDevices: /^(yes|true|1|on)$/,
      ReadWritePaths: /./,
      UMask: /^0?077$/,
    };
    return failEach(
      units.flatMap((unit) => {
        const missing = Object.entries(wanted)
          .filter(([name, good]) => !good.test(unit.settings[name] ?? ''))
          .map(([name]) => name);
        return missing.length === 0
          ? []
          : [
              {
                about: unit.name,
                evidence: `${unit.name}: ${missing.join(', ')}`,
                fix: [run(`systemctl edit ${unit.name}`, `systemctl revert ${unit.name}`)],
                at: unit.at,
              },
            ];
      }),
      units.map((unit) => unit.name).join(', '),
    );
  },
};
