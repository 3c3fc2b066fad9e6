import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type YAMLMap,
} from 'yaml';
import { expand } from './environment.ts';
import { isHaproxy } from './haproxy.ts';
import type { Problem } from './problem.ts';
import { HAPROXY_FILE, unquotedBind, yamlFault, yamlFaultAt } from './yaml_errors.ts';

export type Path = readonly PropertyKey[];

/** Where one key or item stands in the files. */
export interface Place {
  readonly file: string;
  readonly key: Position;
  readonly value: Position;
  /** The text in the file, where the environment has changed it: shown in errors in place of the value. */
  readonly written: string | null;
  /** Whether some of the value came out of the environment: it may be a secret. Defaults did not. */
  readonly foreign: boolean;
  /** Grows in the order of reading, over all files. */
  readonly order: number;
}

interface Position {
  readonly line: number;
  readonly column: number;
}

/** A file as plain data, and the place of every part of it. `value` is null where the file could not be read at all. */
export interface Tree {
  readonly value: Readonly<Record<string, unknown>> | null;
  readonly places: ReadonlyMap<string, Place>;
  readonly problems: readonly Problem[];
  /** Where something is missing that nothing written stands above. */
  readonly start: Position & { readonly file: string };
}

/** Far above any real configuration; what is beyond is an alias bomb. */
const MAX_NODES = 100_000;
const MAX_ALIASES = 1_000;
/** One mistake in YAML often makes the parser stumble again behind it: the first ones are the ones to mend. */
const MAX_YAML_FAULTS = 3;
const MAX_DEPTH = 16;
/** More than a file can be long, so that the places of a later file come behind those of an earlier one. */
const FILE_STRIDE = 2 ** 32;

interface Walk {
  readonly file: string;
  readonly firstOrder: number;
  readonly env: NodeJS.ProcessEnv;
  readonly document: Document;
  readonly lines: LineCounter;
  readonly places: Map<string, Place>;
  readonly problems: Problem[];
  nodes: number;
  aliases: number;
}

/** The name of a path in `places`. */
export function placeKey(path: Path): string {
  return JSON.stringify(path.map(String));
}

function isTooMuch(walk: Walk): boolean {
  return walk.nodes > MAX_NODES || walk.aliases > MAX_ALIASES;
}

function positionAt(walk: Walk, offset: number): Position {
  const { line, col } = walk.lines.linePos(offset);
  return { line, column: col };
}

function startOf(node: unknown): number {
  return (node as Node | null)?.range?.[0] ?? 0;
}

function report(walk: Walk, at: Position, message: string, remedy: string): void {
  walk.problems.push({ file: walk.file, ...at, message, remedy });
}

interface Expanded extends Pick<Place, 'written' | 'foreign'> {
  readonly text: string;
}

function expandText(text: string, at: Position, walk: Walk): Expanded {
  const expansion = expand(text, walk.env);
  if (expansion.ok) {
    return { text: expansion.text, written: expansion.used ? text : null, foreign: expansion.foreign };
  }
  report(walk, at, expansion.message, expansion.remedy);
  return { text, written: text, foreign: true };
}

/** One key or item: notes its place, and gives its plain value. */
function convertAt(node: unknown, keyOffset: number, path: Path, walk: Walk): unknown {
  if (isAlias(node)) walk.aliases += 1;
  if (isTooMuch(walk)) return null;
  const target = isAlias(node) ? node.resolve(walk.document) : node;
  const key = positionAt(walk, keyOffset);
  const empty = target === undefined || target === null || (isScalar(target) && target.value === null);
  const value = empty && !isAlias(node) ? key : positionAt(walk, startOf(node));
  if (isAlias(node) && target === undefined) {
    const fault = /^:\d+$/.test(node.source) ? unquotedBind(`*${node.source}`) : yamlFault('BAD_ALIAS');
    report(walk, value, fault.message, fault.remedy);
  }
  // What was meant as text: an empty value would be told as a second mistake.
  let plain: unknown = isAlias(node) && target === undefined ? `*${node.source}` : undefined;
  let written: string | null = null;
  let foreign = false;
  if (isScalar(target) && typeof target.value === 'string') {
    ({ text: plain, written, foreign } = expandText(target.value, value, walk));
  }
  const order = walk.firstOrder + keyOffset;
  walk.places.set(placeKey(path), { file: walk.file, key, value, written, foreign, order });
  return plain ?? convert(target, path, walk);
}

function convert(node: unknown, path: Path, walk: Walk): unknown {
  walk.nodes += path.length > MAX_DEPTH ? MAX_NODES : 1;
  if (isTooMuch(walk)) return null;
  if (isMap(node)) return convertMap(node, path, walk);
  if (isSeq(node)) return node.items.map((item, index) => convertAt(item, startOf(item), [...path, index], walk));
  return isScalar(node) ? node.value : null;
}

function convertMap(map: YAMLMap, path: Path, walk: Walk): Record<string, unknown> {
  const mapping: Record<string, unknown> = {};
  for (const pair of map.items) {
    const key = String(isScalar(pair.key) ? pair.key.value : pair.key);
    const offset = startOf(pair.key);
    const first = Object.hasOwn(mapping, key) ? walk.places.get(placeKey([...path, key])) : undefined;
    if (first !== undefined) {
      const remedy = `Remove or rename one of them; the first stands on line ${first.key.line}.`;
      report(walk, positionAt(walk, offset), `\`${key}\` stands twice in one mapping`, remedy);
    } else if (key === '__proto__') {
      report(walk, positionAt(walk, offset), '`__proto__` cannot be a name', 'Choose another name.');
    } else {
      mapping[key] = convertAt(pair.value, offset, [...path, key], walk);
    }
  }
  return mapping;
}

function convertRoot(walk: Walk): Tree['value'] {
  const root = walk.document.contents;
  const start = { line: 1, column: 1 };
  if (root === null || (isScalar(root) && root.value === null)) {
    report(walk, start, 'The file is empty', 'Write at least one frontend and one backend, or remove the file.');
    return null;
  }
  if (!isMap(root)) {
    report(
      walk,
      positionAt(walk, startOf(root)),
      'The file is not a mapping',
      'Begin with `frontends:` and `backends:`.',
    );
    return null;
  }
  const value = convertMap(root, [], walk);
  if (!isTooMuch(walk)) return value;
  const remedy = 'Use fewer aliases, none inside its own anchor, and no more than 10 levels.';
  report(walk, start, 'The file is too deep, or its aliases multiply it', remedy);
  return null;
}

/** Reads one file's text. `index` is its number among the files read. */
export function readTree(file: string, index: number, text: string, env: NodeJS.ProcessEnv): Tree {
  const lines = new LineCounter();
  // Duplicate keys are ours to find, so that the error can name both places; and pretty errors would quote the file.
  const options = {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: false,
    stringKeys: true,
    resolveKnownTags: false,
  };
  const document = parseDocument(text, { ...options, logLevel: 'error' });
  const places = new Map<string, Place>();
  const walk: Walk = {
    file,
    firstOrder: index * FILE_STRIDE,
    env,
    document,
    lines,
    places,
    problems: [],
    nodes: 0,
    aliases: 0,
  };
  for (const error of [...document.errors, ...document.warnings].slice(0, MAX_YAML_FAULTS)) {
    const at = positionAt(walk, error.pos[0]);
    const fault = yamlFaultAt(error.code, text.split('\n')[at.line - 1] ?? '');
    report(walk, at, fault.message, fault.remedy);
  }
  const value = walk.problems.length > 0 ? null : convertRoot(walk);
  const start = { file, line: 1, column: 1 };
  const problems = value === null && isHaproxy(text) ? [{ ...start, ...HAPROXY_FILE }] : walk.problems;
  return { value, places, problems, start };
}
