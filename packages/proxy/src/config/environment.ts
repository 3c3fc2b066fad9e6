interface Wrong {
  readonly ok: false;
  readonly message: string;
  readonly remedy: string;
}

/**
 * The text with every reference replaced, or what is wrong with it. `used`: at least one reference was replaced; `foreign`:
 * at least one by what is in the environment, so that the text may be a secret.
 */
export type Expansion =
  | { readonly ok: true; readonly text: string; readonly used: boolean; readonly foreign: boolean }
  | Wrong;

const REFERENCE = /\$\$\{|\$\{([^}]*)(\}?)/g;
const CONTENT = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s;

const MALFORMED: Wrong = {
  ok: false,
  message: 'A reference to the environment is not well formed',
  remedy: `Write \${NAME} or \${NAME:-default}; a literal \${ is written $\${.`,
};

function unset(name: string): Wrong {
  return {
    ok: false,
    message: `The environment variable ${name} is not set`,
    remedy: `Set ${name}, or give a default: \${${name}:-default}.`,
  };
}

/**
 * Replaces `${NAME}` and `${NAME:-default}` in one string, as a POSIX shell does: the default stands in for a variable
 * that is unset or empty. `$${` is a literal `${`. A replaced value is not looked through again.
 */
export function expand(text: string, env: NodeJS.ProcessEnv): Expansion {
  const wrongs: Wrong[] = [];
  let used = false;
  let foreign = false;
  const expanded = text.replaceAll(REFERENCE, (whole: string, content: string | undefined, end: string | undefined) => {
    if (content === undefined) return '${';
    const parts = end === '}' ? CONTENT.exec(content) : null;
    if (parts === null) {
      wrongs.push(MALFORMED);
      return whole;
    }
    used = true;
    const [, name = '', standard] = parts;
    const value = env[name];
    if (standard !== undefined && (value === undefined || value === '')) return standard;
    foreign = true;
    if (value === undefined) wrongs.push(unset(name));
    return value ?? '';
  });
  return wrongs[0] ?? { ok: true, text: expanded, used, foreign };
}
