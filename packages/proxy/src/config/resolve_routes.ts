import { isHostName } from './address.ts';
import { valueAt } from './locate.ts';
import { type Notes, noteKey, noteValue } from './notes.ts';
import type { BindConfig, RouteCondition, RouteConfig, RouteField, SniRouteConfig } from './resolved.ts';
import type { RawMatcher, RawRoute, RawWhen, TextField } from './schema/routes.ts';
import type { Path } from './tree.ts';

const TEXT_FIELDS: readonly TextField[] = ['client_id', 'username', 'sni', 'path', 'cert_cn'];

/** What a bind must have so that a client can have the field. */
interface Need {
  readonly isMet: (bind: BindConfig) => boolean;
  readonly what: string;
  readonly remedy: string;
}

const NEEDS: Partial<Record<RouteField, Need>> = {
  sni: {
    isMet: bind => bind.tls !== null || isToldByProxy(bind),
    what: 'has `tls` or `accept_proxy`',
    remedy: 'Add `tls` to a bind.',
  },
  path: { isMet: bind => bind.websocket !== null, what: 'has `websocket`', remedy: 'Add `websocket` to a bind.' },
  cert_cn: {
    isMet: mayHaveCertificate,
    what: 'asks for certificates',
    remedy: 'Add `client_ca` to `tls` of a bind.',
  },
};

/** A peer that ended TLS itself tells of the server name and of the certificate in its PROXY header. */
function isToldByProxy({ acceptProxy }: BindConfig): boolean {
  return acceptProxy.length > 0;
}

/** Whether clients of a bind may have a certificate. */
export function mayHaveCertificate(bind: BindConfig): boolean {
  const { tls } = bind;
  return isToldByProxy(bind) || (tls !== null && tls.clientCa !== null && tls.verify !== 'none');
}

/** Why no client could ever have such a value in this field. */
function impossible(field: TextField, value: string, isWhole: boolean): readonly [what: string, remedy: string] | null {
  if (field === 'path' && !value.startsWith('/'))
    return ['{value} does not begin with /', 'Write it with its /: /mqtt.'];
  if (field !== 'sni' || (isWhole ? isHostName(value) : /^[A-Za-z0-9_.-]+$/.test(value))) return null;
  const remedy = "Write a host name; for several, a list, or { regex: '[.]example[.]com$' }.";
  return ['{value} is no host name', remedy];
}

function checkValues(
  field: TextField,
  path: Path,
  key: 'exact' | 'prefix',
  values: readonly string[],
  notes: Notes,
): void {
  const short = key === 'exact' && typeof valueAt(notes.tree, [...path, key]) === 'undefined';
  const at = short ? path : [...path, key];
  const isList = Array.isArray(valueAt(notes.tree, at));
  for (const [index, value] of values.entries()) {
    const fault = impossible(field, value, key === 'exact');
    if (fault !== null) noteValue(isList ? [...at, index] : at, ...fault, notes);
  }
}

function textCondition(field: TextField, matcher: RawMatcher, path: Path, notes: Notes): RouteCondition {
  const { exact = [], prefix = [], regex = [] } = matcher;
  checkValues(field, path, 'exact', exact, notes);
  checkValues(field, path, 'prefix', prefix, notes);
  if (exact.length + prefix.length + regex.length === 0) {
    noteValue(path, 'nothing is compared', 'Write `exact`, `prefix` or `regex` in it.', notes);
  }
  // Host names are compared in lower case (RFC 4343), as they come out of the handshake.
  const cased = (values: readonly string[]) => (field === 'sni' ? values.map(value => value.toLowerCase()) : values);
  return { field, exact: cased(exact), prefixes: cased(prefix), patterns: regex, cidrs: [] };
}

function conditionsOf(when: RawWhen, path: Path, notes: Notes): readonly RouteCondition[] {
  const nothing = { exact: [], prefixes: [], patterns: [], cidrs: [] };
  const conditions: RouteCondition[] = TEXT_FIELDS.flatMap(field => {
    const matcher = when[field];
    return matcher === undefined ? [] : [textCondition(field, matcher, [...path, field], notes)];
  });
  if (when.source !== undefined) conditions.push({ ...nothing, field: 'source', cidrs: when.source });
  if (when.version !== undefined) conditions.push({ ...nothing, field: 'version', exact: when.version });
  return conditions;
}

function actionOf(raw: RawRoute, path: Path, notes: Notes): RouteConfig['action'] {
  if (raw.backend !== undefined && raw.refuse !== undefined) {
    noteKey([...path, 'refuse'], 'the rule has a `backend` too', 'Remove one of them.', notes);
  }
  if (raw.backend !== undefined) return { backend: raw.backend };
  if (raw.refuse !== undefined) return { refuse: raw.refuse };
  noteKey(path, 'the rule says nothing of its clients', 'Add `backend`, or `refuse`.', notes);
  return { refuse: 'server_unavailable' };
}

/** The rules of a frontend. Rules that could never hold, or never be reached, are noted. */
export function resolveRoutes(
  raw: readonly RawRoute[],
  path: Path,
  binds: readonly BindConfig[],
  notes: Notes,
): readonly RouteConfig[] {
  return raw.map((route, index) => {
    const at = [...path, index];
    const when = conditionsOf(route.when, [...at, 'when'], notes);
    for (const { field } of when) {
      const need = NEEDS[field];
      if (need === undefined || binds.some(need.isMet)) continue;
      const what = `no bind of the frontend ${need.what}, so it never holds`;
      noteKey([...at, 'when', field], what, need.remedy, notes);
    }
    if (when.length === 0 && index < raw.length - 1) {
      const remedy = 'Add a condition, or make it the last rule.';
      noteValue([...at, 'when'], 'it always holds, so the rules behind it are never reached', remedy, notes);
    }
    return { when, action: actionOf(route, at, notes) };
  });
}

/** `sni_routes`: lower case, exact names and `*.` names alike. */
export function resolveSniRoutes(
  raw: Readonly<Record<string, string>>,
  path: Path,
  notes: Notes,
): readonly SniRouteConfig[] {
  const seen = new Set<string>();
  return Object.entries(raw).map(([written, backend]) => {
    const host = written.toLowerCase();
    if (!isHostName(host.replace(/^\*\./, '')) || host.endsWith('.')) {
      const remedy = 'Write a host name, dash.example.com, or one with a star before it, *.example.com.';
      noteKey([...path, written], 'this is no host name', remedy, notes);
    } else if (seen.has(host)) {
      noteKey([...path, written], 'the name stands twice', 'Remove one of them.', notes);
    }
    seen.add(host);
    return { host, backend };
  });
}
