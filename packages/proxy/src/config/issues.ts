import type { z } from 'zod';
import { hintOfKey, hintOfValue } from './haproxy.ts';
import { isWritten, problemAt, valueAt, writePath } from './locate.ts';
import type { Problem } from './problem.ts';
import { NAME } from './schema/values.ts';
import { knownKeys } from './schema/walk.ts';
import { isPieceOfHash } from './secret.ts';
import { emptyAbove, isShallowBelow } from './shallow.ts';
import { suggest } from './suggest.ts';
import type { Path, Tree } from './tree.ts';

type Issue = z.core.$ZodIssue;
type UnionIssue = Extract<Issue, { code: 'invalid_union' }>;

interface Context {
  readonly tree: Tree;
  readonly schema: z.ZodType;
}

function described(path: Path, what: string): string {
  return path.length === 0 ? what : `\`${writePath(path)}\`: ${what}`;
}

/** What was probably meant by a key that nobody knows, with a space behind; empty: nothing comes to mind. */
function hintFor(path: Path, known: readonly string[], { tree, schema }: Context): string {
  const indent = indentHint(path, tree, schema);
  const word = hintOfKey(path);
  const meant = word === null ? suggest(String(path.at(-1)), known) : null;
  const hints = [meant === null ? null : `Did you mean \`${meant}\`?`, indent ?? word];
  return hints.map(hint => (hint === null ? '' : `${hint} `)).join('');
}

/** A hash without quotes, of which YAML has made several keys. */
function cutHash(path: Path, { tree }: Context): Problem {
  const message = described(path.slice(0, -1), 'a hash stands here without quotes, and is cut at its commas');
  return problemAt(tree, path, 'key', message, 'Put quotes around it: "$scrypt$…".');
}

/** A key that nobody knows: one problem each. */
function unknownKey(path: Path, key: string, context: Context): Problem {
  const here = [...path, key];
  if (isPieceOfHash(here)) return cutHash(here, context);
  const message =
    path.length === 0 ? `\`${key}\` is not a known section` : described(path, `\`${key}\` is not a known key`);
  if (key === '<<') {
    const remedy = 'Merge keys are not read: repeat the keys, or use `defaults`.';
    return problemAt(context.tree, here, 'key', message, remedy);
  }
  const known = knownKeys(context.schema, path);
  const remedy = `${hintFor(here, known, context)}Known here: ${known.join(', ')}.`;
  return problemAt(context.tree, here, 'key', message, remedy);
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'a mapping' : 'a single value';
}

function kindWanted(expected: string): string {
  if (expected === 'object' || expected === 'record') return 'a mapping';
  return expected === 'array' ? 'a list' : `a single value (${expected})`;
}

function indentHint(path: Path, tree: Tree, schema: z.ZodType): string | null {
  const above = emptyAbove(path, tree, schema);
  return above === null ? null : `Indent it below \`${above}:\`.`;
}

/** Something is missing, is empty, or is a list where a mapping belongs. */
function wrongKind(path: Path, wanted: string, { tree, schema }: Context): Problem {
  const key = String(path.at(-1));
  const value = valueAt(tree, path);
  if (!isWritten(tree, path)) {
    const above = path.slice(0, -1);
    return problemAt(tree, path, 'key', described(above, `\`${key}\` is missing`), `Add \`${key}:\`, ${wanted}.`);
  }
  if (value === null) {
    const remedy = isShallowBelow(path, tree, schema)
      ? 'Indent the lines that belong to it by two spaces more.'
      : `Write ${wanted} behind it, or remove the key.`;
    return problemAt(tree, path, 'key', described(path, 'nothing stands behind the key'), remedy);
  }
  const hint = typeof value === 'object' ? null : (indentHint(path, tree, schema) ?? hintOfValue(path, value));
  const remedy = hint ?? `Write ${wanted} here.`;
  return problemAt(tree, path, 'value', described(path, `this is ${kindOf(value)}`), remedy);
}

/** Whether a value is of none of the kinds that a form takes, so that this form was not meant. */
function isOtherKind(issue: Issue): boolean {
  if (issue.path.length > 0) return false;
  if (issue.code === 'invalid_union') return issue.errors.every(form => form.some(isOtherKind));
  return issue.code === 'invalid_type';
}

function kindsOf(issue: UnionIssue): readonly string[] {
  return issue.errors.flat().flatMap(inner => {
    if (inner.code === 'invalid_union') return kindsOf(inner);
    return inner.code === 'invalid_type' ? [inner.expected] : [];
  });
}

/**
 * Of the forms that a value may have, the one that was meant: the first that does not fail because it is another kind of
 * value altogether.
 */
function unionProblems(issue: UnionIssue, path: Path, context: Context): readonly Problem[] {
  const meant = issue.errors.find(issues => issues.length > 0 && !issues.some(isOtherKind));
  if (meant !== undefined) return meant.flatMap(inner => problemsOf(inner, path, context));
  const wanted = [...new Set(kindsOf(issue).map(kindWanted))];
  return [wrongKind(path, wanted.join(', ').replace(/, ([^,]*)$/, ' or $1'), context)];
}

function customProblem(issue: Extract<Issue, { code: 'custom' }>, path: Path, context: Context): Problem {
  const hint = hintOfValue(path, valueAt(context.tree, path));
  const remedy = `${hint === null ? '' : `${hint} `}${String(issue.params?.remedy ?? '')}`;
  return problemAt(context.tree, path, 'value', described(path, issue.message), remedy);
}

function problemsOf(issue: Issue, above: Path, context: Context): readonly Problem[] {
  const path = [...above, ...issue.path];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map(key => unknownKey(path, key, context));
    case 'invalid_union':
      return unionProblems(issue, path, context);
    case 'invalid_type':
      return [wrongKind(path, kindWanted(issue.expected), context)];
    case 'invalid_key':
      if (isPieceOfHash(path)) return [cutHash(path, context)];
      return [problemAt(context.tree, path, 'key', described(path, 'this cannot be a name'), NAME.remedy)];
    case 'too_small':
      return [problemAt(context.tree, path, 'value', described(path, 'the list is empty'), 'Write at least one item.')];
    case 'custom':
      return [customProblem(issue, path, context)];
    default:
      return [problemAt(context.tree, path, 'value', described(path, issue.message), 'See docs/configuration.md.')];
  }
}

/** What the schema found, in words for the operator, each with its place. */
export function schemaProblems(error: z.ZodError, schema: z.ZodType, tree: Tree): readonly Problem[] {
  return error.issues.flatMap(issue => problemsOf(issue, [], { tree, schema }));
}
