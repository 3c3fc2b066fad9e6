import { shellPart } from './shell_part.ts';
import { quoted } from './shell_tables.ts';
import type { CommandSpot, Kind, OptionSpot } from './tree.ts';

/** The script for `limpet completion fish | source`, or for a file in `~/.config/fish/completions`. */
export function fishCompletion(spots: readonly CommandSpot[]): string {
  const valued = spots.flatMap(({ path, options }) =>
    options.flatMap(({ flags, value }) => (value === null ? [] : flags.map(flag => quoted(`${path} ${flag}`)))),
  );
  return [
    '# limpet completion fish',
    `set -g __limpet_paths ${spots
      .filter(({ path }) => path !== '')
      .map(({ path }) => quoted(path))
      .join(' ')}`,
    `set -g __limpet_valued ${valued.join(' ')}`,
    shellPart('fish'),
    'complete -c limpet -e',
    'complete -c limpet -f',
    ...spots.flatMap(linesOf),
  ].join('\n');
}

function linesOf({ path, commands, options, args }: CommandSpot): string[] {
  const at = `complete -c limpet -n ${quoted(`__limpet_at ${quoted(path)}`)}`;
  return [
    ...commands.map(({ name, description }) => `${at} -a ${quoted(name)} -d ${quoted(description)}`),
    ...options.map(option => `${at} ${optionText(option)}`),
    ...args.flatMap((kind, place) => {
      const values = valueText(kind);
      return values === '' ? [] : [`complete -c limpet -n ${quoted(`__limpet_at ${quoted(path)} ${place}`)} ${values}`];
    }),
  ];
}

function optionText({ flags, description, value }: OptionSpot): string {
  const names = flags.map(flag => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  const text = [...names, `-d ${quoted(description)}`];
  if (value === null) return text.join(' ');
  // -x: it needs a value, and that is no file.
  return [...text, value.kind === 'file' ? '-r' : '-x', valueText(value)].join(' ').trim();
}

function valueText(kind: Kind): string {
  if (kind.kind === 'file') return '-F';
  if (kind.kind === 'words') return `-a ${quoted(kind.words.join(' '))}`;
  return kind.kind === 'names' ? `-a ${quoted(`(limpet completion-names ${kind.names} 2>/dev/null)`)}` : '';
}
