import { availableParallelism, hostname } from 'node:os';
import { resolve } from 'node:path';
import type { z } from 'zod';
import { localAddresses } from '../local_addresses.ts';
import { howToBuild, loadAddon } from '../native/load_addon.ts';
import { allowedCpus } from './allowed_cpus.ts';
import { type FilesRead, readFiles } from './files.ts';
import { fullWidthCauses } from './full_width.ts';
import { schemaProblems } from './issues.ts';
import { mergeTrees } from './merge.ts';
import { inReadingOrder, type Problem } from './problem.ts';
import { type Machine, type Resolved, resolveConfig, type Sources } from './resolve.ts';
import type { Config } from './resolved.ts';
import { type RawConfig, rootSchema } from './schema/root.ts';
import { readTree, type Tree } from './tree.ts';

export type LoadedConfig =
  | { readonly ok: true; readonly config: Config; readonly warnings: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Reads the file or the folder, and puts its parts together. */
function treeOf(path: string, files: Extract<FilesRead, { ok: true }>['files'], env: NodeJS.ProcessEnv): Tree {
  const trees = files.map(({ name, text }, index) => readTree(name, index, text, env));
  const [only, ...more] = trees;
  return only !== undefined && more.length === 0 && only.start.file === path ? only : mergeTrees(path, trees);
}

/** Leaves out the parts in which the schema found something, so that the rest can be checked for what belongs together. */
function withoutFaulty(tree: Tree, error: z.ZodError): Readonly<Record<string, unknown>> {
  const rest: Record<string, unknown> = {};
  for (const [section, value] of Object.entries(tree.value ?? {})) rest[section] = { ...(value as object) };
  for (const issue of error.issues) {
    const [section, name] = issue.path.map(String);
    const keys = issue.code === 'unrecognized_keys' && section === undefined ? issue.keys : [];
    for (const key of keys) delete rest[key];
    if (section === undefined) continue;
    const parts = section === 'frontends' || section === 'backends' ? rest[section] : undefined;
    if (name !== undefined && parts !== undefined) delete (parts as Record<string, unknown>)[name];
    else delete rest[section];
  }
  return { frontends: {}, backends: {}, ...rest };
}

interface Judged {
  readonly resolved: Resolved | null;
  readonly problems: readonly Problem[];
}

function thisMachine(): Machine {
  const cpus = availableParallelism();
  const addon: Machine['addon'] = () => {
    const loaded = loadAddon();
    return {
      why: loaded.addon === null ? loaded.why : null,
      remedy: `Build it (${howToBuild()}).`,
    };
  };
  return { hostname: hostname(), cpus, allowedCpus: allowedCpus(cpus), addresses: localAddresses(), addon };
}

function judge(tree: Tree, sources: Sources): Judged {
  const machine = thisMachine();
  const fit = (raw: RawConfig): Resolved => resolveConfig(raw, tree, sources, machine);
  const parsed = rootSchema.safeParse(tree.value);
  if (parsed.success) {
    const resolved = fit(parsed.data);
    return { resolved, problems: resolved.problems };
  }
  const problems = schemaProblems(parsed.error, rootSchema, tree);
  const rest = rootSchema.safeParse(withoutFaulty(tree, parsed.error));
  return { resolved: null, problems: [...problems, ...(rest.success ? fit(rest.data).problems : [])] };
}

/** What a bad reference to the environment leads to is no problem of its own; nor is one that was told already. */
function withoutEchoes(first: readonly Problem[], then: readonly Problem[]): readonly Problem[] {
  const place = (problem: Problem): string => `${problem.file}:${problem.line}:${problem.column}`;
  const told = new Set(first.map(place));
  const seen = new Set<string>();
  return [...first, ...then.filter(problem => !told.has(place(problem)))].filter(problem => {
    const id = `${place(problem)} ${problem.message}`;
    return !seen.has(id) && seen.add(id);
  });
}

/**
 * Reads the configuration from a file, or from all `*.yaml` and `*.yml` files of a folder. Never throws: what cannot be
 * read, or is wrong, is told as problems, all of them at once and in the order of reading. Nothing is looked up and
 * nothing opened but the files, and the native addon where `global` wants it. Blocks while it reads; a configuration is read at the start and at a reload.
 */
export function loadConfig(path: string, env: NodeJS.ProcessEnv = process.env): LoadedConfig {
  const read = readFiles(path);
  if (!read.ok) return { ok: false, problems: inReadingOrder(read.problems) };
  const tree = treeOf(path, read.files, env);
  const sources = { path: resolve(path), files: read.files.map(file => resolve(file.name)) };
  const { resolved, problems } = tree.value === null ? { resolved: null, problems: [] } : judge(tree, sources);
  const all = withoutEchoes(tree.problems, problems);
  if (all.length > 0 || resolved === null) {
    const causes = fullWidthCauses(all, read.files, tree.value === null);
    return { ok: false, problems: inReadingOrder([...causes, ...all]) };
  }
  return { ok: true, config: resolved.config, warnings: inReadingOrder(resolved.warnings) };
}

export type { Problem } from './problem.ts';
export { formatProblem } from './problem.ts';
