// The real servers and tools that the tests run: installs what is missing, on Debian and its relatives.
import { accessSync, constants, existsSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { runChild } from './child.mjs';
import { StepFailed, step } from './step.mjs';

/** What a test runs, and the package that brings it. An entry that begins with `/` is a file, any other a command. */
const needed = [
  ['cc', 'gcc'],
  ['/usr/include/stdio.h', 'libc6-dev'],
  ['/usr/include/openssl/ssl.h', 'libssl-dev'],
  ['g++', 'g++'],
  ['make', 'make'],
  ['python3', 'python3'],
  ['valgrind', 'valgrind'],
  ['redis-server', 'redis-server'],
  ['redis-cli', 'redis-tools'],
  ['mosquitto', 'mosquitto'],
  ['mosquitto_pub', 'mosquitto-clients'],
  ['haproxy', 'haproxy'],
  ['nginx', 'nginx-light'],
  ['/usr/lib/nginx/modules/ngx_stream_module.so', 'libnginx-mod-stream'],
  ['nats-server', 'nats-server'],
  ['chromium', 'chromium'],
  ['promtool', 'prometheus'],
  ['prometheus-haproxy-exporter', 'prometheus-haproxy-exporter'],
  ['hatop', 'hatop'],
  ['socat', 'socat'],
  ['tmux', 'tmux'],
  ['keepalived', 'keepalived'],
  ['ip', 'iproute2'],
  ['arping', 'iputils-arping'],
  ['na6', 'ipv6toolkit'],
  ['tcpdump', 'tcpdump'],
  ['chrt', 'util-linux'],
  ['ps', 'procps'],
  ['setpriv', 'util-linux'],
  ['perl', 'perl-base'],
  ['systemd-analyze', 'systemd'],
  ['systemd-notify', 'systemd'],
  ['systemd-sysusers', 'systemd'],
  ['logrotate', 'logrotate'],
  ['shellcheck', 'shellcheck'],
];
/** Packages that come with a daemon, by a command of theirs, and the daemon's unit. */
const daemons = new Map([
  ...['redis-server', 'mosquitto', 'haproxy', 'nginx', 'nats-server'].map(name => [name, name]),
  ...['prometheus', 'prometheus-haproxy-exporter'].map(name => [name, name]),
  ['keepalived', 'keepalived'],
  ['logrotate', 'logrotate.timer'],
]);
const lockWaitMs = 180_000;
const lockRetryMs = 2_000;
const policyFile = '/usr/sbin/policy-rc.d';

/** Answers when all is there. Throws, having said what to do, when it is not and cannot be installed. */
export async function provideSystemPackages() {
  const missing = needed.filter(([what]) => !isThere(what)).map(([, name]) => name);
  if (missing.length === 0) return;
  const packages = [...new Set(missing)];
  if (process.getuid?.() !== 0 || !isThere('apt-get')) {
    console.error(`The tests need packages that this machine lacks. As root:\n`);
    console.error(`  apt-get update && apt-get install -y --no-install-recommends ${packages.join(' ')}\n`);
    throw new StepFailed('system packages', 1);
  }
  await withoutDaemons(() => aptInstall(packages));
}

async function aptInstall(packages) {
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const lock = ['-o', `DPkg::Lock::Timeout=${lockWaitMs / 1000}`];
  await aptUpdate([...lock, 'update'], env);
  const install = [...lock, 'install', '-y', '--no-install-recommends', ...packages];
  await step(`system packages: ${packages.join(' ')}`, 'apt-get', install, { env });
}

/** The lock of the package lists knows no timeout of its own, so it is asked for again until the time is over. */
async function aptUpdate(args, env) {
  const endMs = performance.now() + lockWaitMs;
  for (;;) {
    const { code, output, interrupted } = await runChild('apt-get', args, { env, capture: true });
    if (code === 0) return;
    if (interrupted || !output.includes('Could not get lock') || performance.now() > endMs) {
      process.stdout.write(output);
      throw new StepFailed('apt-get update', code === 0 ? 1 : code);
    }
    await new Promise(resolve => setTimeout(resolve, lockRetryMs));
  }
}

/**
 * Debian starts a daemon as soon as it is installed, on the very ports that the demo and the tests use. The policy file
 * forbids that while we install; it is taken away again, and where systemd runs, the new daemons are disabled, so that
 * they do not start at the next boot either. Daemons that were there before are left alone.
 */
async function withoutDaemons(action) {
  const fresh = [...daemons].filter(([command]) => !isThere(command)).map(([, unit]) => unit);
  const ours = !existsSync(policyFile);
  const remove = () => rmSync(policyFile, { force: true });
  if (ours) {
    writeFileSync(
      policyFile,
      '#!/bin/sh\n# By scripts/system-packages.mjs, for the time of an installation.\nexit 101\n',
      {
        mode: 0o755,
      },
    );
    process.once('exit', remove);
  }
  try {
    await action();
    if (existsSync('/run/systemd/system')) {
      await runChild('systemctl', ['disable', '--quiet', ...fresh], { capture: true });
    }
  } finally {
    if (ours) remove();
    process.off('exit', remove);
  }
}

/** @param {string} what */
function isThere(what) {
  if (what.startsWith('/')) return existsSync(what);
  // Daemons live in sbin, which an ordinary user's PATH may not hold.
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin', '/usr/local/sbin'];
  return folders.some(folder => isExecutable(join(folder, what)));
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
