import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { java, onPath } from './places.mjs'

const ask = (file, args) =>
  new Promise(done => {
    execFile(file, args, { timeout: 10_000 }, (error, stdout, stderr) => done(error ? undefined : `${stdout}${stderr}`))
  })

export const parseJavaMajor = text => {
  const found = /version "(\d+)(?:\.(\d+))?/.exec(text || '')
  return found ? Number(found[1] === '1' ? found[2] : found[1]) : 0
}

/** What this machine can do for us. A client without an engine behind it is no container engine. */
export async function lookAround(env = process.env) {
  const jvm = java(env)
  const docker = onPath('docker', env)
  const [javaText, engineText] = await Promise.all([
    jvm ? ask(jvm, ['-version']) : undefined,
    docker ? ask(docker, ['info', '--format', '{{.ServerVersion}}']) : undefined,
  ])
  return {
    javaMajor: parseJavaMajor(javaText),
    maven: onPath('mvn', env),
    engine: Boolean(engineText && engineText.trim()),
    compiler: onPath('g++', env) || onPath('c++', env) || onPath('clang++', env),
    python: onPath('python3', env),
    redis: onPath('redis-server', env) || onPath('valkey-server', env),
  }
}

/** One sentence for each thing that is missing: what, and what will not work. */
export function missing(
  { javaMajor, maven, engine, compiler, python },
  { platform = process.platform, arch = process.arch } = {},
) {
  const sentences = []
  if (!engine && (javaMajor < 17 || !maven)) {
    const wants = [
      javaMajor < 17 && (javaMajor ? `a JDK 17 or newer (found ${javaMajor})` : 'a JDK 17 or newer'),
      !maven && 'Maven',
    ].filter(Boolean)
    sentences.push(
      `Missing ${wants.join(' and ')}, and no container engine answers: the real servers cannot run, so the embedded stack (in-process broker and graph) is used.`,
    )
  }
  if (platform !== 'linux' || arch !== 'x64') {
    sentences.push(
      `Native TensorFlow is linked on Linux x64 only (this is ${platform} ${arch}): models run on the slower WebAssembly backend.`,
    )
  } else if (!compiler || !python) {
    const wants = [!compiler && 'a C++ compiler', !python && 'Python 3 with pip'].filter(Boolean)
    sentences.push(
      `Missing ${wants.join(' and ')}: TensorFlow cannot be linked natively, so models run on the slower WebAssembly backend.`,
    )
  }
  return sentences
}

/** The driver's library, without which the GPU build would silently compute on the CPU. */
export const hasCuda = () =>
  ['/usr/lib/x86_64-linux-gnu', '/usr/lib64', '/usr/lib/wsl/lib', '/usr/local/cuda/compat', '/usr/local/nvidia/lib64'].some(
    folder => existsSync(`${folder}/libcuda.so.1`),
  )
