import type { ErrorCode } from 'yaml';

/** What is wrong with the YAML, in our words: the parser's own quote the file, and so could quote a password. */
export interface YamlFault {
  readonly message: string;
  readonly remedy: string;
}

const QUOTE = 'Put quotes around a value that begins with one of @ ` % & * ! | > { [ " \' or holds ": " or " #".';
const BRACKETS = 'Close every bracket and quote, and separate items in brackets with commas.';
const INDENT = 'Indent the keys of one mapping by the same number of spaces, below the key they belong to.';

const FAULTS: Partial<Record<ErrorCode, YamlFault>> = {
  TAB_AS_INDENT: { message: 'A tab is used to indent', remedy: 'YAML indents with spaces only: replace the tab.' },
  BAD_INDENT: { message: 'The indentation does not fit the lines around it', remedy: INDENT },
  BLOCK_IN_FLOW: { message: 'A block begins inside brackets', remedy: BRACKETS },
  BLOCK_AS_IMPLICIT_KEY: { message: 'A second `:` stands on one line', remedy: QUOTE },
  MULTILINE_IMPLICIT_KEY: { message: 'A key spans several lines', remedy: 'Is a `:` missing on the line before?' },
  KEY_OVER_1024_CHARS: { message: 'A key is longer than 1024 characters', remedy: 'Is a quote or bracket not closed?' },
  MISSING_CHAR: { message: 'A quote, bracket, comma or `:` is missing', remedy: BRACKETS },
  UNEXPECTED_TOKEN: { message: 'This does not belong here', remedy: QUOTE },
  BAD_SCALAR_START: { message: 'A value begins with a character that YAML reserves', remedy: QUOTE },
  BAD_DQ_ESCAPE: {
    message: 'A backslash in double quotes begins no known escape',
    remedy: "Use single quotes: '\\d+' is taken as it is.",
  },
  BAD_ALIAS: {
    message: 'An alias (`*name`) names no anchor that stands above it',
    remedy: 'Define the anchor (`&name`) first; a value that begins with * or & wants quotes.',
  },
  ALIAS_PROPS: { message: 'An alias cannot have an anchor or a tag', remedy: 'Remove what stands before the `*`.' },
  TAG_RESOLVE_FAILED: {
    message: 'A tag (`!name`) means nothing here',
    remedy: 'Remove it; quote text that begins with !.',
  },
  NON_STRING_KEY: { message: 'A key is not a plain word', remedy: 'Keys are words: write `key: value`.' },
  MULTIPLE_DOCS: {
    message: 'A second document begins',
    remedy: 'Write one document per file, without `---` between parts.',
  },
  BAD_DIRECTIVE: { message: 'A directive (a line that begins with %) is not known', remedy: 'Remove the line.' },
  RESOURCE_EXHAUSTION: {
    message: 'The file is nested too deeply',
    remedy: 'A configuration needs no more than 10 levels.',
  },
};

/** A bind for all addresses, written without quotes: YAML takes it for an alias. */
export function unquotedBind(bind: string): YamlFault {
  return { message: `\`${bind}\` without quotes is an alias in YAML`, remedy: `Write it in quotes: "${bind}".` };
}

export const HAPROXY_FILE: YamlFault = {
  message: 'This is a configuration of HAProxy',
  remedy: 'Limpet reads YAML: docs/coming-from-haproxy.md translates each word.',
};

/** Our words for one of the parser's errors. */
export function yamlFault(code: ErrorCode): YamlFault {
  return FAULTS[code] ?? { message: `The YAML cannot be read here (${code})`, remedy: QUOTE };
}

/** The same, where the line tells more than the parser's code. */
export function yamlFaultAt(code: ErrorCode, line: string): YamlFault {
  const [, bind] = /[:,[-][ \t]*(\*:\d+)/.exec(line) ?? [];
  return bind === undefined ? yamlFault(code) : unquotedBind(bind);
}
