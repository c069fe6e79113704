/**
 * Boosting and forests beside XGBoost, LightGBM and scikit-learn on the same rows in the same run, and SHAP values beside those of the shap package.
 * Tables: `--data FOLDER` of <name>.csv.gz (header, feature columns, y last but for a column `split` of train, valid, test; index.json says "class" or
 * "regression" of each); without it, made-up ones. `--python` names an interpreter with xgboost, lightgbm, scikit-learn and shap; without it ours alone.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { accuracy, argmax, macroF1 } from '@aegis/learning/classification-scores'
import { GradientBoosting } from '@aegis/learning/gradient-boosting'
import { normal, seededRandom } from '@aegis/learning/random'
import { RandomForest } from '@aegis/learning/random-forest'
import { TreeEnsemble, type TreeModel, TreeWriter } from '@aegis/learning/tree-ensemble'
import { explainTrees } from '@aegis/learning/tree-shap'

const PEER = `
import gzip, io, json, os, sys, time
import numpy as np, pandas as pd, xgboost, lightgbm, shap
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score, f1_score, r2_score
d = sys.argv[1]; out = {}
index = json.load(open(os.path.join(d, 'index.json')))
for name, info in index.items():
    t = pd.read_csv(os.path.join(d, name + '.csv.gz'))
    f = [c for c in t.columns if c not in ('y', 'split')]
    part = lambda s: (t[t.split == s][f].to_numpy(dtype='float64'), t[t.split == s].y.to_numpy())
    (X, y), (Z, z) = part('train'), part('test')
    kind = info['task'] == 'class'
    if kind: y, z = y.astype(int), z.astype(int)
    def run(m):
        a = time.process_time(); m.fit(X, y); b = time.process_time() - a; p = m.predict(Z)
        return dict(cpu=b, accuracy=float(accuracy_score(z, p)), macroF1=float(f1_score(z, p, average='macro'))) if kind else dict(cpu=b, r2=float(r2_score(z, p)))
    o = dict(n_estimators=200, learning_rate=.1, max_depth=6, n_jobs=1, tree_method='hist')
    l = dict(n_estimators=200, learning_rate=.1, num_leaves=31, n_jobs=1, verbose=-1)
    out[name] = dict(xgboost=run(xgboost.XGBClassifier(**o) if kind else xgboost.XGBRegressor(**o)), lightgbm=run(lightgbm.LGBMClassifier(**l) if kind else lightgbm.LGBMRegressor(**l)))
    if kind: out[name]['sklearn forest'] = run(RandomForestClassifier(100, n_jobs=1, random_state=1))
# SHAP of a forest of scikit-learn, its nodes handed over.
name = next(n for n in index if index[n]['task'] == 'class')
t = pd.read_csv(os.path.join(d, name + '.csv.gz')); f = [c for c in t.columns if c not in ('y', 'split')]
X = np.nan_to_num(t[f].to_numpy(dtype='float32')); y = t.y.to_numpy().astype(int)
m = RandomForestClassifier(10, max_depth=8, n_jobs=1, random_state=1).fit(X[:1500], y[:1500])
e = shap.TreeExplainer(m, feature_perturbation='tree_path_dependent'); rows = X[-5:]
v = np.array(e.shap_values(rows, check_additivity=False))
trees = [dict(feature=q.tree_.feature.tolist(), threshold=q.tree_.threshold.tolist(), left=q.tree_.children_left.tolist(), right=q.tree_.children_right.tolist(), cover=q.tree_.weighted_n_node_samples.tolist(), value=(q.tree_.value[:, 0, :] / q.tree_.value[:, 0, :].sum(1, keepdims=True)).tolist()) for q in m.estimators_]
out['shap'] = dict(rows=rows.astype('float64').tolist(), trees=trees, values=v.tolist(), classes=int(m.n_classes_))
json.dump(out, sys.stdout)
`
interface Table {
  readonly name: string
  readonly regression: boolean
  readonly part: (split: string) => { rows: Float64Array[]; targets: number[] }
}

export async function run(args: string[]): Promise<void> {
  const option = (name: string) => (args.includes(name) ? args[args.indexOf(name) + 1] : undefined)
  const folder = option('--data') ?? madeUp()
  try {
    const python = option('--python')
    const peer = python
      ? JSON.parse(
          execFileSync(python, ['-W', 'ignore', '-c', PEER, folder], {
            encoding: 'utf8',
            maxBuffer: 2 ** 30,
            env: { ...process.env, OMP_NUM_THREADS: '1' },
          }),
        )
      : {}
    const rows = readdirSync(folder)
      .filter(f => f.endsWith('.csv.gz'))
      .sort()
      .map(f => measure(tableOf(join(folder, f), folder), peer))
    console.table(Object.fromEntries(rows.map(({ name, ...r }) => [name, r])))
    if (peer.shap)
      console.log(
        `SHAP beside the shap package on a scikit-learn forest: greatest difference ${shapDifference(peer.shap).toExponential(1)}`,
      )
  } finally {
    if (!option('--data')) rmSync(folder, { recursive: true })
  }
}

function measure(
  table: Table,
  peer: Record<string, Record<string, Record<string, number>>>,
): { name: string } & Record<string, string | number> {
  const [train, test] = [table.part('train'), table.part('test')]
  const out: Record<string, string | number> = { rows: train.rows.length }
  const judge = (name: string, model: TreeModel) => {
    const from = process.cpuUsage()
    model.fit(train.rows, train.targets)
    const used = process.cpuUsage(from)
    out[`${name} s`] = Math.round((used.user + used.system) / 1e4) / 100
    const said = test.rows.map(r => model.predict(r))
    out[name] = table.regression
      ? r2(
          test.targets,
          said.map(p => p[0]),
        ).toFixed(3)
      : `${accuracy(test.targets, said.map(argmax)).toFixed(3)}/${macroF1(test.targets, said.map(argmax)).toFixed(3)}`
  }
  const loss = table.regression ? 'squared' : 'softmax'
  judge('depth', new GradientBoosting({ loss, rounds: 200, depth: 6 }))
  judge('leaf', new GradientBoosting({ loss, rounds: 200, grow: 'leaf', leaves: 31, penalty: 0, minWeight: 1e-3, minRows: 20 }))
  if (!table.regression) judge('forest', new RandomForest({ trees: 100 }))
  for (const [name, p] of Object.entries(peer[table.name] ?? {})) {
    out[name] = p.r2 === undefined ? `${p.accuracy.toFixed(3)}/${p.macroF1.toFixed(3)}` : p.r2.toFixed(3)
    out[`${name} s`] = Math.round(p.cpu * 100) / 100
  }
  return { name: table.name, ...out }
}

const r2 = (truth: readonly number[], said: readonly number[]): number => {
  const mean = truth.reduce((a, b) => a + b, 0) / truth.length
  return 1 - truth.reduce((sum, y, i) => sum + (y - said[i]) ** 2, 0) / truth.reduce((sum, y) => sum + (y - mean) ** 2, 0)
}

interface PeerTree {
  readonly feature: number[]
  readonly threshold: number[]
  readonly left: number[]
  readonly right: number[]
  readonly cover: number[]
  readonly value: number[][]
}
/** The peer's trees as ours: it goes left where x <= threshold in single precision, we where x is below the next number. */
function shapDifference({
  rows,
  trees,
  values,
  classes,
}: {
  rows: number[][]
  trees: PeerTree[]
  values: number[][][]
  classes: number
}): number {
  const writer = new TreeWriter(classes)
  for (const t of trees) {
    const copy = (from: number, to: number): void => {
      writer.cover[to] = t.cover[from]
      for (let k = 0; k < classes; k++) writer.value[to * classes + k] = t.value[from][k]
      if (t.left[from] < 0) return
      const [left, right] = writer.split(
        to,
        t.feature[from],
        t.threshold[from] + Math.abs(t.threshold[from]) * 1e-9 + 1e-12,
        false,
      )
      copy(t.left[from], left)
      copy(t.right[from], right)
    }
    copy(0, writer.root(0))
  }
  const width = rows[0].length
  const ensemble = new TreeEnsemble(writer.save(width, classes, Array<number>(classes).fill(0), 1 / trees.length))
  let most = 0
  rows.forEach((row, i) => {
    const phi = explainTrees(ensemble, row)
    for (let k = 0; k < classes; k++)
      for (let f = 0; f < width; f++) most = Math.max(most, Math.abs(phi[k * (width + 1) + f] - values[i][f][k]))
  })
  return most
}

function tableOf(file: string, folder: string): Table {
  const name = basename(file, '.csv.gz')
  const index = existsSync(join(folder, 'index.json')) ? JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) : {}
  const [head, ...lines] = gunzipSync(readFileSync(file)).toString('utf8').trim().split(/\r?\n/)
  const columns = head.split(',')
  const [y, split] = [columns.indexOf('y'), columns.indexOf('split')]
  const features = columns.map((_, c) => c).filter(c => c !== y && c !== split)
  const cells = lines.map(l => l.split(','))
  const number = (text: string) => (text === '' ? Number.NaN : Number(text))
  return {
    name,
    regression: index[name]?.task === 'regression',
    part: part => {
      const own = cells.filter(c => c[split] === part)
      return { rows: own.map(c => Float64Array.from(features, f => number(c[f]))), targets: own.map(c => Number(c[y])) }
    },
  }
}

/** Two tables with known shapes: classes by distance from centres, and a curved surface; some values missing. */
function madeUp(): string {
  const folder = mkdtempSync(join(tmpdir(), 'learners-'))
  const random = seededRandom(1)
  const write = (name: string, rows: number[][]) => {
    const head = `${rows[0]
      .slice(1)
      .map((_, i) => `f${i}`)
      .join(',')},y,split`
    const lines = rows.map(
      ([y, ...x], i) =>
        `${x.map(v => (Number.isNaN(v) ? '' : v.toFixed(5))).join(',')},${y},${i % 20 < 14 ? 'train' : i % 20 < 17 ? 'valid' : 'test'}`,
    )
    writeFileSync(join(folder, `${name}.csv.gz`), gzipSync([head, ...lines].join('\n')))
  }
  const centres = Array.from({ length: 6 }, () => Array.from({ length: 20 }, () => 1.2 * normal(random)))
  write(
    'classes',
    Array.from({ length: 15_000 }, (_, i) => [
      i % 6,
      ...centres[i % 6].map(c => (random() < 0.02 ? Number.NaN : c + 2 * normal(random))),
    ]),
  )
  write(
    'surface',
    Array.from({ length: 15_000 }, () => {
      const x = Array.from({ length: 12 }, () => 2 * random() - 1)
      return [Math.sin(4 * x[0]) + x[1] * x[2] + (x[3] > 0.3 ? 1 : 0) + 0.2 * normal(random), ...x]
    }),
  )
  writeFileSync(join(folder, 'index.json'), JSON.stringify({ classes: { task: 'class' }, surface: { task: 'regression' } }))
  return folder
}
