export interface Credentials {
  readonly name: string;
  readonly password: string;
}

const FORM = /^basic +([A-Za-z0-9+/]+={0,2}) *$/i;
const MOST_CHARACTERS = 1024;

/** What an Authorization header says (RFC 7617, in UTF-8); null: none, or nothing of that form. */
export function readBasic(header: string | undefined): Credentials | null {
  if (header === undefined || header.length > MOST_CHARACTERS) return null;
  const [, encoded] = FORM.exec(header) ?? [];
  if (encoded === undefined) return null;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? null : { name: text.slice(0, colon), password: text.slice(colon + 1) };
}
