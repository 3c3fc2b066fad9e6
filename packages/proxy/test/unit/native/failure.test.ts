import { expect, test } from 'vitest';
import { readFailure } from '../../../native/failure.mjs';

const COMPILER = `gyp info spawn make
../core/slots.h:12:3: warning: unused variable
  CXX(target) /x/build/work-aB3/core/slots.cc
/x/build/work-aB3/core/slots.cc:7:10: error: 'foo' was not declared in this scope
gyp ERR! stack Error: \`make\` failed with exit code: 2`;
const OFFLINE = `gyp http GET https://nodejs.org/download/release/v20.20.2/node-v20.20.2-headers.tar.gz
gyp ERR! stack FetchError: request to https://nodejs.org/ failed, reason: connect ECONNREFUSED 127.0.0.1:9`;

test.each([
  [
    'what the compiler refuses lasts',
    COMPILER,
    "core/slots.cc:7:10: error: 'foo' was not declared in this scope",
    true,
  ],
  [
    'headers that cannot be downloaded do not',
    OFFLINE,
    'FetchError: request to https://nodejs.org/ failed, reason: connect ECONNREFUSED 127.0.0.1:9',
    false,
  ],
  [
    'nor does a compiler that was killed',
    'g++: fatal error: Killed signal terminated program cc1plus\ngyp ERR! stack Error: `make` failed',
    'g++: fatal error: Killed signal terminated program cc1plus',
    false,
  ],
  [
    'nor a make that failed',
    'gyp ERR! stack Error: `make` failed with exit code: 2',
    '`make` failed with exit code: 2',
    false,
  ],
  ['nor silence', '', 'node-gyp failed without a word', false],
])('%s', (_, output, why, isLasting) => {
  expect(readFailure(output)).toEqual({ why, isLasting });
});
