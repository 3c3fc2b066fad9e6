import { checkListens } from './check_listens.ts';
import { namesInOrder, problemAt } from './locate.ts';
import type { Notes } from './notes.ts';
import type { Problem } from './problem.ts';
import { adminListens } from './resolve_admin.ts';
import { resolveBackend } from './resolve_backend.ts';
import { listensOf, resolveFrontend } from './resolve_frontend.ts';
import { resolveLog } from './resolve_log.ts';
import { warnOfLoops } from './resolve_loops.ts';
import { checkLeads, type Lead, leadsOf, modeOf } from './resolve_mode.ts';
import { type RelayMachine, warnOfRelay } from './resolve_relay.ts';
import { resolveRuntimeApi } from './resolve_runtime_api.ts';
import { checkSources } from './resolve_source.ts';
import { resolveState } from './resolve_state.ts';
import { resolveStats } from './resolve_stats.ts';
import { checkTickets } from './resolve_tls.ts';
import { checkUse } from './resolve_use.ts';
import { resolveVip, warnOfLoneMemory, warnOfVirtualBinds } from './resolve_vip.ts';
import type { Config, GlobalConfig } from './resolved.ts';
import type { RawGlobal } from './schema/global.ts';
import type { RawConfig } from './schema/root.ts';
import type { Tree } from './tree.ts';

/** What the configuration takes from the machine that it is read on. */
export interface Machine extends RelayMachine {
  readonly hostname: string;
  readonly cpus: number;
  /** As its interfaces have them now. */
  readonly addresses: readonly string[];
}

export interface Resolved {
  readonly config: Config;
  readonly problems: readonly Problem[];
  /** What may be meant, but is probably not. */
  readonly warnings: readonly Problem[];
}

/** The host's name as a name in the shared state, where only letters, digits and `_.-` may stand. */
function proxyName(hostname: string): string {
  return hostname.replaceAll(/[^A-Za-z0-9_.-]/g, '-').slice(0, 64) || 'limpet';
}

function cpuMapOf(raw: RawGlobal['cpu_map'], { allowedCpus }: Machine): GlobalConfig['cpuMap'] {
  return raw === 'auto' ? allowedCpus.map(cpu => [cpu]) : (raw ?? null);
}

function resolveGlobal(raw: RawGlobal, machine: Machine, notes: Notes): GlobalConfig {
  return {
    name: raw.name ?? proxyName(machine.hostname),
    workers: raw.workers === 'auto' ? Math.max(1, machine.cpus) : raw.workers,
    relay: raw.relay,
    cpuMap: cpuMapOf(raw.cpu_map, machine),
    maxconn: raw.maxconn,
    hardStopAfterMs: raw.hard_stop_after,
    prereadMemoryBytes: raw.preread_memory,
    resolveEveryMs: raw.resolve_every,
    log: resolveLog(raw.log, notes),
    tls: {
      ticketSecret: raw.tls.ticket_secret ?? null,
      ticketRotateMs: raw.tls.ticket_rotate,
      maxHandshakes: raw.tls.max_handshakes,
      handshakeQueue: raw.tls.handshake_queue,
    },
    runtimeApi: resolveRuntimeApi(raw.runtime_api ?? [], notes),
    stats: raw.stats === undefined ? null : resolveStats(raw.stats, notes),
    vip: raw.vip === undefined ? null : resolveVip(raw.vip, notes),
  };
}

/** Goes through a mapping of names in the order in which it was written. */
function inOrder<Raw, T>(
  section: 'frontends' | 'backends',
  parts: Readonly<Record<string, Raw>>,
  notes: Notes,
  each: (name: string, raw: Raw) => T,
): readonly T[] {
  return namesInOrder(notes.tree, [section], Object.keys(parts)).flatMap(name => {
    const raw = parts[name];
    return raw === undefined ? [] : [each(name, raw)];
  });
}

function checkSections(config: Config, leads: readonly Lead[], notes: Notes): void {
  const frontends = notes.tree.value?.frontends;
  if (typeof frontends === 'object' && frontends !== null && Object.keys(frontends).length === 0) {
    const remedy = 'Add at least one, with `bind` and `default_backend`.';
    notes.problems.push(problemAt(notes.tree, ['frontends'], 'key', '`frontends`: there is no frontend', remedy));
  }
  for (const { name } of config.backends) {
    if (leads.some(lead => lead.backend === name)) continue;
    const remedy = 'Name it in a frontend, as `default_backend` or in `routes`, or remove it.';
    const message = `\`backends.${name}\`: no frontend uses this backend`;
    notes.warnings.push(problemAt(notes.tree, ['backends', name], 'key', message, remedy));
  }
}

/** Where a configuration was read; absolute. */
export interface Sources {
  /** The file or folder that was named. */
  readonly path: string;
  readonly files: readonly string[];
}

/** Makes the configuration of what was written, and checks that its parts fit together. */
export function resolveConfig(raw: RawConfig, tree: Tree, sources: Sources, machine: Machine): Resolved {
  const notes: Notes = { tree, problems: [], warnings: [] };
  const leads = leadsOf(raw.frontends);
  checkLeads(leads, notes);
  const { defaults } = raw;
  const global = resolveGlobal(raw.global, machine, notes);
  const config: Config = {
    ...sources,
    global,
    state: resolveState(raw.state, notes),
    frontends: inOrder('frontends', raw.frontends, notes, (name, part) =>
      resolveFrontend(name, part, { global, defaults }, notes),
    ),
    backends: inOrder('backends', raw.backends, notes, (name, part) =>
      resolveBackend(name, part, { defaults, mode: modeOf(name, leads) }, notes),
    ),
  };
  checkListens([...listensOf(config.frontends, notes), ...adminListens(global, notes)], notes);
  checkSections(config, leads, notes);
  checkUse(config, leads, notes);
  warnOfLoops(config, notes);
  warnOfRelay(global, machine, notes);
  checkSources(config, machine.addresses, notes);
  warnOfVirtualBinds(config, notes);
  warnOfLoneMemory(config, notes);
  const hasTls = config.frontends.some(({ binds }) => binds.some(bind => bind.tls !== null));
  checkTickets(raw.global.tls, config.state, hasTls, notes);
  return { config, problems: notes.problems, warnings: notes.warnings };
}
