import type { z } from 'zod';
import { remedyMark } from './values.ts';

type Path = readonly PropertyKey[];

/** Something that is wrong, by the path of the key. */
export type Fault = (path: Path, what: string, remedy: string) => void;

/** What zod has found, one fault each, in words for people. Values are never repeated: they may be secrets. */
export function tellIssues(error: z.ZodError, isWritten: (path: Path) => boolean, fault: Fault): void {
  for (const issue of error.issues) {
    const { path, code } = issue;
    const isMissing = (code === 'invalid_union' || code === 'invalid_type') && !isWritten(path);
    if (isMissing) fault(path, 'this key is missing', 'Add it; docs/vip.md has an example.');
    else tellIssue(issue, [], fault);
  }
}

function tellIssue(issue: z.core.$ZodIssue, above: Path, fault: Fault): void {
  const path = [...above, ...issue.path];
  switch (issue.code) {
    case 'unrecognized_keys':
      for (const key of issue.keys)
        fault([...path, key], 'this key is not known here', 'See docs/vip.md for the keys.');
      return;
    case 'invalid_union': {
      // Of the forms that a value may have, the one that came farthest.
      const meant = issue.errors.find(form =>
        form.every(inner => inner.code !== 'invalid_type' || inner.path.length > 0),
      );
      const [first] = meant ?? [];
      if (first !== undefined) {
        tellIssue(first, path, fault);
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
      fault(path, `this is not a ${issue.expected}`, `Write a ${issue.expected}.`);
      return;
    default:
      fault(path, issue.message, 'See docs/vip.md.');
      return;
  }
}
