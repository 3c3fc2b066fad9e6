import type { Problem } from './problem.ts';

/** What an input method for Chinese or Japanese types in place of the ASCII character. */
const NAMES: Readonly<Record<string, readonly [name: string, ascii: string]>> = {
  '：': ['a full-width colon', ':'],
  '，': ['a full-width comma', ','],
  '；': ['a full-width semicolon', ';'],
  '“': ['a curly quote', '"'],
  '”': ['a curly quote', '"'],
  '‘': ['a curly quote', "'"],
  '’': ['a curly quote', "'"],
  '（': ['a full-width bracket', '('],
  '）': ['a full-width bracket', ')'],
  '｛': ['a full-width bracket', '{'],
  '｝': ['a full-width bracket', '}'],
  '［': ['a full-width bracket', '['],
  '］': ['a full-width bracket', ']'],
  '\u3000': ['a full-width space', ' '],
};

/** A comment may be written in any characters. It is blanked, so that columns stay. */
function withoutComment(line: string): string {
  return line.replace(/(^|\s)#.*$/, comment => ' '.repeat(comment.length));
}

/** The full-width character in one line from a column on, as a problem that is told before its consequences. */
function fullWidthIn(file: string, lines: readonly string[], line: number, from = 1): Problem | null {
  const text = withoutComment(lines[line - 1] ?? '');
  for (let column = from; column <= text.length; column++) {
    const character = text[column - 1] ?? '';
    const [name, ascii] = NAMES[character] ?? [];
    if (name === undefined || ascii === undefined) continue;
    const shown = character === '\u3000' ? 'U+3000' : character;
    const message = `There is ${name} (${shown}) on this line, which means nothing in YAML`;
    const remedy = `Type the ASCII one${ascii === ' ' ? '' : ` (${ascii})`}.`;
    return { file, line, column, message, remedy, first: true };
  }
  return null;
}

/** The same for a place where the YAML fails: what is wrong often stands on the line before. */
function fullWidthBefore(file: string, lines: readonly string[], line: number): readonly (Problem | null)[] {
  let before = line - 1;
  while (before > 0 && withoutComment(lines[before - 1] ?? '').replaceAll(/[ \t\r]/g, '') === '') before -= 1;
  return [fullWidthIn(file, lines, before), fullWidthIn(file, lines, line)];
}

/**
 * The full-width characters that are behind these problems, each once. `isYaml`: the files could not be read as YAML, so
 * the place of a problem is where the parser stumbled; else it is what was refused.
 */
export function fullWidthCauses(
  problems: readonly Problem[],
  files: readonly { readonly name: string; readonly text: string }[],
  isYaml: boolean,
): readonly Problem[] {
  const causes = new Map<string, Problem>();
  for (const { file, line, column } of problems) {
    const text = files.find(({ name }) => name === file)?.text;
    if (text === undefined || line === 0) continue;
    const lines = text.split('\n');
    const found = isYaml ? fullWidthBefore(file, lines, line) : [fullWidthIn(file, lines, line, column)];
    for (const cause of found) if (cause !== null) causes.set(`${file}:${cause.line}:${cause.column}`, cause);
  }
  return [...causes.values()];
}
