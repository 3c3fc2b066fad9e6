import type { z } from 'zod';
import { meantKey } from './known_keys.ts';
import { remedyMark } from './values.ts';

type Path = readonly PropertyKey[];

/** Something that is wrong, by the path of the key. */
export type Fault = (path: Path, what: string, remedy: string) => void;

/** What is known of the file. */
interface Written {
  readonly isWritten: (path: Path) => boolean;
  /** The keys that may stand at a path. */
  readonly known: (path: Path) => readonly string[];
}

/** What zod has found, one fault each, in words for people. Values are never repeated: they may be secrets. */
export function tellIssues(error: z.ZodError, written: Written, fault: Fault): void {
  for (const issue of error.issues) {
    const { path, code } = issue;
    const isMissing = (code === 'invalid_union' || code === 'invalid_type') && !written.isWritten(path);
    if (isMissing) fault(path, 'this key is missing', 'Add it; docs/vip.md has an example.');
    else tellIssue(issue, [], written, fault);
  }
}

function tellIssue(issue: z.core.$ZodIssue, above: Path, written: Written, fault: Fault): void {
  const path = [...above, ...issue.path];
  switch (issue.code) {
    case 'unrecognized_keys':
      for (const key of issue.keys) tellUnknownKey([...path, key], written.known(path), fault);
      return;
    case 'invalid_union': {
      // Of the forms that a value may have, the one that came farthest.
      const meant = issue.errors.find(form =>
        form.every(inner => inner.code !== 'invalid_type' || inner.path.length > 0),
      );
      const [first] = meant ?? [];
      if (first !== undefined) {
        tellIssue(first, path, written, fault);
        return;
      }
      fault(path, 'this kind of value is not possible here', 'See docs/vip.md for the forms.');
      return;
    }
    case 'custom': {
      const [what = '', remedy = ''] = issue.message.split(remedyMark);
      fault(path, what, remedy);
      return;
    }
    case 'invalid_type':
      fault(path, `this is not ${kindOf(issue.expected)}`, `Write ${kindOf(issue.expected)}.`);
      return;
    case 'too_big':
      fault(
        path,
        `this is too ${sizeOf(issue.origin).much}`,
        `Write ${sizeOf(issue.origin).unit(issue.maximum)} at most.`,
      );
      return;
    case 'too_small':
      fault(
        path,
        `this is too ${sizeOf(issue.origin).little}`,
        `Write ${sizeOf(issue.origin).unit(issue.minimum)} at least.`,
      );
      return;
    case 'invalid_value':
      fault(path, 'this word is not possible here', `Write one of: ${issue.values.map(String).join(', ')}.`);
      return;
    default:
      fault(path, issue.message, 'See docs/vip.md.');
      return;
  }
}

function tellUnknownKey(path: Path, known: readonly string[], fault: Fault): void {
  const meant = meantKey(String(path.at(-1)), known);
  const hint = meant === null ? '' : `Did you mean \`${meant}\`? `;
  fault(path, 'this key is not known here', `${hint}Known here: ${known.join(', ')}.`);
}

const kinds: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a mapping: keys, and a value for each',
  array: 'a list',
};

function kindOf(expected: string): string {
  return kinds[expected] ?? `of the kind ${expected}`;
}

interface Size {
  readonly much: string;
  readonly little: string;
  readonly unit: (limit: number | bigint) => string;
}

function sizeOf(origin: string): Size {
  if (origin === 'string')
    return { much: 'long', little: 'short', unit: limit => (limit === 1 ? '1 character' : `${limit} characters`) };
  if (origin === 'array') return { much: 'long', little: 'short', unit: limit => `${limit} of them` };
  return { much: 'high', little: 'low', unit: String };
}
