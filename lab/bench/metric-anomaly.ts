/**
 * Rows and values per CPU-second of the metric detectors on one core, beside numpy doing the least that the same models need (one product of matrix and row per
 * round); the LSTM autoencoder beside stock `tf.layers`, and beside PyTorch where `--torch` says it may be installed. Made-up rows: 38 metrics that share a few
 * causes, with noise. `--python` names an interpreter with numpy (and torch); `--skip-peer` measures ours alone, `--network` only the autoencoder. Last accepted figures: metric-anomaly.json.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { RobustBaseline } from '@aegis/anomaly-detection'
import { Adam, weightsOf } from '@aegis/anomaly-detection/adam'
import { LstmAutoencoder, lstmNetwork, windowError } from '@aegis/anomaly-detection/lstm-autoencoder'
import { MODEL_NAMES, makeDetector, makeModel } from '@aegis/anomaly-detection/make-detector'
import { Ewma } from '@aegis/anomaly-detection/moving-level'
import { type RowModel, rowOf } from '@aegis/anomaly-detection/row-model'
import { loadTensorFlow } from '@aegis/anomaly-detection/tensorflow'
import { normal, seededRandom } from '@aegis/learning/random'

const METRICS = 38
const PEER = `
import json, sys, time
import numpy as np
m, n = 38, 20000
x = np.random.default_rng(1).normal(size=(n, m))
out = {}
def rate(name, width, outputs):
    w = np.random.default_rng(2).normal(size=(outputs, width)); f = np.zeros(width)
    start = time.process_time()
    for row in x:
        f[:m] = row
        np.abs(w @ f).max()
    out[name] = round(n / (time.process_time() - start))
rate('ridge', 3 * m + 1, m)
rate('sub-pca', 3 * m, 20)
level = np.zeros(m); spread = np.ones(m)
start = time.process_time()
for row in x:
    off = np.abs(row - level); off / spread
    level += 0.01 * (row - level); spread += 0.01 * (off - spread)
out['ewma'] = round(n / (time.process_time() - start))
if '--torch' in sys.argv:
    import torch
    torch.manual_seed(0); torch.set_num_threads(1)
    T, F, B = 100, 50, 32
    class AE(torch.nn.Module):
        def __init__(self):
            super().__init__(); lstm = lambda i, h: torch.nn.LSTM(i, h, batch_first=True)
            self.a, self.b, self.d, self.c, self.e, self.o = lstm(F, 64), lstm(64, 32), torch.nn.Linear(32, 16), lstm(16, 32), lstm(32, 64), torch.nn.Linear(64, F)
        def forward(self, x):
            h, _ = self.a(x); h, _ = self.b(h)
            z = torch.relu(self.d(h[:, -1])).unsqueeze(1).expand(-1, T, -1)
            h, _ = self.c(z); h, _ = self.e(h); return self.o(h)
    net = AE(); x = torch.sin(torch.randn(B, T, F)); opt = torch.optim.Adam(net.parameters(), 1e-3)
    def step():
        opt.zero_grad(); loss = torch.nn.functional.mse_loss(net(x), x); loss.backward(); opt.step()
    for _ in range(5): step()
    start = time.process_time()
    for _ in range(40): step()
    out['torchStepCpuMs'] = round((time.process_time() - start) / 40 * 1000, 1)
    with torch.no_grad():
        net(x); start = time.process_time()
        for _ in range(40): net(x)
    out['torchWindowsPerCpuSecond'] = round(40 * B / (time.process_time() - start))
print(json.dumps(out))
`

const cpuSeconds = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

function rows(count: number) {
  const random = seededRandom(1)
  const values = new Float64Array(count * METRICS)
  const causes = new Float64Array(4)
  for (let i = 0; i < count; i++) {
    for (let c = 0; c < 4; c++) causes[c] = 0.95 * causes[c] + 0.3 * normal(random)
    for (let j = 0; j < METRICS; j++) values[i * METRICS + j] = causes[j % 4] + 0.3 * normal(random)
  }
  return { count, metrics: METRICS, values }
}

function speed(model: RowModel, train: ReturnType<typeof rows>, test: ReturnType<typeof rows>) {
  model.fit(train)
  const guilt = new Float64Array(METRICS)
  // Two passes: the first one warms the compiler.
  let best = 0
  for (let pass = 0; pass < 2; pass++) {
    const start = cpuSeconds()
    for (let i = 0; i < test.count; i++) {
      const row = rowOf(test, i)
      model.score(row, guilt)
      model.push(row)
    }
    best = Math.max(best, test.count / (cpuSeconds() - start))
  }
  return { rowsPerCpuSecond: Math.round(best), valuesPerCpuSecond: Math.round(best * METRICS) }
}

export async function run(args: readonly string[] = []) {
  if (args.includes('--network')) {
    const lstm = await network()
    console.log('lstm-autoencoder', JSON.stringify(lstm))
    const peer = args.includes('--skip-peer') ? undefined : measurePeer(args)
    if (peer) console.log('peer', JSON.stringify(peer))
    return { lstm, peer }
  }
  const entities = entitiesOnOneCore()
  const train = rows(8000)
  const test = rows(40_000)
  const few = { ...test, count: 2000 }
  const detectors: Record<string, object> = {}
  for (const name of MODEL_NAMES) {
    detectors[name] = speed(makeModel(name), train, name === 'nearest-neighbour' ? few : test)
    console.log(name, JSON.stringify(detectors[name]))
  }
  detectors.ensemble = speed(makeDetector('ensemble'), train, test)
  console.log('ensemble', JSON.stringify(detectors.ensemble))

  console.log('10,000 entities of 20 metrics every 15 s', JSON.stringify(entities))
  const lstm = await network()
  console.log('lstm-autoencoder', JSON.stringify(lstm))
  const peer = args.includes('--skip-peer') ? undefined : measurePeer(args)
  if (peer) console.log('peer', JSON.stringify(peer))
  return { detectors, entities, lstm, peer }
}

const ENTITIES = 10_000
const PER_ENTITY = 20
const EVERY_S = 15
/** The collector, as --expose-gc would give it: memory with garbage in it says nothing. */
setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
const held = () => {
  collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
/** `count` entities were measured; the share of a core is that of 10,000. */
const perEntity = (before: number, cpu: number, rounds: number, count: number) => ({
  kilobytesPerEntity: Number(((held() - before) / count / 1000).toFixed(2)),
  shareOfCore: Number(((cpu * (ENTITIES / count)) / rounds / EVERY_S).toFixed(5)),
})

/** What one core and the memory are asked for by the cheap detectors: each entity a model of its own, and the service's baseline of every series. */
function entitiesOnOneCore() {
  const random = seededRandom(3)
  const row = new Float64Array(PER_ENTITY)
  const guilt = new Float64Array(PER_ENTITY)
  const work = (rounds: number, each: () => void) => {
    const start = cpuSeconds()
    for (let r = 0; r < rounds; r++) each()
    return cpuSeconds() - start
  }
  const empty = held()
  const models = Array.from({ length: ENTITIES }, () => {
    const model = new Ewma()
    model.fit({ count: 1, metrics: PER_ENTITY, values: row })
    return model
  })
  const each = () => {
    for (const model of models) {
      for (let j = 0; j < PER_ENTITY; j++) row[j] = random()
      model.score(row, guilt)
      model.push(row)
    }
  }
  const ewma = perEntity(empty, work(20, each), 20, ENTITIES)
  models.length = 0
  const none = held()
  // A tenth of them: filling the windows of all takes minutes, and series do not know of each other.
  const fewer = ENTITIES / 10
  const baseline = new RobustBaseline()
  const round = {
    time: 0,
    series: Int32Array.from({ length: fewer * PER_ENTITY }, (_, i) => i),
    values: new Float64Array(fewer * PER_ENTITY),
  }
  const flagged = new Array<boolean>(fewer * PER_ENTITY).fill(false)
  const next = () => {
    for (let i = 0; i < round.values.length; i++) round.values[i] = random()
    baseline.score(round)
    baseline.learn(round, flagged)
  }
  // Its window of 240 rounds is full before anything is measured.
  work(250, next)
  return { ewma, robustBaseline: perEntity(none, work(16, next), 16, fewer) }
}

async function network() {
  const tensors = await loadTensorFlow()
  const { tf, tier, fuse } = tensors
  const each = (times: number, work: () => unknown) => {
    for (let i = 0; i < times / 8; i++) work()
    const cpu = cpuSeconds()
    const wall = performance.now()
    for (let i = 0; i < times; i++) work()
    return { cpuMs: ((cpuSeconds() - cpu) / times) * 1000, wallMs: (performance.now() - wall) / times }
  }
  const measure = (fused: boolean, steps: number) => {
    const model = lstmNetwork(tf, 100, 1)
    if (fused) fuse(model)
    const x = tf.randomNormal([32, 100, 50], 0, 1, 'float32', 1)
    const adam = tf.train.adam(1e-3)
    const ours = new Adam(tf, weightsOf(model), 1e-3)
    const stock = () => adam.minimize(() => tf.losses.meanSquaredError(x, model.apply(x, { training: true }) as never))
    // What the detector does in each step.
    const own = () => ours.minimize(() => windowError(tf, x, model.apply(x, { training: true }) as never))
    const training = each(steps, () =>
      tf.tidy(() => {
        fused ? own() : stock()
      }),
    )
    // The newest row of each window is all that is read: bringing the whole reconstruction over costs more than computing it.
    const batched = each(steps, () => tf.tidy(() => tf.slice(model.apply(x) as typeof x, [0, 99, 0], [32, 1, 50]).dataSync()))
    return {
      stepCpuMs: Number(training.cpuMs.toFixed(1)),
      stepWallMs: Number(training.wallMs.toFixed(1)),
      windowsPerCpuSecond: Math.round(32_000 / batched.cpuMs),
      windowsPerSecond: Math.round(32_000 / batched.wallMs),
    }
  }
  return { tier, fused: measure(true, 40), stock: measure(false, 3), detector: lstmDetector(tensors) }
}

/** The detector as the service uses it: windows made, scored per metric, one by one and as a batch; and 10,000 rounds, after which nothing may be left over. */
function lstmDetector(tensors: Awaited<ReturnType<typeof loadTensorFlow>>) {
  const detector = new LstmAutoencoder(tensors, { steps: 2 })
  detector.fit(rows(400))
  const many = rows(2048)
  const start = cpuSeconds()
  detector.foresee(many)
  const batched = many.count / (cpuSeconds() - start)
  detector.load(detector.save())
  const guilt = new Float64Array(METRICS)
  const row = rowOf(many, 0)
  const times: number[] = []
  const before = tensors.tf.memory().numTensors
  for (let i = 0; i < 10_000; i++) {
    const from = performance.now()
    detector.score(row, guilt)
    times.push(performance.now() - from)
    detector.push(row)
  }
  times.sort((a, b) => a - b)
  return {
    windowsPerCpuSecond: Math.round(batched),
    singleMs: { p50: Number(times[5000].toFixed(1)), p95: Number(times[9500].toFixed(1)) },
    tensorsGrownIn10000Rounds: tensors.tf.memory().numTensors - before,
  }
}

function measurePeer(args: readonly string[]) {
  const scratch = mkdtempSync(join(tmpdir(), 'aegis-bench-'))
  try {
    const at = args.indexOf('--python')
    const torch = args.includes('--torch')
    const python = at >= 0 ? args[at + 1] : install(scratch, torch)
    const script = join(scratch, 'peer.py')
    writeFileSync(script, PEER)
    const env = { ...process.env, OPENBLAS_NUM_THREADS: '1', OMP_NUM_THREADS: '1' }
    return JSON.parse(execFileSync(python, [script, ...(torch ? ['--torch'] : [])], { encoding: 'utf8', env })) as object
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

function install(scratch: string, torch: boolean): string {
  const venv = join(scratch, 'venv')
  execFileSync('python3', ['-m', 'venv', venv])
  const packages = torch ? ['numpy', 'torch'] : ['numpy']
  execFileSync(join(venv, 'bin', 'pip'), ['install', '--quiet', ...packages], { stdio: ['ignore', 'ignore', 'inherit'] })
  return join(venv, 'bin', 'python')
}
