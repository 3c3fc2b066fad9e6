/**
 * The page of the configuration, made from the schema: `scripts/config-reference.mjs` writes it, and a test holds that
 * the committed page is what the schema says. Nothing that runs needs this file.
 */
import type { z } from 'zod';
import { rootSchema } from './schema/root.ts';
import { hasNames, mappingOf, partsOf, unwrap } from './schema/walk.ts';

type Schema = z.core.$ZodType;

const INTRODUCTION = `<!-- Made by scripts/config-reference.mjs from packages/proxy/src/config/schema: change it there. -->

# Configuration

\`limpet run -c PATH\` reads one YAML file, or all \`*.yaml\` and \`*.yml\` files of a folder in the order of their names.
\`limpet check -c PATH\` says what is wrong with it, with file, line, column and what would be right, and starts nothing.

\`\`\`yaml
frontends:
  mqtt:
    bind: "*:1883"
    default_backend: emqx
backends:
  emqx:
    servers:
      emqx1: 10.0.0.1:1883
      emqx2: 10.0.0.2:1883
\`\`\`

That is a whole configuration: clients are stuck to their broker by client id, brokers are checked over MQTT, and new
clients go to them in turn. More examples: [sticky](../deploy/config/sticky.yaml),
[round robin](../deploy/config/roundrobin.yaml), [weights](../deploy/config/weighted.yaml),
[fewest connections](../deploy/config/leastconn.yaml), [by address](../deploy/config/source.yaml),
[PROXY protocol](../deploy/config/proxy-protocol.yaml), [checks over HTTP](../deploy/config/health-http.yaml),
[two proxies with Redis](../deploy/config/redis.yaml), [behind DNS](../deploy/config/dns-pair.yaml),
[behind a virtual address](../deploy/config/vip-pair.yaml), [source addresses](../deploy/config/source-addresses.yaml), [TLS](../deploy/config/tls.yaml),
[certificates of clients](../deploy/config/mutual-tls.yaml), [WebSocket](../deploy/config/websocket.yaml),
[a dashboard](../deploy/config/tcp-dashboard.yaml), [by server name](../deploy/config/sni.yaml),
[limits](../deploy/config/limits.yaml), [operators](../deploy/config/operate.yaml), [rules](../deploy/config/routes.yaml), and a folder
([global](../deploy/config/folder/10-global.yaml), [devices](../deploy/config/folder/20-devices.yaml),
[tenants](../deploy/config/folder/30-tenants.yaml)).

- **Nothing is ignored.** An unknown key, a wrong unit, or a reference to nothing is an error.
- **Durations** are whole numbers with a unit: \`250ms\`, \`10s\`, \`30m\`, \`1h\`, \`1d\`. A bare number is milliseconds, as in HAProxy.
- **Sizes** are bytes: \`100k\`, \`16KiB\`, \`64MiB\`. \`k\` is 1024, as in HAProxy.
- **Rates** are \`500/s\`, \`30000/m\` or \`100/h\`. **Networks** are \`10.0.0.0/8\`, \`2001:db8::/32\`, or one address.
- **Names** of frontends, backends and servers have 1 to 64 letters, digits, and the characters \`_\` \`.\` and \`-\`.
- **The environment**: \`\${NAME}\` in a value becomes the variable, which must be set; \`\${NAME:-default}\` the default where it
  is unset or empty; \`$\${\` is a literal \`\${\`. It is replaced after the YAML has been read, so a variable never adds a key.
- **A folder**: the sections may be spread over files. The same frontend, backend, or key of a section in two files is an error.
- **Paths** that are relative begin at the folder of the file that names them. Files of TLS must be there and readable, and the folder of
  a log file must be there.
- **Secrets** (passwords, also their hashes and those in a URL, and the ticket secret) appear in no error and no log.
`;

const SECTIONS: ReadonlyArray<readonly [key: string, title: string]> = [
  ['global', 'global'],
  ['state', 'state'],
  ['defaults', 'defaults'],
  ['frontends', 'frontends.NAME'],
  ['backends', 'backends.NAME'],
];

type Row = readonly [key: string, value: string, standard: string, meaning: string];

const HEAD: Row = ['key', 'value', 'default', 'meaning'];

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

function defaultOf(schema: Schema): string {
  const { doc, standard, optional } = unwrap(schema);
  if (doc?.standard !== undefined) return doc.standard;
  if (typeof standard === 'object' || standard === undefined) return optional ? '' : '**required**';
  return `\`${String(standard)}\``;
}

/** The rows of a key and of what is below it. A mapping that has been written out before is not repeated. */
function rowsOf(name: string, schema: Schema, written: Set<Schema>): readonly Row[] {
  const { doc } = unwrap(schema);
  const row: readonly Row[] = doc === null ? [] : [[`\`${name}\``, doc.type, defaultOf(schema), doc.meaning]];
  const parts = partsOf(schema);
  const mapping = mappingOf(schema);
  if (mapping !== null && !written.has(mapping)) {
    written.add(mapping);
    return [...row, ...rowsBelow(`${name}.`, mapping, written)];
  }
  if (mapping !== null || parts === null || mappingOf(parts) === null) return row;
  const below = hasNames(schema) ? `${name}.NAME` : `${name}[]`;
  return [...row, ...rowsBelow(`${below}.`, parts, written)];
}

function rowsBelow(prefix: string, schema: Schema, written: Set<Schema>): readonly Row[] {
  const shape = mappingOf(schema)?.shape ?? {};
  return Object.entries(shape).flatMap(([key, inner]) => rowsOf(`${prefix}${key}`, inner, written));
}

/** A table with its columns in line, as the formatter of this repository writes one. */
function table(rows: readonly Row[]): readonly string[] {
  const cells = [HEAD, ...rows].map(row => row.map(cell));
  const widths = HEAD.map((_, column) => Math.max(...cells.map(row => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((text, at) => text.padEnd(widths[at] ?? 0)).join(' | ')} |`;
  const [head = [], ...body] = cells;
  return [line(head), line(widths.map(width => '-'.repeat(width))), ...body.map(line)];
}

function section(key: string, title: string): string {
  const schema: Schema | undefined = mappingOf(rootSchema)?.shape[key];
  if (schema === undefined) return '';
  const parts = partsOf(schema);
  const { doc } = unwrap(parts ?? schema);
  const rows = rowsBelow('', parts ?? schema, new Set());
  return [`## ${title}`, '', doc?.meaning ?? '', '', ...table(rows), ''].join('\n');
}

/** The whole page, as Markdown. */
export function renderReference(): string {
  return [INTRODUCTION, ...SECTIONS.map(([key, title]) => section(key, title))].join('\n');
}
