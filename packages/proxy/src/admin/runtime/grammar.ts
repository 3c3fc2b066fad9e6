/**
 * HAProxy's grammar of command lines (management manual, 9.3). A semicolon ends a command, spaces and tabs part its words, a
 * backslash takes the next character as it is, and a last word `<<` announces a payload: the lines that follow, up to an
 * empty one.
 */
export interface CommandLine {
  /** The words of each command. No words: an empty command. */
  readonly commands: readonly (readonly string[])[];
  /** The last command has a payload. */
  readonly hasPayload: boolean;
}

const PAYLOAD = '<<';

/** Reads one line, without its end. */
export function readCommandLine(line: string): CommandLine {
  const commands = cut(line, /;/).map(command => cut(command, /[ \t]/).filter(word => word !== ''));
  const hasPayload = commands.at(-1)?.at(-1) === PAYLOAD;
  if (hasPayload) commands.at(-1)?.pop();
  // A semicolon at the end of the line ends the last command, and begins none.
  else if (commands.length > 1 && commands.at(-1)?.length === 0) commands.pop();
  return { commands: commands.map(words => words.map(plain)), hasPayload };
}

/** Cuts at characters that no backslash stands before; backslashes stay. */
function cut(text: string, mark: RegExp): string[] {
  const parts: string[] = [];
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\\') at += 1;
    else if (mark.test(text[at] ?? '')) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}

/** A backslash takes the next character as it is; at the very end it stands before nothing. */
function plain(word: string): string {
  return word.replace(/\\(.?)/gsu, '$1');
}
