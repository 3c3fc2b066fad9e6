import { RELAY_AS_CONFIGURED } from '@limpet/proxy';
import { type Finding, findings } from '../finding.ts';

export type RelaySeen =
  /** `words`: `native`, or `node: why`. `build`: the command that builds the addon. */
  | { readonly kind: 'runs' | 'would run'; readonly words: string; readonly build: string }
  /** A proxy could not start here. */
  | { readonly kind: 'none'; readonly why: string; readonly remedy: string };

const { ok, note, problem } = findings('relay');

/** What `limpet status` says of it, where one runs. */
export function judgeRelay(seen: RelaySeen): Finding[] {
  if (seen.kind === 'none') return [problem(`a proxy would not start here: ${seen.why}`, seen.remedy)];
  const [name = '', why = ''] = seen.words.split(/: (.*)/s);
  const what = `${name} ${seen.kind}${why === '' ? '' : `: ${why}`}`;
  if (name === 'native' || seen.words === RELAY_AS_CONFIGURED) return [ok(what)];
  const restart = seen.kind === 'runs' ? ['systemctl restart limpet'] : [];
  return [note(what, 'apt-get install g++ make python3', seen.build, ...restart)];
}
