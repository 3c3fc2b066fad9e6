import { errorCode } from '@limpet/proxy';

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'it may not be opened',
  EPERM: 'it may not be opened',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of the path is no folder',
  ENOSPC: 'there is no room left',
  EROFS: 'nothing can be written there',
};

/** Why a file cannot be read or written, in words. */
export function fileTrouble(error: unknown): string {
  const code = errorCode(error);
  return WORDS[code] ?? code;
}
