const secretKeys: readonly (readonly string[])[] = [
  ['secret'],
  ['redis', 'password'],
  ['redis', 'sentinel_password'],
  ['redis', 'url'],
];
const variable = /\$\{[A-Za-z_][A-Za-z0-9_]*\}/g;
const passwordInUrl = /^[^/]*\/\/[^@/]*:[^@/]+@/;

/**
 * Warns of a file that everybody may read, and that has a secret in it. What stands in the environment is not in it.
 * @param at what is written at a path of keys, before anything is replaced
 */
export function exposure(path: string, mode: number, at: (keys: readonly string[]) => unknown): readonly string[] {
  if ((mode & 0o004) === 0) return [];
  const keys = secretKeys.filter(key => isSecret(key, at(key)));
  if (keys.length === 0) return [];
  const names = keys.map(key => `\`${key.join('.')}\``).join(', ');
  return [`${path}: warning: everybody may read this file, and ${names} in it is secret\n    chmod 0640 ${path}`];
}

function isSecret(key: readonly string[], value: unknown): boolean {
  if (value === undefined || value === null || typeof value === 'object') return false;
  const literal = String(value).replaceAll(variable, '');
  return key.at(-1) === 'url' ? passwordInUrl.test(literal) : literal !== '';
}
