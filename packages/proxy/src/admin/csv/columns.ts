/**
 * The columns of HAProxy's statistics, in the fixed order of its management manual (9.1) up to the `-` that ends it. Behind
 * each name are its tags in the typed output (9.2: origin, nature, scope) and its type.
 */
const TABLE = `
pxname KNS str|svname KNS str|qcur MGP u32|qmax MMP u32|scur MGP u32|smax MMP u32|slim CLP u32|stot MCP u64
bin MCP u64|bout MCP u64|dreq MCP u64|dresp MCP u64|ereq MCP u64|econ MCP u64|eresp MCP u64|wretr MCP u64
wredis MCP u64|status SGP str|weight MaP u32|act SGP u32|bck SGP u32|chkfail MCP u64|chkdown MCP u64|lastchg MAP u32
downtime MCP u32|qlimit CLS u32|pid KGP u32|iid KGS u32|sid KGS u32|throttle MGP u32|lbtot MCP u64|tracked CGS str
type CGS u32|rate MRP u32|rate_lim CLP u32|rate_max MMP u32|check_status MOP str|check_code MOP u32
check_duration MDP u64|hrsp_1xx MCP u64|hrsp_2xx MCP u64|hrsp_3xx MCP u64|hrsp_4xx MCP u64|hrsp_5xx MCP u64
hrsp_other MCP u64|hanafail MGP str|req_rate MRP u32|req_rate_max MMP u32|req_tot MCP u64|cli_abrt MCP u64
srv_abrt MCP u64|comp_in MCP u64|comp_out MCP u64|comp_byp MCP u64|comp_rsp MCP u64|lastsess MAP s32|last_chk MOP str
last_agt MOP str|qtime MaP u32|ctime MaP u32|rtime MaP u32|ttime MaP u32|agent_status MOP str|agent_code MOP u32
agent_duration MDP u64|check_desc MOP str|agent_desc MOP str|check_rise CGS u32|check_fall CGS u32
check_health CGS u32|agent_rise CGS u32|agent_fall CGS u32|agent_health CGS u32|addr CGS str|cookie CGS str|mode CGS str
algo CGS str|conn_rate MRP u32|conn_rate_max MMP u32|conn_tot MCP u64|intercepted MCP u64|dcon MCP u64|dses MCP u64
wrew MCP u64|connect MCP u64|reuse MCP u64|cache_lookups MCP u64|cache_hits MCP u64|srv_icur MGP u32|src_ilim CLP u32
qtime_max MMP u32|ctime_max MMP u32|rtime_max MMP u32|ttime_max MMP u32|eint MCP u64|idle_conn_cur MGP u32
safe_conn_cur MGP u32|used_conn_cur MGP u32|need_conn_est MGP u32|uweight MaP u32|agg_server_status MGP u32
agg_server_check_status MGP u32|agg_check_status MGP u32|- - str`;

export interface ColumnFacts {
  readonly name: string;
  readonly tags: string;
  readonly type: string;
}

export const COLUMNS: readonly ColumnFacts[] = TABLE.trim()
  .split(/[|\n]/)
  .map(column => {
    const [name = '', tags = '', type = ''] = column.split(' ');
    return { name, tags, type };
  });

/** In a backend's row HAProxy gives these other tags. */
const BACKEND_TAGS: Readonly<Record<string, string>> = { act: 'MGP', bck: 'MGP', rate: 'MGP', rate_max: 'MGP' };

/** The tags of a column in rows of that kind. */
export function tagsOf(column: ColumnFacts, kind: 'F' | 'B' | 'S'): string {
  return (kind === 'B' ? BACKEND_TAGS[column.name] : undefined) ?? column.tags;
}

const ORIGINS: Readonly<Record<string, string>> = { M: 'Metric', S: 'Status', K: 'Key', C: 'Config', P: 'Product' };
const NATURES: Readonly<Record<string, string>> = {
  A: 'Age',
  C: 'Counter',
  D: 'Duration',
  G: 'Gauge',
  L: 'Limit',
  M: 'Max',
  N: 'Name',
  O: 'Output',
  R: 'Rate',
  S: 'Service',
  T: 'Time',
  a: 'Avg',
  m: 'Min',
};
const SCOPES: Readonly<Record<string, string>> = { C: 'Cluster', P: 'Process', S: 'Service', s: 'System' };

export interface WordedTags {
  readonly origin: string;
  readonly nature: string;
  readonly scope: string;
}

/** The tags in the words of the JSON output: `MGP` is Metric, Gauge, Process. */
export function wordedTags(tags: string): WordedTags {
  const [origin = '', nature = '', scope = ''] = tags;
  return { origin: ORIGINS[origin] ?? '', nature: NATURES[nature] ?? '', scope: SCOPES[scope] ?? '' };
}
