/** A Kubernetes control plane for one test run: the real servers on free ports, nodes and pods played by kwok, thrown away afterwards. */
import { type ChildProcess, spawn } from 'node:child_process'
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { anyFree } from '@aegis/stack/local/ports'
import { KubeConfig } from '@kubernetes/client-node'

export interface TestCluster {
  /** A client as the holder of this token. */
  readonly as: (token: string) => KubeConfig
  /** May do everything. */
  readonly adminToken: string
  /** The machines of nodes with the annotation `kwok.x-k8s.io/node=doomed` die: nobody speaks for them any more. */
  readonly loseDoomed: () => void
  readonly stop: () => Promise<void>
}
const STARTS_WITHIN_MS = 60_000
/** A node whose lease is not renewed for this long is lost. */
const GRACE_SECONDS = 20

/** What makes a pod crash here: how a real kubelet would show a bad image, a bad setting, too little memory, or one unlucky container. */
const CRASHES: Readonly<Record<string, { key: string; operator: string; values?: string[]; reason: string }>> = {
  'bad-image': { key: '.spec.containers.[].image', operator: 'In', values: ['shop:bad'], reason: 'CrashLoopBackOff' },
  'bad-setting': {
    key: '.spec.containers.[].env.[] | select( .name == "MODE" ) | .value',
    operator: 'In',
    values: ['broken'],
    reason: 'CrashLoopBackOff',
  },
  'little-memory': { key: '.spec.containers.[].resources.limits.memory', operator: 'In', values: ['64Mi'], reason: 'OOMKilled' },
  unlucky: { key: '.metadata.labels["unlucky"]', operator: 'Exists', reason: 'CrashLoopBackOff' },
}
const crashStage = (name: string): object => {
  const { reason, ...selects } = CRASHES[name]
  return {
    apiVersion: 'kwok.x-k8s.io/v1alpha1',
    kind: 'Stage',
    metadata: { name: `crash-${name}` },
    spec: {
      resourceRef: { apiGroup: 'v1', kind: 'Pod' },
      selector: {
        matchExpressions: [
          selects,
          { key: '.metadata.deletionTimestamp', operator: 'DoesNotExist' },
          { key: '.status.phase', operator: 'In', values: ['Pending', 'Running'] },
          { key: '.status.containerStatuses.[].state.waiting.reason', operator: 'DoesNotExist' },
        ],
      },
      // Above the weight of running well, which has none.
      weight: 1,
      next: {
        statusTemplate: `
{{ $now := Now }}
conditions:
- lastTransitionTime: {{ $now | Quote }}
  status: "False"
  type: Ready
- lastTransitionTime: {{ $now | Quote }}
  status: "False"
  type: ContainersReady
containerStatuses:
{{ range .spec.containers }}
- image: {{ .image | Quote }}
  name: {{ .name | Quote }}
  ready: false
  restartCount: 5
  state:
    waiting:
      reason: ${reason}
{{ end }}
phase: Running
startTime: {{ $now | Quote }}
`,
      },
    },
  }
}

export const startCluster = async (home: string): Promise<TestCluster> => {
  const folder = mkdtempSync(path.join(tmpdir(), 'aegis-kubernetes-'))
  const at = (name: string) => path.join(folder, name)
  const children = new Map<string, ChildProcess>()
  const ended: string[] = []
  const stop = async () => {
    // Those in front first, so that nobody complains of a server that is gone.
    for (const [name, child] of [...children].reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      ended.push(name)
      const gone = new Promise(resolve => child.once('exit', resolve))
      child.kill('SIGTERM')
      if (!(await Promise.race([gone.then(() => true), sleep(5000, false)]))) {
        child.kill('SIGKILL')
        await gone
      }
    }
    rmSync(folder, { recursive: true, force: true })
  }
  const logOf = (name: string) =>
    readFileSync(at(`${name}.log`), 'utf8')
      .split('\n')
      .slice(-8)
      .join('\n')
  const run = (program: string, ...args: string[]) => runAs(program, program, ...args)
  const runAs = (name: string, program: string, ...args: string[]) => {
    const log = openSync(at(`${name}.log`), 'w')
    children.set(name, spawn(path.join(home, 'bin', program), args, { cwd: folder, stdio: ['ignore', log, log] }))
    closeSync(log)
  }
  const until = async (what: string, name: string, ask: () => Promise<boolean>) => {
    for (const end = performance.now() + STARTS_WITHIN_MS; !(await ask().catch(() => false)); await sleep(100)) {
      const child = children.get(name)
      if (child?.exitCode !== null && child?.exitCode !== undefined) throw new Error(`${name} ended: ${logOf(name)}`)
      if (performance.now() > end) throw new Error(`${what} not within ${STARTS_WITHIN_MS / 1000} s: ${logOf(name)}`)
    }
  }
  try {
    const [etcd, peer, port] = await Promise.all([anyFree(), anyFree(), anyFree()])
    const adminToken = randomUUID()
    const { privateKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    })
    writeFileSync(at('sa.key'), privateKey, { mode: 0o600 })
    writeFileSync(at('tokens.csv'), `${adminToken},admin,1,"system:masters"\n`, { mode: 0o600 })
    const as = (token: string): KubeConfig => {
      const config = new KubeConfig()
      config.loadFromOptions({
        clusters: [{ name: 'test', server: `https://127.0.0.1:${port}`, skipTLSVerify: true }],
        users: [{ name: 'user', token }],
        contexts: [{ name: 'test', cluster: 'test', user: 'user' }],
        currentContext: 'test',
      })
      return config
    }
    writeFileSync(at('kubeconfig'), as(adminToken).exportConfig(), { mode: 0o600 })
    const client = `http://127.0.0.1:${etcd}`
    const peers = `http://127.0.0.1:${peer}`
    run(
      'etcd',
      `--data-dir=${at('etcd')}`,
      `--listen-client-urls=${client}`,
      `--advertise-client-urls=${client}`,
      `--listen-peer-urls=${peers}`,
      `--initial-advertise-peer-urls=${peers}`,
      `--initial-cluster=default=${peers}`,
      '--unsafe-no-fsync',
    )
    run(
      'kube-apiserver',
      `--etcd-servers=${client}`,
      '--service-account-issuer=https://kubernetes.default.svc',
      '--service-account-key-file=sa.key',
      '--service-account-signing-key-file=sa.key',
      '--service-cluster-ip-range=10.0.0.0/24',
      `--secure-port=${port}`,
      '--bind-address=127.0.0.1',
      '--cert-dir=certs',
      '--token-auth-file=tokens.csv',
      '--authorization-mode=RBAC',
      '--disable-admission-plugins=ServiceAccount',
    )
    const ready = as(adminToken).makeApiClient((await import('@kubernetes/client-node')).VersionApi)
    await until('the API server answers', 'kube-apiserver', async () => Boolean(await ready.getCode()))
    const config = [`--kubeconfig=${at('kubeconfig')}`]
    const delegated = [...config, ...['authentication', 'authorization'].map(a => `--${a}-kubeconfig=${at('kubeconfig')}`)]
    run(
      'kube-controller-manager',
      ...delegated,
      '--leader-elect=false',
      '--service-account-private-key-file=sa.key',
      '--controllers=*,-nodeipam,-cloud-node-lifecycle',
      '--secure-port=0',
      `--node-monitor-grace-period=${GRACE_SECONDS}s`,
      '--node-monitor-period=1s',
    )
    run('kube-scheduler', ...delegated, '--leader-elect=false', '--secure-port=0')
    writeFileSync(
      at('crashes.yaml'),
      Object.keys(CRASHES)
        .map(name => JSON.stringify(crashStage(name)))
        .join('\n---\n'),
    )
    const stages = readdirSync(path.join(home, 'stages')).map(file => path.join(home, 'stages', file))
    for (const nodes of ['fake', 'doomed'])
      runAs(
        `kwok-${nodes}`,
        'kwok',
        ...config,
        `--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=${nodes}`,
        '--node-lease-duration-seconds=8',
        ...[...stages, at('crashes.yaml')].map(file => `--config=${file}`),
      )
    const loseDoomed = () => void children.get('kwok-doomed')?.kill('SIGKILL')
    return { as, adminToken, loseDoomed, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
