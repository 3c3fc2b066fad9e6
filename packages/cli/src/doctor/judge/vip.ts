import { type Finding, findings } from '../finding.ts';

/** What moves the virtual addresses, and what Limpet says to it. */
export interface Vip {
  readonly addresses: readonly string[];
  readonly trackFile: FileSeen;
  readonly notifyFifo: FileSeen;
  /** `2.2.7`; null: not installed. */
  readonly keepalived: string | null;
  /** `/etc/keepalived/keepalived.conf`: its text; null: there is none. */
  readonly conf: { readonly path: string; readonly text: string | null; readonly trouble: string | null };
  /** What `keepalived -t` says against it; null: nothing, or it could not be asked. */
  readonly confTrouble: string | null;
  /** `/etc/limpet/vip.yaml` is there. */
  readonly hasOwn: boolean;
  /** Programs that `limpet vip` calls, and whether each is there. */
  readonly tools: readonly {
    readonly name: string;
    readonly isThere: boolean;
    readonly isNeeded: boolean;
    readonly from: string;
  }[];
}

export interface FileSeen {
  readonly path: string;
  /** Null: it is not there, or may not be looked at. */
  readonly kind: 'file' | 'fifo' | 'other' | null;
  readonly text: string | null;
}

const { ok, note, warning, problem } = findings('virtual address');

/** VRRP 3, `nopreempt` and track files are as they must be from here on. */
const OLDEST = [2, 0] as const;

export function judgeVip(vip: Vip): Finding[] {
  if (vip.addresses.length === 0) return [];
  const mover = vip.hasOwn ? ownFindings(vip) : keepalivedFindings(vip);
  return [...mover, ...trackFindings(vip.trackFile), ...fifoFindings(vip.notifyFifo)];
}

function ownFindings({ tools }: Vip): Finding[] {
  const missing = tools.filter(({ isThere }) => !isThere);
  if (missing.length === 0) return [ok(`limpet vip has all it calls: ${tools.map(({ name }) => name).join(', ')}`)];
  return missing.map(({ name, from, isNeeded }) =>
    (isNeeded ? problem : note)(`limpet vip calls ${name}, which is not installed`, `apt-get install ${from}`),
  );
}

function keepalivedFindings(vip: Vip): Finding[] {
  const { keepalived: version, conf } = vip;
  const make = `limpet keepalived --help says how it is made`;
  if (version === null)
    return [
      problem(
        'nobody moves it: keepalived is not installed, and there is no /etc/limpet/vip.yaml for limpet vip',
        'apt-get install keepalived, or see docs/vip.md',
      ),
    ];
  const found = [versionFinding(version)];
  if (conf.text === null)
    return [
      ...found,
      conf.trouble === null
        ? problem(`there is no ${conf.path}`, make)
        : note(`${conf.path} cannot be read: ${conf.trouble}`),
    ];
  if (vip.confTrouble !== null) found.push(problem(`keepalived -t refuses ${conf.path}: ${vip.confTrouble}`, make));
  const wrong = confFindings(conf.text, vip);
  return [...found, ...(wrong.length === 0 && vip.confTrouble === null ? [ok(`${conf.path} is right`)] : wrong)];
}

function versionFinding(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isOld = major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);
  return isOld
    ? problem(
        `keepalived ${version} is older than ${OLDEST.join('.')}, which track files need`,
        'apt-get install keepalived from a newer release; 2.2.7 is known to work',
      )
    : ok(`keepalived ${version}`);
}

/** What is written for Limpet to work with it. Comments do not count. */
function confFindings(text: string, { addresses, trackFile, notifyFifo, conf }: Vip): Finding[] {
  const lines = text
    .split('\n')
    .map(line => line.replace(/[!#].*$/, '').trim())
    .filter(line => line !== '');
  const says = (pattern: RegExp): boolean => lines.some(line => pattern.test(line));
  const names = (what: string): boolean => lines.some(line => line.includes(what));
  const missing = addresses.filter(address => !lines.some(line => line.split(/[\s/]+/)[0] === address));
  return [
    ...missing.map(address =>
      problem(`${conf.path} does not move ${address} (global.vip)`, `virtual_ipaddress { ${address}/… } in it`),
    ),
    ...(says(/^vrrp_version\s+3$/) || says(/^version\s+3$/)
      ? []
      : [
          warning(
            `${conf.path} does not say version 3: below a second VRRP 2 rounds up`,
            'vrrp_version 3 under global_defs',
          ),
        ]),
    ...(says(/^nopreempt$/)
      ? []
      : [
          warning(
            `${conf.path} does not say nopreempt: the address moves back when the first host returns, and all clients with it`,
            'nopreempt, and state BACKUP on both hosts',
          ),
        ]),
    ...(names(trackFile.path)
      ? []
      : [
          problem(
            `${conf.path} does not watch ${trackFile.path}: a dead Limpet keeps the address`,
            `track_file in it, or global: { vip: { track_file: … } }`,
          ),
        ]),
    ...(names(notifyFifo.path)
      ? []
      : [
          problem(
            `${conf.path} does not write to ${notifyFifo.path}: Limpet learns late that it is standby`,
            'vrrp_notify_fifo in it',
          ),
        ]),
  ];
}

function trackFindings({ path, kind, text }: FileSeen): Finding[] {
  if (kind === null)
    return [warning(`${path} is not there: Limpet makes it when it runs with global.vip`, 'systemctl start limpet')];
  if (kind !== 'file') return [problem(`${path} is no file`, `rm ${path}, and restart Limpet`)];
  if (text === null) return [note(`${path} may not be read`)];
  return [
    text.trim() === '0'
      ? ok(`${path} says that this proxy is ready`)
      : note(`${path} says that this proxy is not ready (${text.trim().slice(0, 20)}): the address does not come here`),
  ];
}

function fifoFindings({ path, kind }: FileSeen): Finding[] {
  if (kind === 'fifo') return [ok(`${path} is a FIFO`)];
  if (kind === null)
    return [warning(`${path} is not there: Limpet makes it when it runs with global.vip`, 'systemctl start limpet')];
  return [
    problem(`${path} is no FIFO, so Limpet does not hear when it becomes standby`, `rm ${path}, and restart Limpet`),
  ];
}
