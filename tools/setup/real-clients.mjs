#!/usr/bin/env node
// The programs of others that integration tests send with, from Debian's packages: Prometheus, Alertmanager, rsyslog, and the browser that the console is looked at with. Run by CI on a machine that is
// its own; elsewhere the tests use what is installed, and name what they leave out. Nothing is started: a test starts what it needs, and stops it.
import { spawnSync } from 'node:child_process'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { onPath } from './places.mjs'

const PROGRAMS = [
  { program: 'prometheus', package: 'prometheus' },
  { program: 'prometheus-alertmanager', package: 'prometheus-alertmanager' },
  { program: 'rsyslogd', package: 'rsyslog' },
  { program: 'chromium', package: 'chromium' },
]
/** Asked by every package before it starts a service; 101 forbids it. */
const POLICY = '/usr/sbin/policy-rc.d'

const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin`, DEBIAN_FRONTEND: 'noninteractive' }
const missing = PROGRAMS.filter(({ program }) => !onPath(program, env))
if (missing.length > 0) {
  const names = missing.map(m => m.package)
  if (process.getuid?.() !== 0 || !onPath('apt-get', env))
    console.log(`not installed, so their tests are left out by name: ${names.join(', ')} (apt-get install, as root, brings them)`)
  else {
    const own = !existsSync(POLICY)
    if (own) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
    const apt = (...args) => spawnSync('apt-get', ['-q', ...args], { env, stdio: ['ignore', 'ignore', 'inherit'] }).status === 0
    const install = () => apt('install', '-y', '--no-install-recommends', ...names)
    const done = install() || (apt('update') && install())
    if (own) rmSync(POLICY)
    console.log(
      done
        ? `installed: ${names.join(', ')}`
        : `could not be installed, so their tests are left out by name: ${names.join(', ')}`,
    )
  }
}
