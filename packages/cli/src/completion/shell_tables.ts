import type { CommandSpot, Kind } from './tree.ts';

/**
 * Functions that bash and zsh both understand. `PATH` is the command without the program's name: `server drain`.
 *
 * - `_limpet_words PATH`: commands and options that may stand there
 * - `_limpet_value PATH OPTION`: what the option's value is; fails where it takes none
 * - `_limpet_arg PATH N`: what the N-th argument is
 *
 * A kind is `words …`, `names KIND`, `file` or `other`.
 */
export function shellTables(spots: readonly CommandSpot[]): string[] {
  return [
    ...table(
      '_limpet_words',
      '$1',
      spots.map(spot => [quoted(spot.path), wordsOf(spot).join(' ')]),
    ),
    ...table('_limpet_value', '$1 $2', spots.flatMap(valuesOf)),
    ...table('_limpet_arg', '$1 $2', spots.flatMap(argsOf)),
  ];
}

function wordsOf({ commands, options }: CommandSpot): string[] {
  return [...commands.map(({ name }) => name), ...options.flatMap(({ flags }) => flags)];
}

type Row = readonly [pattern: string, answer: string];

function valuesOf({ path, options }: CommandSpot): Row[] {
  return options.flatMap(({ flags, value }): Row[] =>
    value === null ? [] : [[flags.map(flag => quoted(`${path} ${flag}`)).join('|'), kindText(value)]],
  );
}

function argsOf({ path, args }: CommandSpot): Row[] {
  return args.map((kind, place): Row => [quoted(`${path} ${place}`), kindText(kind)]);
}

function kindText(kind: Kind): string {
  if (kind.kind === 'words') return ['words', ...kind.words].join(' ');
  return kind.kind === 'names' ? `names ${kind.names}` : kind.kind;
}

/** A function that prints the answer of the first row that fits, and fails where none does. */
function table(name: string, subject: string, rows: readonly Row[]): string[] {
  return [
    `${name}() {`,
    `  case "${subject}" in`,
    ...rows.map(([pattern, answer]) => `    ${pattern}) echo ${quoted(answer)} ;;`),
    '    *) return 1 ;;',
    '  esac',
    '}',
  ];
}

/** For any of the three shells. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
