/** Every format, most telling first, and those that can begin with a character. */
import { balancer, common, envoy, gin, haproxy, request, serverError, squid, w3c } from './access.ts'
import { compose, cri, fluent, platform, pod, processes } from './containers.ts'
import { csvlog, letter, mongo, postgres, redis, slowlog } from './databases.ts'
import type { Format } from './format.ts'
import { docker, json } from './json.ts'
import { audit, dmesg, klog, logcat } from './klog.ts'
import { logfmt } from './logfmt.ts'
import {
  erlang,
  glassfish,
  journal,
  lambda,
  logrus,
  monolog,
  php,
  python,
  ruby,
  spring,
  weblogic,
  websphere,
} from './runtimes.ts'
import { cef, leef } from './security.ts'
import { cisco, collected, syslog, syslog5424 } from './syslog.ts'

export const formats: readonly Format[] = [
  docker,
  json,
  cri,
  syslog5424,
  cisco,
  klog,
  dmesg,
  logcat,
  spring,
  platform,
  haproxy,
  envoy,
  gin,
  balancer,
  common,
  serverError,
  postgres,
  csvlog,
  mongo,
  redis,
  letter,
  slowlog,
  w3c,
  squid,
  php,
  monolog,
  glassfish,
  weblogic,
  websphere,
  ruby,
  erlang,
  lambda,
  logrus,
  python,
  journal,
  audit,
  cef,
  leef,
  syslog,
  fluent,
  compose,
  pod,
  processes,
  request,
  collected,
  logfmt,
]

const ANY = formats.filter(format => format.first === undefined)
const BY_FIRST = Array.from({ length: 128 }, (_, c) =>
  formats.filter(({ first }) => first === undefined || first.includes(String.fromCharCode(c))),
)

/** The formats that a line with this first character can be of, most telling first. */
export const formatsFor = (first: number): readonly Format[] => BY_FIRST[first] ?? ANY
