#!/usr/bin/env node
// The door of every root script: `node scripts/with-pnpm.mjs TASK …arguments`. It needs nothing but Node and npm: the
// tasks bring pnpm, the dependencies and the build themselves. This file keeps to syntax that old versions of Node can
// read, so that they meet a clear sentence and not a SyntaxError.
const oldest = [20, 19];
const tasks = ['demo', 'test', 'test-node', 'build', 'check', 'dev', 'bench', 'bench-report', 'lab'];

const [major, minor] = process.versions.node.split('.').map(Number);
const [task, ...args] = process.argv.slice(2);

if (major < oldest[0] || (major === oldest[0] && minor < oldest[1])) {
  console.error(`Limpet needs Node ${oldest.join('.')} or later, and this is ${process.version}.`);
  console.error('Install a current Node LTS (https://nodejs.org/en/download) and run the same command again.');
  process.exitCode = 1;
} else if (!tasks.includes(task)) {
  console.error(`Usage: node scripts/with-pnpm.mjs ${tasks.join('|')} …arguments`);
  process.exitCode = 2;
} else {
  import(`./tasks/${task}.mjs`)
    .then(module => module.run(args))
    .then(code => {
      process.exitCode = code;
    })
    .catch(error => {
      // A failed step has told its story already.
      if (error.name !== 'StepFailed') console.error(error);
      process.exitCode = error.exitCode || 1;
    });
}
