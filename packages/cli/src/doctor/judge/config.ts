import { type Finding, findings } from '../finding.ts';

export type ConfigRead =
  | { readonly kind: 'right'; readonly path: string; readonly warnings: readonly string[] }
  | { readonly kind: 'wrong'; readonly path: string; readonly problems: readonly string[] }
  /** None was named, and no proxy runs that would name it. */
  | { readonly kind: 'none' };

const { ok, note, warning, problem } = findings('configuration');

/** What `limpet check` says of it. */
export function judgeConfig(read: ConfigRead): Finding[] {
  if (read.kind === 'none')
    return [
      note(
        'none is named, so brokers, Redis and your own limits are not looked at',
        'limpet doctor -c /etc/limpet/limpet.yaml',
      ),
    ];
  if (read.kind === 'right') {
    return read.warnings.length === 0
      ? [ok(`${read.path} is right`)]
      : read.warnings.map(text => warning(oneLine(text)));
  }
  return read.problems.map(text => problem(oneLine(text), `limpet check -c ${read.path}`));
}

/** A problem and its remedy have a line each. */
function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, '; ');
}
